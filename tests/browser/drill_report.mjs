// Generates reports of the drill from a simple model, to work on its page without a run:
// `node tests/browser/drill_report.mjs [--runs N] [--regions N] [--samples N] > page.html`.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const HERE = new URL("../../crates/drill/src/report/", import.meta.url);

/// The page with a report, assembled from the files that `html.rs` includes.
export function page(report) {
  const rust = readFileSync(new URL("html.rs", HERE), "utf8");
  const parts = [...rust.matchAll(/include_str!\("([^"]+)"\)/g)].map(([, file]) => [
    file,
    readFileSync(new URL(file, HERE), "utf8"),
  ]);
  const of = ending =>
    parts
      .filter(([file]) => file.endsWith(ending))
      .map(([, text]) => text)
      .join("");
  const data = JSON.stringify(report).replace(
    /[<>&\u2028\u2029]/g,
    letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return of(".html")
    .replace("@STYLE@", () => of(".css"))
    .replace("@SCRIPT@", () => of(".js"))
    .replace("@REPORT@", () => data);
}

/// A seeded RNG, so that pages with the same arguments are equal.
function rng(seed) {
  return () => (seed = (seed * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
}

const round = (value, digits = 2) => Number(value.toFixed(digits));

/// A run of `seconds` in `samples`; `faults` are [region, began, ended or null].
function run({
  scenario,
  does,
  expects,
  outcome = "holds",
  names,
  seconds = 12,
  samples = 48,
  faults,
  fault = "killed",
  phases,
  measures,
  lines = {},
  seed = 7,
}) {
  const random = rng(seed),
    step = seconds / samples,
    opens = 0.03,
    back = 0.35;
  const rows = faults.map(([index, began, ended]) => ({ index, began, ended: ended ?? seconds }));
  const stateAt = (index, at) => {
    for (const { began, ended } of rows.filter(row => row.index === index)) {
      if (at >= began + opens && at < ended + back)
        return at >= ended + back - 0.12 ? "half_open" : "open";
    }
    return "closed";
  };
  const circuits = rows.flatMap(({ index, began, ended }) =>
    [
      [began + opens, "open", "5 consecutive failures"],
      [ended + back - 0.12, "half_open", "the open time is over"],
      [ended + back, "closed", "2 trials succeeded"],
    ]
      .filter(([at]) => at < seconds)
      .map(([at, to, why]) => ({ after_s: round(at, 3), region: names[index], to, why })),
  );
  const out = (index, at) =>
    rows.some(row => row.index === index && at > row.began && at <= row.ended);
  const timeline = Array.from({ length: samples }, (_, place) => {
    const at = (place + 1) * step,
      middle = at - step / 2;
    const states = names.map((_, index) => stateAt(index, middle)),
      open = states.filter(state => state === "closed").length;
    const outage = names.every((_, index) => out(index, middle)),
      reads = outage ? 0 : Math.round(step * (900 + 90 * random()));
    const requests = states.map(state =>
      state === "closed" && !outage
        ? Math.round((reads / open) * (0.92 + 0.16 * random()))
        : random() < 0.3
          ? 1
          : 0,
    );
    const shaken = rows.some(
      ({ began, ended }) => Math.abs(middle - began) < step || Math.abs(middle - ended) < step,
    );
    const p50 = outage ? null : round(1.1 + 0.4 * random() + (open < names.length ? 0.6 : 0)),
      p99 = p50 && round(p50 * (3 + 2 * random()) * (shaken ? 14 : 1));
    return {
      at_s: round(at, 4),
      requests,
      circuits: states,
      reads: outage ? Math.round(60 * random()) : reads,
      failed: outage ? Math.round(40 + 30 * random()) : 0,
      wrong: 0,
      p50_ms: p50,
      p99_ms: p99,
    };
  });
  const within = (from, until) =>
    timeline.filter(({ at_s: at }) => at > from + 1e-9 && at <= until + 1e-9);
  const sum = (list, key) => list.reduce((all, sample) => all + sample[key], 0);
  return {
    scenario,
    does,
    expects,
    outcome,
    skipped_because: null,
    seconds,
    regions: names,
    concurrency: 16,
    objects: 300,
    object_bytes: 280_000_000,
    settings: {
      attempt_ms: 400,
      total_ms: 2000,
      stall_ms: 300,
      failure_threshold: 5,
      open_for_ms: 1000,
      open_for_max_ms: 8000,
      ramp_ms: 1000,
      scaled: true,
    },
    phases: phases.map(([phase, began], index) => {
      const until = phases[index + 1]?.[1] ?? seconds,
        part = within(began, until),
        reads = sum(part, "reads");
      return {
        phase,
        began_s: began,
        seconds: round(until - began),
        reads,
        reads_per_second: Math.round(reads / (until - began)),
        failed: 0,
        failed_in_total_outage: sum(part, "failed"),
        wrong: 0,
        stale: 0,
        not_found: Math.round(reads / 20),
        undecided: 0,
        p50_ms: 1.3,
        p99_ms: 5.2,
        max_ms: 41.5,
        requests: names.map((_, at) => part.reduce((all, sample) => all + sample.requests[at], 0)),
      };
    }),
    faults: faults.map(([index, began, ended]) => ({
      region: names[index],
      fault,
      phase: phases.findLast(([, from]) => from <= began)[0],
      began_s: began,
      ended_s: ended,
      requests_until_left_alone: 7,
      circuit_opened_after_ms: 30,
      trials: 2,
      served_again_after_ms: ended == null ? null : 230,
      circuit_closed_after_ms: ended == null ? null : 350,
    })),
    circuits: circuits.sort((a, b) => a.after_s - b.after_s),
    measures: measures ?? bounds(),
    broken_by: lines.broken ?? [],
    excused: lines.excused ?? [],
    timeline: { step_s: round(step, 4), samples: timeline },
  };
}

function bounds(changed = {}) {
  const all = {
    failed: ["=0", "0", "ok"],
    wrong: ["=0", "0", "ok"],
    stale: ["=0", "0", "ok"],
    detect: ["<1s", "30 ms", "ok"],
    rto: ["<2s", "350 ms", "ok"],
    to_sick: ["<25", "9", "ok"],
    extra_load: ["<1.3", "1.04", "ok"],
    p99_ratio: [null, "2.1", null],
    bytes_twice: [null, "1.2 MiB", null],
    ...changed,
  };
  return Object.entries(all).map(([name, [expected, measured, held]]) => ({
    name,
    expected,
    measured,
    held,
  }));
}

/// A kill, a total outage that breaks a bound, a skipped scenario, and a flapping region.
export function report({ runs = 4, regions = 3, samples = 48 } = {}) {
  const names = Array.from({ length: regions }, (_, index) =>
    regions > 26 ? `region-${index + 1}` : `region-${String.fromCharCode(97 + index)}`,
  );
  const every = (began, ended) =>
    names.map((_, index) => [index, began, round(ended + 0.25 * index)]);
  const error = `Generic FailoverStore error: get "drill/141": all regions failed: ${names
    .slice(0, 3)
    .map(name => `${name}: connect failed: Connection refused (os error 111) (0 ms)`)
    .join("; ")}`;
  const phases = {
    healthy: [
      ["healthy", 0],
      ["one killed", 1.5],
      ["back", 5.2],
    ],
  };
  const four = [
    run({
      scenario: "kill",
      does: "SIGKILL to one region: its socket and connections are closed",
      expects: "no failed read; the circuit opens after threshold + in-flight requests",
      names,
      samples,
      faults: [[0, 1.5, 5.2]],
      phases: phases.healthy,
    }),
    run({
      scenario: "all-down-and-back",
      does: "all regions are killed briefly, and return one after the other",
      expects: "immediate errors that name every region; reads within 2 s of the first recovery",
      outcome: "broken",
      names,
      samples,
      faults: every(3, 5),
      phases: [
        ["healthy", 0],
        ["all killed", 3],
        ["back again", 5],
      ],
      seed: 11,
      measures: bounds({
        failed: ["=0", "3", "failed"],
        rto: ["<2s", "2.31 s", "failed"],
        extra_load: [null, "–", "not_proven"],
      }),
      lines: { broken: [error, error.replace("141", "7 <b>&amp;")], excused: [error] },
    }),
    {
      scenario: "quorum-loss",
      does: "two, then three of one region's four nodes are killed",
      expects: "no failed read",
      outcome: "skipped",
      skipped_because: "needs a distributed MinIO region: --on minio",
      seconds: 0,
      regions: [],
      concurrency: null,
      objects: null,
      object_bytes: null,
      settings: null,
      phases: [],
      faults: [],
      circuits: [],
      measures: [],
      broken_by: [],
      excused: [],
      timeline: { step_s: 0.25, samples: [] },
    },
    run({
      scenario: "flap",
      does: "one region fails and recovers repeatedly",
      expects: "no failed read at a transition",
      outcome: "not_proven",
      names,
      samples,
      faults: Array.from({ length: 4 }, (_, place) => [1, 2 + 2 * place, 3 + 2 * place]),
      fault: "down",
      phases: [
        ["healthy", 0],
        ["flapping", 2],
        ["back", 9],
      ],
      seed: 3,
      measures: bounds({ detect: ["<1s", "no circuit opened in 2 of 4", "not_proven"] }),
    }),
  ];
  const rolling = () =>
    run({
      scenario: "rolling-restart",
      does: "every region is killed and restarted, one after the other",
      expects: "no failed read",
      names,
      samples,
      fault: "restarted",
      faults: names.map((_, index) => [
        index,
        round(1 + (9 * index) / regions),
        round(1 + (9 * (index + 0.6)) / regions),
      ]),
      phases: [
        ["healthy", 0],
        ["restarts", 1],
        ["back", 10],
      ],
      seed: 5,
    });
  const more = Array.from({ length: Math.max(0, runs - 4) }, (_, index) =>
    index ? { ...four[[0, 1, 3][index % 3]], scenario: `again-${index}` } : rolling(),
  );
  return {
    version: "0.1.0",
    on: "embedded",
    client: "failover",
    seed: 123,
    started: "2026-11-21T15:00:00Z",
    runs: [...four, ...more].slice(0, runs),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const given = Object.fromEntries(
    process.argv
      .slice(2)
      .join(" ")
      .split("--")
      .filter(Boolean)
      .map(pair => pair.trim().split(/[ =]/))
      .map(([name, value]) => [name, Number(value)]),
  );
  process.stdout.write(page(report(given)));
}
