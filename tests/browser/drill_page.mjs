// Expressions that `drill.mjs` evaluates in the page. They return plain data.

/// Each timeline as drawn, in the units of the SVG.
const timelines = () =>
  [...document.querySelectorAll("svg.timeline")].map(svg => {
    const value = (element, name) => Number(element.getAttribute(name)),
      rect = element =>
        Object.fromEntries(["x", "y", "width", "height"].map(name => [name, value(element, name)]));
    const many = (element, letter) => (element?.getAttribute("d") ?? "").split(letter).length - 1;
    const plots = [...svg.querySelectorAll(".plot")].map(rect),
      shades = [...svg.querySelectorAll(".shade")].map(rect);
    /* "M x y V y H x ... V y H x ... Z": the upper edge to the right, and the lower one back. */
    const area = path => {
      const levels = [],
        tops = [],
        bottoms = [];
      for (const piece of path.getAttribute("d").split("Z").filter(Boolean)) {
        const ys = [...piece.matchAll(/V([\d.]+)H/g)].map(([, y]) => Number(y)),
          half = ys.length / 2;
        tops.push(...ys.slice(0, half));
        bottoms.push(...ys.slice(half).reverse());
      }
      return {
        steps: tops.length,
        heights: tops.map((top, index) => bottoms[index] - top),
        fill: getComputedStyle(path).fill,
      };
    };
    const line = path => ({
      points: many(path, "M") + many(path, "L"),
      ys: [...path.getAttribute("d").matchAll(/[ML][\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y)),
    });
    const panels = Object.fromEntries(
      [...svg.querySelectorAll(".panel")].map((panel, index) => {
        const plot = plots[index],
          { width, height } = panel.getBBox(),
          one = name => panel.querySelector(name);
        const all = {
          box: { width, height },
          plot: plot.height,
          plotWidth: plot.width,
          shades: shades.filter(shade => shade.y === plot.y && shade.height === plot.height),
        };
        const own = {
          shares: () => ({ areas: [...panel.querySelectorAll(".area")].map(area) }),
          circuits: () => ({
            bands: [...panel.querySelectorAll("[data-state]")].map(band => ({
              region: band.dataset.region,
              state: band.dataset.state,
              ...rect(band),
            })),
          }),
          latency: () => ({ p50: line(one(".p50")), p99: line(one(".p99")) }),
          reads: () => ({
            steps: many(one(".reads"), "H"),
            failed: many(one(".failed"), "M"),
            wrong: many(one(".wrong"), "M"),
          }),
        };
        return [panel.dataset.panel, { ...all, ...own[panel.dataset.panel]() }];
      }),
    );
    const { left, right, end } = svg.dataset;
    return {
      left: Number(left),
      right: Number(right),
      end: Number(end),
      panels,
      texts: [...svg.querySelectorAll("text")].map(text => text.firstChild?.data ?? ""),
    };
  });
export const TIMELINES = `(${timelines})()`;

/// How many texts there are, and those that stand out too little from what is behind them.
const contrast = () => {
  const parts = colour => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const light = rgb => {
    const [r, g, b] = rgb.map(c =>
      (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [dark, bright] = [light(a), light(b)].sort((one, other) => one - other);
    return (bright + 0.05) / (dark + 0.05);
  };
  const behind = element => {
    for (; element; element = element.parentElement) {
      const { rgb, a } = parts(getComputedStyle(element).backgroundColor);
      if (a) return rgb;
    }
    return [255, 255, 255];
  };
  const soft = parts(getComputedStyle(document.querySelector(".plot") ?? document.body).fill).rgb,
    open = document.querySelector(".state-open");
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT),
    faint = [];
  let seen = 0;
  while (walk.nextNode()) {
    const { parentElement: element, data } = walk.currentNode;
    if (
      !data.trim() ||
      element.closest("script, style, noscript, title, [hidden], svg.defs") ||
      !element.getClientRects().length
    )
      continue;
    seen += 1;
    const style = getComputedStyle(element),
      svg = element instanceof SVGElement,
      colour = parts(svg ? style.fill : style.color).rgb;
    const grounds = element.classList.contains("on-open")
      ? [parts(getComputedStyle(open).fill).rgb]
      : svg
        ? [behind(element), soft]
        : [behind(element)];
    for (const ground of grounds)
      if (ratio(colour, ground) < 4.5)
        faint.push(
          [data.trim().slice(0, 30), colour, ground, ratio(colour, ground).toFixed(2)].join(" "),
        );
  }
  return { seen, faint: [...new Set(faint)] };
};
export const CONTRAST = `(${contrast})()`;

/// Texts of a timeline that overlap each other or exceed it.
const overlaps = () =>
  [...document.querySelectorAll("svg.timeline")].flatMap((svg, picture) => {
    const whole = svg.getBoundingClientRect(),
      wrong = [];
    const texts = [...svg.querySelectorAll("text")]
      .filter(text => text.textContent)
      .map(text => {
        const { left, right, top, bottom } = text.getBoundingClientRect();
        return { words: text.firstChild.data, left, right, top: top + 2, bottom: bottom - 2 };
      });
    texts.forEach((one, index) => {
      if (
        one.left < whole.left - 1 ||
        one.right > whole.right + 12 ||
        one.bottom > whole.bottom + 1
      )
        wrong.push(picture + ": " + one.words + " exceeds the chart");
      for (const other of texts.slice(index + 1)) {
        if (
          one.left < other.right &&
          other.left < one.right &&
          one.top < other.bottom &&
          other.top < one.bottom
        )
          wrong.push(picture + ": " + one.words + " over " + other.words);
      }
    });
    return wrong;
  });
export const OVERLAPS = `(${overlaps})()`;
