/* Where things stand in a timeline: times, scales, and labels that do not touch. */

/* How wide a text is at 11 px; the same for every browser that has the font, and near enough elsewhere. */
const pen = document.createElement("canvas").getContext("2d");
const width = (text, font = "11px system-ui, sans-serif") => { pen.font = font; return pen.measureText(text).width; };
const fitted = (text, room) => {
  if (width(text) <= room) return text;
  let short = text;
  while (short && width(`${short}…`) > room) short = short.slice(0, -1);
  return short ? `${short}…` : "";
};

/* Round steps of which a few fit. */
const ticks = (end, most) => {
  const rough = end / most, ten = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 5, 10].map(one => one * ten).find(one => one >= rough);
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, index) => Number((index * step).toPrecision(12)));
};
/* Whole decades around all values: a single slow read must not hide, nor a fast one. */
const decades = values => {
  const sound = values.filter(value => value > 0);
  if (!sound.length) return [1, 10];
  const low = Math.floor(Math.log10(Math.min(...sound)) + 1e-9), high = Math.ceil(Math.log10(Math.max(...sound)) - 1e-9);
  return [10 ** low, 10 ** Math.max(high, low + 1)];
};

/* A run's samples with the time that each stands for, and where the whole ends. */
const timesOf = run => {
  const { step_s: step, samples } = run.timeline;
  const spans = samples.map(({ at_s: at }, index) => [index ? samples[index - 1].at_s : Math.max(0, at - step), at]);
  const ends = [...(run.phases ?? []).map(phase => phase.began_s + phase.seconds), ...(run.faults ?? []).map(fault => fault.ended_s ?? 0)];
  return { spans, end: Math.max(samples.at(-1)?.at_s ?? 0, ...ends, 1e-3) };
};

/* One line of each region's circuit: from, until, state. The changes are exact; where there are none the samples tell. */
const circuitsOf = (run, region, end) => {
  const { samples } = run.timeline, { spans } = timesOf(run);
  const index = run.regions.indexOf(region), changes = (run.circuits ?? []).filter(change => change.region === region);
  const points = changes.length ? changes.map(({ after_s, to }) => [Math.min(Math.max(after_s, 0), end), stateOf(to)])
    : samples.map((sample, at) => [spans[at][0], stateOf(sample.circuits[index])]);
  const first = changes.length && changes[0].after_s <= (samples[0]?.at_s ?? 0) ? "closed" : stateOf(samples[0]?.circuits[index]);
  const bands = [];
  let [from, state] = [0, first];
  for (const [at, to] of [...points, [end, null]]) {
    if (to === state) continue;
    /* Two changes within one tick of the clock are both told. */
    if (at > from || from > 0) bands.push({ from, until: at, state });
    [from, state] = [at, to];
  }
  return bands;
};

/* Faults as labels: what comes again and again to one region is one, what comes to several at once is one. */
const faultsOf = (run, end) => {
  const rows = new Map(), near = end * 0.02;
  for (const { region, fault, began_s: began, ended_s: ended } of run.faults ?? []) {
    const key = JSON.stringify([region, fault]);
    if (!rows.has(key)) rows.set(key, { regions: [region], fault, spans: [] });
    rows.get(key).spans.push([began, ended ?? end]);
  }
  const merged = [];
  for (const row of rows.values()) {
    const same = merged.find(other => other.fault === row.fault && other.spans.length === row.spans.length
      && other.spans.every(([began], index) => Math.abs(began - row.spans[index][0]) <= near));
    if (!same) { merged.push(row); continue; }
    same.regions.push(...row.regions);
    same.spans.forEach((span, index) => { span[0] = Math.min(span[0], row.spans[index][0]); span[1] = Math.max(span[1], row.spans[index][1]); });
  }
  return merged.map(({ regions, fault, spans }) => {
    const all = regions.length === run.regions.length && regions.length > 1;
    const whom = all ? `all ${regions.length} regions` : regions.length > 2 ? `${regions.length} regions` : regions.join(" and ");
    return { text: `${whom} ${fault}${spans.length > 1 ? `, ${spans.length} times` : ""}`, spans };
  });
};

/* Time at which any fault is at work. */
const shaded = (run, end) => {
  const spans = (run.faults ?? []).map(({ began_s: began, ended_s: ended }) => [began, Math.max(ended ?? end, began)]).sort((a, b) => a[0] - b[0]);
  const union = [];
  for (const [began, ended] of spans) {
    if (union.length && began <= union.at(-1)[1]) union.at(-1)[1] = Math.max(union.at(-1)[1], ended);
    else union.push([began, ended]);
  }
  return union;
};

/* Puts labels {text, from, until} in px into as few lanes as they need without touching; those for which no lane is left are not put. */
const packed = (labels, lanes, [left, right]) => {
  const ends = Array(lanes).fill(-Infinity), placed = [];
  for (const label of [...labels].sort((a, b) => a.from - b.from)) {
    const room = width(label.text), x = Math.max(left, Math.min(label.from, right - room));
    const lane = ends.findIndex(end => end + 6 <= Math.min(x, label.from));
    if (lane < 0) continue;
    ends[lane] = Math.max(x + room, label.until);
    placed.push({ ...label, x, lane });
  }
  return { placed, used: placed.reduce((most, { lane }) => Math.max(most, lane + 1), 0), left: labels.length - placed.length };
};
