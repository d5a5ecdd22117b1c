# SPDX-License-Identifier: Apache-2.0
"""The fuzz targets once more, by AFL++: the same entry point and seeds, another way of finding inputs."""
import os
import pathlib
import re
import shutil

from . import process
from .build import BUILDS, ROOT, tree
from .report import FAILED, PASSED

SECONDS = 120
# How it is told to leave the machine as it is; without a look at leaks, which libFuzzer has and a fork server has not.
SETTINGS = {"AFL_NO_UI": "1", "AFL_NO_COLOR": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1", "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1",
            "ASAN_OPTIONS": "abort_on_error=1:symbolize=0:detect_leaks=0", "UBSAN_OPTIONS": "abort_on_error=1:symbolize=0:halt_on_error=1"}
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
TOLD = ("execs_done", "corpus_count", "edges_found", "saved_crashes", "saved_hangs")


def seeds_of(name, folder):
    """A folder with the target's seeds, and its dictionary, if it has one."""
    seeds, given = ROOT / "tests" / "fuzz" / name, folder / "in"
    given.mkdir(parents=True)
    for path in seeds.iterdir() if seeds.is_dir() else ():
        if path.is_file() and path.name != "dictionary":
            shutil.copy(path, given / path.name)
    if not any(path.stat().st_size for path in given.iterdir()):
        (given / "one").write_bytes(b"0")
    return given, seeds / "dictionary"


def told(folder):
    """What it says of itself at the end, or None when it did not come so far."""
    path = folder / "out" / "default" / "fuzzer_stats"
    text = path.read_text() if path.is_file() else ""
    found = {name: re.search(rf"^{name}\s*: (\d+)", text, re.M) for name in TOLD}
    return {name: int(match[1]) for name, match in found.items()} if all(found.values()) else None


def run_afl(report, test):
    folder = BUILDS / "afl-runs" / test.short
    shutil.rmtree(folder, ignore_errors=True)
    given, dictionary = seeds_of(test.short, folder)
    command = ["afl-fuzz", "-V", str(SECONDS), "-m", "none", "-t", "10000", "-i", str(given), "-o", str(folder / "out"),
               *(["-x", str(dictionary)] if dictionary.is_file() else []), "--", str(tree("afl") / "fuzz" / f"fuzz_{test.short}")]
    outcome = process.run(command, SECONDS + 180, cwd=ROOT, env=dict(os.environ, **SETTINGS))
    stats, text = told(folder), "\n".join(CONTROLS.sub("", outcome.text).splitlines()[-20:])
    good = not outcome.code and stats and stats["execs_done"] > 0 and not stats["saved_crashes"] and not stats["saved_hangs"]
    for kind in ("crashes", "hangs"):
        for path in sorted((folder / "out" / "default" / kind).glob("id*")):
            text += f"\nkeep this input: cp '{pathlib.Path(path).relative_to(ROOT)}' tests/fuzz/{test.short}/\n"
    if good:
        report.note(f"{test.name}: " + ", ".join(f"{name} {value}" for name, value in stats.items()))
    report.add(PASSED if good else FAILED, test.name, outcome.seconds, text)
