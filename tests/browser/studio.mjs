// The studio as two administrators use it. See lib.mjs for what is shared.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { equal, ok, start } from "./lib.mjs";

const t = await start();
const FOOD = "330225-SCJ-0201";
const FIRM = "91330225MADEM00039";
const EXAMPLE = JSON.parse(readFileSync(join(import.meta.dirname, "../../packs/food-license/examples/01-catering.json"), "utf8"));

async function room(page, code = FOOD) {
  await page.goto(`/admin/items/${code}`);
  const make = page.locator('form[action$="/studio"] button').first();
  if (await make.count()) await make.click();
  else await page.goto(`/admin/studio/${code}`);
  await page.waitForSelector("#studio[data-ready]");
}

async function tab(page, name) {
  await page.click(`#tab-${name}`);
  await page.waitForFunction((n) => document.getElementById("studio").dataset.tab === n && window.studio.current, name);
}

async function findings(page, test) {
  await page.waitForFunction(test, null, { timeout: 15000 });
}

async function saved(page) {
  await page.click("#studio-save");
  await page.waitForFunction(() => !window.studio.dirty() && document.getElementById("studio-save").disabled);
}

const first = await t.page({ user: "sysadmin", width: 1440 });
first.on("dialog", (dialog) => dialog.accept());

await t.test("flow: a task is added and named in bpmn-js, its finding seen and mended", async () => {
  await room(first);
  equal(await first.locator("#pane .bjs-powered-by").count(), 1, "bpmn.io's logo");
  const before = await first.evaluate(() => window.studio.get("flow.bpmn"));
  equal(await first.evaluate(() => window.studio.dirty()), false, "dirty before anything was changed");
  // The connection after the approval: a task is put on it, as one does with the palette.
  await first.evaluate(() => {
    const viewer = window.studio.flowViewer;
    const flow = viewer.get("elementRegistry").filter((e) => e.type === "bpmn:SequenceFlow" && e.source.id === "approve")[0];
    const middle = flow.waypoints[0];
    const shape = viewer.get("elementFactory").createShape({ type: "bpmn:UserTask" });
    const made = viewer.get("modeling").createShape(shape, { x: middle.x + 60, y: middle.y }, flow);
    viewer.get("selection").select(made);
  });
  await first.waitForSelector("#inspector h2:has-text('人工环节')");
  const field = (label) => first.locator("#inspector .studio-field", { has: first.locator(`label:text-is("${label}")`) });
  await field("名称").locator("input").fill("科长复核");
  await field("英文名称").locator("input").fill("Second look");
  await field("英文名称").locator("input").press("Tab");
  // Nobody does it yet: that is an error, by the drawing and marked in it.
  await findings(first, () => window.studio.findings.some((f) => f.severity === "error" && f.file === "flow.bpmn"));
  ok((await first.innerText("#findings")).includes("没有写明岗位"), await first.innerText("#findings"));
  await first.waitForSelector(".finding-badge-error");
  await first.evaluate(() => window.studio.flowViewer.get("selection").select([]));
  await first.click(".finding:has-text('没有写明岗位')");
  await first.waitForSelector("#inspector h2:has-text('人工环节')");
  await field("谁来办（岗位）").locator("select").selectOption("330225-SCJ-SP");
  await field("几个工作日内办").locator("input").fill("1");
  await field("几个工作日内办").locator("input").press("Tab");
  await first.click("#inspector button:has-text('＋ 结果')");
  await findings(first, () => !window.studio.findings.some((f) => f.severity === "error"));
  const xml = await first.evaluate(() => window.studio.get("flow.bpmn"));
  ok(xml.includes('name="科长复核"') && xml.includes('yz:name_en="Second look"') && xml.includes('yz:post="330225-SCJ-SP"'), "attributes written");
  for (const kept of ['yz:reason="现场核查"', 'yz:decision="verdict"', "yz:post=\"=if situation.business"]) ok(xml.includes(kept), `lost: ${kept}`);
  ok(xml !== before, "nothing was written");
  await t.axe(first, "flow");
  await t.shot(first, "studio-flow");
});

await t.test("decisions: a cell is changed in dmn-js, nothing else is lost", async () => {
  await tab(first, "rules");
  const old = await first.evaluate(() => window.studio.get("guide.dmn"));
  const cell = first.locator("td.output-cell", { hasText: '"lease"' }).first();
  const row = await cell.locator("xpath=..").boundingBox();
  ok(row.height <= 40, `a row of one line is ${row.height} high`);
  await cell.click();
  await first.keyboard.press("ControlOrMeta+a");
  await first.keyboard.type('"lease2"');
  await first.waitForFunction(() => window.studio.get("guide.dmn").includes('"lease2"'));
  await findings(first, () => window.studio.findings.some((f) => f.file === "guide.dmn" && f.severity === "error"));
  ok((await first.innerText("#findings")).includes("lease2"), "a document nobody knows");
  await cell.page().locator("td.output-cell", { hasText: '"lease2"' }).first().click();
  await first.keyboard.press("ControlOrMeta+a");
  await first.keyboard.type('"lease"');
  await findings(first, () => !window.studio.findings.some((f) => f.severity === "error"));
  const now = await first.evaluate(() => window.studio.get("guide.dmn"));
  const count = (text, word) => text.split(word).length;
  for (const word of ["<annotationEntry", "<rule ", "dmnElementRef", "<informationRequirement"]) equal(count(now, word), count(old, word), word);
  await t.axe(first, "rules");
  await t.shot(first, "studio-rules");
});

await t.test("form: a field is added without JSON and shown as the applicant will see it", async () => {
  await tab(first, "form");
  await first.waitForSelector(".form-preview .field");
  await first.locator(".form-step").first().locator("button:has-text('＋ 加一项')").click();
  const label = first.locator("#inspector .studio-field", { has: first.locator('label:text-is("名称")') }).locator("input");
  await label.fill("备用电话");
  await label.press("Tab");
  await first.locator("#inspector .studio-field", { has: first.locator('label:text-is("英文名称")') }).locator("input").fill("Second phone");
  await first.locator("#inspector .studio-field", { has: first.locator('label:text-is("填什么")') }).locator("select").selectOption("phone");
  await first.locator("#inspector .studio-field", { has: first.locator('label:text-is("要不要填")') }).locator("select").selectOption("no");
  await first.waitForSelector(".form-preview label:has-text('备用电话')");
  const form = JSON.parse(await first.evaluate(() => window.studio.get("form.json")));
  const added = form.steps[0].fields.at(-1);
  equal(added.label, "备用电话", "label");
  equal(added.type, "phone", "type");
  equal(added.required, undefined, "not required");
  await t.axe(first, "form");
  await t.shot(first, "studio-form");
});

await t.test("particulars: a promised day less; the impact says so in words", async () => {
  await tab(first, "item");
  const days = first.locator(".studio-field", { has: first.locator('label:text-is("承诺工作日")') }).locator("input");
  await days.fill("6");
  await days.press("Tab");
  const number = first.locator(".studio-row", { has: first.locator('input[aria-label="large_area_m2 的值"]') });
  ok(/用在：(流程|决策)“.+”/.test(await number.innerText()), `where a number of the county is read: ${await number.innerText()}`);
  await t.axe(first, "item");
  await saved(first);
  await tab(first, "impact");
  await first.waitForSelector("#element-diff li");
  const told = await first.innerText("#pane");
  for (const words of ["承诺时限由 7 个工作日改为 6 个", "表单新增“备用电话”", "新增人工环节 “科长复核”"]) ok(told.includes(words), `${words} in ${told.slice(0, 900)}`);
  // What was not changed keeps its look: one line of item.json differs.
  const item = await first.locator("details.diff", { hasText: "item.json" }).locator(".diff-count").innerText();
  equal(item.trim(), "+1 −1", "lines of item.json");
  await t.axe(first, "impact");
  await t.shot(first, "studio-impact");
});

await t.test("examples: run with their traces; one that differs is told, and mended", async () => {
  await tab(first, "examples");
  await first.waitForSelector(".studio-bar .state-red"); // the new task has to be done
  await first.waitForSelector(".story .note-red");
  const told = await first.innerText(".examples-story");
  ok(told.includes("应为") && told.includes("已作出决定") && told.includes("科长复核"), told.slice(0, 500));
  ok((await first.locator(".trace table").count()) > 0, "no decision trace");
  ok((await first.locator(".story-flow .flow-is-done").count()) > 3, "no way through the flow");
  // Each example that comes to the new task gets that step, from the panel.
  for (let i = 0; i < 20; i++) {
    await first.waitForFunction(() => !document.querySelector(".studio-bar [role=status]").textContent.includes("正在"));
    const wrong = first.locator(".examples-list li:has(.state-red) button").first();
    if (!(await wrong.count())) break;
    await wrong.click();
    await first.evaluate(() => { for (const d of document.querySelectorAll("#inspector details")) d.open = true; });
    await first.click("#inspector button:has-text('＋ 一步')");
    const node = first.locator("#inspector select[aria-label$='步的环节']").last();
    await node.selectOption({ label: "科长复核" });
    await first.click(".studio-bar .btn-primary");
    await first.waitForTimeout(300);
  }
  await first.waitForSelector(".studio-bar .state-green");
  await t.axe(first, "examples");
  await t.shot(first, "studio-examples");
  await saved(first);
});

await t.test("submitting: asked for what changes; its author may not approve", async () => {
  await first.click("#f-submit button");
  await first.waitForSelector(".errors");
  ok((await first.innerText(".errors")).includes("写明改了什么"), "no summary asked");
  await first.waitForSelector("#studio[data-ready]");
  await first.fill("#f-summary", "增加科长复核，承诺时限缩短一天");
  await first.click("#f-submit button");
  await first.waitForSelector('form[action$="/recall"]');
  equal(await first.locator('form[action$="/approve"]').count(), 0, "offered to its author");
  const token = await first.locator('meta[name="csrf"]').getAttribute("content");
  const revision = await first.locator('input[name="revision"]').first().inputValue();
  const answer = await first.context().request.post(`/admin/studio/${FOOD}/approve`, {
    headers: { "X-CSRF-Token": token, Accept: "application/json" }, data: { revision: Number(revision) } });
  equal(answer.status(), 403, "approved by its author");
  await t.axe(first, "waiting");
});

let old = null;
await t.test("the second person sends it back, the author mends, the second person approves", async () => {
  // Before: a case on the version of today.
  old = await intake();
  const second = await t.page({ user: "sysadmin2", width: 1440 });
  second.on("dialog", (dialog) => dialog.accept());
  await second.goto("/admin/studio");
  ok((await second.innerText("main")).includes("您（审核）"), "whose turn");
  await t.axe(second, "list");
  await t.shot(second, "studio-list");
  await second.goto(`/admin/studio/${FOOD}`);
  await second.waitForSelector("#studio[data-ready]");
  equal(await second.locator(".djs-palette.open").count(), 0, "a reviewer is offered to draw");
  await t.axe(second, "review");
  await t.shot(second, "studio-review");
  await tab(second, "impact");
  await second.waitForSelector("#element-diff li");
  ok((await second.innerText("#pane")).includes("在办 1 件"), "running cases");
  await second.click('#pane a[href*="/running"]');
  await second.waitForSelector("table.list");
  ok((await second.innerText("main")).includes(old), "the very case");
  await t.axe(second, "running");
  await second.goto(`/admin/studio/${FOOD}`);
  await second.waitForSelector("#studio[data-ready]");
  await second.fill("#f-note", "英文名称请写 Section chief");
  await second.click('form[action$="/reject"] button');
  await second.waitForSelector(".note-red");
  await room(first);
  ok((await first.innerText("main")).includes("英文名称请写 Section chief"), "the reason");
  await first.evaluate(() => {
    const viewer = window.studio.flowViewer;
    viewer.get("selection").select(viewer.get("elementRegistry").filter((e) => e.businessObject?.name === "科长复核" && !e.labelTarget)[0]);
  });
  const english = first.locator("#inspector .studio-field", { has: first.locator('label:text-is("英文名称")') }).locator("input");
  await english.fill("Section chief");
  await english.press("Tab");
  await first.waitForFunction(() => window.studio.dirty());
  await first.click("#f-submit button");
  await first.waitForSelector('form[action$="/recall"]');
  await second.goto(`/admin/studio/${FOOD}`);
  await second.waitForSelector("#studio[data-ready]");
  await second.click('form[action$="/approve"] button');
  await second.waitForURL("**/admin/items/**");
  const told = await second.innerText("main");
  ok(told.includes("第 2 版") && told.includes("陈系统") && told.includes("蒋系统"), told.slice(0, 400));
  await t.axe(second, "item");
});

async function intake() {
  const page = await t.page({ user: "company" });
  const number = await submitAsCitizen(page);
  await page.context().close();
  return number;
}

async function submitAsCitizen(page, check = async () => {}) {
  await page.goto(`/items/${FOOD}`);
  await page.locator('a[href^="/apply/"], form[action^="/apply/"] button').first().click();
  for (let step = 0; step < 40; step++) {
    await page.waitForLoadState("load");
    await check(page);
    if (await page.locator("#f-declare").count()) break;
    for (let round = 0; round < 3; round++) {
      for (const field of await page.locator("main form .field:not(:has(.field))").all()) {
        if (!(await field.isVisible())) continue;
        const input = field.locator("input:not([type=hidden]):not([type=file]), select, textarea").first();
        if (!(await input.count())) continue;
        const name = (await input.getAttribute("name")) ?? "";
        if (/\.[1-9]\d*\./.test(name)) continue;
        await answerField(field, input, name);
      }
    }
    const next = page.locator("main .btn-primary").last();
    await Promise.all([page.waitForNavigation(), next.click()]);
  }
  await page.check("#f-declare");
  await Promise.all([page.waitForNavigation(), page.click("main form .btn-primary")]);
  return (await page.locator("strong.num").first().innerText()).trim();
}

async function answerField(field, input, name) {
  const known = { ...EXAMPLE.answers, ...EXAMPLE.situation };
  const radios = field.locator("input[type=radio]"), boxes = field.locator("input[type=checkbox]");
  const row = name.match(/^(\w+)\.0\.(\w+)$/);
  let value = row ? known[row[1]]?.[0]?.[row[2]] : known[name];
  if (value === "true") value = "yes";
  if (value === "false") value = "no";
  if (await radios.count()) {
    if (await field.locator("input:checked").count()) return;
    const wanted = field.locator(`input[value="${value}"]`);
    await ((await wanted.count()) ? wanted : radios).first().check();
  } else if (await boxes.count()) {
    if (!(await field.locator("input:checked").count())) await boxes.first().check();
  } else if ((await input.evaluate((e) => e.tagName)) === "SELECT") {
    if (!(await input.inputValue())) await input.selectOption(value && !Array.isArray(value) ? value : { index: 1 });
  } else if (!(await input.inputValue())) {
    const type = await input.getAttribute("type");
    const soon = new Date(Date.now() + 60 * 86400000).toISOString().slice(0, 10);
    if (type === "date") await input.fill(soon);
    else if (name === "owner_id") await input.fill("330225197706151027");
    else if (name === "credit_code") await input.fill(FIRM);
    else await input.fill(typeof value === "string" ? value : "13800000006");
  }
}

await t.test("a citizen applies on the new version; the older case stays on its own", async () => {
  const page = await t.page({ user: "company" });
  let asked = false;
  const number = await submitAsCitizen(page, async (p) => { asked ||= (await p.innerText("main")).includes("备用电话"); });
  ok(asked, "the new field was not asked");
  const admin = await t.page({ user: "sysadmin" });
  await admin.goto(`/admin/items/${FOOD}/running?version=1`);
  const one = await admin.innerText("main");
  await admin.goto(`/admin/items/${FOOD}/running?version=2`);
  const two = await admin.innerText("main");
  ok(one.includes(old) && !one.includes(number), "the older case");
  ok(two.includes(number) && !two.includes(old), "the newer case");
});

await t.test("two people: a stale save is told and the changes are kept", async () => {
  const code = "330225-SBZX-0101";
  const list = await first.context().request.get("/admin/items?q=%E5%8F%82%E4%BF%9D", { headers: { Accept: "application/json" } });
  const found = (await list.json()).rows.find((r) => r.name === "社会保险参保缴费证明")?.code ?? code;
  const second = await t.page({ user: "sysadmin2", width: 1440 });
  await room(first, found);
  await second.goto(`/admin/studio/${found}`);
  await second.waitForSelector("#studio[data-ready]");
  await first.evaluate(() => window.studio.set("README.md", "甲"));
  await saved(first);
  await second.evaluate(() => window.studio.set("examples/99-own.json", '{"title": "乙", "expect": {"state": "decided"}}'));
  await second.click("#studio-save");
  await second.waitForSelector("#studio-notes .note-amber");
  await second.click("#studio-notes .btn-primary"); // put mine on the newest
  await second.waitForFunction(() => window.studio.get("README.md") === "甲" && window.studio.has("examples/99-own.json"));
  await saved(second);
  // A session that ended: nothing typed is lost, and it is offered after logging in again.
  await second.evaluate(() => window.studio.set("README.md", "甲乙"));
  await second.context().clearCookies();
  await second.click("#studio-save");
  await second.waitForSelector("#studio-notes a[href='/login']");
  await t.login(second, "sysadmin2");
  await second.goto(`/admin/studio/${found}`);
  await second.waitForSelector("#studio-notes .btn-primary");
  await second.click("#studio-notes .btn-primary");
  await second.waitForFunction(() => window.studio.get("README.md") === "甲乙");
  await t.axe(second, "kept changes");
  // A broken drawing can be pasted, is told, and does not get through.
  await tab(second, "raw");
  await second.locator(".studio-bar select").selectOption("flow.bpmn");
  await second.locator("textarea.studio-raw").fill("<bpmn:definitions");
  await findings(second, () => window.studio.findings.some((f) => f.file === "flow.bpmn" && f.severity === "error"));
  await tab(second, "flow").catch(() => {});
  await second.waitForSelector("#pane .note-red");
  second.on("dialog", (dialog) => dialog.accept());
  await second.locator('details:has(form[action$="/discard"]) summary').click();
  await second.click('form[action$="/discard"] button');
  await second.waitForURL("**/admin/items/**");
});

await t.test("rolling back: the older version again, by a second person", async () => {
  const second = await t.page({ user: "sysadmin2", width: 1440 });
  second.on("dialog", (dialog) => dialog.accept());
  await second.goto(`/admin/items/${FOOD}/compare?a=1&b=2`);
  ok((await second.locator("details.diff").count()) >= 3, "files that differ");
  await t.axe(second, "compare");
  await second.goto(`/admin/items/${FOOD}?version=1`);
  await second.click('form[action$="/studio"] button');
  await second.waitForSelector("#studio[data-ready]");
  await second.fill("#f-summary", "新流程有误，先恢复第 1 版");
  await second.click("#f-submit button");
  await second.waitForSelector('form[action$="/recall"]');
  await first.goto(`/admin/studio/${FOOD}`);
  await first.waitForSelector("#studio[data-ready]");
  await first.click('form[action$="/approve"] button');
  await first.waitForURL("**/admin/items/**");
  ok((await first.innerText("main")).includes("第 3 版"), "version 3");
  await first.goto(`/admin/items/${FOOD}/compare?a=1&b=3`);
  ok((await first.innerText("main")).includes("两个版本完全相同"), "as version 1");
});

await t.test("in English, and on a phone: nothing Chinese in what the program says, nothing too wide", async () => {
  const page = await t.page({ user: "sysadmin2", lang: "en", width: 1440 });
  page.on("dialog", (dialog) => dialog.accept());
  await room(page);
  for (const name of ["flow", "rules", "form", "item", "letters", "examples", "impact", "versions", "raw"]) {
    await tab(page, name);
    await page.waitForTimeout(700);
    await t.axe(page, `English ${name}`);
  }
  equal(page.problems.join("; "), "", "problems");
  const phone = await t.page({ user: "sysadmin", width: 390 });
  await phone.goto(`/admin/studio/${FOOD}`);
  await phone.waitForSelector("#studio[data-ready]");
  for (const name of ["flow", "rules", "form", "item", "examples", "impact"]) {
    await tab(phone, name);
    await phone.waitForTimeout(500);
    await t.axe(phone, `phone ${name}`);
    await t.shot(phone, `studio-phone-${name}`);
  }
  equal(phone.problems.join("; "), "", "problems on a phone");
});

await t.test("no script error and nothing the security policy forbids", async () => {
  equal(first.problems.join("; "), "", "problems");
});

await t.end();
