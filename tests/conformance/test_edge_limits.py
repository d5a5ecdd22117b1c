# SPDX-License-Identifier: Apache-2.0
"""Every limit of the edge, to the byte: what just fits is taken, one more gets the status that gateway/README.md names."""
import concurrent.futures
import json

import pytest

from edge import CHUNKED, Edge, bearer, head, post

ORDER = 41
BOOK = "/v1/bookings"
BOOK_CAP = 4096
TARGET_MAX = 8192
FIELDS_MAX = 100
FIELD_BYTES_MAX = 32 << 10
HANDED_ON_MAX = 8192
WEB = "GET /login HTTP/1.1"


@pytest.fixture
def token(suite, slug):
    return suite.token(slug, "User")


def fields_of(size):
    """Field lines of exactly so many bytes with Host and their CRLFs."""
    lines = [f"X-{n}: " + "x" * 990 for n in range(32)]
    left = size - sum(len(line) + 2 for line in [*lines, "Host: localhost"]) - len("Last: \r\n")
    return [*lines, "Last: " + "x" * left]


def problem(answer, status, code, field=None):
    assert answer.status == status, answer
    assert answer.field("content-type") == "application/problem+json"
    document = json.loads(answer.body)
    assert document["code"] == code and document["status"] == status, document
    assert field is None or document["field"] == field, document


def test_the_target(suite):
    with Edge(suite) as edge:
        assert edge.ask(head(start=f"GET /{'x' * (TARGET_MAX - 1)} HTTP/1.1")).status == 404
        problem(edge.ask(head(start=f"GET /{'x' * TARGET_MAX} HTTP/1.1")), 414, "uri_too_long")
        assert edge.is_closed()
    for start in (f"GET /{'x' * 100000}", "x" * 100000):
        with Edge(suite) as edge:
            assert edge.ask(start.encode()).status == 414, "no end of the line is waited for"
            assert edge.is_closed()


def test_the_number_of_fields(suite):
    with Edge(suite) as edge:
        assert edge.ask(head(*[f"X{n}: x" for n in range(FIELDS_MAX - 1)])).status == 200
        problem(edge.ask(head(*[f"X{n}: x" for n in range(FIELDS_MAX)])), 431, "header_too_large")
        assert edge.is_closed()


def test_the_size_of_the_fields(suite):
    with Edge(suite) as edge:
        assert edge.ask(head(*fields_of(FIELD_BYTES_MAX - 2))).status == 200
        problem(edge.ask(head(*fields_of(FIELD_BYTES_MAX + 1))), 431, "header_too_large")
        assert edge.is_closed()
    with Edge(suite) as edge:
        assert edge.ask(b"GET / HTTP/1.1\r\nX: " + b"x" * 100000).status == 431
        assert edge.is_closed()


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
def test_the_body(suite, token, chunked):
    def given(size):
        body = b'{"note":"' + b"x" * (size - 11) + b'"}'
        if not chunked:
            return post(BOOK, body, bearer(token))
        start = head(CHUNKED, "Content-Type: application/json", bearer(token), start=f"POST {BOOK} HTTP/1.1")
        return start + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:100], body[100:])) + b"0\r\n\r\n"
    with Edge(suite) as edge:
        problem(edge.ask(given(BOOK_CAP)), 400, "bad_field")
        problem(edge.ask(given(BOOK_CAP + 1)), 413, "too_large")
    for size in (256 << 10, (256 << 10) + 1, 1 << 40):
        with Edge(suite) as edge:
            edge.send(head("Content-Type: application/json", f"Content-Length: {size}", bearer(token), start=f"POST {BOOK} HTTP/1.1"))
            problem(edge.answer(), 413, "too_large")
            assert edge.is_closed(), "a body that is not taken is not waited for"


def test_a_body_where_none_is_taken(suite, token):
    with Edge(suite) as edge:
        assert edge.ask(head("Content-Length: 1", bearer(token), start="GET /v1/whoami HTTP/1.1") + b"x").status in (413, 415)


@pytest.mark.parametrize("name", ["Cookie", "Authorization", "Accept-Language"])
def test_fields_that_are_handed_on(suite, name):
    scheme = "Basic " if name == "Authorization" else ""
    with Edge(suite) as edge:
        fits = edge.ask(head(f"{name}: {scheme}" + "x" * (HANDED_ON_MAX - len(scheme)), start=WEB))
        assert fits.status < 500 and fits.status != 431
        answer = edge.ask(head(f"{name}: {scheme}" + "x" * (HANDED_ON_MAX + 1 - len(scheme)), start=WEB))
        problem(answer, 431, "header_too_large", name)
        assert edge.ask(head()).status == 200


def test_two_cookie_fields_are_two_truths(suite):
    with Edge(suite) as edge:
        problem(edge.ask(head("Cookie: a=1", "Cookie: a=2", start=WEB)), 400, "bad_request", "Cookie")


def test_nobody_suffers_for_the_oversized_fields_of_another(suite):
    """They would travel in one message."""
    def client(number):
        seen = set()
        for _ in range(25):
            with Edge(suite) as edge:
                size = HANDED_ON_MAX + 1 if number == 0 else 100
                seen.add(edge.ask(head("Cookie: " + "x" * size, start=WEB)).status)
        return seen
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(client, range(8)))
    assert seen[0] == {431}
    assert all(status < 500 for statuses in seen for status in statuses), seen


def test_each_request_counts_against_its_address(suite):
    with Edge(suite) as edge:
        for given in (head(), head(start="GET /nothing HTTP/1.1"), head(start="DELETE /healthz HTTP/1.1"),
                      head(start="GET /v1/whoami HTTP/1.1")):
            assert edge.ask(given).field("ratelimit"), given
        assert edge.ask(head(start="OPTIONS * HTTP/1.1"), "HEAD").field("ratelimit")
