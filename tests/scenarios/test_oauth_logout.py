# SPDX-License-Identifier: Apache-2.0
"""Signing out for a client (OpenID Connect RP-Initiated Logout 1.0)."""
import urllib.parse

import pytest

from berth_flow import Authorization, Browser, claims, token_request
from berth_suite import wait_for

ORDER = 45

AFTER = "https://app.example/bye?from=berth"


@pytest.fixture
def client(suite, slug, admin):
    own = suite.tenants[slug]["client"]
    made = admin.post("/v1/clients", {
        "name": "Leaver", "kind": "confidential", "redirect_uris": [own["redirect_uri"]],
        "post_logout_redirect_uris": [AFTER]}).expect(201).body
    assert admin.get(f"/v1/clients/{made['id']}").expect(200).body["post_logout_redirect_uris"] == [AFTER]
    made["redirect_uri"] = own["redirect_uri"]
    return made


@pytest.fixture
def signed_in(suite, slug, client):
    person = suite.new_person(slug)
    flow = Authorization(suite.info, client, scope="openid offline_access berth")
    tokens = flow.exchange(flow.code(person["email"], person["password"])["code"])
    assert tokens.status == 200, tokens.text
    return flow, tokens.json()


def leave(browser, **query):
    return browser.get("/oauth2/logout?" + urllib.parse.urlencode(query))


def silent(suite, client, browser):
    """Whether the browser is signed in still."""
    reply = Authorization(suite.info, client, browser=browser, prompt="none").begin()
    return "code=" in reply.location


def told_on_a_page(reply):
    assert reply.status == 400 and not reply.location, f"{reply.status} {reply.location}"


def test_an_id_token_of_the_session_signs_out_at_once(suite, client, signed_in):
    flow, tokens = signed_in
    reply = leave(flow.browser, id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER, state="a b&c")
    assert reply.status == 303 and reply.location == AFTER + "&state=a%20b%26c", f"{reply.status} {reply.location}"
    assert not silent(suite, client, flow.browser)
    wait_for(lambda: suite.api(tokens["access_token"]).get("/v1/whoami").status == 401, 2, "the end of the session's tokens")
    again = token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})
    assert again.status == 400 and again.json()["error"] == "invalid_grant"
    late = leave(flow.browser, id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER)
    assert late.status == 303 and late.location == AFTER, "whoever is signed out already is sent on"


def test_without_an_id_token_the_person_is_asked(suite, client, signed_in):
    flow, _ = signed_in
    reply = leave(flow.browser, client_id=client["id"], post_logout_redirect_uri=AFTER, state="s", ui_locales="nl")
    assert reply.status == 200 and "Afmelden?" in reply.text and "<script" not in reply.text
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    assert silent(suite, client, flow.browser), "asking signs nobody out"
    page = reply.page()
    forged = flow.browser.post(page.action, {**page.hidden, "csrf": "x" * 43})
    assert forged.status == 200 and silent(suite, client, flow.browser)
    moved = flow.browser.post(page.action, {**page.hidden, "state": "other"})
    assert moved.status == 200 and silent(suite, client, flow.browser), "the form is bound to where it leads"
    answer = flow.browser.post(page.action, page.hidden)
    assert answer.status == 303 and answer.location == AFTER + "&state=s"
    assert not silent(suite, client, flow.browser)


def test_a_bare_request_asks_and_ends_on_a_page(suite, client, signed_in):
    flow, _ = signed_in
    page = leave(flow.browser).page()
    reply = flow.browser.post(page.action, page.hidden)
    assert reply.status == 200 and "You are signed out" in reply.text
    assert not silent(suite, client, flow.browser)
    assert leave(Browser(suite.info)).status == 200


def test_an_id_token_of_another_session_or_person_only_asks(suite, slug, client, signed_in):
    flow, _ = signed_in
    other = suite.new_person(slug)
    elsewhere = Authorization(suite.info, client, scope="openid berth")
    theirs = elsewhere.exchange(elsewhere.code(other["email"], other["password"])["code"]).json()
    reply = leave(flow.browser, id_token_hint=theirs["id_token"], post_logout_redirect_uri=AFTER)
    assert reply.status == 200 and reply.page().action == "/oauth2/logout"
    assert silent(suite, client, flow.browser) and silent(suite, client, elsewhere.browser)


NEAR_MISSES = [
    "https://app.example/bye", AFTER + "&x=1", AFTER + "#x", AFTER + "/", AFTER.upper(), AFTER.replace("https", "http"),
    "https://app.example.evil.example/bye?from=berth", "https://app.example@evil.example/bye?from=berth", "https://app.example/bye/../bye?from=berth",
    "https://app.example:443/bye?from=berth", "//app.example/bye?from=berth", "https://evil.example/", "javascript:alert(1)", " " + AFTER]


def test_nobody_is_sent_to_an_address_that_is_not_registered_for_it(suite, slug, client, signed_in):
    flow, tokens = signed_in
    own = suite.tenants[slug]["client"]
    for uri in [*NEAR_MISSES, client["redirect_uri"]]:
        told_on_a_page(leave(flow.browser, id_token_hint=tokens["id_token"], post_logout_redirect_uri=uri))
        told_on_a_page(leave(flow.browser, client_id=client["id"], post_logout_redirect_uri=uri))
    told_on_a_page(leave(flow.browser, post_logout_redirect_uri=AFTER))
    told_on_a_page(leave(flow.browser, client_id=own["id"], post_logout_redirect_uri=AFTER))
    told_on_a_page(leave(flow.browser, id_token_hint=tokens["id_token"], client_id=own["id"], post_logout_redirect_uri=AFTER))
    for hint in ("x", tokens["access_token"], tokens["id_token"][:-4] + "AAAA"):
        told_on_a_page(leave(flow.browser, id_token_hint=hint, post_logout_redirect_uri=AFTER))
    twice = "/oauth2/logout?" + urllib.parse.urlencode([("client_id", client["id"])] * 2)
    told_on_a_page(flow.browser.get(twice))
    assert silent(suite, client, flow.browser), "a request that is refused signs nobody out"


def test_a_client_may_post(suite, client, signed_in):
    flow, tokens = signed_in
    form = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER, "state": "s"}
    # As browsers do with a form of another site: without cookies first.
    reply = Browser(suite.info).post("/oauth2/logout", form, headers={"Origin": "https://app.example"})
    assert reply.status == 303 and reply.location.startswith("/oauth2/logout?")
    assert silent(suite, client, flow.browser)
    reply = flow.browser.get(reply.location)
    assert reply.status == 303 and reply.location == AFTER + "&state=s"
    assert not silent(suite, client, flow.browser)


def test_sid_is_the_session_of_the_browser(suite, client, signed_in):
    flow, tokens = signed_in
    second = Authorization(suite.info, client, browser=flow.browser, scope="openid offline_access berth")
    more = second.exchange(second.follow(second.begin())["code"]).json()
    again = token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": more["refresh_token"]}).json()
    sids = {claims(one["id_token"])["sid"] for one in (tokens, more, again)}
    assert len(sids) == 1, sids
    assert suite.sql("select count(*) from auth.session where public_id = %s", sids.pop()) == [(1,)]


def test_another_tenants_browser_is_left_alone(suite, other_slug, client, signed_in):
    _, tokens = signed_in
    stranger = suite.person(other_slug, "User")
    theirs = suite.tenants[other_slug]["client"]
    flow = Authorization(suite.info, theirs)
    flow.code(stranger["email"], stranger["password"])
    reply = leave(flow.browser, id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER)
    assert reply.status == 303 and reply.location == AFTER
    assert silent(suite, theirs, flow.browser)


def test_metadata_name_the_endpoint(suite):
    assert suite.api().get("/.well-known/openid-configuration").expect(200).body["end_session_endpoint"] == suite.url + "/oauth2/logout"


@pytest.mark.parametrize("uri", ["http://app.example/", "https://app.example/#x", "https://app.example/../x", "app://bye"])
def test_a_bad_address_is_not_registered(admin, uri):
    admin.post("/v1/clients", {
        "name": "Bad", "kind": "public", "redirect_uris": ["https://app.example/"], "post_logout_redirect_uris": [uri]
    }).problem(400, "bad_field", field="post_logout_redirect_uris")
