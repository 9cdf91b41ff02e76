#!/usr/bin/env python3
"""Runs the runbook's commands for `mc`, unchanged, on two MinIO servers that replicate each other.

The commands must succeed on healthy servers, and fail on the faults that they diagnose: a killed or
frozen server, a disabled user, a missing bucket, missing replication. A command that always
succeeds diagnoses nothing.
Needs `minio`, `mc` (`.ci/minio` installs them) and `jq`. All child processes end with the test.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request

from common import Programs, demand, free_ports, runbook, shell, until

ONE, TWO = NAMES = ("one", "two")
ROOT_USER = ("root-of-the-test", "secret-of-the-test")
READER = ("reader", "secret-of-the-reader")
BUCKET, KEY = "objects", "health/canary"
# MinIO's policy `readonly` does not allow these. All other commands use the reader's credentials,
# as the runbook asks for.
ADMINISTRATORS = re.compile(r"\bmc (admin|replicate|stat)\b")
RULES = "delete,delete-marker,existing-objects,metadata-sync"
BLOCKS = 5


def found(program):
    """The path of a program: on PATH, or in the folder of `go install`."""
    path = shutil.which(program)
    if not path and shutil.which("go"):
        command = ["go", "env", "GOPATH"]
        go = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        path = shutil.which(program, path=f"{go}/bin")
    return path or sys.exit(f"FAILED: {program} is not installed; .ci/minio installs it")


class Site:
    """Two regions with one bucket each, and a configuration folder for `mc`."""

    def __init__(self, folder, programs):
        first = free_ports(len(NAMES))
        self.addresses = {name: f"127.0.0.1:{first + index}" for index, name in enumerate(NAMES)}
        self.environment = {
            "PATH": f"{pathlib.Path(found('mc')).parent}:{os.environ['PATH']}",
            "MC_CONFIG_DIR": f"{folder}/mc",
            "MC_QUIET": "true",
            "BUCKET": BUCKET,
            "KEY": KEY,
        }
        self.servers = {name: self.start(name, folder / name, programs) for name in NAMES}
        for name in NAMES:
            self.prepare(name)
        for source, target in (NAMES, NAMES[::-1]):
            remote = f"http://{':'.join(ROOT_USER)}@{self.addresses[target]}/{BUCKET}"
            self.mc(
                f'mc replicate add {source}/{BUCKET} --remote-bucket "{remote}" --priority 1'
                f' --replicate "{RULES}"'
            )
        self.put("1763733060123")
        cat = f"mc cat {TWO}/{BUCKET}/{KEY}"
        until("the key is in both", 30, lambda: shell(cat, self.environment)[0] == 0)

    def start(self, name, folder, programs):
        for drive in range(1, 5):
            (folder / str(drive)).mkdir(parents=True)
        settings = {
            # Without it MinIO rejects several drives on the root disk.
            "MINIO_CI_CD": "1",
            "MINIO_BROWSER": "off",
            "MINIO_ROOT_USER": ROOT_USER[0],
            "MINIO_ROOT_PASSWORD": ROOT_USER[1],
        }
        drives = f"{folder}/{{1...4}}"
        arguments = [found("minio"), "server", "--address", self.addresses[name], drives]
        environment = os.environ | settings
        with (folder / "log").open("w") as log:
            return programs.start(arguments, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def prepare(self, name):
        url, (user, secret) = f"http://{self.addresses[name]}", READER
        health = f"{url}/minio/health/cluster"
        until(f"{name} is ready", 60, lambda: urllib.request.urlopen(health, timeout=5))
        self.mc(f"mc alias set {name} {url} {' '.join(ROOT_USER)}")
        self.mc(f"mc mb --with-versioning {name}/{BUCKET}")
        self.mc(f"mc admin user add {name} {user} {secret}")
        self.mc(f"mc admin policy attach {name} readonly --user {user}")
        self.mc(f"mc alias set {name}-reader {url} {user} {secret}")

    def mc(self, commands):
        return demand("a command of the test setup", commands, self.environment)

    def put(self, text):
        self.mc(f"echo {text} | mc pipe {ONE}/{BUCKET}/{KEY}")

    def settings(self, name, commands, **others):
        """The runbook's variables, with an alias that has the permissions for these commands."""
        alias = name if ADMINISTRATORS.search(commands) else f"{name}-reader"
        return self.environment | {"MC_ALIAS": alias} | others

    def succeeds(self, name, commands):
        what = f"a command of the runbook (mc, {name})"
        return demand(what, commands, self.settings(name, commands))

    def fails(self, why, name, commands, **others):
        """Runs commands that must fail."""
        # In parallel: some of them wait until their `timeout`.
        with concurrent.futures.ThreadPoolExecutor(len(commands)) as pool:
            ends = [
                (each, pool.submit(shell, each, self.settings(name, each, **others)))
                for each in commands
            ]
        for each, end in ends:
            code, output = end.result()
            # None is a command that reached the limit of `shell`: it diagnoses nothing either.
            if not code:
                actual = "hangs" if code is None else "succeeds"
                sys.exit(f"FAILED: {why}, and this {actual}:\n{each}\n{output}")
        print(f"  {why}: {len(commands)} command{'s fail' if len(commands) > 1 else ' fails'}")


def main():
    blocks = [block for _, block in runbook("mc")]
    if len(blocks) != BLOCKS:
        sys.exit(f"FAILED: {len(blocks)} blocks of the runbook are marked for mc, not {BLOCKS}")
    with tempfile.TemporaryDirectory() as folder, Programs() as programs:
        site = Site(pathlib.Path(folder), programs)
        healthy_servers(site, blocks)
        # Each command of the runbook for `mc` is one line, so that each can be checked alone.
        lines = [line for block in blocks for line in block.splitlines()]
        wrong_configuration(site, lines)
        server_outage(site, lines)


def healthy_servers(site, blocks):
    for name in NAMES:
        for block in blocks:
            site.succeeds(name, block)
    print(f"  {len(blocks)} blocks of the runbook succeeded on {len(NAMES)} servers")


def wrong_configuration(site, lines):
    of = lambda command: [line for line in lines if f" mc {command} " in f" {line}"]
    site.fails("missing key", ONE, of("cat"), KEY="no/such")
    needs_bucket = of("cat") + of("stat") + of("replicate")
    site.fails("missing bucket", ONE, needs_bucket, BUCKET="no-such")
    privileged = of("stat") + of("admin") + of("replicate")
    site.fails("missing permission", ONE, privileged, MC_ALIAS=f"{ONE}-reader")
    site.mc(f"mc admin user disable {ONE} {READER[0]}")
    site.fails("credentials rejected", ONE, of("cat"))
    site.mc(f"mc admin user enable {ONE} {READER[0]}")
    site.mc(f"mc mb --with-versioning {ONE}/alone")
    site.fails("no replication rule", ONE, of("replicate status"), BUCKET="alone")


def server_outage(site, lines):
    replication = next(line for line in lines if "mc replicate status" in line)
    state = next(line for line in lines if "replicationStatus" in line)
    reports = lambda word, line: until(
        f"{word} in: {line}", 90, lambda: re.search(word, site.succeeds(ONE, line))
    )
    reports("online", replication)
    reports("COMPLETED", state)
    site.servers[TWO].send_signal(signal.SIGSTOP)
    site.put("1763733065123")
    site.fails("frozen server", TWO, lines)
    reports("offline", replication)
    reports("PENDING|FAILED", state)
    print("  the replication source reports the frozen server as offline and the key as pending")
    site.servers[TWO].kill()
    site.servers[TWO].wait()
    site.fails("killed server", TWO, lines)


if __name__ == "__main__":
    main()
