// The portal as a citizen uses it. See lib.mjs for what is shared.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { equal, ok, start } from "./lib.mjs";

const t = await start();
const FOOD = "330225-SCJ-0201";
const OWNER_ID = "330225197706151027";
const FIRM = "91330225MADEM00039";
const CERTIFICATE = "330225-RSJ-0101"; // decided at once
const SOON = new Date(Date.now() + 30 * 86400000).toISOString().slice(0, 10);

// What the fields of the food licence get; others keep their first choice.
const ANSWERS = {
  operator: "象山示例餐饮有限公司", credit_code: FIRM, owner: "张三", owner_id: OWNER_ID,
  phone: "13800000006", address: "示例路 6 号", manager: "张三",
};

async function heading(page) {
  return (await page.locator("h1").first().textContent()).trim();
}

// Fills in whatever the step asks, as a person would who has all at hand.
async function fillStep(page) {
  for (const field of await page.locator("main .field").all()) {
    if (await field.locator("input[type=radio]").count()) {
      if (!(await field.locator("input[type=radio]:checked").count())) {
        await field.locator("input[type=radio]").first().check();
      }
    } else if (await field.locator("input[type=checkbox]").count()) {
      await field.locator("input[type=checkbox]").first().check();
    } else if (await field.locator("select").count()) {
      await field.locator("select").first().selectOption({ index: 1 });
    } else {
      const input = field.locator("input, textarea").first();
      if (await input.inputValue()) continue;
      const name = await input.getAttribute("name");
      const last = name.split(".").at(-1);
      const type = await input.getAttribute("type");
      const check = await input.getAttribute("data-check");
      let value = ANSWERS[last] ?? "示例";
      if (type === "date") value = SOON;
      else if (check === "citizen_id" || check === "any_id") value = OWNER_ID;
      else if (check === "credit_code") value = FIRM;
      else if (check === "phone") value = "13800000006";
      else if (check === "money") value = "1000.00";
      else if ((await input.getAttribute("inputmode")) === "numeric") value = "2";
      else if (type === "email") value = "a@example.com";
      await input.fill(value);
    }
  }
}

// Sends the step; once more when an answer made the form ask more.
async function send(page, act) {
  const before = page.url();
  for (let i = 0; i < 3 && page.url() === before; i++) {
    const loaded = page.waitForEvent("load");
    await act(page.locator("main form button.btn-primary"));
    await loaded;
    if (await page.locator(".errors").count()) {
      throw new Error(`refused at ${before}: ${await page.locator(".errors").innerText()}`);
    }
    if (page.url() === before) await fillStep(page);
  }
  if (page.url() === before) throw new Error(`no way on from ${before}`);
}

async function answerGuide(page, code, first = 0) {
  await page.goto(`/apply/${code}`);
  for (let i = 0; i < 12 && !page.url().includes("/needs"); i++) {
    await page.locator("main input[type=radio]").nth(first).check();
    const loaded = page.waitForEvent("load");
    await page.click("main .btn-primary");
    await loaded;
  }
}

// From "what you need" to "check your answers"; returns the draft's path.
async function fillAll(page, between = async () => {}) {
  await page.click("main form .btn-primary");
  await page.waitForURL(/\/apply\/d\//);
  const draft = new URL(page.url()).pathname.split("/").slice(0, 4).join("/");
  for (let i = 0; i < 15 && !/\/(materials|check)$/.test(new URL(page.url()).pathname); i++) {
    await fillStep(page);
    await between(page, i);
    await send(page, (button) => button.click());
  }
  return draft;
}

// A picture of one dot.
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64");

let number = "";

await t.test("search finds an item by any fragment, while one types", async () => {
  const page = await t.page();
  await page.goto("/");
  await page.locator("#q").pressSequentially("食品经");
  await page.waitForSelector("#found .results a");
  ok((await page.locator("#found").innerText()).includes("食品经营许可"), "not found while typing");
  await page.press("#q", "Enter");
  await page.waitForURL(/\/items\?q=/);
  await page.click(".results a >> text=食品经营许可");
  equal(await heading(page), "食品经营许可", "guide");
  equal(page.problems.join(), "", "console");
});

await t.test("search works without scripts", async () => {
  const page = await t.page({ script: false });
  await page.goto("/");
  await page.fill("#q", "食品经");
  await page.press("#q", "Enter");
  await page.waitForURL(/\/items\?q=/);
  ok((await page.locator(".results").innerText()).includes("食品经营许可"), "not found");
});

await t.test("the first focus is the skip link, and it leads to the content", async () => {
  const page = await t.page();
  await page.goto(`/items/${FOOD}`);
  await page.keyboard.press("Tab");
  equal(await page.evaluate(() => document.activeElement.className), "skip", "first focus");
  await page.keyboard.press("Enter");
  equal(await page.evaluate(() => document.activeElement.id), "main", "after it");
});

await t.test("apply by keyboard from search to submission", async () => {
  const page = await t.page({ user: "company" });
  await page.goto("/");
  await page.focus("#q");
  await page.keyboard.type("食品经营许可");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/items\?q=/);
  await page.locator(".results a").first().press("Enter");
  await page.waitForURL(/\/items\/330225/);
  await page.locator("a.btn-primary").first().press("Enter");
  await page.waitForURL(/\/apply\//);
  for (let i = 0; i < 12 && !page.url().includes("/needs"); i++) {
    await page.locator("main input[type=radio]").first().focus();
    await page.keyboard.press("Space");
    const loaded = page.waitForEvent("load");
    await page.keyboard.press("Enter");
    await loaded;
  }
  await t.shot(page, "needs");
  await page.locator("main form .btn-primary").focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/apply\/d\//);
  for (let i = 0; i < 15 && !/\/(materials|check)$/.test(new URL(page.url()).pathname); i++) {
    await fillStep(page);
    await t.shot(page, `step-${i}`);
    await send(page, (button) => button.press("Enter"));
  }
  const file = join(t.folder, "dot.png");
  writeFileSync(file, PNG);
  await page.locator("input[type=file]").nth(3).setInputFiles(file);
  await page.waitForSelector(".upload-done");
  await t.shot(page, "materials");
  await page.locator("a.btn-primary").press("Enter");
  await page.waitForURL(/\/check$/);
  await t.shot(page, "check");
  await page.focus("#f-declare");
  await page.keyboard.press("Space");
  await page.locator("main form .btn-primary").press("Enter");
  await page.waitForURL(/\/apply\/done\//);
  number = (await page.locator(".done-panel strong").innerText()).trim();
  ok(/^\d{21}$/.test(number), `number ${number}`);
  await t.shot(page, "done");
  await page.goto("/my");
  ok((await page.locator(".cases").innerText()).includes(number), "not among my cases");
  await t.shot(page, "my");
  await page.goto(`/case/${number}`);
  await t.shot(page, "case");
  equal(page.problems.join(), "", "console");
});

await t.test("what is wrong is summed up, takes focus, leads to the field; typed things are kept", async () => {
  const page = await t.page({ user: "company" });
  await answerGuide(page, FOOD);
  await page.click("main form .btn-primary");
  await page.waitForURL(/\/apply\/d\//);
  await page.fill("#f-owner_id", "110105194912310021");
  await page.press("#f-owner_id", "Tab");
  await page.waitForFunction(() => document.getElementById("e-owner_id").textContent.trim() !== "");
  await page.click("main form .btn-primary");
  await page.waitForSelector("#errors");
  equal(await page.evaluate(() => document.activeElement.id), "errors", "focus");
  ok((await page.title()).includes("出错"), "title does not say so");
  equal(await page.inputValue("#f-owner_id"), "110105194912310021", "typed");
  await page.locator('#errors a[href="#f-owner_id"]').press("Enter");
  equal(await page.evaluate(() => document.activeElement.id), "f-owner_id", "link leads");
  await t.axe(page);
  await t.shot(page, "errors");
});

await t.test("save, and go on from another device", async () => {
  const page = await t.page();
  await answerGuide(page, FOOD);
  await page.click("main form .btn-primary");
  await page.waitForURL(/\/apply\/d\//);
  await page.fill("#f-owner", "李四");
  await page.click("button[name=_save]");
  await page.waitForSelector("#saved a");
  const link = (await page.locator("#saved a").innerText()).trim();
  const other = await t.page({ width: 390 });
  await other.goto(new URL(link).pathname);
  equal(await other.inputValue("#f-owner"), "李四", "kept");
});

await t.test("a visitor is asked to log in before sending, and the draft survives it", async () => {
  const page = await t.page();
  await answerGuide(page, FOOD);
  const draft = await fillAll(page);
  await page.goto(`${draft}/check`);
  await page.click("text=登录后提交");
  await page.fill("#f-login", "company");
  await page.fill("#f-password", "wrong-password");
  await page.click("main button[type=submit]");
  await page.waitForSelector("#errors");
  equal(await page.inputValue("#f-login"), "company", "login kept");
  await page.fill("#f-password", "yizhan-demo-2023");
  await page.click("main button[type=submit]");
  await page.waitForURL(/\/check$/);
  await page.click("main form .btn-primary");
  await page.waitForSelector("#errors");
  ok((await page.locator("#errors").innerText()).includes("真实"), "no declaration, yet sent");
});

await t.test("track by number and last four, nothing without them", async () => {
  const page = await t.page({ width: 390 });
  await page.goto("/track");
  await page.fill("#f-number", number);
  await page.fill("#f-last_four", "9999");
  await page.click("main button");
  await page.waitForSelector("#errors");
  await page.fill("#f-last_four", "0039");
  await page.click("main button");
  await page.waitForSelector(".case-head");
  const said = await page.locator("main").innerText();
  ok(said.includes(number) && said.includes("食品经营许可"), "not shown");
  ok(!said.includes(FIRM) && !said.includes("13800000006"), "shows too much");
  await t.axe(page);
  await t.shot(page, "track");
});

await t.test("someone else's case is not there", async () => {
  const page = await t.page({ user: "citizen" });
  const answer = await page.goto(`/case/${number}`);
  equal(answer.status(), 404, "status");
});

await t.test("the case page at the counter: ask to complete, complete, accept, give an opinion", async () => {
  const clerk = await t.page({ user: "clerk" });
  await clerk.goto(`/case/${number}`);
  await t.axe(clerk, "clerk");
  ok(!(await clerk.locator("main").innerText()).includes("13800000006"), "phone not masked");
  await clerk.click("#correct summary");
  await clerk.click("#correct .btn-primary");
  await clerk.waitForSelector("#errors"); // nothing was named
  await clerk.locator('#correct input[name="missing"]').last().check();
  await clerk.locator("#correct .check-reason input.form-control").nth(6).fill("照片看不清");
  await Promise.all([clerk.waitForEvent("load"), clerk.click("#correct .btn-primary")]);
  ok((await clerk.locator(".case-now").innerText()).includes("待补正"), "not asked to complete");

  const own = await t.page({ width: 390, user: "company" });
  await own.goto(`/case/${number}`);
  ok((await own.locator("#supplement").innerText()).includes("照片看不清"), "reason not shown");
  await t.axe(own, "to complete");
  await t.shot(own, "to-complete");
  await own.click("#supplement a.btn-primary");
  await own.waitForURL(/\/supplement$/);
  ok((await own.locator("#asked").innerText()).includes("照片看不清"), "the letter's list is not shown");
  await t.axe(own, "supplement");
  const file = join(t.folder, "again.png");
  writeFileSync(file, PNG);
  for (const input of await own.locator("input[type=file]").all()) {
    await input.setInputFiles(file);
  }
  await Promise.all([own.waitForEvent("load"), own.click("main form .btn-primary")]);
  ok((await own.locator(".case-now").innerText()).includes("已收件"), "not completed");

  // What the clerk's page was drawn from is out of date: refused, and told so.
  await Promise.all([clerk.waitForEvent("load"), clerk.goto(`/case/${number}`)]);
  const stale = await clerk.locator("#accept input[name=revision]").inputValue();
  const csrf = await clerk.getAttribute("meta[name=csrf]", "content");
  const answer = await clerk.request.post(`/case/${number}/accept`, {
    form: { _csrf: csrf, revision: String(Number(stale) - 1) }, maxRedirects: 0,
  });
  equal(answer.status(), 409, "a stale revision");
  await Promise.all([clerk.waitForEvent("load"), clerk.click("#accept .btn-primary")]);
  ok((await clerk.locator(".case-now").innerText()).includes("办理中"), "not accepted");

  const official = await t.page({ user: "scj" });
  await official.goto(`/case/${number}`);
  await t.axe(official, "task");
  await t.shot(official, "task");
  await Promise.all([official.waitForEvent("load"), official.click("#task .btn-primary")]);
  ok((await official.locator(".trail").innerText()).includes("完成环节"), "opinion not recorded");
  equal(official.problems.join(), "", "console");
});

// A case of its own, asked to correct its form and not to bring anything.
async function toCorrect() {
  const page = await t.page({ user: "company" });
  await answerGuide(page, FOOD);
  const draft = await fillAll(page);
  await page.goto(`${draft}/check`);
  await page.check("#f-declare");
  await page.click("main form .btn-primary");
  await page.waitForURL(/\/apply\/done\//);
  const made = (await page.locator(".done-panel strong").innerText()).trim();
  const clerk = await t.page({ user: "clerk" });
  await clerk.goto(`/case/${made}`);
  await clerk.click("#correct summary");
  const row = clerk.locator("#correct .check-reason", { has: clerk.locator('input[name="wrong"]') }).first();
  await row.locator('input[name="wrong"]').check();
  await row.locator("input.form-control").fill("地址写到门牌号");
  await Promise.all([clerk.waitForEvent("load"), clerk.click("#correct .btn-primary")]);
  return { made, clerk };
}

await t.test("a form is corrected online, by keyboard, in Chinese and English", async () => {
  const { made, clerk } = await toCorrect();
  const own = await t.page({ width: 390, user: "company" });
  await own.goto("/my");
  ok(/消息（\d+ 条未读）/.test(await own.locator(".tools").innerText()), "bell does not count");
  await own.goto("/messages");
  ok((await own.locator(".messages").innerText()).includes("新消息"), "none is new");
  await t.axe(own, "messages");
  await own.goto("/messages");
  ok(!(await own.locator(".messages").innerText()).includes("新消息"), "still new");
  ok(!(await own.locator(".tools").innerText()).includes("未读"), "bell still counts");

  await own.goto(`/case/${made}`);
  await own.locator("#supplement a.btn-primary").press("Enter");
  await own.waitForURL(/\/supplement$/);
  ok((await own.locator("#asked").innerText()).includes("地址写到门牌号"), "what to correct is not said");
  equal(await own.inputValue("#f-owner_id"), OWNER_ID, "prefilled");
  await Promise.all([own.waitForEvent("load"), own.locator("main form .btn-primary").press("Enter")]);
  ok((await own.locator("#errors").innerText()).includes("还没有改动"), "nothing changed, yet taken");
  await own.fill("#f-address", "示例路 66 号");
  await own.fill("#f-owner_id", "110105194912310021");
  await Promise.all([own.waitForEvent("load"), own.locator("main form .btn-primary").press("Enter")]);
  equal(await own.evaluate(() => document.activeElement.id), "errors", "focus");
  equal(await own.inputValue("#f-address"), "示例路 66 号", "typed");
  ok((await own.locator("#e-owner_id").innerText()).length > 0, "not said at the field");
  await own.locator('#errors a[href="#f-owner_id"]').press("Enter");
  equal(await own.evaluate(() => document.activeElement.id), "f-owner_id", "link leads");
  await t.axe(own, "refused");
  await t.shot(own, "correct-refused");
  await own.goto(`/case/${made}/supplement?lang=en`);
  await t.axe(own, "English");
  const rest = (await t.chinese(own)).filter((text) => !/[张示]|市场监管/.test(text));
  equal(rest.join(" | "), "", "left in Chinese");
  await own.goto(`/case/${made}/supplement?lang=zh`);

  // The clerk does it for him without seeing what is personal: it stays.
  await clerk.goto(`/case/${made}/supplement`);
  equal(await clerk.inputValue("#f-owner_id"), "", "personal");
  ok(!(await clerk.content()).includes(OWNER_ID), "number shown to the clerk");
  await t.axe(clerk, "clerk corrects");
  await t.shot(clerk, "correct-clerk");

  await own.fill("#f-address", "示例路 66 号");
  await Promise.all([own.waitForEvent("load"), own.locator("main form .btn-primary").press("Enter")]);
  ok((await own.locator(".case-now").innerText()).includes("已收件"), "not corrected");
  // The answers are folded away: innerText would not see them.
  ok((await own.locator("main").textContent()).includes("示例路 66 号"), "answer not changed");
  equal(own.problems.join(), "", "console");
});

let certificate = "";
await t.test("an instant item is done at once; its letter verifies; it is rated once", async () => {
  const page = await t.page({ user: "citizen" });
  await answerGuide(page, CERTIFICATE);
  const draft = await fillAll(page);
  await page.goto(`${draft}/check`);
  await page.check("#f-declare");
  await page.click("main form .btn-primary");
  await page.waitForURL(/\/apply\/done\//);
  await t.shot(page, "done-instant");
  ok((await heading(page)).includes("已经办好"), "not decided at once");
  const rate = await page.locator('a[href^="/rate/"]').getAttribute("href");
  const letter = await page.locator('a[href^="/letters/"]').last().getAttribute("href");
  const pdf = await page.request.get(letter);
  equal(pdf.headers()["content-type"], "application/pdf", "letter");
  ok((await pdf.body()).subarray(0, 5).toString() === "%PDF-", "not a PDF");
  certificate = letter.split("/").pop().replace(".pdf", "");

  const anyone = await t.page({ width: 390 });
  equal((await anyone.request.get(letter, { maxRedirects: 0 })).status() === 200, false, "letter for all");
  await anyone.goto(`/verify/${certificate}`);
  ok((await anyone.locator("main").innerText()).includes("是真的"), "not verified");
  ok(!(await anyone.locator("main").innerText()).includes(OWNER_ID), "shows too much");
  await t.axe(anyone);
  await t.shot(anyone, "verify");
  equal((await anyone.goto("/verify/nothing-like-it")).status(), 404, "unknown code");
  await t.axe(anyone);

  await anyone.goto(rate);
  await t.axe(anyone);
  await t.shot(anyone, "rate");
  await anyone.click("main form .btn-primary");
  await anyone.waitForSelector("#errors");
  await anyone.locator("#g5").focus();
  await anyone.keyboard.press("Space");
  await anyone.fill("#f-comment", "很快");
  await anyone.click("main form .btn-primary");
  await anyone.waitForURL(/done=1/);
  const again = await t.page();
  await again.goto(rate);
  ok((await again.locator("main").innerText()).includes("已经评价过"), "second rating offered");
  const second = await page.request.post(rate, {
    data: { grade: 1 }, headers: { Accept: "application/json" },
  });
  ok(second.status() >= 400, `second rating taken: ${second.status()}`);
});

await t.test("every page answers as JSON too", async () => {
  const page = await t.page({ user: "company" });
  for (const path of ["/", "/items?q=食品", `/items/${FOOD}`, "/my", `/case/${number}`, "/messages"]) {
    const answer = await page.request.get(path, { headers: { Accept: "application/json" } });
    equal(answer.status(), 200, path);
    ok(Object.keys(await answer.json()).length > 0, `${path}: empty`);
  }
});

await t.test("register, wrong number refused at its field", async () => {
  const page = await t.page({ width: 390 });
  await page.goto("/register");
  await page.fill("#f-name", "王五");
  await page.fill("#f-id_number", "110105194912310021");
  await page.fill("#f-phone", "13900000009");
  await page.fill("#f-login", "wangwu");
  await page.fill("#f-password", "a-long-password-1");
  await page.fill("#f-password_again", "a-long-password-1");
  await page.click("main form .btn-primary");
  await page.waitForSelector("#errors");
  await t.axe(page);
  await page.fill("#f-id_number", "11010519491231002X");
  await page.fill("#f-password", "a-long-password-1");
  await page.fill("#f-password_again", "a-long-password-1");
  await page.click("main form .btn-primary");
  await page.waitForURL(/\/my/);
});

const PUBLIC = ["/", "/items", "/items?q=食品", "/items?q=zzzz", `/items/${FOOD}`, `/apply/${FOOD}`,
  "/login", "/register", "/track", "/verify", "/no-such-page"];
const OWN = ["/my", "/messages", "/account"];

for (const lang of ["zh", "en"]) {
  for (const width of [1280, 360]) {
    await t.test(`axe finds nothing and nothing overflows: ${lang}, ${width} px`, async () => {
      const page = await t.page({ width, lang });
      for (const path of PUBLIC) {
        await page.goto(path);
        await t.axe(page, path);
        await t.shot(page, `${lang}-${width}-${path.replace(/\W+/g, "_")}`);
      }
      const own = await t.page({ width, lang, user: "company" });
      for (const path of [...OWN, `/case/${number}`]) {
        await own.goto(path);
        await t.axe(own, path);
        await t.shot(own, `${lang}-${width}-${path.replace(/\W+/g, "_")}`);
      }
      await answerGuide(own, FOOD);
      await t.axe(own, "needs");
      await own.click("main form .btn-primary");
      await own.waitForURL(/\/apply\/d\//);
      for (const [i, step] of ["", "/materials", "/check"].entries()) {
        const draft = new URL(own.url()).pathname.split("/").slice(0, 4).join("/");
        await own.goto(draft + step);
        await t.axe(own, `draft ${i}`);
      }
      equal(own.problems.join(), "", "console");
    });
  }
}

await t.test("large type: nothing lost, nothing overflows at 360 px", async () => {
  for (const lang of ["zh", "en"]) {
    const page = await t.page({ width: 360, lang, large: true, user: "company" });
    equal(await page.evaluate(() => getComputedStyle(document.body).fontSize), "20px", "size");
    for (const path of ["/", "/items", `/items/${FOOD}`, `/apply/${FOOD}`, "/my", `/case/${number}`, "/track"]) {
      await page.goto(path);
      await t.axe(page, path);
      await t.shot(page, `large-${lang}-${path.replace(/\W+/g, "_")}`);
    }
  }
});

await t.test("in English no Chinese is left in what the interface says", async () => {
  const page = await t.page({ lang: "en", user: "company" });
  const left = [];
  for (const path of ["/", "/items", `/items/${FOOD}`, `/apply/${FOOD}`, "/track", "/verify", "/my", "/account",
    `/verify/${certificate}`, `/case/${number}`]) {
    await page.goto(path);
    // Names of items of the imported catalogue, of people and of files are the county's data.
    for (const text of await t.chinese(page)) {
      left.push(`${path}: ${text}`);
    }
  }
  await page.goto("/items?q=Food+business");
  const known = await page.evaluate(async () => {
    const answer = await fetch("/items?page_size=200", { headers: { Accept: "application/json" } });
    return (await answer.json()).rows.map((row) => row.name);
  });
  const data = ["张三", "示例", ...known.filter((name) => /[\u3400-\u9fff]/.test(name))];
  const wrong = left.filter((line) => !data.some((word) => line.includes(word)));
  equal(wrong.slice(0, 8).join(" | "), "", "left");
});

await t.end();
