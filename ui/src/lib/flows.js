// A drawn flow may be wider than its box: it opens where the case stands now.
export function startFlows() {
  for (const box of document.querySelectorAll(".flow")) {
    const now = box.querySelector(".flow-node.flow-active");
    if (!now || box.scrollWidth <= box.clientWidth) continue;
    const place = now.getBoundingClientRect();
    const left = place.left - box.getBoundingClientRect().left + box.scrollLeft;
    box.scrollLeft = Math.max(0, left - (box.clientWidth - place.width) / 2);
  }
}
