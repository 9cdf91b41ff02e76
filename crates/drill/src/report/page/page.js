/* The page: header, verdicts, and runs. */

/* Columns of the verdict table, by the possible names of their measures. */
const COLUMNS = [
  ["failed", "failed_reads"],
  ["wrong", "wrong_bytes"],
  ["stale"],
  ["detect", "detected", "time_to_detect"],
  ["rto", "recover", "time_to_recover"],
  [
    "to_sick",
    "sick",
    "sick_requests",
    "requests_to_sick",
    "requests_to_the_sick_region",
    "sick_region",
  ],
  ["extra_load", "extra"],
  ["p99_ratio", "p99"],
];
const idOf = (run, index) => `run-${index + 1}-${plain(run.scenario)}`;
const runs = report.runs ?? [];

const overall = () => {
  const some = outcome => runs.some(run => run.outcome === outcome),
    proven = runs.filter(run => run.outcome === "holds");
  if (some("broken")) return ["✗", "does not hold", "bad"];
  if (some("interrupted")) return ["!", "interrupted", "warn"];
  if (some("not_proven") || !proven.length) return ["?", "not proven", "warn"];
  return ["✓", "holds", "good"];
};
const facts = pairs =>
  pairs
    .filter(([, value]) => value != null && value !== "")
    .map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, String(value))));

const head = () => {
  $("overall").replaceWith(chip(overall(), "overall"));
  $("counts").textContent = Object.entries(OUTCOMES)
    .map(([outcome, [, word]]) => [runs.filter(run => run.outcome === outcome).length, word])
    .filter(([many]) => many)
    .map(([many, word]) => `${many} ${word}`)
    .join(" · ");
  const began = report.started == null ? NaN : Date.parse(report.started);
  $("facts").append(
    ...facts([
      ["environment", [report.on, ENVIRONMENTS[report.on]].filter(Boolean).join(": ")],
      ["client", CLIENTS[report.client] ?? report.client],
      ["seed", report.seed],
      [
        "started",
        Number.isNaN(began)
          ? report.started
          : `${new Date(began).toISOString().slice(0, 19).replace("T", " ")} UTC`,
      ],
      ["took", seconds(runs.reduce((all, run) => all + (run.seconds ?? 0), 0))],
      ["version", report.version && `object_store_failover ${report.version}`],
    ]),
  );
  const scenario = runs.length === 1 ? ` (${runs[0].scenario})` : "";
  document.title = `Failover drill: ${overall()[1]}${scenario}`;
};

const verdicts = () => {
  runs.forEach((run, index) => {
    const link = make("a", { class: "scenario", href: `#${idOf(run, index)}` }, run.scenario);
    const row = make(
      "tr",
      { "data-outcome": run.outcome },
      make("td", {}, chip(outcomeOf(run))),
      make("td", {}, link),
    );
    if (run.outcome === "skipped")
      row.append(
        make(
          "td",
          { colspan: COLUMNS.length, class: "dim" },
          run.skipped_because ?? "no reason given",
        ),
      );
    else row.append(...COLUMNS.map(names => figure(measured(run, names))));
    row.addEventListener("click", event => {
      if (event.target !== link) link.click();
    });
    $("verdicts").tBodies[0].append(row);
  });
  const skipped = runs.filter(run => run.outcome === "skipped").length;
  $("note").textContent = [
    skipped ? `${plural(skipped, "scenario")} of ${runs.length} skipped, which is not a pass.` : "",
    "– not measured, ✗ not held, ? not proven. Hover over a value for its bound.",
  ]
    .filter(Boolean)
    .join(" ");
};
const figure = measure => {
  if (!measure) return make("td", { class: "n dim" }, "–");
  const [sign, word, kind] = HELD[measure.held] ?? ["", "no bound", ""];
  const text = `${kind === "good" ? "" : sign} ${measure.measured}`.trim();
  return make(
    "td",
    {
      class: `n ${kind === "good" ? "" : kind}`,
      title: `${measure.expected ? `expected ${measure.expected}: ` : ""}${word}`,
    },
    text.length > 12 ? text : text.replaceAll(" ", "\u00a0"),
  );
};

const measuresOf = (run, only = () => true) => {
  const rows = run.measures.filter(only).map(({ name, about, expected, measured, held }) => {
    const [sign, word, kind] = HELD[held] ?? ["", "no bound", "dim"];
    return [
      make("code", { title: about ?? "" }, name),
      expected ?? "–",
      measured,
      make("span", { class: kind }, `${sign} ${word}`.trim()),
    ];
  });
  const made = list(["measure", "expected", "measured", "verdict"], rows, []);
  made.className = "measures";
  return make("div", { class: "wide" }, made);
};
const lines = (title, texts, kind = "") =>
  make(
    "div",
    { class: `lines ${kind}` },
    make("b", {}, title),
    make("ul", {}, ...texts.map(text => make("li", {}, text))),
  );
/* Built when it is opened: a flapping region has thousands of transitions. */
const folded = (title, body) => {
  const inside = make("div", { class: "wide" }),
    made = make("details", { class: "data" }, make("summary", {}, title), inside);
  made.addEventListener("toggle", () => inside.replaceChildren(body()), { once: true });
  return made;
};

const phasesOf = run => {
  const names = [
    "phase",
    "from",
    "for",
    "reads",
    "reads/s",
    "failed",
    "failed, total outage",
    "wrong",
    "stale",
    "NotFound",
    "undecided",
    "p50",
    "p99",
    "max",
    ...run.regions,
  ];
  return list(
    names,
    run.phases.map(row => [
      row.phase,
      seconds(row.began_s),
      seconds(row.seconds),
      count(row.reads),
      count(row.reads_per_second),
      count(row.failed),
      count(row.failed_in_total_outage),
      count(row.wrong),
      count(row.stale),
      count(row.not_found),
      count(row.undecided),
      millis(row.p50_ms),
      millis(row.p99_ms),
      millis(row.max_ms),
      ...run.regions.map((_, index) => count(row.requests?.[index])),
    ]),
    names.map((_, place) => place).slice(1),
  );
};
const faultsTable = run =>
  list(
    [
      "region",
      "fault",
      "phase",
      "from",
      "to",
      "requests until circuit opened",
      "circuit opened after",
      "trials",
      "served again after",
      "circuit closed after",
    ],
    run.faults.map(row => [
      row.region,
      row.fault,
      row.phase,
      seconds(row.began_s),
      row.ended_s == null ? "the end" : seconds(row.ended_s),
      count(row.requests_until_left_alone),
      millis(row.circuit_opened_after_ms),
      count(row.trials),
      millis(row.served_again_after_ms),
      millis(row.circuit_closed_after_ms),
    ]),
    [3, 4, 5, 6, 7, 8, 9],
  );
const circuitsTable = run =>
  list(
    ["time", "region", "circuit", "reason"],
    run.circuits.map(row => [seconds(row.after_s), row.region, STATES[stateOf(row.to)], row.why]),
    [0],
  );
const settingsTable = run =>
  list(
    ["setting", "value"],
    Object.entries(run.settings).map(([name, value]) =>
      name.endsWith("_ms") && typeof value === "number"
        ? [name.slice(0, -3), millis(value)]
        : [name, value],
    ),
    [],
  );

const figures = [];
const sectionOf = (run, index) => {
  const outcome = outcomeOf(run),
    made = make("section", {
      class: `run ${run.outcome}`,
      id: idOf(run, index),
      "data-scenario": run.scenario,
      "data-outcome": run.outcome,
    });
  made.append(
    make("h2", {}, run.scenario, chip(outcome), make("a", { href: "#top" }, "↑ verdicts")),
  );
  if (run.does) made.append(make("p", {}, run.does));
  if (run.expects) made.append(make("p", {}, make("b", {}, "Expected: "), run.expects));
  if (run.outcome === "skipped") {
    made.append(
      make("p", { class: "dim" }, `Skipped: ${run.skipped_because ?? "no reason given"}`),
    );
    return made;
  }
  made.append(
    make(
      "dl",
      { class: "facts small" },
      ...facts([
        ["took", seconds(run.seconds)],
        ["regions", (run.regions ?? []).length],
        ["readers", run.concurrency],
        [
          "objects",
          run.objects == null
            ? null
            : [count(run.objects), run.object_bytes && `${bytes(run.object_bytes)} in total`]
                .filter(Boolean)
                .join(", "),
        ],
      ]),
    ),
  );
  const sides = make("div", { class: "sides" }),
    errors = make("div", { class: "errors" });
  const hasBound = ({ held }) => held != null;
  if (run.measures?.some(hasBound)) sides.append(measuresOf(run, hasBound));
  if (run.broken_by?.length) errors.append(lines("Broken by", run.broken_by));
  if (run.excused?.length)
    errors.append(lines("Failed while no region could serve (total outage)", run.excused, "calm"));
  if (errors.children.length) sides.append(errors);
  if (run.timeline?.samples?.length && run.regions?.length) {
    const { figure, redraw } = figureOf(run);
    figures.push(redraw);
    made.append(figure);
  } else
    made.append(make("p", { class: "dim" }, "No timeline: the run ended before its first sample."));
  made.append(sides);
  const folds = make("div", { class: "folds" });
  if (run.measures?.length)
    folds.append(folded(`All measures (${run.measures.length})`, () => measuresOf(run)));
  for (const [title, rows, table] of [
    ["Phases", run.phases, phasesOf],
    ["Faults", run.faults, faultsTable],
    ["Transitions of circuits", run.circuits, circuitsTable],
  ]) {
    if (rows?.length) folds.append(folded(`${title} (${rows.length})`, () => table(run)));
  }
  if (run.settings) folds.append(folded("Settings", () => settingsTable(run)));
  made.append(folds);
  return made;
};

head();
verdicts();
$("runs").append(...runs.map(sectionOf));
figures.forEach(redraw => redraw());
/* For paper the chart is drawn narrower, so that text keeps its size. */
addEventListener("beforeprint", () => figures.forEach(redraw => redraw(700)));
addEventListener("afterprint", () => figures.forEach(redraw => redraw()));
if (location.hash)
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
document.body.dataset.drawn = figures.length;
