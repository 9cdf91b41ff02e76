/* The four panels of a timeline. Each draws into a box {x, top, height, left, right} on the common
   time axis. */

const lineAt = (box, y, kind) =>
  draw("path", { class: kind, d: `M${box.left} ${y.toFixed(1)}H${box.right}` });
const label = (box, y, text) =>
  draw("text", { x: box.left - 6, y: y + 4, "text-anchor": "end", class: "dim" }, text);
const px = value => value.toFixed(1);

const rectangle = (box, [from, to]) => {
  const [left, right] = [from, to].map(at => px(box.x(at)));
  return `M${left} ${box.top}H${right}V${box.top + box.height}H${left}Z`;
};

/* Samples with less than this share of the median requests are pale. */
const FEW = 0.1;
/* The share of requests of each region, first region on top. Empty without requests. */
const sharesPanel = (run, box, { spans }) => {
  const made = draw("g", { class: "panel", "data-panel": "shares" });
  const sums = run.timeline.samples.map(({ requests }) =>
    requests.reduce((all, one) => all + one, 0),
  );
  const above = sums.map(() => 0),
    y = share => box.top + box.height * share;
  run.regions.forEach((region, index) => {
    let d = "";
    for (let first = 0, last; first < sums.length; first = last) {
      for (last = first; last < sums.length && sums[last] > 0; last += 1);
      if (last === first) {
        last += 1;
        continue;
      }
      d += stretch(
        run.timeline.samples.slice(first, last).map(({ requests }, at) => {
          const top = above[first + at],
            share = requests[index] / sums[first + at];
          above[first + at] = top + share;
          return {
            from: px(box.x(spans[first + at][0])),
            to: px(box.x(spans[first + at][1])),
            top: px(y(top)),
            bottom: px(y(Math.min(1, top + share))),
          };
        }),
      );
    }
    made.append(
      draw("path", { class: "area", "data-region": region, fill: `var(--r${index % 8})`, d }),
    );
    if (index % 16 > 7) made.append(draw("path", { fill: "url(#second)", d }));
  });
  /* The share of very few requests has little meaning, so it is pale. */
  const usual = [...sums].sort((a, b) => a - b)[sums.length >> 1],
    pale = sums
      .map((sum, index) => (sum > 0 && sum < usual * FEW ? rectangle(box, spans[index]) : ""))
      .join("");
  if (pale) made.append(draw("path", { class: "pale", d: pale }));
  for (const share of [0, 0.5, 1]) made.append(label(box, y(1 - share), `${share * 100} %`));
  return made;
};
const stretch = steps =>
  `M${steps[0].from} ${steps[0].top}${steps.map(({ to, top }) => `V${top}H${to}`).join("")}` +
  `${steps.reduceRight((d, { from, bottom }) => `${d}V${bottom}H${from}`, "")}Z`;

/* Closed is a thin line, half-open a hatched band, open a full band: shapes, not only colours. */
const HEIGHTS = { closed: 0.28, half: 0.7, open: 0.86 };
const rowHeight = run => (run.regions.length > 6 ? 15 : 19);
const circuitsPanel = (run, box, { end }) => {
  const made = draw("g", { class: "panel", "data-panel": "circuits" }),
    row = rowHeight(run);
  run.regions.forEach((region, index) => {
    const middle = box.top + row * (index + 0.5);
    made.append(
      ...swatch(0, middle - 5, index),
      draw(
        "text",
        { x: 15, y: middle + 4 },
        fitted(region, box.left - 23),
        draw("title", {}, region),
      ),
    );
    const bands = circuitsOf(run, region, end);
    /* Half-open is short, so it is drawn last and at least 2 px wide. */
    for (const { from, until, state } of bands.sort(
      (a, b) => (a.state === "half") - (b.state === "half"),
    )) {
      const height = row * HEIGHTS[state],
        x = box.x(from),
        wide = Math.max(box.x(until) - x, state === "half" ? 2 : 0.7);
      made.append(
        draw("rect", {
          class: `state-${state}`,
          "data-region": region,
          "data-state": STATES[state],
          x: px(x),
          y: px(middle - height / 2),
          width: px(wide),
          height: px(height),
        }),
      );
      const text = `open ${millis((until - from) * 1000)}`;
      if (state === "open" && wide > width(text, "600 10px system-ui, sans-serif") + 8)
        made.append(draw("text", { class: "on-open", x: px(x + 5), y: middle + 3.5 }, text));
    }
  });
  return made;
};
const swatch = (x, y, index) =>
  [
    draw("rect", { x, y, width: 10, height: 10, fill: `var(--r${index % 8})` }),
    index % 16 > 7 ? draw("rect", { x, y, width: 10, height: 10, fill: "url(#second)" }) : null,
  ].filter(Boolean);

/* p50 and p99 on a logarithmic axis, with gaps where no read ended. */
const latencyPanel = (run, box, { spans }) => {
  const made = draw("g", { class: "panel", "data-panel": "latency" }),
    { samples } = run.timeline;
  const [low, high] = decades(samples.flatMap(({ p50_ms: p50, p99_ms: p99 }) => [p50, p99]));
  const y = ms =>
    box.top + box.height * (1 - Math.log10(Math.max(ms, low) / low) / Math.log10(high / low));
  const many = Math.round(Math.log10(high / low));
  for (let decade = low, at = 0; at <= many; decade *= 10, at += 1) {
    made.append(lineAt(box, y(decade), "edge"), label(box, y(decade), millis(decade)));
    if (at < many)
      for (const part of [2, 5]) {
        made.append(lineAt(box, y(decade * part), "grid"));
        if (many === 1) made.append(label(box, y(decade * part), millis(decade * part)));
      }
  }
  const limit = run.settings?.attempt_ms;
  if (limit > low && limit < high) {
    made.append(
      lineAt(box, y(limit), "limit"),
      draw(
        "text",
        { x: box.right - 4, y: y(limit) - 3, "text-anchor": "end", class: "dim over" },
        `attempt limit ${millis(limit)}`,
      ),
    );
  }
  for (const name of ["p50", "p99"]) {
    let d = "",
      drawn = false;
    samples.forEach((sample, index) => {
      const ms = sample[`${name}_ms`];
      /* An isolated point is visible as a dot, because the line has round ends. */
      const middle = px(box.x((spans[index][0] + spans[index][1]) / 2));
      if (ms != null) d += drawn ? `L${middle} ${px(y(ms))}` : `M${middle} ${px(y(ms))}h0`;
      drawn = ms != null;
    });
    made.append(draw("path", { class: name, d }));
  }
  return made;
};

/* Reads per second, with marks for failed and wrong ones. */
const MARK_ROW = 14;
const readsPanel = (run, box, { spans }) => {
  const made = draw("g", { class: "panel", "data-panel": "reads" }),
    { samples } = run.timeline;
  const rate = (many, index) => many / Math.max(spans[index][1] - spans[index][0], 1e-3);
  const most = Math.max(
    1,
    ...samples.map(({ reads, failed }, index) => rate(Math.max(reads, failed), index)),
  );
  const base = box.top + box.height,
    steps = ticks(most, 3),
    y = value => base - ((box.height - MARK_ROW) * value) / Math.max(most, steps.at(-1));
  steps.forEach(step =>
    made.append(lineAt(box, y(step), "grid"), label(box, y(step), count(step))),
  );
  let [reads, broken, failed, wrong] = ["", "", "", ""];
  samples.forEach((sample, index) => {
    const [from, to] = spans[index].map(at => px(box.x(at))),
      middle = px(box.x((spans[index][0] + spans[index][1]) / 2));
    reads += `${index ? "" : `M${from} ${base}`}V${px(y(rate(sample.reads, index)))}H${to}`;
    if (sample.failed) {
      broken += `M${from} ${base}V${px(y(rate(sample.failed, index)))}H${to}V${base}Z`;
      failed += `M${middle} ${box.top + MARK_ROW / 2}m-3.5 -3.5l7 7m0 -7l-7 7`;
    }
    if (sample.wrong) wrong += `M${middle} ${box.top + MARK_ROW / 2}m0 -5l5 5l-5 5l-5 -5Z`;
  });
  made.append(
    draw("path", { class: "reads", d: reads && `${reads}V${base}Z` }),
    draw("path", { class: "failed-part", d: broken }),
    draw("path", { class: "failed", d: failed }),
    draw("path", { class: "wrong", d: wrong }),
  );
  if (!failed && !wrong)
    made.append(
      draw("text", { x: box.left + 5, y: box.top + 11, class: "dim over" }, "no read failed"),
    );
  return made;
};
