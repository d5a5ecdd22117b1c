# SPDX-License-Identifier: Apache-2.0
"""The probes by the hundred: built once by ./tests/probe, then the program itself."""
import concurrent.futures
import json
import os
import pathlib
import subprocess

from berth_suite import ROOT

SECONDS = 60
AT_ONCE = 4
_built = []


def _program():
    if not _built:
        subprocess.run([str(ROOT / "tests" / "probe"), "json"], input=b"{}", check=True, stdout=subprocess.DEVNULL, timeout=600)
        _built.append(pathlib.Path(os.environ.get("BERTH_BUILD_DIR") or ROOT / ".build" / "asan-ubsan") / "bin" / "probe")
    return str(_built[0])


def probe(*words, given=b""):
    """The one object that the probe prints; it must have judged."""
    outcome = subprocess.run([_program(), *words], input=given, capture_output=True, timeout=SECONDS)
    assert outcome.returncode == 0, f"exit {outcome.returncode}: {outcome.stderr.decode()[:400]}"
    lines = outcome.stdout.decode().splitlines()
    assert len(lines) == 1, lines
    return json.loads(lines[0])


def side_by_side(call, things, at_once=AT_ONCE):
    """[call(thing)…] in order, a few at a time: each waits mostly for somebody else."""
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(call, things))


def all_fine(call, things):
    """call(thing) says what is wrong, or None; the failure tells all of it."""
    wrong = [said for said in side_by_side(call, things) if said]
    assert not wrong, f"{len(wrong)} of {len(things)}:\n" + "\n".join(wrong[:60])
