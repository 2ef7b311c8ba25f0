// Flows that fail, and are mended; the flow on the page of a case. See lib.mjs for what is shared.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PASSWORD, equal, ok, start } from "./lib.mjs";

const t = await start();
const root = process.env.YIZHAN_ROOT ?? join(import.meta.dirname, "../..");
const program = process.env.YIZHAN_BIN ?? join(root, "build/yizhan");
const CODE = "330225-SCJ-FLOW";

// The generic item under a code of its own; `flow` changes the text of its flow.
function load(flow) {
  const folder = join(t.folder, "pack");
  mkdirSync(folder, { recursive: true });
  const from = (name) => readFileSync(join(root, "packs/generic", name), "utf8");
  const item = { ...JSON.parse(from("item.json")), code: CODE, name: "流程试验事项",
                 name_en: "Flow trial", unit: "330225-SCJ" };
  delete item.task_types;
  writeFileSync(join(folder, "item.json"), JSON.stringify(item));
  writeFileSync(join(folder, "form.json"), from("form.json"));
  writeFileSync(join(folder, "flow.bpmn"), flow(from("flow.bpmn")));
  execFileSync(program, ["load", "--data", t.data, folder], { stdio: "pipe" });
}

async function api(login) {
  let token = "";
  const ask = async (path, body) => {
    const reply = await fetch(t.address + path, {
      method: body ? "POST" : "GET",
      headers: { Accept: "application/json", "Content-Type": "application/json",
                 ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
    const answer = await reply.json();
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${JSON.stringify(answer).slice(0, 300)}`);
    return answer;
  };
  token = (await ask("/login", { login, password: PASSWORD })).session;
  return ask;
}

const FOOD = {
  applicant: { kind: "legal", name: "象山示例餐饮有限公司", id_number: "91330225MADEM00039",
               phone: "13800000006" },
  situation: { business: "catering", special: "none", premises: "rent" },
  answers: {
    operator: "象山示例餐饮有限公司", credit_code: "91330225MADEM00039", owner: "张示例",
    owner_id: "330225198603182036", phone: "13800000006", town: "330225-DDJD",
    address: "示例路 6 号", area: "80", in_residence: "false", has_flue: "true", fumes: "true",
    projects: ["hot"], online: "false", opens_on: "2027-12-01", manager: "张示例",
    staff: [{ name: "孔示例", job: "cook", health_until: "2028-01-31" }], truthful: "true",
  },
  materials: ["business-licence", "owner-id", "lease", "layout", "safety-rules", "health-certs",
              "flue-proof"],
};
const clerk = await api("clerk"), scj = await api("scj"), zfj = await api("zfj");

async function take() {
  const answer = await clerk(`/window/${CODE}`, {
    situation: {}, materials: ["application"],
    applicant: { kind: "natural", name: "张三", id_number: "330225197706151027", phone: "13800000001" },
    answers: { matter: "申请办理，材料随附。", truthful: true, name: "张三",
               id_number: "330225197706151027", phone: "13800000001" },
  });
  const number = answer.number ?? answer.done?.number;
  if ((await scj(`/case/${number}`)).state === 1) await clerk(`/case/${number}/accept`, {});
  return number;
}

async function complete(number, note = "", ask = scj) {
  const seen = await ask(`/case/${number}`);
  await ask(`/case/${number}/task`, { act: "complete", id: seen.my_task.id, outcome: "pass", note });
}

// The review names who approves; nobody holds that post.
load((flow) => flow
  .replace('<bpmn:sequenceFlow id="to_granted_from_result" sourceRef="result" targetRef="granted" />',
           `<bpmn:userTask id="approve" name="领导审批" yz:name_en="Approval" yz:post='=review.note'>
      <bpmn:incoming>to_granted_from_result</bpmn:incoming><bpmn:outgoing>to_granted</bpmn:outgoing>
    </bpmn:userTask>
    <bpmn:sequenceFlow id="to_granted_from_result" sourceRef="result" targetRef="approve" />
    <bpmn:sequenceFlow id="to_granted" sourceRef="approve" targetRef="granted" />`)
  .replace("<bpmn:incoming>to_granted_from_result</bpmn:incoming>\n      <bpmn:outgoing>to_end",
           "<bpmn:incoming>to_granted</bpmn:incoming>\n      <bpmn:outgoing>to_end")
  .replace('<bpmndi:BPMNShape id="shape_granted" bpmnElement="granted">\n        <dc:Bounds x="720"',
           `<bpmndi:BPMNShape id="shape_approve" bpmnElement="approve">
        <dc:Bounds x="720" y="230" width="120" height="80" />
      </bpmndi:BPMNShape>
      <bpmndi:BPMNShape id="shape_granted" bpmnElement="granted">\n        <dc:Bounds x="890"`)
  .replace('<bpmndi:BPMNEdge id="edge_to_refused_from_result"',
           `<bpmndi:BPMNEdge id="edge_to_granted" bpmnElement="to_granted">
        <di:waypoint x="840" y="270" /><di:waypoint x="890" y="270" />
      </bpmndi:BPMNEdge>
      <bpmndi:BPMNEdge id="edge_to_refused_from_result"`));
const number = await take();
await complete(number, "330225-SCJ-XX");

await t.test("an official sees that the flow failed, and need not do anything twice", async () => {
  for (const [width, lang] of [[1440, "zh"], [390, "en"]]) {
    const page = await t.page({ user: "scj", width, lang });
    await page.goto(`/case/${number}`);
    ok(await page.locator(".note-amber").count(), "no note");
    await t.axe(page, "case with a fault");
    await t.shot(page, `case-fault-${width}`);
    await page.goto("/desk");
    ok(await page.locator(".note-amber").count(), "no note on the desk");
    await t.axe(page, "desk");
    await t.shot(page, `desk-fault-${width}`);
    equal(page.problems.join(), "", "console");
  }
});

await t.test("the applicant is told that the system is at work, without technical words", async () => {
  const page = await t.page({ user: "citizen", width: 390 });
  await page.goto(`/case/${number}`);
  const text = await page.innerText("main");
  ok(text.includes("系统处理中"), "not told");
  ok(!text.includes("异常") && !text.includes("330225-SCJ-XX"), "technical words");
  await t.shot(page, "case-applicant-fault");
});

await t.test("an administrator finds the fault, mends it and the flow goes on", async () => {
  for (const [width, lang] of [[1440, "zh"], [390, "en"]]) {
    const page = await t.page({ user: "sysadmin", width, lang });
    await page.goto("/admin/incidents");
    equal((await page.locator("tbody a").first().innerText()).trim(), lang === "en" ? "Approval" : "领导审批", "the step's name");
    equal(await page.locator('.work-nav a[href="/admin/incidents"] .nav-count').count(), 1, "the navigation says that one waits");
    await t.axe(page, "faults");
    await t.shot(page, `incidents-${width}`);
    await page.click("tbody a");
    await t.axe(page, "a fault");
    await t.shot(page, `incident-${width}`);
    if (width === 390) continue;
    await page.fill("#f-reason", "再试一次");
    await page.click("form[action$='/retry'] button");
    ok(await page.locator(".note-amber[role=status]").count(), "not told that it failed again");
    await t.shot(page, "incident-again");
  }
  const page = await t.page({ user: "sysadmin", width: 1440 });
  await page.goto("/admin/incidents");
  await page.click("tbody a");
  await page.fill("#f-variables", '{review: {note: "330225-SCJ-SP"}}');
  await page.fill("#f-reason", "岗位编码写错了");
  await page.click("form[action$='/retry'] button");
  ok(await page.locator(".note-green[role=status]").count(), await page.innerText("main"));
  await t.axe(page, "mended");
  await page.goto("/admin/incidents?all=1");
  await t.shot(page, "incidents-all");
  equal(page.problems.join(), "", "console");
  await complete(number);
  equal((await scj(`/case/${number}`)).state, 4, "not decided");
});

await t.test("applicant and official see the flow drawn, with where the case stands", async () => {
  const seen = await scj(`/case/${number}/flow-state`);
  ok(seen.done.includes("review") && !seen.active.length, JSON.stringify(seen));
  for (const [user, width, lang] of [["scj", 1440, "zh"], ["citizen", 390, "en"]]) {
    const page = await t.page({ user, width, lang });
    await page.goto(`/case/${number}`);
    await page.waitForSelector(".flow-live .djs-container");
    ok(await page.locator(".bjs-powered-by").isVisible(), "the logo is not seen");
    ok(await page.locator(".flow-is-done").count() > 3, "nothing is marked as done");
    await t.axe(page, "case with the flow");
    await t.shot(page, `case-flow-${user}`);
    equal(page.problems.join(), "", "console");
  }
  const still = await t.page({ user: "scj", script: false });
  await still.goto(`/case/${number}`);
  ok(await still.locator(".flow svg").isVisible(), "no drawing without script");
  const other = await t.page({ user: "company" });
  equal((await other.goto(`/case/${number}/flow.bpmn`)).status(), 404, "another's flow");
});

await t.test("which rule made an official come to a decision can be read", async () => {
  const food = await clerk("/window/330225-SCJ-0201", FOOD);
  const id = food.number ?? food.done.number;
  if ((await scj(`/case/${id}`)).state === 1) {
    const lacking = (await clerk(`/case/${id}`)).materials.filter((m) => m.lacking).map((m) => m.code);
    await clerk(`/case/${id}/accept`, { tolerate: lacking, promise: true });
  }
  await complete(id);
  await complete(id, "", zfj);
  const page = await t.page({ user: "scj", width: 1440 });
  await page.goto(`/case/${id}`);
  await page.locator("summary", { hasText: "规则判定的理由" }).click();
  ok((await page.locator(".reason").count()) > 0, "no reason");
  await t.axe(page, "reasons");
  await t.shot(page, "case-reasons");
});

await t.test("running cases move to a new version, which says first what would happen", async () => {
  const moving = await take();
  load((flow) => flow.replaceAll("review", "check"));
  const page = await t.page({ user: "sysadmin", width: 1440 });
  await page.goto(`/admin/items/${CODE}`);
  await page.locator("a", { hasText: "迁移在办件" }).click();
  await page.selectOption("#from", "1");
  await page.selectOption("#to", "2");
  await page.locator(".filters button").click();
  equal(await page.locator("[name='map.review']").inputValue(), "check", "what is proposed");
  await t.axe(page, "what would happen");
  await t.shot(page, "migrate-1440");
  await page.selectOption("[name='map.review']", "");
  await page.click("[value=plan]");
  ok(await page.locator("td .state-red").count(), "a lost token is no refusal");
  await t.shot(page, "migrate-refused");
  await page.selectOption("[name='map.review']", "check");
  await page.fill("#f-reason", "环节改名");
  page.on("dialog", (dialog) => dialog.accept());
  await page.click("[value=run]");
  await page.waitForSelector(".note[role=status]");
  ok((await page.innerText(".note[role=status]")).includes("1"), "nothing moved");
  await t.shot(page, "migrate-done");
  equal((await scj(`/case/${moving}`)).item_version, 2, "version");
  await complete(moving);
  equal((await scj(`/case/${moving}`)).state, 4, "decided in the new version");
  const small = await t.page({ user: "sysadmin", width: 390, lang: "en" });
  await small.goto(`/admin/items/${CODE}/migrate?from=1&to=2`);
  await t.axe(small, "migration on a phone");
  await t.shot(small, "migrate-390");
  equal(page.problems.join(), "", "console");
});

await t.end();
