# SPDX-License-Identifier: Apache-2.0
"""The edge's own counts, which whoever judges it from outside holds on to: each message that was understood, handed on and answered counts
once, by either version, and what was never understood counts as answered alone."""
import os
import signal

import pytest

from berth_suite import wait_for
from edge import Closed, Edge, bearer, head, post
from h2edge import DATA, END_STREAM, H2, Reset, frame, request

ORDER = 46
NAMES = ("parsed", "forwarded", "answered")
WHOAMI = "GET /v1/whoami HTTP/1.1"


@pytest.fixture
def token(suite, slug):
    return suite.token(slug, "User")


class Counted:
    """What was counted meanwhile, compared once nothing is under way any more."""

    def __init__(self, gateway, **wanted):
        self.gateway, self.wanted = gateway, {name: wanted.get(name, 0) for name in NAMES}

    def read(self):
        found = self.gateway.metrics()
        return {name: int(found[f"berth_edge_{name}_total"]) for name in NAMES}

    def __enter__(self):
        self.before = self.read()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            wait_for(lambda: self.gateway.edge("exchanges") == 0, 20, "the end of what is under way")
            after = self.read()
            assert {name: after[name] - self.before[name] for name in NAMES} == self.wanted


# name: (bytes of a connection, statuses, what is counted)
ROWS = {
    "what the edge answers by itself": (head() * 3, [200] * 3, {"parsed": 3, "answered": 3}),
    "what no operation is": (head(start="GET /nothing HTTP/1.1") + head(start="DELETE /healthz HTTP/1.1"), [404, 405], {"parsed": 2, "answered": 2}),
    "who shows no token": (head(start=WHOAMI) * 2, [401] * 2, {"parsed": 2, "answered": 2}),
    "a message that is refused": (head() + head("X : a") + head(), [200, 400], {"parsed": 1, "answered": 2}),
    "a target without an end": (b"GET /" + b"x" * 9000, [414], {"answered": 1}),
    "fields without an end": (b"GET / HTTP/1.1\r\nX: " + b"x" * 40000, [431], {"answered": 1}),
    "half a message": (head()[:-2], [], {}),
    "OPTIONS": (head(start="OPTIONS * HTTP/1.1"), [204], {"parsed": 1, "answered": 1}),
}


@pytest.mark.parametrize("given, statuses, wanted", ROWS.values(), ids=ROWS.keys())
def test_each_message_counts_once(gateway, given, statuses, wanted):
    with Counted(gateway, **wanted), Edge(gateway) as edge:
        edge.send(given)
        assert [edge.answer().status for _ in statuses] == statuses
        if not statuses:
            edge.half_close()
            with pytest.raises(Closed):
                edge.answer()


def test_what_a_service_answers_was_handed_on_once(gateway, token):
    asked = head(bearer(token), start=WHOAMI)
    with Counted(gateway, parsed=8, forwarded=6, answered=8), Edge(gateway) as edge:
        edge.send(asked * 4 + head() + asked * 2 + head(start="GET /nothing HTTP/1.1"))
        assert [edge.answer().status for _ in range(8)] == [200] * 7 + [404]


def test_a_body_that_is_refused_here_is_not_handed_on(gateway, token):
    auth = bearer(token)
    with Counted(gateway, parsed=3, forwarded=0, answered=3), Edge(gateway) as edge:
        for given, status in ((post("/v1/bookings", b"{", auth), 400), (post("/v1/bookings", b'{"x":1}', auth), 400),
                              (post("/v1/bookings", b"{}", auth, kind="text/plain"), 415)):
            assert edge.ask(given).status == status


def test_streams_count_like_messages(gateway, token):
    whoami = request(("authorization", f"Bearer {token}"), path="/v1/whoami")
    with Counted(gateway, parsed=9, forwarded=5, answered=9), H2(gateway) as h2:
        asked = [h2.begin(whoami) for _ in range(5)] + [h2.begin(request()) for _ in range(3)] + [h2.begin(request(path="/nothing"))]
        assert [h2.answer(stream).status for stream in asked] == [200] * 8 + [404]
    with Counted(gateway), H2(gateway) as h2:
        with pytest.raises(Reset):
            h2.ask(request(("connection", "close")))


def test_work_for_a_client_that_is_gone_counts_like_any_other(suite, gateway, token):
    """It waits while the service stands still; then its answer has nobody to go to, and is made all the same."""
    pid = suite.pid("bookingsvc")
    os.kill(pid, signal.SIGSTOP)
    try:
        with Counted(gateway, parsed=1, forwarded=1, answered=1) as counted:
            edge = Edge(gateway).send(head(bearer(token), start=WHOAMI))
            wait_for(lambda: counted.read()["forwarded"] == counted.before["forwarded"] + 1, 10, "the message to be handed on")
            edge.reset()
            wait_for(lambda: gateway.edge("connections") == 0, 10, "the end of the connection")
            os.kill(pid, signal.SIGCONT)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_body_that_comes_in_pieces_is_one_message(gateway, token):
    with Counted(gateway, parsed=1, forwarded=0, answered=1), H2(gateway) as h2:
        fields = request(("authorization", f"Bearer {token}"), ("content-type", "application/json"), method="POST", path="/v1/bookings")
        stream = h2.begin(fields, 0)
        for part in (b"{", b'"x"', b":1"):
            h2.send(frame(DATA, 0, stream, part))
            h2.ping()
        h2.send(frame(DATA, END_STREAM, stream, b"}"))
        assert h2.answer(stream).status == 400
