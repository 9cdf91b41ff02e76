// The program of the example as a person starts it.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { LONG, until } from "./chromium.mjs";

/// With every sign that an address or a form gives a meaning to.
const TOKEN = "a+b%20&c=d#e?f/g";

/// What has been started and has not ended: nothing of it may outlive the test.
const running = new Set();
process.on("exit", () => running.forEach(child => child.kill("SIGKILL")));

export class Fleet {
  static async start(program, instances) {
    const child = spawn(program, ["--instances", String(instances), "--token", TOKEN], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, RUST_LOG: "warn" } });
    running.add(child);
    const pages = new Map();
    createInterface({ input: child.stdout }).on("line", line => {
      const [, instance, url] = /^instance (\d+): (\S+)$/.exec(line) ?? [];
      if (instance) pages.set(Number(instance), new URL(url));
    });
    const ended = new Promise((done, fail) => {
      child.on("error", fail);
      child.on("exit", (code, signal) => { running.delete(child); done(code ?? signal); });
    });
    const fleet = new Fleet(child, pages, ended);
    await until(`${instances} instances`, () => pages.size === instances || fleet.hasEnded());
    if (fleet.hasEnded()) throw new Error(`${program} has ended with ${await ended}`);
    return fleet;
  }

  constructor(child, pages, ended) {
    Object.assign(this, { child, pages, ended });
  }

  hasEnded() {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  page(instance) {
    return this.pages.get(instance);
  }

  get token() {
    return new URLSearchParams(this.page(1).hash.slice(1)).get("token");
  }

  fetch(instance, path) {
    return fetch(new URL(path, this.page(instance)), { signal: AbortSignal.timeout(LONG) });
  }

  async health(instance, region) {
    const health = await (await this.fetch(instance, "/health")).json();
    return health.regions.find(({ name }) => name === region);
  }

  /// Ends the first instance so, and waits until nobody answers any more.
  async end(signal) {
    this.child.kill(signal);
    const how = await this.ended;
    for (const instance of this.pages.keys()) {
      await until(`instance ${instance} is gone`, () => this.fetch(instance, "/live").then(() => false, () => true));
    }
    return how;
  }
}
