// The page of the service in a real browser: `node tests/browser/service.mjs PROGRAM [SCREENSHOT]`.
// `.ci/browser` builds the program, installs the browser, and runs this.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";

import { Browser, waitFor } from "./chromium.mjs";
import { Fleet } from "./fleet.mjs";

const [program, screenshot] = process.argv.slice(2);
assert(program, "usage: node service.mjs PROGRAM [SCREENSHOT]");

const KILLED = "us-east-1", DRAINED = "eu-west-1", OTHER = "ap-south-1";
const TRANSPARENT = "rgba(0, 0, 0, 0)";
const row = region => `document.querySelector("tr[data-region='${region}']")`;
const rows = `[...document.querySelectorAll("#regions tr")]`;
const button = (region, action) => `tr[data-region='${region}'] button[data-action='${action}']`;
const statusIs = status => `document.querySelector("#status").textContent === "${status}"`;
const eventsHave = text => `document.querySelector("#events").textContent.includes("${text}")`;
const background = async (page, element) => {
  const color = await page.evaluate(`getComputedStyle(${element}).backgroundColor`);
  return { color, channels: color.match(/\d+/g).map(Number) };
};
const report = what => console.log(`ok  ${what}`);

const fleet = await Fleet.start(program, 3);
const browser = await Browser.start();
try {
  await tokenEnablesTheButtons();
  const page = await browser.open(fleet.page(1).href);
  await page.setViewport(1200, 760);
  await urlFragmentHoldsTheToken(page);
  await killedRegionIsRed(page);
  await drainedRegionHasNoShare(page);
  await page.waitFor("a failed trial", eventsHave("trial failed"));
  if (screenshot) writeFileSync(screenshot, await page.screenshot());
  await pageFitsAPhone(page);
  await recoveredRegionsAreUsed(page);
  await pageIsSelfContained(page);
  await interruptStopsAllInstances(page);
} finally {
  await browser.close();
}
await instancesStopWithTheFirst();

async function tokenEnablesTheButtons() {
  const page = await browser.open(new URL("/", fleet.page(2)).href);
  await page.waitFor("rows", `${rows}.length === 3`);
  const disabled = `[...document.querySelectorAll("button")].every(button => button.disabled)`;
  assert(await page.evaluate(disabled), "buttons are enabled without a token");
  await page.click("#token");
  await page.type("another");
  await page.click(button(OTHER, "drain"));
  const note = `document.querySelector("#note").textContent`;
  await page.waitFor("a rejection", `${note}.includes("wrong token")`);
  await page.evaluate(`document.querySelector("#token").select()`);
  await page.type(fleet.token);
  await page.click(button(OTHER, "drain"));
  await page.waitFor("drained in instance 2", `${row(OTHER)}.dataset.state === "overridden"`);
  const { override_active } = await fleet.health(1, OTHER);
  assert.equal(override_active, null, "the override affects another instance");
  await page.click(button(OTHER, "undrain"));
  await page.waitFor("undrained", `${row(OTHER)}.dataset.state === "closed"`);
  const serverButtons = await page.evaluate(`document.querySelectorAll("button.break").length`);
  assert.equal(serverButtons, 0, "the demo servers belong to the first instance");
  report("the token enables the buttons");
}

async function urlFragmentHoldsTheToken(page) {
  assert.equal(await page.evaluate("location.hash"), "", "the token stays in the URL");
  assert.equal(await page.evaluate(`document.querySelector("#token").value`), fleet.token);
  const read = `${rows}.filter(row => Number(row.dataset.share) > 0.1).length === 3`;
  await page.waitFor("reads in all regions", read);
  const lags = `${rows}.every(row => /lag [\\d.]+ m?s$/.test(row.cells[0].textContent))`;
  await page.waitFor("the replication lag of each region", lags);
  await page.waitFor("healthy", statusIs("healthy"));
  report("the URL fragment holds the token, and the readers give load");
}

async function killedRegionIsRed(page) {
  const before = await background(page, row(KILLED));
  await page.click(button(KILLED, "kill"));
  await page.waitFor("its circuit is open", `${row(KILLED)}.dataset.state === "open"`);
  const [red, green] = (await background(page, row(KILLED))).channels;
  assert(before.color === TRANSPARENT && red > green + 20, "it is not red, or was before");
  await page.waitFor("an event of the server", eventsHave("demo server killed"));
  await page.waitFor("an event of the circuit", eventsHave("circuit open"));
  await page.waitFor("degraded", statusIs("degraded"));
  for (const instance of [1, 2, 3]) await assertServesWithoutKilled(instance);
  report("a killed region is red, in every instance");
}

async function assertServesWithoutKilled(instance) {
  const isOpen = async () => (await fleet.health(instance, KILLED)).read.state !== "closed";
  await waitFor(`instance ${instance} has opened its circuit`, isOpen);
  const ready = await fleet.fetch(instance, "/ready");
  assert.equal(ready.status, 200, "two regions are enough");
  const metrics = await (await fleet.fetch(instance, "/metrics")).text();
  assert.match(metrics, /^service_http_requests_total\{/m);
  const object = await fleet.fetch(instance, "/objects/hello.txt");
  assert.equal(await object.text(), "hello from every region\n");
  assert.notEqual(object.headers.get("x-served-by"), KILLED);
}

async function drainedRegionHasNoShare(page) {
  await page.click(button(DRAINED, "drain"));
  await page.waitFor("it is marked", `${row(DRAINED)}.dataset.state === "overridden"`);
  const share = `${row(DRAINED)}.dataset.share`;
  const shareText = `${row(DRAINED)}.cells[2].textContent`;
  await page.waitFor("share 0", `Number(${share}) === 0 && ${shareText} === "0 %"`);
  await page.waitFor("all in the other", `Number(${row(OTHER)}.dataset.share) > 0.8`);
  const { attempts } = await fleet.health(1, DRAINED);
  const other = await fleet.health(1, OTHER);
  const hasRead = async () => (await fleet.health(1, OTHER)).attempts > other.attempts + 50;
  await waitFor("50 reads", hasRead);
  assert.equal((await fleet.health(1, DRAINED)).attempts, attempts, "it is still sent requests");
  report("a drained region's share is 0");
}

async function pageFitsAPhone(page) {
  await page.setViewport(390, 800, "dark");
  const sizes = "[document.documentElement.scrollWidth, innerWidth]";
  const [width, viewport] = await page.evaluate(sizes);
  assert(width <= viewport, `${width} px wide in a viewport of ${viewport} px`);
  const [red] = (await background(page, "document.body")).channels;
  assert(red < 60, "it is not dark in the dark colour scheme");
  await page.setViewport(1200, 760);
  report("the page fits a phone, in the dark colour scheme");
}

async function recoveredRegionsAreUsed(page) {
  await page.click(button(KILLED, "revive"));
  await page.click(button(DRAINED, "undrain"));
  for (const region of [KILLED, DRAINED]) {
    const dataset = `${row(region)}.dataset`;
    const used = `${dataset}.state === "closed" && Number(${dataset}.share) > 0.1`;
    await page.waitFor(`${region} is in use again`, used);
  }
  await page.waitFor("healthy", statusIs("healthy"));
  report("recovered regions are used again");
}

async function pageIsSelfContained(page) {
  const { origin } = fleet.page(1);
  const isExternal = url => !url.startsWith(origin) && !url.startsWith("data:");
  assert.deepEqual(page.requests.filter(isExternal), [], "requests to other origins");
  assert.deepEqual(page.errors, [], "errors in the console");
  report("the page makes no external requests, and its console has no errors");
}

async function interruptStopsAllInstances(page) {
  assert.equal(await fleet.stop("SIGINT"), 0, "exit code after Ctrl-C");
  await page.waitFor("the page reports it", statusIs("unreachable"));
  report("Ctrl-C stops all instances despite open pages; the page reports it");
}

async function instancesStopWithTheFirst() {
  const second = await Fleet.start(program, 2);
  assert.equal(await second.stop("SIGKILL"), "SIGKILL");
  report("the other instances stop when the first is killed");
}
