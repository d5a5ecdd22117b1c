# SPDX-License-Identifier: Apache-2.0
"""The edge under slowhttptest and under floods of refused requests: bystanders are served, offenders end, memory stays flat."""
import concurrent.futures
import re
import shutil
import subprocess
import time

import pytest

from berth_suite import wait_for
from edge import CHUNKED, Closed, Edge, bearer, head, post, timed
from own_gateway import NO_LIMITS, OwnGateway

ORDER = 98
CONNECTIONS, CONNECTIONS_LONG = 250, 2000   # of each kind
LIFE_S = 30         # over the deadline of a message
LIFE_LONG_S = 100   # and over that of a connection whose answers lie in its kernel
GROWTH_KIB = 10 << 10

pytestmark = pytest.mark.seconds(300)


@pytest.fixture(scope="module")
def gateway(suite):
    # Without the sanitizer's own hoard of freed memory, which would be taken for growth.
    with OwnGateway(suite, ASAN_OPTIONS="quarantine_size_mb=0:thread_local_quarantine_size_kb=0", **NO_LIMITS) as own:
        yield own


ATTACKS = {
    "heads": ["-H", "-t", "GET", "-i", "2", "-x", "24"],
    "bodies": ["-B", "-t", "POST", "-i", "2", "-s", "4000", "-x", "8", "-f", "application/x-www-form-urlencoded"],
    "readers": ["-X", "-t", "GET", "-w", "256", "-y", "512", "-n", "2", "-z", "16", "-k", "3"],
}
PATHS = {"heads": "/healthz", "bodies": "/oauth2/token", "readers": "/docs"}


def attack(gateway, kind, count, life_s):
    """What slowhttptest says at its end. It takes the first address of a name, and the gateway listens on one."""
    url = gateway.url.replace("localhost", "127.0.0.1") + PATHS[kind]
    command = ["slowhttptest", *ATTACKS[kind], "-c", str(count), "-r", str(count), "-l", str(life_s), "-p", "2", "-u", url]
    outcome = subprocess.run(command, capture_output=True, timeout=life_s + 60, text=True)
    return re.sub(r"\x1b\[[0-9;]*m", "", outcome.stdout)


def test_slow_clients_in_great_numbers_harm_nobody(suite, slug, gateway, pytestconfig):
    """At once: heads and bodies to their end, and readers, whose end is waited for in the long run."""
    assert shutil.which("slowhttptest"), "slowhttptest is missing: run through ./tests/run"
    long = pytestconfig.getoption("--long")
    count, life_s = (CONNECTIONS_LONG, LIFE_LONG_S) if long else (CONNECTIONS, LIFE_S)
    token, waits = suite.token(slug, "User"), []
    before = gateway.edge("connections")
    with concurrent.futures.ThreadPoolExecutor(len(ATTACKS)) as pool:
        attacks = {kind: pool.submit(attack, gateway, kind, count, life_s if kind != "readers" or long else life_s // 2) for kind in ATTACKS}
        with Edge(gateway, seconds=30) as standing:
            while not all(one.done() for one in attacks.values()):
                answer, seconds = timed(lambda: standing.ask(head(bearer(token), start="GET /v1/whoami HTTP/1.1")))
                assert answer.status == 200
                waits.append(seconds)
                with Edge(gateway, seconds=30) as fresh:
                    answer, seconds = timed(lambda fresh=fresh: fresh.ask(head()))
                    assert answer.status == 200
                    waits.append(seconds)
                time.sleep(0.1)
        said = {kind: one.result() for kind, one in attacks.items()}
    waits.sort()
    assert len(waits) > 20 and waits[len(waits) // 2] < 1, f"half of {len(waits)} bystanders waited over {waits[len(waits) // 2]:.2f} s"
    for kind, text in said.items():
        ended = re.findall(r"Exit status:\s*(.*)", text)
        if kind != "readers" or long:
            assert ended == ["No open connections left"], f"{kind}: {ended}"
    wait_for(lambda: gateway.edge("connections") <= before + 1, 90, "the end of every offender's connection")


# -- floods of what is refused

def chunks(count):
    return b"1\r\nx\r\n" * count


REFUSED = {
    "a target without an end": (lambda auth: b"GET /" + b"x" * 60000, {414}),
    "fields without an end": (lambda auth: b"GET / HTTP/1.1\r\nX: " + b"x" * 60000, {431}),
    "too many fields": (lambda auth: head(*[f"X{number}: " + "x" * 200 for number in range(120)]), {431}),
    "a length that is too large": (lambda auth: post("/v1/bookings", b"x" * 60000, auth), {413}),
    "chunks without an end": (lambda auth: head(auth, CHUNKED, "Content-Type: application/json", start="POST /v1/bookings HTTP/1.1") + chunks(9000), {413}),
    "a chunk that is too large": (lambda auth: head(auth, CHUNKED, "Content-Type: application/json", start="POST /v1/bookings HTTP/1.1") + b"fffffff\r\n" + b"x" * 60000, {413}),
    "nested brackets": (lambda auth: post("/v1/bookings", b"[" * 4000, auth), {400}),
    "many members": (lambda auth: post("/v1/bookings", b"{" + b",".join(b'"%x":0' % number for number in range(500)) + b"}", auth), {400}),
}


def test_memory_is_flat_whatever_is_refused(suite, slug, gateway, pytestconfig):
    auth = bearer(suite.token(slug, "User"))
    rounds = 40 if pytestconfig.getoption("--long") else 8

    def once(_):
        for name, (make, statuses) in REFUSED.items():
            with Edge(gateway, seconds=30) as edge:
                try:
                    edge.send(make(auth))
                except OSError:
                    pass        # refused before the last of it
                try:
                    answer = edge.answer()
                except Closed:
                    continue
                assert answer.status in statuses, f"{name}: {answer}"

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(once, range(rounds)))
        before = gateway.resident_kib()
        for _ in range(3):
            list(pool.map(once, range(rounds)))
    grown = gateway.resident_kib() - before
    assert grown < GROWTH_KIB, f"{grown} KiB more after {3 * rounds * len(REFUSED)} further refusals"
