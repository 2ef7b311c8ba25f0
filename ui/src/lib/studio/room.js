// The room of a draft: what its editors share. The working files are here; an editor reads one with
// room.get and writes it with room.set. Changes are checked by the server as they are made, kept in
// this browser until they are saved, and saved with the revision that was seen.
import { add, fill, h, note, say } from "./dom.js";
import { openRaw } from "./raw.js";
import { openFlow } from "./flow.js";
import { openRules } from "./rules.js";
import { openForm } from "./form.js";
import { openItem } from "./item.js";
import { openLetters } from "./letters.js";
import { openExamples } from "./examples.js";
import { openImpact } from "./impact.js";

const CHECK_AFTER_MS = 700;
const KEEP_AFTER_MS = 400;

const PANES = {
  flow: openFlow, rules: openRules, form: openForm, item: openItem, letters: openLetters,
  examples: openExamples, impact: openImpact, versions: openVersions, raw: openRaw,
};

export class Room {
  constructor(place, model) {
    this.place = place;
    this.code = place.dataset.code;
    this.address = `/admin/studio/${encodeURIComponent(this.code)}`;
    this.model = model;
    this.mayEdit = place.hasAttribute("data-may-edit");
    this.pane = document.getElementById("pane");
    this.inspector = document.getElementById("inspector");
    this.findings = [];
    this.take(model);
  }

  take(model) {
    this.revision = model.revision;
    this.saved = new Map(model.files.map((f) => [f.code, f.value]));
    this.files = new Map(this.saved);
    this.published = new Map(model.published_files.map((f) => [f.code, f.value]));
  }

  get(path) { return this.files.get(path) ?? null; }
  has(path) { return this.files.has(path); }
  paths() { return [...this.files.keys()]; }

  set(path, text) {
    if (!this.mayEdit || this.files.get(path) === text) return;
    if (text === null) this.files.delete(path);
    else this.files.set(path, text);
    this.changed();
  }

  /** {path: text, or null for a file taken away} of all that is not saved. */
  unsaved() {
    const files = {};
    for (const [path, text] of this.files) if (this.saved.get(path) !== text) files[path] = text;
    for (const path of this.saved.keys()) if (!this.files.has(path)) files[path] = null;
    return files;
  }

  dirty() { return Object.keys(this.unsaved()).length > 0; }

  changed() {
    this.showSaved();
    clearTimeout(this.keepTimer);
    this.keepTimer = setTimeout(() => this.keep(), KEEP_AFTER_MS);
    clearTimeout(this.checkTimer);
    this.checkTimer = setTimeout(() => this.check(), CHECK_AFTER_MS);
  }

  // ---- talking to the server ----

  /** POSTs JSON below the room's address. Throws an Error with `status` and the errors' words. */
  async post(path, body, { html = false, again = true } = {}) {
    let answer;
    try {
      answer = await fetch(`${this.address}/${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: html ? "text/html" : "application/json",
          "X-CSRF-Token": document.querySelector('meta[name="csrf"]').content },
        body: JSON.stringify(body),
      });
    } catch {
      throw Object.assign(new Error(say("连不上服务器，请检查网络", "The server can't be reached")), { status: 0 });
    }
    if (html && (answer.ok || answer.status === 422)) return answer.text();
    if (answer.ok) return answer.json();
    const told = await answer.json().catch(() => ({}));
    const errors = told.errors ?? [];
    // Logged in again in another window: that session's token is a new one.
    if (answer.status === 403 && again && errors.some((e) => e.where === "_csrf") && (await this.freshToken())) {
      return this.post(path, body, { html, again: false });
    }
    const words = errors.map((e) => e.message).join(say("；", "; ")) || String(answer.status);
    throw Object.assign(new Error(words), { status: answer.status, errors });
  }

  async freshToken() {
    const page = await fetch(this.address, { headers: { Accept: "text/html" } });
    if (!page.ok) return false;
    const token = new DOMParser().parseFromString(await page.text(), "text/html").querySelector('meta[name="csrf"]');
    const meta = document.querySelector('meta[name="csrf"]');
    if (!token || token.content === meta.content) return false;
    meta.content = token.content;
    for (const field of document.querySelectorAll('input[name="_csrf"]')) field.value = token.content;
    return true;
  }

  async model_now() {
    const answer = await fetch(this.address, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  // ---- saving ----

  async save() {
    if (!this.mayEdit) return true;
    await this.flush();
    const files = this.unsaved();
    const summary = document.getElementById("f-summary")?.value;
    if (!Object.keys(files).length && summary === (this.model.data ?? "")) return true;
    this.tell(say("正在保存…", "Saving…"));
    try {
      const told = await this.post("save", { revision: this.revision, files, summary });
      this.revision = told.revision;
      this.model.data = summary;
      for (const [path, text] of Object.entries(files)) {
        if (text === null) this.saved.delete(path);
        else this.saved.set(path, text);
      }
      this.forget();
      for (const field of document.querySelectorAll('input[name="revision"]')) field.value = told.revision;
      this.tell(say(`已保存为第 ${told.revision} 稿`, `Saved as revision ${told.revision}`));
      fill(document.getElementById("studio-notes"));
      this.showSaved();
      return true;
    } catch (problem) {
      this.tell("");
      this.saveFailed(problem);
      return false;
    }
  }

  saveFailed(problem) {
    const notes = document.getElementById("studio-notes");
    if (problem.status === 409) {
      fill(notes, note("note-amber", h("p", {}, h("strong", {}, problem.message)),
        h("p", { class: "actions" },
          h("button", { type: "button", class: "btn btn-primary", onclick: () => this.adopt() },
            say("把我的改动接到最新一稿上", "Put my changes on the newest revision")),
          h("button", { type: "button", class: "btn", onclick: () => { this.forget(); this.leaving = true; location.assign(this.address); } },
            say("放弃我没保存的，看最新一稿", "Drop mine and see the newest")))));
    } else if (problem.status === 401) {
      fill(notes, note("note-amber", h("p", {}, h("strong", {},
        say("登录已过期，没有保存；您的改动留在这台电脑上。", "Your session has ended. Nothing was saved; your changes are kept in this browser."))),
      h("p", {}, h("a", { href: "/login", target: "_blank", rel: "noopener" },
        say("在新窗口登录", "Log in in a new window")), say("，然后回来再按一次保存。", ", then come back and save again."))));
    } else {
      fill(notes, note("note-red", h("p", {}, h("strong", {}, say("没有保存：", "Not saved: ")), problem.message),
        h("p", {}, say("您的改动留在这台电脑上。", "Your changes are kept in this browser."))));
    }
    notes.scrollIntoView({ block: "nearest" });
  }

  // Somebody else saved meanwhile: files only I changed stay mine, the others are told.
  async adopt() {
    const mine = this.unsaved();
    const before = this.saved;
    let model;
    try {
      model = await this.model_now();
    } catch (problem) {
      return this.saveFailed(problem);
    }
    if (!model.may_edit) return location.assign(this.address);
    this.model = model;
    this.take(model);
    const both = [];
    for (const [path, text] of Object.entries(mine)) {
      if (this.saved.get(path) !== before.get(path)) both.push(path);
      if (text === null) this.files.delete(path);
      else this.files.set(path, text);
    }
    const words = both.length
      ? say(`下面的文件别人也改了，现在显示的是您的，保存后会盖住别人的：${both.join("、")}`,
        `Somebody else changed these too; yours are shown and will replace theirs when you save: ${both.join(", ")}`)
      : say("已接上最新一稿，请看过后保存。", "Your changes are on the newest revision now. Look at them and save.");
    fill(document.getElementById("studio-notes"), note(both.length ? "note-amber" : "note-green", h("p", {}, words)));
    for (const field of document.querySelectorAll('input[name="revision"]')) field.value = this.revision;
    this.changed();
    await this.show(this.tab, true);
    return undefined;
  }

  tell(words) { document.getElementById("studio-saved").textContent = words; }

  showSaved() {
    const dirty = this.dirty();
    const save = document.getElementById("studio-save");
    if (save) save.disabled = !dirty;
    if (dirty) this.tell(say("有改动没有保存", "Not saved yet"));
  }

  // ---- kept in this browser ----

  keep() {
    const files = this.unsaved();
    try {
      if (Object.keys(files).length) {
        localStorage.setItem(`yz-studio:${this.code}`, JSON.stringify({ revision: this.revision, at: Date.now(), files }));
      } else this.forget();
    } catch { /* full or forbidden: the page still has it */ }
  }

  forget() {
    clearTimeout(this.keepTimer);
    try { localStorage.removeItem(`yz-studio:${this.code}`); } catch { /* forbidden */ }
  }

  offerKept() {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(`yz-studio:${this.code}`)); } catch { return; }
    if (!kept || !this.mayEdit) return;
    const differs = Object.entries(kept.files).some(([path, text]) => (this.saved.get(path) ?? null) !== text);
    if (!differs) {
      this.forget();
      return;
    }
    const at = new Date(kept.at).toLocaleString(document.documentElement.lang);
    const box = note("note-amber", h("p", {}, h("strong", {},
      say(`这台电脑上有 ${at} 没保存的改动：`, `Unsaved changes of ${at} are kept in this browser: `)), Object.keys(kept.files).join("、")),
    kept.revision !== this.revision && h("p", {}, say("之后又有人保存过。", "Somebody has saved since.")),
    h("p", { class: "actions" },
      h("button", { type: "button", class: "btn btn-primary", onclick: async () => {
        box.remove();
        for (const [path, text] of Object.entries(kept.files)) {
          if (text === null) this.files.delete(path);
          else this.files.set(path, text);
        }
        this.changed();
        await this.show(this.tab, true);
      } }, say("恢复这些改动", "Bring them back")),
      h("button", { type: "button", class: "btn", onclick: () => { this.forget(); box.remove(); } },
        say("不要了", "Drop them"))));
    add(document.getElementById("studio-notes"), box);
  }

  // ---- findings ----

  async check() {
    const turn = (this.checkTurn = (this.checkTurn ?? 0) + 1);
    try {
      const { findings } = await this.post("check", { files: this.unsaved() });
      if (turn !== this.checkTurn) return;
      this.findings = findings;
    } catch (problem) {
      if (turn !== this.checkTurn) return;
      this.findings = [{ severity: "warning", file: "", row: 0, element: "",
        line: say("没能检查：", "Not checked: ") + problem.message }];
    }
    this.showFindings();
    this.current?.findings?.(this.findings);
  }

  showFindings() {
    const list = document.getElementById("findings");
    const errors = this.findings.filter((f) => f.severity === "error").length;
    document.getElementById("findings-count").textContent = this.findings.length || "";
    if (!this.findings.length) {
      fill(list, h("p", { class: "findings-none" }, h("span", { class: "state state-green" }, say("没有问题", "Nothing found"))));
    } else {
      fill(list, h("ul", { class: "findings" }, this.findings.map((f) => h("li", {},
        h("button", { type: "button", class: `finding finding-${f.severity}`, onclick: () => this.go(f) },
          h("span", { class: "finding-kind" }, f.severity === "error" ? say("错", "Error") : say("请注意", "Note")),
          h("span", {}, f.line ?? f.text,
            h("span", { class: "finding-place" }, [f.file, f.row ? say(`第 ${f.row} 行`, `line ${f.row}`) : f.element].filter(Boolean).join(" · "))))))));
    }
    for (const tab of document.querySelectorAll(".studio-tabs [data-tab]")) {
      const has = this.findings.some((f) => f.severity === "error" && tabOf(f.file) === tab.dataset.tab);
      tab.classList.toggle("has-error", has);
      const mark = tab.querySelector(".hidden-text");
      if (has && !mark) add(tab, h("span", { class: "hidden-text" }, say("（有错误）", " (errors)")));
      if (!has && mark) mark.remove();
    }
    this.place.dataset.errors = errors;
  }

  /** Leads to where a finding is. */
  async go(finding) {
    const tab = tabOf(finding.file) ?? "raw";
    await this.show(tab);
    if (!this.current?.select?.(finding)) {
      if (tab !== "raw" && finding.row) {
        await this.show("raw");
        this.current.select(finding);
      }
    }
  }

  // ---- tabs ----

  async flush() { await this.current?.flush?.(); }

  async show(tab, again = false) {
    if (this.tab === tab && !again) return;
    // Editors start one after the other, in the order they were asked for.
    this.showing = (this.showing ?? Promise.resolve()).then(() => this.showNow(tab, again));
    await this.showing;
  }

  async showNow(tab, again) {
    if (!again) await this.flush();
    this.current?.close?.();
    this.current = null;
    this.tab = tab;
    for (const b of document.querySelectorAll(".studio-tabs [data-tab]")) {
      const on = b.dataset.tab === tab;
      b.setAttribute("aria-selected", String(on));
      b.tabIndex = on ? 0 : -1;
    }
    this.place.dataset.tab = tab;
    this.pane.setAttribute("aria-labelledby", `tab-${tab}`);
    fill(this.pane);
    fill(this.inspector);
    try {
      this.current = await PANES[tab](this, this.pane, this.inspector);
    } catch (problem) {
      fill(this.pane, note("note-red", h("p", {}, say("这个文件打不开：", "This file can't be opened: "), problem.message),
        h("p", {}, h("button", { type: "button", class: "btn", onclick: () => this.show("raw") }, say("看原文", "See the text")))));
    }
    this.current?.findings?.(this.findings);
  }
}

function tabOf(file) {
  if (file === "flow.bpmn") return "flow";
  if (file === "guide.dmn" || file === "rules.dmn") return "rules";
  if (file === "form.json" || file.startsWith("forms/")) return "form";
  if (file === "item.json") return "item";
  if (file.startsWith("letters/")) return "letters";
  if (file.startsWith("examples/")) return "examples";
  return null;
}

function openVersions(room, pane) {
  add(pane, document.getElementById("versions-template").content.cloneNode(true));
  return {};
}

function startTabs(room) {
  const tabs = [...document.querySelectorAll(".studio-tabs [data-tab]")];
  for (const tab of tabs) {
    tab.addEventListener("click", () => {
      history.replaceState(null, "", `#${tab.dataset.tab}`);
      room.show(tab.dataset.tab);
    });
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  }
}

function startForms(room) {
  document.getElementById("studio-save")?.addEventListener("click", () => room.save());
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      document.activeElement?.blur?.();
      room.save();
    }
  });
  // What is not saved would be handed on without it.
  for (const form of document.querySelectorAll('form[action$="/submit"], form[action$="/rebase"]')) {
    form.addEventListener("submit", async (event) => {
      if (form.dataset.ready) return;
      event.preventDefault();
      if (!(await room.save())) return;
      // Not within the event itself, where a form can't be sent again.
      setTimeout(() => {
        form.dataset.ready = "1";
        form.requestSubmit();
      });
    });
  }
  document.querySelector('form[action$="/discard"]')?.addEventListener("submit", () => {
    room.forget();
    room.leaving = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (room.leaving || !room.dirty()) return;
    room.keep();
    event.preventDefault();
  });
}

export async function startStudio(place) {
  // After a refusal the page stands at the address of the form that was sent.
  const address = `/admin/studio/${encodeURIComponent(place.dataset.code)}`;
  if (location.pathname !== address) history.replaceState(null, "", address);
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    document.getElementById("studio-wait").textContent = say("打不开修改稿，请刷新", "The draft can't be opened, please reload");
    return;
  }
  const room = new Room(place, await answer.json());
  window.studio = room; // for tests
  startTabs(room);
  startForms(room);
  const asked = location.hash.slice(1);
  await room.show(PANES[asked] ? asked : "flow");
  room.offerKept();
  await room.check();
  place.dataset.ready = "";
}
