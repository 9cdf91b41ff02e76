#!/usr/bin/env python3
"""A region dies, and a real Prometheus fires what docs/alerts.md says, and nothing else.

Three instances of examples/service over the same embedded regions, scraped by Prometheus with the shipped rules at a sixtieth of their
times. While the region is dead the commands of docs/runbook.md against the service and Prometheus are run, each as it stands there.
Needs `prometheus` and `jq` on PATH and the example built (`cargo build --release --example service`). Everything it starts ends with it.
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
# In seconds: how long nothing may fire, how late what must fire may come on a busy machine, and how long nothing else may.
QUIET, LIMIT, LASTS = 15, 90, 20
FAULT = "A region is down or hangs; busy, 3 instances or more"
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def rendered(rules):
    """The rules with every duration at a sixtieth."""

    def shorter(match):
        millis = round(int(match[2]) * SECONDS[match[3]] * 1000 / TIMES)
        return f"{match[1]}{millis}ms"

    return re.sub(r"(\[|offset |for: |interval: )(\d+)(ms|s|m|h|d)\b", shorter, rules)


def expected():
    """The alerts that docs/alerts.md names for the fault; those in brackets may fire as well."""
    page = (ROOT / "docs/alerts.md").read_text()
    names = set(re.findall(r"alert: (\w+)", (ROOT / "docs/prometheus/alerts.yml").read_text()))
    row = next(line for line in page.splitlines() if line.startswith(f"| {FAULT} |"))
    cell = row.split("|")[2]
    certain = re.sub(r"\[[^\]]*\]", "", cell)
    wanted = [name for name in re.findall(r"\w+", certain) if name in names]
    return wanted, {name for name in re.findall(r"\w+", cell) if name in names}


def ask(url, method="GET"):
    request = urllib.request.Request(url, method=method, headers={"authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read().decode()


def firing(prometheus):
    alerts = json.loads(ask(f"{prometheus}/api/v1/alerts"))["data"]["alerts"]
    return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


def run_the_runbook(environment):
    """Runs the commands that the runbook marks as runnable against the service and Prometheus."""
    blocks = runbook("service", "prometheus")
    for kind, block in blocks:
        demand(f"a command of the runbook ({kind})", block, environment)
    print(f"  {len(blocks)} blocks of the runbook ran")


def main():
    wanted, allowed = expected()
    print(f"{FAULT}: expecting {', '.join(wanted)}")
    with tempfile.TemporaryDirectory() as folder, Programs() as programs:
        run(pathlib.Path(folder), programs, wanted, allowed)


def start(folder, programs):
    """Three instances and Prometheus over them; their addresses."""
    first = free_ports(4)
    service = [sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target/release/examples/service")]
    service += ["--instances", "3", "--listen", f"127.0.0.1:{first}", "--token", TOKEN, "--readers", "4"]
    with (folder / "service.log").open("w") as log:
        programs.start(service, stdout=log, stderr=subprocess.STDOUT)
    instances = [f"http://127.0.0.1:{port}" for port in range(first, first + 3)]
    until("three instances serve", 60, lambda: all(ask(f"{instance}/ready") for instance in instances))
    (folder / "alerts.yml").write_text(rendered((ROOT / "docs/prometheus/alerts.yml").read_text()))
    targets = ", ".join(f'"{instance.removeprefix("http://")}"' for instance in instances)
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms}\n"
        "rule_files: [alerts.yml]\n"
        f"scrape_configs: [{{job_name: {JOB}, static_configs: [{{targets: [{targets}], labels: {{region: rack-1}}}}]}}]\n"
    )
    prometheus = f"http://127.0.0.1:{first + 3}"
    arguments = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    arguments += [f"--web.listen-address=127.0.0.1:{first + 3}", "--log.level=error"]
    programs.start(["prometheus", *arguments], stdout=subprocess.DEVNULL)
    until("Prometheus is ready", 60, lambda: ask(f"{prometheus}/-/ready"))
    return instances, prometheus


def watch(prometheus, began, seen, until_when):
    """Adds the alerts that fire to `seen`, each with the time since `began` at which it first did, until that time has come."""
    while not until_when(time.monotonic() - began):
        for name in firing(prometheus):
            seen.setdefault(name, time.monotonic() - began)
        time.sleep(0.1)


def run(folder, programs, wanted, allowed):
    instances, prometheus = start(folder, programs)
    wrong = {}
    watch(prometheus, time.monotonic(), wrong, lambda passed: wrong or passed > QUIET)
    if wrong:
        sys.exit(f"FAILED: fires though nothing is wrong: {', '.join(wrong)}")
    region, other = [region["name"] for region in json.loads(ask(f"{instances[0]}/health"))["regions"]][:2]
    ask(f"{instances[0]}/regions/{region}/kill", "POST")
    began, seen = time.monotonic(), {}
    watch(prometheus, began, seen, lambda passed: set(wanted) <= set(seen) or passed > LIMIT)
    # And nothing else, while it lasts.
    lasted = time.monotonic() - began + LASTS
    watch(prometheus, began, seen, lambda passed: passed > lasted)
    for name, after in sorted(seen.items(), key=lambda item: item[1]):
        print(f"  {after:5.1f} s  {name}")
    if not set(wanted) <= set(seen) <= allowed:
        sys.exit(f"FAILED: fired {sorted(seen)}, and docs/alerts.md names {wanted}")
    # An override that changes nothing while all is well there: the dashboard is to show that it is in force.
    ask(f"{instances[1]}/regions/{other}/metrics_only?for=5m", "POST")
    dashboard.check(ask, prometheus, {"job": JOB, "store": "service"})
    settings = {"SERVICE": instances[0], "TOKEN": TOKEN, "PROMETHEUS": prometheus, "REGION": region, "KEY": "hello.txt"}
    run_the_runbook(settings)
    ask(f"{instances[0]}/regions/{region}/revive", "POST")
    until("everything clears", 120, lambda: not firing(prometheus))
    print("  and all is quiet again after its return")


if __name__ == "__main__":
    main()
