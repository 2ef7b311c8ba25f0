// The workplace by keyboard, tables that sort, and the intake whose parts follow what is chosen. All of
// it makes pages quicker that work without it.
const typing = (el) => el?.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

// ---- the row one stands on --------------------------------------------------------------------

const rows = () => [...document.querySelectorAll("main [data-row]")];
const current = () => document.querySelector("main [data-row].at");

function stand(row) {
  for (const other of document.querySelectorAll("main [data-row].at")) other.classList.remove("at");
  if (!row) return;
  row.classList.add("at");
  row.querySelector("a")?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  stand(all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))]);
}

document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.("main [data-row]");
  if (row && row !== current()) {
    for (const other of document.querySelectorAll("main [data-row].at")) other.classList.remove("at");
    row.classList.add("at");
  }
});

// ---- keys -------------------------------------------------------------------------------------

const dialog = () => document.getElementById("keys");

// What a letter presses: in the row one stands on, else on the page. What can't be undone asks once,
// naming the thing: by data-confirm whoever presses it, by data-ask only when it was a key.
function press(key) {
  const target = current()?.querySelector(`[data-key="${key}"]`) ??
    [...document.querySelectorAll(`main [data-key="${key}"]`)].find((el) => !el.closest("[data-row]"));
  if (!target || target.disabled) return false;
  if (!target.dataset.ask || window.confirm(target.dataset.ask)) target.click();
  return true;
}

const keys = {
  "/": () => {
    const field = document.querySelector("[data-search]");
    if (field) {
      field.focus();
      field.select();
      return true;
    }
    window.location.assign(document.querySelector('.work-nav a[href="/window"]') ? "/window" : "/cases");
    return true;
  },
  n: () => {
    const link = document.querySelector('.work-nav a[href="/window"]');
    if (link) window.location.assign("/window?new=1");
    return Boolean(link);
  },
  j: () => (step(1), true),
  k: () => (step(-1), true),
  x: () => {
    const box = current()?.querySelector('input[type="checkbox"]');
    box?.click();
    return Boolean(box);
  },
  "?": () => (dialog()?.showModal(), true),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const field = typing(event.target);
  if (field) {
    if (event.key === "Escape") field.blur();
    if (event.key === "Enter" && field.dataset.first) {
      const first = document.querySelector(field.dataset.first);
      if (first && field.value.trim()) {
        event.preventDefault();
        first.click();
      }
    }
    return;
  }
  if (dialog()?.open) return;
  const own = Object.hasOwn(keys, event.key) ? keys[event.key]() : /^[a-z]$/.test(event.key) && press(event.key);
  if (own) event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-keys]")) dialog()?.showModal();
  if (event.target.closest?.("[data-print]")) window.print();
});

// ---- tables -----------------------------------------------------------------------------------

// Sorts what is on the page by a column; the order of the server stays one press away.
const worth = (cell) => cell?.dataset.sort ?? cell?.textContent.trim() ?? "";
// Case numbers are longer than a number holds exactly: those are texts.
const number = (text) => (text.length < 16 && /^-?[\d,]+(\.\d+)?$/.test(text) ? Number(text.replaceAll(",", "")) : NaN);

function sort(table, column, button) {
  const body = table.tBodies[0];
  const list = [...body.rows];
  list.forEach((row, i) => { row.dataset.at ??= i; });
  const before = button.closest("th").getAttribute("aria-sort");
  const to = before === "ascending" ? "descending" : before === "descending" ? "none" : "ascending";
  for (const th of table.tHead.rows[0].cells) th.removeAttribute("aria-sort");
  if (to !== "none") button.closest("th").setAttribute("aria-sort", to);
  const sign = to === "descending" ? -1 : 1;
  list.sort((a, b) => {
    if (to === "none") return a.dataset.at - b.dataset.at;
    const x = worth(a.cells[column]);
    const y = worth(b.cells[column]);
    const [m, n] = [number(x), number(y)];
    const order = Number.isNaN(m) || Number.isNaN(n) ? x.localeCompare(y, "zh-CN") : m - n;
    return order * sign || a.dataset.at - b.dataset.at;
  });
  body.append(...list);
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  [...table.tHead.rows[0].cells].forEach((th, column) => {
    if (th.querySelector(".hidden-text") || !th.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...th.childNodes);
    th.append(button);
    button.addEventListener("click", () => sort(table, column, button));
  });
}

// ---- the intake -------------------------------------------------------------------------------

// Changes `old` into `fresh` and leaves every node that stays where it is: the focus, what was typed and
// what was ticked meanwhile are younger than the server's answer.
const key = (node) => node.nodeType !== Node.ELEMENT_NODE ? node.nodeName
  : `${node.nodeName}#${node.id}:${node.getAttribute("name") ?? ""}:${node.type === "radio" ? node.value : ""}`;
const LIVE = new Set(["checked", "value", "selected", "open"]);

function attributes(old, fresh) {
  const control = old.matches("input, textarea, option, select, details");
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(control && LIVE.has(name))) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (!(control && LIVE.has(name)) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

function morph(old, fresh) {
  const rest = [...old.childNodes];
  const kept = [...fresh.childNodes].map((node) => {
    const at = rest.findIndex((one) => key(one) === key(node));
    if (at < 0) return node;
    const [twin] = rest.splice(at, 1);
    if (twin.nodeType === Node.ELEMENT_NODE) {
      attributes(twin, node);
      morph(twin, node);
    } else if (twin.data !== node.data) {
      twin.data = node.data;
    }
    return twin;
  });
  for (const gone of rest) gone.remove();
  let at = old.firstChild;
  for (const node of kept) {
    if (node === at) at = at.nextSibling;
    else old.insertBefore(node, at);
  }
}

function exchange(form, page) {
  for (const part of form.querySelectorAll("[data-part]")) {
    const fresh = page.getElementById(part.id);
    if (fresh) morph(part, fresh);
  }
}

let asked = 0;
async function refresh(form) {
  const body = new URLSearchParams(new FormData(form));
  body.set("_act", "refresh");
  asked += 1;
  const mine = asked;
  form.setAttribute("aria-busy", "true");
  const answer = await fetch(form.action, {
    method: "POST", body, headers: { Accept: "text/html", "X-CSRF-Token": csrf() },
  }).catch(() => null);
  form.removeAttribute("aria-busy");
  if (!answer?.ok || mine !== asked) return;
  exchange(form, new DOMParser().parseFromString(await answer.text(), "text/html"));
}

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (!form?.matches("[data-intake]")) return;
  const follows = event.target.closest("[data-refresh]") ||
    (event.target.closest("#part-form") && event.target.matches("select, input[type=radio], input[type=checkbox]"));
  if (follows) refresh(form);
});

if (new URLSearchParams(window.location.search).has("new")) document.querySelector("[data-search]")?.focus();
const first = document.querySelector("[data-intake] input:not([type=hidden])");
if (first && !document.querySelector("[data-focus]")) first.focus();
