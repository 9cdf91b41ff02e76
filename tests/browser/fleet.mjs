// The service as a user starts it: several instances, their pages and their health.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { LONG, waitFor } from "./chromium.mjs";

/// Contains the characters that are special in URLs and forms.
const TOKEN = "a+b%20&c=d#e?f/g";

/// Processes that must not outlive the test.
const running = new Set();
process.on("exit", () => running.forEach(child => child.kill("SIGKILL")));

export class Fleet {
  static async start(program, instances) {
    const args = ["--instances", String(instances), "--token", TOKEN];
    const env = { ...process.env, RUST_LOG: "warn" };
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"], env });
    running.add(child);
    const pages = new Map();
    createInterface({ input: child.stdout }).on("line", line => {
      const [, instance, url] = /^instance (\d+): (\S+)$/.exec(line) ?? [];
      if (instance) pages.set(Number(instance), new URL(url));
    });
    const exited = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code, signal) => {
        running.delete(child);
        resolve(code ?? signal);
      });
    });
    const fleet = new Fleet(child, pages, exited);
    const started = () => pages.size === instances || fleet.hasExited();
    await waitFor(`${instances} instances`, started);
    if (fleet.hasExited()) throw new Error(`${program} exited with ${await exited}`);
    return fleet;
  }

  constructor(child, pages, exited) {
    Object.assign(this, { child, pages, exited });
  }

  hasExited() {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /// URL of an instance's page, with the token.
  page(instance) {
    return this.pages.get(instance);
  }

  get token() {
    return new URLSearchParams(this.page(1).hash.slice(1)).get("token");
  }

  fetch(instance, path) {
    return fetch(new URL(path, this.page(instance)), { signal: AbortSignal.timeout(LONG) });
  }

  /// One region of an instance's health snapshot.
  async health(instance, region) {
    const health = await (await this.fetch(instance, "/health")).json();
    return health.regions.find(({ name }) => name === region);
  }

  /// Sends the signal to the first instance and waits until no instance responds. Returns the exit
  /// code or the signal of the first one.
  async stop(signal) {
    this.child.kill(signal);
    const status = await this.exited;
    for (const instance of this.pages.keys()) {
      const refuses = () => this.fetch(instance, "/live").then(() => false, () => true);
      await waitFor(`instance ${instance} has stopped`, refuses);
    }
    return status;
  }
}
