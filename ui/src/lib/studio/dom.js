// Making elements, and the fields the studio's panels are made of. Words are in the language of the page.
export const english = () => document.documentElement.lang === "en";
export const say = (zh, en) => (english() ? en : zh);

const items = (children) => children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false && c !== "");
/** Puts children into an element: lists are opened, null, false and "" left out. */
export const add = (parent, ...children) => parent.append(...items(children));
/** The same, in place of what is there. */
export const fill = (parent, ...children) => parent.replaceChildren(...items(children));

/** h("div", {class: "x", onclick: f}, child, …): an element; null and false children are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled" || name === "selected") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
}

let ids = 0;
export const fresh = (name) => `s-${name}-${++ids}`;

function labelled(id, label, hint, input) {
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
  return h("div", { class: "field studio-field" },
    h("label", { for: id }, label), hint && h("p", { class: "hint", id: `${id}-hint` }, hint), input);
}

/** One line of text. `change` gets what was typed, when one leaves the field. */
export function textField({ label, value, change, hint, list, disabled, mono, type = "text", placeholder }) {
  const id = fresh("text");
  const input = h("input", { class: `form-control${mono ? " mono" : ""}`, id, type, value: value ?? "", disabled,
    list, autocomplete: "off", placeholder, onchange: () => change(input.value.trim()) });
  return labelled(id, label, hint, input);
}

export function areaField({ label, value, change, hint, rows = 3, disabled, mono }) {
  const id = fresh("area");
  const input = h("textarea", { class: `form-control${mono ? " mono" : ""}`, id, rows, value: value ?? "", disabled,
    onchange: () => change(input.value) });
  return labelled(id, label, hint, input);
}

/** A list to choose from: options [{value, label}]. A value that isn't among them is kept and shown. */
export function choiceField({ label, value, options, change, hint, empty, disabled }) {
  const id = fresh("choice");
  const all = [...options];
  if (empty !== undefined) all.unshift({ value: "", label: empty });
  if (value && !all.some((o) => o.value === value)) all.push({ value, label: value });
  const input = h("select", { class: "form-select", id, disabled, onchange: () => change(input.value) },
    all.map((o) => h("option", { value: o.value, selected: o.value === (value ?? "") }, o.label)));
  return labelled(id, label, hint, input);
}

export function tickField({ label, value, change, hint, disabled }) {
  const id = fresh("tick");
  const input = h("input", { type: "checkbox", id, checked: Boolean(value), disabled,
    onchange: () => change(input.checked) });
  return h("div", { class: "studio-tick" }, input, h("label", { for: id }, label), hint && h("span", { class: "hint" }, hint));
}

/**
 * A value that is either chosen (or typed) or worked out: "=…" is FEEL. With `options` the plain value
 * is one of them.
 */
export function feelField({ label, value, options, change, hint, disabled, empty = "" }) {
  const computed = (value ?? "").startsWith("=");
  const id = fresh("feel");
  const box = h("div", { class: "studio-feel" });
  const plain = options
    ? h("select", { class: "form-select", id, disabled },
      [{ value: "", label: empty }, ...options,
        ...(value && !computed && !options.some((o) => o.value === value) ? [{ value, label: value }] : []),
        { value: "=", label: say("＝ 按表达式算…", "= by an expression…") }]
        .map((o) => h("option", { value: o.value, selected: computed ? o.value === "=" : o.value === (value ?? "") }, o.label)))
    : h("input", { class: "form-control", id, type: "text", value: value ?? "", disabled, autocomplete: "off",
      placeholder: say("文字，或以 = 开头的表达式", "text, or an expression after =") });
  const formula = h("input", { class: "form-control mono", type: "text", value: computed ? value.slice(1) : "", disabled,
    "aria-label": `${label}${say("：表达式", ": expression")}`, autocomplete: "off" });
  const show = () => {
    if (options) formula.hidden = plain.value !== "=";
  };
  plain.addEventListener("change", () => {
    show();
    if (options && plain.value === "=") {
      formula.focus();
      if (formula.value.trim()) change(`=${formula.value.trim()}`);
    } else change(plain.value.trim());
  });
  formula.addEventListener("change", () => change(formula.value.trim() ? `=${formula.value.trim()}` : ""));
  box.append(plain);
  if (options) box.append(formula);
  show();
  return labelled(id, label, hint, box.children.length === 1 ? plain : box);
}

export function button(text, act, { kind = "", title, disabled } = {}) {
  return h("button", { type: "button", class: `btn btn-small ${kind}`, onclick: act, title, disabled,
    "aria-label": title }, text);
}

export function group(title, ...children) {
  return h("fieldset", { class: "studio-group" }, h("legend", {}, title), children);
}

export function note(kind, ...children) {
  return h("div", { class: `note ${kind}`, role: "status" }, children);
}
