# SPDX-License-Identifier: Apache-2.0
"""Clients of third parties: nothing without the person's agreement, which is asked for in words, remembered, listed and withdrawn."""
import concurrent.futures
import secrets
import urllib.parse

import pytest

import berth_flow
from berth_flow import Authorization, Browser, token_request
from berth_suite import wait_for

ORDER = 43

SCOPE = "openid profile offline_access booking.read"


@pytest.fixture
def own(suite, slug):
    return suite.tenants[slug]["client"]


@pytest.fixture
def client(suite, admin, own):
    made = admin.post("/v1/clients", {
        "name": "Foreign Parking & Co", "kind": "confidential", "redirect_uris": [own["redirect_uri"]], "third_party": True}).expect(201).body
    assert admin.get(f"/v1/clients/{made['id']}").expect(200).body["third_party"] is True
    made["redirect_uri"] = own["redirect_uri"]
    return made


def query_of(reply):
    assert reply.status == 303 and reply.location, f"{reply.status}: {reply.text[:300]}"
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(reply.location).query))


def ask(suite, client, person, **more):
    """A flow that stands before the page, and the page's answer."""
    flow = Authorization(suite.info, client, **{"scope": SCOPE, **more})
    reply = flow.submit(flow.login_page(flow.begin()), person["email"], person["password"])
    assert reply.status == 303 and "/consent?" in reply.location, f"{reply.status} {reply.location}"
    return flow, flow.browser.get(reply.location)


def decide(flow, reply, decision="allow", **changes):
    page = reply.page()
    assert reply.status == 200 and page.action == "/consent", f"{reply.status} {page.action}"
    return flow.browser.post(page.action, {**page.hidden, "decision": decision, **changes})


def agreed(suite, client, person, **more):
    """A browser that is signed in and whose person has agreed, and the tokens."""
    flow, reply = ask(suite, client, person, **more)
    answer = query_of(decide(flow, reply))
    tokens = flow.exchange(answer["code"])
    assert tokens.status == 200, tokens.text
    return flow, tokens.json()


def refresh(suite, client, tokens):
    return token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})


def consents(suite, person):
    api = suite.api(suite.sign_in_person(person))
    return api, api.get("/v1/me/consents").expect(200).body["items"]


def test_nothing_is_given_before_the_person_agrees(suite, client, person):
    flow, reply = ask(suite, client, person)
    assert "code=" not in (reply.location or "")
    for word in ("Foreign Parking &amp; Co", person["email"], "See your bookings", "See your name and your language"):
        assert word in reply.text, word
    assert "See everyone" not in reply.text and "<script" not in reply.text
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "script-src" not in policy.replace("script-src 'none'", "")
    assert "no-store" in reply.headers["Cache-Control"]
    answer = query_of(decide(flow, reply))
    assert answer["state"] == flow.state and answer["iss"] == suite.url
    assert flow.exchange(answer["code"]).status == 200


@pytest.mark.parametrize("language, sentence", [("fr", "Voir vos réservations"), ("nl", "Uw reserveringen zien"), ("en", "See your bookings")])
def test_the_page_speaks_the_persons_language(suite, client, person, language, sentence):
    _, reply = ask(suite, client, person, ui_locales=language)
    assert f'<html lang="{language}">' in reply.text and sentence in reply.text


def test_who_refuses_gives_nothing(suite, client, person):
    flow, reply = ask(suite, client, person)
    answer = query_of(decide(flow, reply, "deny"))
    assert answer == {"error": "access_denied", "error_description": answer["error_description"], "state": flow.state, "iss": suite.url}
    assert decide(flow, reply, "allow").status == 400, "the request is over"
    _, items = consents(suite, person)
    assert items == []


def test_an_agreement_is_remembered_for_its_scopes_only(suite, client, person):
    flow, _ = agreed(suite, client, person)
    again = Authorization(suite.info, client, browser=flow.browser, scope="openid booking.read")
    assert "code" in query_of(again.begin()), "less than was agreed to asks for nothing"
    silent = Authorization(suite.info, client, browser=flow.browser, scope=SCOPE + " booking.create", prompt="none")
    assert query_of(silent.begin())["error"] == "consent_required"
    more = Authorization(suite.info, client, browser=flow.browser, scope="openid booking.create")
    reply = more.browser.get(more.begin().location)
    assert "Book for you" in reply.text
    assert "code" in query_of(decide(more, reply))
    assert "code" in query_of(Authorization(suite.info, client, browser=flow.browser, scope=SCOPE + " booking.create").begin())
    _, items = consents(suite, person)
    assert len(items) == 1 and set(items[0]["scopes"]) == {*SCOPE.split(), "booking.create"} and items[0]["client_id"] == client["id"]


def test_prompt_consent_asks_again_and_own_clients_too(suite, client, own, person):
    flow, _ = agreed(suite, client, person)
    again = Authorization(suite.info, client, browser=flow.browser, scope=SCOPE, prompt="consent")
    assert "/consent?" in again.begin().location
    ours = Authorization(suite.info, own, browser=flow.browser)
    assert "code" in query_of(ours.begin()), "the tenant's own client is not asked about"
    asked = Authorization(suite.info, own, browser=flow.browser, prompt="consent")
    assert "code" in query_of(decide(asked, asked.browser.get(asked.begin().location)))


def test_a_client_that_asks_nobody_takes_an_admin(suite, slug, admin):
    """Whoever signs in to it by a link hands it what they may: the Admin too, to somebody who may register clients and no more."""
    role = admin.post("/v1/roles", {"name": f"Registrar-{secrets.token_hex(4)}", "permissions": ["client.manage"]}).expect(201).body["name"]
    person = suite.new_person(slug)
    admin.patch(f"/v1/people/{person['id']}", {"roles": ["User", role]}, if_match=admin.get(f"/v1/people/{person['id']}").etag).expect(200)
    registrar = suite.api(suite.sign_in_person(person))
    lure = {"name": "Lure", "kind": "confidential", "redirect_uris": ["https://lure.example/back"]}
    registrar.post("/v1/clients", lure).problem(403, "forbidden", "third_party", "permission_exceeds_own")
    for asks in ({**lure, "third_party": True}, {"name": "Kiosk", "kind": "confidential", "grants": ["urn:ietf:params:oauth:grant-type:device_code"]}):
        registrar.post("/v1/clients", asks).expect(201)
    admin.post("/v1/clients", lure).expect(201)


def test_another_person_is_asked_for_themselves(suite, slug, client, person):
    agreed(suite, client, person)
    other = suite.new_person(slug)
    flow, _ = ask(suite, client, other)
    assert query_of(Authorization(suite.info, client, browser=flow.browser, scope=SCOPE, prompt="none").begin())["error"] == "consent_required"


def test_the_form_is_bound_to_the_session_and_to_the_request(suite, client, person):
    flow, reply = ask(suite, client, person)
    second = Authorization(suite.info, client, browser=flow.browser, scope=SCOPE)
    other = second.browser.get(second.begin().location).page().hidden
    for changes in ({"csrf": "x" * 43}, {"csrf": other["csrf"]}, {"decision": ""}, {"decision": "ALLOW"}, {"csrf": ""}):
        answer = decide(flow, reply, **{"decision": "allow", **changes})
        assert answer.status == 403 and not answer.location, f"{changes}: {answer.status}"
    stranger = Browser(suite.info).post("/consent", {**reply.page().hidden, "decision": "allow"})
    assert stranger.status == 303 and "/login?" in stranger.location, "without its session nobody agrees"
    assert "code" in query_of(decide(flow, reply))


def test_a_fresh_sign_in_is_not_walked_around(suite, client, person):
    """A request that asks for a new sign-in is not answered from the old one by going to the page directly."""
    flow, _ = agreed(suite, client, person)
    fresh = Authorization(suite.info, client, browser=flow.browser, scope=SCOPE, prompt="login consent")
    resume = urllib.parse.urlsplit(fresh.begin().location).query
    reply = flow.browser.get("/consent?" + resume)
    assert reply.status == 303 and reply.location == "/login?" + resume
    reply = fresh.submit(flow.browser.get(reply.location).page(), person["email"], person["password"])
    assert "code" in query_of(decide(fresh, flow.browser.get(reply.location)))


def test_fifty_answers_at_once_give_one_code(suite, client, person):
    flow, reply = ask(suite, client, person)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: decide(flow, reply), range(50)))
    assert len([answer for answer in answers if answer.status == 303 and "code=" in answer.location]) == 1
    assert {answer.status for answer in answers} <= {303, 400, 429, 503}


def test_a_withdrawal_ends_what_came_of_it(suite, client, person):
    flow, tokens = agreed(suite, client, person)
    waiting = query_of(Authorization(suite.info, client, browser=flow.browser, scope=SCOPE).begin())["code"]
    api, items = consents(suite, person)
    theirs = suite.api(tokens["access_token"])
    theirs.get("/v1/bookings").expect(200)
    api.delete(f"/v1/me/consents/{items[0]['id']}").expect(204)
    wait_for(lambda: theirs.get("/v1/bookings").status == 401, 2, "the end of the client's access token")
    for reply in (refresh(suite, client, tokens), flow.exchange(waiting)):
        assert reply.status == 400 and reply.json()["error"] == "invalid_grant", reply.text
    assert query_of(Authorization(suite.info, client, browser=flow.browser, scope=SCOPE, prompt="none").begin())["error"] == "consent_required"
    assert api.get("/v1/me/consents").expect(200).body["items"] == []
    api.delete(f"/v1/me/consents/{items[0]['id']}").problem(404, "not_found")
    wait_for(lambda: {"consent.give", "consent.withdraw"} <= {
        event["action"] for event in suite.events(person["slug"], object_id=items[0]["id"])}, 20, "the events")


def test_a_person_withdraws_on_a_page(suite, client, person):
    flow, tokens = agreed(suite, client, person)
    reply = flow.browser.get("/account/consents")
    assert reply.status == 200 and "Foreign Parking &amp; Co" in reply.text and "See your bookings" in reply.text
    page = reply.page()
    assert flow.browser.post(page.action, {**page.hidden, "csrf": "x" * 43}).status == 303
    assert "Foreign Parking" in flow.browser.get("/account/consents").text, "a form of another site withdraws nothing"
    assert flow.browser.post(page.action, page.hidden).status == 303
    assert "Foreign Parking" not in flow.browser.get("/account/consents").text
    assert refresh(suite, client, tokens).status == 400
    assert "/login" in Browser(suite.info).get("/account/consents").location


def test_nobody_withdraws_anothers_consent(suite, slug, other_slug, client, person):
    _, tokens = agreed(suite, client, person)
    _, items = consents(suite, person)
    for stranger in (suite.as_role(slug, "Admin"), suite.as_role(other_slug, "Admin")):
        stranger.delete(f"/v1/me/consents/{items[0]['id']}").problem(404, "not_found")
    assert refresh(suite, client, tokens).status == 200


def test_consents_are_exported_and_erased(suite, client, person):
    agreed(suite, client, person)
    api, items = consents(suite, person)
    assert items[0]["id"] in api.get("/v1/me/export").expect(200).text
    erasure = api.delete("/v1/me").expect(200, 202).body
    admin = suite.as_role(person["slug"], "Admin")
    wait_for(lambda: admin.get(f"/v1/erasures/{erasure['id']}").expect(200).body["status"] == "completed", 30, "the erasure")
    assert suite.sql("select count(*) from auth.consent where public_id = %s", items[0]["id"]) == [(0,)]


def test_a_pushed_request_asks_like_any_other(suite, client, person):
    flow = Authorization(suite.info, client, scope=SCOPE)
    uri = Browser(suite.info).post("/oauth2/par", flow.query, headers=berth_flow.basic(client)).json()["request_uri"]
    reply = flow.browser.get("/oauth2/authorize?" + urllib.parse.urlencode({"client_id": client["id"], "request_uri": uri}))
    reply = flow.submit(flow.login_page(reply), person["email"], person["password"])
    assert "/consent?" in reply.location


# -- clients of the tenant's own that an Admin registered, and people who may more

def own_client(api, own, **fields):
    """Nobody is asked about it."""
    made = api.post("/v1/clients", {"name": "Lot Manager", "kind": "confidential", "redirect_uris": [own["redirect_uri"]], **fields}).expect(201).body
    return {**made, "redirect_uri": own["redirect_uri"]}


def rights(suite, tokens):
    return set(suite.api(tokens["access_token"]).get("/v1/whoami").expect(200).body["permissions"])


@pytest.fixture
def owner(suite, slug):
    made = suite.newcomer(slug, "Owner")
    suite.give_factor(made)
    return made


def owners_flow(suite, client, owner, **more):
    return Authorization(suite.info, client, browser=owner["browser"], **more)


def test_an_admin_lures_no_owner_into_a_client_that_asks_nobody(suite, admin, own, owner, person):
    client = own_client(admin, own)
    user = Authorization(suite.info, client)
    assert "code" in user.follow(user.submit(user.login_page(user.begin()), person["email"], person["password"])), "others are not asked"
    silent = owners_flow(suite, client, owner, prompt="none")
    assert query_of(silent.begin())["error"] == "consent_required"
    flow = owners_flow(suite, client, owner)
    asked = flow.begin()
    assert "/consent?" in asked.location, asked.location
    page = flow.browser.get(asked.location)
    assert "Lot Manager" in page.text and owner["email"] in page.text
    assert query_of(decide(flow, page, "deny"))["error"] == "access_denied"
    flow = owners_flow(suite, client, owner)
    tokens = flow.exchange(query_of(decide(flow, flow.browser.get(flow.begin().location)))["code"]).json()
    assert "tenant.own" in rights(suite, tokens), "what an Owner agreed to, the client has"
    again = owners_flow(suite, client, owner)
    assert "code" in query_of(again.begin()), "and is remembered"
    assert "tenant.own" in rights(suite, refresh(suite, client, tokens).json())


def test_neither_does_the_sign_in_itself(suite, admin, slug, own):
    """Whoever signs in for the client comes to the question as well as who is signed in already."""
    client, boss = own_client(admin, own), suite.api(suite.sign_in_person(suite.owner(slug)))
    new = suite.new_person(slug)
    record = boss.get(f"/v1/people/{new['id']}").expect(200)
    boss.patch(f"/v1/people/{new['id']}", {"roles": ["Owner", "User"]}, if_match=record.etag).expect(200)
    flow, page = ask(suite, client, new)
    assert "Lot Manager" in page.text


def test_who_becomes_an_owner_gives_a_client_no_more_without_agreeing(suite, admin, slug, own, person):
    client, boss = own_client(admin, own), suite.api(suite.sign_in_person(suite.owner(slug)))
    flow = Authorization(suite.info, client)
    tokens = flow.exchange(flow.follow(flow.submit(flow.login_page(flow.begin()), person["email"], person["password"]))["code"]).json()
    record = boss.get(f"/v1/people/{person['id']}").expect(200)
    boss.patch(f"/v1/people/{person['id']}", {"roles": ["Owner", "User"]}, if_match=record.etag).expect(200)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:      # alone, and in a batch with somebody else's
        other = own_client(admin, own)
        theirs = Authorization(suite.info, other)
        new = suite.new_person(slug)
        got = theirs.exchange(theirs.follow(theirs.submit(theirs.login_page(theirs.begin()), new["email"], new["password"]))["code"]).json()
        answers = list(pool.map(lambda pair: refresh(suite, *pair).json(), [(client, tokens), (other, got)]))
    now = answers[0]
    assert "booking.create" in rights(suite, now) and "person.manage" in rights(suite, now), "as much as the Admin may"
    assert "tenant.own" not in rights(suite, now)
    suite.api(now["access_token"]).post("/v1/tenant/ownership", {"person_id": new["id"]}).problem(403, "forbidden", reason="tenant.own")
    again = Authorization(suite.info, client, browser=flow.browser)
    decide(again, again.browser.get(again.begin().location))
    assert "tenant.own" in rights(suite, refresh(suite, client, now).json()), "agreed to since"


def test_what_an_owner_registers_asks_no_owner_until_an_admin_takes_it_over(suite, admin, slug, own, owner):
    client = own_client(suite.api(suite.sign_in_again(owner)["access_token"]), own)
    flow = owners_flow(suite, client, owner)
    tokens = flow.exchange(query_of(flow.begin())["code"]).json()
    assert "tenant.own" in rights(suite, tokens)
    record = admin.get(f"/v1/clients/{client['id']}").expect(200)
    named = admin.patch(f"/v1/clients/{client['id']}", {"name": "Lots"}, if_match=record.etag).expect(200)
    assert "code" in query_of(owners_flow(suite, client, owner).begin()), "another name changes nothing"
    mine = [own["redirect_uri"], "https://elsewhere.example/cb"]
    admin.patch(f"/v1/clients/{client['id']}", {"redirect_uris": mine}, if_match=named.etag).expect(200)
    assert "/consent?" in owners_flow(suite, client, owner).begin().location
    wait_for(lambda: suite.api(tokens["access_token"]).get("/v1/whoami").status == 401, 10, "the end of what was given before")
    kept = [tokens]

    def good():     # what is given within ten seconds of the change ends too
        kept.append(refresh(suite, client, kept[-1]).json())
        return suite.api(kept[-1]["access_token"]).get("/v1/whoami").status == 200
    wait_for(good, 30, "a token that stays")
    assert "tenant.own" not in rights(suite, kept[-1])
