# SPDX-License-Identifier: Apache-2.0
"""Requests that a client pushes before the browser comes (RFC 9126), and requests that a browser posts."""
import concurrent.futures
import time
import urllib.parse

import pytest

import berth_flow
from berth_flow import Authorization, Browser, claims

ORDER = 42


@pytest.fixture
def person(suite, slug):
    return suite.person(slug, "User")


def push(suite, client, flow, **changes):
    form = {**flow.query, **changes}
    return Browser(suite.info).post(
        "/oauth2/par", {name: value for name, value in form.items() if value is not None}, headers=berth_flow.basic(client))


def pushed(suite, client, flow, **changes):
    reply = push(suite, client, flow, **changes)
    assert reply.status == 201, f"{reply.status}: {reply.text[:300]}"
    assert "no-store" in reply.headers["Cache-Control"]
    answer = reply.json()
    assert answer["request_uri"].startswith("urn:ietf:params:oauth:request_uri:") and 5 <= answer["expires_in"] <= 600
    return answer["request_uri"]


def bring(flow, client, request_uri, **more):
    query = urllib.parse.urlencode({"client_id": client["id"], "request_uri": request_uri, **more})
    return flow.browser.get("/oauth2/authorize?" + query)


def told_on_a_page(reply):
    assert reply.status == 400 and not reply.location, f"{reply.status} {reply.location}"


def query_of(reply):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(reply.location).query))


def test_a_pushed_request_is_answered_as_it_was_pushed(suite, client, person):
    flow = Authorization(suite.info, client, scope="openid berth")
    uri = pushed(suite, client, flow)
    beside = {"scope": "openid email", "state": "another", "redirect_uri": "https://evil.example/", "nonce": "another"}
    answer = flow.follow(flow.submit(flow.login_page(bring(flow, client, uri, **beside)), person["email"], person["password"]))
    assert answer["state"] == flow.state and answer["iss"] == suite.url, "what stands beside request_uri counts for nothing"
    tokens = flow.exchange(answer["code"]).json()
    assert claims(tokens["id_token"])["nonce"] == flow.nonce and set(tokens["scope"].split()) == {"openid", "berth"}


def test_a_request_uri_is_good_once(suite, client, person):
    flow = Authorization(suite.info, client)
    flow.code(person["email"], person["password"])
    uri = pushed(suite, client, flow)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: bring(flow, client, uri), range(30)))
    good = [reply for reply in replies if reply.status == 303]
    assert len(good) == 1 and "code=" in good[0].location, [reply.status for reply in replies]
    told_on_a_page(bring(flow, client, uri))


def test_a_request_uri_that_was_refused_is_used_too(suite, client):
    flow = Authorization(suite.info, client, prompt="none")
    uri = pushed(suite, client, flow)
    assert query_of(bring(flow, client, uri))["error"] == "login_required"
    told_on_a_page(bring(flow, client, uri))


def test_a_request_uri_belongs_to_its_client(suite, admin, client, other_slug):
    second = admin.post("/v1/clients", {
        "name": "Second", "kind": "confidential", "redirect_uris": [client["redirect_uri"]]}).expect(201).body
    flow = Authorization(suite.info, client)
    uri = pushed(suite, client, flow)
    told_on_a_page(bring(flow, second, uri))
    told_on_a_page(bring(flow, suite.tenants[other_slug]["client"], uri))
    assert bring(flow, client, uri).status == 303, "a stranger's attempt does not spend it"


def test_what_is_no_pushed_request_is_told_on_a_page(suite, client):
    flow = Authorization(suite.info, client)
    handle = urllib.parse.urlsplit(flow.begin().location).query.split("=")[1]
    uri = pushed(suite, client, flow)
    for bad in ("urn:ietf:params:oauth:request_uri:", uri[:-1], uri + "A", uri.upper(), f"urn:ietf:params:oauth:request_uri:{handle}",
                "urn:ietf:params:oauth:request_uri:" + "A" * 64):
        reply = bring(flow, client, bad)
        assert not reply.location and reply.status == 400, f"{bad}: {reply.status} {reply.location}"
    # A pushed request is no sign-in that waits either.
    assert flow.browser.get("/login?resume=" + uri.rsplit(":", 1)[1]).status == 400


def test_a_pushed_request_is_short_lived(suite, client):
    flow = Authorization(suite.info, client)
    uri = pushed(suite, client, flow)
    suite.sql("update auth.authorization_request set expires_at = now() where client_id is not null and expires_at < now() + interval '2 minutes'")
    told_on_a_page(bring(flow, client, uri))


@pytest.mark.parametrize("change, error", [
    ({"redirect_uri": "https://localhost/else"}, "invalid_request"),
    ({"redirect_uri": None}, "invalid_request"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
    ({"request": "e30."}, "request_not_supported"),
    ({"registration": "{}"}, "registration_not_supported"),
    ({"scope": "no.such.permission"}, "invalid_scope"),
    ({"resource": "https://other.example"}, "invalid_target"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"client_id": "00000000-0000-7000-8000-000000000000"}, "invalid_request"),
], ids=str)
def test_what_would_be_refused_is_refused_when_it_is_pushed(suite, client, change, error):
    reply = push(suite, client, Authorization(suite.info, client), **change)
    assert reply.status == 400 and reply.json()["error"] == error, reply.text


def test_a_client_proves_itself_to_push(suite, client):
    flow = Authorization(suite.info, client)
    assert Browser(suite.info).post("/oauth2/par", flow.query).status == 401, "a confidential client without its secret"
    reply = push(suite, {**client, "secret": "x" * 43}, flow)
    assert reply.status == 401 and reply.json()["error"] == "invalid_client"


def test_a_client_may_be_held_to_push(suite, admin, client, person):
    made = admin.post("/v1/clients", {
        "name": "Pusher", "kind": "confidential", "redirect_uris": [client["redirect_uri"]],
        "require_pushed_authorization_requests": True}).expect(201).body
    made["redirect_uri"] = client["redirect_uri"]
    assert admin.get(f"/v1/clients/{made['id']}").expect(200).body["require_pushed_authorization_requests"] is True
    flow = Authorization(suite.info, made)
    answer = query_of(flow.begin())
    assert answer["error"] == "invalid_request" and answer["iss"] == suite.url
    assert query_of(flow.browser.post("/oauth2/authorize", flow.query))["error"] == "invalid_request", "a form is no way round"
    reply = bring(flow, made, pushed(suite, made, flow))
    assert "code" in flow.follow(flow.submit(flow.login_page(reply), person["email"], person["password"]))


def test_a_request_may_be_posted(suite, client, person):
    flow = Authorization(suite.info, client)
    begun = flow.browser.post("/oauth2/authorize", flow.query)
    assert begun.status == 303 and flow.state not in begun.location, "what was posted does not stand in an address"
    answer = flow.follow(flow.submit(flow.login_page(flow.browser.get(begun.location)), person["email"], person["password"]))
    assert flow.exchange(answer["code"]).status == 200
    second = Authorization(suite.info, client, browser=flow.browser)
    # As browsers do with a form of another site: without cookies first, with them when they come back.
    begun = Browser(suite.info).post("/oauth2/authorize", second.query, headers={"Origin": "https://app.example"})
    assert "code" in second.follow(flow.browser.get(begun.location)), "whoever is signed in is not asked again"


def test_a_posted_request_is_judged_like_any_other(suite, client):
    flow = Authorization(suite.info, client, code_challenge_method="plain")
    answer = query_of(flow.browser.post("/oauth2/authorize", flow.query))
    assert answer["error"] == "invalid_request" and answer["state"] == flow.state and answer["iss"] == suite.url
    for change in ({"redirect_uri": "https://evil.example/"}, {"client_id": "x"}):
        told_on_a_page(flow.browser.post("/oauth2/authorize", {**flow.query, **change}))
    twice = flow.browser.request("POST", "/oauth2/authorize", form=[*flow.query.items(), ("redirect_uri", "https://evil.example/")])
    told_on_a_page(twice)


def test_metadata_names_the_endpoint(suite):
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
        document = suite.api().get(path).expect(200).body
        assert document["pushed_authorization_request_endpoint"] == suite.url + "/oauth2/par"
        assert document["require_pushed_authorization_requests"] is False


def test_a_pushed_hint_of_an_address_stands_nowhere_readable(suite, client):
    address = f"canary{int(time.time())}@pushed.example"
    flow = Authorization(suite.info, client, login_hint=address)
    uri = pushed(suite, client, flow)
    rows = suite.sql("select parameters from auth.authorization_request")
    assert all(address.encode() not in bytes(row[0]) for row in rows if row[0] is not None)
    assert flow.browser.get(bring(flow, client, uri).location).text.count(address) == 1, "it fills the form"
