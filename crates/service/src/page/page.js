"use strict";
const byId = id => document.getElementById(id);
const split = list => list.split(" ").filter(Boolean);
const ACTIONS = split(document.body.dataset.actions);
const SERVER_ACTIONS = split(document.body.dataset.breaks);
const EVENT_CAPACITY = 200;
const REFRESH_INTERVAL = 1000; // milliseconds

// Token: browsers do not send the fragment to servers. It is kept in this tab's session only.
const initialToken = new URLSearchParams(location.hash.slice(1)).get("token");
if (initialToken) {
  sessionStorage.setItem("token", initialToken);
  history.replaceState(null, "", location.pathname);
}
const token = byId("token");
token.value = sessionStorage.getItem("token") ?? "";
token.addEventListener("input", () => {
  sessionStorage.setItem("token", token.value);
  document.querySelectorAll("button").forEach(button => { button.disabled = !token.value; });
});

const create = (tag, text, className) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};

const formatDuration = s => {
  if (s == null) return "–";
  if (s < 1) return `${(s * 1000).toFixed(s < 0.01 ? 1 : 0)} ms`;
  if (s < 90) return `${s.toFixed(1)} s`;
  return s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`;
};
const formatCount = new Intl.NumberFormat("en").format;
const formatPercent = (share, digits) => `${(share * 100).toFixed(digits)} %`;

const OVERRIDES = {
  drain: "drained",
  force_open: "forced open",
  force_closed: "forced closed",
  metrics_only: "metrics only",
};
const overrideText = region => {
  const override = region.override_active;
  if (!override) return null;
  const kind = OVERRIDES[override.kind] ?? override.kind.replaceAll("_", " ");
  if (override.seconds_left == null) return kind;
  return `${kind}, ${formatDuration(override.seconds_left)} left`;
};

const formatState = state => state.replace("_", "-");
const circuitCell = region => {
  const { read, write } = region;
  const cell = create("td"), details = [];
  const className = { closed: "good", half_open: "warn", open: "bad" }[read.state];
  cell.append(create("span", formatState(read.state), `badge ${className}`));
  // A failed trial restarts `seconds_in_state`, so the time since the last closed state is shown.
  if (read.seconds_not_closed != null) {
    details.push(`not closed for ${formatDuration(read.seconds_not_closed)}`);
  } else {
    details.push(`for ${formatDuration(read.seconds_in_state)}`);
  }
  if (write.state !== "closed") details.push(`writes ${formatState(write.state)}`);
  if (overrideText(region)) details.push(overrideText(region));
  if (details.length) cell.append(create("div", details.join(" · "), "dim"));
  return cell;
};

const errorText = error => {
  if (!error) return "–";
  const parts = [error.class, error.status, error.code];
  if (error.request_id) parts.push(`request ${error.request_id}`);
  const age = Math.max(0, Date.now() / 1000 - error.unix_seconds);
  parts.push(`${formatDuration(age)} ago`);
  return parts.filter(Boolean).join(" · ");
};

const failuresCell = region => {
  const consecutive = region.failing_in_a_row, rate = region.read.failure_rate;
  const cell = create("td", formatCount(region.failures), region.failures ? "" : "dim");
  const details = [];
  if (consecutive) details.push(`${consecutive} consecutive`);
  if (rate) details.push(`${formatPercent(rate, 0)} recently`);
  if (details.length) cell.append(create("div", details.join(" · "), "bad"));
  return cell;
};

const nameCell = region => {
  const cell = create("td", region.name), lag = region.replication_lag;
  if (region.home) cell.append(create("div", "home", "dim"));
  if (lag != null) cell.append(create("div", `lag ${formatDuration(lag)}`, "dim"));
  return cell;
};

const totalsText = totals => [
  `${formatCount(totals.requests)} requests`,
  `${formatPercent(totals.success_rate, 2)} successful`,
  `${formatCount(totals.retries)} retries`,
  `${formatCount(totals.timeouts)} timeouts`,
  `circuits opened ${formatCount(totals.opens)} ×, closed ${formatCount(totals.closes)} ×`,
].join(" · ");

const rowState = ({ read, override_active }) =>
  override_active && read.state !== "open" ? "overridden" : read.state;

const LABELS = [
  "Region", "Circuit", "Share", "Requests", "Failed", "p95", "In flight", "Last error",
];
const rows = new Map();
const rowOf = name => {
  if (rows.has(name)) return rows.get(name);
  const row = create("tr"), cell = create("td", undefined, "actions");
  const line = (actions, className) => {
    const element = create("div");
    element.append(...actions.map(action => createButton(name, action, className)));
    return element;
  };
  cell.append(line(ACTIONS, ""));
  if (SERVER_ACTIONS.length) cell.append(line(SERVER_ACTIONS, "break"));
  cell.dataset.label = "";
  row.dataset.region = name;
  row.actions = cell;
  row.append(cell);
  rows.set(name, row);
  byId("regions").append(row);
  return row;
};
const createButton = (region, action, className) => {
  const [name, timed] = action.split(":");
  const label = name.replaceAll("_", " ") + (timed ? " *" : "");
  const button = create("button", label, className);
  button.dataset.action = name;
  button.disabled = !token.value;
  button.addEventListener("click", () => act(region, name, timed));
  return button;
};

let regions = [];
// Excluding the last region in use, or home, makes requests fail: ask first.
const isConfirmed = (region, action) => {
  if (!/^(drain|force_open)$/.test(action)) return true;
  const inUse = regions.filter(({ in_use }) => in_use).map(({ name }) => name);
  const warnings = [];
  if (inUse.length === 1 && inUse[0] === region) warnings.push("the last region in use");
  if (regions.some(({ name, home }) => name === region && home)) {
    warnings.push("home: its writes, and reads of its prefixes, will fail");
  }
  if (!warnings.length) return true;
  return confirm(`${region} is ${warnings.join(", and ")}. ${action}?`);
};
const act = async (region, action, timed) => {
  if (!isConfirmed(region, action)) return;
  const duration = byId("for").value, note = byId("note");
  const query = timed && duration ? `?for=${duration}` : "";
  try {
    const url = `/regions/${encodeURIComponent(region)}/${action}${query}`;
    const headers = { authorization: `Bearer ${token.value}` };
    const response = await fetch(url, { method: "POST", headers });
    note.textContent = (await response.text()).trim();
    note.className = response.ok ? "dim" : "bad";
  } catch (error) {
    note.textContent = `${action}: ${error.message}`;
    note.className = "bad";
  }
  refresh();
};

const showStatus = status => {
  byId("status").textContent = byId("status").dataset.status = status;
};
const render = snapshot => {
  byId("store").textContent = document.title = snapshot.store;
  showStatus(snapshot.status);
  byId("totals").textContent = totalsText(snapshot.totals);
  regions = snapshot.regions;
  regions.forEach(renderRow);
};
const renderRow = region => {
  const row = rowOf(region.name);
  row.dataset.state = rowState(region);
  row.dataset.share = region.share;
  const cells = [
    nameCell(region),
    circuitCell(region),
    create("td", formatPercent(region.share, 0)),
    create("td", formatCount(region.attempts)),
    failuresCell(region),
    create("td", formatDuration(region.p95)),
    create("td", region.in_flight),
    create("td", errorText(region.last_error), "error"),
  ];
  cells.forEach((cell, column) => { cell.dataset.label = LABELS[column]; });
  // The cell with the buttons is kept: new buttons would lose the focus.
  while (row.firstChild !== row.actions) row.firstChild.remove();
  row.actions.before(...cells);
};

let refreshing = false;
const refresh = async () => {
  if (refreshing) return;
  refreshing = true;
  try {
    const response = await fetch("/health", { signal: AbortSignal.timeout(5000) });
    render(await response.json());
  } catch {
    showStatus("unreachable");
  }
  refreshing = false;
};

const addEvent = entry => {
  const item = create("li"), at = new Date(entry.at);
  const time = create("time", at.toLocaleTimeString([], { hour12: false }));
  time.dateTime = at.toISOString();
  time.title = at.toLocaleString();
  item.append(time);
  if (entry.region) item.append(create("b", entry.region));
  item.append(create("span", entry.text, entry.level));
  const list = byId("events");
  list.prepend(item);
  while (list.children.length > EVENT_CAPACITY) list.lastChild.remove();
};
const events = new EventSource("/events");
events.onmessage = message => addEvent(JSON.parse(message.data));
events.addEventListener("lagged", message => {
  const text = `${message.data} events skipped: they arrived too fast for this page`;
  addEvent({ at: Date.now(), level: "warn", text });
});
events.onopen = () => {
  byId("link").textContent = "";
  refresh();
};
events.onerror = () => { byId("link").textContent = "· disconnected, reconnecting"; };
setInterval(() => { if (!document.hidden) refresh(); }, REFRESH_INTERVAL);
document.addEventListener("visibilitychange", refresh);
refresh();
