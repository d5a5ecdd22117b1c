# SPDX-License-Identifier: Apache-2.0
"""Clients that take their time: each kind of slowness has a deadline, and nobody else notices."""
import threading
import time

import pytest

from edge import Closed, Edge, bearer, head, timed
from own_gateway import OwnGateway

ORDER = 96
BOOK = "POST /v1/bookings HTTP/1.1"
JSON = "Content-Type: application/json"
HEAD_S, BODY_S, WRITE_S, IDLE_S, LATE_S = 10, 20, 10, 60, 3

pytestmark = pytest.mark.seconds(300)


@pytest.fixture(scope="module")
def gateway(suite):
    with OwnGateway(suite, BERTH_LIMIT_ADDRESS_PER_S="0") as own:
        yield own


def until_end(edge, drip, seconds):
    """Sends a byte a second; gives the answers and how long it took until the connection ended."""
    begun, answers = time.monotonic(), []
    while time.monotonic() - begun < seconds:
        try:
            edge.send(drip)
        except OSError:
            break
        try:
            answers.append(edge.answer(seconds=1))
        except TimeoutError:
            continue
        except Closed:
            break
    else:
        pytest.fail(f"it was still open after {seconds} s")
    return answers, time.monotonic() - begun


def in_threads(calls):
    failures = []

    def run(call):
        try:
            call()
        except BaseException as error:      # pylint: disable=broad-except
            failures.append(f"{call.__name__}: {type(error).__name__}: {error}")
    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failures, failures


def test_each_slowness_has_its_deadline(suite, slug, gateway):
    """Side by side, for they wait most of the time."""
    token = suite.token(slug, "User")

    def slow_head():
        with Edge(gateway) as edge:
            edge.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
            answers, seconds = until_end(edge, b"x", 30)
            assert [answer.status for answer in answers] in ([408], [])
            assert HEAD_S - 1 < seconds < HEAD_S + LATE_S, seconds

    def slow_first_line_after_an_answer():
        with Edge(gateway) as edge:
            assert edge.ask(head()).status == 200
            answers, seconds = until_end(edge, b"G", 30)
            assert [answer.status for answer in answers] in ([408], [501], [400], [])
            assert seconds < HEAD_S + LATE_S, seconds

    def slow_body(*fields):
        with Edge(gateway) as edge:
            edge.send(head(JSON, bearer(token), *fields, start=BOOK))
            drip = b"1\r\nx\r\n" if "chunked" in str(fields) else b"x"
            answers, seconds = until_end(edge, drip, 40)
            assert [answer.status for answer in answers] in ([408], [])
            assert BODY_S - 1 < seconds < BODY_S + LATE_S, seconds

    def slow_sized_body():
        slow_body("Content-Length: 4000")

    def slow_chunked_body():
        slow_body("Transfer-Encoding: chunked")

    def reads_nothing():
        """Asks for more than its kernel and ours hold, and takes none of it."""
        with Edge(gateway, receive_buffer=4096) as edge:
            before = gateway.edge("timeouts_total")
            edge.socket.settimeout(0.2)
            try:
                for _ in range(200):
                    edge.send(head(start="GET /docs HTTP/1.1"))
            except OSError:
                pass
            begun = time.monotonic()
            while gateway.edge("timeouts_total") == before:
                assert time.monotonic() - begun < WRITE_S + LATE_S + 5, "it is still held"
                time.sleep(0.5)

    in_threads([slow_head, slow_first_line_after_an_answer, slow_sized_body, slow_chunked_body])
    reads_nothing()


@pytest.mark.long
def test_an_idle_connection_ends_after_a_minute(gateway):
    with Edge(gateway) as fresh, Edge(gateway) as used:
        assert used.ask(head()).status == 200
        begun = time.monotonic()
        assert used.is_closed(IDLE_S + 5) and fresh.is_closed(10)
        assert IDLE_S - 2 < time.monotonic() - begun < IDLE_S + 5


KINDS = {
    "heads": lambda edge, token: edge.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: "),
    "bodies": lambda edge, token: edge.send(head(JSON, "Content-Length: 4000", bearer(token), start=BOOK) + b"x" * 100),
    "readers": lambda edge, token: edge.send(head(start="GET /docs HTTP/1.1") * 20),
}


@pytest.mark.parametrize("kind", KINDS)
def test_many_slow_clients_slow_nobody_down(suite, slug, gateway, pytestconfig, kind):
    token = suite.token(slug, "User")
    count = 2000 if pytestconfig.getoption("--long") else 400
    slow = []
    try:
        for _ in range(count):
            edge = Edge(gateway, receive_buffer=4096 if kind == "readers" else None)
            KINDS[kind](edge, token)
            slow.append(edge)
        waits = []
        with Edge(gateway) as standing:
            for _ in range(50):
                waits.append(timed(lambda: standing.ask(head()))[1])
                with Edge(gateway) as fresh:
                    waits.append(timed(lambda fresh=fresh: fresh.ask(head(bearer(token), start="GET /v1/whoami HTTP/1.1")))[1])
        waits.sort()
        assert waits[-2] < 0.5, f"the slowest waited {waits[-1]:.2f} s"
    finally:
        for edge in slow:
            edge.close()
