// The panel of the selected element of a flow. Everything is chosen from what there is: posts of the
// county, forms, decisions and letters of the pack.
import { areaField, button, choiceField, feelField, fill, fresh, group, h, say, textField, tickField } from "./dom.js";

const TYPES = {
  "bpmn:UserTask": ["人工环节", "User task"], "bpmn:ManualTask": ["手工环节", "Manual task"], "bpmn:ServiceTask": ["服务环节", "Service task"],
  "bpmn:SendTask": ["发送环节", "Send task"], "bpmn:ReceiveTask": ["接收环节", "Receive task"], "bpmn:ScriptTask": ["计算环节", "Script task"],
  "bpmn:BusinessRuleTask": ["决策环节", "Business rule task"], "bpmn:Task": ["未定类型的环节", "Task of no kind"],
  "bpmn:CallActivity": ["调用环节", "Call activity"], "bpmn:SubProcess": ["子流程", "Sub-process"], "bpmn:ExclusiveGateway": ["排他网关", "Exclusive gateway"],
  "bpmn:ParallelGateway": ["并行网关", "Parallel gateway"], "bpmn:InclusiveGateway": ["包容网关", "Inclusive gateway"],
  "bpmn:EventBasedGateway": ["事件网关", "Event-based gateway"], "bpmn:StartEvent": ["开始", "Start"], "bpmn:EndEvent": ["结束", "End"],
  "bpmn:BoundaryEvent": ["边界事件", "Boundary event"], "bpmn:IntermediateCatchEvent": ["等待事件", "Catch event"],
  "bpmn:IntermediateThrowEvent": ["抛出事件", "Throw event"], "bpmn:SequenceFlow": ["连线", "Connection"], "bpmn:Process": ["整个流程", "The flow"],
};

const SERVICES = [
  ["decide", "作出决定", "Decide"], ["register", "登记名录", "Enter in a register"], ["pay", "记台账", "Book in a ledger"],
  ["letter", "发文书", "Issue a letter"], ["open", "开办另一个事项", "Open another item"],
];
const SHOWN = new Set(["name_en", "post", "unit", "days", "actions", "form", "clock", "reason", "service", "letter", "decision",
  "result", "outcome", "register", "months", "ledger", "amount", "note", "item"]);

const DECISION_NAME = /<(?:\w+:)?decision\s[^>]*?\bname="([^"]+)"/g;
const decisionsOf = (xml) => [...(xml ?? "").matchAll(DECISION_NAME)].map((m) => m[1]);

/** [{code, label}] of "pass:通过,fail:不通过". */
export function actionsOf(text) {
  return (text ?? "").split(",").map((part) => part.trim()).filter(Boolean).map((part) => {
    const at = part.indexOf(":");
    return at < 0 ? { code: part, label: "" } : { code: part.slice(0, at).trim(), label: part.slice(at + 1).trim() };
  });
}

export function flowPanel(room, viewer, place) {
  const disabled = !room.mayEdit;
  let shown = null;
  let writing = false;
  const modeling = () => viewer.get("modeling");
  const moddle = () => viewer.get("moddle");

  const target = (element) => element?.labelTarget ?? element ?? viewer.get("canvas").getRootElement();
  function update(element, properties) {
    writing = true;
    modeling().updateProperties(element, properties);
    writing = false;
  }
  const get = (bo, name) => bo.get(`yz:${name}`) ?? "";
  const set = (element, name) => (value) => update(element, { [`yz:${name}`]: value || undefined });
  const expression = (text) => (text ? moddle().create("bpmn:FormalExpression", { body: text }) : undefined);

  const postOptions = room.model.posts.map((p) => ({ value: p.code, label: `${p.unit} · ${p.name}（${p.code}）` }));
  const lettersOptions = () => {
    const own = room.paths().filter((p) => p.startsWith("letters/")).map((p) => p.slice(8, -4));
    const names = new Map(room.model.letters.map((l) => [l.code, l.label]));
    return [...new Set([...names.keys(), ...own])].map((code) => ({ value: code, label: names.get(code) ? `${names.get(code)}（${code}）` : code }));
  };
  const formsOptions = () => room.paths().filter((p) => /^forms\/.+\.json$/.test(p)).map((p) => ({ value: p.slice(6, -5), label: p.slice(6, -5) }));

  // ---- outcomes of a task ----

  function actionsEditor(element, bo) {
    const text = get(bo, "actions");
    if (text.startsWith("=")) {
      return feelField({ label: say("可以有的结果", "Outcomes"), value: text, change: set(element, "actions"), disabled });
    }
    const list = actionsOf(text);
    const write = () => set(element, "actions")(list.filter((a) => a.code).map((a) => (a.label ? `${a.code}:${a.label}` : a.code)).join(","));
    const body = h("div", { class: "studio-rows" });
    const draw = () => fill(body, ...list.map((a, i) => h("div", { class: "studio-row" },
      h("input", { class: "form-control mono", value: a.code, disabled, "aria-label": say(`第 ${i + 1} 个结果的代号`, `code of outcome ${i + 1}`),
        onchange: (e) => { a.code = e.target.value.trim(); write(); } }),
      h("input", { class: "form-control", value: a.label, disabled, "aria-label": say(`第 ${i + 1} 个结果的说法`, `words of outcome ${i + 1}`),
        onchange: (e) => { a.label = e.target.value.trim().replaceAll(",", "，"); write(); } }),
      !disabled && button("✕", () => { list.splice(i, 1); write(); draw(); }, { title: say("去掉", "Remove") }))),
    !disabled && button(say("＋ 结果", "+ outcome"), () => {
      list.push({ code: list.length ? `outcome${list.length + 1}` : "pass", label: list.length ? "" : "通过" });
      write();
      draw();
    }));
    draw();
    return group(say("可以有的结果（代号、说法）", "Outcomes (code, words)"), body);
  }

  // ---- by kind ----

  function taskFields(element, bo) {
    const stops = get(bo, "clock") === "stop";
    return [
      feelField({ label: say("谁来办（岗位）", "Done by (post)"), value: get(bo, "post"), options: postOptions, empty: say("请选择岗位", "choose a post"), change: set(element, "post"), disabled }),
      feelField({ label: say("几个工作日内办", "Working days"), value: get(bo, "days"), change: set(element, "days"), disabled }),
      actionsEditor(element, bo),
      feelField({ label: say("要填的表单", "Form to fill in"), value: get(bo, "form"), options: formsOptions(), empty: say("不用填", "none"), change: set(element, "form"), disabled }),
      tickField({ label: say("特别程序：办理期间时限暂停", "Special procedure: the clocks stand still"), value: stops, disabled,
        change: (on) => { update(element, { "yz:clock": on ? "stop" : undefined }); show(element); } }),
      stops && feelField({ label: say("暂停的理由（书面告知申请人）", "Reason, told to the applicant"), value: get(bo, "reason"), change: set(element, "reason"), disabled }),
    ];
  }

  function ruleFields(element, bo) {
    return [
      feelField({ label: say("用哪个决策（rules.dmn）", "Decision (rules.dmn)"), value: get(bo, "decision"), disabled,
        options: decisionsOf(room.get("rules.dmn")).map((name) => ({ value: name, label: name })), empty: say("请选择", "choose"), change: set(element, "decision") }),
      textField({ label: say("结果放进哪个变量", "Variable that gets the result"), value: get(bo, "result"), change: set(element, "result"), disabled, mono: true,
        hint: say("后面的条件里用这个名字", "Later conditions use this name") }),
    ];
  }

  function serviceFields(element, bo) {
    const service = get(bo, "service");
    const text = (label, name, more = {}) => feelField({ label, value: get(bo, name), change: set(element, name), disabled, ...more });
    const fields = {
      decide: () => [text(say("决定", "Outcome"), "outcome", { empty: say("请选择", "choose"), options: [{ value: "granted", label: say("准予", "Granted") }, { value: "refused", label: say("不予", "Refused") }] }),
        text(say("理由", "Reason"), "reason")],
      register: () => [text(say("名录", "Register"), "register"), text(say("有效月数", "Valid months"), "months")],
      pay: () => [text(say("台账", "Ledger"), "ledger"), text(say("金额（分）", "Amount in fen"), "amount"), text(say("摘要", "Note"), "note")],
      letter: () => [text(say("文书", "Letter"), "letter", { options: lettersOptions(), empty: say("请选择", "choose") })],
      open: () => [text(say("事项编码", "Code of the item"), "item")],
    };
    return [
      choiceField({ label: say("自动做什么", "What it does"), value: service, empty: say("请选择", "choose"), disabled,
        options: SERVICES.map(([value, zh, en]) => ({ value, label: say(zh, en) })),
        change: (value) => { set(element, "service")(value); show(element); } }),
      fields[service]?.(),
    ];
  }

  function flowFields(element, bo) {
    const source = bo.sourceRef;
    const gateway = /Gateway$/.test(source?.$type ?? "") || /Task$|Activity$|SubProcess$/.test(source?.$type ?? "");
    const isDefault = source?.default === bo;
    return [
      gateway && !isDefault && areaField({ label: say("走这条的条件（FEEL）", "Condition (FEEL)"), value: bo.conditionExpression?.body, rows: 2, mono: true, disabled,
        hint: say("例：doc_review.outcome = \"pass\"", "e.g. doc_review.outcome = \"pass\""),
        change: (value) => update(element, { conditionExpression: expression(value.trim()) }) }),
      gateway && tickField({ label: say("其他条件都不符合时走这条", "Taken when no other condition holds"), value: isDefault, disabled,
        change: (on) => {
          update(element.source, { default: on ? bo : undefined });
          if (on && bo.conditionExpression) update(element, { conditionExpression: undefined });
          show(element);
        } }),
    ];
  }

  function named(element, definition, reference, type, label) {
    const ref = definition[reference];
    return textField({ label, value: ref?.name, disabled, change: (name) => {
      writing = true;
      if (ref) modeling().updateModdleProperties(element, ref, { name });
      else {
        const fresh_ = viewer.get("bpmnFactory").create(type, { name });
        const definitions = viewer.getDefinitions();
        modeling().updateModdleProperties(element, definitions, { rootElements: [...definitions.rootElements, fresh_] });
        modeling().updateModdleProperties(element, definition, { [reference]: fresh_ });
      }
      writing = false;
    } });
  }

  function eventFields(element, bo) {
    const definition = bo.eventDefinitions?.[0];
    const list = [];
    if (bo.$type === "bpmn:BoundaryEvent") {
      list.push(tickField({ label: say("发生时打断这个环节", "Interrupts the step"), value: bo.cancelActivity !== false, disabled,
        change: (on) => update(element, { cancelActivity: on }) }));
    }
    const timer = (name, label, hint) => areaField({ label, hint, value: definition[name]?.body, rows: 1, mono: true, disabled,
      change: (value) => {
        writing = true;
        modeling().updateModdleProperties(element, definition, { timeDuration: undefined, timeDate: undefined, timeCycle: undefined, [name]: expression(value.trim()) });
        writing = false;
        show(element);
      } });
    if (definition?.$type === "bpmn:TimerEventDefinition") {
      if (!definition.timeDate && !definition.timeCycle) list.push(timer("timeDuration", say("等多久", "How long"), say("P3D 是 3 天，PT2H 是 2 小时", "P3D is 3 days, PT2H 2 hours")));
      if (!definition.timeDuration && !definition.timeCycle) list.push(timer("timeDate", say("到什么时候", "Until when")));
      if (definition.timeCycle) list.push(timer("timeCycle", say("每隔", "Every")));
    } else if (definition?.$type === "bpmn:MessageEventDefinition") {
      list.push(named(element, definition, "messageRef", "bpmn:Message", say("消息的名字", "Name of the message")));
    } else if (definition?.$type === "bpmn:SignalEventDefinition") {
      list.push(named(element, definition, "signalRef", "bpmn:Signal", say("信号的名字", "Name of the signal")));
    } else if (definition?.$type === "bpmn:ErrorEventDefinition") {
      list.push(named(element, definition, "errorRef", "bpmn:Error", say("错误的名字", "Name of the error")));
    } else if (definition?.$type === "bpmn:EscalationEventDefinition") {
      list.push(named(element, definition, "escalationRef", "bpmn:Escalation", say("上报的名字", "Name of the escalation")));
    } else if (definition?.$type === "bpmn:ConditionalEventDefinition") {
      list.push(areaField({ label: say("等什么条件（FEEL）", "Condition (FEEL)"), value: definition.condition?.body, rows: 2, mono: true, disabled,
        change: (value) => {
          writing = true;
          modeling().updateModdleProperties(element, definition, { condition: expression(value.trim()) });
          writing = false;
        } }));
    }
    return list;
  }

  // Attributes that have no field above: shown as they are.
  function otherFields(element, bo) {
    const names = Object.keys(bo.$attrs ?? {}).filter((name) => name.startsWith("yz:") && !SHOWN.has(name.slice(3)));
    return names.map((name) => textField({ label: name, value: bo.$attrs[name], change: (value) => update(element, { [name]: value || undefined }), disabled, mono: true }));
  }

  function idField(element, bo) {
    const id = fresh("id");
    const wrong = h("p", { class: "error-text", id: `${id}-error` });
    const input = h("input", { class: "form-control mono", id, value: bo.id, disabled, "aria-describedby": `${id}-error`, onchange: () => {
      const value = input.value.trim();
      const taken = value !== bo.id && viewer.get("elementRegistry").get(value);
      wrong.textContent = "";
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(value)) wrong.textContent = say("只能用字母、数字和下划线，字母开头", "Letters, digits and _ only, a letter first");
      else if (taken) wrong.textContent = say("已有这个标识", "Taken already");
      if (wrong.textContent) input.value = bo.id;
      else update(element, { id: value });
    } });
    return h("div", { class: "field studio-field" }, h("label", { for: id }, say("标识（条件里用它）", "Id (conditions use it)")), wrong, input);
  }

  function fields(element, bo) {
    const type = bo.$type;
    if (type === "bpmn:UserTask" || type === "bpmn:ManualTask") return taskFields(element, bo);
    if (type === "bpmn:BusinessRuleTask") return ruleFields(element, bo);
    if (type === "bpmn:ServiceTask" || type === "bpmn:SendTask") return serviceFields(element, bo);
    if (type === "bpmn:SequenceFlow") return flowFields(element, bo);
    if (type === "bpmn:ScriptTask") {
      return [areaField({ label: say("算什么（FEEL）", "Script (FEEL)"), value: bo.script, rows: 3, mono: true, disabled, change: (value) => update(element, { script: value, scriptFormat: bo.scriptFormat || "feel" }) })];
    }
    if (type === "bpmn:Task") return [h("p", { class: "muted" }, say("用扳手图标选定它是人工、决策还是服务环节。", "Choose with the spanner what kind of task it is."))];
    if (/Event$/.test(type)) return eventFields(element, bo);
    return [];
  }

  function show(element) {
    shown = target(element);
    const bo = shown.businessObject ?? shown;
    const kind = TYPES[bo.$type];
    const isProcess = bo.$type === "bpmn:Process";
    fill(place, h("h2", {}, kind ? say(...kind) : bo.$type.replace("bpmn:", "")), h("div", { class: "studio-fields" },
      !isProcess && !kind && null,
      textField({ label: say("名称", "Name in Chinese"), value: bo.name, change: (value) => update(shown, { name: value || undefined }), disabled }),
      textField({ label: say("英文名称", "Name in English"), value: get(bo, "name_en"), change: set(shown, "name_en"), disabled }),
      fields(shown, bo),
      otherFields(shown, bo),
      h("details", { class: "more" }, h("summary", {}, say("标识和说明", "Id and notes")),
        idField(shown, bo),
        areaField({ label: say("说明", "Notes"), value: bo.documentation?.[0]?.text, disabled,
          change: (text) => update(shown, { documentation: text ? [moddle().create("bpmn:Documentation", { text })] : [] }) }))));
  }

  return {
    show,
    // Renamed in the drawing, retyped with the spanner: the panel follows; not while it writes itself.
    changed(elements) {
      if (writing || !shown || place.contains(document.activeElement)) return;
      if (elements.includes(shown)) show(shown);
    },
  };
}
