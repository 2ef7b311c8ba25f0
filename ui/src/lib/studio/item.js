// The particulars of an item (item.json) as a form: names, times, documents, questions, contacts.
import { add, areaField, button, choiceField, fill, fresh, group, h, say, textField, tickField } from "./dom.js";
import { move, put, roomJson } from "./json.js";

const POWERS = ["行政许可", "行政给付", "行政检查", "行政确认", "行政奖励", "行政裁决", "其他行政权力", "公共服务"];

export async function openItem(room, pane, inspector) {
  const file = roomJson(room, "item.json");
  const item = file.value;
  const disabled = !room.mayEdit;
  const changed = () => file.write();
  const places = new Map(); // path of item.json → field

  const at = (path, element) => {
    places.set(path, element);
    return element;
  };
  const text = (object, name, label, more = {}) => textField({ label, value: object[name], disabled, ...more, change: (value) => { put(object, name, value); changed(); } });
  const area = (object, name, label, more = {}) => areaField({ label, value: object[name], disabled, rows: 3, ...more, change: (value) => { put(object, name, value.trim()); changed(); } });
  const number = (object, name, label, more = {}) => textField({ label, value: object[name], disabled, type: "number", ...more,
    change: (value) => { if (value === "") delete object[name]; else object[name] = Number(value); changed(); } });
  const tick = (object, name, label, more = {}) => tickField({ label, value: object[name], disabled, ...more, change: (on) => { object[name] = on; changed(); } });
  const lines = (object, name, label, more = {}) => areaField({ label, hint: say("一行一条", "one to a line"), value: (object[name] ?? []).join("\n"), disabled, rows: 4, ...more,
    change: (value) => { const all = value.split("\n").map((l) => l.trim()).filter(Boolean); if (all.length) object[name] = all; else delete object[name]; changed(); } });
  const unitOptions = room.model.units.map((u) => ({ value: u.code, label: `${u.name}（${u.code}）` }));
  const choice = (object, name, label, options, more = {}) => choiceField({ label, value: String(object[name] ?? ""), options, disabled, ...more,
    change: (value) => { put(object, name, more.number ? Number(value) : value); changed(); } });
  const panel = (title, ...children) => {
    fill(inspector, h("h2", {}, title), h("div", { class: "studio-fields" }, children.flat()));
    inspector.scrollIntoView({ block: "nearest" });
  };

  // ---- documents ----

  function materialPanel(m) {
    panel(say("材料", "Document"), text(m, "name", say("名称", "Name in Chinese")), text(m, "name_en", say("英文名称", "Name in English")),
      text(m, "code", say("代号（指南里用它）", "Code (the guide uses it)"), { mono: true }),
      tick(m, "required", say("必须提交", "Required")), tick(m, "tolerable", say("可以容缺", "May follow later")), tick(m, "waivable", say("可以免提交", "May be waived")),
      text(m, "waived_by", say("免提交时以什么代替", "What stands in when waived")), text(m, "waived_by_en", say("英文", "In English")),
      text(m, "form", say("形式（原件、复印件、电子）", "Form: original, copy, electronic")), number(m, "copies", say("份数", "Copies")),
      text(m, "source", say("来源", "Source")), text(m, "source_en", say("来源（英文）", "Source in English")),
      area(m, "standard", say("受理标准", "What makes it acceptable")), area(m, "standard_en", say("受理标准（英文）", "The same in English")),
      area(m, "legal_basis", say("依据", "Legal basis")), lines(m, "accept", say("可以传的格式", "Formats"), { rows: 3 }), number(m, "pages_max", say("最多几页", "Pages at most")));
  }

  function freshCode(base, list, key) {
    let code = base;
    for (let i = 2; list.some((x) => x[key] === code); i++) code = `${base}${i}`;
    return code;
  }

  function materials() {
    const body = h("div", {});
    const draw = () => {
      const list = item.materials ?? [];
      const box = (m, name, label) => h("input", { type: "checkbox", checked: Boolean(m[name]), disabled, "aria-label": `${m.name}${say("：", ": ")}${label}`, onchange: (e) => { m[name] = e.target.checked; changed(); } });
      fill(body, h("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": say("材料", "Documents") }, h("table", { class: "list studio-table" },
        h("thead", {}, h("tr", {}, [say("材料", "Document"), say("代号", "Code"), say("必须", "Required"), say("容缺", "Later"), say("免交", "Waived")].map((t) => h("th", { scope: "col" }, t)),
          h("th", { scope: "col" }, h("span", { class: "hidden-text" }, say("操作", "Actions"))))),
        h("tbody", {}, list.map((m, i) => h("tr", {}, h("td", {}, m.name), h("td", { class: "mono" }, m.code), h("td", {}, box(m, "required", say("必须", "required"))), h("td", {}, box(m, "tolerable", say("容缺", "later"))),
          h("td", {}, box(m, "waivable", say("免交", "waived"))),
          h("td", { class: "movers" }, button(say("改", "Edit"), () => materialPanel(m), { title: say(`改：${m.name}`, `Edit: ${m.name}`) }),
            !disabled && [button("↑", () => { if (move(list, i, -1)) { changed(); draw(); } }, { title: say(`上移：${m.name}`, `Up: ${m.name}`), disabled: i === 0 }),
              button("↓", () => { if (move(list, i, 1)) { changed(); draw(); } }, { title: say(`下移：${m.name}`, `Down: ${m.name}`), disabled: i === list.length - 1 }),
              button("✕", () => { if (window.confirm(say(`删除材料“${m.name}”？`, `Remove “${m.name}”?`))) { list.splice(i, 1); changed(); draw(); } }, { title: say(`删除：${m.name}`, `Remove: ${m.name}`) })])))))),
      !disabled && button(say("＋ 加一种材料", "+ document"), () => {
        const m = { code: freshCode("material", list, "code"), name: "新材料", name_en: "New document", required: true, tolerable: false, waivable: false };
        (item.materials ??= []).push(m);
        changed();
        draw();
        materialPanel(m);
      }) || "");
    };
    draw();
    return at("materials", group(say("材料", "Documents"), body));
  }

  // ---- questions ----

  function questionPanel(q, redraw) {
    q.options ??= [];
    const body = h("div", { class: "studio-rows" });
    const draw = () => fill(body, ...q.options.map((o, i) => h("div", { class: "studio-row" },
      ...[["value", say("值", "value")], ["label", say("中文", "Chinese")], ["label_en", say("英文", "English")]].map(([name, label]) => h("input", {
        class: `form-control${name === "value" ? " mono" : ""}`, value: o[name] ?? "", disabled, placeholder: label, "aria-label": say(`第 ${i + 1} 项：${label}`, `option ${i + 1}: ${label}`),
        onchange: (e) => { put(o, name, e.target.value.trim()); changed(); } })),
      !disabled && button("✕", () => { q.options.splice(i, 1); changed(); draw(); }, { title: say("去掉", "Remove") }))),
    !disabled && button(say("＋ 选项", "+ option"), () => { q.options.push({ value: freshCode("option", q.options, "value"), label: "选项" }); changed(); draw(); }) || "");
    draw();
    panel(say("问题", "Question"), text(q, "label", say("问法", "Words in Chinese"), { change: (v) => { q.label = v; changed(); redraw(); } }), text(q, "label_en", say("英文问法", "Words in English")),
      text(q, "name", say("名字（指南里用它）", "Name (the guide uses it)"), { mono: true }), text(q, "hint", say("提示", "Hint")), text(q, "hint_en", say("英文提示", "Hint in English")),
      area(q, "when", say("什么情况下才问（FEEL）", "Asked when (FEEL)"), { mono: true, rows: 2 }), group(say("选项", "Options"), body));
  }

  function questions() {
    const body = h("div", {});
    const draw = () => {
      const list = item.questions ?? [];
      fill(body, h("ul", { class: "form-fields" }, list.map((q, i) => h("li", {},
        h("button", { type: "button", class: "form-field", onclick: () => questionPanel(q, draw) }, h("span", { class: "form-label" }, q.label), h("span", { class: "form-tag" }, say(`${(q.options ?? []).length} 个选项`, `${(q.options ?? []).length} options`)), q.when && h("span", { class: "form-tag" }, say("按条件问", "asked if"))),
        !disabled && h("span", { class: "movers" }, button("↑", () => { if (move(list, i, -1)) { changed(); draw(); } }, { title: say(`上移：${q.label}`, `Up: ${q.label}`), disabled: i === 0 }),
          button("↓", () => { if (move(list, i, 1)) { changed(); draw(); } }, { title: say(`下移：${q.label}`, `Down: ${q.label}`), disabled: i === list.length - 1 }),
          button("✕", () => { if (window.confirm(say(`删除问题“${q.label}”？`, `Remove “${q.label}”?`))) { list.splice(i, 1); changed(); draw(); } }, { title: say(`删除：${q.label}`, `Remove: ${q.label}`) }))))),
      !disabled && button(say("＋ 加一个问题", "+ question"), () => {
        const q = { name: freshCode("question", list, "name"), label: "新问题", label_en: "New question", options: [{ value: "yes", label: "是", label_en: "Yes" }, { value: "no", label: "否", label_en: "No" }] };
        (item.questions ??= []).push(q);
        changed();
        draw();
        questionPanel(q, draw);
      }) || "");
    };
    draw();
    return at("questions", group(say("办事指南的问题", "Questions of the guide"), body));
  }

  // ---- the county's numbers ----

  // Where the item reads a number, in the words of the drawing: its name alone says little to who changes it.
  function readers(name) {
    const word = new RegExp(`parameters\\.${name.replace(/[^\w]/g, "\\$&")}(?![\\w])`);
    const found = new Set();
    for (const path of ["flow.bpmn", "guide.dmn", "rules.dmn"]) {
      const text = room.get(path);
      if (!text || !word.test(text)) continue;
      const drawn = new DOMParser().parseFromString(text, "application/xml");
      for (const e of drawn.querySelectorAll("*")) {
        const says = [...e.attributes].some((x) => word.test(x.value)) || (!e.children.length && word.test(e.textContent));
        if (says) found.add(placeOf(e, path));
      }
    }
    for (const path of room.paths()) {
      if (!path.endsWith(".bpmn") && !path.endsWith(".dmn") && !path.startsWith("examples/") && word.test(room.get(path))) found.add(path);
    }
    return [...found].join(say("、", ", "));
  }

  function placeOf(element, path) {
    if (path === "flow.bpmn") {
      const at = element.closest("[name]");
      return say(`流程“${at?.getAttribute("name") ?? ""}”`, `step “${at?.getAttribute("yz:name_en") ?? at?.getAttribute("name") ?? ""}”`);
    }
    const decision = element.closest("decision, businessKnowledgeModel");
    const told = decision?.querySelector(":scope > description")?.textContent?.split(/[。；\n]/)[0];
    return say(`决策“${told || decision?.getAttribute("name") || path}”`, `decision “${decision?.getAttribute("name") || path}”`);
  }

  function parameters() {
    const entries = () => Object.entries(item.parameters ?? {});
    const body = h("div", { class: "studio-rows" });
    const read = (value) => { try { return JSON.parse(value); } catch { return value; } };
    const draw = () => fill(body, ...entries().map(([name, value], i) => h("div", { class: "studio-row" },
      h("input", { class: "form-control mono", value: name, disabled, "aria-label": say(`第 ${i + 1} 个参数的名字`, `name of parameter ${i + 1}`), onchange: (e) => {
        const all = entries().map(([n, v]) => [n === name ? e.target.value.trim() : n, v]);
        item.parameters = Object.fromEntries(all.filter(([n]) => n));
        changed();
        draw();
      } }),
      h("input", { class: "form-control mono", value: JSON.stringify(value), disabled, "aria-label": say(`${name} 的值`, `value of ${name}`), onchange: (e) => { item.parameters[name] = read(e.target.value); changed(); } }),
      !disabled && button("✕", () => { delete item.parameters[name]; changed(); draw(); }, { title: say(`去掉 ${name}`, `Remove ${name}`) }),
      h("span", { class: "studio-readers muted small" }, readers(name) ? say("用在：", "Read by: ") + readers(name) : say("没有用到", "Read by nothing")))),
    !disabled && button(say("＋ 参数", "+ parameter"), () => { (item.parameters ??= {})[freshCode("parameter", entries().map(([n]) => ({ n })), "n")] = 0; changed(); draw(); }) || "");
    draw();
    return at("parameters", group(say("本县参数（表达式里的 parameters）", "The county's numbers (parameters in expressions)"), body));
  }

  function audience() {
    const set = (who) => (on) => {
      const list = new Set(item.audience ?? []);
      if (on) list.add(who);
      else list.delete(who);
      item.audience = ["natural", "legal"].filter((x) => list.has(x));
      changed();
    };
    const has = (who) => (item.audience ?? []).includes(who);
    return group(say("谁可以申请", "Who may apply"), tickField({ label: say("个人", "Persons"), value: has("natural"), change: set("natural"), disabled }), tickField({ label: say("企业或其他组织", "Organisations"), value: has("legal"), change: set("legal"), disabled }));
  }

  const inner = (name, make) => {
    const object = item[name] ?? {};
    const proxy = new Proxy(object, { set: (o, k, v) => { o[k] = v; item[name] = o; return true; }, deleteProperty: (o, k) => { delete o[k]; return true; } });
    return make(proxy);
  };

  add(pane, h("div", { class: "item-form" },
    group(say("名称与归属", "Name and department"), at("name", text(item, "name", say("名称", "Name in Chinese"))), at("name_en", text(item, "name_en", say("英文名称", "Name in English"))),
      textField({ label: say("实施编码", "Code"), value: item.code, disabled: true, change: () => {} }), at("basic_code", text(item, "basic_code", say("基本编码", "Basic code"), { mono: true })),
      at("unit", choice(item, "unit", say("主管部门", "Department"), unitOptions)), at("joint_units", lines(item, "joint_units", say("联办机构（单位编码）", "Joint departments (codes)"), { rows: 2, mono: true })),
      at("power", choice(item, "power", say("事项类型", "Kind of power"), POWERS.map((p) => ({ value: p, label: p })))),
      at("case_kind", choice(item, "case_kind", say("办件类型", "Kind of case"), [["1", say("即办件", "Instant")], ["2", say("承诺件", "Promised")], ["3", say("联办件", "Joint")], ["4", say("上报件", "Reported upward")]].map(([value, label]) => ({ value, label })), { number: true })),
      audience(), at("life_event", text(item, "life_event", say("主题", "Topic"), { mono: true }))),
    group(say("时限与次数", "Times"), at("statutory_days", number(item, "statutory_days", say("法定工作日", "Statutory working days"))), at("promised_days", number(item, "promised_days", say("承诺工作日", "Promised working days"))),
      at("tolerance_days", number(item, "tolerance_days", say("容缺补交工作日", "Days for a document that follows later"))), at("correction_days", number(item, "correction_days", say("补正工作日", "Days for corrections"))), at("visits", number(item, "visits", say("到现场次数", "Visits in person")))),
    materials(), questions(),
    group(say("条件与依据", "Conditions and law"), at("condition", area(item, "condition", say("受理条件", "Conditions"))), at("condition_en", area(item, "condition_en", say("受理条件（英文）", "Conditions in English"))),
      at("legal_basis", lines(item, "legal_basis", say("法律依据", "Legal basis"))), at("special_procedures", lines(item, "special_procedures", say("特别程序", "Special procedures"), { rows: 2 }))),
    group(say("结果", "Result"), ...inner("result", (r) => [text(r, "name", say("名称", "Name")), text(r, "name_en", say("英文名称", "Name in English")), text(r, "kind", say("类型", "Kind")), text(r, "register", say("名录", "Register"), { mono: true }), number(r, "valid_months", say("有效月数", "Valid months"))])),
    group(say("收费与服务", "Fees and service"), at("fee", text(item, "fee", say("收费", "Fee"))), at("fee_en", text(item, "fee_en", say("收费（英文）", "Fee in English"))), at("fee_basis", text(item, "fee_basis", say("收费依据", "Basis of the fee"))),
      at("area", text(item, "area", say("通办范围", "Where one can apply"))), at("area_en", text(item, "area_en", say("通办范围（英文）", "The same in English"))), tick(item, "bookable", say("可以预约", "Can be booked")), tick(item, "express", say("可以寄送", "Sent by post"))),
    group(say("联系", "Contact"), ...inner("contact", (c) => [text(c, "phone", say("咨询电话", "Phone")), text(c, "supervision", say("监督电话", "Complaints")), text(c, "address", say("地址", "Address")), text(c, "address_en", say("地址（英文）", "Address in English")), text(c, "hours", say("时间", "Hours")), text(c, "hours_en", say("时间（英文）", "Hours in English"))])),
    parameters()));
  fill(inspector, h("p", { class: "muted" }, say("点材料或问题旁的“改”，在这里写细节。", "Press “Edit” beside a document or a question to change it here.")));

  return {
    select(finding) {
      const path = finding.element.split(".");
      if (finding.row && !finding.element) return false;
      if (path[0] === "materials" && item.materials?.[path[1]]) materialPanel(item.materials[path[1]]);
      if (path[0] === "questions" && item.questions?.[path[1]]) questionPanel(item.questions[path[1]], () => {});
      const place = places.get(path[0]);
      if (!place) return false;
      place.scrollIntoView({ block: "center" });
      place.querySelector("input, select, textarea")?.focus({ preventScroll: true });
      return true;
    },
  };
}
