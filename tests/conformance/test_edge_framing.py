# SPDX-License-Identifier: Apache-2.0
"""Where a message ends (RFC 9112): any doubt is refused and ends the connection, and what stands behind it is never a request."""
import time

import pytest

from edge import CHUNKED, Closed, Edge, bearer, head, post

ORDER = 43
BOOK = "/v1/bookings"
POST = f"POST {BOOK} HTTP/1.1"
JSON = "Content-Type: application/json"
HIDDEN = head(start="GET /docs HTTP/1.1")


def body_of(*fields, body=b"0\r\n\r\n", start=POST):
    return head(JSON, *fields, start=start) + body


# name: (status, bytes). Each is followed by a request that must not be answered.
REFUSED = {
    "both lengths": (400, body_of("Content-Length: 5", CHUNKED)),
    "both lengths, the other way round": (400, body_of(CHUNKED, "Content-Length: 5")),
    "two lengths": (400, body_of("Content-Length: 5", "Content-Length: 6", body=b"12345")),
    "two lengths that agree": (400, body_of("Content-Length: 5", "Content-Length: 5", body=b"12345")),
    "a list of lengths": (400, body_of("Content-Length: 5, 5", body=b"12345")),
    "an empty length": (400, body_of("Content-Length:", body=b"")),
    "a negative length": (400, body_of("Content-Length: -1", body=b"")),
    "a signed length": (400, body_of("Content-Length: +5", body=b"12345")),
    "a spaced length": (400, body_of("Content-Length: 5 5", body=b"12345")),
    "a hexadecimal length": (400, body_of("Content-Length: 0x5", body=b"12345")),
    "an octal digit of another script": (400, body_of("Content-Length: \xb2", body=b"")),
    "a length beyond counting": (400, body_of("Content-Length: 99999999999999999999999", body=b"")),
    "a length with an exponent": (400, body_of("Content-Length: 1e1", body=b"")),
    "a length whose name has an underscore": (400, body_of("Content_Length: 5", CHUNKED)),
    "a coding whose name has an underscore": (400, body_of("Content-Length: 5", "Transfer_Encoding: chunked")),
    "a space before the length's colon": (400, body_of("Content-Length : 5", body=b"12345")),
    "a tab before the coding's colon": (400, body_of("Transfer-Encoding\t: chunked")),
    "a folded coding": (400, body_of("Transfer-Encoding:\r\n chunked")),
    "a folded length": (400, body_of("Content-Length:\r\n 5", body=b"12345")),
    "an unknown coding": (400, body_of("Transfer-Encoding: gzip", body=b"")),
    "chunked and more": (400, body_of("Transfer-Encoding: chunked, gzip")),
    "more and chunked": (501, body_of("Transfer-Encoding: gzip, chunked")),
    "chunked twice": (400, body_of(CHUNKED, CHUNKED)),
    "identity beside chunked": (400, body_of(CHUNKED, "Transfer-Encoding: identity")),
    "a quoted coding": (400, body_of('Transfer-Encoding: "chunked"')),
    "a parameter of the coding": (400, body_of("Transfer-Encoding: chunked;x=1")),
    "a vertical tab before the coding": (400, body_of("Transfer-Encoding: \x0bchunked")),
    "an empty coding": (400, body_of("Transfer-Encoding:", body=b"")),
    "chunked as the content's coding": (400, body_of("Content-Encoding: chunked", "Content-Length: 5")),
    "chunked in HTTP/1.0": (400, body_of(CHUNKED, start=f"POST {BOOK} HTTP/1.0")),
    "a chunk extension": (400, body_of(CHUNKED, body=b"1;a=b\r\nx\r\n0\r\n\r\n")),
    "an extension without a name": (400, body_of(CHUNKED, body=b"1;\r\nx\r\n0\r\n\r\n")),
    "a space behind the size": (400, body_of(CHUNKED, body=b"1 \r\nx\r\n0\r\n\r\n")),
    "a size that is no number": (400, body_of(CHUNKED, body=b"g\r\nx\r\n0\r\n\r\n")),
    "a size with a prefix": (400, body_of(CHUNKED, body=b"0x1\r\nx\r\n0\r\n\r\n")),
    "a negative size": (400, body_of(CHUNKED, body=b"-1\r\nx\r\n0\r\n\r\n")),
    "no size": (400, body_of(CHUNKED, body=b"\r\nx\r\n0\r\n\r\n")),
    "a size that wraps": (400, body_of(CHUNKED, body=b"ffffffffffffffff1\r\nx\r\n0\r\n\r\n")),
    "a bare LF behind a size": (400, body_of(CHUNKED, body=b"1\nx\r\n0\r\n\r\n")),
    "a bare CR behind a size": (400, body_of(CHUNKED, body=b"1\rx\r\n0\r\n\r\n")),
    "a bare LF behind a chunk": (400, body_of(CHUNKED, body=b"1\r\nx\n0\r\n\r\n")),
    "a chunk longer than it says": (400, body_of(CHUNKED, body=b"1\r\nxy\r\n0\r\n\r\n")),
    "a chunk shorter than it says": (400, body_of(CHUNKED, body=b"5\r\nxy\r\n0\r\n\r\n")),
    "a trailer": (400, body_of(CHUNKED, body=b"0\r\nX: y\r\n\r\n")),
    "a framing field in the trailer": (400, body_of(CHUNKED, body=b"0\r\nContent-Length: 5\r\n\r\n")),
    "a last line without CR": (400, body_of(CHUNKED, body=b"0\r\n\n")),
    "bare LFs": (400, b"GET /healthz HTTP/1.1\nHost: localhost\n\n"),
    "one bare LF": (400, b"GET /healthz HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n"),
    "a bare CR in a value": (400, head("X: a\rb")),
    "a bare CR that hides a field": (400, head("X: a\rTransfer-Encoding: chunked")),
    "a NUL in a value": (400, head("X: a\0b")),
    "a NUL in a name": (400, head("X\0: a")),
    "a DEL in a value": (400, head("X: a\x7fb")),
    "a folded line": (400, head("X: a", " b")),
    "a line that begins with a tab": (400, head("X: a", "\tb")),
    "a first line that is folded": (400, b"GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n"),
    "no colon": (400, head("X")),
    "no name": (400, head(": x")),
    "no host": (400, head(host=None)),
    "two hosts": (400, head("Host: localhost")),
    "two hosts that differ": (400, head("Host: evil.example")),
    "a host with a user": (400, head(host="Host: a@localhost")),
    "a host with a path": (400, head(host="Host: localhost/x")),
    "a host with a list": (400, head(host="Host: localhost, evil.example")),
    "an empty host": (400, head(host="Host:")),
    "a target of another host": (400, head(start="GET https://evil.example/healthz HTTP/1.1")),
    "a target with a user": (400, head(start="GET https://a@localhost/healthz HTTP/1.1")),
    "a target of another scheme": (400, head(start="GET file:///etc/passwd HTTP/1.1")),
    "a target without a slash": (400, head(start="GET healthz HTTP/1.1")),
    "a dot segment": (400, head(start="GET /v1/../healthz HTTP/1.1")),
    "an escaped dot segment": (400, head(start="GET /v1/%2e%2E/healthz HTTP/1.1")),
    "an escaped slash": (400, head(start="GET /v1%2fbookings HTTP/1.1")),
    "an escaped backslash": (400, head(start="GET /v1%5cbookings HTTP/1.1")),
    "a backslash": (400, head(start="GET /v1\\bookings HTTP/1.1")),
    "an escaped NUL": (400, head(start="GET /v1/%00 HTTP/1.1")),
    "a broken escape": (400, head(start="GET /v1/%zz HTTP/1.1")),
    "a raw byte in the target": (400, head(start="GET /v1/\xe9 HTTP/1.1")),
    "a fragment": (400, head(start="GET /healthz#x HTTP/1.1")),
    "two spaces": (400, head(start="GET  /healthz HTTP/1.1")),
    "a space at the end of the line": (400, head(start="GET /healthz HTTP/1.1 ")),
    "a tab between": (400, head(start="GET\t/healthz HTTP/1.1")),
    "no version": (400, b"GET /healthz\r\nHost: localhost\r\n\r\n"),
    "a version in lower case": (400, head(start="GET /healthz http/1.1")),
    "a version of three parts": (400, head(start="GET /healthz HTTP/1.1.1")),
    "a version that is too long": (400, head(start="GET /healthz HTTP/1.10")),
    "another version": (505, head(start="GET /healthz HTTP/2.0")),
    "the preface of HTTP/2": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "a method that is no token": (400, head(start="G@T /healthz HTTP/1.1")),
    "a method in lower case": (501, head(start="get /healthz HTTP/1.1")),
    "a method that is not served": (501, head(start="TRACE /healthz HTTP/1.1")),
    "a tunnel": (501, head(start="CONNECT localhost:443 HTTP/1.1")),
    "two empty lines before": (400, b"\r\n\r\n" + head()),
    "an unknown expectation": (417, head("Expect: nothing")),
}


@pytest.mark.parametrize("status, given", REFUSED.values(), ids=REFUSED.keys())
def test_doubt_is_refused_and_ends_the_connection(suite, status, given):
    with Edge(suite) as edge:
        begun = time.monotonic()
        answers = edge.send(given + HIDDEN).answers(seconds=2)
        assert [answer.status for answer in answers] == [status]
        assert answers[0].field("connection") == "close"
        assert time.monotonic() - begun < 1, "it is refused at once"


@pytest.mark.parametrize("name", ["both lengths", "a chunk extension", "a trailer", "two hosts", "one bare LF"])
def test_the_verdict_does_not_depend_on_how_the_bytes_arrive(suite, slug, name):
    status, given = REFUSED[name]
    # With a token, or the refusal for its lack would come before the body.
    given = given.replace(b"Host:", bearer(suite.token(slug, "User")).encode() + b"\r\nHost:", 1)
    for step in (1, 2, 3, 7, 64):
        with Edge(suite) as edge:
            try:
                for at in range(0, len(given), step):
                    edge.send(given[at:at + step])
            except OSError:
                pass        # refused before the last of it
            assert [answer.status for answer in edge.answers()] == [status], step


# name: (statuses, bytes). Taken, for the standard says so.
TAKEN = {
    "one empty line before": ([200], b"\r\n" + head()),
    "an absolute target": ([200], head(start="GET https://localhost/healthz HTTP/1.1")),
    "an absolute target with the usual port": ([200], head(start="GET https://localhost:443/healthz HTTP/1.1")),
    "blanks around a value": ([200], head("X:  \t a \t ")),
    "an empty value": ([200], head("X:")),
    "bytes above ASCII in a value": ([200], head("X: \xe9\xff")),
    "names in any case": ([200], head(host="hOST: localhost")),
    "chunked in any case": ([401], body_of("Transfer-Encoding: Chunked")),
    "blanks around chunked": ([401], body_of("Transfer-Encoding: \t chunked ")),
    "sizes in either case and with zeros in front": ([401], body_of(CHUNKED, body=b"000A\r\n0123456789\r\n0b\r\n01234567890\r\n000\r\n\r\n")),
    "a length of zero": ([200], head("Content-Length: 0")),
    "a length with zeros in front": ([401], body_of("Content-Length: 0005", body=b"12345")),
    "a list of options": ([200], head("Connection: keep-alive, x-unknown")),
}


@pytest.mark.parametrize("statuses, given", TAKEN.values(), ids=TAKEN.keys())
def test_what_the_standard_lets_stand_is_served(suite, statuses, given):
    with Edge(suite) as edge:
        edge.send(given)
        assert [edge.answer().status for _ in statuses] == statuses
        assert edge.ask(head()).status == 200, "and the connection goes on where the message ended"


def codings(every):
    """The coding's line with each byte in each place where somebody's parser has looked away."""
    patterns = (
        "Transfer-Encoding:{}chunked", "Transfer-Encoding{}: chunked", "{}Transfer-Encoding: chunked", "Transfer-Encoding: chunked{}",
        "Transfer-Encoding: {}chunked", "X: X{}Transfer-Encoding: chunked", "Transfer-Encoding: chunked{}X: X",
        "X: X\r{}Transfer-Encoding: chunked", "X: X{}\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r{}X: X",
        "Transfer-Encoding: chunked{}\nX: X", "Transfer-{}Encoding: chunked", "Transfer-Encoding: chu{}nked", "Transfer-Encoding: x{}chunked")
    bytes_tried = [*range(0x00, 0x21), *b'"\'(),/:;<=>?@[\\]{}', *range(0x7f, 0x100)]
    lines = [pattern.replace("{}", chr(byte)) for byte in bytes_tried for pattern in patterns]
    return lines if every else lines[::11]


@pytest.mark.seconds(400)
def test_no_disguise_of_the_coding_hides_a_request(suite, pytestconfig):
    """With a length that covers all: whoever believed the coding would find a request in the rest."""
    hidden = b"0\r\n\r\n" + HIDDEN
    for line in codings(pytestconfig.getoption("--long")):
        with Edge(suite) as edge:
            begun = time.monotonic()
            edge.send(head(JSON, f"Content-Length: {len(hidden)}", line, start=POST) + hidden)
            answer = edge.answer(seconds=2)
            assert answer.status in (400, 401, 501), f"{line!r}: {answer}"
            if answer.field("connection") == "close":
                assert edge.is_closed(), line
            else:
                # The line was another field's: the length held, and this is the next request.
                assert edge.ask(head()).status == 200 and not edge.rest, line
            assert time.monotonic() - begun < 1, line


def test_a_length_that_is_too_short_makes_the_rest_a_message_of_its_own(suite):
    """Nothing ties it to the first: it is judged like any other, and here it is none."""
    with Edge(suite) as edge:
        edge.send(post(BOOK, b"{}")[:-1] + b"{" + b'"x":1}' + head())
        answers = edge.answers()
        assert [answer.status for answer in answers] == [401, 400]


# -- who speaks

SPOOFED = ["X-User: root", "X_User: root", "X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1;by=x;host=evil", "X-Real-IP: 10.0.0.1",
           "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", "X-Tenant: other", "X-Request-Id: 00000000-0000-0000-0000-000000000000",
           "X-Original-URL: /v1/people", "X-Rewrite-URL: /v1/people", "X-HTTP-Method-Override: DELETE", "Client-IP: 10.0.0.1",
           "X-Berth-Person: root", "Authorization2: Bearer x", "Proxy-Authorization: Basic eA=="]


def test_fields_that_claim_an_identity_are_not_believed(suite, slug):
    token = suite.token(slug, "User")
    with Edge(suite) as edge:
        plain = edge.ask(head(bearer(token), start="GET /v1/whoami HTTP/1.1"))
        claimed = edge.ask(head(bearer(token), *SPOOFED, start="GET /v1/whoami HTTP/1.1"))
        assert claimed.status == 200 and claimed.body == plain.body
        assert claimed.field("x-request-id") != "00000000-0000-0000-0000-000000000000"
        assert edge.ask(head(*SPOOFED, start="GET /v1/whoami HTTP/1.1")).status == 401
        assert edge.ask(head(*SPOOFED)).status == 200


@pytest.mark.parametrize("given", ["Bearer", "Bearer ", "bearer x", "Basic eDp4", "Bearer a b", "Bearer\ta", "Bearer ..", "Bearer " + "x" * 4097])
def test_what_is_no_token_is_refused(suite, given):
    with Edge(suite) as edge:
        answer = edge.ask(head(f"Authorization: {given}", start="GET /v1/whoami HTTP/1.1"))
        assert answer.status == 401 and answer.field("www-authenticate").startswith("Bearer")
        assert edge.ask(head()).status == 200


def test_two_tokens_are_two_truths(suite, slug):
    token = suite.token(slug, "User")
    with Edge(suite) as edge:
        assert edge.ask(head(bearer(token), bearer(token), start="GET /v1/whoami HTTP/1.1")).status == 400


def test_nothing_of_a_refused_request_comes_back(suite):
    """Neither in fields nor in content, so that nothing can be made to appear there."""
    mark = "qx7zmark"
    for given in (head(start=f"GET /{mark}?{mark}={mark} HTTP/1.1"), head(f"{mark}: {mark}"), head(f"X-{mark} : x"),
                  head(f"Authorization: Bearer {mark}", start="GET /v1/whoami HTTP/1.1"), head(f"Origin: https://{mark}")):
        with Edge(suite) as edge:
            try:
                answer = edge.ask(given)
            except Closed:
                continue
            assert mark.encode() not in answer.body and mark not in str(answer.fields)
