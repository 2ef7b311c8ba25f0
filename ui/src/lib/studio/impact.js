// What publishing the draft touches: the server says it of what is saved; beside it the changes of the
// drawing and the decisions, element by element.
import { add, fill, h, note, say } from "./dom.js";
import { elementChanges } from "./changes.js";

export async function openImpact(room, pane) {
  if (room.dirty()) {
    add(pane, note("note-amber", h("p", {}, say("有改动没有保存，下面说的是已保存的一稿。", "Some changes are not saved; this speaks of what is saved."), " ",
      room.mayEdit && h("button", { type: "button", class: "btn btn-small", onclick: async () => {
        if (await room.save()) await room.show("impact", true);
      } }, say("保存并重新看", "Save and look again")))));
  }
  const box = h("div", { class: "studio-impact" }, h("p", { class: "muted" }, say("正在查…", "Looking…")));
  add(pane, box);
  const answer = await fetch(`${room.address}/impact`, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  fill(box, ...page.body.childNodes);
  const place = box.querySelector("#element-diff");
  for (const [path, title] of [["flow.bpmn", say("流程", "Flow")], ["guide.dmn", say("指南", "Guide")], ["rules.dmn", say("规则", "Rules")]]) {
    const changes = elementChanges(room.published.get(path) ?? "", room.saved.get(path) ?? "");
    if (!changes.length || !place) continue;
    add(place, h("div", { class: "element-diff" }, h("h3", {}, title), h("ul", {}, changes.map((c) => h("li", {}, c)))));
  }
  return {};
}
