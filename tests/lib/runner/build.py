# SPDX-License-Identifier: Apache-2.0
"""Configures and builds a preset's tree, with progress."""
import os
import pathlib
import subprocess
import time

from . import process
from .report import FAILED, PASSED

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILDS = ROOT / ".build"
PROGRESS_EVERY_S = 15


def tree(preset):
    return BUILDS / preset


def configure(preset):
    """(the output when it fails, else None; what it warned of, as sources that are not there)"""
    outcome = process.run(["cmake", "--preset", preset, "-DBERTH_STRICT=OFF"], 120, cwd=ROOT)
    if outcome.code:
        return outcome.text, ""
    return None, outcome.text if "CMake Warning" in outcome.text else ""


def make(preset, targets=()):
    """Builds, printing how far it is now and then: (True, "") or (False, output)."""
    jobs = os.cpu_count() or 2
    command = ["cmake", "--build", str(tree(preset)), "-j", str(jobs)]
    if targets:
        command += ["--target", *targets]
    # What does build is tested even when something else does not.
    command += ["--", "-k", "0"]
    child = process.start(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    lines = []
    shown = time.monotonic()
    for line in child.stdout:
        lines.append(line)
        if line.startswith("[") and time.monotonic() - shown > PROGRESS_EVERY_S:
            shown = time.monotonic()
            print(f"-- {preset}: {line.strip()[:110]}", flush=True)
    child.wait()
    process.forget(child)
    return child.returncode == 0, "".join(lines)


def build(report, preset, targets=()):
    """A test of its own in the report: build/<preset>."""
    begun = time.monotonic()
    report.note(f"building {preset}")
    text, warned = configure(preset)
    good = text is None
    if good:
        good, text = make(preset, targets)
    if warned and not targets:
        good, text = False, warned + text
    report.add(PASSED if good else FAILED, f"build/{preset}", time.monotonic() - begun, text or "")
    return good
