// The decisions in dmn-js: guide.dmn (what the applicant needs) and rules.dmn (what the flow asks).
import Modeler from "dmn-js/lib/Modeler";

import { add, button, choiceField, fill, h, note, say } from "./dom.js";
import { openJson } from "./json.js";
import { translateModule } from "./zh.js";

const WRITE_AFTER_MS = 250;
const DRD_LEFT = 90; // room for the palette
const DRD_TOP = 110; // and the model's name
const FILES = { "guide.dmn": ["指南：申请人需要什么", "Guide: what the applicant needs"], "rules.dmn": ["规则：流程里的决策", "Rules: decisions of the flow"] };
const ICONS = { drd: "◇", decisionTable: "▦", literalExpression: "ƒ", boxedExpression: "ƒ" };
const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

const HEAD = (id) => `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"
    xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/"
    xmlns:dc="http://www.omg.org/spec/DMN/20180521/DC/"
    id="${id}" name="${id}" namespace="urn:yizhan:packs">
`;

// A first table to go on from. Its one row says what holds now: every required material, whatever the answers.
function blank(room, path) {
  const guide = path === "guide.dmn";
  const spec = openJson(room.get("item.json")).value;
  const inputs = guide ? (spec.questions ?? []).map((q) => ({ name: q.name, label: q.label, expression: q.name, type: "string" }))
    : [{ name: "situation", label: "条件", expression: "situation", type: "Any" }];
  const needed = (spec.materials ?? []).filter((m) => m.required).map((m) => `"${m.code}"`).join(", ");
  const outputs = guide ? [["materials", `[${needed}]`], ["notes", "[]"], ["hide_steps", "[]"], ["eligible", "true"]] : [["result", '""']];
  const name = guide ? "guide" : "decision";
  return `${HEAD(guide ? "guide" : "rules")}${inputs.map((i) => `  <inputData id="input_${i.name}" name="${escape(i.name)}">
    <variable id="input_${i.name}_value" name="${escape(i.name)}" typeRef="${i.type}" />
  </inputData>\n`).join("")}  <decision id="${name}" name="${name}">
    <variable id="${name}_result" name="${name}" />
${inputs.map((i) => `    <informationRequirement id="${name}_needs_${i.name}"><requiredInput href="#input_${i.name}" /></informationRequirement>\n`).join("")}    <decisionTable id="${name}_table" hitPolicy="FIRST">
${inputs.map((i) => `      <input id="${name}_i_${i.name}" label="${escape(i.label)}">
        <inputExpression id="${name}_e_${i.name}" typeRef="${i.type}"><text>${escape(i.expression)}</text></inputExpression>
      </input>\n`).join("")}${outputs.map(([o]) => `      <output id="${name}_o_${o}" name="${o}" />\n`).join("")}      <rule id="${name}_r1">
${inputs.map((i) => `        <inputEntry id="${name}_r1_${i.name}"><text>-</text></inputEntry>\n`).join("")}${outputs.map(([o, text]) => `        <outputEntry id="${name}_r1_${o}"><text>${escape(text)}</text></outputEntry>\n`).join("")}      </rule>
    </decisionTable>
  </decision>
  <dmndi:DMNDI>
    <dmndi:DMNDiagram id="${name}_drawing">
${inputs.map((i, at) => `      <dmndi:DMNShape id="shape_${i.name}" dmnElementRef="input_${i.name}"><dc:Bounds x="${160 + 160 * at}" y="260" width="125" height="45" /></dmndi:DMNShape>\n`).join("")}      <dmndi:DMNShape id="shape_${name}" dmnElementRef="${name}"><dc:Bounds x="160" y="100" width="180" height="80" /></dmndi:DMNShape>
    </dmndi:DMNDiagram>
  </dmndi:DMNDI>
</definitions>
`;
}

// Name of the decision a line of the file stands in.
function decisionAtRow(xml, row) {
  const found = [...xml.split("\n").slice(0, row).join("\n").matchAll(/<(?:\w+:)?decision\s[^>]*?\bid="([^"]+)"/g)];
  return found.length ? found.at(-1)[1] : "";
}

function help() {
  return h("section", { class: "studio-help" }, h("h2", {}, say("怎么填格子", "How to fill a cell")), h("dl", { class: "studio-terms" },
    [["-", say("不论什么都行", "whatever it is")], ['"catering"', say("等于这个值", "equal to it")], ['"a", "b"', say("其中之一", "one of these")],
      ['not("a")', say("不是它", "anything but it")], ["> 50", say("大于 50", "more than 50")], ["[1..10]", say("1 到 10", "1 to 10")],
      ["true", say("是", "yes")]].map(([code, words]) => h("div", {}, h("dt", {}, h("code", {}, code)), h("dd", {}, words)))),
  h("p", { class: "muted small" }, say("右键点行号或列头，可以加减行和列。", "Right-click a row's number or a column's head to add and remove.")));
}

const readsNumbers = (decision) => (decision.informationRequirement ?? []).some((r) => /parameters$/.test(r.requiredInput?.href ?? ""));

export async function openRules(room, pane, inspector) {
  const there = Object.keys(FILES).filter((path) => room.has(path));
  let path = there.includes(room.rulesPath) ? room.rulesPath : there[0] ?? "guide.dmn";
  const bar = h("div", { class: "studio-bar" });
  const views = h("div", { class: "studio-views", role: "group", "aria-label": say("决策", "Decisions") });
  const box = h("div", { class: "studio-canvas studio-dmn" });
  add(pane, bar, views, box);
  let modeler = null;
  let timer = 0;
  let pending = false;
  let failed = null;

  async function write() {
    clearTimeout(timer);
    if (!pending || !modeler) return;
    pending = false;
    const { xml } = await modeler.saveXML({ format: true });
    room.set(path, xml);
  }
  function later() {
    pending = true;
    clearTimeout(timer);
    timer = setTimeout(write, WRITE_AFTER_MS);
  }

  function showViews() {
    const active = modeler.getActiveView();
    fill(views, ...modeler.getViews().map((view) => h("button", {
      type: "button", class: "studio-view", "aria-pressed": String(view === active || view.element === active?.element),
      onclick: () => modeler.open(view),
    }, `${ICONS[view.type] ?? ""} ${view.type === "drd" ? say("关系图", "Diagram") : view.element.description?.split(/[。；\n]/)[0] || view.name || view.id}`)));
    showDecision(active);
  }

  function showDecision(view) {
    const decision = view?.element;
    const isDecision = decision?.$type === "dmn:Decision";
    fill(inspector, isDecision && h("section", {}, h("h2", {}, decision.description || decision.name),
      decision.description && h("p", { class: "mono muted" }, decision.name),
      h("p", { class: "muted small" }, say("用到：", "Reads: "), (decision.informationRequirement ?? [])
        .map((r) => (r.requiredInput ?? r.requiredDecision)?.href?.slice(1)?.replace(/^input_/, "")).filter(Boolean).join("、") || say("没有", "nothing")),
      readsNumbers(decision) && h("p", { class: "small" }, say("parameters 开头的是本县参数，到“事项要素”最后一栏改。", "What begins with parameters is a number of the county: change it under Particulars, last box."))) || "", help());
  }

  const started = new WeakSet();
  function listen() {
    const viewer = modeler.getActiveViewer();
    if (!viewer || started.has(viewer)) return;
    started.add(viewer);
    if (modeler.getActiveView().type === "drd") {
      const canvas = viewer.get("canvas");
      const { inner, outer } = canvas.viewbox();
      canvas.viewbox({ x: inner.x - DRD_LEFT, y: inner.y - DRD_TOP, width: outer.width, height: outer.height });
    }
    viewer.on("commandStack.changed", () => { if (room.mayEdit) later(); });
  }

  async function load() {
    modeler?.destroy();
    modeler = null;
    fill(box);
    fill(views);
    fill(inspector, help());
    fill(bar, choiceField({ label: say("文件", "File"), value: path, change: async (next) => {
      await write();
      path = next;
      room.rulesPath = next;
      await load();
    }, options: Object.entries(FILES).map(([value, words]) => ({ value, label: say(...words) })) }));
    if (!room.has(path)) {
      add(box, h("div", { class: "empty" }, h("p", {}, path === "guide.dmn"
        ? say("没有指南：凡是必须的材料都要交", "No guide: every required document is needed")
        : say("没有规则：流程里没有决策环节", "No rules: the flow asks for no decision")),
      room.mayEdit && h("p", {}, button(say("新建", "Make one"), async () => { room.set(path, blank(room, path)); await load(); }, { kind: "btn-primary" }))));
      return;
    }
    const words = { additionalModules: [translateModule] };
    modeler = new Modeler({ container: box, common: words, drd: words, decisionTable: words, literalExpression: words, boxedExpression: words });
    modeler.on("views.changed", () => { listen(); showViews(); });
    try {
      await modeler.importXML(room.get(path), { open: false });
      failed = null;
    } catch (problem) {
      modeler.destroy();
      modeler = null;
      failed = problem;
      add(box, note("note-red", h("p", {}, say("这个文件读不懂：", "This file can't be read: "), problem.message),
        h("p", {}, button(say("看原文", "See the text"), () => { room.rawPath = path; room.show("raw"); }))));
      return;
    }
    const all = modeler.getViews();
    const first = all.find((v) => v.type === "decisionTable") ?? all.find((v) => v.type !== "drd") ?? all[0];
    if (first) await modeler.open(first);
    room.dmnModeler = modeler; // for tests
  }
  // A head that dmn-js leaves empty is no head to a screen reader.
  const heads = new MutationObserver(() => {
    for (const head of box.querySelectorAll("th")) {
      if (head.textContent.trim() || head.querySelector(".hidden-text")) continue;
      add(head, h("span", { class: "hidden-text" }, head.classList.contains("index-column") ? say("行", "Row") : say("备注", "Notes")));
    }
  });
  heads.observe(box, { childList: true, subtree: true });
  await load();

  return {
    flush: write,
    close() {
      clearTimeout(timer);
      heads.disconnect();
      modeler?.destroy();
    },
    findings(list) {
      for (const b of views.children) b.classList.remove("has-error");
      if (!modeler) return;
      const all = modeler.getViews();
      for (const f of list) {
        if (f.file !== path) continue;
        const id = f.row ? decisionAtRow(room.get(path) ?? "", f.row) : "";
        const at = all.findIndex((v) => v.element.id === id || (f.element && v.name === f.element));
        if (at >= 0) views.children[at]?.classList.add("has-error");
      }
    },
    select(finding) {
      const go = async () => {
        if (finding.file !== path) {
          await write();
          path = finding.file;
          room.rulesPath = path;
          await load();
        }
        if (!modeler) return;
        const id = finding.row ? decisionAtRow(room.get(path) ?? "", finding.row) : "";
        const view = modeler.getViews().find((v) => v.element.id === id || (finding.element && v.name === finding.element));
        if (view) await modeler.open(view);
      };
      go();
      return !failed;
    },
  };
}
