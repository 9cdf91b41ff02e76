// Checks the page of `failover-drill --html FILE` in a browser:
// `node tests/browser/drill.mjs FILE.html [--screenshot PNG]`.
// The expected content is computed from the report in the file, not by the scripts of the page.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { Browser } from "./chromium.mjs";
import { CONTRAST, OVERLAPS, TIMELINES } from "./drill_page.mjs";

const [file, flag, screenshot] = process.argv.slice(2);
assert(
  file && (!flag || (flag === "--screenshot" && screenshot)),
  "usage: node drill.mjs FILE.html [--screenshot PNG]",
);

const text = readFileSync(file, "utf8");
const report = JSON.parse(
  /<script type="application\/json" id="report">(.*?)<\/script>/s.exec(text)?.[1] ??
    assert.fail("the file has no report"),
);
const { runs } = report,
  drawn = runs.filter(run => run.outcome !== "skipped" && run.timeline?.samples?.length);
const say = what => console.log(`ok  ${what}`);
const near = (found, wanted, what, by = 1.5) =>
  assert(Math.abs(found - wanted) <= by, `${what}: ${found}, expected ${wanted}`);
const SETTLED = `[...document.querySelectorAll("svg.timeline")].every(svg =>
  svg.viewBox.baseVal.width === Math.floor(svg.parentNode.getBoundingClientRect().width))`;
const WORDS = {
  holds: "holds",
  broken: "broken",
  not_proven: "not proven",
  skipped: "skipped",
  interrupted: "interrupted",
};

const browser = await Browser.start();
try {
  const page = await browser.open(pathToFileURL(resolve(file)).href);
  const loaded = await page.evaluate(
    "Math.round(performance.getEntriesByType('navigation')[0].loadEventEnd)",
  );
  say(`${runs.length} runs, ${text.length >> 10} KiB, loaded and drawn in ${loaded} ms`);
  for (const [width, height] of [
    [1280, 1000],
    [700, 900],
  ])
    for (const scheme of ["light", "dark"]) {
      await page.setViewport(width, height, scheme);
      await page.waitFor("the charts have the width of the window", SETTLED);
      await checkVerdicts(page);
      const timelines = await page.evaluate(TIMELINES);
      assert.equal(timelines.length, drawn.length, "a chart of each run with samples");
      drawn.forEach((run, index) => checkTimeline(run, timelines[index]));
      await checkReadability(page, width, scheme);
      if (drawn.length) await checkTooltip(page);
      say(`${scheme}, ${width} px`);
    }
  if (runs.length) await checkLinks(page);
  const others = page.requests.filter(url => !url.startsWith("file:") && !url.startsWith("data:"));
  assert.deepEqual(others, [], "the page loads nothing");
  assert.deepEqual(page.errors, [], "the console is empty");
  if (screenshot) await take(page, screenshot);
} finally {
  await browser.close();
}

async function checkVerdicts(page) {
  const rows = await page.evaluate(
    `[...document.querySelectorAll("#verdicts tbody tr")].map(row => row.innerText)`,
  );
  assert.equal(rows.length, runs.length, "one row per run");
  runs.forEach((run, index) => {
    for (const part of [WORDS[run.outcome], run.scenario])
      assert(rows[index].includes(part), `${part} is missing in: ${rows[index]}`);
    if (run.outcome === "skipped")
      assert(rows[index].includes(run.skipped_because), `no reason in: ${rows[index]}`);
    const failed = (run.measures ?? []).find(({ name }) => name === "failed");
    if (failed)
      assert(
        rows[index].replaceAll("\u00a0", " ").includes(failed.measured),
        `the failed reads are missing in: ${rows[index]}`,
      );
  });
  const counts = await page.evaluate(`document.querySelector("#counts").innerText`);
  for (const [outcome, word] of Object.entries(WORDS)) {
    const many = runs.filter(run => run.outcome === outcome).length;
    if (many)
      assert(counts.includes(`${many} ${word}`), `${many} ${word} is missing in: ${counts}`);
  }
  const overall = await page.evaluate(`document.querySelector("#overall").innerText`);
  assert.equal(
    overall.includes("✓"),
    runs.some(run => run.outcome === "holds") &&
      runs.every(run => ["holds", "skipped"].includes(run.outcome)),
    `overall: ${overall}`,
  );
}

function checkTimeline(run, { left, right, end, panels, texts }) {
  const { samples } = run.timeline,
    name = what => `${run.scenario}: ${what}`,
    x = at => left + ((right - left) * at) / end;
  assert.deepEqual(
    Object.keys(panels),
    ["shares", "circuits", "latency", "reads"],
    name("the four panels"),
  );
  assert(
    right - left > 300 && end >= samples.at(-1).at_s - 1e-6,
    name("the axis covers all samples"),
  );
  for (const [which, { box }] of Object.entries(panels))
    assert(
      box.width > (right - left) * 0.9 && box.height > 15,
      name(`${which} is drawn: ${JSON.stringify(box)}`),
    );

  const sums = samples.map(({ requests }) => requests.reduce((all, one) => all + one, 0)),
    asked = sums.filter(Boolean).length;
  assert.equal(panels.shares.areas.length, run.regions.length, name("an area per region"));
  run.regions.forEach((region, index) => {
    const { steps, heights, fill } = panels.shares.areas[index];
    assert.equal(steps, asked, name(`the points of the share of ${region}`));
    assert(
      fill && fill !== "none" && !fill.startsWith("rgba"),
      name(`the colour of ${region}: ${fill}`),
    );
    const shares = samples
      .map(({ requests }, at) => requests[index] / sums[at])
      .filter((_, at) => sums[at]);
    shares.forEach((share, at) =>
      near(heights[at], share * panels.shares.plot, name(`share ${at} of ${region}`)),
    );
  });

  for (const region of run.regions) {
    const bands = panels.circuits.bands
      .filter(band => band.region === region)
      .sort((a, b) => a.x - b.x);
    near(bands[0]?.x, left, name(`the circuit of ${region} from the start`));
    near(
      Math.max(...bands.map(band => band.x + band.width)),
      right,
      name(`the circuit of ${region} to the end`),
      2.5,
    );
    near(
      bands.reduce((all, band) => all + band.width, 0),
      right - left,
      name(`the circuit of ${region} without gaps`),
      2.5 * bands.length,
    );
    for (const { after_s: at, to } of (run.circuits ?? []).filter(
      change =>
        change.region === region && change.to.toLowerCase() === "open" && change.after_s < end,
    )) {
      assert(
        bands.some(
          band =>
            band.state === "open" && band.x <= x(at) + 1.5 && band.x + band.width >= x(at) - 1.5,
        ),
        name(`${region} ${to} at ${at}`),
      );
    }
  }
  assert.equal(
    new Set(panels.circuits.bands.map(band => `${band.state} ${band.height}`)).size,
    new Set(panels.circuits.bands.map(band => band.state)).size,
    name("each state has its own height"),
  );

  for (const line of ["p50", "p99"]) {
    assert.equal(
      panels.latency[line].points,
      samples.filter(sample => sample[`${line}_ms`] != null).length,
      name(`the points of ${line}`),
    );
  }
  for (const [at, sample] of samples.filter(sample => sample.p99_ms != null).entries()) {
    const [first] = samples.filter(other => other.p99_ms != null),
      higher = Math.sign(Math.round((sample.p99_ms / first.p99_ms - 1) * 20));
    if (higher)
      assert.equal(
        Math.sign(panels.latency.p99.ys[0] - panels.latency.p99.ys[at]),
        higher,
        name(`p99 of sample ${at}: more is higher`),
      );
  }
  assert.equal(panels.reads.steps, samples.length, name("the points of the reads"));
  assert.equal(
    panels.reads.failed,
    samples.filter(sample => sample.failed).length,
    name("a mark for each sample with failures"),
  );
  assert.equal(
    panels.reads.wrong,
    samples.filter(sample => sample.wrong).length,
    name("a mark for each sample with wrong bytes"),
  );
  checkShades(run, panels, x, end, name);
  const missing = run.phases
    .slice(0, 3)
    .filter(({ phase }) => !texts.includes(phase))
    .map(({ phase }) => phase);
  assert.deepEqual(missing, [], name("labels of the phases"));
  if (run.faults.length)
    assert(
      texts.some(text => text.includes(run.faults[0].fault)),
      name(`label of the fault: ${run.faults[0].fault}`),
    );
  assert(
    texts.some(text => /^\d+ m?s$/.test(text)) && texts.includes("0 s") && texts.includes("100 %"),
    name("the axes have units"),
  );
}

function checkShades(run, panels, x, end, name) {
  const spans = run.faults.map(fault => [fault.began_s, fault.ended_s ?? end]),
    grid = 2000;
  const wanted =
    Array.from({ length: grid }, (_, at) => ((at + 0.5) * end) / grid).filter(at =>
      spans.some(([began, ended]) => at >= began && at < ended),
    ).length / grid;
  for (const [which, { shades, plotWidth }] of Object.entries(panels)) {
    for (const [began, ended] of spans) {
      assert(
        shades.some(shade => shade.x <= x(began) + 1 && shade.x + shade.width >= x(ended) - 1),
        name(`${which} is shaded from ${began} to ${ended}`),
      );
    }
    near(
      shades.reduce((all, shade) => all + shade.width, 0) / plotWidth,
      wanted,
      name(`${which} is shaded only there`),
      0.01 + 0.002 * spans.length,
    );
  }
}

async function checkReadability(page, width, scheme) {
  const wide = await page.evaluate("document.documentElement.scrollWidth");
  assert(wide <= width, `${wide} px wide in a window of ${width}`);
  const dark =
    (await page.evaluate("getComputedStyle(document.body).backgroundColor"))
      .match(/\d+/g)
      .map(Number)[0] < 60;
  assert.equal(dark, scheme === "dark", "the colour scheme of the browser");
  const { seen, faint } = await page.evaluate(CONTRAST);
  assert(seen > 20, `only ${seen} texts`);
  assert.deepEqual(faint, [], "a contrast of at least 4.5");
  assert.deepEqual(
    await page.evaluate(OVERLAPS),
    [],
    "no text overlaps another or leaves the chart",
  );
}

async function checkTooltip(page) {
  const [run] = drawn,
    tip = `document.querySelector("figure .tip")`;
  const place = await page.evaluate(`(() => {
    const svg = document.querySelector("svg.timeline");
    svg.scrollIntoView({ block: "center", behavior: "instant" });
    const { x, y, height } = svg.getBoundingClientRect();
    const [left, right, end] = ["left", "right", "end"].map(name => Number(svg.dataset[name]));
    return { x, y: y + height / 2, left, right, end };
  })()`);
  const look = async at => {
    await page.send("Input.dispatchMouseEvent", {
      type: "mouseMoved",
      x: place.x + place.left + ((place.right - place.left) * at) / place.end,
      y: place.y,
    });
    const cross = `document.querySelector("svg.timeline .cross").getAttribute("d")`;
    return page.evaluate(`[${tip}.hidden, ${tip}.innerText, ${cross}]`);
  };
  const crosses = [];
  for (const index of [0, run.timeline.samples.length - 1]) {
    const sample = run.timeline.samples[index],
      [hidden, words, cross] = await look(sample.at_s - run.timeline.step_s / 2);
    assert(!hidden && cross, `the values of sample ${index} are shown`);
    for (const part of [...run.regions, `${sample.at_s.toFixed(2)} s`, `${sample.failed} failed`])
      assert(words.includes(part), `${part} is missing in: ${words}`);
    crosses.push(cross);
  }
  assert.deepEqual((await page.evaluate(CONTRAST)).faint, [], "the values are readable");
  assert(
    crosses.length < 2 || run.timeline.samples.length < 2 || crosses[0] !== crosses[1],
    "the line follows the pointer",
  );
  await page.send("Input.dispatchMouseEvent", { type: "mouseMoved", x: 1, y: 1 });
  await page.waitFor("the values are hidden without the pointer", `${tip}.hidden`);
  await page.evaluate(`document.querySelector("svg.timeline").focus()`);
  await page.send("Input.dispatchKeyEvent", {
    type: "keyDown",
    key: "ArrowRight",
    code: "ArrowRight",
  });
  await page.waitFor("the keyboard shows the values", `!${tip}.hidden`);
  await page.evaluate(`document.activeElement.blur()`);
}

async function checkLinks(page) {
  await page.click("#verdicts tbody tr:last-child a");
  const last = `document.querySelector("#runs > section:last-child")`;
  await page.waitFor(
    "the last run",
    `location.hash === "#" + ${last}.id && (() => { const { top } = ${last}.getBoundingClientRect();
    return top >= 0 && top < innerHeight; })()`,
  );
  assert.equal(await page.evaluate(`${last}.dataset.scenario`), runs.at(-1).scenario);
  const details = `[...document.querySelectorAll("details")]`;
  const folds = await page.evaluate(`${details}.map(one => { one.open = true; }).length`);
  await page.waitFor(
    "the tables unfold",
    `${details}.filter(one => one.querySelector("td")).length === ${folds}`,
  );
  await page.evaluate(`document.querySelectorAll("details").forEach(one => { one.open = false; })`);
  say("a verdict links to its run, and the tables unfold");
}

/// A screenshot from the top to the end of the first chart.
async function take(page, screenshot) {
  await page.send("Input.dispatchMouseEvent", { type: "mouseMoved", x: 1, y: 1 });
  await page.setViewport(1280, 1000);
  await page.waitFor("the chart has the width of the window", SETTLED);
  await page.evaluate(`scrollTo({ top: 0, behavior: "instant" })`);
  const bottom = await page.evaluate(
    `(document.querySelector("figure") ?? document.body).getBoundingClientRect().bottom`,
  );
  await page.setViewport(1280, Math.min(1800, Math.ceil(bottom) + 16));
  writeFileSync(screenshot, await page.screenshot());
  say(`screenshot: ${screenshot}`);
}
