"""What the tests of this folder share: ports, waiting, the runbook's commands, and programs that end with the test."""

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
    """So many ports in a row that nobody has at the moment; the first of them."""
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
            for taken in sockets:
                taken.close()


def until(what, limit, check):
    """Waits for `check` to come true, and gives what it gave."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            found = check()
            if found:
                return found
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    sys.exit(f"FAILED: {what}: not within {limit} s")


def runbook(*kinds):
    """The runbook's blocks of commands that are marked so, each with its mark."""
    page = (ROOT / "docs/runbook.md").read_text()
    return re.findall(rf"<!-- run: ({'|'.join(kinds)}) -->\n```sh\n(.*?)```", page, re.S)


def shell(commands, environment, limit=COMMAND_LIMIT):
    """Runs commands as a careful person would: the first that fails is the end. What takes too long has failed."""
    bash = ["bash", "-euo", "pipefail", "-c", commands]
    # A group of its own: what hangs in a pipe must end too.
    with subprocess.Popen(
        bash, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as running:
        try:
            said, _ = running.communicate(timeout=limit)
            return running.returncode, said
        except subprocess.TimeoutExpired:
            return None, f"(nothing within {limit} s)"
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)


def demand(what, commands, environment):
    """Runs commands that must succeed, and gives what they said."""
    code, said = shell(commands, environment)
    if code != 0:
        sys.exit(f"FAILED: {what} ended with {code}:\n{commands}{said}")
    return said


class Programs:
    """What the test has started. It ends with the test, however that ends."""

    def __init__(self):
        self.running = []

    def start(self, arguments, **how):
        self.running.append(subprocess.Popen(arguments, **how))
        return self.running[-1]

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
        return self

    def __exit__(self, *_):
        for program in reversed(self.running):
            # One that was stopped would not hear that it is to end.
            program.send_signal(signal.SIGCONT)
            program.send_signal(signal.SIGINT)
        for program in reversed(self.running):
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
