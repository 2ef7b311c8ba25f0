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

const clerk = await api("clerk"), scj = await api("scj");

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

async function complete(number, note = "") {
  const seen = await scj(`/case/${number}`);
  await scj(`/case/${number}/task`, { act: "complete", id: seen.my_task.id, outcome: "pass", note });
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
           "<bpmn:incoming>to_granted</bpmn:incoming>\n      <bpmn:outgoing>to_end"));
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

await t.end();
