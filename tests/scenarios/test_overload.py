# SPDX-License-Identifier: Apache-2.0
"""Four times the load that the suite can carry: it goes on to do about what it can, answers quickly what it takes, and can be asked how
it is meanwhile. Prints the figures; with wrk, and only with --long, for it wants the machine to itself."""
import contextlib
import re
import shutil
import statistics
import subprocess
import threading
import time

import pytest

from berth_suite import wait_for

ORDER = 94
CONNECTIONS = 64    # at which the suite is at its peak
TIMES = 4
SECONDS = 5
PAIRS = 3
P99_MS = 2000

pytestmark = [pytest.mark.long, pytest.mark.seconds(300)]


@contextlib.contextmanager
def unlimited(suite):
    """No rate stands before the capacity."""
    path = suite.state / "etc" / "gateway.limits"
    kept = path.read_bytes() if path.exists() else None
    names = ("ADDRESS", "PERSON", "CLIENT", "TENANT", "OPERATION")
    path.write_text("".join(f"BERTH_LIMIT_{name}_PER_S=0\n" for name in names))
    path.chmod(0o644)
    try:
        yield
    finally:
        if kept is None:
            path.unlink()
        else:
            path.write_bytes(kept)


def milliseconds(text):
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def offer(suite, tmp_path, token, path, connections):
    """(good answers a second, p99 of all in ms, share of refusals)"""
    script = tmp_path / "token.lua"
    script.write_text(f'wrk.headers["Authorization"] = "Bearer {token}"\n')
    script.chmod(0o600)
    text = subprocess.run(
        ["wrk", "-t2", f"-c{connections}", f"-d{SECONDS}s", "--timeout", "20s", "--latency", "-s", str(script), suite.url + path],
        capture_output=True, text=True, timeout=SECONDS + 60, check=True).stdout
    answers = int(re.search(r"(\d+) requests in", text)[1])
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    refused = int(refused[1]) if refused else 0
    assert answers > 0, text
    return (answers - refused) / SECONDS, milliseconds(re.search(r"99%\s+(\S+)", text)[1]), refused / answers


@contextlib.contextmanager
def asked_how_it_is(suite, slowest):
    """Health and readiness are asked all the time: `slowest` gets the seconds of each."""
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            begun = time.monotonic()
            good = suite.ready("gateway") and suite.ready("bookingsvc") and suite.api().get("/healthz").status == 200
            slowest.append(time.monotonic() - begun if good else 1000)
            stop.wait(0.2)
    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("path", ("/v1/whoami", "/v1/bookings?limit=20"))
def test_goodput_stays_at_four_times_the_load(suite, slug, tmp_path, path):
    if not shutil.which("wrk"):
        pytest.skip("wrk is not installed")
    token, ratios, health = suite.token(slug, "User"), [], []
    with unlimited(suite):
        wait_for(lambda: suite.api(token).get(path).headers.get("ratelimit") is None, 10, "the end of the limits")
        offer(suite, tmp_path, token, path, CONNECTIONS)
        with asked_how_it_is(suite, health):
            for _ in range(PAIRS):
                peak, peak_p99, _ = offer(suite, tmp_path, token, path, CONNECTIONS)
                good, p99, refused = offer(suite, tmp_path, token, path, TIMES * CONNECTIONS)
                ratios.append(good / peak)
                print(f"{path}: {peak:.0f}/s (p99 {peak_p99:.0f} ms), at {TIMES} times {good:.0f}/s (p99 {p99:.0f} ms, {refused:.1%} refused)")
                assert p99 < P99_MS
    assert statistics.median(ratios) >= 0.8, ratios
    assert statistics.median(health) < 2 and max(health) < 1000, "who asks how it is must be answered"
