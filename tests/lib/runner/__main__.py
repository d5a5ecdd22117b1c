# SPDX-License-Identifier: Apache-2.0
"""./tests/run: builds, unit tests, gates, scenarios, refusals, short fuzz runs; ends with `N passed, N failed`."""
import argparse
import concurrent.futures
import os
import signal
import sys
import time

from . import afl, build, catalog, foreign, kinds, process, suite
from .report import Report

EPILOG = """\
NAME is a test (unit/json, gate/format, scenario/test_main_job::test_x, fuzz/json), the same without its kind, a kind
(unit, gate, scenario, arrow, conformance, hardening, containers, race, chaos, fuzz, afl, foreign), or a file
(tests/scenarios/test_main_job.py). Without a name everything runs. A race is a scenario by processes under ThreadSanitizer; hardening looks at released binaries; chaos books
while processes and stores die, for three minutes.

Everything it makes stands in .build/ and .run-tests/. The suites that scenarios and conformance talk to are started under
.run-tests/<pid>-* and stopped at the end; logs of the last ones are kept in .build/tests/logs-*. Analysers remember what they found clean in
.build/gates, so a second run is faster. A skipped test says why.
"""
# The slow ones first, so that both cores are busy to the end.
SLOW_GATES = ("hardening", "scan-build", "tidy", "analyzer", "cppcheck", "planted", "budgets")


def arguments():
    parser = argparse.ArgumentParser(
        prog="./tests/run", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--list", action="store_true", help="print the names of all tests")
    parser.add_argument("--long", action="store_true", help="fuzz each target for 10 minutes, for 2 by AFL++ and with foreign seeds; run the long scenarios, and the suite in containers")
    parser.add_argument("--suite", metavar="DIR", help="let scenarios use the running suite of this run directory, and leave it running")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="tests at a time (default: the cores)")
    return parser.parse_args()


def select(tests, names):
    if not names:
        return tests
    chosen = []
    for name in names:
        found = [test for test in tests if test.matches(name)]
        if not found:
            near = [test.name for test in tests if name in test.name][:8]
            hint = f" (near: {', '.join(near)})" if near else " (./tests/run --list names them)"
            raise SystemExit(f"there is no test '{name}'{hint}")
        chosen += [test for test in found if test not in chosen]
    return chosen


def of_kind(tests, *wanted):
    return [test for test in tests if test.kind in wanted]


def in_pool(jobs, calls):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(*call) for call in calls]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            process.end_all()
            raise


def run_races(report, tests, args):
    """Scenarios once more, by processes under ThreadSanitizer: what it says of them is a test of its own."""
    if build.build(report, "tsan", suite.PROCESSES):
        in_suite(report, tests, args, suite.Suite(report, "tsan", "race"), "race")


def in_suite(report, tests, args, the_suite, kind=None):
    quiet = True
    try:
        if the_suite.up():
            kinds.run_pytest(report, tests, the_suite.env, args.long, kind)
            quiet = False
    finally:
        the_suite.down(quiet)


def run_walks(report, walks, own, races, args):
    """What talks to running suites. It waits more than it works, so two of them at a time; the longest first."""
    calls = []
    if walks and args.suite:
        calls.append((kinds.run_pytest, report, walks, suite.borrowed(args.suite), args.long))
    elif walks:
        for label, some in (("suite", of_kind(walks, "scenario", "arrow")), ("edge", of_kind(walks, "conformance"))):
            calls += [(in_suite, report, some, args, suite.Suite(report, label=label))] if some else []
    if own:
        calls.append((kinds.run_pytest, report, own, dict(os.environ), args.long))
    if races:
        calls.append((run_races, report, races, args))
    in_pool(1 if args.suite else min(args.jobs, 2), calls)


def run(report, tests, args):
    begun = time.monotonic()
    units, gates, fuzzers = of_kind(tests, "unit"), of_kind(tests, "gate"), of_kind(tests, "fuzz")
    walks = of_kind(tests, *catalog.PYTEST_KINDS)
    chaos = of_kind(tests, "chaos")
    own, races = of_kind(tests, *catalog.OWN_SUITE_KINDS), of_kind(tests, "race")
    whole = not args.names
    built = True
    if units or whole or chaos or (walks and not args.suite):
        targets = [] if whole or chaos or (units and walks) else ([f"test_{test.short}" for test in units] or ["all"])
        built = build.build(report, "asan-ubsan", targets)
    strangers = of_kind(tests, "foreign")
    fuzz_built = bool(fuzzers + strangers) and build.build(report, "fuzz", sorted({f"fuzz_{test.short}" for test in fuzzers + strangers}))

    gates.sort(key=lambda test: SLOW_GATES.index(test.short) if test.short in SLOW_GATES else len(SLOW_GATES))
    calls = [(kinds.run_gate, report, test) for test in gates]
    calls += [(kinds.run_unit, report, test) for test in units]
    in_pool(args.jobs, calls)
    run_walks(report, walks if built else [], own, races, args)
    # Chaos minds no company, which keeps the cores busy to the end.
    calls = [(kinds.run_chaos, report, test, args.long) for test in chaos if built]
    if fuzz_built:
        seconds = kinds.fuzz_seconds(len(fuzzers), args.jobs, args.long, time.monotonic() - begun)
        report.note(f"fuzzing {len(fuzzers)} targets, {seconds} s each")
        calls += [(kinds.run_fuzz, report, test, seconds) for test in fuzzers]
        calls += [(foreign.run_foreign, report, test) for test in strangers]
    second = of_kind(tests, "afl")
    if second and build.build(report, "afl", [f"fuzz_{test.short}" for test in second]):
        calls += [(afl.run_afl, report, test) for test in second]
    in_pool(args.jobs + len(chaos), calls)


def main():
    args = arguments()
    if args.long:
        os.environ["BERTH_LONG"] = "1"      # for gates
    report = Report()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    failure, _ = build.configure("asan-ubsan")
    if failure:
        report.add("FAILED", "build/configure", 0, failure)
        report.finish()
        return 1
    tests = catalog.everything(args.long)
    if args.list:
        print("\n".join(test.name for test in tests))
        return 0
    begun = time.monotonic()
    try:
        run(report, select(tests, args.names), args)
    except KeyboardInterrupt:
        report.note("interrupted")
        return 130
    finally:
        process.end_all()
    report.note(f"{time.monotonic() - begun:.0f} s in all")
    return 0 if report.finish() else 1


sys.exit(main())
