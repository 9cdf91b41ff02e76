// The page of `examples/service` in a real browser, over its real servers: `node tests/browser/service.mjs PROGRAM [SCREENSHOT]`.
// `.ci/browser` builds the program, sees to the browser, and runs this.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";

import { Browser, until } from "./chromium.mjs";
import { Fleet } from "./fleet.mjs";

const [program, screenshot] = process.argv.slice(2);
assert(program, "usage: node service.mjs PROGRAM [SCREENSHOT]");

const KILLED = "us-east-1", DRAINED = "eu-west-1", LEFT = "ap-south-1";
const row = region => `document.querySelector("tr[data-region='${region}']")`;
const button = (region, action) => `tr[data-region='${region}'] button[data-action='${action}']`;
const say = what => console.log(`ok  ${what}`);

const fleet = await Fleet.start(program, 3);
const browser = await Browser.start();
try {
  await theTokenUnlocksTheButtons();
  const page = await browser.open(fleet.page(1).href);
  await page.look(1200, 760);
  await theAddressBringsTheToken(page);
  await aKilledRegionTurnsRed(page);
  await aDrainedRegionHasNoShare(page);
  await page.until("a trial", `document.querySelector("#events").textContent.includes("a trial failed")`);
  if (screenshot) writeFileSync(screenshot, await page.picture());
  await itFitsAPhoneInTheDark(page);
  await whatIsMendedIsUsedAgain(page);
  await itKeepsToItself(page);
  await itEnds(page);
} finally {
  await browser.end();
}
await theOthersEndWithTheFirst();

async function theTokenUnlocksTheButtons() {
  const page = await browser.open(new URL("/", fleet.page(2)).href);
  await page.until("rows", `document.querySelectorAll("#regions tr").length === 3`);
  assert(await page.ask(`[...document.querySelectorAll("button")].every(button => button.disabled)`), "no token, no buttons");
  await page.click("#token");
  await page.type("a wrong one");
  await page.click(button(LEFT, "drain"));
  await page.until("a refusal", `document.querySelector("#note").textContent.includes("not the token")`);
  await page.ask(`document.querySelector("#token").select()`);
  await page.type(fleet.token);
  await page.click(button(LEFT, "drain"));
  await page.until("drained in instance 2", `${row(LEFT)}.dataset.state === "overridden"`);
  assert.equal((await fleet.health(1, LEFT)).operator_override, false, "what is done to one instance is done to that one");
  await page.click(button(LEFT, "undrain"));
  await page.until("undrained", `${row(LEFT)}.dataset.state === "closed"`);
  assert.equal(await page.ask(`document.querySelectorAll("button.break").length`), 0, "the servers belong to the first instance");
  say("the token unlocks the buttons");
}

async function theAddressBringsTheToken(page) {
  assert.equal(await page.ask("location.hash"), "", "the token does not stay in the address");
  assert.equal(await page.ask(`document.querySelector("#token").value`), fleet.token);
  await page.until("all regions are read", `[...document.querySelectorAll("#regions tr")].filter(row => Number(row.dataset.share) > 0.1).length === 3`);
  await page.until("how far each lags", `[...document.querySelectorAll("#regions tr")].every(row => row.cells[0].textContent.endsWith(" behind"))`);
  await page.until("healthy", `document.querySelector("#status").textContent === "healthy"`);
  say("the address brings the token, and the readers show life");
}

async function aKilledRegionTurnsRed(page) {
  const before = await page.ask(`getComputedStyle(${row(KILLED)}).backgroundColor`);
  await page.click(button(KILLED, "kill"));
  await page.until("its circuit is open", `${row(KILLED)}.dataset.state === "open"`);
  const [red, green] = (await page.ask(`getComputedStyle(${row(KILLED)}).backgroundColor`)).match(/\d+/g).map(Number);
  assert(before === "rgba(0, 0, 0, 0)" && red > green + 20, "it is red, and was not");
  await page.until("the log says so", `document.querySelector("#events").textContent.includes("circuit open")`);
  await page.until("degraded", `document.querySelector("#status").textContent === "degraded"`);
  for (const instance of [1, 2, 3]) {
    await until(`instance ${instance} has opened its circuit`, async () => (await fleet.health(instance, KILLED)).read.state !== "closed");
    assert.equal((await fleet.fetch(instance, "/ready")).status, 200, "two regions are enough");
    assert.match(await (await fleet.fetch(instance, "/metrics")).text(), /^service_http_requests_total\{/m);
    const object = await fleet.fetch(instance, "/objects/hello.txt");
    assert.equal(await object.text(), "hello from every region\n");
    assert.notEqual(object.headers.get("x-served-by"), KILLED);
  }
  say("a killed region turns red, in every instance");
}

async function aDrainedRegionHasNoShare(page) {
  await page.click(button(DRAINED, "drain"));
  await page.until("it is marked", `${row(DRAINED)}.dataset.state === "overridden"`);
  await page.until("its share is 0", `Number(${row(DRAINED)}.dataset.share) === 0 && ${row(DRAINED)}.cells[2].textContent === "0 %"`);
  await page.until("the other has all", `Number(${row(LEFT)}.dataset.share) > 0.8`);
  const [{ attempts }, left] = [await fleet.health(1, DRAINED), await fleet.health(1, LEFT)];
  await until("many reads", async () => (await fleet.health(1, LEFT)).attempts > left.attempts + 50);
  assert.equal((await fleet.health(1, DRAINED)).attempts, attempts, "nothing is sent there");
  say("a drained region's share goes to 0");
}

async function itFitsAPhoneInTheDark(page) {
  await page.look(390, 800, "dark");
  const [width, room] = await page.ask("[document.documentElement.scrollWidth, innerWidth]");
  assert(width <= room, `${width} px wide on a phone of ${room}`);
  const [red] = (await page.ask("getComputedStyle(document.body).backgroundColor")).match(/\d+/g).map(Number);
  assert(red < 60, "it is dark where darkness is wanted");
  await page.look(1200, 760);
  say("it fits a phone, in the dark");
}

async function whatIsMendedIsUsedAgain(page) {
  await page.click(button(KILLED, "revive"));
  await page.click(button(DRAINED, "undrain"));
  for (const region of [KILLED, DRAINED]) {
    await page.until(`${region} is in use again`, `${row(region)}.dataset.state === "closed" && Number(${row(region)}.dataset.share) > 0.1`);
  }
  await page.until("healthy", `document.querySelector("#status").textContent === "healthy"`);
  say("what is mended is used again");
}

async function itKeepsToItself(page) {
  const others = page.requests.filter(url => !url.startsWith(fleet.page(1).origin) && !url.startsWith("data:"));
  assert.deepEqual(others, [], "it asks nobody but its service");
  assert.deepEqual(page.complaints, [], "the console is empty");
  say("it asks nobody but its service, and its console is empty");
}

async function itEnds(page) {
  assert.equal(await fleet.end("SIGINT"), 0, "Ctrl-C is a clean end");
  await page.until("it says so", `document.querySelector("#status").textContent === "unreachable"`);
  say("Ctrl-C ends all instances, though pages listen; the page says that nobody answers");
}

async function theOthersEndWithTheFirst() {
  const short = await Fleet.start(program, 2);
  assert.equal(await short.end("SIGKILL"), "SIGKILL");
  say("the other instances end with the first, however it died");
}
