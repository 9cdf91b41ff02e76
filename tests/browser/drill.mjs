// The page that `examples/drill --html FILE` writes, in a real browser: `node tests/browser/drill.mjs FILE.html [--screenshot PNG]`.
// What it must show is reckoned here from the report inside the file, not taken from the page's own scripts.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { Browser } from "./chromium.mjs";
import { CONTRAST, OVERLAPS, TIMELINES } from "./drill_page.mjs";

const [file, flag, screenshot] = process.argv.slice(2);
assert(file && (!flag || (flag === "--screenshot" && screenshot)), "usage: node drill.mjs FILE.html [--screenshot PNG]");

const text = readFileSync(file, "utf8");
const report = JSON.parse(/<script type="application\/json" id="report">(.*?)<\/script>/s.exec(text)?.[1] ?? assert.fail("there is no report in it"));
const { runs } = report, drawn = runs.filter(run => run.outcome !== "skipped" && run.timeline?.samples?.length);
const say = what => console.log(`ok  ${what}`);
const near = (found, wanted, what, by = 1.5) => assert(Math.abs(found - wanted) <= by, `${what}: ${found}, expected ${wanted}`);
const SETTLED = `[...document.querySelectorAll("svg.timeline")].every(svg => svg.viewBox.baseVal.width === Math.floor(svg.parentNode.getBoundingClientRect().width))`;
const WORDS = { holds: "holds", broken: "broken", not_proven: "not proven", skipped: "skipped", interrupted: "interrupted" };

const browser = await Browser.start();
try {
  const page = await browser.open(pathToFileURL(resolve(file)).href);
  say(`${runs.length} runs, ${text.length >> 10} KiB, loaded and drawn in ${await page.ask("Math.round(performance.getEntriesByType('navigation')[0].loadEventEnd)")} ms`);
  for (const [width, height] of [[1280, 1000], [700, 900]]) for (const scheme of ["light", "dark"]) {
    await page.look(width, height, scheme);
    await page.until("the pictures have the window's width", SETTLED);
    await theVerdictsStandOnTop(page);
    const timelines = await page.ask(TIMELINES);
    assert.equal(timelines.length, drawn.length, "a picture of each run that has samples");
    drawn.forEach((run, index) => theTimelineTellsTheRun(run, timelines[index]));
    await everythingCanBeRead(page, width, scheme);
    if (drawn.length) await valuesStandUnderThePointer(page);
    say(`${scheme}, ${width} px`);
  }
  if (runs.length) await aVerdictLeadsToItsRun(page);
  const others = page.requests.filter(url => !url.startsWith("file:") && !url.startsWith("data:"));
  assert.deepEqual(others, [], "it asks nobody");
  assert.deepEqual(page.complaints, [], "the console is empty");
  if (screenshot) await take(page, screenshot);
} finally {
  await browser.end();
}

async function theVerdictsStandOnTop(page) {
  const rows = await page.ask(`[...document.querySelectorAll("#verdicts tbody tr")].map(row => row.innerText)`);
  assert.equal(rows.length, runs.length, "one row per run");
  runs.forEach((run, index) => {
    for (const part of [WORDS[run.outcome], run.scenario]) assert(rows[index].includes(part), `${part} is missing in: ${rows[index]}`);
    if (run.outcome === "skipped") assert(rows[index].includes(run.skipped_because), `no reason in: ${rows[index]}`);
    const failed = (run.measures ?? []).find(({ name }) => name === "failed");
    if (failed) assert(rows[index].replaceAll("\u00a0", " ").includes(failed.measured), `no failed reads in: ${rows[index]}`);
  });
  const counts = await page.ask(`document.querySelector("#counts").innerText`);
  for (const [outcome, word] of Object.entries(WORDS)) {
    const many = runs.filter(run => run.outcome === outcome).length;
    if (many) assert(counts.includes(`${many} ${word}`), `${many} ${word} is missing in: ${counts}`);
  }
  const said = await page.ask(`document.querySelector("#overall").innerText`);
  assert.equal(said.includes("✓"), runs.some(run => run.outcome === "holds") && runs.every(run => ["holds", "skipped"].includes(run.outcome)), `overall: ${said}`);
}

function theTimelineTellsTheRun(run, { left, right, end, panels, texts }) {
  const { samples } = run.timeline, name = what => `${run.scenario}: ${what}`, x = at => left + (right - left) * at / end;
  assert.deepEqual(Object.keys(panels), ["shares", "circuits", "latency", "reads"], name("the four panels"));
  assert(right - left > 300 && end >= samples.at(-1).at_s - 1e-6, name("the axis has room for all samples"));
  for (const [which, { box }] of Object.entries(panels)) assert(box.width > (right - left) * 0.9 && box.height > 15, name(`${which} is drawn: ${JSON.stringify(box)}`));

  const sums = samples.map(({ requests }) => requests.reduce((all, one) => all + one, 0)), asked = sums.filter(Boolean).length;
  assert.equal(panels.shares.areas.length, run.regions.length, name("an area per region"));
  run.regions.forEach((region, index) => {
    const { steps, heights, fill } = panels.shares.areas[index];
    assert.equal(steps, asked, name(`the points of ${region}'s share`));
    assert(fill && fill !== "none" && !fill.startsWith("rgba"), name(`the colour of ${region}: ${fill}`));
    const shares = samples.map(({ requests }, at) => requests[index] / sums[at]).filter((_, at) => sums[at]);
    shares.forEach((share, at) => near(heights[at], share * panels.shares.plot, name(`share ${at} of ${region}`)));
  });

  for (const region of run.regions) {
    const bands = panels.circuits.bands.filter(band => band.region === region).sort((a, b) => a.x - b.x);
    near(bands[0]?.x, left, name(`the circuit of ${region} from the beginning`));
    near(Math.max(...bands.map(band => band.x + band.width)), right, name(`the circuit of ${region} to the end`), 2.5);
    near(bands.reduce((all, band) => all + band.width, 0), right - left, name(`the circuit of ${region} without gaps`), 2.5 * bands.length);
    for (const { after_s: at, to } of (run.circuits ?? []).filter(change => change.region === region && change.to.toLowerCase() === "open" && change.after_s < end)) {
      assert(bands.some(band => band.state === "open" && band.x <= x(at) + 1.5 && band.x + band.width >= x(at) - 1.5), name(`${region} ${to} at ${at}`));
    }
  }
  assert.equal(new Set(panels.circuits.bands.map(band => `${band.state} ${band.height}`)).size, new Set(panels.circuits.bands.map(band => band.state)).size, name("each state has its own height"));

  for (const line of ["p50", "p99"]) {
    assert.equal(panels.latency[line].points, samples.filter(sample => sample[`${line}_ms`] != null).length, name(`the points of ${line}`));
  }
  for (const [at, sample] of samples.filter(sample => sample.p99_ms != null).entries()) {
    const [first] = samples.filter(other => other.p99_ms != null), higher = Math.sign(Math.round((sample.p99_ms / first.p99_ms - 1) * 20));
    if (higher) assert.equal(Math.sign(panels.latency.p99.ys[0] - panels.latency.p99.ys[at]), higher, name(`p99 of sample ${at}: more is higher`));
  }
  assert.equal(panels.reads.steps, samples.length, name("the points of the reads"));
  assert.equal(panels.reads.failed, samples.filter(sample => sample.failed).length, name("a mark for each sample with failures"));
  assert.equal(panels.reads.wrong, samples.filter(sample => sample.wrong).length, name("a mark for each sample with wrong bytes"));
  theFaultsAreShaded(run, panels, x, end, name);
  const missing = run.phases.slice(0, 3).filter(({ phase }) => !texts.includes(phase)).map(({ phase }) => phase);
  assert.deepEqual(missing, [], name("the phases are named"));
  if (run.faults.length) assert(texts.some(text => text.includes(run.faults[0].fault)), name(`the fault is named: ${run.faults[0].fault}`));
  assert(texts.some(text => /^\d+ m?s$/.test(text)) && texts.includes("0 s") && texts.includes("100 %"), name("the axes have units"));
}

function theFaultsAreShaded(run, panels, x, end, name) {
  const spans = run.faults.map(fault => [fault.began_s, fault.ended_s ?? end]), grid = 2000;
  const wanted = Array.from({ length: grid }, (_, at) => (at + 0.5) * end / grid).filter(at => spans.some(([began, ended]) => at >= began && at < ended)).length / grid;
  for (const [which, { shades, plotWidth }] of Object.entries(panels)) {
    for (const [began, ended] of spans) {
      assert(shades.some(shade => shade.x <= x(began) + 1 && shade.x + shade.width >= x(ended) - 1), name(`${which} is shaded from ${began} to ${ended}`));
    }
    near(shades.reduce((all, shade) => all + shade.width, 0) / plotWidth, wanted, name(`${which} is shaded nowhere else`), 0.01 + 0.002 * spans.length);
  }
}

async function everythingCanBeRead(page, width, scheme) {
  const wide = await page.ask("document.documentElement.scrollWidth");
  assert(wide <= width, `${wide} px wide in a window of ${width}`);
  const dark = (await page.ask("getComputedStyle(document.body).backgroundColor")).match(/\d+/g).map(Number)[0] < 60;
  assert.equal(dark, scheme === "dark", "the scheme that the reader has chosen");
  const { seen, faint } = await page.ask(CONTRAST);
  assert(seen > 20, `only ${seen} texts`);
  assert.deepEqual(faint, [], "a contrast of 4.5 at least");
  assert.deepEqual(await page.ask(OVERLAPS), [], "no text touches another or leaves the picture");
}

async function valuesStandUnderThePointer(page) {
  const [run] = drawn, tip = `document.querySelector("figure .tip")`;
  const place = await page.ask(`(() => { const svg = document.querySelector("svg.timeline"); svg.scrollIntoView({ block: "center", behavior: "instant" });
    const { x, y, height } = svg.getBoundingClientRect(); return { x, y: y + height / 2, left: Number(svg.dataset.left), right: Number(svg.dataset.right), end: Number(svg.dataset.end) }; })()`);
  const look = async at => {
    await page.send("Input.dispatchMouseEvent", { type: "mouseMoved", x: place.x + place.left + (place.right - place.left) * at / place.end, y: place.y });
    return page.ask(`[${tip}.hidden, ${tip}.innerText, document.querySelector("svg.timeline .cross").getAttribute("d")]`);
  };
  const told = [];
  for (const index of [0, run.timeline.samples.length - 1]) {
    const sample = run.timeline.samples[index], [hidden, words, cross] = await look(sample.at_s - run.timeline.step_s / 2);
    assert(!hidden && cross, `the values of sample ${index} show`);
    for (const part of [...run.regions, `${sample.at_s.toFixed(2)} s`, `${sample.failed} failed`]) assert(words.includes(part), `${part} is missing in: ${words}`);
    told.push(cross);
  }
  assert.deepEqual((await page.ask(CONTRAST)).faint, [], "the values can be read too");
  assert(told.length < 2 || run.timeline.samples.length < 2 || told[0] !== told[1], "the line goes with the pointer");
  await page.send("Input.dispatchMouseEvent", { type: "mouseMoved", x: 1, y: 1 });
  await page.until("they go with the pointer", `${tip}.hidden`);
  await page.ask(`document.querySelector("svg.timeline").focus()`);
  await page.send("Input.dispatchKeyEvent", { type: "keyDown", key: "ArrowRight", code: "ArrowRight" });
  await page.until("and come by the keyboard", `!${tip}.hidden`);
  await page.ask(`document.activeElement.blur()`);
}

async function aVerdictLeadsToItsRun(page) {
  await page.click("#verdicts tbody tr:last-child a");
  const last = `document.querySelector("#runs > section:last-child")`;
  await page.until("the last run", `location.hash === "#" + ${last}.id && (() => { const { top } = ${last}.getBoundingClientRect();
    return top >= 0 && top < innerHeight; })()`);
  assert.equal(await page.ask(`${last}.dataset.scenario`), runs.at(-1).scenario);
  const folds = await page.ask(`(() => { const all = [...document.querySelectorAll("details")]; all.forEach(one => { one.open = true; }); return all.length; })()`);
  await page.until("the tables unfold", `[...document.querySelectorAll("details")].filter(one => one.querySelector("td")).length === ${folds}`);
  await page.ask(`document.querySelectorAll("details").forEach(one => { one.open = false; })`);
  say("a verdict leads to its run, and the tables unfold");
}

/// From the top to the end of the first run's picture.
async function take(page, screenshot) {
  await page.send("Input.dispatchMouseEvent", { type: "mouseMoved", x: 1, y: 1 });
  await page.look(1280, 1000);
  await page.until("the picture has the window's width", SETTLED);
  await page.ask(`scrollTo({ top: 0, behavior: "instant" })`);
  const bottom = await page.ask(`(document.querySelector("figure") ?? document.body).getBoundingClientRect().bottom`);
  await page.look(1280, Math.min(1800, Math.ceil(bottom) + 16));
  writeFileSync(screenshot, await page.picture());
  say(`a picture in ${screenshot}`);
}
