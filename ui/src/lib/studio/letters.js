// The letters: the item's own over the county's. A county letter is changed by making it one's own.
import { add, button, fill, fresh, h, say } from "./dom.js";

export function openLetters(room, pane, inspector) {
  const disabled = !room.mayEdit;
  const county = new Map(room.model.letters.map((l) => [l.code, l]));
  const own = () => room.paths().filter((p) => /^letters\/.+\.txt$/.test(p)).map((p) => p.slice(8, -4));
  let at = own()[0] ?? [...county.keys()][0];
  const list = h("ul", { class: "form-fields letters-list" });
  const id = fresh("letter");
  const label = h("label", { for: id, class: "letter-name" });
  const area = h("textarea", { class: "form-control mono studio-raw", id, spellcheck: "false", oninput: () => room.set(`letters/${at}.txt`, area.value) });
  const acts = h("div", { class: "studio-bar" });
  add(pane, h("div", { class: "letters-editor" }, list, h("div", {}, acts, area)));

  function show(code) {
    at = code;
    const mine = room.has(`letters/${code}.txt`);
    area.value = mine ? room.get(`letters/${code}.txt`) : county.get(code)?.value ?? "";
    area.readOnly = disabled || !mine;
    label.textContent = `${county.get(code)?.label || code}（${code}）`;
    fill(acts, label, mine ? h("span", { class: "state state-blue" }, say("本事项自己的", "The item's own")) : h("span", { class: "state state-grey" }, say("县里统一的", "The county's")),
      !disabled && !mine ? button(say("改成自己的", "Make it its own"), () => { room.set(`letters/${code}.txt`, area.value); show(code); }) : "",
      !disabled && mine && county.has(code) ? button(say("恢复用县里统一的", "Use the county's again"), () => { room.set(`letters/${code}.txt`, null); show(code); }) : "");
    const all = [...new Set([...own(), ...county.keys()])];
    fill(list, ...all.map((c) => h("li", { class: c === at ? "at" : "" }, h("button", { type: "button", class: "form-field", "aria-pressed": String(c === at), onclick: () => show(c) },
      h("span", { class: "form-label" }, county.get(c)?.label || c), room.has(`letters/${c}.txt`) && h("span", { class: "form-tag form-tag-required" }, say("自己的", "own"))))));
  }
  show(at);
  fill(inspector, h("section", { class: "studio-help" }, h("h2", {}, say("怎么写", "How to write")), h("dl", { class: "studio-terms" },
    [["# 标题", say("第一行", "first line: the title")], ["> 落款", say("靠右的一行", "a line set right")], ["| a | b |", say("表格的一行", "a row of a table")],
      ["{{applicant.name}}", say("申请人", "applicant")], ["{{case.number}}", say("办件编号", "case number")], ["{{unit.name}}", say("部门", "department")], ["{{date | longdate}}", say("日期", "date")],
      ["{{#if reason}}…{{/if}}", say("有才写", "only when there is one")]].map(([code, words]) => h("div", {}, h("dt", {}, h("code", {}, code)), h("dd", {}, words))))));
  return {
    select(finding) {
      const code = finding.file.slice(8).replace(/\.txt$/, "") || finding.element.split(":")[0];
      if (room.has(`letters/${code}.txt`)) show(code);
      return true;
    },
  };
}
