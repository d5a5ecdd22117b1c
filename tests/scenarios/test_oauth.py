# SPDX-License-Identifier: Apache-2.0
"""OAuth 2.0 and OpenID Connect as clients meet them: the code flow and its abuse, refresh, client credentials, introspection,
revocation, metadata."""
import concurrent.futures
import json
import secrets
import threading
import time
import urllib.parse

import pytest

import berth_flow
from berth_flow import Authorization, Browser, FlowError, claims, header, token_request
from berth_suite import wait_for

ORDER = 40


@pytest.fixture
def person(suite, slug):
    return suite.person(slug, "User")


@pytest.fixture
def flow(suite, client):
    return Authorization(suite.info, client, scope="openid profile email offline_access berth")


def finished(flow, person):
    reply = flow.exchange(flow.code(person["email"], person["password"])["code"])
    assert reply.status == 200, reply.text
    return reply.json()


def oauth_error(reply, error, status=400):
    assert reply.status == status, f"{reply.status}: {reply.text[:300]}"
    assert reply.json()["error"] == error, reply.text
    assert "no-store" in reply.headers["Cache-Control"]
    return reply


def test_the_code_flow_gives_a_token_an_id_token_and_a_refresh_token(suite, flow, person, client):
    answer = flow.code(person["email"], person["password"])
    assert answer["iss"] == suite.url, "RFC 9207: the answer names its issuer"
    tokens = flow.exchange(answer["code"])
    assert tokens.status == 200, tokens.text
    assert "no-store" in tokens.headers["Cache-Control"]
    tokens = tokens.json()
    assert tokens["token_type"].lower() == "bearer" and 0 < tokens["expires_in"] <= 3600
    assert header(tokens["access_token"])["typ"] == "at+jwt" and header(tokens["access_token"])["alg"] == "EdDSA"
    assert claims(tokens["access_token"])["sub"] == person["id"]
    identity = claims(tokens["id_token"])
    assert identity["nonce"] == flow.nonce and identity["iss"] == suite.url and identity["sub"] == person["id"]
    assert identity["aud"] in (client["id"], [client["id"]])
    assert header(tokens["id_token"])["alg"] in ("ES256", "RS256")
    assert tokens["refresh_token"]


def test_tokens_say_when_and_how_the_person_signed_in(suite, flow, person, client):
    begun = int(time.time())
    tokens = finished(flow, person)
    refreshed = token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}).json()
    for token in (tokens["access_token"], tokens["id_token"], refreshed["access_token"]):
        said = claims(token)
        assert said["acr"] == "1fa" and said["amr"] == ["pwd"], said
        assert begun - 1 <= said["auth_time"] <= int(time.time()), "the sign-in's time, not the token's"
    for token in (tokens["access_token"], refreshed["refresh_token"]):
        seen = Browser(suite.info).post("/oauth2/introspect", {"token": token}, headers=berth_flow.basic(client)).json()
        assert seen["acr"] == "1fa" and seen["auth_time"] == claims(tokens["id_token"])["auth_time"], seen


def test_userinfo_says_what_the_scope_allows(suite, flow, person):
    token = finished(flow, person)["access_token"]
    api = suite.api(token)
    for reply in (api.get("/oauth2/userinfo"), api.post("/oauth2/userinfo", key=None)):
        info = reply.expect(200).body
        assert info["sub"] == person["id"] and info["email"] == person["email"] and info["email_verified"] is True
    assert suite.api().get("/oauth2/userinfo").status == 401


def test_no_token_or_page_holds_more_than_it_must(flow, person):
    token = finished(flow, person)["access_token"]
    for word in (person["email"], "given_name", "password"):
        assert word not in json.dumps(claims(token))


def near_misses(uri):
    parts = urllib.parse.urlsplit(uri)
    host, path = parts.netloc, parts.path
    return [
        uri + "/", uri + "?x=1", uri + "#x", uri + "%2f", uri + "/../x", uri.upper(), uri.replace("https://", "http://"),
        f"https://{host}.evil.example{path}", f"https://evil.example/{host}{path}", f"https://user@{host}{path}",
        f"https://user:pass@{host}{path}", f"https://{host}{path}x", f"https://{host}/{path}", f"https://{host}{path[:-1]}",
        f"https://{host}{path}%20", f"https://{host}{path} ", f" {uri}", f"https://{host}:1{path}", f"//{host}{path}",
        f"javascript:alert(1)//{uri}", f"https://{host}\\@evil.example{path}", f"https://{host}{path};x", f"https://{host}",
        f"https://{host}{path}%00", f"https://{host}{path}\u00e9", path, "", "https://evil.example/"]


def test_a_redirect_uri_that_is_almost_right_is_refused_on_a_page(suite, client):
    for uri in near_misses(client["redirect_uri"]):
        if uri == client["redirect_uri"]:
            continue
        reply = Authorization(suite.info, client, redirect_uri=uri).begin()
        assert reply.status == 400, f"{uri!r}: {reply.status} {reply.location}"
        assert not reply.location, f"{uri!r} was redirected to {reply.location}"


@pytest.mark.parametrize("change, error", [
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code token"}, "unsupported_response_type"),
    ({"response_type": None}, "invalid_request"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"scope": "no.such.permission"}, "invalid_scope"),
    ({"request": "e30."}, "request_not_supported"),
    ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
    ({"registration": "{}"}, "registration_not_supported"),
    ({"prompt": "none"}, "login_required"),
    ({"max_age": "x"}, "invalid_request"),
], ids=lambda value: json.dumps(value) if isinstance(value, dict) else value)
def test_a_bad_authorization_request_is_told_to_the_client(suite, client, change, error):
    flow = Authorization(suite.info, client, **change)
    reply = flow.begin()
    assert reply.status == 303 and flow.is_back(reply), f"{reply.status} {reply.location} {reply.text[:200]}"
    answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(reply.location).query))
    assert answer["error"] == error and answer["state"] == flow.state and answer["iss"] == suite.url
    assert "code" not in answer


def test_an_unknown_client_is_told_on_a_page(suite, client):
    for value in ("", "x", secrets.token_hex(16), None):
        reply = Authorization(suite.info, client, client_id=value).begin()
        assert reply.status == 400 and not reply.location, f"{value!r}: {reply.status}"


def test_a_parameter_twice_is_refused(suite, client):
    flow = Authorization(suite.info, client)
    query = urllib.parse.urlencode(flow.query)
    reply = flow.browser.get(f"/oauth2/authorize?{query}&scope=openid")
    assert reply.status in (303, 400)
    if reply.status == 303:
        assert "error=invalid_request" in reply.location


@pytest.mark.parametrize("change", [
    {"code_verifier": "a" * 43}, {"code_verifier": None}, {"code_verifier": ""}, {"redirect_uri": "https://localhost/else"},
    {"redirect_uri": None}, {"code": "x" * 43}, {"code": None}], ids=json.dumps)
def test_a_code_is_exchanged_only_as_it_was_asked(flow, person, change):
    answer = flow.code(person["email"], person["password"])
    reply = flow.exchange(**{"code": answer["code"], **change})
    assert reply.status == 400 and reply.json()["error"] in ("invalid_grant", "invalid_request"), reply.text


def test_a_code_belongs_to_its_client(suite, flow, person, other_slug):
    code = flow.code(person["email"], person["password"])["code"]
    flow.client = suite.tenants[other_slug]["client"]
    oauth_error(flow.exchange(code, redirect_uri=suite.tenants[other_slug]["client"]["redirect_uri"]), "invalid_grant")


def test_a_wrong_client_secret_is_401(suite, flow, person, client):
    code = flow.code(person["email"], person["password"])["code"]
    flow.client = {**client, "secret": "x" * 43}
    reply = oauth_error(flow.exchange(code), "invalid_client", 401)
    assert reply.headers["WWW-Authenticate"].startswith("Basic")


def test_fifty_exchanges_of_one_code_give_one_token_and_a_replay_revokes_it(suite, flow, person):
    code = flow.code(person["email"], person["password"])["code"]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: flow.exchange(code), range(50)))
    good = [reply for reply in replies if reply.status == 200]
    assert len(good) == 1, [reply.status for reply in replies]
    assert {reply.json()["error"] for reply in replies if reply.status == 400} == {"invalid_grant"}
    token = good[0].json()["access_token"]
    oauth_error(flow.exchange(code), "invalid_grant")
    wait_for(lambda: suite.api(token).get("/v1/whoami").status == 401, 2, "the revocation of what the replayed code had given")


def refresh(suite, client, token, **more):
    return token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": token, **more})


def test_a_refresh_token_is_rotated(suite, flow, person, client):
    first = finished(flow, person)
    second = refresh(suite, client, first["refresh_token"])
    assert second.status == 200, second.text
    assert second.json()["refresh_token"] != first["refresh_token"]
    suite.api(second.json()["access_token"]).get("/v1/whoami").expect(200)


FAMILIES = 10


def test_refreshes_that_come_together_have_each_its_own_outcome(suite, slug, other_slug, client):
    """Two tenants' families, each with a chain of its own, and what must be refused, all at the same moments."""
    other = suite.tenants[other_slug]["client"]
    chains = []
    for which, owner in ((slug, client), (other_slug, other)):
        someone, browser = suite.person(which, "User"), Browser(suite.info)
        for number in range(FAMILIES):
            flow = Authorization(suite.info, owner, scope="openid offline_access booking.read", browser=browser)
            code = flow.follow(flow.begin()) if number else flow.code(someone["email"], someone["password"])
            chains.append({"client": owner, "token": flow.exchange(code["code"]).json()["refresh_token"], "sub": someone["id"]})
    stranger = {"id": client["id"], "secret": "not-it"}
    machine = {"grant_type": "client_credentials"}

    def asks():
        yield from ((chain["client"], {"grant_type": "refresh_token", "refresh_token": chain["token"]}, "next") for chain in chains)
        twin = chains[0]
        yield twin["client"], {"grant_type": "refresh_token", "refresh_token": twin["token"]}, "next"
        yield client, machine, "machine"
        yield other, machine, "machine"
        yield stranger, machine, "invalid_client"
        yield other, {"grant_type": "refresh_token", "refresh_token": chains[1]["token"]}, "invalid_grant"
        yield client, {"grant_type": "refresh_token", "refresh_token": "none"}, "invalid_grant"
        yield client, {"grant_type": "refresh_token", "refresh_token": chains[2]["token"], "scope": "booking.create"}, "invalid_scope"

    before = suite.metrics("authsvc")
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for _ in range(5):
            wanted = list(asks())
            replies = list(pool.map(lambda ask: token_request(suite.info, ask[0], ask[1]), wanted))
            for (owner, _, outcome), reply in zip(wanted, replies):
                if outcome.startswith("invalid"):
                    oauth_error(reply, outcome, 401 if outcome == "invalid_client" else 400)
                else:
                    assert reply.status == 200, reply.text
                    assert claims(reply.json()["access_token"])["client_id"] == owner["id"]
            assert replies[len(chains)].json()["refresh_token"] == replies[0].json()["refresh_token"], "twins get the same successor"
            for chain, reply in zip(chains, replies):
                assert claims(reply.json()["access_token"])["sub"] == chain["sub"]
                assert reply.json()["refresh_token"] != chain["token"]
                chain["older"], chain["token"] = chain["token"], reply.json()["refresh_token"]
        stolen = chains[3]
        newest = refresh(suite, stolen["client"], stolen["token"]).json()["refresh_token"]
        wanted = [(chain["client"], chain["older"] if chain is stolen else chain["token"]) for chain in chains]
        replies = list(pool.map(lambda ask: refresh(suite, *ask), wanted))
    assert [reply.status for reply in replies] == [400 if chain is stolen else 200 for chain in chains]
    oauth_error(refresh(suite, stolen["client"], newest), "invalid_grant")
    after = suite.metrics("authsvc")
    together = {name: after[name] - before[name] for name in ("berth_batches_total", "berth_batch_items_total")}
    assert together["berth_batch_items_total"] >= together["berth_batches_total"] + 30, f"they did not come together: {together}"


def test_an_honest_retry_of_a_refresh_is_not_a_theft(suite, flow, person, client):
    """Two tabs, or a lost answer: the same refresh token twice within moments leaves the person signed in."""
    first = finished(flow, person)
    answers = [refresh(suite, client, first["refresh_token"]) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200], [answer.text for answer in answers]
    for answer in answers:
        suite.api(answer.json()["access_token"]).get("/v1/whoami").expect(200)


def test_a_stolen_refresh_token_ends_the_whole_family(suite, flow, person, client):
    """A token that was rotated, and whose successor was used, comes back: somebody else has it."""
    first = finished(flow, person)
    second = refresh(suite, client, first["refresh_token"]).json()
    third = refresh(suite, client, second["refresh_token"]).json()
    oauth_error(refresh(suite, client, first["refresh_token"]), "invalid_grant")
    oauth_error(refresh(suite, client, third["refresh_token"]), "invalid_grant")
    wait_for(lambda: suite.api(third["access_token"]).get("/v1/whoami").status == 401, 2, "the revocation of the family")


def test_a_grant_ends_by_its_age_however_often_it_is_refreshed(suite, slug, flow, client):
    """Absolutely after thirty days, and after seven without use; refreshing moves the second and never the first."""
    person = suite.new_person(slug)
    family = "from auth.grant_family f join auth.person p on p.tenant_id = f.tenant_id and p.id = f.person_id where p.public_id = %s order by f.id desc limit 1"
    tokens = finished(flow, person)
    before = suite.sql(f"select f.expires_at, f.expires_at - f.created_at {family}", person["id"])
    assert len(before) == 1 and before[0][1].days == 30
    tokens = refresh(suite, client, tokens["refresh_token"]).json()
    assert suite.sql(f"select f.expires_at, f.expires_at - f.created_at {family}", person["id"]) == before
    moved = "update auth.grant_family f set {} from auth.person p where p.tenant_id = f.tenant_id and p.id = f.person_id and p.public_id = %s returning 1"
    suite.sql(moved.format("rotated_at = now() - interval '7 days 1 second'"), person["id"])
    oauth_error(refresh(suite, client, tokens["refresh_token"]), "invalid_grant")
    suite.sql(moved.format("rotated_at = now() - interval '6 days 23 hours'"), person["id"])
    tokens = refresh(suite, client, tokens["refresh_token"]).json()
    suite.sql(moved.format("expires_at = now()"), person["id"])
    oauth_error(refresh(suite, client, tokens["refresh_token"]), "invalid_grant")


def test_a_refresh_asks_for_no_more_than_was_granted(suite, person, client):
    flow = Authorization(suite.info, client, scope="openid offline_access booking.read")
    first = finished(flow, person)
    oauth_error(refresh(suite, client, first["refresh_token"], scope="openid booking.read booking.create"), "invalid_scope")


def test_a_scope_narrows_what_a_token_may(suite, person, client):
    token = finished(Authorization(suite.info, client, scope="openid booking.read"), person)["access_token"]
    api = suite.api(token)
    api.get("/v1/bookings").expect(200)
    api.book(starts_at="2031-01-01T10:00:00Z", ends_at="2031-01-01T11:00:00Z").problem(403, "forbidden", reason="booking.create")


def test_client_credentials(suite, slug, admin):
    made = admin.post("/v1/clients", {
        "name": "Machine", "kind": "confidential", "grants": ["client_credentials"], "permissions": ["site.read", "availability.read"]
    }).expect(201).body
    reply = token_request(suite.info, made, {"grant_type": "client_credentials"})
    assert reply.status == 200, reply.text
    assert "refresh_token" not in reply.json()
    api = suite.api(reply.json()["access_token"])
    me = api.get("/v1/whoami").expect(200).body
    assert me["person_id"] is None and me["client_id"] == made["id"] and set(me["permissions"]) == {"site.read", "availability.read"}
    api.get("/v1/sites").expect(200)
    api.get("/v1/people").problem(403, "forbidden", reason="person.read")
    assert "secret" not in admin.get(f"/v1/clients/{made['id']}").expect(200).body or \
        admin.get(f"/v1/clients/{made['id']}").body["secret"] is None


def test_a_deleted_client_is_refused_and_so_is_all_that_it_was_given_meanwhile(suite, admin):
    made = admin.post("/v1/clients", {
        "name": "Going", "kind": "confidential", "grants": ["client_credentials"], "permissions": ["site.read"]}).expect(201).body
    given, ended = [], threading.Event()

    def ask():
        while not ended.is_set():
            reply = token_request(suite.info, made, {"grant_type": "client_credentials"})
            if reply.status != 200:
                return oauth_error(reply, "invalid_client", 401)
            given.append(reply.json()["access_token"])
        return None

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        asking = [pool.submit(ask) for _ in range(6)]
        wait_for(lambda: len(given) > 12, 20, "some tokens")
        admin.delete(f"/v1/clients/{made['id']}").expect(204)
        try:
            wait_for(lambda: all(one.done() for one in asking), 5, "the client to be refused")
        finally:
            ended.set()
    assert all(one.result() is not None for one in asking)
    wait_for(lambda: {suite.api(token).get("/v1/whoami").status for token in given} == {401}, 2, "the end of what it was given")


def test_a_client_may_not_be_given_more_than_its_maker_has(suite, slug, client):
    person = suite.person(slug, "Admin")
    narrow = finished(Authorization(suite.info, client, scope="openid client.manage"), person)["access_token"]
    suite.api(narrow).post("/v1/clients", {
        "name": "Machine", "kind": "confidential", "grants": ["client_credentials"], "permissions": ["site.read"]}).expect(403, 422)


def test_the_password_grant_and_others_do_not_exist(suite, client, person):
    for form in ({"grant_type": "password", "username": person["email"], "password": person["password"]},
                 {"grant_type": "implicit"}, {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}):
        oauth_error(token_request(suite.info, client, form), "unsupported_grant_type")
    oauth_error(token_request(suite.info, client, {}), "invalid_request")


def test_introspection_and_revocation(suite, flow, person, client):
    tokens = finished(flow, person)
    answer = Browser(suite.info).post("/oauth2/introspect", {"token": tokens["access_token"]}, headers=berth_flow.basic(client))
    assert answer.status == 200 and answer.json()["active"] is True and answer.json()["sub"] == person["id"]
    assert Browser(suite.info).post("/oauth2/introspect", {"token": tokens["access_token"]}).status == 401
    revoked = Browser(suite.info).post("/oauth2/revoke", {"token": tokens["refresh_token"]}, headers=berth_flow.basic(client))
    assert revoked.status == 200
    oauth_error(refresh(suite, client, tokens["refresh_token"]), "invalid_grant")
    begun = time.monotonic()
    wait_for(lambda: suite.api(tokens["access_token"]).get("/v1/whoami").status == 401, 2, "the revocation")
    assert time.monotonic() - begun < 1.2, "a revocation is effective within a second"
    answer = Browser(suite.info).post("/oauth2/introspect", {"token": tokens["access_token"]}, headers=berth_flow.basic(client))
    assert answer.json() == {"active": False}
    garbage = Browser(suite.info).post("/oauth2/introspect", {"token": "garbage"}, headers=berth_flow.basic(client))
    assert garbage.json() == {"active": False}


def test_another_tenants_client_learns_nothing_of_a_token(suite, flow, person, other_slug):
    tokens = finished(flow, person)
    stranger = berth_flow.basic(suite.tenants[other_slug]["client"])
    for name in ("access_token", "refresh_token"):
        assert Browser(suite.info).post("/oauth2/introspect", {"token": tokens[name]}, headers=stranger).json() == {"active": False}
        Browser(suite.info).post("/oauth2/revoke", {"token": tokens[name]}, headers=stranger)
    suite.api(tokens["access_token"]).get("/v1/whoami").expect(200)


def test_metadata_of_both_kinds_agree_with_the_server(suite):
    oauth = suite.api().get("/.well-known/oauth-authorization-server").expect(200).body
    openid = suite.api().get("/.well-known/openid-configuration").expect(200).body
    for document in (oauth, openid):
        assert document["issuer"] == suite.url
        assert document["code_challenge_methods_supported"] == ["S256"]
        assert document["response_types_supported"] == ["code"]
        assert document["authorization_response_iss_parameter_supported"] is True
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            assert document[name].startswith(suite.url + "/")
    assert set(openid["id_token_signing_alg_values_supported"]) == {"ES256", "RS256"}
    keys = suite.api().get(urllib.parse.urlsplit(openid["jwks_uri"]).path).expect(200).body["keys"]
    assert keys and all(not set(key) & {"d", "p", "q", "dp", "dq", "qi", "k"} for key in keys)


def test_wrong_passwords_and_unknown_people_get_the_same_answer(suite, client, person):
    def attempt(address, password):
        flow = Authorization(suite.info, client)
        reply = flow.submit(flow.login_page(flow.begin()), address, password)
        page = reply.text
        for value in [*reply.page().hidden.values(), address, suite.url]:
            page = page.replace(value, "") if value else page
        return reply.status, page
    known = attempt(person["email"], "not the password at all")
    unknown = attempt(f"nobody.{secrets.token_hex(3)}@example.org", "not the password at all")
    assert known == unknown
    assert known[0] in (200, 400, 401, 403)


def test_the_login_form_needs_its_own_token(suite, client, person):
    flow = Authorization(suite.info, client)
    page = flow.login_page(flow.begin())
    for field in page.hidden:
        if "csrf" in field:
            reply = flow.browser.post(page.action or "/login", {**page.hidden, field: "x" * 43, "email": person["email"], "password": person["password"]})
            assert not flow.is_back(reply) and reply.status != 200 or reply.status in (400, 403)
            assert "/oauth2/authorize" not in (reply.location or "")
    reply = Browser(suite.info).post("/login", {**page.hidden, "email": person["email"], "password": person["password"]})
    assert "/oauth2/authorize" not in (reply.location or ""), "a form without its cookie was taken"


def test_the_login_page_cannot_be_framed_and_its_cookie_is_locked(suite, client, person):
    flow = Authorization(suite.info, client)
    reply = flow.begin()
    reply = flow.browser.get(reply.location)
    policy = reply.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert reply.headers["Referrer-Policy"] in ("no-referrer", "same-origin", "strict-origin")
    assert "no-store" in reply.headers["Cache-Control"]
    answer = flow.submit(reply.page(), person["email"], person["password"])
    assert answer.status == 303
    cookies = [*(reply.headers.get_all("Set-Cookie") or []), *(answer.headers.get_all("Set-Cookie") or [])]
    assert cookies
    for cookie in cookies:
        low = cookie.lower()
        assert "secure" in low and "httponly" in low and "samesite=" in low and cookie.startswith("__Host-"), cookie


def test_a_sign_in_changes_the_session_and_a_second_flow_needs_no_password(suite, client, person):
    flow = Authorization(suite.info, client)
    page = flow.login_page(flow.begin())
    before = dict(flow.browser.cookies)
    flow.follow(flow.submit(page, person["email"], person["password"]))
    assert all(before.get(name) != value for name, value in flow.browser.cookies.items()), "a cookie from before the sign-in is still good"
    second = Authorization(suite.info, client, browser=flow.browser)
    assert "code" in second.follow(second.begin())
    third = Authorization(suite.info, client, browser=flow.browser, prompt="login")
    assert third.login_page(third.begin()).action is not None


def test_a_person_of_another_tenant_cannot_sign_in_here(suite, client, other_slug):
    stranger = suite.person(other_slug, "User")
    with pytest.raises(FlowError):
        Authorization(suite.info, client).code(stranger["email"], stranger["password"])


@pytest.mark.parametrize("password", ["short", "password1234567", "a" * 1025])
def test_a_bad_password_is_not_taken_at_the_invitation(suite, slug, password):
    person = suite.invite(slug)
    link = suite.link_in_mail(person["email"], "invitation")
    reply = suite.api().post("/v1/invitations/accept", {"token": link, "password": password})
    assert reply.status in (400, 422), reply.text
    suite.api().post("/v1/invitations/accept", {"token": link, "password": secrets.token_urlsafe(18)}).expect(200)
    suite.api().post("/v1/invitations/accept", {"token": link, "password": secrets.token_urlsafe(18)}).problem(410, "gone")
