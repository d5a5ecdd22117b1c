# SPDX-License-Identifier: Apache-2.0
"""Devices without a keyboard (RFC 8628): a code on the device, a person who types it elsewhere, a device that asks until it is told."""
import concurrent.futures
import secrets
import urllib.parse

import pytest

import berth_flow
from berth_flow import Authorization, Browser, claims, token_request
from berth_suite import wait_for

ORDER = 44

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@pytest.fixture
def client(suite, admin):
    return admin.post("/v1/clients", {"name": "Kiosk", "kind": "confidential", "grants": [GRANT, "refresh_token"]}).expect(201).body


def begin(suite, client, **form):
    reply = Browser(suite.info).post("/oauth2/device_authorization", {"scope": "openid booking.read", **form}, headers=berth_flow.basic(client))
    assert reply.status == 200, f"{reply.status}: {reply.text[:300]}"
    assert "no-store" in reply.headers["Cache-Control"]
    return reply.json()


def poll(suite, client, device, **more):
    return token_request(suite.info, client, {"grant_type": GRANT, "device_code": device["device_code"], **more})


def told(reply, error):
    assert reply.status == 400 and reply.json()["error"] == error, f"{reply.status}: {reply.text[:300]}"


def type_code(browser, code):
    reply = browser.get("/device")
    page = reply.page()
    assert reply.status == 200 and page.action == "/device" and page.inputs == ["user_code"]
    return browser.post("/device", {**page.hidden, "user_code": code})


def sign_in(flow, reply, person):
    """From /consent to the sign-in and back to it."""
    assert reply.status == 303 and "/consent?" in reply.location, f"{reply.status} {reply.text[:200]}"
    reply = flow.get(reply.location)
    if reply.status == 303:
        assert "/login?" in reply.location
        page = flow.get(reply.location).page()
        reply = flow.post(page.action, {**page.hidden, "email": person["email"], "password": person["password"]})
        assert reply.status == 303 and "/consent?" in reply.location
        reply = flow.get(reply.location)
    assert reply.status == 200 and reply.page().action == "/consent"
    return reply


def decide(browser, reply, decision):
    return browser.post("/consent", {**reply.page().hidden, "decision": decision})


def let_in(suite, device, person, decision="allow"):
    browser = Browser(suite.info)
    reply = sign_in(browser, type_code(browser, device["user_code"]), person)
    assert device["user_code"] in reply.text and "Kiosk" in reply.text
    reply = decide(browser, reply, decision)
    assert reply.status == 200
    return browser


def test_a_person_lets_a_device_in(suite, client, person):
    device = begin(suite, client)
    assert device["verification_uri"] == suite.url + "/device" and device["interval"] == 5 and 60 <= device["expires_in"] <= 1800
    assert device["verification_uri_complete"] == suite.url + "/device?user_code=" + device["user_code"]
    assert len(device["user_code"].replace("-", "")) == 8 and set(device["user_code"]) <= set(LETTERS + "-")
    told(poll(suite, client, device), "authorization_pending")
    let_in(suite, device, person)
    reply = poll(suite, client, device)
    assert reply.status == 200, reply.text
    tokens = reply.json()
    assert claims(tokens["access_token"])["sub"] == person["id"] and claims(tokens["id_token"])["aud"] == client["id"]
    assert set(tokens["scope"].split()) == {"openid", "booking.read"} and tokens["refresh_token"]
    suite.api(tokens["access_token"]).get("/v1/bookings").expect(200)
    told(poll(suite, client, device), "invalid_grant")


def test_the_code_may_be_typed_as_people_type(suite, client, person):
    device = begin(suite, client)
    browser = Browser(suite.info)
    reply = type_code(browser, " " + device["user_code"].lower().replace("-", " "))
    assert reply.status == 303 and "/consent?" in reply.location


def test_a_link_with_the_code_fills_the_form_and_no_more(suite, client):
    device = begin(suite, client)
    reply = Browser(suite.info).get(urllib.parse.urlsplit(device["verification_uri_complete"])._replace(scheme="", netloc="").geturl())
    assert reply.status == 200 and f'value="{device["user_code"]}"' in reply.text
    told(poll(suite, client, device), "authorization_pending")
    hostile = Browser(suite.info).get("/device?user_code=" + urllib.parse.quote('"><script>'))
    assert hostile.status == 200 and "<script" not in hostile.text


def test_a_person_refuses_a_device(suite, client, person):
    device = begin(suite, client)
    let_in(suite, device, person, "deny")
    told(poll(suite, client, device), "access_denied")


def test_a_device_that_asks_too_often_is_slowed_down(suite, client, person):
    device = begin(suite, client)
    told(poll(suite, client, device), "authorization_pending")
    told(poll(suite, client, device), "slow_down")
    assert suite.sql("select max(interval_s) from auth.device_grant where polled_at is not null") == [(10,)]
    suite.sql("update auth.device_grant set polled_at = now() - interval '9 seconds'")
    told(poll(suite, client, device), "slow_down")
    suite.sql("update auth.device_grant set polled_at = now() - interval '15 seconds'")
    told(poll(suite, client, device), "authorization_pending")
    let_in(suite, device, person)
    assert poll(suite, client, device).status == 200, "who has been let in is not held up"


def test_codes_expire(suite, client, person):
    device, late = begin(suite, client), begin(suite, client)
    let_in(suite, late, person)
    suite.sql("update auth.device_grant set expires_at = now()")
    for one in (device, late):
        told(poll(suite, client, one), "expired_token")
    assert type_code(Browser(suite.info), device["user_code"]).status == 403


def test_fifty_at_once_get_one_answer(suite, client, person):
    device = begin(suite, client)
    let_in(suite, device, person)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: poll(suite, client, device), range(50)))
    assert len([reply for reply in replies if reply.status == 200]) == 1, [reply.status for reply in replies]
    assert {reply.json()["error"] for reply in replies if reply.status == 400} == {"invalid_grant"}


def test_two_decisions_are_one(suite, client, person):
    device = begin(suite, client)
    browser = Browser(suite.info)
    first = sign_in(browser, type_code(browser, device["user_code"]), person)
    second = sign_in(browser, type_code(browser, device["user_code"]), person)
    assert decide(browser, first, "deny").status == 200
    assert decide(browser, second, "allow").status == 400, "somebody decided before"
    told(poll(suite, client, device), "access_denied")


def test_a_device_code_belongs_to_its_client(suite, admin, other_slug, client, person):
    device = begin(suite, client)
    let_in(suite, device, person)
    second = admin.post("/v1/clients", {"name": "Other", "kind": "confidential", "grants": [GRANT]}).expect(201).body
    told(poll(suite, second, device), "invalid_grant")
    told(poll(suite, suite.tenants[other_slug]["client"], device), "unauthorized_client")
    told(poll(suite, client, {"device_code": ""}), "invalid_request")
    for code in ("x", device["device_code"][:-1], device["device_code"] + "A", device["user_code"]):
        told(poll(suite, client, {"device_code": code}), "invalid_grant")
    assert poll(suite, client, device).status == 200


def test_a_client_that_may_not_gets_no_codes(suite, slug, client):
    reply = Browser(suite.info).post("/oauth2/device_authorization", {}, headers=berth_flow.basic(suite.tenants[slug]["client"]))
    told(reply, "unauthorized_client")
    assert Browser(suite.info).post("/oauth2/device_authorization", {"client_id": client["id"]}).status == 401
    for form, error in (({"scope": "no.such"}, "invalid_scope"), ({"resource": "https://other.example"}, "invalid_target")):
        told(Browser(suite.info).post("/oauth2/device_authorization", form, headers=berth_flow.basic(client)), error)


def test_another_tenants_person_lets_nobody_in(suite, other_slug, client):
    device = begin(suite, client)
    stranger = suite.person(other_slug, "User")
    browser = Browser(suite.info)
    # Signed in next door:
    Authorization(suite.info, suite.tenants[other_slug]["client"], browser=browser).code(stranger["email"], stranger["password"])
    reply = browser.get(type_code(browser, device["user_code"]).location)
    assert reply.status == 303 and "/login?" in reply.location, "the page of this tenant asks for a person of this tenant"
    page = browser.get(reply.location).page()
    reply = browser.post(page.action, {**page.hidden, "email": stranger["email"], "password": stranger["password"]})
    assert reply.status == 403
    told(poll(suite, client, device), "authorization_pending")


def test_a_device_outlives_the_browser_and_ends_with_the_consent(suite, client, person):
    device = begin(suite, client)
    browser = let_in(suite, device, person)
    tokens = poll(suite, client, device).json()
    page = browser.get("/login").page()
    assert browser.post("/logout", page.hidden).status == 303
    again = token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})
    assert again.status == 200, "signing out of the browser is not signing out of the device"
    api = suite.api(suite.sign_in_person(person))
    consent = next(item for item in api.get("/v1/me/consents").expect(200).body["items"] if item["client_id"] == client["id"])
    api.delete(f"/v1/me/consents/{consent['id']}").expect(204)
    wait_for(lambda: suite.api(again.json()["access_token"]).get("/v1/bookings").status == 401, 2, "the end of the device's token")
    told(token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": again.json()["refresh_token"]}), "invalid_grant")


def test_a_withdrawal_or_a_suspension_reaches_a_device_that_has_not_come_yet(suite, slug, client, person):
    device, other = begin(suite, client), begin(suite, client)
    let_in(suite, device, person)
    api = suite.api(suite.sign_in_person(person))
    consent = next(item for item in api.get("/v1/me/consents").expect(200).body["items"] if item["client_id"] == client["id"])
    api.delete(f"/v1/me/consents/{consent['id']}").expect(204)
    told(poll(suite, client, device), "invalid_grant")
    let_in(suite, other, person)
    admin = suite.as_role(slug, "Admin")
    for status in ("suspended", "active"):
        shown = admin.get(f"/v1/people/{person['id']}").expect(200)
        admin.patch(f"/v1/people/{person['id']}", {"status": status}, if_match=shown.etag).expect(200)
    told(poll(suite, client, other), "invalid_grant")


def test_guessing_codes_is_slowed_down(suite, client):
    """From one address: five guesses, then delays that double. A code of one's own in between, which anybody can have, starts nothing anew."""
    def guess(code=None):
        return type_code(Browser(suite.info, source), code or "".join(secrets.choice(LETTERS) for _ in range(8)))

    source = f"127.77.{secrets.randbelow(250) + 2}.{secrets.randbelow(250) + 2}"
    statuses = [guess().status for _ in range(8)]
    assert set(statuses) <= {403, 429} and 429 in statuses, statuses
    reply = guess("BCDF-GHJK")
    assert reply.status == 429 and "Try again in" in reply.text
    code = begin(suite, client)["user_code"]
    wait_for(lambda: guess(code).status == 303, 60, "the end of the delay")
    assert [guess().status for _ in range(2)] == [403, 429], "a code that stands costs nothing and forgives nothing"


def test_codes_stand_nowhere_readable(suite, client):
    device = begin(suite, client)
    row = suite.sql("select * from auth.device_grant order by created_at desc limit 1")[0]
    text = repr([bytes(value) if isinstance(value, memoryview) else value for value in row])
    for word in (device["device_code"], device["user_code"], device["user_code"].replace("-", "")):
        assert word not in text


def test_metadata_name_the_endpoint(suite):
    document = suite.api().get("/.well-known/openid-configuration").expect(200).body
    assert document["device_authorization_endpoint"] == suite.url + "/oauth2/device_authorization"
    assert GRANT in document["grant_types_supported"]
