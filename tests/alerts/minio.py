#!/usr/bin/env python3
"""The commands of docs/runbook.md for `mc`, each as it stands there, against two real MinIO servers that replicate to each other.

They must succeed while all is well, and fail where they are to show a fault: the server is gone or frozen; the user, the bucket or the
replication is not what it was. A command that always succeeds tells the person at night nothing.
Needs `minio`, `mc` (`.ci/minio` installs them) and `jq`. Everything it starts ends with it.
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
ROOT_USER, READER = ("root-of-the-test", "secret-of-the-test"), ("reader", "secret-of-the-reader")
BUCKET, KEY = "objects", "health/canary"
# What MinIO's own policy `readonly` does not allow. Everything else is asked as a service would ask it.
ADMINISTRATORS = re.compile(r"\bmc (admin|replicate|stat)\b")
RULES = "delete,delete-marker,existing-objects,metadata-sync"
BLOCKS = 5


def found(program):
    """Where a program is: on PATH, or where `go install` puts it."""
    path = shutil.which(program)
    if not path and shutil.which("go"):
        folder = subprocess.run(["go", "env", "GOPATH"], check=True, capture_output=True, text=True).stdout.strip()
        path = shutil.which(program, path=f"{folder}/bin")
    return path or sys.exit(f"FAILED: {program} is not there; .ci/minio installs it")


class Site:
    """Two regions with a bucket each, and `mc` with a folder of its own."""

    def __init__(self, folder, programs):
        first = free_ports(len(NAMES))
        self.addresses = {name: f"127.0.0.1:{first + index}" for index, name in enumerate(NAMES)}
        path = f"{pathlib.Path(found('mc')).parent}:{os.environ['PATH']}"
        self.environment = {"PATH": path, "MC_CONFIG_DIR": f"{folder}/mc", "MC_QUIET": "true", "BUCKET": BUCKET, "KEY": KEY}
        self.servers = {name: self.start(name, folder / name, programs) for name in NAMES}
        for name in NAMES:
            self.prepare(name)
        for source, target in (NAMES, NAMES[::-1]):
            remote = f"http://{':'.join(ROOT_USER)}@{self.addresses[target]}/{BUCKET}"
            self.mc(f'mc replicate add {source}/{BUCKET} --remote-bucket "{remote}" --priority 1 --replicate "{RULES}"')
        self.put("1763733060123")
        until("the key is in both", 30, lambda: shell(f"mc cat {TWO}/{BUCKET}/{KEY}", self.environment)[0] == 0)

    def start(self, name, folder, programs):
        for drive in range(1, 5):
            (folder / str(drive)).mkdir(parents=True)
        # Several drives on the machine's own disk are refused without the first.
        settings = {"MINIO_CI_CD": "1", "MINIO_BROWSER": "off", "MINIO_ROOT_USER": ROOT_USER[0], "MINIO_ROOT_PASSWORD": ROOT_USER[1]}
        arguments = [found("minio"), "server", "--address", self.addresses[name], f"{folder}/{{1...4}}"]
        with (folder / "log").open("w") as log:
            return programs.start(arguments, env=os.environ | settings, stdout=log, stderr=subprocess.STDOUT)

    def prepare(self, name):
        url, (user, secret) = f"http://{self.addresses[name]}", READER
        until(f"{name} is ready", 60, lambda: urllib.request.urlopen(f"{url}/minio/health/cluster", timeout=5))
        self.mc(f"mc alias set {name} {url} {' '.join(ROOT_USER)}")
        self.mc(f"mc mb --with-versioning {name}/{BUCKET}")
        self.mc(f"mc admin user add {name} {user} {secret}")
        self.mc(f"mc admin policy attach {name} readonly --user {user}")
        self.mc(f"mc alias set {name}-reader {url} {user} {secret}")

    def mc(self, commands):
        return demand("what the test prepares", commands, self.environment)

    def put(self, text):
        self.mc(f"echo {text} | mc pipe {ONE}/{BUCKET}/{KEY}")

    def settings(self, name, commands, **others):
        """The runbook's variables, with the rights that these commands want."""
        alias = name if ADMINISTRATORS.search(commands) else f"{name}-reader"
        return self.environment | {"MC_ALIAS": alias} | others

    def succeeds(self, name, commands):
        return demand(f"a command of the runbook (mc, {name})", commands, self.settings(name, commands))

    def fails(self, why, name, commands, **others):
        """Runs commands that must not succeed, all at once: some of them wait for as long as they may."""
        with concurrent.futures.ThreadPoolExecutor(len(commands)) as pool:
            ends = [(each, pool.submit(shell, each, self.settings(name, each, **others))) for each in commands]
        for each, end in ends:
            code, said = end.result()
            if not code:
                # None is a command that would never have ended: at night that is no answer either.
                sys.exit(f"FAILED: {why}, and this {'hangs' if code is None else 'succeeds'}:\n{each}\n{said}")
        print(f"  {why}: {len(commands)} command{'s fail' if len(commands) > 1 else ' fails'}")


def main():
    blocks = [block for _, block in runbook("mc")]
    if len(blocks) != BLOCKS:
        sys.exit(f"FAILED: {len(blocks)} blocks of the runbook are marked for mc, not {BLOCKS}")
    with tempfile.TemporaryDirectory() as folder, Programs() as programs:
        site = Site(pathlib.Path(folder), programs)
        all_is_well(site, blocks)
        lines = [line for block in blocks for line in block.splitlines()]
        something_is_wrong(site, lines)
        a_server_is_out(site, lines)


def all_is_well(site, blocks):
    for name in NAMES:
        for block in blocks:
            site.succeeds(name, block)
    print(f"  {len(blocks)} blocks of the runbook ran against {len(NAMES)} servers")


def something_is_wrong(site, lines):
    of = lambda command: [line for line in lines if f" mc {command} " in f" {line}"]
    site.fails("the key is gone", ONE, of("cat"), KEY="no/such")
    site.fails("the bucket is gone", ONE, of("cat") + of("stat") + of("replicate"), BUCKET="no-such")
    site.fails("the service's user asks what it may not", ONE, of("stat") + of("admin") + of("replicate"), MC_ALIAS=f"{ONE}-reader")
    site.mc(f"mc admin user disable {ONE} {READER[0]}")
    site.fails("the credentials are refused", ONE, of("cat"))
    site.mc(f"mc admin user enable {ONE} {READER[0]}")
    site.mc(f"mc mb --with-versioning {ONE}/alone")
    site.fails("nothing replicates the bucket", ONE, of("replicate status"), BUCKET="alone")


def a_server_is_out(site, lines):
    replication = next(line for line in lines if "mc replicate status" in line)
    state = next(line for line in lines if "replicationStatus" in line)
    says = lambda word, line: until(f"{word} in: {line}", 90, lambda: re.search(word, site.succeeds(ONE, line)))
    says("online", replication)
    says("COMPLETED", state)
    site.servers[TWO].send_signal(signal.SIGSTOP)
    site.put("1763733065123")
    site.fails("the server is frozen", TWO, lines)
    says("offline", replication)
    says("PENDING|FAILED", state)
    print("  the other side of the replication shows it as offline, and that the key has not got through")
    site.servers[TWO].kill()
    site.servers[TWO].wait()
    site.fails("the server is gone", TWO, lines)


if __name__ == "__main__":
    main()
