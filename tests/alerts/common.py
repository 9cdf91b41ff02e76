"""Shared by the tests of this folder: ports, polling, the runbook's commands, child processes."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND_LIMIT = 60


def free_ports(count):
    """The first of `count` consecutive ports that are free at the moment."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = probe.getsockname()[1]
        sockets = []
        try:
            for port in range(first, first + count):
                sockets.append(socket.socket())
                sockets[-1].bind(("127.0.0.1", port))
            return first
        except (OSError, OverflowError):
            continue
        finally:
            for bound in sockets:
                bound.close()


def until(what, limit, check):
    """Polls `check` until its result is true, and returns the result. Fails after `limit` s."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            result = check()
            if result:
                return result
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    sys.exit(f"FAILED: {what}: not within {limit} s")


def runbook(*kinds):
    """The runbook's command blocks that are marked with one of `kinds`, as (kind, commands)."""
    page = (ROOT / "docs/runbook.md").read_text()
    return re.findall(rf"<!-- run: ({'|'.join(kinds)}) -->\n```sh\n(.*?)```", page, re.S)


def shell(commands, environment, limit=COMMAND_LIMIT):
    """Runs commands until the first failure. Returns exit code (None at the limit) and output."""
    # With the default options a failure within a pipe or before the last command is not seen.
    bash = ["bash", "-euo", "pipefail", "-c", commands]
    # A process group of its own, so that the kill below also reaches a command within a pipe.
    with subprocess.Popen(
        bash,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=limit)
            return process.returncode, output
        except subprocess.TimeoutExpired:
            return None, f"(no result within {limit} s)"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def demand(what, commands, environment):
    """Runs commands that must succeed, and returns their output."""
    code, output = shell(commands, environment)
    if code != 0:
        sys.exit(f"FAILED: {what} ended with {code}:\n{commands}{output}")
    return output


class Programs:
    """The child processes of the test. They end with it, also after a failure."""

    def __init__(self):
        self.running = []

    def start(self, arguments, **how):
        self.running.append(subprocess.Popen(arguments, **how))
        return self.running[-1]

    def __enter__(self):
        # Without a handler SIGTERM skips __exit__ and leaves the child processes running.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
        return self

    def __exit__(self, *_):
        for program in reversed(self.running):
            # A stopped process handles SIGINT only after SIGCONT.
            program.send_signal(signal.SIGCONT)
            program.send_signal(signal.SIGINT)
        for program in reversed(self.running):
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
