# SPDX-License-Identifier: Apache-2.0
"""The life of a connection at the edge: what ends it, what must not, and what is answered when a client does odd things."""
import concurrent.futures
import ssl
import time

import pytest

from berth_suite import wait_for
from edge import CHUNKED, Closed, Edge, bearer, context, head, post, timed

ORDER = 40
WHOAMI = "GET /v1/whoami HTTP/1.1"
BOOK = "/v1/bookings"
JSON = "Content-Type: application/json"


@pytest.fixture
def token(suite, slug):
    return suite.token(slug, "User")


def statuses(answers):
    return [answer.status for answer in answers]


# -- a client that has said all it wants to say

def test_a_half_closed_connection_gets_its_answers(suite, token):
    cases = {
        "answered here": (head(), [200]),
        "answered by a service": (head(bearer(token), start=WHOAMI), [200]),
        "several": (head() + head(bearer(token), start=WHOAMI) + head(), [200, 200, 200]),
        "a refusal": (head(start=WHOAMI), [401]),
        "a body": (post(BOOK, b"{}", bearer(token)), [400]),
    }
    for name, (given, wanted) in cases.items():
        for pause in (0, 0.05):
            with Edge(suite) as edge:
                edge.send(given)
                time.sleep(pause)
                edge.half_close()
                assert statuses(edge.answers()) == wanted, name


def test_a_client_that_says_goodbye_first_gets_its_answer(suite, token):
    """TLS 1.3 closes each direction by itself: close_notify says only that nothing more is sent (RFC 8446 section 6.1)."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with Edge(suite, shake=False) as edge:
        tls = context(suite).wrap_bio(incoming, outgoing, server_hostname="localhost")

        def exchange(step):
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    edge.raw_send(outgoing.read())
                    part = edge.raw_receive()
                    if part:
                        incoming.write(part)
                    else:
                        incoming.write_eof()
        exchange(tls.do_handshake)
        tls.write(head(bearer(token), start=WHOAMI))
        try:
            tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            assert "APPLICATION_DATA_AFTER_CLOSE_NOTIFY" in str(error)
        edge.raw_send(outgoing.read())
        got = b""
        while part := edge.raw_receive():
            got += part
        # It is sealed and this side has forgotten how to read it; its size tells an answer from a goodbye.
        assert len(got) > 600, f"{len(got)} bytes after the goodbye"


def test_an_end_in_the_middle_of_a_message_is_not_answered(suite):
    for given in (head()[:-2], b"GET /hea", post(BOOK)[:-1], head(CHUNKED, JSON, start=f"POST {BOOK} HTTP/1.1") + b"5\r\nab"):
        with Edge(suite) as edge:
            edge.send(given)
            edge.half_close()
            # A refusal of what came before the end may stand; a success must not.
            assert all(status >= 400 for status in statuses(edge.answers()))


# -- clients that go away

def under_way(suite):
    return suite.metrics("gateway")["berth_edge_exchanges"]


@pytest.mark.parametrize("goodbye", ["close", "reset"])
def test_uploads_that_are_given_up_leave_nothing_behind(suite, token, goodbye):
    before = under_way(suite)
    for _ in range(50):
        edge = Edge(suite)
        edge.send(head(JSON, "Content-Length: 4000", bearer(token), start=f"POST {BOOK} HTTP/1.1") + b"x" * 1000)
        getattr(edge, goodbye)()
    wait_for(lambda: under_way(suite) <= before, 5, "the end of all exchanges")


def test_clients_that_do_not_wait_for_their_answers_leave_nothing_behind(suite, token):
    before = under_way(suite)
    for _ in range(50):
        Edge(suite).send(head(bearer(token), start=WHOAMI)).reset()
    wait_for(lambda: under_way(suite) <= before, 10, "the end of all exchanges")
    with Edge(suite) as edge:
        assert edge.ask(head(bearer(token), start=WHOAMI)).status == 200


# -- what may follow a refusal

KEPT = {
    "no token": head(start=WHOAMI),
    "no such path": head(start="GET /v1/nothing HTTP/1.1"),
    "no such method": head(start="DELETE /healthz HTTP/1.1"),
    "a body that came with it": post(BOOK),
    "a chunked body that came with it": head(CHUNKED, JSON, start=f"POST {BOOK} HTTP/1.1") + b"2\r\n{}\r\n0\r\n\r\n",
    "a body of another kind": post(BOOK, b"a=b", kind="text/plain"),
}


@pytest.mark.parametrize("given", KEPT.values(), ids=KEPT.keys())
def test_the_connection_goes_on_after_a_refusal(suite, given):
    with Edge(suite) as edge:
        answer = edge.ask(given)
        assert 400 <= answer.status < 500 and answer.field("connection") is None
        assert edge.ask(head()).status == 200


def test_a_body_that_is_not_waited_for_ends_the_connection(suite):
    """Nothing behind it can be told from the body's bytes."""
    with Edge(suite) as edge:
        edge.send(head(JSON, "Content-Length: 4000", start=f"POST {BOOK} HTTP/1.1") + head())
        answers = edge.answers()
        assert statuses(answers) == [401] and answers[0].field("connection") == "close"


def test_the_answer_to_a_large_upload_is_not_lost(suite):
    """The client sends all of it, slowly, and reads only then."""
    size, step = 4 << 20, 64 << 10
    for pause in (0, 0.04):
        with Edge(suite, seconds=20) as edge:
            edge.send(head(JSON, f"Content-Length: {size}", start=f"POST {BOOK} HTTP/1.1"))
            for _ in range(size // step):
                edge.send(b"x" * step)
                time.sleep(pause)
            assert edge.answer().status in (401, 413)
            assert edge.is_closed()


# -- 100-continue

def test_an_expected_continue_is_given_once_and_then_the_answer(suite, token):
    with Edge(suite) as edge:
        for _ in range(3):
            edge.send(head(JSON, "Content-Length: 2", "Expect: 100-continue", bearer(token), start=f"POST {BOOK} HTTP/1.1"))
            assert edge.answer().status == 100
            assert edge.ask(b"{}").status == 400
        assert edge.ask(head()).status == 200


def test_a_refused_expectation_is_answered_at_once(suite):
    with Edge(suite) as edge:
        edge.send(head(JSON, "Content-Length: 2", "Expect: 100-continue", start=f"POST {BOOK} HTTP/1.1"))
        answer = edge.answer()
        assert answer.status == 401 and answer.field("connection") == "close"
        assert edge.is_closed()


def test_a_continue_is_not_sent_where_no_body_comes_or_to_an_older_client(suite, token):
    with Edge(suite) as edge:
        assert edge.ask(head("Expect: 100-continue")).status == 200
        assert edge.ask(head("Expect: 100-continue", "Content-Length: 0", bearer(token), start=WHOAMI)).status == 200
        edge.send(head(JSON, "Content-Length: 2", "Expect: 100-continue", bearer(token), start=f"POST {BOOK} HTTP/1.0"))
        with pytest.raises(TimeoutError):
            edge.answer(seconds=0.5)
        assert edge.ask(b"{}").status == 400


# -- versions and methods

def test_an_older_client_gets_one_answer_and_the_end(suite):
    with Edge(suite) as edge:
        edge.send(head(start="GET /healthz HTTP/1.0") + head(start="GET /healthz HTTP/1.0"))
        answers = edge.answers()
        assert statuses(answers) == [200] and answers[0].field("connection") == "close"


def test_an_older_client_may_ask_to_go_on(suite):
    with Edge(suite) as edge:
        answer = edge.ask(head("Connection: keep-alive", start="GET /healthz HTTP/1.0"))
        assert answer.field("connection") == "keep-alive"
        assert edge.ask(head("Connection: close")).field("connection") == "close"
        assert edge.is_closed()


def test_head_has_the_head_of_get_and_no_content(suite, token):
    with Edge(suite) as edge:
        for path in ("/healthz", "/openapi.json", "/docs", "/v1/whoami", "/v1/nothing"):
            full = edge.ask(head(bearer(token), start=f"GET {path} HTTP/1.1"))
            bare = edge.ask(head(bearer(token), start=f"HEAD {path} HTTP/1.1"), "HEAD")
            assert bare.status == full.status and bare.field("content-length") == full.field("content-length"), path
            assert [name for name, _ in bare.fields] == [name for name, _ in full.fields]


def test_options_tells_the_methods(suite):
    with Edge(suite) as edge:
        for path, wanted in (("*", {"GET", "POST", "DELETE"}), ("/v1/bookings", {"GET", "HEAD", "POST"}), ("/healthz", {"GET", "HEAD"})):
            answer = edge.ask(head(start=f"OPTIONS {path} HTTP/1.1"), "HEAD")
            assert answer.status == 204 and wanted <= set(answer.field("allow").split(", ")), path
            assert answer.field("content-length") is None
        assert edge.ask(head(start="OPTIONS /v1/nothing HTTP/1.1")).status == 404


# -- pipelining

def test_pipelined_requests_are_answered_in_order(suite, token):
    paths = ["/healthz", "/v1/whoami", "/v1/nothing", "/healthz", "/v1/bookings"] * 20
    wanted = [200, 200, 404, 200, 401] * 20
    given = b"".join(
        head(*([bearer(token)] if path == "/v1/whoami" else []), start=f"GET {path} HTTP/1.1") for path in paths)
    with Edge(suite) as edge:
        edge.send(given)
        assert [edge.answer().status for _ in paths] == wanted


def test_a_request_split_at_each_byte_is_the_same_request(suite, token):
    given = post(BOOK, b'{"note":"x"}', bearer(token))
    with Edge(suite, seconds=30) as edge:
        for byte in given + head():
            edge.send(bytes([byte]))
        assert statuses([edge.answer(), edge.answer()]) == [400, 200]
        for at in range(1, len(given), 7):
            edge.send(given[:at])
            edge.send(given[at:] + head())
            assert statuses([edge.answer(), edge.answer()]) == [400, 200], at


def test_one_client_that_never_stops_asking_does_not_keep_others_waiting(suite):
    """As many requests on one connection as it takes, for a few seconds; others meanwhile."""
    stop = []

    def flood():
        count = 0
        with Edge(suite, seconds=30, source="127.0.0.2") as edge:
            edge.socket.settimeout(0)
            given, part = head() * 200, b""
            while not stop:
                try:
                    part = part[edge.socket.send(part or given):] if part else given
                except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    pass
                try:
                    while chunk := edge.socket.recv(1 << 20):
                        count += chunk.count(b"HTTP/1.1 ")
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
        return count

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        floods = [pool.submit(flood) for _ in range(2)]
        time.sleep(0.5)
        waits = []
        until = time.monotonic() + 4
        while time.monotonic() < until:
            # A new connection each time, so that each loop is asked.
            with Edge(suite) as edge:
                answer, seconds = timed(lambda edge=edge: edge.ask(head()))
                assert answer.status == 200
                waits.append(seconds)
        stop.append(True)
        assert sum(future.result() for future in floods) > 100
    assert len(waits) >= 5 and max(waits) < 1, f"{len(waits)} asked, the slowest waited {max(waits):.2f} s"


def test_a_refused_message_is_the_last(suite):
    with Edge(suite) as edge:
        edge.send(head() + head("X : a") + head())
        answers = edge.answers()
        assert statuses(answers) == [200, 400] and answers[1].field("connection") == "close"


def test_an_idle_end_is_a_clean_one(suite):
    edge = Edge(suite)
    assert edge.ask(head("Connection: close")).status == 200
    with pytest.raises(Closed):
        edge.answer()
