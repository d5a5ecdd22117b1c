# SPDX-License-Identifier: Apache-2.0
"""Changing a client after it was made: by version, checked as when it is made, with both sides in the audit log, effective everywhere, and never to more than one may oneself."""
import concurrent.futures
import secrets
import time

import pytest

from berth_flow import Authorization, Browser, basic, token_request
from berth_jose import P256, compact
from berth_suite import wait_for

ORDER = 46
SITES = "/v1/sites?limit=1"


@pytest.fixture
def client(suite, slug, admin):
    own = suite.tenants[slug]["client"]
    made = admin.post("/v1/clients", {
        "name": "Changing", "kind": "confidential", "redirect_uris": [own["redirect_uri"]],
        "grants": ["authorization_code", "refresh_token", "client_credentials"], "permissions": ["site.read", "person.read"]}).expect(201)
    assert made.etag
    return {**made.body, "redirect_uri": own["redirect_uri"]}


def path(client):
    return f"/v1/clients/{client['id']}"


def change(admin, client, body, status=200):
    return admin.patch(path(client), body, if_match=admin.get(path(client)).expect(200).etag).expect(status)


def machine(suite, client):
    reply = token_request(suite.info, client, {"grant_type": "client_credentials"})
    assert reply.status == 200, reply.text
    return suite.api(reply.json()["access_token"])


def signed_in(suite, client, person):
    flow = Authorization(suite.info, client, scope="openid berth")
    reply = flow.exchange(flow.code(person["email"], person["password"])["code"])
    assert reply.status == 200, reply.text
    return flow, reply.json()


def refreshed(suite, client, tokens):
    return token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})


def test_everything_but_its_kind_and_method_can_change(suite, slug, admin, client):
    wanted = {
        "name": "Changed", "redirect_uris": ["https://new.example/cb"], "grants": ["authorization_code", "refresh_token"], "permissions": [], "id_token_alg": "RS256",
        "allowed_origins": ["https://new.example"], "require_pushed_authorization_requests": True, "post_logout_redirect_uris": ["https://new.example/bye"],
        "dpop_bound_access_tokens": True, "backchannel_logout_uri": "https://new.example/out", "backchannel_logout_session_required": True, "third_party": True}
    before = admin.get(path(client)).expect(200)
    reply = change(admin, client, wanted)
    assert {name: reply.body[name] for name in wanted} == wanted
    now = admin.get(path(client)).expect(200)
    assert now.body == reply.body and now.etag == reply.etag != before.etag and "secret" not in now.body
    events = wait_for(lambda: [event for event in suite.events(slug, object_id=client["id"]) if event["action"] == "client.update"], 20, "the event")
    assert len(events) == 1 and events[0]["before"] == before.body and events[0]["after"] == now.body and events[0]["object_version"] == 2
    back = change(admin, client, {"backchannel_logout_uri": None, "third_party": False, "dpop_bound_access_tokens": False, "require_pushed_authorization_requests": False})
    gone = {"backchannel_logout_uri", "backchannel_logout_session_required", "third_party", "dpop_bound_access_tokens", "require_pushed_authorization_requests"}
    assert not gone & set(back.body), back.body
    for field in ("kind", "token_endpoint_auth_method", "secret", "id", "version"):
        admin.patch(path(client), {field: "public"}, if_match="*").problem(400, "bad_field", reason="unknown")


def test_a_change_says_which_version_it_has_seen(admin, client):
    seen = admin.get(path(client)).expect(200).etag
    admin.patch(path(client), {"name": "No version"}).problem(428, "version_required")
    change(admin, client, {"name": "First"})
    admin.patch(path(client), {"name": "Second"}, if_match=seen).problem(412, "version_stale")
    etag = admin.get(path(client)).expect(200).etag
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda n: admin.patch(path(client), {"name": f"Name {n}"}, if_match=etag).status, range(12)))
    assert sorted(replies) == [200] + [412] * 11
    admin.call("PUT", path(client) + "/origins", {"allowed_origins": ["https://app.example"]}).expect(200)
    assert admin.get(path(client)).etag not in (seen, etag), "the origins are part of the version"


BAD = [({"redirect_uris": ["http://app.example/"]}, "redirect_uris"), ({"redirect_uris": []}, "redirect_uris"), ({"grants": ["password"]}, "grants"),
       ({"permissions": ["nothing.there"]}, "permissions"), ({"allowed_origins": ["https://app.example/"]}, "allowed_origins"), ({"jwks": {"keys": []}}, "jwks"),
       ({"post_logout_redirect_uris": ["javascript:x"]}, "post_logout_redirect_uris"), ({"backchannel_logout_uri": "http://app.example/"}, "backchannel_logout_uri"),
       ({"backchannel_logout_session_required": True}, "backchannel_logout_session_required"), ({"name": ""}, "name"), ({"id_token_alg": "none"}, "id_token_alg")]


@pytest.mark.parametrize("body, field", BAD, ids=lambda value: value if isinstance(value, str) else None)
def test_what_could_not_be_registered_is_no_change_either(admin, client, body, field):
    before = admin.get(path(client)).expect(200)
    admin.patch(path(client), body, if_match=before.etag).problem(400, "bad_field", field=field)
    assert admin.get(path(client)).expect(200).etag == before.etag


def test_nobody_changes_a_client_that_may_do_more_than_they(suite, slug, other_slug, admin, client):
    admin.patch(path(client), {"permissions": ["platform.operate"]}, if_match="*").problem(403, "forbidden", field="permissions", reason="permission_exceeds_own")
    role = admin.post("/v1/roles", {"name": f"Clients{client['id'][-6:]}", "permissions": ["client.manage", "site.read"]}).expect(201).body
    few = suite.api(suite.sign_in_person(suite.new_person(slug, role["name"])))
    few.patch(path(client), {"redirect_uris": ["https://evil.example/"]}, if_match="*").problem(403, "forbidden", reason="permission_exceeds_own")
    for stranger in (suite.as_role(other_slug, "Admin"), ):
        stranger.patch(path(client), {"name": "Theirs"}, if_match="*").problem(404, "not_found")
    for who in ("User", "Reception"):
        suite.as_role(slug, who).patch(path(client), {"name": "Theirs"}, if_match="*").problem(403, "forbidden")
    assert admin.get(path(client)).body["redirect_uris"] == client["redirect_uris"]


def test_with_the_two_person_rule_no_change_gives_a_client_a_right_to_give_rights(suite):
    slug = suite.new_tenant("clients")
    admin = suite.as_role(slug, "Admin")
    suite.new_person(slug, "Admin")
    key = P256("mine")
    body = {"name": "Keyed", "kind": "confidential", "grants": ["client_credentials"], "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [P256("old").jwk()]}}
    harmless = admin.post("/v1/clients", {**body, "permissions": ["site.read"]}).expect(201).body
    weighty = admin.post("/v1/clients", {**body, "permissions": ["person.manage"]}).expect(201).body
    etag = admin.get("/v1/tenant").expect(200).etag
    admin.patch("/v1/tenant", {"two_person_rule": True}, if_match=etag).expect(200)
    for client, change_of_it in ((harmless, {"permissions": ["person.manage"]}), (weighty, {"jwks": {"keys": [key.jwk()]}}), (weighty, {"grants": ["client_credentials"]})):
        admin.patch(path(client), change_of_it, if_match="*").problem(403, "forbidden", field="permissions", reason="second_person_required")
    own = suite.tenants[slug]["client"]
    admin.patch(path(own), {"redirect_uris": ["https://other.example/"]}, if_match="*").problem(403, "forbidden", field="third_party", reason="second_person_required")
    for client in (weighty, own):
        admin.patch(path(client), {"name": "Renamed"}, if_match="*").expect(200)
    admin.patch(path(harmless), {"jwks": {"keys": [key.jwk()]}}, if_match="*").expect(200)


def test_a_redirect_uri_that_goes_is_worth_nothing_from_then_on(suite, admin, client, person):
    flow = Authorization(suite.info, client)
    code = flow.code(person["email"], person["password"])["code"]
    waiting = Authorization(suite.info, client)
    page = waiting.login_page(waiting.begin())
    change(admin, client, {"redirect_uris": ["https://new.example/cb"]})
    reply = Authorization(suite.info, client).begin()
    assert reply.status == 400 and not reply.location
    refused = flow.exchange(code)
    assert refused.status == 400 and refused.json()["error"] == "invalid_grant"
    reply = waiting.submit(page, person["email"], person["password"])
    for _ in range(5):
        assert not (reply.location or "").startswith(client["redirect_uri"]), "a request from before leads to where it may not"
        if reply.status not in (302, 303):
            break
        reply = waiting.browser.get(reply.location)
    there = Authorization(suite.info, {**client, "redirect_uri": "https://new.example/cb"})
    assert there.code(person["email"], person["password"])["code"]


def test_what_is_taken_away_ends_within_a_second(suite, admin, client, person):
    api, (_, tokens) = machine(suite, client), signed_in(suite, client, person)
    api.get(SITES).expect(200)
    change(admin, client, {"name": "Still the same", "permissions": ["person.read", "site.read"]})
    api.get(SITES).expect(200)
    begun = time.monotonic()
    change(admin, client, {"permissions": ["person.read"]})
    wait_for(lambda: api.get(SITES).status == 401, 5, "the end of the token")
    assert time.monotonic() - begun < 1.5
    assert refreshed(suite, client, tokens).status == 200, "people's grants go on"
    # What is issued by whoever still reads the client as it was would be refused, for as long as a call may take.
    wait_for(lambda: machine(suite, client).get("/v1/people?limit=1").status == 200, 15, "a token of the client as it is")
    machine(suite, client).get(SITES).problem(403, "forbidden")


def test_a_grant_that_goes_is_refused(suite, admin, client, person):
    _, tokens = signed_in(suite, client, person)
    change(admin, client, {"grants": ["authorization_code"], "permissions": []})
    assert refreshed(suite, client, tokens).json()["error"] == "unauthorized_client"
    assert token_request(suite.info, client, {"grant_type": "client_credentials"}).json()["error"] == "unauthorized_client"
    wait_for(lambda: suite.api(tokens["access_token"]).get("/v1/whoami").status == 401, 5, "the end of its tokens")


def test_a_client_that_becomes_somebody_elses_has_nothing_that_nobody_was_asked_about(suite, admin, client, person):
    flow, tokens = signed_in(suite, client, person)
    open_code = Authorization(suite.info, client, browser=flow.browser)
    code = open_code.follow(open_code.begin())["code"]
    change(admin, client, {"third_party": True})
    assert open_code.exchange(code).json()["error"] == "invalid_grant" and refreshed(suite, client, tokens).json()["error"] == "invalid_grant"
    wait_for(lambda: suite.api(tokens["access_token"]).get("/v1/whoami").status == 401, 5, "the end of its tokens")
    again = Authorization(suite.info, client, browser=flow.browser)
    assert again.browser.get(again.begin().location).page().action == "/consent"


def test_keys_of_a_client_rotate(suite, slug, admin):
    old, new = P256("old"), P256("new")
    made = admin.post("/v1/clients", {"name": "Keyed", "kind": "confidential", "grants": ["client_credentials"], "permissions": ["site.read"],
                                      "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [old.jwk()]}}).expect(201).body

    def asks(key):
        now = int(time.time())
        claims = {"iss": made["id"], "sub": made["id"], "aud": suite.url, "iat": now, "exp": now + 60, "jti": secrets.token_hex(16)}
        form = {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion": compact(key, claims, header={"alg": key.alg, "kid": key.kid})}
        return Browser(suite.info).post("/oauth2/token", {"grant_type": "client_credentials", **form}).status
    assert asks(old) == 200 and asks(new) in (400, 401)
    change(admin, made, {"jwks": {"keys": [new.jwk()]}})
    assert asks(new) == 200 and asks(old) in (400, 401)


def test_a_new_origin_is_answered_in_time(suite, admin, client):
    origin = "https://changed.example"
    change(admin, client, {"allowed_origins": [origin]})

    def preflight():
        return suite.api().call("OPTIONS", "/v1/sites", headers={"Origin": origin, "Access-Control-Request-Method": "GET"}).headers.get("access-control-allow-origin")
    begun = time.monotonic()
    wait_for(lambda: preflight() == origin, 10, "the origin at the edge")
    assert time.monotonic() - begun < 5
    change(admin, client, {"allowed_origins": []})
    wait_for(lambda: preflight() is None, 10, "its end at the edge")


def test_introspection_and_secret_are_as_before(suite, admin, client):
    change(admin, client, {"name": "Same secret"})
    assert Browser(suite.info).post("/oauth2/introspect", {"token": "x"}, headers=basic(client)).json() == {"active": False}
