# SPDX-License-Identifier: Apache-2.0
"""tests/chaos/run: a suite of its own, one or more phases, the report, and the suite gone again."""
import argparse
import asyncio
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from . import final, history, world
from .clients import Tokens
from .machine import NFT, ROOT, Machine
from .nemesis import Nemesis
from .plants import PLANTS, Disturbing
from .run import Run, judge

KEPT = ROOT / ".build" / "tests" / "chaos"
SHOWN_MAX = 3
DISK_MIB = 4096
# Less than this a second, in a run of a minute or more, is not enough for a verdict.
LEAST_PER_S = {"operations": 20000 / 180, "kills": 30 / 180}
LEAST_FROM_S = 60
PLANT_TRIES = 3
PLANT_LEAST = 400       # requests that succeed, before a verdict on a plant means anything
OWN_GROUND = "BERTH_CHAOS_OWN_GROUND"
HELP = """\
Clients book while processes, PostgreSQL and Redis are killed, paused and cut off; then the database, the audit log and the history
of every answer must agree. Exit 0 when they do, 1 with the evidence when they do not.
"""
EPILOG = """\
A seed decides who asks for what and which fault comes when; how they interleave, the machine decides. So a seed that found something
finds it again often, not always; its history and the final state are kept in .build/tests/chaos, and --judge judges them again.
"""


def has_own_ground():
    """The command that brought us here made one."""
    return OWN_GROUND in os.environ


def arguments():
    parser = argparse.ArgumentParser(
        prog="./tests/chaos/run", description=HELP, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seconds", type=float, default=180, help="how long clients and faults go on (default: %(default)s); 0: plants only")
    parser.add_argument("--seed", type=int, help="default: a new one, printed")
    parser.add_argument("--seeds", type=int, default=1, help="so many runs, with seeds that count up")
    parser.add_argument("--clients", type=int, default=24, help="how many at once (default: %(default)s)")
    parser.add_argument(
        "--plants", default="", metavar="NAMES", help=f"afterwards plant these bugs, which must be found: all, or of {', '.join(plant_names())}")
    parser.add_argument(
        "--build", type=pathlib.Path, default=ROOT / ".build" / "asan-ubsan", help="build tree of the five processes, with crash points")
    parser.add_argument("--json", type=pathlib.Path, help="write the outcome there too")
    parser.add_argument("--judge", type=pathlib.Path, metavar="HISTORY", help="judge a kept history-*.jsonl and its .final once more")
    return parser.parse_args()


def plant_names():
    return [plant.__name__ for plant in PLANTS]


class OwnSuite:
    """./deploy/up in a directory of its own; gone in the end, but for the logs."""

    def __init__(self, build, kept):
        """`kept`: where the logs stay."""
        self.kept = kept
        # Where the runner of all tests takes away what a killed one left behind.
        self.run_dir = ROOT / ".run-tests" / str(os.getpid())
        self.run_dir.parent.mkdir(exist_ok=True)
        self.disk = None
        self.env = {**os.environ, "BERTH_RUN_DIR": str(self.run_dir), "BERTH_BUILD_DIR": str(build)}
        self.env.pop("BERTH_REPORT_FD", None)
        if not has_own_ground():
            self.env["BERTH_PORT"] = str(random.SystemRandom().randrange(10000, 20000))

    def deploy(self, *words):
        outcome = subprocess.run([str(ROOT / "deploy" / words[0]), *words[1:]], env=self.env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if outcome.returncode:
            raise SystemExit(f"./deploy/{' '.join(words)} failed:\n{outcome.stdout}")

    def __enter__(self):
        if has_own_ground():
            self.mount()
        self.deploy("up")
        return self

    def mount(self):
        """A disk that can be full without anybody else noticing, where the suite's state will be; the name is short enough for sockets."""
        self.disk = pathlib.Path(tempfile.mkdtemp(prefix="berth-", dir="/var/lib"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "tmpfs", self.disk], check=True)
        self.run_dir.mkdir()
        (self.run_dir / "state").symlink_to(self.disk)

    def __exit__(self, *_):
        try:
            self.deploy("down")
        finally:
            shutil.rmtree(self.kept, ignore_errors=True)
            if (self.run_dir / "logs").is_dir():
                shutil.copytree((self.run_dir / "logs").resolve(), self.kept)
            state = self.run_dir / "state"
            if self.disk:
                subprocess.run(["umount", "-l", self.disk], check=False)
                self.disk.rmdir()
            elif state.is_symlink():
                shutil.rmtree(state.resolve(), ignore_errors=True)
            shutil.rmtree(self.run_dir, ignore_errors=True)


def crash_points(build):
    """{process: names}"""
    outcome = subprocess.run([str(ROOT / "tests" / "probe"), "crash-points"], env={**os.environ, "BERTH_BUILD_DIR": str(build)},
                             capture_output=True, text=True, check=True)
    points = {}
    for line in outcome.stdout.splitlines():
        row = json.loads(line)
        for process in row["processes"]:
            points.setdefault(process, []).append(row["name"])
    return points


class Phase:
    """One run with its faults and its verdict."""

    def __init__(self, ground, seed, name, nemesis):
        self.run = Run(*ground, seed, name, KEPT)
        self.nemesis = nemesis
        self.found = []

    def go(self, seconds, clients, least=0, all_of_it=True):
        asyncio.run(self.work(seconds, clients, least))
        begun = time.monotonic()
        self.found = self.run.verdict(all_of_it)
        self.judged = time.monotonic() - begun

    async def work(self, seconds, clients, least):
        await self.run.work(seconds, clients, self.nemesis, least)
        await self.run.drained()

    def outcome(self):
        counts = self.run.history.counts
        return {"seed": self.run.seed, "phase": self.run.phase, "seconds": round(self.run.seconds),
                "operations": sum(counts.values()), **counts, "kills": sum(self.nemesis.kills.values()), "killed": self.nemesis.kills, "faults": self.nemesis.faults,
                "violations": [{"kind": kind, "evidence": text} for kind, text in self.found]}

    def tell(self):
        told = self.outcome()
        print(f"seed {told['seed']}: {told['operations']} operations in {told['seconds']} s ({told['ok']} ok, {told['fail']} refused, "
              f"{told['unknown']} unknown), {told['kills']} kills; judged in {self.judged:.0f} s")
        for name in ("killed", "faults"):
            print(f"  {name}: {listed(told[name])}")
        answers = {}
        for attempt in self.run.history.attempts:
            if attempt.outcome != "ok":
                about = f"{attempt.status or ''} {attempt.code}".strip()
                answers[about] = answers.get(about, 0) + 1
        print(f"  answers besides ok: {listed(answers)}")
        tell_violations(self.found)
        print(f"  kept: {self.run.path}; again: ./tests/chaos/run --seed {told['seed']} --seconds {told['seconds']}", flush=True)


def scant(outcome, seconds):
    """What there was too little of, as a violation."""
    if seconds < LEAST_FROM_S:
        return []
    return [("too little happened", f"{outcome[what]} {what} in a run of {seconds:.0f} s, not {per_s * seconds:.0f}")
            for what, per_s in LEAST_PER_S.items() if outcome[what] < int(per_s * seconds)]


def listed(counts):
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))


def tell_violations(found):
    for kind in dict.fromkeys(kind for kind, _ in found):
        texts = sorted((text for one, text in found if one == kind), key=len)
        print(f"VIOLATION, {len(texts)} times: {kind}")
        print("\n".join(f"  {text}" for text in texts[:SHOWN_MAX]))


def try_plant(kind, machine, ground, seed, args):
    """Plants a bug, lets clients work, pulls it up again, and once more while it was not met: the outcome, `seen` when it was found."""
    plant = kind(machine, args.build)
    asyncio.run(plant.plant())
    found = []
    try:
        for _ in range(PLANT_TRIES):
            phase = Phase(ground, seed, kind.__name__, Disturbing(machine, seed, plant))
            phase.go(plant.seconds, args.clients, PLANT_LEAST, all_of_it=False)
            found = [text for one, text in phase.found if one == plant.expects]
            if found:
                break
    finally:
        asyncio.run(plant.pull_up())
    print(f"planted: {plant.name}: {'found' if found else 'NOT FOUND'} among {phase.outcome()['operations']} operations: {plant.expects}")
    print("\n".join(f"  {text}" for text in sorted(found, key=len)[:1]), flush=True)
    return {**phase.outcome(), "plant": kind.__name__, "seen": bool(found)}


def judge_again(path):
    end, *about = final.load(path.with_suffix(".final"))
    found = judge(history.load(path), end, *about)
    tell_violations(found)
    return 1 if found else 0


def main():
    args = arguments()
    if args.judge:
        return judge_again(args.judge)
    KEPT.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    own_ground = has_own_ground()
    if own_ground:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if not own_ground or NFT is None:
        print("arrows are not cut: that takes root and nft; pauses stand in for it")
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10**6)
    points = crash_points(args.build)
    wanted = [plant for plant in PLANTS if args.plants == "all" or plant.__name__ in args.plants.split(",")]
    outcome = {"runs": [], "plants": []}
    with OwnSuite(args.build, KEPT / ("logs-faults" if args.seconds else "logs-plants")) as own:
        suite, tenants = world.build(own.run_dir, seed)
        machine, ground = Machine(suite, own.run_dir, own_ground), (suite, tenants, Tokens(suite))
        least = int(LEAST_PER_S["operations"] * args.seconds) if args.seconds >= LEAST_FROM_S else 0
        for number in range(args.seeds if args.seconds else 0):
            phase = Phase(ground, seed + number, "faults", Nemesis(machine, seed + number, points))
            phase.go(args.seconds, args.clients, least)
            phase.found += scant(phase.outcome(), args.seconds)
            phase.tell()
            outcome["runs"].append(phase.outcome())
        outcome["plants"] = [try_plant(kind, machine, ground, seed, args) for kind in wanted]
    if args.json:
        args.json.write_text(json.dumps(outcome, indent=1))
    good = not any(run["violations"] for run in outcome["runs"]) and all(plant["seen"] for plant in outcome["plants"])
    return 0 if good else 1
