# SPDX-License-Identifier: Apache-2.0
"""How a test of each kind is run."""
import json
import os
import pathlib
import subprocess
import tempfile
import time

from . import process
from .build import BUILDS, ROOT, tree
from .catalog import PYTEST_FOLDERS
from .report import FAILED, PASSED, SKIPPED

GATE_SECONDS = 900
SKIP_CODE = 77
PYTEST_SECONDS = 1800
CHAOS_SECONDS = 600
FUZZ_S, FUZZ_LEAST_S = 30, 4
WHOLE_S = 30 * 60       # after which a short run of everything should have ended, on a slow machine too
FUZZ_LONG_S = 600


def run_unit(report, test):
    if not test.command or not os.path.exists(test.command[0]):
        report.add(FAILED, test.name, 0, "it was not built")
        return
    env = dict(os.environ)
    env.update(test.env)
    outcome = process.run(test.command, test.timeout_s, cwd=test.cwd or ROOT, env=env)
    if test.skip_code is not None and outcome.code == int(test.skip_code):
        report.add(SKIPPED, test.name, outcome.seconds, (outcome.text.strip().splitlines() or [""])[-1])
        return
    report.add(FAILED if outcome.code else PASSED, test.name, outcome.seconds, outcome.text)


def run_gate(report, test):
    outcome = process.run([str(ROOT / test.path)], GATE_SECONDS, cwd=ROOT)
    if outcome.code == SKIP_CODE:
        report.add(SKIPPED, test.name, outcome.seconds, (outcome.text.strip().splitlines() or [""])[-1])
        return
    report.add(FAILED if outcome.code else PASSED, test.name, outcome.seconds, outcome.text)


def run_chaos(report, test, long):
    outcome = process.run([str(ROOT / test.path), *test.arguments], CHAOS_SECONDS * (20 if long else 1), cwd=ROOT)
    if not outcome.code:
        report.note(f"{test.name}: what it did")
        print(outcome.text, end="", flush=True)
    report.add(FAILED if outcome.code else PASSED, test.name, outcome.seconds, outcome.text)


def fuzz_seconds(count, workers, long, gone_s):
    """Seconds for each target: FUZZ_S, less where the machine took so long for everything else (`gone_s`) that little is left."""
    if long:
        return FUZZ_LONG_S
    return max(FUZZ_LEAST_S, min(FUZZ_S, int(WHOLE_S - gone_s) * workers // max(count, 1) - 1))


def run_fuzz(report, test, seconds):
    corpus = BUILDS / "corpus" / test.short
    crashes = BUILDS / "crashes" / test.short
    seeds = ROOT / "tests" / "fuzz" / test.short
    corpus.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(parents=True, exist_ok=True)
    # What crashed it before is tried first, and fails it again until it is mended, whatever the dice say this time.
    for path in crashes.iterdir():
        path.replace(corpus / path.name)
    command = [
        str(tree("fuzz") / "fuzz" / f"fuzz_{test.short}"), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1500",
        "-print_final_stats=1", "-verbosity=1", f"-artifact_prefix={crashes}/", str(corpus)]
    if seeds.is_dir():
        command.append(str(seeds))
    dictionary = seeds / "dictionary"
    if dictionary.is_file():
        command.append(f"-dict={dictionary}")
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", UBSAN_OPTIONS="print_stacktrace=1")
    outcome = process.run(command, seconds + 120, cwd=ROOT, env=env)
    text = outcome.text
    for path in crashes.iterdir():
        text += f"\nkeep this input: cp {path.relative_to(ROOT)} tests/fuzz/{test.short}/\n"
    report.add(FAILED if outcome.code else PASSED, test.name, outcome.seconds, text)


def run_pytest(report, tests, env, long, kind=None):
    """All these tests in one pytest; its results come as JSON lines through a pipe (tests/lib/berth_report.py). `kind`: what they
    are reported as, when it is not that of their folder."""
    receive, send = os.pipe()
    nodes = sorted({f"{test.path}::{test.short.split('::')[1]}" for test in tests})
    env = dict(env, BERTH_REPORT_FD=str(send), BERTH_BUILD_DIR=env.get("BERTH_BUILD_DIR", str(tree("asan-ubsan"))))
    command = [
        "/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "berth_report",
        "--rootdir", str(ROOT / "tests"), "-c", os.devnull, *(["--long"] if long else []), *nodes]
    begun = time.monotonic()
    # A file: a pipe that nobody reads while the results come would stop a pytest with much to complain of.
    said = tempfile.TemporaryFile()
    child = process.start(command, cwd=ROOT, env=env, pass_fds=(send,), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
    os.close(send)
    seen = 0
    with os.fdopen(receive, encoding="utf-8") as lines:
        for line in lines:
            result = json.loads(line)
            if result["status"] == "note":
                report.note(result["text"])
                continue
            seen += 1
            report.add(result["status"], pytest_name(result["node"], kind), result["seconds"], result["text"])
            if time.monotonic() - begun > PYTEST_SECONDS * (10 if long else 1):
                process.end(child)
    child.wait()
    process.forget(child)
    if child.returncode not in (0, 1) or not seen:
        said.seek(0)
        report.add(FAILED, f"{kind or tests[0].kind}/pytest", time.monotonic() - begun, said.read().decode("utf-8", "replace"))
    said.close()


def pytest_name(node, kind=None):
    path, _, rest = node.partition("::")
    folders = {folder.name: name for name, folder in PYTEST_FOLDERS.items()}
    kind = kind or next((folders[part] for part in pathlib.Path(path).parts if part in folders), "scenario")
    return f"{kind}/{pathlib.Path(path).stem}::{rest}" if rest else f"{kind}/{pathlib.Path(path).stem}"
