#!/usr/bin/env python3
"""A failing region makes a real Prometheus fire the alerts of docs/alerts.md, and no others.

Three instances of the example service use the same embedded regions. Prometheus scrapes them with
the shipped rules, whose durations are divided by 60. While the region is down the test runs the
commands of docs/runbook.md for the service and Prometheus, unchanged.
Needs `prometheus` and `jq` on PATH and the service built
(`cargo build --release -p failover-service`). All child processes end with the test.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

import dashboard
from common import ROOT, Programs, demand, free_ports, runbook, until

TIMES = 60
TOKEN = "fleet-test"
JOB = "service"
# In seconds: how long no alert may fire before the fault, how long the expected alerts may take on
# a busy machine, and how long no other alert may fire after them.
QUIET, LIMIT, LASTS = 15, 90, 20
# The row of the table in docs/alerts.md that this test reproduces.
FAULT = "A region is down or hangs; busy, 3 instances or more"
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def rendered(rules):
    """The rules with every duration divided by `TIMES`."""

    def shorter(match):
        millis = round(int(match[2]) * SECONDS[match[3]] * 1000 / TIMES)
        return f"{match[1]}{millis}ms"

    return re.sub(r"(\[|offset |for: |interval: )(\d+)(ms|s|m|h|d)\b", shorter, rules)


def expected():
    """The alerts of the fault in docs/alerts.md: those that must fire, and those that may fire.

    An alert in brackets may fire and need not.
    """
    page = (ROOT / "docs/alerts.md").read_text()
    rules = (ROOT / "docs/prometheus/alerts.yml").read_text()
    names = set(re.findall(r"alert: (\w+)", rules))
    row = next((line for line in page.splitlines() if line.startswith(f"| {FAULT} |")), None)
    if row is None:
        sys.exit(f"FAILED: docs/alerts.md has no row for the fault `{FAULT}`")
    cell = row.split("|")[2]
    certain = re.sub(r"\[[^\]]*\]", "", cell)
    required = [name for name in re.findall(r"\w+", certain) if name in names]
    return required, {name for name in re.findall(r"\w+", cell) if name in names}


def ask(url, method="GET"):
    headers = {"authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(url, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=5) as response:
        return response.read().decode()


def firing(prometheus):
    alerts = json.loads(ask(f"{prometheus}/api/v1/alerts"))["data"]["alerts"]
    return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


def run_the_runbook(environment):
    """Runs the runbook's blocks for the service and Prometheus, in the order of the page."""
    blocks = runbook("service", "prometheus")
    for kind, block in blocks:
        demand(f"a command of the runbook ({kind})", block, environment)
    print(f"  {len(blocks)} blocks of the runbook succeeded")


def main():
    required, allowed = expected()
    print(f"{FAULT}: expecting {', '.join(required)}")
    with tempfile.TemporaryDirectory() as folder, Programs() as programs:
        run(pathlib.Path(folder), programs, required, allowed)


def start(folder, programs):
    """Starts three instances and Prometheus, and returns their addresses."""
    first = free_ports(4)
    program = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target/release/failover-service")
    service = [program, "--instances", "3", "--listen", f"127.0.0.1:{first}"]
    service += ["--token", TOKEN, "--readers", "4"]
    with (folder / "service.log").open("w") as log:
        programs.start(service, stdout=log, stderr=subprocess.STDOUT)
    instances = [f"http://127.0.0.1:{port}" for port in range(first, first + 3)]
    ready = lambda: all(ask(f"{instance}/ready") for instance in instances)
    until("three instances serve", 60, ready)
    rules = (ROOT / "docs/prometheus/alerts.yml").read_text()
    (folder / "alerts.yml").write_text(rendered(rules))
    targets = ", ".join(f'"{instance.removeprefix("http://")}"' for instance in instances)
    # Targets often have a label `region` of their own; the rules must not group by it.
    labels = "labels: {region: rack-1}"
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms}\n"
        "rule_files: [alerts.yml]\n"
        "scrape_configs:\n"
        f"  - {{job_name: {JOB}, static_configs: [{{targets: [{targets}], {labels}}}]}}\n"
    )
    prometheus = f"http://127.0.0.1:{first + 3}"
    arguments = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    arguments += [f"--web.listen-address=127.0.0.1:{first + 3}", "--log.level=error"]
    programs.start(["prometheus", *arguments], stdout=subprocess.DEVNULL)
    until("Prometheus is ready", 60, lambda: ask(f"{prometheus}/-/ready"))
    return instances, prometheus


def watch(prometheus, began, seen, done):
    """Adds firing alerts to `seen`, with their first time since `began`, until `done(elapsed)`."""
    while not done(time.monotonic() - began):
        for name in firing(prometheus):
            seen.setdefault(name, time.monotonic() - began)
        time.sleep(0.1)


def run(folder, programs, required, allowed):
    instances, prometheus = start(folder, programs)
    false_alarms = {}
    began = time.monotonic()
    watch(prometheus, began, false_alarms, lambda elapsed: false_alarms or elapsed > QUIET)
    if false_alarms:
        sys.exit(f"FAILED: fires before the fault: {', '.join(false_alarms)}")
    regions = json.loads(ask(f"{instances[0]}/health"))["regions"]
    region, other = [region["name"] for region in regions][:2]
    ask(f"{instances[0]}/regions/{region}/kill", "POST")
    began, seen = time.monotonic(), {}
    watch(
        prometheus,
        began,
        seen,
        lambda elapsed: set(required) <= set(seen) or elapsed > LIMIT,
    )
    # The fault lasts on: an alert that fires later than the expected ones must be seen too.
    end = time.monotonic() - began + LASTS
    watch(prometheus, began, seen, lambda elapsed: elapsed > end)
    for name, after in sorted(seen.items(), key=lambda item: item[1]):
        print(f"  {after:5.1f} s  {name}")
    if not set(required) <= set(seen) <= allowed:
        sys.exit(f"FAILED: fired {sorted(seen)}, but docs/alerts.md names {required}")
    # The dashboard must show an override. `metrics_only` on a healthy region changes nothing else.
    ask(f"{instances[1]}/regions/{other}/metrics_only?for=5m", "POST")
    dashboard.check(ask, prometheus, {"job": JOB, "store": "service"})
    run_the_runbook(
        {
            "SERVICE": instances[0],
            "TOKEN": TOKEN,
            "PROMETHEUS": prometheus,
            "REGION": region,
            "KEY": "hello.txt",
        }
    )
    ask(f"{instances[0]}/regions/{region}/revive", "POST")
    until("all alerts clear", 120, lambda: not firing(prometheus))
    print("  all alerts cleared after the region's return")


if __name__ == "__main__":
    main()
