# SPDX-License-Identifier: Apache-2.0
"""What scripts of other origins may do (the CORS protocol of the Fetch standard), by the registration of OAuth 2.0 clients; HEAD and
OPTIONS of every route."""
import base64
import json
import secrets

import pytest

from berth_suite import wait_for
from edge import Edge, bearer, head
from own_gateway import OwnGateway

READS = 6

ORDER = 42
WHOAMI = "/v1/whoami"
UUID = "0192a3b4-c5d6-7e8f-8a9b-0c1d2e3f4a5b"
ALLOWED = "access-control-allow-origin"


def make_client(suite, slug, **fields):
    return suite.as_role(slug, "Admin").post("/v1/clients", {
        "name": "Script", "kind": "confidential", "grants": ["client_credentials"], "permissions": ["site.read"], **fields}).expect(201).body


def token_of(suite, client):
    basic = base64.b64encode(f"{client['id']}:{client['secret']}".encode()).decode()
    return suite.api().call("POST", "/oauth2/token", key=None, content=b"grant_type=client_credentials", headers={
        "Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}).expect(200).body["access_token"]


def ask(suite, start, *fields):
    with Edge(suite) as edge:
        return edge.ask(head(*fields, start=f"{start} HTTP/1.1"), start.split(" ")[0])


def preflight(suite, origin, method="GET", path=WHOAMI):
    return ask(suite, f"OPTIONS {path}", f"Origin: {origin}", f"Access-Control-Request-Method: {method}",
               "Access-Control-Request-Headers: authorization")


def cors_fields(answer):
    return {name: value for name, value in answer.fields if name.startswith("access-control-")}


@pytest.fixture(scope="module")
def origin():
    return f"https://app-{secrets.token_hex(5)}.example"


@pytest.fixture(scope="module")
def client(suite, slug, origin):
    made = make_client(suite, slug, allowed_origins=[origin, "http://localhost:3999"])
    assert made["allowed_origins"] == [origin, "http://localhost:3999"]
    wait_for(lambda: preflight(suite, origin).field(ALLOWED), 30, "the gateway's copy of the registration")
    return made


def test_a_preflight_from_a_registered_origin(suite, client, origin):
    answer = preflight(suite, origin)
    assert answer.status == 204 and answer.field(ALLOWED) == origin and answer.field("vary") == "Origin"
    assert answer.field("access-control-allow-methods") == "GET, HEAD, OPTIONS"
    allowed = answer.field("access-control-allow-headers").lower().split(", ")
    assert {"authorization", "content-type", "dpop", "idempotency-key", "if-match", "traceparent"} == set(allowed)
    assert 0 < int(answer.field("access-control-max-age")) <= 86400
    assert not answer.field("access-control-allow-credentials")
    assert preflight(suite, origin, "DELETE", f"/v1/bookings/{UUID}").field("access-control-allow-methods") == "GET, HEAD, PATCH, DELETE, OPTIONS"
    assert preflight(suite, origin, "POST", "/oauth2/token").field(ALLOWED) == origin
    assert preflight(suite, origin, "GET", "/.well-known/openid-configuration").field(ALLOWED) == origin


def test_a_preflight_that_is_refused_says_nothing(suite, client, origin):
    host = origin.removeprefix("https://")
    for other in ("https://evil.example", "null", "*", f"http://{host}", f"{origin}.evil.example", f"{origin}:8443", origin.upper(),
                  f"{origin}/", f"https://x.{host}", f"{origin}, {origin}", "x" * 5000):
        answer = preflight(suite, other)
        assert answer.status == 204 and not cors_fields(answer), other
        assert answer.field("vary") == "Origin"
    assert not cors_fields(preflight(suite, origin, "DELETE")), "a method that the path does not take"
    assert not cors_fields(preflight(suite, origin, "GET", "/login")), "a page"
    assert not cors_fields(preflight(suite, origin, "POST", "/login"))
    assert not cors_fields(preflight(suite, origin, "GET", "/oauth2/authorize"))
    unknown = preflight(suite, origin, "GET", "/v1/nothing")
    assert unknown.status == 404 and not cors_fields(unknown)
    assert not cors_fields(ask(suite, f"OPTIONS {WHOAMI}", f"Origin: {origin}")), "no preflight"
    twice = ask(suite, f"OPTIONS {WHOAMI}", f"Origin: {origin}", f"Origin: {origin}", "Access-Control-Request-Method: GET")
    assert not cors_fields(twice)


def test_an_answer_may_be_read_by_the_origins_of_the_tokens_client(suite, slug, client, origin):
    token = token_of(suite, client)
    answer = ask(suite, f"GET {WHOAMI}", f"Origin: {origin}", bearer(token))
    assert answer.status == 200 and answer.field(ALLOWED) == origin and answer.field("vary") == "Origin"
    exposed = answer.field("access-control-expose-headers").split(", ")
    assert {"ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate", "X-Request-Id"} == set(exposed)
    assert not answer.field("access-control-allow-credentials")
    # Another client's token: its answers are not for this origin.
    other = ask(suite, f"GET {WHOAMI}", f"Origin: {origin}", bearer(suite.token(slug, "User")))
    assert other.status == 200 and not cors_fields(other) and other.field("vary") == "Origin"
    evil = ask(suite, f"GET {WHOAMI}", "Origin: https://evil.example", bearer(token))
    assert evil.status == 200 and not cors_fields(evil) and evil.field("vary") == "Origin"
    assert ask(suite, f"GET {WHOAMI}", bearer(token)).field("vary") == "Origin"


def test_refusals_may_be_read_as_well(suite, client, origin):
    for start, status in (("GET /v1/whoami", 401), ("POST /v1/whoami", 405)):
        answer = ask(suite, start, f"Origin: {origin}")
        assert answer.status == status
        assert bool(answer.field(ALLOWED)) == (status == 401)
    forbidden = ask(suite, "GET /v1/people", f"Origin: {origin}", bearer(token_of(suite, client)))
    assert forbidden.status == 403 and forbidden.field(ALLOWED) == origin


def test_pages_are_read_by_no_other_origin(suite, client, origin):
    for path in ("/login", "/docs"):
        answer = ask(suite, f"GET {path}", f"Origin: {origin}")
        assert answer.status == 200 and not cors_fields(answer)


def test_origins_are_changed_and_go_with_their_client(suite, slug, origin):
    admin = suite.as_role(slug, "Admin")
    mine, other = f"https://{secrets.token_hex(5)}.example", f"https://{secrets.token_hex(5)}.example"
    client = make_client(suite, slug)
    assert "allowed_origins" not in client
    path = f"/v1/clients/{client['id']}"
    changed = admin.call("PUT", f"{path}/origins", {"allowed_origins": [mine]}).expect(200).body
    assert changed["allowed_origins"] == [mine] and "secret" not in changed
    assert admin.get(path).expect(200).body["allowed_origins"] == [mine]
    admin.call("PUT", f"{path}/origins", {"allowed_origins": [other]}).expect(200)
    wait_for(lambda: preflight(suite, other).field(ALLOWED) == other, 30, "the other origin")
    assert not preflight(suite, mine).field(ALLOWED)
    wait_for(lambda: [event for event in suite.events(slug, object_id=client["id"]) if event["action"] == "client.update"], 30, "the event")
    admin.delete(path).expect(204)
    wait_for(lambda: not preflight(suite, other).field(ALLOWED), 30, "the end of the client's origins")
    admin.call("PUT", f"{path}/origins", {"allowed_origins": []}).problem(404, "not_found")


def test_origins_are_read_again_and_again(suite):
    """Each worker of authsvc answers more than once, so that what it kept from the call before would show."""
    with OwnGateway(suite) as gateway:
        wait_for(lambda: gateway.edge("origins_reads_total") >= READS, 60, "reads of the origins")
        assert gateway.edge("origins_failures_total") == 0


def test_only_exact_origins_are_registered(suite, slug, other_slug, client):
    admin = suite.as_role(slug, "Admin")
    for bad in ("*", "null", "https://*.example", "https://app.example/", "http://app.example", "https://app.example:443", "https://App.example"):
        reply = admin.call("PUT", f"/v1/clients/{client['id']}/origins", {"allowed_origins": [bad]})
        reply.problem(400, "bad_field", "allowed_origins", "bad_origin")
        fields = {"name": "x", "kind": "public", "redirect_uris": ["https://localhost/x"], "allowed_origins": [bad]}
        admin.post("/v1/clients", fields).problem(400, "bad_field", "allowed_origins", "bad_origin")
    user = suite.as_role(slug, "User")
    assert user.call("PUT", f"/v1/clients/{client['id']}/origins", {"allowed_origins": []}).status == 403
    stranger = suite.as_role(other_slug, "Admin")
    assert stranger.call("PUT", f"/v1/clients/{client['id']}/origins", {"allowed_origins": []}).status == 404


def test_every_route_says_what_it_takes(suite):
    document = json.loads(ask(suite, "GET /openapi.json").body)
    with Edge(suite) as edge:
        for path, item in document["paths"].items():
            methods = {name.upper() for name in item if name in ("get", "post", "put", "patch", "delete")}
            expected = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
            target = path.replace("{id}", UUID)
            answer = edge.ask(head(start=f"OPTIONS {target} HTTP/1.1"), "HEAD")
            assert answer.status == 204 and set(answer.field("allow").split(", ")) == expected, path
            assert answer.field("content-length") is None
            for wrong in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
                refused = edge.ask(head(start=f"{wrong} {target} HTTP/1.1"))
                assert refused.status == 405 and set(refused.field("allow").split(", ")) == expected, (wrong, path)
            if "GET" not in methods:
                refused = edge.ask(head(start=f"HEAD {target} HTTP/1.1"), "HEAD")
                assert refused.status == 405 and set(refused.field("allow").split(", ")) == expected, path


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/docs", "/oauth2/jwks", "/login", WHOAMI, "/v1/sites", f"/v1/bookings/{UUID}",
                                  "/v1/nothing"])
def test_head_is_get_without_a_body(suite, slug, path):
    varying = {"date", "x-request-id", "ratelimit", "set-cookie"}
    fields = [bearer(suite.token(slug, "User"))] if path.startswith("/v1/") else []
    with Edge(suite) as edge:
        got = edge.ask(head(*fields, start=f"GET {path} HTTP/1.1"))
        headed = edge.ask(head(*fields, start=f"HEAD {path} HTTP/1.1"), "HEAD")
        assert edge.ask(head()).status == 200, "a body came behind the head"
    # A page's form and a problem's id differ from answer to answer, but not in length.
    assert headed.status == got.status
    assert [pair for pair in headed.fields if pair[0] not in varying] == [pair for pair in got.fields if pair[0] not in varying]
    assert int(headed.field("content-length")) == len(got.body)
