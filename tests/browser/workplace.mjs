// The workplace as those use it who sit at it all day. See lib.mjs for what is shared.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { equal, ok, start } from "./lib.mjs";

const t = await start();
const FOOD = "330225-SCJ-0201";
const FIRM = "91330225MADEM00039";
const OWNER_ID = "330225197706151027";
const SOON = new Date(Date.now() + 30 * 86400000).toISOString().slice(0, 10);
const ANSWERS = {
  operator: "象山示例餐饮有限公司", credit_code: FIRM, owner: "张三", owner_id: OWNER_ID,
  phone: "13800000006", address: "示例路 6 号", manager: "张三", name: "张三",
};

async function heading(page) {
  return (await page.locator("h1").first().innerText()).trim();
}

async function quiet(page) { // after an exchange of parts
  await page.waitForFunction(() => !document.querySelector("[aria-busy]"));
}

// Chooses the first answer of each question of the situation, as they appear.
async function situation(page) {
  for (let i = 0; i < 12; i++) {
    const open = page.locator("#part-situation fieldset:not(:has(input:checked)) input").first();
    if (!(await open.count())) return;
    await open.check();
    await page.waitForTimeout(150);
    await quiet(page);
  }
}

async function fillForm(page) {
  for (let round = 0; round < 3; round++) {
    for (const field of await page.locator("#part-form .field:not(:has(.field))").all()) {
      if (!(await field.isVisible())) continue;
      // A table offers an empty row beyond what is filled; the first row is enough.
      const name = (await field.locator("input, select, textarea").first().getAttribute("name")) ?? "";
      if (/\.[1-9]\d*\./.test(name)) continue;
      const radio = field.locator("input[type=radio]"), box = field.locator("input[type=checkbox]");
      if (await radio.count()) {
        if (!(await field.locator("input:checked").count())) {
          await radio.first().check();
          await page.waitForTimeout(120);
          await quiet(page);
        }
      } else if (await box.count()) {
        if (!(await field.locator("input:checked").count())) await box.first().check();
        await quiet(page);
      } else if (await field.locator("select").count()) {
        await field.locator("select").selectOption({ index: 1 });
        await quiet(page);
      } else {
        const input = field.locator("input, textarea").first();
        if (!(await input.count()) || (await input.inputValue())) continue;
        const last = (await input.getAttribute("name")).split(".").at(-1);
        const check = await input.getAttribute("data-check");
        let value = ANSWERS[last] ?? "示例";
        if ((await input.getAttribute("type")) === "date") value = SOON;
        else if (check === "citizen_id" || check === "any_id") value = OWNER_ID;
        else if (check === "credit_code") value = FIRM;
        else if (check === "phone") value = "13800000006";
        else if (check === "money") value = "1000.00";
        else if ((await input.getAttribute("inputmode")) === "numeric") value = "20";
        await input.fill(value);
      }
    }
  }
}

async function intake(page, act) {
  await page.goto(`/window/${FOOD}`);
  await page.fill('[name="applicant.id_number"]', FIRM);
  await page.fill('[name="applicant.name"]', "象山示例餐饮有限公司");
  await page.fill('[name="applicant.phone"]', "13800000006");
  await situation(page);
  await fillForm(page);
  if (act) {
    const loaded = page.waitForEvent("load");
    await page.click(`.intake-bar [value="${act}"]`);
    await loaded;
    if (await page.locator(".errors").count()) throw new Error(await page.locator(".errors").innerText());
    return (await page.locator(".done-number").innerText()).trim();
  }
  return "";
}

const accepted = [];

await t.test("a clerk finds an item and takes a case by keyboard alone, and accepts it", async () => {
  const page = await t.page({ user: "clerk", width: 1440 });
  equal(new URL(page.url()).pathname, "/window", "where a clerk starts");
  await page.keyboard.press("/");
  await page.keyboard.type("食品经营");
  await page.waitForFunction(() => document.querySelectorAll("#found [data-row]").length === 1);
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/window/${FOOD}`);
  equal(await page.evaluate(() => document.activeElement.name), "applicant.id_number", "first field");
  await page.keyboard.type(FIRM);
  await page.keyboard.press("Tab");
  await page.waitForSelector("#who .work-facts");
  ok((await page.innerText("#who")).includes("330225"), "region of the number is not shown");
  await page.keyboard.type("象山示例餐饮有限公司");
  await page.keyboard.press("Tab");
  await page.keyboard.type("13800000006");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  for (let i = 0; i < 12 && (await page.locator("#part-situation fieldset:not(:has(input:checked))").count()); i++) {
    await page.locator("#part-situation fieldset:not(:has(input:checked)) input").first().focus();
    await page.keyboard.press("Space");
    await page.waitForTimeout(200);
    await quiet(page);
  }
  ok(await page.locator(".checklist tbody tr").count() > 3, "no checklist of materials");
  await fillForm(page);
  await page.locator(".intake-bar button").first().focus();
  const loaded = page.waitForEvent("load");
  await page.keyboard.press("s");
  await loaded;
  ok(!(await page.locator(".errors").count()), await page.locator(".errors").allInnerTexts());
  const number = (await page.innerText(".done-number")).trim();
  ok(/^330225\d{15}$/.test(number), `number ${number}`);
  ok((await page.innerText(".done-box")).includes("办理中"), "not accepted");
  accepted.push(number);
  await page.keyboard.press("p");
  await page.waitForURL(`**/window/receipt/${number}`);
  ok((await page.innerText(".receipt")).includes("收件回执"), "no receipt");
  await t.axe(page, "receipt");
  await page.keyboard.press("n");
  await page.waitForURL("**/window*");
  equal(page.problems.join(), "", "console");
});

await t.test("the number is checked as one leaves the field, what was typed is kept when refused", async () => {
  const page = await t.page({ user: "clerk" });
  await page.goto(`/window/${FOOD}`);
  await page.fill('[name="applicant.id_number"]', "330225197706151028");
  await page.press('[name="applicant.id_number"]', "Tab");
  await page.waitForSelector("#who .error-text");
  await page.fill('[name="applicant.name"]', "王五");
  const loaded = page.waitForEvent("load");
  await page.click('.intake-bar [value="submit"]');
  await loaded;
  ok(await page.evaluate(() => document.activeElement.classList.contains("errors")), "summary has no focus");
  equal(await page.inputValue('[name="applicant.name"]'), "王五", "what was typed");
  ok((await page.locator(".errors li").count()) >= 2, "too few errors");
  await t.axe(page, "refused intake");
});

await t.test("without scripts the same page works", async () => {
  const page = await t.page({ user: "", script: false });
  await t.login(page, "clerk");
  await page.goto("/window?q=食品经营");
  await page.click("#found a");
  ok(page.url().endsWith(FOOD), page.url());
  await page.locator("#part-situation input").first().check();
  await page.click('noscript button, [value="refresh"]');
  ok((await page.locator("#part-situation fieldset").count()) > 1, "no second question");
});

await t.test("missing materials: one letter names them all; tolerated ones need the promise", async () => {
  const page = await t.page({ user: "clerk", width: 1440 });
  await intake(page, "");
  const rows = page.locator(".checklist tbody tr");
  const tolerable = rows.filter({ has: page.locator('[value="tolerated"]') }).first();
  await tolerable.locator('[value="tolerated"]').check();
  let loaded = page.waitForEvent("load");
  await page.click('.intake-bar [value="accept"]');
  await loaded;
  ok((await page.innerText(".errors")).includes("承诺书"), "accepted without the promise");
  await page.check("#f-promise");
  loaded = page.waitForEvent("load");
  await page.click('.intake-bar [value="accept"]');
  await loaded;
  ok((await page.innerText(".done-box")).includes("容缺受理通知书"), "no notice of tolerant acceptance");
  await intake(page, "");
  await page.locator('.checklist [value="missing"]').first().check();
  loaded = page.waitForEvent("load");
  await page.click('.intake-bar [value="correct"]');
  await loaded;
  ok((await page.innerText(".done-box")).includes("补正告知书"), "no letter");
});

await t.test("the queue by keys: j, k, a asks once naming the case, Enter opens", async () => {
  const page = await t.page({ user: "clerk", width: 1440 });
  const first = await intake(page, "submit");
  const second = await intake(page, "submit");
  await page.goto("/window/queue");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  equal((await page.locator("[data-row].at a").innerText()).trim(), first, "second row");
  await page.keyboard.press("k");
  equal((await page.locator("[data-row].at a").innerText()).trim(), second, "first row again");
  let asked = "";
  page.once("dialog", (dialog) => { asked = dialog.message(); dialog.dismiss(); });
  await page.keyboard.press("a");
  ok(asked.includes(second), `asked: ${asked}`);
  ok(page.url().endsWith("/window/queue"), "went on though dismissed");
  page.once("dialog", (dialog) => dialog.accept());
  await page.keyboard.press("a");
  await page.waitForURL(`**/case/${second}`);
  ok((await page.innerText("main")).includes("办理中"), "not accepted");
  accepted.push(second);
  await page.goto("/window/queue");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/case/${first}`);
  page.once("dialog", (dialog) => { asked = dialog.message(); dialog.accept(); });
  await page.keyboard.press("a");
  await page.waitForFunction(() => document.querySelector("main").innerText.includes("办理中"));
  ok(asked.includes(first), `asked: ${asked}`);
  accepted.push(first);
  await page.keyboard.press("?");
  ok(await page.locator("#keys").isVisible(), "? shows no keys");
  await t.axe(page, "keys");
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  await page.waitForURL("**/window?new=1");
  equal(await page.evaluate(() => document.activeElement.id), "q", "n puts the cursor into the search");
});

await t.test("an approver claims, gives back, claims again by key and decides a step", async () => {
  const page = await t.page({ user: "scj", width: 1440 });
  equal(new URL(page.url()).pathname, "/desk", "where an approver starts");
  const row = page.locator("[data-row]", { hasText: accepted[0] }).first();
  await row.locator('button[value^="claim"]').click();
  await page.waitForLoadState();
  ok((await row.innerText()).includes("退签"), "not claimed");
  await row.locator('button[value^="release"]').click();
  await page.waitForLoadState();
  await row.locator("a").focus();
  await page.keyboard.press("c");
  await page.waitForFunction((n) => [...document.querySelectorAll("[data-row]")]
    .some((r) => r.innerText.includes(n) && r.innerText.includes("退签")), accepted[0]);
  await page.goto("/desk?whose=mine");
  equal(await page.locator("[data-row]").count(), 1, "filtered by address");
  await page.locator("[data-row] a").click();
  await page.waitForURL(`**/case/${accepted[0]}`);
  const act = page.locator('form[action$="/task"]:has([name="outcome"])').first();
  ok(await act.count(), "no decision offered");
  const radio = act.locator('[name="outcome"][type=radio]').first();
  if (await radio.count()) await radio.check();
  const note = act.locator("textarea").first();
  if (await note.count()) await note.fill("材料齐全，符合条件");
  page.once("dialog", (dialog) => dialog.accept());
  const loaded = page.waitForEvent("load");
  await act.locator('[name="act"][value="complete"], [type=submit]').first().click();
  await loaded;
  ok(!(await page.locator(".errors").count()), (await page.locator(".errors").allInnerTexts()).join());
  await page.goto("/desk?whose=mine");
  equal(await page.locator("[data-row]").count(), 0, "task is still mine after the decision");
});

await t.test("cases: filters are an address, a whole number opens, CSV and xlsx hold the rows", async () => {
  const page = await t.page({ user: "clerk", width: 1440 });
  await page.goto("/cases?state=3");
  const rows = await page.locator("[data-row]").count();
  ok(rows >= 3, `${rows} rows`);
  ok((await page.innerText(".count")).includes(String(rows)), "row count");
  const session = await page.context().request;
  const csv = await (await session.get("/cases.csv?state=3")).text();
  equal(csv.trim().split("\r\n").length, rows + 1, "lines of the CSV");
  ok(csv.startsWith("\ufeff办件编号,"), "head of the CSV");
  const xlsx = await (await session.get("/cases.xlsx?state=3")).body();
  const file = join(t.folder, "cases.xlsx");
  writeFileSync(file, xlsx);
  const sheet = execFileSync("unzip", ["-p", file, "xl/worksheets/sheet1.xml"]).toString();
  equal(sheet.match(/<row /g).length, rows + 1, "rows of the xlsx");
  await page.click("th:has-text('办件编号') button");
  const sorted = await page.locator("[data-row] td:first-child").allInnerTexts();
  equal(sorted.join(), [...sorted].sort().join(), "sorted by number");
  await page.goto(`/cases?q=${accepted[0]}`);
  await page.waitForURL(`**/case/${accepted[0]}`);
  await page.goto("/cases?q=没有这样的人");
  ok(await page.locator(".empty").isVisible(), "no empty state");
});

await t.test("cockpit: each figure equals the records it opens into", async () => {
  const page = await t.page({ user: "leader", width: 1440 });
  equal(new URL(page.url()).pathname, "/cockpit", "where a leader starts");
  await page.waitForSelector("#trend canvas");
  const large = page.locator(".large-figures li").first();
  const shown = (await large.locator(".large-value").innerText()).replace(/\D/g, "");
  await large.locator("a").click();
  await page.waitForURL("**/figures/cases_accepted?**");
  equal((await page.innerText(".figure-value")).replace(/\D/g, ""), shown, "figure");
  equal(String(await page.locator("[data-row]").count()), shown, "records");
  await page.locator("[data-row] a").first().click();
  await page.waitForURL("**/case/**");
  await page.goto("/cockpit");
  const unit = page.locator(".panel-units .bars a").first();
  const bar = (await unit.locator(".bar-value").innerText()).trim();
  await unit.click();
  await page.waitForURL("**unit=**");
  equal(String(await page.locator("[data-row]").count()), bar, "records of a department");
  await page.goto("/figures/online_rate_percent");
  ok((await page.innerText("main")).includes("online_handlings"), "formula");
  await page.click("table a >> nth=0");
  await page.waitForURL("**/figures/**");
  equal(page.problems.join(), "", "console");
});

await t.test("cockpit: JSON and page agree, a case taken meanwhile appears by itself", async () => {
  const page = await t.page({ user: "leader", width: 1440 });
  await page.goto("/cockpit");
  const before = Number((await page.innerText("#large li:first-child .large-value")).replace(/\D/g, ""));
  const model = await (await page.context().request.get("/cockpit", { headers: { Accept: "application/json" } })).json();
  equal(model.figures.cases_accepted, before, "JSON");
  const clerk = await t.page({ user: "clerk" });
  await intake(clerk, "accept");
  await page.waitForFunction((n) => Number(document.querySelector("#large li:first-child .large-value")
    .textContent.replace(/\D/g, "")) === n + 1, before, { timeout: 30000 });
});

await t.test("cockpit: nothing scrolls at 1920 x 1080", async () => {
  const page = await t.page({ user: "leader", width: 1920 });
  await page.setViewportSize({ width: 1920, height: 1080 });
  await page.goto("/cockpit");
  const over = await page.evaluate(() => [
    document.documentElement.scrollHeight - window.innerHeight,
    ...[...document.querySelectorAll(".panel")].map((p) => p.scrollHeight - p.clientHeight),
  ]);
  ok(over.every((n) => n <= 1), `over by ${over}`);
});

await t.test("summary: numbers are links to their records; Markdown and PDF", async () => {
  const page = await t.page({ user: "leader" });
  await page.goto("/summary");
  const link = page.locator(".paper a").first();
  const text = (await link.innerText()).replace(/\D/g, "");
  await link.click();
  await page.waitForURL("**/figures/**");
  equal((await page.innerText(".figure-value")).replace(/\D/g, ""), text, "number behind the link");
  const request = page.context().request;
  const md = await (await request.get("/summary.md")).text();
  ok(md.startsWith("# ") && md.includes("/figures/cases_accepted?"), "Markdown");
  const pdf = await (await request.get("/summary.pdf")).body();
  equal(pdf.subarray(0, 5).toString(), "%PDF-", "PDF");
  equal((await request.get("/summary?from=2023-13-01")).status(), 422, "a month that does not exist");
});

await t.test("administrators apart: who makes accounts grants no roles, who grants makes none", async () => {
  const sys = await t.page({ user: "sysadmin" });
  await sys.goto("/admin/accounts");
  await sys.fill("#f-login", "newclerk");
  await sys.fill("#f-name", "新人");
  await sys.selectOption("#f-unit", { index: 1 });
  await sys.click("main form .btn-primary");
  await sys.waitForSelector(".secret");
  const password = (await sys.innerText(".secret")).trim();
  await sys.goto("/admin/accounts/newclerk");
  equal(await sys.locator('form[action$="/grant"]').count(), 0, "sysadmin is offered roles");
  const csrf = await sys.getAttribute('meta[name="csrf"]', "content");
  const refused = await sys.context().request.post("/admin/accounts/newclerk/grant",
    { form: { _csrf: csrf, roles: "clerk" } });
  equal(refused.status(), 403, "sysadmin grants");
  await sys.locator('[name="posts"]').first().check();
  await sys.click('form[action$="/posts"] .btn-primary');
  await sys.waitForURL("**done=1");

  const sec = await t.page({ user: "secadmin" });
  equal(new URL(sec.url()).pathname, "/admin/accounts", "where a security administrator starts");
  equal(await sec.locator("#f-login").count(), 0, "secadmin is offered a new account");
  const token = await sec.getAttribute('meta[name="csrf"]', "content");
  const made = await sec.context().request.post("/admin/accounts",
    { form: { _csrf: token, login: "x1", name: "x", unit: "330225-ZWB" } });
  equal(made.status(), 403, "secadmin creates");
  await sec.goto("/admin/accounts/newclerk");
  await sec.check("#r-clerk");
  sec.on("dialog", (dialog) => dialog.accept());
  await sec.click('form[action$="/grant"] .btn-primary');
  await sec.waitForURL("**done=1");
  await sec.check("#r-sysadmin");
  await sec.click('form[action$="/grant"] .btn-primary');
  await sec.waitForSelector(".errors");
  await sec.goto("/admin/accounts/secadmin");
  equal(await sec.locator('form[action$="/grant"]').count(), 0, "grants to oneself");

  const fresh = await t.page();
  await t.login(fresh, "newclerk", password);
  ok(fresh.url().endsWith("/account"), "the given password was not to be changed");
  await sec.goto("/admin/accounts/newclerk");
  await sec.click('form[action$="/lock"] button');
  await sec.waitForURL("**done=1");
  await fresh.goto("/account");
  ok(fresh.url().includes("/login"), "a locked account goes on");
  for (const [user, path] of [["sysadmin", "/audit"], ["secadmin", "/audit"], ["auditadmin", "/admin/items"],
    ["auditadmin", "/cases"], ["sysadmin", "/cases"], ["citizen", "/desk"], ["clerk", "/admin/accounts"]]) {
    const page = await t.page({ user });
    equal((await page.context().request.get(path, { maxRedirects: 0 })).status(), 403, `${user} at ${path}`);
  }
});

await t.test("catalogue: bad lines by number, the others loaded; withdrawn and published again", async () => {
  const page = await t.page({ user: "sysadmin" });
  await page.goto("/admin/items");
  const csv = join(t.folder, "items.csv");
  writeFileSync(csv, "department,main_item,name,item_code,task_type,dept_code\r\n" +
    "象山县教育局,测试,测试事项甲,TEST-0001,公共服务,\r\n,测试,,TEST-0002,公共服务,\r\n");
  await page.setInputFiles("#f-file", csv);
  await page.click('form[enctype] .btn-primary');
  await page.waitForSelector(".note");
  ok((await page.innerText(".note")).includes("第 3 行"), await page.innerText(".note"));
  await page.goto(`/admin/items/${FOOD}`);
  ok((await page.innerText("main")).includes("全部与预期相符"), "examples");
  ok(await page.locator(".flow svg").count(), "no flow drawn");
  page.on("dialog", (dialog) => dialog.accept());
  await page.click("details:has(#f-reason) summary");
  await page.fill("#f-reason", "测试停办");
  await page.click('form[action$="/withdraw"] button');
  await page.waitForSelector('form[action$="/studio"]');
  await page.click('form[action$="/studio"] button');
  await page.waitForURL("**/admin/studio/**");
  await page.waitForSelector("#studio[data-ready]");
  await page.fill("#f-summary", "整改完毕，重新开办");
  await page.click("#f-submit button");
  await page.waitForSelector('form[action$="/recall"]');
  const second = await t.page({ user: "sysadmin2" });
  second.on("dialog", (dialog) => dialog.accept());
  await second.goto(`/admin/studio/${FOOD}`);
  await second.click('form[action$="/approve"] button');
  await second.waitForURL("**/admin/items/**");
  await page.goto(`/admin/items/${FOOD}`);
  await page.waitForSelector('form[action$="/withdraw"]', { state: "attached" });
  await page.goto("/admin/packs");
  const zip = join(t.folder, "bad.zip");
  writeFileSync(join(t.folder, "item.json"), "{");
  execFileSync("zip", ["-qj", zip, join(t.folder, "item.json")]);
  await page.setInputFiles("#f-file", zip);
  await page.click("main .btn-primary");
  await page.waitForSelector(".errors");
  ok((await page.innerText(".errors")).length > 10, "no reason");
});

await t.test("audit: events by filter, proof of one, everything verified in the background", async () => {
  const page = await t.page({ user: "auditadmin", width: 1440 });
  equal(new URL(page.url()).pathname, "/audit", "where an auditor starts");
  await page.goto(`/audit?number=${accepted[0]}`);
  ok((await page.locator("[data-row]").count()) >= 3, "events of the case");
  await page.waitForTimeout(11000); // one sealing
  await page.locator("[data-row] a").last().click();
  await page.waitForURL("**/audit/events/**");
  ok((await page.innerText("main")).includes("叶子序号"), "no proof");
  await page.goto("/audit");
  await page.click('form[action="/audit/verify"] button');
  await page.waitForURL("**/audit/verify");
  await page.waitForFunction(() => document.querySelector("main").innerText.includes("全部相符"));
  const key = await (await page.context().request.get("/audit/key")).text();
  equal(key, readFileSync(join(t.data, "keys/trail.pub"), "utf8").trim() + "\n", "public key");
  equal((await page.context().request.get("/audit/events/999999999")).status(), 404, "no such event");
});

const PAGES = [
  ["clerk", "/window"], ["clerk", `/window/${FOOD}`], ["clerk", "/window/queue"], ["clerk", `/window/done/${accepted[0]}`],
  ["scj", "/desk"], ["clerk", "/cases"], ["clerk", "/cases?q=xx"], ["scj", `/case/${accepted[0]}`],
  ["leader", "/cockpit"], ["leader", "/figures"], ["leader", "/figures/cases_accepted"],
  ["leader", "/figures/online_rate_percent"], ["leader", "/figures/ratings_bad"], ["leader", "/summary"],
  ["sysadmin", "/admin/items"], ["sysadmin", `/admin/items/${FOOD}`], ["sysadmin", "/admin/packs"],
  ["sysadmin", "/admin/accounts"], ["sysadmin", "/admin/accounts/clerk"], ["sysadmin", "/admin/units"],
  ["secadmin", "/admin/accounts/clerk"], ["auditadmin", "/audit"], ["auditadmin", "/audit/verify"],
  ["auditadmin", "/audit/events/20"],
];
for (const lang of ["zh", "en"]) {
  for (const width of [1440, 390]) {
    await t.test(`axe finds nothing on any page of the workplace, ${lang}, ${width} px`, async () => {
      const pages = {};
      const found = [];
      for (const [user, path] of PAGES) {
        pages[user] ??= await t.page({ user, lang, width });
        await pages[user].goto(path);
        await t.axe(pages[user], path).catch((problem) => found.push(problem.message));
        await t.shot(pages[user], `work${path.replaceAll("/", "-").replace(/[^\w-]/g, "")}-${lang}-${width}`);
        if (pages[user].problems.length) found.push(`${path}: ${pages[user].problems.splice(0).join()}`);
      }
      equal(found.join(" | "), "", "found");
    });
  }
}

await t.end();
