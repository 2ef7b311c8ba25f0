// What changed between two XML files that have ids, in words: elements that came, went or read otherwise.
// Places in the drawing (DI) are one line together: nobody approves coordinates.
import { say } from "./dom.js";

const KINDS = {
  userTask: ["人工环节", "user task"], manualTask: ["手工环节", "manual task"], serviceTask: ["服务环节", "service task"],
  sendTask: ["发送环节", "send task"], receiveTask: ["接收环节", "receive task"], scriptTask: ["计算环节", "script task"],
  businessRuleTask: ["决策环节", "business rule task"], callActivity: ["调用环节", "call activity"], subProcess: ["子流程", "sub-process"],
  exclusiveGateway: ["排他网关", "exclusive gateway"], parallelGateway: ["并行网关", "parallel gateway"],
  inclusiveGateway: ["包容网关", "inclusive gateway"], eventBasedGateway: ["事件网关", "event gateway"],
  startEvent: ["开始", "start event"], endEvent: ["结束", "end event"], boundaryEvent: ["边界事件", "boundary event"],
  intermediateCatchEvent: ["等待事件", "catch event"], intermediateThrowEvent: ["抛出事件", "throw event"],
  sequenceFlow: ["连线", "connection"], process: ["流程", "process"], decision: ["决策", "decision"], inputData: ["输入", "input"],
  rule: ["行", "row"], input: ["输入列", "input column"], output: ["输出列", "output column"], decisionTable: ["决策表", "table"],
};

const kindOf = (name) => (KINDS[name] ? say(...KINDS[name]) : name);
const quote = (text) => (text === null || text === "" ? say("（空）", "(empty)") : `“${text.length > 80 ? `${text.slice(0, 80)}…` : text}”`);
const isDrawing = (e) => /BPMNDI|DMNDI|\/DD\/|DI\/$/.test(e.namespaceURI ?? "");

// Text that belongs to the element itself: of children without an id of their own.
function facts(element) {
  const found = new Map();
  for (const { name, value } of element.attributes) {
    if (name !== "id" && !name.startsWith("xmlns")) found.set(name, value);
  }
  const walk = (parent, path) => {
    let at = 0;
    for (const child of parent.children) {
      if (isDrawing(child) || ["incoming", "outgoing"].includes(child.localName)) continue;
      const own = child.getAttribute("id") && KINDS[child.localName];
      if (own) continue;
      const name = path ? `${path}.${child.localName}${at++ || ""}` : child.localName;
      if (!child.children.length && child.textContent.trim()) found.set(name, (found.has(name) ? `${found.get(name)}, ` : "") + child.textContent.trim());
      walk(child, name);
    }
  };
  if (!["process", "definitions", "subProcess", "decisionTable"].includes(element.localName)) walk(element, "");
  return found;
}

function read(xml) {
  const elements = new Map();
  let drawing = "";
  if (!xml) return { elements, drawing };
  const document_ = new DOMParser().parseFromString(xml, "application/xml");
  if (document_.querySelector("parsererror")) return { elements, drawing };
  for (const element of document_.querySelectorAll("[id]")) {
    if (isDrawing(element) || !KINDS[element.localName]) continue;
    elements.set(element.getAttribute("id"), element);
  }
  for (const bounds of document_.querySelectorAll("*")) {
    if (!isDrawing(bounds) || bounds.children.length) continue;
    for (const { name, value } of bounds.attributes) if (name !== "id") drawing += `${name}=${Number(value) || value};`;
  }
  return { elements, drawing };
}

function called(element) {
  let name = element.getAttribute("name");
  if (!name && element.localName === "rule") {
    const texts = [...element.children].filter((c) => /Entry$/.test(c.localName)).map((c) => c.textContent.trim() || "-");
    name = texts.join(" | ");
  }
  if (!name && element.localName === "sequenceFlow") {
    const end = (id) => element.ownerDocument.querySelector(`[id="${id}"]`)?.getAttribute("name") || id;
    name = `${end(element.getAttribute("sourceRef"))} → ${end(element.getAttribute("targetRef"))}`;
  }
  return `${kindOf(element.localName)} ${quote(name || element.getAttribute("id"))}`;
}

/** Lines of what differs between two BPMN or DMN files. */
export function elementChanges(before, after) {
  const old = read(before);
  const now = read(after);
  const lines = [];
  for (const [id, element] of now.elements) {
    const was = old.elements.get(id);
    if (!was) {
      lines.push(say(`新增${called(element)}`, `New: ${called(element)}`));
      continue;
    }
    const a = facts(was);
    const b = facts(element);
    for (const name of new Set([...a.keys(), ...b.keys()])) {
      const from = a.get(name) ?? null;
      const to = b.get(name) ?? null;
      if (from === to) continue;
      lines.push(say(`${called(element)}：${name} 由${quote(from)}改为${quote(to)}`, `${called(element)}: ${name} from ${quote(from)} to ${quote(to)}`));
    }
  }
  for (const [id, element] of old.elements) {
    if (!now.elements.has(id)) lines.push(say(`去掉${called(element)}`, `Gone: ${called(element)}`));
  }
  if (!lines.length && before !== after && old.drawing !== now.drawing) {
    lines.push(say("只移动了图形的位置", "Only places in the drawing moved"));
  }
  return lines;
}
