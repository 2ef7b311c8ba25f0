// The pack's examples: all run with one press against the files as they stand here, each told as a story:
// what was expected and what came, the way through the flow, which rows of which table fired.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";

import { drawFlow } from "../flow-viewer.js";
import { add, areaField, button, choiceField, english, fill, group, h, note, say, textField, tickField } from "./dom.js";
import { actionsOf } from "./flow-panel.js";
import { openJson, put, roomJson } from "./json.js";

const STATES = { decided: ["已作出决定", "decided"], approval: ["办理中", "in approval"], correcting: ["要补正", "to be completed"], wrong: ["表单有误", "form refused"], ineligible: ["不符合条件", "not eligible"] };
const OUTCOMES = { granted: ["准予", "granted"], refused: ["不予", "refused"] };
const WHAT = { state: ["状态", "State"], outcome: ["决定", "Outcome"], open_tasks: ["待办的环节", "Open tasks"], errors: ["表单的错误", "Form errors"],
  "guide.materials": ["需要的材料", "Documents needed"], eligible: ["符合条件", "Eligible"], reason: ["理由", "Reason"], notes: ["提醒", "Notes"], hide_steps: ["不问的步骤", "Steps not asked"],
  "ledger.code": ["台账", "Ledger"], "ledger.amount_fen": ["金额（分）", "Amount (fen)"], "待办": ["待办的环节", "Task"] };
const words = (table, value) => (table[value] ? say(...table[value]) : value);

// ---- what the models say, for the reader ----

const parse = (xml) => new DOMParser().parseFromString(xml ?? "", "application/xml");
const children = (element, name) => [...element.children].filter((c) => c.localName === name);
const textOf = (element) => element?.getElementsByTagNameNS("*", "text")[0]?.textContent.trim() ?? "";

function tablesOf(...files) {
  const tables = new Map();
  for (const xml of files) {
    for (const decision of parse(xml).getElementsByTagNameNS("*", "decision")) {
      const table = children(decision, "decisionTable")[0];
      const about = children(decision, "description")[0]?.textContent.trim() ?? "";
      tables.set(decision.getAttribute("name"), !table ? { about } : {
        about,
        inputs: children(table, "input").map((i) => i.getAttribute("label") || textOf(i)),
        outputs: children(table, "output").map((o) => o.getAttribute("label") || o.getAttribute("name") || say("结果", "result")),
        rules: children(table, "rule").map((r) => ({
          inputs: children(r, "inputEntry").map(textOf), outputs: children(r, "outputEntry").map(textOf),
          note: children(r, "description")[0]?.textContent.trim() || children(r, "annotationEntry").map(textOf).filter(Boolean).join("；"),
        })),
      });
    }
  }
  return tables;
}

function nodesOf(xml) {
  const nodes = new Map();
  for (const element of parse(xml).querySelectorAll("[id]")) {
    const name = (english() ? element.getAttribute("yz:name_en") : null) || element.getAttribute("name");
    nodes.set(element.getAttribute("id"), { name: name || "", kind: element.localName, actions: actionsOf(element.getAttribute("yz:actions")) });
  }
  return nodes;
}

const shown = (value) => (value === null || value === undefined ? say("没有", "none") : typeof value === "string" ? value : JSON.stringify(value));

// ---- the story of one ----

function traceTable(step, tables) {
  const table = tables.get(step.decision);
  const head = h("h4", {}, step.decision, table?.about && h("span", { class: "muted" }, `　${table.about}`));
  if (!table?.rules) return h("div", { class: "trace" }, head, h("p", {}, say("算出：", "Gives: "), h("code", {}, shown(step.value))));
  const fired = step.rules ?? [];
  return h("div", { class: "trace" }, head, !fired.length ? h("p", { class: "muted" }, say("没有哪一行符合", "No row applied")) : h("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": step.decision }, h("table", { class: "list studio-table" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say("行", "Row")), table.inputs.map((i) => h("th", { scope: "col" }, say("当 ", "when "), i)), table.outputs.map((o) => h("th", { scope: "col", class: "trace-out" }, o)), h("th", { scope: "col" }, say("依据", "Because")))),
    h("tbody", {}, fired.map((n) => {
      const rule = table.rules[n - 1];
      if (!rule) return "";
      return h("tr", {}, h("td", { class: "num" }, n), rule.inputs.map((t) => h("td", {}, t === "-" || !t ? h("span", { class: "muted" }, say("不论", "any")) : h("code", {}, t))), rule.outputs.map((t) => h("td", { class: "trace-out" }, h("code", {}, t))), h("td", {}, rule.note));
    })))), h("p", {}, say("得到：", "Result: "), h("code", {}, shown(step.value))));
}

function story(room, one, tables, nodes, item) {
  const material = (code) => item.materials?.find((m) => m.code === code)?.name ?? code;
  const node = (id) => nodes.get(id)?.name || id;
  const list = (value, as) => (Array.isArray(value) ? value.map(as) : []);
  const readable = (what, value) => {
    let parsed = value;
    try { parsed = JSON.parse(value); } catch { /* a plain text */ }
    if (what === "state") return words(STATES, parsed);
    if (what === "outcome") return words(OUTCOMES, parsed) || say("没有决定", "none");
    if (what === "guide.materials") return list(parsed, material).join("、") || shown(parsed);
    if (what === "open_tasks") return list(parsed, node).join("、") || say("没有", "none");
    return Array.isArray(parsed) ? parsed.join("、") || say("没有", "none") : shown(parsed);
  };
  const box = h("div", { class: "story" });
  add(box, h("p", { class: "work-facts" }, h("span", {}, words(STATES, one.state) || say("没有走完", "not run to its end")), one.outcome && h("span", {}, words(OUTCOMES, one.outcome)), one.open?.length > 0 && h("span", {}, say("等：", "waits for: "), one.open.map(node).join("、")), one.wrong?.length > 0 && h("span", {}, say("填错的项：", "refused fields: "), one.wrong.join("、"))));
  if (!one.ok) {
    add(box, note("note-red", h("p", {}, h("strong", {}, say("与预期不符", "Not as expected"))), one.differences.length
      ? h("table", { class: "list studio-table" }, h("thead", {}, h("tr", {}, [say("什么", "What"), say("应为", "Expected"), say("实为", "Found")].map((t) => h("th", { scope: "col" }, t)))),
        h("tbody", {}, one.differences.map((d) => h("tr", {}, h("td", {}, words(WHAT, d.what)), h("td", {}, readable(d.what, d.expected)), h("td", {}, readable(d.what, d.found))))))
      : h("p", {}, one.why)));
  }
  if (one.path?.length) {
    const drawing = h("div", { class: "flow flow-live story-flow" });
    add(box, h("h3", {}, say("走过的流程", "The way through the flow")), drawing,
      h("p", { class: "muted small" }, one.path.map((id) => nodes.get(id)?.name).filter(Boolean).join(" → ")));
    drawFlow(NavigatedViewer, drawing, room.get("flow.bpmn"), { done: one.path, active: one.open ?? [] }).catch(() => drawing.remove());
  }
  if (one.needed) add(box, h("h3", {}, say("需要的材料", "Documents needed")), one.needed.length ? h("ul", {}, one.needed.map((m) => h("li", {}, material(m)))) : h("p", {}, say("不用交材料", "none")));
  if (one.guide?.length) add(box, h("h3", {}, say("指南是这样得出的", "How the guide came to it")), one.guide.map((step) => traceTable(step, tables)));
  for (const rule of one.rules ?? []) {
    add(box, h("h3", {}, say(`环节“${node(rule.node)}”的决策`, `Decision of “${node(rule.node)}”`)), (rule.trace ?? []).map((step) => traceTable(step, tables)));
  }
  if (one.ledger) add(box, h("p", {}, say("记台账 ", "Booked in "), h("code", {}, one.ledger), ` ${(one.ledger_fen / 100).toFixed(2)}`));
  return box;
}

// ---- changing an example ----

function editor(room, path, item, nodes, again) {
  const file = roomJson(room, path);
  const example = file.value;
  const disabled = !room.mayEdit;
  const changed = () => { file.write(); again(); };
  const expect = (example.expect ??= {});
  const situation = (item.questions ?? []).map((q) => choiceField({ label: q.label, value: example.situation?.[q.name], empty: say("不问", "not asked"), disabled,
    options: (q.options ?? []).map((o) => ({ value: o.value, label: o.label })), change: (v) => { put((example.situation ??= {}), q.name, v); changed(); } }));
  const materials = h("div", {}, (item.materials ?? []).map((m) => tickField({ label: m.name, value: (example.materials ?? []).includes(m.code), disabled, change: (on) => {
    const set = new Set(example.materials ?? []);
    if (on) set.add(m.code);
    else set.delete(m.code);
    example.materials = [...set];
    changed();
  } })));
  const tasks = h("div", { class: "studio-rows" });
  const people = [...nodes].filter(([, n]) => n.kind === "userTask" || n.kind === "manualTask");
  const drawTasks = () => fill(tasks, ...(example.tasks ?? []).map((t, i) => h("div", { class: "studio-row" },
    h("select", { class: "form-select", disabled, "aria-label": say(`第 ${i + 1} 步的环节`, `task ${i + 1}`), onchange: (e) => { t.node = e.target.value; t.outcome = nodes.get(t.node)?.actions[0]?.code ?? ""; changed(); drawTasks(); } }, [...people.map(([id, n]) => h("option", { value: id, selected: id === t.node }, n.name || id)), !nodes.has(t.node) && h("option", { value: t.node, selected: true }, t.node)].filter(Boolean)),
    h("select", { class: "form-select", disabled, "aria-label": say(`第 ${i + 1} 步的结果`, `outcome ${i + 1}`), onchange: (e) => { t.outcome = e.target.value; changed(); } }, [...(nodes.get(t.node)?.actions ?? []), ...(nodes.get(t.node)?.actions.some((a) => a.code === t.outcome) ? [] : [{ code: t.outcome ?? "", label: t.outcome ?? "" }])].map((a) => h("option", { value: a.code, selected: a.code === t.outcome }, a.label || a.code))),
    !disabled && button("✕", () => { example.tasks.splice(i, 1); changed(); drawTasks(); }, { title: say("去掉", "Remove") }))),
  !disabled && button(say("＋ 一步", "+ task"), () => { const [id, n] = people[0] ?? ["", { actions: [] }]; (example.tasks ??= []).push({ node: id, outcome: n.actions[0]?.code ?? "", answers: {}, note: "" }); changed(); drawTasks(); }) || "");
  drawTasks();

  let form = { steps: [] };
  try { form = openJson(room.get("form.json")).value; } catch { /* its own tab says so */ }
  const answers = (example.answers ??= {});
  const answerFields = form.steps.flatMap((s) => s.fields ?? []).map((f) => {
    const set = (v) => { put(answers, f.name, v); changed(); };
    const value = answers[f.name];
    if (f.type === "choice") return choiceField({ label: f.label, value, empty: say("没填", "empty"), options: (f.options ?? []).map((o) => ({ value: o.value, label: o.label })), change: set, disabled });
    if (f.type === "yesno") return choiceField({ label: f.label, value: value === undefined ? "" : String(value), empty: say("没填", "empty"), options: [{ value: "true", label: say("是", "yes") }, { value: "false", label: say("否", "no") }], change: set, disabled });
    if (f.type === "table" || f.type === "choices" || (value && typeof value === "object")) {
      return areaField({ label: f.label, value: value === undefined ? "" : JSON.stringify(value), rows: 2, mono: true, disabled, hint: f.type === "choices" ? say("例：[\"hot\", \"cold\"]", "e.g. [\"hot\", \"cold\"]") : say("每行一个 {…}", "a {…} for each row"),
        change: (v) => { try { set(v.trim() ? JSON.parse(v) : ""); } catch { /* kept until it can be read */ } } });
    }
    return textField({ label: f.label, value: value ?? "", change: set, disabled });
  });
  const applicant = (example.applicant ??= {});
  const fold = (title, ...inside) => h("details", { class: "more" }, h("summary", {}, title), inside);
  return h("div", { class: "studio-fields" },
    textField({ label: say("标题", "Title"), value: example.title, change: (v) => { example.title = v; changed(); }, disabled }),
    group(say("应当", "What must come out"),
      choiceField({ label: say("状态", "State"), value: expect.state, empty: say("不看", "not looked at"), options: Object.keys(STATES).map((s) => ({ value: s, label: words(STATES, s) })), change: (v) => { put(expect, "state", v); changed(); }, disabled }),
      choiceField({ label: say("决定", "Outcome"), value: expect.outcome, empty: say("不看", "not looked at"), options: Object.keys(OUTCOMES).map((s) => ({ value: s, label: words(OUTCOMES, s) })), change: (v) => { put(expect, "outcome", v); changed(); }, disabled })),
    fold(say("申请人的情形", "Situation"), situation), fold(say("交来的材料", "Documents handed in"), materials), fold(say("各环节怎么办的", "What is done at each task"), tasks),
    fold(say("填的内容", "Answers"), answerFields),
    fold(say("申请人", "Applicant"), ...[["name", say("姓名或名称", "Name")], ["id_number", say("证件号码", "Number")], ["phone", say("电话", "Phone")]].map(([n, label]) => textField({ label, value: applicant[n], change: (v) => { put(applicant, n, v); changed(); }, disabled })),
      choiceField({ label: say("类型", "Kind"), value: applicant.kind, options: [{ value: "natural", label: say("个人", "person") }, { value: "legal", label: say("组织", "organisation") }], change: (v) => { applicant.kind = v; changed(); }, disabled })));
}

// ---- the list ----

export async function openExamples(room, pane, inspector) {
  const list = h("ul", { class: "form-fields examples-list" });
  const told = h("div", { class: "examples-story" });
  const summary = h("span", { role: "status" });
  const disabled = !room.mayEdit;
  const bar = h("div", { class: "studio-bar" }, button(say("▶ 运行全部样例", "▶ Run all examples"), () => run(), { kind: "btn-primary" }),
    !disabled && button(say("＋ 新样例", "+ example"), () => make()), summary);
  add(pane, bar, h("div", { class: "examples-editor" }, list, told));
  let report = [];
  let chosen = room.examplePath;
  let dirty = false;
  const item = () => { try { return openJson(room.get("item.json")).value; } catch { return {}; } };
  const paths = () => room.paths().filter((p) => /^examples\/.+\.json$/.test(p)).sort();
  const of = (path) => report.find((r) => r.file === path);
  function titleOf(path) {
    try { return JSON.parse(room.get(path)).title || path; } catch { return path; }
  }

  function draw() {
    fill(list, ...paths().map((path) => {
      const one = of(path);
      return h("li", { class: path === chosen ? "at" : "" }, h("button", { type: "button", class: "form-field", "aria-pressed": String(path === chosen), onclick: () => choose(path) },
        h("span", { class: "form-label" }, titleOf(path)), one && h("span", { class: `state ${one.ok ? "state-green" : "state-red"}` }, one.ok ? say("相符", "as expected") : say("不符", "not as expected"))));
    }));
  }

  function choose(path) {
    chosen = path;
    room.examplePath = path;
    draw();
    fill(told);
    if (!path || !room.has(path)) {
      fill(inspector);
      return;
    }
    const nodes = nodesOf(room.get("flow.bpmn"));
    const one = of(path);
    add(told, h("h2", {}, titleOf(path)));
    if (one) add(told, story(room, one, tablesOf(room.get("guide.dmn"), room.get("rules.dmn")), nodes, item()));
    else add(told, h("p", { class: "muted" }, say("还没有运行。", "Not run yet.")));
    try {
      fill(inspector, h("h2", {}, say("样例", "Example")), editor(room, path, item(), nodes, () => { dirty = true; later(); }),
        h("p", { class: "actions" }, !disabled && one && button(say("以这次的结果为预期", "Expect what came out"), () => accept(path, one)),
          !disabled && button(say("删除这个样例", "Delete this example"), () => {
            if (!window.confirm(say(`删除样例“${titleOf(path)}”？`, `Delete “${titleOf(path)}”?`))) return;
            room.set(path, null);
            choose(paths()[0] ?? null);
          })));
    } catch (problem) {
      fill(inspector, note("note-red", h("p", {}, problem.message), h("p", {}, button(say("看原文", "See the text"), () => { room.rawPath = path; room.show("raw"); }))));
    }
  }

  function accept(path, one) {
    const file = roomJson(room, path);
    const expect = { ...(file.value.expect ?? {}) };
    if (one.state) expect.state = one.state;
    put(expect, "outcome", one.outcome || null);
    if (one.needed) expect.guide = { ...(expect.guide ?? {}), materials: one.needed };
    if (one.state === "approval") expect.open_tasks = one.open;
    else delete expect.open_tasks;
    if (one.wrong?.length) expect.errors = one.wrong;
    else delete expect.errors;
    if (expect.variables) for (const name of Object.keys(expect.variables)) expect.variables[name] = name.split(".").reduce((v, k) => v?.[k], one.variables) ?? null;
    if (one.ledger) expect.ledger = { code: one.ledger, amount_fen: one.ledger_fen };
    else delete expect.ledger;
    file.value.expect = expect;
    file.write();
    run();
  }

  function make() {
    const numbers = paths().map((p) => Number(p.match(/(\d+)/)?.[1] ?? 0));
    const number = String(Math.max(0, ...numbers) + 1).padStart(2, "0");
    const path = `examples/${number}-new.json`;
    const base = chosen && room.has(chosen) ? JSON.parse(room.get(chosen)) : { situation: {}, answers: {}, materials: [], applicant: { kind: "natural", name: "张三" }, tasks: [] };
    room.set(path, `${JSON.stringify({ ...base, title: say("新样例", "New example"), expect: { state: "decided" } }, null, 2)}\n`);
    choose(path);
    run();
  }

  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => { if (dirty) run(true); }, 900);
  };
  let turn = 0;
  async function run(quiet = false) {
    const mine = ++turn;
    dirty = false;
    fill(summary, say("正在运行…", "Running…"));
    let answer;
    try {
      answer = await room.post("examples", { files: room.unsaved() });
    } catch (problem) {
      if (mine === turn) fill(summary, h("span", { class: "state state-red" }, problem.message));
      return;
    }
    if (mine !== turn) return;
    report = answer.examples ?? [];
    const failed = report.filter((r) => !r.ok).length;
    fill(summary, !answer.compiled ? h("span", { class: "state state-red" }, say("先改好右边的错误，才能运行", "Mend the errors at the right first"))
      : failed ? h("span", { class: "state state-red" }, say(`${failed} 个与预期不符`, `${failed} not as expected`))
        : h("span", { class: "state state-green" }, say(`${report.length} 个全部与预期相符`, `all ${report.length} as expected`)));
    draw();
    // While one types in the panel, only the story is drawn anew.
    if (quiet && inspector.contains(document.activeElement)) {
      const one = of(chosen);
      fill(told, h("h2", {}, titleOf(chosen)), one ? story(room, one, tablesOf(room.get("guide.dmn"), room.get("rules.dmn")), nodesOf(room.get("flow.bpmn")), item()) : "");
    } else choose(chosen && room.has(chosen) ? chosen : (report.find((r) => !r.ok)?.file ?? paths()[0] ?? null));
  }
  draw();
  choose(chosen && room.has(chosen) ? chosen : paths()[0] ?? null);
  if (paths().length) run();
  else add(told, h("div", { class: "empty" }, h("p", {}, say("还没有样例", "No examples yet")), h("p", {}, say("样例说明：这样的申请应当有这样的结果。每次改动后都会核对。", "An example says: such an application must come out so. It is checked after every change."))));
  return {
    close: () => { clearTimeout(timer); turn++; },
    select(finding) {
      if (!room.has(finding.file)) return false;
      choose(finding.file);
      return true;
    },
  };
}
