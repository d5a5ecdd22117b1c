# SPDX-License-Identifier: Apache-2.0
"""Clients are told of sessions that end (OpenID Connect Back-Channel Logout 1.0): by a real receiver, whatever ends them, across crashes, and not for ever."""
import concurrent.futures
import secrets
import socket

import pytest

from berth_flow import Authorization, claims, token_request
from berth_logout import LogoutReceiver, judged, reachable, settled, waiting
from berth_passkey import Passkey, add, sign_in
from berth_suite import wait_for
from test_passwords import change, choose, link_for

ORDER = 93

pytestmark = pytest.mark.seconds(240)


@pytest.fixture(scope="module")
def closed_port():
    """Where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture(scope="module")
def receiver(suite, closed_port):
    with LogoutReceiver() as one, reachable(suite, f"127.0.0.1:{one.port}", f"127.0.0.1:{closed_port}"):
        yield one


def registered(suite, slug, **fields):
    own = suite.tenants[slug]["client"]
    body = {"name": "Told", "kind": "confidential", "redirect_uris": [own["redirect_uri"]], **fields}
    made = suite.as_role(slug, "Admin").post("/v1/clients", body).expect(201).body
    return {**made, "redirect_uri": own["redirect_uri"]}


@pytest.fixture
def client(suite, slug, receiver):
    receiver.tokens, receiver.status, receiver.where = [], 200, None
    return registered(suite, slug, backchannel_logout_uri=receiver.uri, backchannel_logout_session_required=True)


def signed_in(suite, client, person, browser=None, scope="openid berth"):
    flow = Authorization(suite.info, client, browser=browser, scope=scope)
    begun = flow.begin()
    answer = flow.follow(begun if browser else flow.submit(flow.login_page(begun), person["email"], person["password"]))
    reply = flow.exchange(answer["code"])
    assert reply.status == 200, reply.text
    return flow, reply.json()


def told(suite, client, receiver, tokens, alg="ES256"):
    """The logout token of the session of these tokens, once; and the row is gone."""
    identity = claims(tokens["id_token"])
    wait_for(lambda: receiver.tokens, 20, "the logout token")
    wait_for(lambda: waiting(suite, identity["sid"]) == 0, 10, "the end of the notice")
    mine = [one for one in receiver.tokens if claims(one)["sid"] == identity["sid"] and claims(one)["aud"] == client["id"]]
    assert len(mine) == 1, "told once"
    said = judged(suite, mine[0], client["id"], alg)
    assert (said["sub"], said["sid"], said["iss"]) == (identity["sub"], identity["sid"], identity["iss"])
    return said


def test_metadata_say_so(suite):
    said = suite.api().get("/.well-known/openid-configuration").expect(200).body
    assert said["backchannel_logout_supported"] is True and said["backchannel_logout_session_supported"] is True


def test_a_client_is_registered_for_it(suite, slug, receiver, client):
    shown = suite.as_role(slug, "Admin").get(f"/v1/clients/{client['id']}").expect(200).body
    assert shown["backchannel_logout_uri"] == receiver.uri and shown["backchannel_logout_session_required"] is True
    plain = registered(suite, slug)
    assert "backchannel_logout_uri" not in plain and "backchannel_logout_session_required" not in plain


@pytest.mark.parametrize("uri", ["http://rp.example/x", "https://rp.example/x#f", "https://rp.example/../x", "https://u@rp.example/x", "ftp://rp.example/x",
                                 "https://rp.example\\@evil.example/", "https:rp", "https://[::1/x", "https://rp.example:99999/x", "//rp.example/x", "javascript:x", "https://rp.example/ x"])
def test_a_bad_address_is_not_registered(admin, uri):
    body = {"name": "Bad", "kind": "public", "redirect_uris": ["https://rp.example/"], "backchannel_logout_uri": uri}
    admin.post("/v1/clients", body).problem(400, "bad_field", field="backchannel_logout_uri")


def test_the_wish_for_a_session_needs_an_address(admin):
    body = {"name": "Bad", "kind": "public", "redirect_uris": ["https://rp.example/"], "backchannel_logout_session_required": True}
    admin.post("/v1/clients", body).problem(400, "bad_field", field="backchannel_logout_session_required")


# -- what ends a session

def by_the_client(suite, flow, tokens, person):
    assert flow.browser.get(f"/oauth2/logout?id_token_hint={tokens['id_token']}").status == 200


def by_the_own_page(suite, flow, tokens, person):
    assert flow.browser.post("/logout", flow.browser.get("/login").page().hidden).location == "/login"


def in_the_list(suite, flow, tokens, person):
    suite.api(tokens["access_token"]).delete(f"/v1/me/sessions/{claims(tokens['id_token'])['sid']}").expect(204)


def everywhere(suite, flow, tokens, person):
    suite.api(tokens["access_token"]).delete("/v1/me/sessions").expect(204)


def by_an_admin(suite, flow, tokens, person):
    suite.as_role(person["slug"], "Admin").delete(f"/v1/people/{person['id']}/sessions").expect(204)


def password_changed(suite, flow, tokens, person):
    assert change(flow, person["password"], secrets.token_urlsafe(18)).status == 200


def password_reset(suite, flow, tokens, person):
    assert choose(suite, link_for(suite, person))[1].status == 303


def suspended(suite, flow, tokens, person):
    admin = suite.as_role(person["slug"], "Admin")
    seen = admin.get(f"/v1/people/{person['id']}").expect(200)
    admin.patch(f"/v1/people/{person['id']}", {"status": "suspended"}, if_match=seen.etag).expect(200)


def factors_reset(suite, flow, tokens, person):
    suite.as_role(person["slug"], "Admin").delete(f"/v1/people/{person['id']}/factors").expect(204)


def erased(suite, flow, tokens, person):
    suite.as_role(person["slug"], "Admin").delete(f"/v1/people/{person['id']}").expect(200, 202)


ENDS = [by_the_client, by_the_own_page, in_the_list, everywhere, by_an_admin, password_changed, password_reset, suspended, factors_reset, erased]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_whatever_ends_a_session_is_told(suite, receiver, client, person, end):
    flow, tokens = signed_in(suite, client, person, scope="openid offline_access berth")
    end(suite, flow, tokens, person)
    told(suite, client, receiver, tokens)
    again = token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})
    assert again.status == 400 and again.json()["error"] == "invalid_grant"


def test_a_factor_that_goes_tells_of_what_rested_on_it_alone(suite, receiver, client, person):
    flow, _ = signed_in(suite, client, person)
    key = Passkey(suite.url)
    assert add(flow.browser, key).status == 200
    other = Authorization(suite.info, client)
    resting = other.exchange(other.follow(sign_in(other.browser, key, other.begin().location))["code"]).json()
    strong = signed_in(suite, client, person, browser=flow.browser)[1]
    receiver.tokens.clear()
    listed = suite.api(strong["access_token"]).get("/v1/me/factors").body["items"]
    suite.api(strong["access_token"]).delete(f"/v1/me/factors/{listed[0]['id']}").expect(204)
    told(suite, client, receiver, resting)
    assert {claims(one)["sid"] for one in receiver.tokens} == {claims(resting["id_token"])["sid"]}, "the other session goes on"


# -- what runs out by itself, and ends later

def ran_out(suite, tokens, hours=3):
    """The browser's session was not used for so long."""
    sid = claims(tokens["id_token"])["sid"]
    suite.sql("update auth.session set seen_at = seen_at - %s * interval '1 hour', auth_at = auth_at - %s * interval '1 hour', "
              "created_at = created_at - %s * interval '1 hour', expires_at = expires_at - %s * interval '1 hour' where public_id = %s",
              *[hours] * 4, sid)


def refreshed(suite, client, tokens):
    return token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})


@pytest.mark.parametrize("hours", [3, 13], ids=["not used for two hours", "older than twelve"])
def test_a_session_that_runs_out_ends_nothing_by_itself(suite, receiver, client, person, hours):
    flow, tokens = signed_in(suite, client, person)
    ran_out(suite, tokens, hours)
    assert flow.browser.get("/account/sessions").location == "/login", "it opens nothing any more"
    other = signed_in(suite, client, suite.new_person(person["slug"]))
    by_the_own_page(suite, *other, None)
    told(suite, client, receiver, other[1])
    assert [claims(one)["sid"] for one in receiver.tokens] == [claims(other[1]["id_token"])["sid"]]
    assert refreshed(suite, client, tokens).status == 200, "the grant has an age of its own"


def test_signing_in_again_takes_up_the_session_so_that_its_end_is_the_end_of_all(suite, receiver, client, person):
    flow, before = signed_in(suite, client, person)
    old = dict(flow.browser.cookies)
    ran_out(suite, before)
    again = Authorization(suite.info, client, browser=flow.browser, scope="openid berth")
    reply = again.submit(again.login_page(again.begin()), person["email"], person["password"])
    after = again.exchange(again.follow(reply)["code"]).json()
    assert claims(after["id_token"])["sid"] == claims(before["id_token"])["sid"]
    assert flow.browser.cookies != old, "under a new handle"
    by_the_own_page(suite, flow, after, person)
    told(suite, client, receiver, after)
    for tokens in (before, after):
        assert refreshed(suite, client, tokens).status == 400, "no grant of it goes on"


def signed_out_on_a_page_that_stood_open(suite, flow, tokens, person, page):
    assert flow.browser.post("/logout", page).location == "/login"


def by_the_client_later(suite, flow, tokens, person, page):
    by_the_client(suite, flow, tokens, person)


def another_person_signs_in(suite, flow, tokens, person, page):
    new = suite.new_person(person["slug"])
    page = flow.browser.get("/login").page()
    fields = {"tenant": person["slug"], "email": new["email"], "password": new["password"]}
    assert flow.browser.post("/login", {**page.hidden, **fields}).status == 303


def somebody_of_another_tenant_signs_in(suite, flow, tokens, person, page):
    new = suite.new_person(next(slug for slug in suite.tenants if slug != person["slug"]))
    page = flow.browser.get("/login").page()
    fields = {"tenant": new["slug"], "email": new["email"], "password": new["password"]}
    assert flow.browser.post("/login", {**page.hidden, **fields}).status == 303


LATE_ENDS = [signed_out_on_a_page_that_stood_open, by_the_client_later, another_person_signs_in, somebody_of_another_tenant_signs_in]


@pytest.mark.parametrize("end", LATE_ENDS, ids=lambda end: end.__name__)
def test_whatever_ends_it_then_is_told(suite, receiver, client, person, end):
    flow, tokens = signed_in(suite, client, person)
    page = flow.browser.get("/login").page().hidden
    ran_out(suite, tokens)
    end(suite, flow, tokens, person, page)
    told(suite, client, receiver, tokens)
    assert refreshed(suite, client, tokens).status == 400


def test_a_stranger_ends_no_session_that_ran_out(suite, receiver, client, person):
    """Without the browser's cookie, or with it and no word of its client, a link to sign out ends nothing."""
    flow, tokens = signed_in(suite, client, person)
    ran_out(suite, tokens)
    assert Authorization(suite.info, client).browser.get(f"/oauth2/logout?id_token_hint={tokens['id_token']}").status == 200
    assert flow.browser.get("/oauth2/logout").status == 200
    assert waiting(suite, claims(tokens["id_token"])["sid"]) == 0 and refreshed(suite, client, tokens).status == 200


# -- who is told

def test_those_are_told_who_got_an_id_token_in_that_session(suite, slug, receiver, client, person):
    second = registered(suite, slug, backchannel_logout_uri=receiver.uri, id_token_alg="RS256")
    silent = registered(suite, slug)
    no_openid = registered(suite, slug, backchannel_logout_uri=receiver.uri)
    gone = registered(suite, slug, backchannel_logout_uri=receiver.uri)
    elsewhere = registered(suite, slug, backchannel_logout_uri=receiver.uri)
    flow, tokens = signed_in(suite, client, person)
    signed_in(suite, client, person, browser=flow.browser)
    theirs = signed_in(suite, second, person, browser=flow.browser)[1]
    for one, scope in ((silent, "openid"), (no_openid, "berth"), (gone, "openid berth")):
        signed_in(suite, one, person, browser=flow.browser, scope=scope)
    signed_in(suite, elsewhere, person)
    suite.as_role(slug, "Admin").delete(f"/v1/clients/{gone['id']}").expect(204)
    # A client that gave its tokens back had them all the same.
    reply = flow.browser.post("/oauth2/revoke", {"token": tokens["refresh_token"], "client_id": client["id"], "client_secret": client["secret"]})
    assert reply.status == 200
    by_the_client(suite, flow, tokens, person)
    told(suite, client, receiver, tokens)
    told(suite, second, receiver, theirs, "RS256")
    assert sorted(claims(one)["aud"] for one in receiver.tokens) == sorted([client["id"], second["id"]]), "and nobody else"


def test_a_token_given_while_the_session_ends_is_told_too_or_not_given(suite, receiver, client, person):
    for _ in range(12):
        flow = Authorization(suite.info, client, scope="openid berth")
        code = flow.code(person["email"], person["password"])["code"]
        token = suite.sign_in_person(person)
        suite.api(token).get("/v1/me").expect(200)
        receiver.tokens.clear()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            exchange = pool.submit(flow.exchange, code)
            end = pool.submit(suite.api(token).delete, "/v1/me/sessions")
        end.result().expect(204)
        if exchange.result().status == 200:
            told(suite, client, receiver, exchange.result().json())
        else:
            assert exchange.result().json()["error"] == "invalid_grant" and not receiver.tokens


# -- what becomes of it

def metric(suite, name):
    return suite.metrics("authsvc")[f"berth_auth_logouts_{name}_total"]


def test_a_client_that_fails_is_told_again(suite, receiver, client, person):
    flow, tokens = signed_in(suite, client, person)
    receiver.status, before = 503, metric(suite, "failed")
    by_the_client(suite, flow, tokens, person)
    wait_for(lambda: len(receiver.tokens) >= 2, 30, "a second attempt")
    assert waiting(suite, claims(tokens["id_token"])["sid"]) == 1 and metric(suite, "failed") > before
    receiver.status = 400
    seen, sent = len(receiver.tokens), metric(suite, "sent")
    wait_for(lambda: len(receiver.tokens) > seen, 30, "one after a refusal")
    receiver.status = 204
    wait_for(lambda: waiting(suite, claims(tokens["id_token"])["sid"]) == 0, 40, "the end of it")
    said = [judged(suite, one, client["id"]) for one in receiver.tokens]
    assert len({one["jti"] for one in said}) == len(said), "each is a token of its own"
    assert metric(suite, "sent") == sent + 1


def test_an_answer_that_leads_elsewhere_is_not_followed(suite, receiver, client, person):
    with LogoutReceiver() as other:
        flow, tokens = signed_in(suite, client, person)
        receiver.status, receiver.where = 307, other.uri
        by_the_client(suite, flow, tokens, person)
        wait_for(lambda: receiver.tokens, 20, "the attempt")
        wait_for(lambda: metric(suite, "failed"), 20, "its failure")
        receiver.status, receiver.where = 200, None
        wait_for(lambda: waiting(suite, claims(tokens["id_token"])["sid"]) == 0, 40, "the next attempt")
        assert not other.tokens


def give_ups(suite, person, session_id):
    return [event for event in suite.events(person["slug"], object_id=session_id) if event["action"] == "logout.give_up"]


def test_what_the_allow_list_does_not_name_is_not_asked_for_and_told(suite, slug, receiver, client, person):
    with LogoutReceiver() as stranger:
        # An address of this machine by a name, a port that is not listed, one beside the network.
        uris = [f"http://127.0.0.1:{stranger.port}/signed-out", f"http://localhost:{receiver.port}/signed-out", "https://169.254.169.254/latest", "https://rp.invalid/x"]
        others = [registered(suite, slug, backchannel_logout_uri=uri) for uri in uris]
        flow, tokens = signed_in(suite, client, person)
        for one in others:
            signed_in(suite, one, person, browser=flow.browser)
        session_id, before = claims(tokens["id_token"])["sid"], metric(suite, "dropped")
        by_the_client(suite, flow, tokens, person)
        told(suite, client, receiver, tokens)
        events = wait_for(lambda: len(found := give_ups(suite, person, session_id)) == len(uris) and found, 20, "the events")
        assert {event["client_id"] for event in events} == {one["id"] for one in others}
        assert {event["after"]["reason"] for event in events} == {"forbidden"}, events
        assert metric(suite, "dropped") == before + len(uris) and not stranger.tokens and len(receiver.tokens) == 1


def test_it_ends_with_a_day(suite, receiver, client, person):
    flow, tokens = signed_in(suite, client, person)
    session_id = claims(tokens["id_token"])["sid"]
    receiver.status = 500
    by_the_client(suite, flow, tokens, person)
    wait_for(lambda: receiver.tokens, 20, "the first attempt")
    assert suite.sql("select count(*) from auth.logout_notice where session_id = %s and expires_at - created_at = interval '1 day'", session_id) == [(1,)]
    export = suite.api(suite.sign_in_person(person)).get("/v1/me/export").expect(200).body
    listed = find(export, "logout_notices")
    assert [(one["client_id"], one["session_id"]) for one in listed] == [(client["id"], session_id)]
    suite.sql("update auth.logout_notice set expires_at = now(), next_at = now() where session_id = %s returning 1", session_id)
    event = wait_for(lambda: give_ups(suite, person, session_id), 20, "the event")[0]
    assert event["after"]["reason"] == "bad_gateway" and event["after"]["attempts"] >= 2
    assert waiting(suite, session_id) == 0


def find(document, name):
    if isinstance(document, dict):
        if name in document:
            return document[name]
        document = list(document.values())
    for inner in document if isinstance(document, list) else []:
        if (found := find(inner, name)) is not None:
            return found
    return None


def test_a_client_that_is_away_is_asked_once_for_all_it_is_to_be_told(suite, slug, receiver, closed_port, client, person):
    away = registered(suite, slug, backchannel_logout_uri=f"http://127.0.0.1:{closed_port}/signed-out")
    flow, tokens = signed_in(suite, client, person)
    for _ in range(2):
        signed_in(suite, away, person)
    everywhere(suite, flow, tokens, person)
    state = "select count(*), count(distinct next_at), min(attempts), max(attempts) from auth.logout_notice n join auth.client c on c.id = n.client_id where c.public_id = %s"
    wait_for(lambda: suite.sql(state, away["id"]) == [(2, 1, 0, 1)], 10, "one attempt, and both put off")
    told(suite, client, receiver, tokens)
    assert suite.sql(state, away["id"])[0][0] == 2
    suite.as_role(slug, "Admin").delete(f"/v1/clients/{away['id']}").expect(204)
    wait_for(lambda: suite.sql(state, away["id"])[0][0] == 0, 30, "the end: nobody wants to be told any more")


def test_it_survives_kill_9(suite, receiver, client, person):
    flow, tokens = signed_in(suite, client, person)
    receiver.status = 503
    by_the_client(suite, flow, tokens, person)
    wait_for(lambda: receiver.tokens, 20, "the first attempt")
    suite.kill("authsvc")
    suite.ctl("start", "authsvc")
    settled(suite)
    receiver.tokens, receiver.status = [], 200
    told(suite, client, receiver, tokens)
