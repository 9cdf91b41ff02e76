"use strict";
/* Elements, texts and number formats. */

const report = JSON.parse(document.getElementById("report").textContent);

const $ = id => document.getElementById(id);
const filled = (made, attributes, children) => {
  for (const [name, value] of Object.entries(attributes))
    if (value != null) made.setAttribute(name, value);
  made.append(...children.filter(child => child != null));
  return made;
};
const make = (tag, attributes = {}, ...children) =>
  filled(document.createElement(tag), attributes, children);
const draw = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/* Never by colour alone: each outcome has a sign and a text. */
const OUTCOMES = {
  holds: ["✓", "holds", "good"],
  broken: ["✗", "broken", "bad"],
  not_proven: ["?", "not proven", "warn"],
  skipped: ["–", "skipped", "dim"],
  interrupted: ["!", "interrupted", "warn"],
};
const HELD = {
  ok: ["✓", "held", "good"],
  failed: ["✗", "not held", "bad"],
  not_proven: ["?", "not proven", "warn"],
};
const outcomeOf = run => OUTCOMES[run.outcome] ?? ["?", String(run.outcome), "warn"];
const chip = ([sign, word, kind], id) =>
  make("span", { class: `word ${kind}`, id }, `${sign} ${word}`);

const ENVIRONMENTS = {
  embedded: "S3 servers in the process of the drill",
  minio: "MinIO clusters started by the drill",
  config: "clusters of a configuration file",
};
const CLIENTS = { failover: "FailoverStore" };

/* The report has `half_open`. */
const STATES = { closed: "closed", half: "half-open", open: "open" };
const stateOf = word =>
  ({ closed: "closed", halfopen: "half", open: "open" })[
    String(word)
      .toLowerCase()
      .replace(/[^a-z]/g, "")
  ] ?? "closed";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const count = value => (value == null ? "–" : number.format(value));
const trimmed = (value, digits) => String(Number(value.toPrecision(digits)));
const millis = ms =>
  ms == null ? "–" : ms >= 1000 ? `${trimmed(ms / 1000, 3)} s` : `${trimmed(ms, 3)} ms`;
const seconds = s => (s == null ? "–" : `${s.toFixed(s < 10 ? 2 : 1)} s`);
const percent = share =>
  share == null ? "–" : `${(share * 100).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %`;
const bytes = size => {
  let step = 0;
  for (; size >= 1024 && step < 4; step += 1) size /= 1024;
  return `${trimmed(size, 3)} ${["B", "KiB", "MiB", "GiB", "TiB"][step]}`;
};
const plural = (many, one) => `${count(many)} ${one}${many === 1 ? "" : "s"}`;

/* The measure of a run with one of these names. */
const plain = name =>
  String(name)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_|_$/g, "");
const measured = (run, names) =>
  (run.measures ?? []).find(measure => names.includes(plain(measure.name)));

const list = (head, rows, numbers) => {
  const cell = (tag, text, place) =>
    make(
      tag,
      { class: numbers.includes(place) ? "n" : null },
      text instanceof Node ? text : String(text ?? "–"),
    );
  return make(
    "table",
    {},
    make("thead", {}, make("tr", {}, ...head.map((text, place) => cell("th", text, place)))),
    make(
      "tbody",
      {},
      ...rows.map(row => make("tr", {}, ...row.map((text, place) => cell("td", text, place)))),
    ),
  );
};
