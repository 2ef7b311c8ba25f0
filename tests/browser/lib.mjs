// What the browser tests share: a server of their own with the demo county in a temporary folder, a
// browser, logging in, axe-core, and the lines tests/run reads.
//
//   import { start } from "./lib.mjs";
//   const t = await start();                       // builds data, starts `yizhan serve` and Chromium
//   await t.test("name", async () => { … });       // prints ok or not ok
//   const page = await t.page({ width: 390, lang: "en", user: "clerk" });
//   await t.axe(page, "what");                     // throws with the rules broken
//   await t.end();
//
// Environment: YIZHAN_BIN, YIZHAN_ROOT, TMPDIR (tests/run sets them); SHOTS=folder keeps pictures.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = process.env.YIZHAN_ROOT ?? join(import.meta.dirname, "../..");
const program = process.env.YIZHAN_BIN ?? join(root, "build/yizhan");
const require = createRequire(join(root, "ui/"));
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const PASSWORD = "yizhan-demo-2023";
const START_MS_MAX = 60000;
const STEP_MS_MAX = 20000;

async function serve(data) {
  const server = spawn(program, ["serve", "--data", data, "--listen", "127.0.0.1:0", "--quiet"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const address = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no address: ${said}`)), START_MS_MAX);
    const read = (bytes) => {
      said += bytes;
      const found = said.match(/http:\/\/[\w.[\]:]+:\d+/);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[0].replace("localhost", "127.0.0.1"));
    };
    server.stdout.on("data", read);
    server.stderr.on("data", read);
    server.on("exit", (code) => reject(new Error(`serve ended with ${code}: ${said}`)));
  });
  return { server, address };
}

export async function start({ demo = true } = {}) {
  const folder = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), "browser-"));
  const data = join(folder, "data");
  execFileSync(program, ["init", "--data", data, ...(demo ? ["--demo"] : [])], { stdio: "pipe" });
  const { server, address } = await serve(data);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  let failed = 0;
  const t = {
    address,
    data,
    folder,
    async test(name, body) {
      try {
        await body();
        console.log(`ok ${name}`);
      } catch (problem) {
        failed++;
        const why = String(problem?.message ?? problem).replace(/\s+/g, " ").slice(0, 600);
        console.log(`not ok ${name} - ${why}`);
      }
    },
    // A page of a context of its own: no cookie is shared. Errors of scripts and of the security
    // policy are collected in page.problems.
    async page({ width = 1280, lang = "zh", large = false, user = "", script = true } = {}) {
      const context = await browser.newContext({
        viewport: { width, height: 900 },
        locale: lang === "zh" ? "zh-CN" : "en-GB",
        javaScriptEnabled: script,
        baseURL: address,
        extraHTTPHeaders: { "Accept-Language": lang },
      });
      const page = await context.newPage();
      page.setDefaultTimeout(STEP_MS_MAX);
      page.problems = [];
      page.on("pageerror", (problem) => page.problems.push(problem.message));
      page.on("console", (line) => {
        const text = line.text();
        if (line.type() === "error" && !/the server responded with a status of 4/.test(text)) {
          page.problems.push(text);
        }
      });
      if (large) await page.goto("/?large=1");
      if (user) await t.login(page, user);
      return page;
    },
    async login(page, user, password = PASSWORD) {
      await page.goto("/login");
      await page.fill("#f-login", user);
      await page.fill("#f-password", password);
      await Promise.all([page.waitForURL((url) => url.pathname !== "/login"),
                         page.press("#f-password", "Enter")]);
    },
    // Throws when axe-core finds anything, or the page is wider than its window.
    async axe(page, what = page.url()) {
      await page.evaluate(axeSource).catch(() => page.addScriptTag({ content: axeSource }));
      const { violations } = await page.evaluate(() =>
        window.axe.run(document, { resultTypes: ["violations"] }));
      if (violations.length) {
        const told = violations.map((v) => `${v.id}: ${v.nodes[0].html} (${v.nodes.length})`);
        throw new Error(`${what}: ${told.join("; ")}`);
      }
      const wide = await page.evaluate(() =>
        document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) throw new Error(`${what}: ${wide} px wider than the window`);
    },
    async shot(page, name) {
      if (!process.env.SHOTS) return;
      mkdirSync(process.env.SHOTS, { recursive: true });
      await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), fullPage: true });
    },
    // Chinese characters in what the interface itself says (not in data marked lang="zh-CN").
    async chinese(page) {
      return page.evaluate(() => {
        const found = [];
        const walk = (node) => {
          if (node.nodeType === Node.TEXT_NODE) {
            const text = node.textContent.trim();
            if (/[\u3400-\u9fff]/.test(text)) found.push(text.slice(0, 60));
            return;
          }
          if (node.nodeType !== Node.ELEMENT_NODE) return;
          if (node.matches("script, style, [lang^='zh']") && node !== document.documentElement) return;
          for (const name of ["aria-label", "placeholder", "alt", "title"]) {
            const text = node.getAttribute(name) ?? "";
            if (/[\u3400-\u9fff]/.test(text)) found.push(`${name}=${text.slice(0, 60)}`);
          }
          node.childNodes.forEach(walk);
        };
        walk(document.documentElement);
        return found;
      });
    },
    async end() {
      await browser.close();
      server.removeAllListeners("exit");
      const gone = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGTERM");
      await gone;
      rmSync(folder, { recursive: true, force: true });
      process.exit(failed ? 1 : 0);
    },
  };
  return t;
}

export function equal(got, expected, what) {
  if (got !== expected) throw new Error(`${what}: got ${JSON.stringify(got)}, not ${JSON.stringify(expected)}`);
}

export function ok(condition, what) {
  if (!condition) throw new Error(what);
}
