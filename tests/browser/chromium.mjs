// A headless Chromium without a library: its debugging protocol over a pipe, messages that end in a zero byte.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/// Far more than anything takes; reached only by a test that fails.
export const LONG = Number(process.env.LONG ?? 60_000);

/// Asks until it is so, or says what was asked for in vain.
export async function until(what, ask) {
  const end = Date.now() + LONG;
  for (let found; Date.now() < end; await new Promise(go => setTimeout(go, 50))) {
    if ((found = await ask())) return found;
  }
  throw new Error(`in vain: ${what}`);
}

export class Browser {
  static async start() {
    const home = mkdtempSync(join(tmpdir(), "service-browser-"));
    const args = ["--headless=new", "--remote-debugging-pipe", `--user-data-dir=${home}`, "--no-first-run", "--disable-gpu", "--hide-scrollbars",
      "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--lang=en-GB", "about:blank"];
    // Chromium's sandbox does not work for root, which is what one is in a container.
    if (process.getuid?.() === 0) args.unshift("--no-sandbox");
    const child = spawn(process.env.CHROMIUM ?? "chromium", args, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    const browser = new Browser(child, home);
    await browser.send("Browser.getVersion");
    return browser;
  }

  constructor(child, home) {
    Object.assign(this, { child, home, number: 0, waiting: new Map(), listeners: [] });
    this.gone = new Promise((_, fail) => {
      child.on("error", error => fail(new Error(`chromium does not start: ${error.message}`)));
      child.on("exit", code => fail(new Error(`chromium has ended: ${code}`)));
    });
    this.gone.catch(() => {});
    let rest = Buffer.alloc(0);
    child.stdio[4].on("data", piece => {
      rest = Buffer.concat([rest, piece]);
      for (let end; (end = rest.indexOf(0)) >= 0; rest = rest.subarray(end + 1)) this.hear(JSON.parse(rest.subarray(0, end)));
    });
    child.stdio[3].on("error", () => {});
  }

  hear(message) {
    const waiting = this.waiting.get(message.id);
    if (!waiting) return this.listeners.forEach(listener => listener(message));
    this.waiting.delete(message.id);
    if (message.error) waiting.fail(new Error(message.error.message));
    else waiting.done(message.result);
  }

  send(method, params = {}, sessionId) {
    const id = ++this.number;
    const answer = new Promise((done, fail) => this.waiting.set(id, { done, fail }));
    this.child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return Promise.race([answer, this.gone]);
  }

  async open(url) {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.send(`${domain}.enable`);
    await page.go(url);
    return page;
  }

  async end() {
    this.child.removeAllListeners("exit");
    const ended = new Promise(done => this.child.once("exit", done));
    // Asked first: a browser that is killed leaves children that still write for a moment into what is removed here.
    this.send("Browser.close").catch(() => {});
    const late = setTimeout(() => this.child.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(late);
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

class Page {
  constructor(browser, session) {
    /// What a person would see in the console, and what was asked of whom.
    Object.assign(this, { browser, session, complaints: [], requests: [] });
    browser.listeners.push(({ sessionId, method, params }) => {
      if (sessionId !== session) return;
      if (method === "Runtime.exceptionThrown") this.complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
      if (method === "Log.entryAdded" && params.entry.level === "error") this.complaints.push(`${params.entry.text} ${params.entry.url ?? ""}`);
      if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
    });
  }

  send(method, params) {
    return this.browser.send(method, params, this.session);
  }

  async go(url) {
    await this.send("Page.navigate", { url });
    await until(`${url} is loaded`, () => this.ask("document.readyState === 'complete' && location.href !== 'about:blank'"));
  }

  /// The value of an expression in the page.
  async ask(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  }

  async until(what, expression) {
    try {
      return await until(what, () => this.ask(expression));
    } catch (error) {
      throw new Error([error.message, ...this.complaints].join("\n"));
    }
  }

  /// A press of the mouse where the element is, as a person does it.
  async click(selector) {
    const place = await this.ask(`(() => { const found = document.querySelector(${JSON.stringify(selector)}); if (!found) return null;
      found.scrollIntoView({ block: "center" }); const box = found.getBoundingClientRect();
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 }; })()`);
    if (!place) throw new Error(`there is no ${selector}`);
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.send("Input.dispatchMouseEvent", { type, ...place, button: "left", clickCount: 1 });
    }
  }

  type(text) {
    return this.send("Input.insertText", { text });
  }

  async look(width, height, scheme = "light") {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
    await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  }

  async picture() {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Buffer.from(data, "base64");
  }
}
