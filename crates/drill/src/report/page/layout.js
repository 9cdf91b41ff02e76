/* Layout of a timeline: times, scales, and labels that do not overlap. */

/* Width of a text at 11 px. Exact for a browser with the font, approximate otherwise. */
const pen = document.createElement("canvas").getContext("2d");
const width = (text, font = "11px system-ui, sans-serif") => {
  pen.font = font;
  return pen.measureText(text).width;
};
const fitted = (text, room) => {
  if (width(text) <= room) return text;
  let short = text;
  while (short && width(`${short}…`) > room) short = short.slice(0, -1);
  return short ? `${short}…` : "";
};

/* Ticks at round steps, at most `most`. */
const ticks = (end, most) => {
  const rough = end / most,
    ten = 10 ** Math.floor(Math.log10(rough)),
    step = [1, 2, 5, 10].map(one => one * ten).find(one => one >= rough);
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, index) =>
    Number((index * step).toPrecision(12)),
  );
};
/* Whole decades around all values, so that a single slow or fast read is visible. */
const decades = values => {
  const positive = values.filter(value => value > 0);
  if (!positive.length) return [1, 10];
  const low = Math.floor(Math.log10(Math.min(...positive)) + 1e-9),
    high = Math.ceil(Math.log10(Math.max(...positive)) - 1e-9);
  return [10 ** low, 10 ** Math.max(high, low + 1)];
};

/* The time span of each sample, and the end of the run. */
const timesOf = run => {
  const { step_s: step, samples } = run.timeline;
  const spans = samples.map(({ at_s: at }, index) => [
    index ? samples[index - 1].at_s : Math.max(0, at - step),
    at,
  ]);
  const ends = [
    ...(run.phases ?? []).map(phase => phase.began_s + phase.seconds),
    ...(run.faults ?? []).map(fault => fault.ended_s ?? 0),
  ];
  return { spans, end: Math.max(samples.at(-1)?.at_s ?? 0, ...ends, 1e-3) };
};

/* The circuit of a region as bands {from, until, state}: from its transitions, which are exact, or
   from the samples if it has none. */
const circuitsOf = (run, region, end) => {
  const { samples } = run.timeline,
    { spans } = timesOf(run);
  const index = run.regions.indexOf(region),
    changes = (run.circuits ?? []).filter(change => change.region === region);
  const points = changes.length
    ? changes.map(({ after_s, to }) => [Math.min(Math.max(after_s, 0), end), stateOf(to)])
    : samples.map((sample, at) => [spans[at][0], stateOf(sample.circuits[index])]);
  const first =
    changes.length && changes[0].after_s <= (samples[0]?.at_s ?? 0)
      ? "closed"
      : stateOf(samples[0]?.circuits[index]);
  const bands = [];
  let [from, state] = [0, first];
  for (const [at, to] of [...points, [end, null]]) {
    if (to === state) continue;
    /* Two transitions at the same time give two bands. */
    if (at > from || from > 0) bands.push({ from, until: at, state });
    [from, state] = [at, to];
  }
  return bands;
};

/* Faults as labels: repeated faults of one region are one label, and so are simultaneous faults of
   several regions. */
const faultsOf = (run, end) => {
  const rows = new Map(),
    near = end * 0.02;
  for (const { region, fault, began_s: began, ended_s: ended } of run.faults ?? []) {
    const key = JSON.stringify([region, fault]);
    if (!rows.has(key)) rows.set(key, { regions: [region], fault, spans: [] });
    rows.get(key).spans.push([began, ended ?? end]);
  }
  const merged = [];
  for (const row of rows.values()) {
    const same = merged.find(
      other =>
        other.fault === row.fault &&
        other.spans.length === row.spans.length &&
        other.spans.every(([began], index) => Math.abs(began - row.spans[index][0]) <= near),
    );
    if (!same) {
      merged.push(row);
      continue;
    }
    same.regions.push(...row.regions);
    same.spans.forEach((span, index) => {
      span[0] = Math.min(span[0], row.spans[index][0]);
      span[1] = Math.max(span[1], row.spans[index][1]);
    });
  }
  return merged.map(({ regions, fault, spans }) => {
    const all = regions.length === run.regions.length && regions.length > 1;
    const target = all
      ? `all ${regions.length} regions`
      : regions.length > 2
        ? `${regions.length} regions`
        : regions.join(" and ");
    return {
      text: `${target} ${fault}${spans.length > 1 ? `, ${spans.length} times` : ""}`,
      spans,
    };
  });
};

/* The union of the time spans of all faults. */
const shaded = (run, end) => {
  const spans = (run.faults ?? [])
    .map(({ began_s: began, ended_s: ended }) => [began, Math.max(ended ?? end, began)])
    .sort((a, b) => a[0] - b[0]);
  const union = [];
  for (const [began, ended] of spans) {
    if (union.length && began <= union.at(-1)[1])
      union.at(-1)[1] = Math.max(union.at(-1)[1], ended);
    else union.push([began, ended]);
  }
  return union;
};

/* Places labels {text, from, until} (px) in as few rows as possible without overlaps; labels that
   fit in no row are omitted. */
const packed = (labels, rows, [left, right]) => {
  const ends = Array(rows).fill(-Infinity),
    placed = [];
  for (const label of [...labels].sort((a, b) => a.from - b.from)) {
    const room = width(label.text),
      x = Math.max(left, Math.min(label.from, right - room));
    const row = ends.findIndex(end => end + 6 <= Math.min(x, label.from));
    if (row < 0) continue;
    ends[row] = Math.max(x + room, label.until);
    placed.push({ ...label, x, row });
  }
  return {
    placed,
    used: placed.reduce((most, { row }) => Math.max(most, row + 1), 0),
    left: labels.length - placed.length,
  };
};
