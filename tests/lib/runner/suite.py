# SPDX-License-Identifier: Apache-2.0
"""The suites of real processes that scenarios talk to: made under .run-tests/<pid>-<label>, and taken away whatever happens."""
import os
import pathlib
import re
import shutil
import socket
import threading
import time

from . import process
from .build import ROOT, tree
from .report import FAILED, PASSED

RUNS = ROOT / ".run-tests"
UP_SECONDS = 240
PROCESSES = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")
SANITIZER = re.compile(
    r"ERROR: (Address|Leak|Thread|Memory)Sanitizer|runtime error: |WARNING: ThreadSanitizer|SUMMARY: \w+Sanitizer")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def environment(run_dir, port, preset="asan-ubsan"):
    env = dict(os.environ)
    env.update(BERTH_RUN_DIR=str(run_dir), BERTH_PORT=str(port), BERTH_BUILD_DIR=str(tree(preset)))
    return env


def remove(run_dir):
    """Stops and forgets the suite of one run directory."""
    env = environment(run_dir, 0)
    del env["BERTH_PORT"]
    outcome = process.run([str(ROOT / "deploy" / "down")], 120, cwd=ROOT, env=env)
    state = run_dir / "state"
    if outcome.code == 0:
        if state.is_symlink():
            shutil.rmtree(state.resolve(), ignore_errors=True)
        shutil.rmtree(run_dir, ignore_errors=True)
    return outcome


def sweep():
    """What an earlier run that was killed has left."""
    if not RUNS.is_dir():
        return
    for run_dir in RUNS.iterdir():
        pid = run_dir.name.partition("-")[0]
        if pid.isdigit() and not is_alive(int(pid)):
            remove(run_dir)


# One starts after the other: both look for ports that are free.
_starting = threading.Lock()


class Suite:
    def __init__(self, report, preset="asan-ubsan", label="suite"):
        """`label`: what its start, its end and its sanitizers' words are reported as."""
        self.report = report
        self.preset, self.label = preset, label
        self.run_dir = RUNS / f"{os.getpid()}-{label}"
        self.started = False

    def up(self):
        with _starting:
            RUNS.mkdir(exist_ok=True)
            sweep()
            self.report.note(f"starting a suite of real processes ({self.label}, {self.preset})")
            self.started = True
            self.env = environment(self.run_dir, free_port(), self.preset)
            outcome = process.run([str(ROOT / "deploy" / "up")], UP_SECONDS, cwd=ROOT, env=self.env)
        text = outcome.text
        if outcome.code:
            text += self.log_tails()
        self.report.add(FAILED if outcome.code else PASSED, f"{self.label}/up", outcome.seconds, text)
        return outcome.code == 0

    def log_tails(self):
        text = ""
        for path in sorted((self.run_dir / "logs").glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()[-12:]
            text += f"\n{path.name}:\n  " + "\n  ".join(lines)
        return text

    def keep_logs(self):
        """Copies the logs where they outlive the suite."""
        target = ROOT / ".build" / "tests" / f"logs-{self.label}"
        shutil.rmtree(target, ignore_errors=True)
        if (self.run_dir / "logs").is_dir():
            shutil.copytree((self.run_dir / "logs").resolve(), target)
        return target

    def complaints(self):
        """What sanitizers wrote to the processes' logs."""
        found = []
        for path in sorted((self.run_dir / "logs").glob("*.log*")):
            lines = path.read_text(errors="replace").splitlines()
            for number, line in enumerate(lines):
                if SANITIZER.search(line):
                    found += [f"{path.name}:{number + 1}", *lines[number:number + 30]]
                    break
        return "\n".join(found)

    def down(self, quiet=False):
        """Stops the suite; unless quiet, that it ends cleanly and that no sanitizer complained are tests too."""
        if not self.started:
            return
        self.started = False
        begun = time.monotonic()
        env = dict(self.env)
        outcome = process.run([str(ROOT / "deploy" / "down")], 120, cwd=ROOT, env=env)
        logs = self.keep_logs()
        if not quiet:
            good = outcome.code == 0 and "did not stop" not in outcome.text
            self.report.add(PASSED if good else FAILED, f"{self.label}/down", time.monotonic() - begun, outcome.text)
            complaints = self.complaints()
            self.report.add(FAILED if complaints else PASSED, f"{self.label}/sanitizers", 0, f"{complaints}\nlogs are kept in {logs}")
        remove(self.run_dir)
        try:
            RUNS.rmdir()
        except OSError:
            pass


def borrowed(run_dir):
    """A suite that somebody else runs: its environment, for --suite."""
    run_dir = pathlib.Path(run_dir).resolve()
    if not (run_dir / "suite.json").exists():
        raise SystemExit(f"there is no suite in {run_dir}: start it with BERTH_RUN_DIR={run_dir} ./deploy/up")
    env = dict(os.environ)
    env.update(BERTH_RUN_DIR=str(run_dir))
    return env
