# SPDX-License-Identifier: Apache-2.0
"""What a client means beyond where its message ends: expectations, order, HEAD, codings, conditions, and who it claims to be."""
import json
import secrets

import pytest

from berth_suite import wait_for
from edge import CHUNKED, Closed, Edge, bearer, head, post
from own_gateway import NO_LIMITS, OwnGateway

ORDER = 48
WHOAMI = "GET /v1/whoami HTTP/1.1"
BOOK = "POST /v1/bookings HTTP/1.1"
JSON = "Content-Type: application/json"
EXPECT = "Expect: 100-continue"


@pytest.fixture
def auth(suite, slug):
    return bearer(suite.token(slug, "User"))


# -- RFC 9110 section 10.1.1

# name: (lines of the head, the status that comes without a byte of content)
UNWANTED = {
    "no token": ([JSON, "Content-Length: 2"], BOOK, 401),
    "no such path": ([JSON, "Content-Length: 2"], "POST /v1/nothing HTTP/1.1", 404),
    "no such method": ([JSON, "Content-Length: 2"], "POST /healthz HTTP/1.1", 405),
    "too much content": ([JSON, "Content-Length: 4097", "@AUTH@"], BOOK, 413),
    "far too much content": ([JSON, "Content-Length: 1000000", "@AUTH@"], BOOK, 413),
    "another media type": (["Content-Type: text/plain", "Content-Length: 2", "@AUTH@"], BOOK, 415),
    "a coding of the content": ([JSON, "Content-Encoding: gzip", "Content-Length: 2", "@AUTH@"], BOOK, 415),
    "no version": ([JSON, "Content-Length: 2", "@AUTH@"], "PATCH /v1/me HTTP/1.1", 428),
    "a key that is none": ([JSON, "Content-Length: 2", f"Idempotency-Key: {'x' * 300}", "@AUTH@"], BOOK, 400),
    "another expectation": ([JSON, "Content-Length: 2", "Expect: 100-continue, teapot", "@AUTH@"], BOOK, 417),
    "chunks, and no token": ([JSON, CHUNKED], BOOK, 401),
}


@pytest.mark.parametrize("lines, start, status", UNWANTED.values(), ids=UNWANTED.keys())
def test_content_that_is_not_wanted_is_refused_without_a_byte_of_it(gateway, auth, lines, start, status):
    """No 100, the final answer at once, and the end: what would follow cannot be told from the content."""
    with Edge(gateway, seconds=20) as edge:
        answer = edge.ask(head(EXPECT, *[auth if line == "@AUTH@" else line for line in lines], start=start))
        assert answer.status == status and answer.field("connection") == "close", answer
        assert edge.is_closed(20)


@pytest.mark.parametrize("spelling", ["100-continue", "100-Continue", "100-CONTINUE"])
@pytest.mark.parametrize("content", [("Content-Length: 2", b"{}"), (CHUNKED, b"2\r\n{}\r\n0\r\n\r\n")], ids=["with a length", "chunked"])
def test_content_that_is_wanted_is_asked_for_once(gateway, auth, spelling, content):
    with Edge(gateway, seconds=20) as edge:
        for _ in range(2):
            first = edge.ask(head(JSON, content[0], f"Expect: {spelling}", auth, start=BOOK))
            assert first.status == 100 and not first.fields and not edge.rest
            assert edge.ask(content[1]).status == 400
        assert edge.ask(head()).status == 200


def test_content_that_comes_with_its_head_gets_its_one_final_answer(gateway, auth):
    """RFC 9110: a 100 may then be left out; at most one comes, and then the answer."""
    with Edge(gateway, seconds=20) as edge:
        edge.send(head(JSON, "Content-Length: 2", EXPECT, auth, start=BOOK) + b"{}" + head())
        statuses = [edge.answer().status]
        while statuses[-1] != 200:
            statuses.append(edge.answer().status)
        assert statuses in ([100, 400, 200], [400, 200])


# -- RFC 9112 section 9.3.2, RFC 9110 section 9.3.2

def test_slow_and_fast_requests_on_one_connection_keep_their_order(suite, slug, gateway, auth):
    """Local ones, fast ones, slow ones and refused ones, sent at once; each answer is told by what only it says."""
    area = suite.new_area(slug)
    rows = [(head(), 200, b'"status":"ok"'), (head(auth, start="GET /v1/me/export HTTP/1.1"), 200, b'"booking":'), (head(auth, start=WHOAMI), 200, b'"permissions":'),
            (head(start="GET /v1/nothing HTTP/1.1"), 404, b"not_found"), (post("/v1/bookings", b'{"a":1}', auth), 400, b'"field":"a"'),
            (head(auth, start=f"GET /v1/areas/{area['id']} HTTP/1.1"), 200, area["id"].encode()), (post("/v1/bookings", b'{"b":1}', auth), 400, b'"field":"b"'),
            (head(auth, start="GET /v1/me HTTP/1.1"), 200, b'"family_name":'), (head(start=WHOAMI), 401, b"unauthenticated")]
    with Edge(gateway, seconds=60) as edge:
        edge.send(b"".join(given for given, _, _ in rows * 5))
        for number, (_, status, mark) in enumerate(rows * 5):
            answer = edge.answer(seconds=60)
            assert answer.status == status and mark in answer.body, f"{number}: {answer}"


def test_head_between_others_has_no_content_and_breaks_no_order(gateway, auth):
    with Edge(gateway, seconds=20) as edge:
        edge.send(b"".join(head(auth, start=f"{method} {path} HTTP/1.1") for path in ("/healthz", "/v1/whoami", "/v1/nothing", "/docs") for method in ("HEAD", "GET")))
        for path in ("/healthz", "/v1/whoami", "/v1/nothing", "/docs"):
            bare, full = edge.answer("HEAD"), edge.answer()
            assert bare.status == full.status and int(bare.field("content-length")) == len(full.body) > 0, path


def test_options_with_content_reads_it_and_goes_on(gateway):
    with Edge(gateway, seconds=20) as edge:
        given = head("Content-Length: 5", start="OPTIONS /v1/bookings HTTP/1.1") + b"12345"
        assert edge.ask(given, "HEAD").status == 204 and edge.ask(head()).status == 200


# -- RFC 9110 section 8.4

@pytest.mark.parametrize("coding, status", [("gzip", 415), ("deflate", 415), ("br", 415), ("x-gzip", 415), ("identity, gzip", 415), ("", 415), ("identity", 400), ("Identity", 400)])
def test_content_under_a_coding_is_not_taken_for_its_media_type(gateway, auth, coding, status):
    with Edge(gateway, seconds=20) as edge:
        answer = edge.ask(post("/v1/bookings", b'{"a":1}', auth, f"Content-Encoding: {coding}"))
        assert answer.status == status and (status == 400) == (b'"field":"a"' in answer.body), answer


# -- RFC 9110 section 13.1.2

def test_a_read_of_what_is_held_already_is_spared(suite, slug, gateway, auth):
    area = suite.new_area(slug)
    start = f"GET /v1/spots/{area['spots'][0]} HTTP/1.1"
    with Edge(gateway, seconds=20) as edge:
        full = edge.ask(head(auth, start=start))
        tag = full.field("etag")
        assert full.status == 200 and tag
        for value in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            for method in ("GET", "HEAD"):
                spared = edge.ask(head(auth, f"If-None-Match: {value}", start=start.replace("GET", method)), "HEAD")
                assert spared.status == 304 and spared.field("etag") == tag and not edge.rest, value
                assert int(spared.field("content-length")) == len(full.body)
        for value in ('"0"', '"x"', f'{tag}x', "", tag.strip('"')):
            assert edge.ask(head(auth, f"If-None-Match: {value}", start=start)).body == full.body, value
        # Without a good answer there is nothing to spare, and no other method is.
        assert edge.ask(head(f"If-None-Match: {tag}", start=start)).status == 401
        assert edge.ask(head(auth, "If-None-Match: *", start=f"GET /v1/spots/{area['id']} HTTP/1.1")).status == 404
        assert edge.ask(head(auth, "If-None-Match: *", start=WHOAMI)).status == 200
        assert edge.ask(post("/v1/bookings", b"{}", auth, "If-None-Match: *")).status == 400
    suite.as_role(slug, "Admin").patch(f"/v1/spots/{area['spots'][0]}", {"charger": True}, if_match=tag).expect(200)
    with Edge(gateway, seconds=20) as edge:
        assert edge.ask(head(auth, f"If-None-Match: {tag}", start=start)).status == 200


# -- who speaks: H12

NAMES = ["X-User", "X-User-Id", "X-Person", "X-Tenant", "X-Tenant-Id", "X-Role", "X-Roles", "X-Permissions", "X-Forwarded-User", "X-Remote-User", "Remote-User", "X-Authenticated-User",
         "X-Forwarded-For", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "Forwarded", "Via", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix",
         "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Method-Override", "X-Request-Id", "X-Correlation-Id", "X-Client-Cert", "X-SSL-Client-Verify", "X-Berth-Tenant", "Berth-Person",
         "X-Internal", "X-Debug", "Client-IP", "Proxy-Authorization", "X-Access-Token", "X-Api-Key", "Host-Override"]
SPELLINGS = {"as it is": str, "small": str.lower, "large": str.upper, "with underscores": lambda name: name.replace("-", "_"), "with dots": lambda name: name.replace("-", "."),
             "doubled": lambda name: name.replace("-", "--")}


def told_by(answer):
    return answer.status, answer.body, [(name, value) for name, value in answer.fields if name not in ("date", "x-request-id", "ratelimit")]


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_no_field_tells_who_asks_but_the_token(suite, slug, other_slug, gateway, auth, spell):
    """The service's answer is the same to the byte; and without the token they open nothing."""
    there = suite.tenants[other_slug]
    for value in (there["id"], suite.person(other_slug, "Admin")["id"], "admin", "127.0.0.1", "for=127.0.0.1;host=evil.example;proto=http"):
        lines = list(dict.fromkeys(f"{spell(name)}: {value}" for name in NAMES))
        with Edge(gateway, seconds=20) as edge:
            plain = edge.ask(head(auth, start=WHOAMI))
            claimed = edge.ask(head(auth, *lines, start=WHOAMI))
            assert plain.status == 200 and told_by(claimed) == told_by(plain)
            assert value not in str(claimed.fields)
            assert edge.ask(head(*lines, start=WHOAMI)).status == 401


def test_what_is_recorded_of_a_change_is_what_the_gateway_says(suite, slug, gateway, auth):
    """The audit event has the gateway's request id and the token's person, whatever the fields claim."""
    area = suite.new_area(slug)
    claimed = {name: "00000000-0000-7000-8000-00000000beef" for name in ("X-Request-Id", "X_Request_Id", "X-User", "X-Person", "Request-Id")}
    body = json.dumps({"spot_id": area["spots"][0], **suite.slot()}).encode()
    with Edge(gateway, seconds=20) as edge:
        answer = edge.ask(post("/v1/bookings", body, auth, f"Idempotency-Key: {secrets.token_hex(8)}", *[f"{name}: {value}" for name, value in claimed.items()]))
    assert answer.status == 201, answer
    booking = json.loads(answer.body)["id"]
    event = wait_for(lambda: suite.events(slug, object_id=booking), 60, "the event")[0]
    assert event["request_id"] == answer.field("x-request-id") and event["actor_id"] == suite.person(slug, "User")["id"]
    assert "beef" not in json.dumps(event)


def test_an_address_that_is_only_claimed_does_not_count_as_another(suite):
    """A flood under a thousand forwarded addresses is one address's flood."""
    limits = {**NO_LIMITS, "BERTH_LIMIT_ADDRESS_PER_S": "1", "BERTH_LIMIT_ADDRESS_BURST": "30"}
    with OwnGateway(suite, **limits) as gateway:
        statuses = []
        for number in range(80):
            try:
                with Edge(gateway, seconds=20, source="127.0.0.77") as edge:
                    statuses.append(edge.ask(head(f"X-Forwarded-For: 10.0.0.{number}", f"Forwarded: for=10.0.0.{number}", f"X-Real-IP: 10.0.0.{number}")).status)
            except Closed:
                statuses.append(None)
        assert 429 in statuses, statuses
