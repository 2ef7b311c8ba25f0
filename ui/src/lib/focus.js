// Focus: an error summary takes it when the page opens, and its links put it into the field, not
// only beside it.
export function startFocus() {
  const summary = document.querySelector("[data-focus]");
  if (summary) {
    summary.focus();
    document.title = `● ${document.title}`;
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".errors a[href^='#']");
    if (!link) return;
    const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!target) return;
    event.preventDefault();
    const field = target.matches("fieldset") ? target.querySelector("input, select") : target;
    (target.closest(".field") ?? target).scrollIntoView({ block: "start" });
    (field ?? target).focus({ preventScroll: true });
  });
}

// Tells those who can't see the page that something changed.
export function say(text) {
  const live = document.getElementById("live");
  if (live) live.textContent = text;
}
