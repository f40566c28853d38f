// The dashboard in a real Chromium. `PERENNIAL_BIN`: the demo of that binary; `PERENNIAL_URL` (and `PERENNIAL_TOKEN`): a
// server that runs; neither: the page's development server. Screenshots go to `SCREENSHOTS`, if it is set.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { startServer } from "./server.mjs";

// The packages may be installed elsewhere: a checkout stays clean.
const require = createRequire(process.env.NODE_PACKAGES ? `${process.env.NODE_PACKAGES}/` : import.meta.url);
const { chromium } = require("playwright-core");
const AXE = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
const SOON = 20_000;
/** The demo's first drift comes, is found and answered within 30 s; a slow machine gets three times that. */
const STORY = 90_000;

let server;
let browser;
const pages = [];
const complaints = [];

before(async () => {
  server = await startServer();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
});
after(async () => {
  await browser?.close();
  await server?.end();
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close();
  assert.deepEqual(complaints.splice(0), [], "the page broke its own rules");
});

async function open({ width = 1280, height = 900, scheme = "light", hash = "" } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await context.newPage();
  pages.push(page);
  page.setDefaultTimeout(SOON);
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) complaints.push(message.text());
  });
  await page.goto(`${server.url}/${hash}`);
  await page.waitForSelector('.link[data-link="live"]');
  return page;
}

const badges = (page, kind) => page.locator(`.lane[data-kind="${kind}"] .badge`);
const model = async () => (await (await fetch(`${server.url}/api/models`)).json()).models[0];

async function shot(page, name) {
  if (!process.env.SCREENSHOTS) return;
  await mkdir(process.env.SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });
}

test("a drift appears while one looks, then the promotion, in timeline and log", async () => {
  const page = await open();
  await page.waitForFunction(() => document.querySelectorAll(".log li").length >= 0);
  const before = await badges(page, "drift").count();
  await page.waitForFunction((n) => document.querySelectorAll('.lane[data-kind="drift"] .badge').length > n, before, {
    timeout: STORY,
  });
  await page.waitForFunction(() => document.querySelectorAll('.lane[data-kind="promotion"] .badge').length > 0, null, {
    timeout: STORY,
  });
  const log = await page.locator(".log").innerText();
  assert.match(log, /Drift\b/);
  assert.match(log, /takes over from/);
  if (server.kind !== "running")
    assert.ok((await badges(page, "known").count()) > 0, "the demo's own changes are marked");
  assert.match(await page.locator("#accuracy .legend").innerText(), /rolling\s*\d/);
  const drawn = await page.locator("#accuracy canvas").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
  });
  assert.ok(drawn > 1_000, `only ${drawn} pixels of the chart are drawn`);
  await shot(page, "story");
});

test("a roll-back is refused without the token, works with it, and is undone by following", async () => {
  const page = await open();
  await page.waitForSelector(".versions tbody tr", { timeout: STORY });
  const back = page.locator(".versions tbody button:visible").last();
  const version = Number((await back.getAttribute("aria-label")).replace(/\D/g, ""));
  await back.click();
  const dialog = page.locator("dialog");
  const confirm = dialog.getByRole("button", { name: "Roll back" });
  if (server.token !== "") {
    await confirm.click();
    await page.waitForFunction(() => document.querySelector("dialog .trouble").textContent.length > 0);
    assert.match(await dialog.locator(".trouble").innerText(), /token/i);
    assert.ok("follow" in (await model()).live, "refused, yet done");
    await shot(page, "refused");
    await dialog.getByLabel("Token").fill(server.token);
  }
  await confirm.click();
  await page.waitForSelector("#health-serving[data-pinned]");
  assert.deepEqual((await model()).live, { pinned: version });
  assert.equal((await page.locator("#health-serving .value").innerText()).replace(/\D/g, ""), String(version));
  await page.waitForFunction(() => document.querySelectorAll('.lane[data-kind="serving"] .badge').length > 0);
  assert.deepEqual(await page.evaluate(() => Object.values(localStorage)), [], "the token stays in the tab");
  await shot(page, "pinned");

  await page.getByRole("button", { name: "Follow the champion" }).click();
  await dialog.getByRole("button", { name: "Follow" }).click();
  await page.waitForSelector("#health-serving:not([data-pinned])");
  assert.ok("follow" in (await model()).live);
});

test("what the answer is made of: parts of members and inputs, beside each other", async () => {
  const page = await open();
  const card = page.locator(".members");
  const scores = (await model()).scores.find((x) => x.role === "champion");
  if (!scores.members && !scores.inputs) {
    assert.ok(await card.isHidden(), "nothing to say, yet said");
    return;
  }
  await card.scrollIntoViewIfNeeded();
  if (scores.members) {
    await page.waitForFunction(() => document.querySelectorAll(".members .spark path[d^='M']").length > 0);
    const parts = await card.locator("tbody").first().locator("tr").allInnerTexts();
    assert.ok(parts.length > 1 && parts.every((row) => /\d+\.\d %/.test(row)), parts.join("; "));
    assert.match(await card.locator(".hint").innerText(), /^Now: \d+ % /);
  }
  const inputs = await card.locator("tbody").last().locator("tr").allInnerTexts();
  assert.match(inputs[0], /\d+\.\d %/);
  await shot(page, "members");
});

test("keys move the cursor, rows of the log move the charts, the address opens at a moment", async () => {
  const page = await open();
  const row = page.locator(".log button").last();
  await row.waitFor({ timeout: STORY });
  const plot = page.locator("#accuracy .plot");
  await plot.focus();
  const now = async () => Number(await plot.getAttribute("aria-valuenow"));
  for (const key of ["ArrowLeft", "ArrowLeft", "ArrowLeft"]) await page.keyboard.press(key);
  await page.waitForSelector(".lane-cursor:visible");
  await page.waitForTimeout(400);
  const there = await now();
  await page.keyboard.press("ArrowLeft");
  await page.waitForFunction(
    (n) => Number(document.querySelector("#accuracy .plot").getAttribute("aria-valuenow")) < n,
    there,
  );

  await row.focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => /at=\d+/.test(location.hash));
  const hash = new URL(page.url()).hash;
  const at = Number(new URLSearchParams(hash.slice(1)).get("at"));
  const other = await open({ hash });
  await other.waitForFunction(
    (ms) => Math.abs(Number(document.querySelector("#loss .plot").getAttribute("aria-valuenow")) - ms) < 5_000,
    at,
  );
  await other.getByRole("button", { name: "Back to now" }).click();
  await other.waitForFunction(
    (ms) => Number(document.querySelector("#loss .plot").getAttribute("aria-valuemax")) > ms,
    Date.now() - 10_000,
  );
});

test("a hidden page rests, a paused one stands still, both go on", async () => {
  const page = await open();
  const hide = (hidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  const events = () => page.locator("#accuracy .plot").getAttribute("aria-valuemax").then(Number);
  const stream = (request) => request.url().includes("/api/stream");
  // Before its first event a stream has no place to go on from.
  const loaded = await events();
  await page.waitForFunction(
    (n) => Number(document.querySelector("#accuracy .plot").getAttribute("aria-valuemax")) > n,
    loaded,
  );
  const closed = page.waitForEvent("requestfailed", stream);
  await hide(true);
  await page.waitForSelector('.link[data-link="hidden"]', { state: "attached" });
  await closed;
  const opened = page.waitForRequest(stream);
  await hide(false);
  assert.match((await (await opened).allHeaders())["last-event-id"] ?? "", /^\d+$/, "it goes on where it stopped");
  await page.waitForSelector('.link[data-link="live"]');
  await page.getByRole("button", { name: "Pause" }).click();
  await page.waitForSelector('.link[data-link="paused"]');
  const stopped = await events();
  await page.waitForTimeout(1_200);
  assert.equal(await events(), stopped);
  await page.getByRole("button", { name: "Resume" }).click();
  await page.waitForFunction(
    (n) => Number(document.querySelector("#accuracy .plot").getAttribute("aria-valuemax")) > n,
    stopped,
  );
});

test("where there is no stream the page asks every two seconds", async () => {
  const page = await open();
  await page.route("**/api/stream*", (route) =>
    route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"detail":"too many streams"}' }),
  );
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.waitForSelector('.link[data-link="polling"]');
  assert.match(await page.locator(".banner").innerText(), /too many streams/);
  const newest = await page.locator("#accuracy .plot").getAttribute("aria-valuemax").then(Number);
  await page.waitForFunction(
    (n) => Number(document.querySelector("#accuracy .plot").getAttribute("aria-valuemax")) > n + 1_500,
    newest,
  );
  await page.unroute("**/api/stream*");
  await page.waitForSelector('.link[data-link="live"]');
});

for (const scheme of ["light", "dark"]) {
  test(`axe finds nothing in the ${scheme} theme, with a table and the dialog open`, async () => {
    const page = await open({ scheme });
    await page.waitForSelector(".versions tbody tr", { timeout: STORY });
    await page.getByRole("button", { name: "Throughput as a table" }).click();
    const violations = async () => {
      await page.evaluate(AXE);
      const { violations: found } = await page.evaluate(() =>
        globalThis.axe.run(document, { resultTypes: ["violations"] }),
      );
      return found.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join(" | ")}`);
    };
    assert.deepEqual(await violations(), []);
    await shot(page, `wide-${scheme}`);
    await page.locator(".versions tbody button:visible").first().click();
    assert.deepEqual(await violations(), []);
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const bright = background
      .match(/\d+/g)
      .slice(0, 3)
      .every((value) => Number(value) > 128);
    assert.equal(bright, scheme === "light", background);
  });

  test(`nothing scrolls sideways on a phone, ${scheme}`, async () => {
    for (const width of [360, 390]) {
      const page = await open({ width, height: 844, scheme });
      await page.waitForSelector(".learners tbody tr");
      await page.waitForTimeout(600);
      const [wide, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= inner, `${wide} px wide on a screen of ${inner}`);
      await shot(page, `phone-${width}-${scheme}`);
    }
  });
}

test("after a restart of the server the page comes back by itself", async (t) => {
  if (server.start === undefined) return t.skip("the server at PERENNIAL_URL is not ours to restart");
  const page = await open();
  await server.stop();
  await page.waitForSelector('.link[data-link="offline"]');
  assert.match(await page.locator(".banner").innerText(), /Reconnecting/);
  const down = Date.now();
  await server.start();
  await page.waitForSelector('.link[data-link="live"]', { timeout: SOON });
  await page.waitForFunction(
    (ms) => Number(document.querySelector("#accuracy .plot").getAttribute("aria-valuemax")) > ms,
    down,
    { timeout: SOON },
  );
  await page.waitForSelector(".banner", { state: "hidden" });
});
