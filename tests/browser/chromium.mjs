// Headless Chromium without a library: DevTools protocol over a pipe, zero-terminated messages.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/// Limit in milliseconds that only a failing test reaches.
export const LONG = Number(process.env.LONG ?? 60_000);

const POLL_INTERVAL = 50; // milliseconds
const CLOSE_TIMEOUT = 5000; // milliseconds

const FLAGS = [
  "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu",
  "--hide-scrollbars", "--disable-dev-shm-usage", "--disable-background-networking",
  "--disable-component-update", "--lang=en-GB",
];

/// Polls until `check` gives a truthy value, and returns it. `what` is for the error message.
export async function waitFor(what, check) {
  const end = Date.now() + LONG;
  while (Date.now() < end) {
    const value = await check();
    if (value) return value;
    await new Promise(resolve => setTimeout(resolve, POLL_INTERVAL));
  }
  throw new Error(`timed out: ${what}`);
}

export class Browser {
  static async start() {
    const home = mkdtempSync(join(tmpdir(), "browser-test-"));
    // Chromium's sandbox does not work for root, the usual user of a container.
    const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    const args = [...sandbox, ...FLAGS, `--user-data-dir=${home}`, "about:blank"];
    const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"];
    const child = spawn(process.env.CHROMIUM ?? "chromium", args, { stdio });
    const browser = new Browser(child, home);
    await browser.send("Browser.getVersion");
    return browser;
  }

  constructor(child, home) {
    Object.assign(this, { child, home, lastId: 0, pending: new Map(), listeners: [] });
    this.exited = new Promise((_, reject) => {
      child.on("error", error => reject(new Error(`chromium: cannot start: ${error.message}`)));
      child.on("exit", code => reject(new Error(`chromium: exited with ${code}`)));
    });
    // Without a handler a rejection between two commands would end the process.
    this.exited.catch(() => {});
    let rest = Buffer.alloc(0);
    child.stdio[4].on("data", chunk => {
      rest = Buffer.concat([rest, chunk]);
      for (let end; (end = rest.indexOf(0)) >= 0; rest = rest.subarray(end + 1)) {
        this.onMessage(JSON.parse(rest.subarray(0, end)));
      }
    });
    child.stdio[3].on("error", () => {});
  }

  onMessage(message) {
    const command = this.pending.get(message.id);
    if (!command) return this.listeners.forEach(listener => listener(message));
    this.pending.delete(message.id);
    if (message.error) command.reject(new Error(message.error.message));
    else command.resolve(message.result);
  }

  send(method, params = {}, sessionId) {
    const id = ++this.lastId;
    const response = new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
    });
    this.child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return Promise.race([response, this.exited]);
  }

  async open(url) {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.send(`${domain}.enable`);
    await page.navigate(url);
    return page;
  }

  async close() {
    this.child.removeAllListeners("exit");
    const exited = new Promise(resolve => this.child.once("exit", resolve));
    // Not killed at once: its child processes would still write into the folder removed below.
    this.send("Browser.close").catch(() => {});
    const timer = setTimeout(() => this.child.kill("SIGKILL"), CLOSE_TIMEOUT);
    await exited;
    clearTimeout(timer);
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

class Page {
  /// `errors`: exceptions and console errors. `requests`: URLs of all requests.
  constructor(browser, session) {
    Object.assign(this, { browser, session, errors: [], requests: [] });
    browser.listeners.push(({ sessionId, method, params }) => {
      if (sessionId === session) this.onEvent(method, params);
    });
  }

  onEvent(method, params) {
    if (method === "Runtime.exceptionThrown") {
      const { exception, text } = params.exceptionDetails;
      this.errors.push(exception?.description ?? text);
    }
    if (method === "Log.entryAdded" && params.entry.level === "error") {
      this.errors.push(`${params.entry.text} ${params.entry.url ?? ""}`);
    }
    if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
  }

  send(method, params) {
    return this.browser.send(method, params, this.session);
  }

  async navigate(url) {
    await this.send("Page.navigate", { url });
    const loaded = "document.readyState === 'complete' && location.href !== 'about:blank'";
    await waitFor(`${url} is loaded`, () => this.evaluate(loaded));
  }

  /// The value of an expression in the page.
  async evaluate(expression) {
    const options = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", options);
    if (exceptionDetails) {
      const { exception, text } = exceptionDetails;
      throw new Error(`${expression}: ${exception?.description ?? text}`);
    }
    return result.value;
  }

  /// Polls an expression in the page; a timeout also shows the page's errors.
  async waitFor(what, expression) {
    try {
      return await waitFor(what, () => this.evaluate(expression));
    } catch (error) {
      throw new Error([error.message, ...this.errors].join("\n"));
    }
  }

  /// A mouse click at the centre of the element.
  async click(selector) {
    const point = await this.evaluate(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      if (!element) return null;
      element.scrollIntoView({ block: "center" });
      const box = element.getBoundingClientRect();
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    })()`);
    if (!point) throw new Error(`no element matches ${selector}`);
    for (const type of ["mousePressed", "mouseReleased"]) {
      const event = { type, ...point, button: "left", clickCount: 1 };
      await this.send("Input.dispatchMouseEvent", event);
    }
  }

  type(text) {
    return this.send("Input.insertText", { text });
  }

  async setViewport(width, height, scheme = "light") {
    const metrics = { width, height, deviceScaleFactor: 1, mobile: width < 600 };
    await this.send("Emulation.setDeviceMetricsOverride", metrics);
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.send("Emulation.setEmulatedMedia", { features });
  }

  /// A PNG of the viewport.
  async screenshot() {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Buffer.from(data, "base64");
  }
}
