# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 as its recipient must take it (RFC 9113, RFC 7541): each rule a row, with what the connection or the stream gets."""
import struct
import time

import pytest

from edge import Closed, Edge, bearer
from edge import head as lines
from h2_table import CONNECTION_ERRORS, JSON, STREAM_ERRORS, TAKEN, head
from h2edge import (ACK, DATA, END_STREAM, GOAWAY, H2, NO_ERROR, PADDED, PING, PREFACE, PROTOCOL_ERROR, REFUSED_STREAM, SETTINGS,
                    Gone, Reset, frame, request, reset, settings, window)

ORDER = 44


@pytest.fixture
def token(suite, slug):
    return suite.token(slug, "User")


@pytest.mark.parametrize("given, codes", CONNECTION_ERRORS.values(), ids=CONNECTION_ERRORS.keys())
def test_the_connection_ends_with_an_error(suite, given, codes):
    with H2(suite) as h2:
        h2.send(given)
        assert h2.goaway() in codes


@pytest.mark.parametrize("given, expected", STREAM_ERRORS.values(), ids=STREAM_ERRORS.keys())
def test_the_stream_ends_and_the_connection_goes_on(suite, given, expected):
    """An error of a stream may end the connection instead (section 5.4), with the same code."""
    with H2(suite) as h2:
        h2.send(given)
        h2.next_stream = 3
        if isinstance(expected, int):
            answer = h2.answer(1)
            assert answer.status == expected and answer.field("content-type") == "application/problem+json"
            assert h2.alive()
            return
        with pytest.raises((Reset, Gone)) as ended:
            h2.answer(1)
        assert ended.value.code in expected
        assert ended.type is Gone or h2.alive()


@pytest.mark.parametrize("given", TAKEN.values(), ids=TAKEN.keys())
def test_what_the_standard_allows_is_taken(suite, given):
    with H2(suite) as h2:
        h2.send(given)
        h2.next_stream = 3
        assert h2.answer(1).status == 200
        assert h2.alive()


# name: what stands where the preface is due
NO_PREFACE = {
    "a request in lines": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "another preface": PREFACE.replace(b"SM", b"XX") + settings(),
    "frames": settings() + head(),
    "nothing": b"",
}


@pytest.mark.parametrize("given", NO_PREFACE.values(), ids=NO_PREFACE.keys())
def test_without_the_preface_there_is_no_connection(suite, given):
    with H2(suite, start=False) as h2:
        h2.send(given)
        if not given:
            h2.edge.half_close()
        assert h2.goaway() in (None, NO_ERROR, PROTOCOL_ERROR)
        assert not h2.fields


def test_the_first_frame_is_settings(suite):
    with H2(suite, first=head()) as h2:
        assert h2.goaway() == PROTOCOL_ERROR


def test_frames_may_come_in_any_pieces(suite):
    with H2(suite, start=False) as h2:
        for byte in PREFACE + settings() + head(3) + frame(PING, 0, 0, b"12345678"):
            h2.send(bytes([byte]))
        assert h2.answer(3).status == 200


def test_our_settings_are_what_the_limits_say(suite):
    with H2(suite) as h2:
        assert h2.alive()
        assert h2.settings == {1: 4096, 3: 100, 4: 32768, 5: 16384, 6: 32768, 9: 1}


def test_requests_are_answered_on_their_streams(suite, token):
    """Many at once, each with its own answer, whatever the order."""
    paths = ["/v1/whoami", "/nothing", "/healthz", "/v1/bookings?limit=x"] * 10
    with H2(suite) as h2:
        streams = [h2.begin(request(("authorization", f"Bearer {token}"), path=path)) for path in paths]
        found = [h2.answer(stream) for stream in streams]
        assert [answer.status for answer in found] == [200, 404, 200, 400] * 10
        assert len({answer.field("x-request-id") for answer in found}) == len(paths)
        for answer in found:
            assert answer.field("connection") is None and answer.field("strict-transport-security")
            assert int(answer.field("content-length")) == len(answer.body)


def test_a_body_arrives_whole(suite, token):
    """In many frames, padded ones among them."""
    body = b'{"starts_at":' + b" " * 900 + b'"never"}'
    with H2(suite) as h2:
        more = [("authorization", f"Bearer {token}"), JSON, ("if-match", '"1"'), ("content-length", str(len(body)))]
        stream = h2.begin(request(*more, method="PATCH", path="/v1/bookings/01a20000-0000-7000-8000-000000000000"), 0)
        for at in range(0, len(body), 50):
            h2.send(frame(DATA, PADDED, stream, b"\x03" + body[at:at + 50] + b"\0\0\0"))
        h2.send(frame(DATA, END_STREAM, stream))
        answer = h2.answer(stream)
        assert answer.status == 400 and b'"field":"starts_at"' in answer.body, answer.body


def test_a_path_is_read_rightly_when_its_body_moves_it(suite, token):
    """By lines as well: a body that needs a larger buffer comes when the path's parameter was read long before."""
    path = "/v1/bookings/01a20000-0000-7000-8000-000000000000"
    body = b'{"note":' + b" " * 4000 + b'"x"}'
    with Edge(suite) as edge:
        edge.send(lines(bearer(token), 'If-Match: "1"', "Content-Type: application/json", f"Content-Length: {len(body)}",
                        start=f"PATCH {path} HTTP/1.1"))
        edge.send(body[:10])
        time.sleep(0.2)     # only makes it likely that both pieces are read apart
        assert edge.send(body[10:]).answer().status == 404
    with H2(suite) as h2:
        stream = h2.begin(request(("authorization", f"Bearer {token}"), JSON, ("if-match", '"1"'), method="PATCH", path=path), 0)
        h2.send(frame(DATA, 0, stream, body[:10]))
        h2.ping()
        h2.send(frame(DATA, END_STREAM, stream, body[10:]))
        assert h2.answer(stream).status == 404


def test_the_same_request_gets_the_same_fields_by_either_version(suite, token):
    changing = {"date", "x-request-id", "ratelimit", "connection"}
    with H2(suite, first=settings(window=1 << 20) + window(0, 1 << 24)) as h2, Edge(suite) as edge:
        for path in ("/healthz", "/v1/whoami", "/nothing", "/docs", "/openapi.json"):
            old = edge.ask(lines(bearer(token), start=f"GET {path} HTTP/1.1"))
            new = h2.ask(request(("authorization", f"Bearer {token}"), path=path))
            assert new.status == old.status
            assert [pair for pair in new.fields if pair[0] not in changing] == [pair for pair in old.fields if pair[0] not in changing]


def test_head_and_options(suite):
    with H2(suite) as h2:
        answer = h2.ask(request(method="HEAD"))
        assert answer.status == 200 and answer.field("content-length") == "15" and not answer.body
        assert h2.ask(request(method="OPTIONS", path="*")).status == 204


def test_a_client_that_waits_is_told_to_go_on(suite, token):
    with H2(suite) as h2:
        more = [("authorization", f"Bearer {token}"), JSON, ("expect", "100-continue")]
        stream = h2.begin(request(*more, method="POST", path="/v1/bookings"), 0)
        while stream not in h2.fields:
            h2.frame()
        assert h2.fields[stream][0] == [(":status", "100")]
        h2.send(frame(DATA, END_STREAM, stream, b"{}"))
        assert h2.answer(stream).status == 400


def test_an_answer_before_the_end_of_its_request_ends_it(suite):
    """Section 8.1: the answer whole, then RST_STREAM with NO_ERROR; what is still under way is no fault."""
    with H2(suite) as h2:
        stream = h2.begin(request(JSON, method="POST", path="/v1/bookings"), 0)
        assert h2.answer(stream).status == 401
        while stream not in h2.resets:
            h2.frame()
        assert h2.resets[stream] == NO_ERROR
        h2.send(frame(DATA, 0, stream, b"x" * 100) * 5 + frame(DATA, END_STREAM, stream))
        assert h2.alive()


def test_content_over_the_operations_cap_is_answered(suite, token):
    with H2(suite) as h2:
        more = [("authorization", f"Bearer {token}"), JSON]
        stream = h2.begin(request(*more, method="POST", path="/v1/bookings"), 0)
        h2.send(frame(DATA, 0, stream, b" " * 4097))
        assert h2.answer(stream).status == 413
        stream = h2.begin(request(*more, ("content-length", "4097"), method="POST", path="/v1/bookings"), 0)
        assert h2.answer(stream).status == 413, "before a byte of it"
        assert h2.alive()


def test_an_answer_waits_for_windows(suite):
    """The window of a stream, its change by SETTINGS, and the window of all streams (section 6.9)."""
    with H2(suite, first=settings(window=100)) as h2:
        stream = h2.begin(request(path="/docs"))

        def arrived(count, why):
            while len(h2.bodies.get(stream, b"")) < count:
                h2.frame()
            h2.ping()
            assert h2.alive() and len(h2.bodies[stream]) == count, why
        arrived(100, "the window that SETTINGS gave")
        h2.send(window(stream, 50))
        arrived(150, "what WINDOW_UPDATE added")
        h2.send(settings(window=1000))
        arrived(1050, "SETTINGS change windows of streams that stand")
        h2.send(settings(window=0) + window(stream, 100))
        h2.ping()
        assert len(h2.bodies[stream]) == 1050, "the window is below nothing"
        h2.send(settings(window=1 << 20))
        while not h2.ended & {stream}:
            if sum(map(len, h2.bodies.values())) == 65535:
                h2.send(window(0, 1 << 20))
            h2.frame()
        answer = h2.answer(stream)
        assert answer.status == 200 and len(answer.body) == int(answer.field("content-length"))


def test_a_stream_that_is_reset_is_not_answered(suite, token):
    with H2(suite) as h2:
        stream = h2.begin(request(("authorization", f"Bearer {token}"), path="/v1/whoami"))
        h2.send(reset(stream) + window(stream, 1) + reset(stream))
        assert h2.alive()


def test_no_more_streams_at_once_than_announced(suite, token):
    """RFC 9113 section 5.1.2. Their bodies are still to come, so all stand."""
    fields_of = request(("authorization", f"Bearer {token}"), JSON, method="POST", path="/v1/bookings")
    with H2(suite) as h2:
        assert h2.alive()
        h2.send(frame(SETTINGS, ACK))
        streams = [h2.begin(fields_of, 0) for _ in range(100)]
        h2.ping()
        over = h2.begin(fields_of, 0)
        with pytest.raises((Reset, Gone)) as refused:
            h2.answer(over)
        assert refused.value.code in (REFUSED_STREAM, PROTOCOL_ERROR)
        if refused.type is Reset:
            h2.send(frame(DATA, END_STREAM, streams[0], b"{}"))
            assert h2.answer(streams[0]).status == 400


def test_a_client_that_says_goaway_is_answered(suite, token):
    with H2(suite) as h2:
        stream = h2.begin(request(("authorization", f"Bearer {token}"), path="/v1/whoami"))
        h2.send(frame(GOAWAY, 0, 0, struct.pack(">II", 0, NO_ERROR)))
        assert h2.answer(stream).status == 200
        with pytest.raises(Closed):
            while True:
                h2.frame()


def test_a_client_that_half_closes_is_answered(suite, token):
    with H2(suite) as h2:
        stream = h2.begin(request(("authorization", f"Bearer {token}"), path="/v1/whoami"))
        h2.edge.half_close()
        assert h2.answer(stream).status == 200
        assert h2.goaway() in (None, NO_ERROR)


def test_a_reset_code_that_is_unknown_is_taken(suite):
    with H2(suite) as h2:
        stream = h2.begin(request(), 0)
        h2.send(reset(stream, 0xdeadbeef))
        assert h2.alive()
