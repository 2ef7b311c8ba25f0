// Forms without JSON: steps and fields to add, move and change, and beside them the form as the
// applicant will see it, drawn by the server's own renderer.
import { add, areaField, button, choiceField, fill, fresh, group, h, note, say, textField, tickField } from "./dom.js";
import { move, openJson, put, roomJson } from "./json.js";

const TYPES = {
  text: ["文字", "Text"], longtext: ["长文字", "Long text"], number: ["整数", "Whole number"], money: ["金额（元）", "Money (yuan)"], date: ["日期", "Date"],
  choice: ["单选", "One of"], choices: ["多选", "Some of"], yesno: ["是否", "Yes or no"], citizen_id: ["身份证号", "Identity number"],
  credit_code: ["统一社会信用代码", "Credit code"], any_id: ["身份证号或信用代码", "Identity number or credit code"], phone: ["电话", "Phone"],
  region: ["行政区划", "Region"], email: ["电子邮箱", "E-mail"], table: ["表格（多行）", "Table of rows"],
};
const named = (part) => say(part.label, part.label_en || part.label);
const typeOptions = (nested) => Object.entries(TYPES).filter(([t]) => !nested || t !== "table").map(([value, words]) => ({ value, label: say(...words) }));
const PREVIEW_AFTER_MS = 400;

export async function openForm(room, pane, inspector) {
  const paths = () => room.paths().filter((p) => p === "form.json" || /^forms\/.+\.json$/.test(p)).sort((a, b) => (a === "form.json" ? -1 : b === "form.json" ? 1 : a.localeCompare(b)));
  let path = paths().includes(room.formPath) ? room.formPath : paths()[0];
  const disabled = !room.mayEdit;
  const bar = h("div", { class: "studio-bar" });
  const list = h("div", { class: "form-steps" });
  const sheet = h("div", { class: "form-preview room-portal-preview" });
  const asked = h("div", { class: "preview-situation" });
  add(pane, bar, h("div", { class: "form-editor" }, list, h("section", { class: "form-preview-side", "aria-label": say("预览", "Preview") },
    h("h2", {}, say("申请人看到的样子", "As the applicant sees it")), asked, sheet)));
  let file = null;
  let chosen = null; // {kind, step, field, column}

  // ---- preview ----

  let timer = 0;
  let turn = 0;
  const situation = {};
  function typed() {
    const answers = {};
    for (const input of sheet.querySelectorAll("input, select, textarea")) {
      if ((input.type === "radio" || input.type === "checkbox") && !input.checked) continue;
      if (input.name in answers) answers[input.name] = [answers[input.name], input.value].flat();
      else answers[input.name] = input.value;
    }
    return answers;
  }
  async function preview() {
    const mine = ++turn;
    let html;
    try {
      html = await room.post("preview", { files: room.unsaved(), path, situation, answers: typed() }, { html: true });
    } catch (problem) {
      html = null;
      if (mine === turn) fill(sheet, note("note-red", h("p", {}, problem.message)));
    }
    if (mine !== turn || html === null) return;
    const at = sheet.contains(document.activeElement) ? document.activeElement.name : "";
    const page = new DOMParser().parseFromString(html, "text/html");
    // The page has fields of its own: the preview's ids are kept apart.
    for (const element of page.body.querySelectorAll("[id], [for], [aria-describedby]")) {
      for (const name of ["id", "for"]) if (element.hasAttribute(name)) element.setAttribute(name, `p-${element.getAttribute(name)}`);
      if (element.hasAttribute("aria-describedby")) {
        element.setAttribute("aria-describedby", element.getAttribute("aria-describedby").split(/\s+/).map((id) => `p-${id}`).join(" "));
      }
    }
    fill(sheet, ...page.body.childNodes);
    for (const b of sheet.querySelectorAll("button")) b.type = "button";
    if (at) sheet.querySelector(`[name="${CSS.escape(at)}"]`)?.focus();
  }
  const previewLater = () => {
    clearTimeout(timer);
    timer = setTimeout(preview, PREVIEW_AFTER_MS);
  };
  sheet.addEventListener("change", previewLater);

  function drawSituation() {
    let questions = [];
    try { questions = openJson(room.get("item.json")).value.questions ?? []; } catch { /* its own tab says so */ }
    fill(asked, ...(path === "form.json" ? questions : []).map((q) => choiceField({ label: named(q), value: situation[q.name], empty: say("未答", "not answered"),
      options: (q.options ?? []).map((o) => ({ value: o.value, label: named(o) })),
      change: (value) => { put(situation, q.name, value); previewLater(); } })));
  }

  // ---- structure ----

  const changed = () => {
    file.write();
    draw();
    previewLater();
  };
  const names = () => file.value.steps.flatMap((s) => (s.fields ?? []).map((f) => f.name));
  function freshName(base, taken) {
    let name = base;
    for (let i = 2; taken.includes(name); i++) name = `${base}${i}`;
    return name;
  }
  const isChosen = (what) => chosen && what.step === chosen.step && what.field === chosen.field;

  function fieldRow(step, fields, field, i) {
    const needs = field.required === true ? h("span", { class: "form-tag form-tag-required" }, say("必填", "required")) : field.required ? h("span", { class: "form-tag" }, say("按条件必填", "required if")) : null;
    return h("li", { class: isChosen({ step, field }) ? "at" : "" },
      h("button", { type: "button", class: "form-field", onclick: () => choose({ step, field }), "aria-pressed": String(Boolean(isChosen({ step, field }))) },
        h("span", { class: "form-label" }, named(field) || say("（没有名称）", "(no label)")), h("span", { class: "form-tag" }, say(...(TYPES[field.type] ?? [field.type, field.type]))),
        needs, field.when && h("span", { class: "form-tag" }, say("按条件出现", "shown if"))),
      !disabled && mover(fields, i, field.label, () => choose(null)));
  }

  function mover(items, i, what, removed) {
    return h("span", { class: "movers" },
      button("↑", () => { if (move(items, i, -1)) changed(); }, { title: say(`上移：${what}`, `Up: ${what}`), disabled: i === 0 }),
      button("↓", () => { if (move(items, i, 1)) changed(); }, { title: say(`下移：${what}`, `Down: ${what}`), disabled: i === items.length - 1 }),
      button("✕", () => {
        if (!window.confirm(say(`删除“${what}”？`, `Remove “${what}”?`))) return;
        items.splice(i, 1);
        removed();
        changed();
      }, { title: say(`删除：${what}`, `Remove: ${what}`) }));
  }

  function draw() {
    const steps = file.value.steps ?? (file.value.steps = []);
    fill(list, 
      h("button", { type: "button", class: "form-title", onclick: () => choose({ kind: "form" }) }, file.value.title || say("（没有标题）", "(no title)")),
      ...steps.map((step, i) => h("section", { class: "form-step" },
        h("div", { class: "form-step-head" }, h("button", { type: "button", class: "form-step-name", "aria-pressed": String(Boolean(isChosen({ step }))), onclick: () => choose({ step }) },
          say(`第 ${i + 1} 步　${step.title ?? ""}`, `Step ${i + 1}: ${step.title_en || step.title || ""}`), step.when && h("span", { class: "form-tag" }, say("按条件出现", "shown if"))),
        !disabled && mover(steps, i, step.title, () => choose(null))),
        h("ul", { class: "form-fields" }, (step.fields ?? []).map((f, k) => fieldRow(step, step.fields, f, k))),
        !disabled && button(say("＋ 加一项", "+ field"), () => {
          const field = { name: freshName("field", names()), label: "新的一项", label_en: "New field", type: "text", required: true };
          (step.fields ??= []).push(field);
          changed();
          choose({ step, field });
        }))),
      !disabled && button(say("＋ 加一步", "+ step"), () => {
        const step = { id: freshName("step", steps.map((s) => s.id)), title: "新的一步", title_en: "New step", fields: [] };
        steps.push(step);
        changed();
        choose({ step });
      }) || "");
  }

  // ---- the panel ----

  function optionsEditor(field) {
    field.options ??= [];
    const body = h("div", { class: "studio-rows" });
    const show = () => fill(body, ...field.options.map((o, i) => h("div", { class: "studio-row" },
      ...[["value", say("值", "value")], ["label", say("中文", "Chinese")], ["label_en", say("英文", "English")]].map(([name, label]) => h("input", {
        class: `form-control${name === "value" ? " mono" : ""}`, value: o[name] ?? "", disabled, placeholder: label, "aria-label": say(`第 ${i + 1} 项：${label}`, `option ${i + 1}: ${label}`),
        onchange: (e) => { put(o, name, e.target.value.trim()); changed(); } })),
      !disabled && button("✕", () => { field.options.splice(i, 1); changed(); show(); }, { title: say("去掉", "Remove") }))),
    !disabled && button(say("＋ 选项", "+ option"), () => {
      field.options.push({ value: freshName("option", field.options.map((o) => o.value)), label: "选项" });
      changed();
      show();
    }) || "");
    show();
    return group(say("选项", "Options"), body);
  }

  function columnsEditor(field) {
    field.columns ??= [];
    return group(say("列", "Columns"), h("ul", { class: "form-fields" }, field.columns.map((c, i) => h("li", {},
      h("button", { type: "button", class: "form-field", onclick: () => choose({ ...chosen, column: c }) }, h("span", { class: "form-label" }, named(c)), h("span", { class: "form-tag" }, say(...(TYPES[c.type] ?? [c.type, c.type])))),
      !disabled && mover(field.columns, i, c.label, () => {})))),
    !disabled && button(say("＋ 列", "+ column"), () => {
      const column = { name: freshName("column", field.columns.map((c) => c.name)), label: "新的一列", label_en: "New column", type: "text", required: true };
      field.columns.push(column);
      changed();
      choose({ ...chosen, column });
    }));
  }

  const text = (object, name, label, more = {}) => textField({ label, value: object[name], disabled, ...more, change: (value) => { put(object, name, value); changed(); } });

  function fieldPanel(field, nested) {
    const numeric = ["number", "money", "date"].includes(field.type);
    const limit = (name, label) => text(field, name, label, { hint: field.type === "date" ? say("2023-05-31 或表达式", "2023-05-31 or an expression") : undefined,
      change: (value) => { put(field, name, value !== "" && /^-?\d+$/.test(value) ? Number(value) : value); changed(); } });
    const needs = field.required === true ? "yes" : field.required ? "if" : "no";
    return [
      text(field, "label", say("名称", "Label in Chinese")), text(field, "label_en", say("英文名称", "Label in English")),
      choiceField({ label: say("填什么", "Kind"), value: field.type, options: typeOptions(nested), disabled, change: (value) => { field.type = value; changed(); choose(chosen); } }),
      choiceField({ label: say("要不要填", "Required"), value: needs, disabled, options: [{ value: "yes", label: say("必填", "always") }, { value: "no", label: say("选填", "no") }, { value: "if", label: say("按条件必填", "by a condition") }],
        change: (value) => { put(field, "required", value === "yes" ? true : value === "if" ? "true" : null); changed(); choose(chosen); } }),
      needs === "if" && areaField({ label: say("必填的条件（FEEL）", "Required when (FEEL)"), value: field.required, rows: 2, mono: true, disabled, change: (value) => { put(field, "required", value.trim()); changed(); } }),
      areaField({ label: say("什么情况下才问（FEEL，空着就总是问）", "Shown when (FEEL; empty: always)"), value: field.when, rows: 2, mono: true, disabled,
        hint: say("例：in_residence = true", "e.g. in_residence = true"), change: (value) => { put(field, "when", value.trim()); changed(); } }),
      text(field, "hint", say("提示", "Hint in Chinese")), text(field, "hint_en", say("英文提示", "Hint in English")),
      ["choice", "choices"].includes(field.type) && optionsEditor(field),
      field.type === "table" && columnsEditor(field),
      numeric && limit("min", say("最小", "At least")), numeric && limit("max", say("最大", "At most")),
      ["text", "longtext"].includes(field.type) && limit("max_length", say("最多几个字", "Characters at most")),
      h("details", { class: "more" }, h("summary", {}, say("核对与其他", "Checks and more")),
        text(field, "name", say("标识（条件里用它）", "Name (conditions use it)"), { mono: true, change: (value) => { if (/^[A-Za-z_]\w*$/.test(value)) { field.name = value; changed(); } else choose(chosen); } }),
        areaField({ label: say("必须成立的条件（FEEL，? 是填的值）", "Must hold (FEEL, ? is the value)"), value: field.check, rows: 2, mono: true, disabled, change: (value) => { put(field, "check", value.trim()); changed(); } }),
        text(field, "check_text", say("不成立时怎么说", "Words when it does not")), text(field, "check_text_en", say("英文说法", "Words in English")),
        text(field, "from", say("从已知的带入", "Taken from what is known"), { mono: true, hint: say("例：applicant.phone", "e.g. applicant.phone") }),
        tickField({ label: say("个人信息（除经办人外遮住）", "Personal (masked for others)"), value: field.personal, disabled, change: (on) => { put(field, "personal", on); changed(); } })),
    ];
  }

  function choose(what) {
    chosen = what;
    draw();
    const place = (title, ...children) => fill(inspector, h("h2", {}, title), h("div", { class: "studio-fields" }, children.flat()));
    if (!what) fill(inspector, h("p", { class: "muted" }, say("点左边的一步或一项来改。", "Choose a step or a field at the left.")));
    else if (what.kind === "form") place(say("表单", "Form"), text(file.value, "title", say("标题", "Title in Chinese")), text(file.value, "title_en", say("英文标题", "Title in English")));
    else if (what.column) place(say("列", "Column"), button(say("← 回到表格", "← back to the table"), () => choose({ step: what.step, field: what.field })), fieldPanel(what.column, true));
    else if (what.field) place(say("一项", "Field"), fieldPanel(what.field, false));
    else {
      const step = what.step;
      place(say("一步", "Step"), text(step, "title", say("标题", "Title in Chinese")), text(step, "title_en", say("英文标题", "Title in English")),
        text(step, "hint", say("提示", "Hint in Chinese")), text(step, "hint_en", say("英文提示", "Hint in English")),
        areaField({ label: say("什么情况下才有这一步（FEEL）", "Shown when (FEEL)"), value: step.when, rows: 2, mono: true, disabled, change: (value) => { put(step, "when", value.trim()); changed(); } }),
        text(step, "id", say("标识（指南的 hide_steps 用它）", "Id (hide_steps of the guide uses it)"), { mono: true }));
    }
  }

  function load() {
    file = roomJson(room, path);
    fill(bar, choiceField({ label: say("表单", "Form"), value: path, change: (next) => { path = next; room.formPath = next; chosen = null; load(); },
      options: paths().map((p) => ({ value: p, label: p === "form.json" ? say("申请表（form.json）", "Application (form.json)") : say(`环节的表单：${p.slice(6, -5)}`, `Form of a task: ${p.slice(6, -5)}`) })) }),
    !disabled && h("form", { class: "studio-add", onsubmit: (event) => {
      event.preventDefault();
      const name = event.target.elements.name.value.trim();
      if (!/^[A-Za-z0-9_-]+$/.test(name)) return;
      path = `forms/${name}.json`;
      if (!room.has(path)) {
        room.set(path, `{\n  "title": "新表单",\n  "title_en": "New form",\n  "steps": [\n    {"id": "main", "title": "内容", "title_en": "Content", "fields": []}\n  ]\n}\n`);
      }
      chosen = null;
      load();
    } }, (() => { const id = fresh("new-form"); return [h("label", { for: id }, say("新的环节表单", "New form of a task")), h("input", { class: "form-control mono", id, name: "name", placeholder: "inspection" })]; })(),
    h("button", { class: "btn btn-small", type: "submit" }, say("新建", "Add"))));
    drawSituation();
    choose(null);
    preview();
  }
  load();
  return {
    close: () => { clearTimeout(timer); turn++; },
    select(finding) {
      if (!room.has(finding.file)) return false;
      if (finding.file !== path) {
        path = finding.file;
        chosen = null;
        try { load(); } catch { return false; }
      }
      // "steps.0.fields.3.type"
      const at = finding.element.match(/^steps\.(\d+)(?:\.fields\.(\d+))?/);
      const step = at && file.value.steps[at[1]];
      if (!step) return !finding.row;
      choose(at[2] === undefined ? { step } : { step, field: step.fields[at[2]] });
      return true;
    },
  };
}
