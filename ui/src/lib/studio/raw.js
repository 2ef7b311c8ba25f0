// Every file as text, for those who want it: choose, edit, add, take away, go to a line.
import { add, button, choiceField, fill, fresh, h, say } from "./dom.js";

const NEW = { "guide.dmn": "", "rules.dmn": "", "README.md": "" };

export function openRaw(room, pane) {
  let path = room.rawPath && room.has(room.rawPath) ? room.rawPath : "item.json";
  const id = fresh("raw");
  const area = h("textarea", { class: "form-control mono studio-raw", id, spellcheck: "false", wrap: "off",
    disabled: !room.mayEdit, oninput: () => room.set(path, area.value) });
  const place = h("span", { class: "muted small num" });
  const where = () => {
    const before = area.value.slice(0, area.selectionStart).split("\n");
    place.textContent = say(`第 ${before.length} 行，第 ${before.at(-1).length + 1} 列`, `line ${before.length}, column ${before.at(-1).length + 1}`);
  };
  area.addEventListener("keyup", where);
  area.addEventListener("click", where);
  const head = h("div", { class: "studio-bar" });
  function show(next) {
    path = next;
    room.rawPath = next;
    area.value = room.get(path) ?? "";
    const lacking = Object.keys(NEW).filter((p) => !room.has(p));
    fill(head, 
      choiceField({ label: say("文件", "File"), value: path, options: room.paths().sort().map((p) => ({ value: p, label: p })), change: show }),
      place,
      room.mayEdit && button(say("删除这个文件", "Delete this file"), () => {
        if (!window.confirm(say(`从修改稿里删除 ${path}？`, `Delete ${path} from the draft?`))) return;
        room.set(path, null);
        show("item.json");
      }),
      room.mayEdit && h("form", { class: "studio-add", onsubmit: (event) => {
        event.preventDefault();
        const name = event.target.elements.name.value.trim();
        if (!name) return;
        if (!room.has(name)) room.set(name, "");
        show(name);
      } }, h("label", { for: `${id}-new` }, say("新文件", "New file")),
      h("input", { class: "form-control mono", id: `${id}-new`, name: "name", list: `${id}-list`, placeholder: "examples/02-….json" }),
      h("datalist", { id: `${id}-list` }, lacking.map((p) => h("option", { value: p }))),
      h("button", { class: "btn btn-small", type: "submit" }, say("新建", "Add"))));
    where();
  }
  add(pane, head, h("label", { class: "hidden-text", for: id }, say("文件内容", "Content of the file")), area);
  show(path);
  return {
    select(finding) {
      if (!room.has(finding.file)) return false;
      show(finding.file);
      const lines = area.value.split("\n");
      const from = lines.slice(0, Math.max(0, finding.row - 1)).join("\n").length + (finding.row > 1 ? 1 : 0);
      area.focus();
      area.setSelectionRange(from, from + (lines[finding.row - 1] ?? "").length);
      const tall = area.scrollHeight / Math.max(1, lines.length);
      area.scrollTop = Math.max(0, (finding.row - 5) * tall);
      where();
      return true;
    },
  };
}
