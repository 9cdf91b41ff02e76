/* The chart of a run: phases and faults, four panels below them on one time axis, and the values
   under the pointer. */

const PANELS = [
  {
    title: "Requests by region",
    over: true,
    draw: sharesPanel,
    height: () => 120,
    legend: run => regionsLegend(run),
  },
  {
    title: "Circuits",
    draw: circuitsPanel,
    height: run => run.regions.length * rowHeight(run) + 2,
    legend: () => Object.entries(STATES).map(([state, word]) => [word, x => stateSign(state, x)]),
  },
  {
    title: "Latency of reads",
    draw: latencyPanel,
    height: () => 130,
    legend: () =>
      ["p99", "p50"].map(name => [
        name,
        x => [draw("path", { class: name, d: `M${x} -4h16` })],
        20,
      ]),
  },
  {
    title: "Reads per second",
    draw: readsPanel,
    height: () => 92,
    legend: () => [
      [
        "failed",
        x => [draw("path", { class: "failed", d: `M${x + 5} -4m-3.5 -3.5l7 7m0 -7l-7 7` })],
      ],
      [
        "wrong bytes",
        x => [draw("path", { class: "wrong", d: `M${x + 5} -4m0 -5l5 5l-5 5l-5 -5Z` })],
      ],
    ],
  },
];
const regionsLegend = run =>
  run.regions.map((region, index) => [region, x => swatch(x, -9, index)]);
const stateSign = (state, x) => [
  draw("rect", {
    class: `state-${state}`,
    x,
    y: -4 - (10 * HEIGHTS[state]) / 2,
    width: 10,
    height: 10 * HEIGHTS[state],
  }),
];

/* The legend, right of a panel's title if it fits. */
const legend = (entries, right, room) => {
  const wide = entries.map(([text, , sign = 14]) => sign + width(text) + 14),
    all = wide.reduce((sum, one) => sum + one, 0);
  if (all > room)
    return draw(
      "text",
      { x: right, "text-anchor": "end", class: "dim" },
      "colours: see the rows below",
    );
  let x = right - all + 14;
  return draw(
    "g",
    {},
    ...entries.flatMap(([text, signs, sign = 14], index) => {
      const made = [...signs(x), draw("text", { x: x + sign, class: "dim" }, text)];
      x += wide[index];
      return made;
    }),
  );
};

/* Draws phases and faults into `upper`; returns the y below them. */
const drawLabels = (run, times, x, edges, upper) => {
  const phases = packed(
    (run.phases ?? []).map(({ phase, began_s: at }) => ({
      text: phase,
      from: x(at) + 3,
      until: 0,
    })),
    3,
    edges,
  );
  const faults = packed(
    faultsOf(run, times.end).map(({ text, spans }) => ({
      text,
      spans,
      from: x(spans[0][0]) + 3,
      until: x(spans.at(-1)[1]),
    })),
    6,
    edges,
  );
  let y = 2;
  const title = text => upper.append(draw("text", { x: 0, y: y + 11, class: "dim" }, text));
  if (phases.used) title("phases");
  phases.placed.forEach(({ text, x: at, from, row }) =>
    upper.append(
      draw("text", { class: "phase", x: px(at), y: y + 11 + row * 15 }, text),
      draw("path", { class: "phase-edge", d: `M${px(from - 3)} ${y}v${phases.used * 15}` }),
    ),
  );
  y += phases.used * 15 + 4;
  if (faults.used) title(faults.left ? `faults (+${faults.left})` : "faults");
  for (const { text, x: at, row, spans } of faults.placed) {
    upper.append(draw("text", { class: "fault", x: px(at), y: y + 11 + row * 20 }, text));
    spans.forEach(([began, ended]) =>
      upper.append(
        draw("rect", {
          class: "strip",
          x: px(x(began)),
          y: y + 14 + row * 20,
          width: px(Math.max(1.5, x(ended) - x(began))),
          height: 3,
        }),
      ),
    );
  }
  return y + faults.used * 20 + 2;
};

/* Draws a panel: title, legend, plot and grid into `behind`, content and shades into `panels`. */
const drawPanel = (panel, run, times, box, marks, behind, panels) => {
  const { x, left, right, top, height } = box;
  const titleWidth = width(panel.title, "600 12px system-ui, sans-serif");
  behind.append(
    draw(
      "g",
      { transform: `translate(0 ${top - 7})` },
      draw("text", { class: "title", x: left }, panel.title),
      legend(panel.legend(run), right, right - left - titleWidth - 24),
    ),
    draw("rect", { class: "plot", x: left, y: top, width: right - left, height }),
  );
  const vertical = (kind, at) => draw("path", { class: kind, d: `M${px(x(at))} ${top}v${height}` });
  behind.append(...marks.map(mark => vertical("grid", mark)));
  panels.append(...(run.phases ?? []).map(({ began_s: at }) => vertical("phase-edge", at)));
  const made = panel.draw(run, box, times);
  const shades = draw("g", { class: "shades" });
  /* Areas are shaded on top; everything else is drawn above the shade. */
  panels.append(...(panel.over ? [made, shades] : [shades, made]));
  for (const [began, ended] of shaded(run, times.end)) {
    const from = x(began);
    const wide = Math.max(1, x(ended) - from);
    const edges = [from, from + wide].map(at => `M${px(at)} ${top}v${height}`).join("");
    shades.append(
      draw("rect", {
        class: "shade",
        "data-began": began,
        "data-ended": ended,
        fill: "url(#fault)",
        x: px(from),
        y: top,
        width: px(wide),
        height,
      }),
      draw("path", { class: "fault-edge", d: edges }),
    );
  }
};

const timeline = (run, wide) => {
  const times = timesOf(run);
  const names = Math.max(...run.regions.map(name => width(name))) + 24;
  const left = Math.ceil(Math.max(52, Math.min(names, Math.max(90, wide * 0.16))));
  const right = wide - 14;
  const x = at => left + ((right - left) * at) / times.end;
  const upper = draw("g", { class: "upper" });
  const behind = draw("g");
  const panels = draw("g");
  const top = drawLabels(run, times, x, [left, right], upper);
  const marks = ticks(times.end, Math.max(3, Math.floor((right - left) / 90)));
  let y = top;
  for (const panel of PANELS) {
    const box = { x, left, right, top: y + 20, height: panel.height(run) };
    drawPanel(panel, run, times, box, marks, behind, panels);
    y = box.top + box.height + 6;
  }
  const bottom = y - 6;
  behind.append(
    ...marks.map(mark =>
      draw(
        "text",
        { class: "dim tick", x: px(x(mark)), y: bottom + 15, "text-anchor": "middle" },
        `${mark} s`,
      ),
    ),
  );
  y = bottom + 22;
  const cross = draw("path", { class: "cross", "data-top": top, d: "" });
  const hover = draw("rect", {
    class: "hover",
    x: left,
    y: top,
    width: right - left,
    height: bottom - top,
  });
  const content = "shares, circuits, latency and reads";
  const attributes = {
    class: "timeline",
    role: "img",
    tabindex: 0,
    "aria-label": `Timeline of ${run.scenario}: ${content} over ${seconds(times.end)}`,
    viewBox: `0 0 ${wide} ${y}`,
    width: wide,
    height: y,
    "data-left": left,
    "data-right": right,
    "data-end": times.end,
  };
  const svg = draw("svg", attributes, upper, behind, panels, cross, hover);
  return { svg, cross, x, left, right, top, bottom, times };
};

/* The values of one sample. */
const valuesOf = (run, times, index) => {
  const sample = run.timeline.samples[index],
    [from, to] = times.spans[index],
    middle = (from + to) / 2;
  const phase = (run.phases ?? []).findLast(({ began_s: began }) => began <= middle),
    sum = sample.requests.reduce((all, one) => all + one, 0);
  const lines = [
    make(
      "div",
      {},
      make("b", {}, `${from.toFixed(2)} to ${to.toFixed(2)} s`),
      phase ? ` · ${phase.phase}` : "",
    ),
  ];
  const active = (run.faults ?? []).filter(
    ({ began_s: began, ended_s: ended }) => began < to && (ended ?? Infinity) > from,
  );
  if (active.length)
    lines.push(
      make(
        "div",
        {},
        active.length > 3
          ? `${plural(active.length, "active fault")}`
          : active.map(({ region, fault }) => `${region} ${fault}`).join(", "),
      ),
    );
  const rows = run.regions.map((region, at) => [
    make(
      "span",
      {},
      make("i", {
        style: `background-color: var(--r${at % 8})`,
        class: at % 16 > 7 ? "second" : null,
      }),
      region,
    ),
    percent(sum ? sample.requests[at] / sum : null),
    count(sample.requests[at]),
    STATES[stateOf(sample.circuits[at])],
  ]);
  lines.push(list(["region", "share", "requests", "circuit"], rows, []));
  lines.push(
    make(
      "div",
      {},
      `${plural(sample.reads, "read")}, `,
      make("span", { class: sample.failed ? "bad" : "" }, `${count(sample.failed)} failed`),
      sample.wrong ? make("span", { class: "bad" }, `, ${count(sample.wrong)} wrong`) : "",
    ),
    make("div", {}, `p50 ${millis(sample.p50_ms)}, p99 ${millis(sample.p99_ms)}`),
  );
  const changes = (run.circuits ?? []).filter(({ after_s: at }) => at > from && at <= to);
  changes
    .slice(0, 4)
    .forEach(({ after_s: at, region, to: state, why }) =>
      lines.push(
        make(
          "div",
          { class: "dim" },
          `${at.toFixed(2)} s ${region} ${STATES[stateOf(state)]}: ${why}`,
        ),
      ),
    );
  if (changes.length > 4)
    lines.push(
      make("div", { class: "dim" }, `and ${plural(changes.length - 4, "more transition")}`),
    );
  return lines;
};

/* A figure that is redrawn when its width changes. */
const figureOf = run => {
  const tip = make("div", { class: "tip", role: "status", hidden: "" }),
    figure = make("figure", {}, tip);
  let drawn,
    index = null;
  const point = at => {
    index = at == null ? null : Math.max(0, Math.min(at, run.timeline.samples.length - 1));
    tip.hidden = index == null;
    if (index == null) return drawn.cross.setAttribute("d", "");
    const { x, top, bottom, times, svg } = drawn,
      scale = svg.clientWidth / svg.viewBox.baseVal.width || 1,
      at_x = x((times.spans[index][0] + times.spans[index][1]) / 2);
    drawn.cross.setAttribute("d", `M${px(at_x)} ${top}V${bottom}`);
    tip.replaceChildren(...valuesOf(run, times, index));
    const room = figure.clientWidth,
      beside = at_x * scale + 14;
    const fits = beside + tip.offsetWidth <= room;
    tip.style.left = `${Math.max(0, fits ? beside : at_x * scale - 14 - tip.offsetWidth)}px`;
    tip.style.top = `${top + 22}px`;
  };
  const redraw = wide => {
    if (wide < 50 || drawn?.wide === wide) return;
    const fresh = { ...timeline(run, wide), wide };
    const { svg, x } = fresh;
    svg.addEventListener("pointermove", ({ offsetX }) => {
      const at = (offsetX * wide) / (svg.clientWidth || wide),
        inside = at >= fresh.left && at <= fresh.right;
      const found = inside ? fresh.times.spans.findIndex(([, to]) => at <= x(to)) : -1;
      if (found < 0) point(null);
      else if (found !== index) point(found);
    });
    svg.addEventListener("pointerleave", () => point(null));
    svg.addEventListener("blur", () => point(null));
    svg.addEventListener("keydown", event => {
      const step = { ArrowRight: 1, ArrowLeft: -1, Escape: null }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      point(step && (index == null ? 0 : index + step));
    });
    drawn?.svg.remove();
    drawn = fresh;
    index = null;
    tip.hidden = true;
    figure.prepend(svg);
  };
  new ResizeObserver(([{ contentRect }]) => redraw(Math.floor(contentRect.width))).observe(figure);
  return {
    figure,
    redraw: wide => redraw(wide ?? Math.floor(figure.getBoundingClientRect().width)),
  };
};
