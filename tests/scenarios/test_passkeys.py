# SPDX-License-Identifier: Apache-2.0
"""Passkeys: set up, shown alone and behind a password, in software here; in a real browser in test_passkeys_browser. Each field made wrong is refused."""
import concurrent.futures
import re
import uuid

import pytest

from berth_factor import RECOVERY, app_code, claims, tokens_of
from berth_factor import show as show_code
from berth_flow import Authorization, Browser, b64url, token_request
from berth_passkey import BE, BS, UP, UV, Form, Passkey, add, form_at, show, sign_in, tokens
from berth_suite import wait_for


ORDER = 46


def by_password(suite, client, person):
    """The flow up to where the password has been sent, and the answer."""
    flow = Authorization(suite.info, client)
    return flow, flow.submit(flow.login_page(flow.begin()), person["email"], person["password"])


def with_passkey(suite, client, person, **about):
    """A person's browser, signed in, and the passkey that was set up in it."""
    flow, reply = by_password(suite, client, person)
    assert "code" in flow.follow(reply)
    key = Passkey(suite.url, **about)
    done = add(flow.browser, key)
    assert done.status == 200 and len(set(re.findall(RECOVERY, done.text))) == 10, done.text[:300]
    return flow.browser, key


def alone(suite, client, key, **changes):
    """A sign-in without a password: the flow, and the answer."""
    flow = Authorization(suite.info, client)
    asked = flow.begin()
    return flow, sign_in(flow.browser, key, asked.location, **changes)


def refusals(suite, slug, person):
    return [event["after"]["reason"] for event in suite.events(slug, object_id=person["id"]) if event["action"] == "factor.refuse"]


def test_a_passkey_is_set_up_listed_and_makes_the_sign_in_strong(suite, client, person):
    browser, _ = with_passkey(suite, client, person)
    token = tokens_of(suite, client, browser)["access_token"]
    assert claims(token)["acr"] == "phr" and claims(token)["amr"] == ["pwd", "hwk", "user", "mfa"]
    listed = suite.api(token).get("/v1/me/factors").expect(200).body
    assert [(item["kind"], item["name"], item["backed_up"]) for item in listed["items"]] == [("passkey", "my key", False)]
    assert listed["recovery_codes_left"] == 10
    second = Passkey(suite.url, flags=UV | BE | BS)
    assert add(browser, second, name="<b>synced</b>").status == 303, "the codes stand"
    shown = browser.get("/account/factors").text
    assert "&lt;b&gt;synced" in shown and "<b>synced" not in shown
    exported = suite.api(token).get("/v1/me/export").expect(200).body["auth"]["second_factors"]
    assert [(item["name"], item["backed_up"]) for item in exported] == [("my key", False), ("<b>synced</b>", True)]
    rows = suite.sql("select f.data, f.credential_hash from auth.factor f join auth.person p on p.tenant_id = f.tenant_id and p.id = f.person_id "
                     "where p.public_id = %s", person["id"])
    assert len(rows) == 2 and all(second.id not in bytes(data) and b"my key" not in bytes(data) for data, _ in rows), "sealed"


@pytest.mark.parametrize("alg", [-35, -36])
def test_a_key_on_a_larger_curve_is_offered_set_up_and_used(suite, client, person, alg):
    browser, key = with_passkey(suite, client, person, alg=alg)
    assert {"type": "public-key", "alg": alg} in form_at(browser, "/account/factors").options["pubKeyCredParams"]
    _, refused = alone(suite, client, key, bend=lambda signature: signature[:-1] + bytes([signature[-1] ^ 1]))
    assert refused.status == 403 and tokens(suite, client, key)["access_token"]


def test_the_page_runs_one_script_and_no_other(suite, client, person):
    browser, _ = with_passkey(suite, client, person)
    for path in ("/account/factors", "/login"):
        page = (browser if path != "/login" else Browser(suite.info)).get(path)
        policy = page.headers["Content-Security-Policy"]
        assert f"script-src {suite.url}/passkey.js;" in policy and "default-src 'none'" in policy, policy
        assert page.text.count("<script") == 1 and '<script src="/passkey.js" defer></script>' in page.text
        assert not re.search(r"\son\w+=", page.text) and "unsafe" not in policy
    script = Browser(suite.info).get("/passkey.js")
    assert script.status == 200 and script.headers["Content-Type"].startswith("text/javascript")
    assert script.headers["X-Content-Type-Options"] == "nosniff" and "navigator.credentials" in script.text
    plain = Browser(suite.info).get("/invitation?token=x")
    assert "script-src" not in plain.headers["Content-Security-Policy"]


def test_a_passkey_alone_signs_in(suite, client, person):
    _, key = with_passkey(suite, client, person)
    flow, reply = alone(suite, client, key)
    token = claims(flow.exchange(flow.follow(reply)["code"]).json()["access_token"])
    assert token["sub"] == person["id"] and token["acr"] == "phr" and token["amr"] == ["hwk", "user", "mfa"]
    bare = Browser(suite.info)
    assert sign_in(bare, key, "/login").location == "/login", "without a client too"
    assert bare.get("/account/factors").status == 200


def test_a_passkey_is_shown_behind_the_password(suite, client, person):
    _, key = with_passkey(suite, client, person)
    for flags in (UP | UV, UP):
        flow, reply = by_password(suite, client, person)
        assert reply.location.startswith("/login/factor") and "__Host-berth_session" not in flow.browser.cookies
        done = show(flow.browser, key, reply.location, flags=flags)
        token = claims(flow.exchange(flow.follow(done)["code"]).json()["access_token"])
        assert token["acr"] == "phr" and token["amr"] == ["pwd", "hwk", "user", "mfa"]


def off_by_a_bit(signature):
    return signature[:-1] + bytes([signature[-1] ^ 1])


# Each is one thing made wrong; what the event says of it.
BENT = {
    "another site's origin": ({"told": {"origin": "https://evil.example"}}, "origin is another site"),
    "a look-alike origin": ({"told": {"origin": "https://localhost.evil.example"}}, "origin is another site"),
    "no origin": ({"told": {"origin": None}}, "origin is another site"),
    "another ceremony": ({"told": {"type": "webauthn.payment"}}, "type is of another ceremony"),
    "another challenge": ({"told": {"challenge": "A" * 75}}, "challenge is not the one that was given"),
    "a challenge with padding": ({"told": {"challenge": ""}}, "challenge is not the one that was given"),
    "inside another site's frame": ({"told": {"crossOrigin": True}}, "crossOrigin: the page was inside another site's"),
    "under another page": ({"told": {"topOrigin": "https://evil.example"}}, "crossOrigin: the page was inside another site's"),
    "another relying party": ({"rp_id": "evil.example"}, "rpIdHash is another site's"),
    "nobody present": ({"flags": UV}, "flags: nobody was present"),
    "backed up, though not eligible": ({"flags": UP | UV | BS}, "flags: backed up, though not eligible for it"),
}
BENT_USE = {
    **BENT,
    "eligible for backup all at once": ({"flags": UP | UV | BE}, "flags: eligibility for backup changed"),
    "a bit of the signature": ({"bend": off_by_a_bit}, "the signature is wrong"),
    "no signature": ({"bend": lambda signature: b""}, "the signature is wrong"),
    "a counter that fell": ({"counter": 0}, "the sign counter did not rise"),
}


def test_each_field_of_a_registration_counts(suite, client, person):
    flow, reply = by_password(suite, client, person)
    flow.follow(reply)
    for name, (changes, _) in {**BENT, "an algorithm that is not offered": ({"alg": -37}, "")}.items():
        answer = add(flow.browser, Passkey(suite.url), **changes)
        assert answer.status == 403, f"{name}: {answer.status} {answer.text[:200]}"
    assert add(flow.browser, Passkey(suite.url)).status == 200


@pytest.mark.parametrize("name", BENT_USE)
def test_each_field_of_a_use_counts(suite, slug, client, person, name):
    changes, reason = BENT_USE[name]
    _, key = with_passkey(suite, client, person)
    _, refused = alone(suite, client, key, **changes)
    assert refused.status == 403, f"{name} alone: {refused.status}"
    flow, reply = by_password(suite, client, person)
    behind = show(flow.browser, key, reply.location, **changes)
    assert behind.status == 403 and "__Host-berth_session" not in flow.browser.cookies, f"{name} behind a password: {behind.status}"
    wait_for(lambda: refusals(suite, slug, person) == [reason, reason], 15, f"the events of {name}, not {refusals(suite, slug, person)}")
    again, done = alone(suite, client, key)
    assert "code" in again.follow(done), f"{name}: the next right one is taken"


def test_alone_it_must_have_verified_its_user(suite, client, person):
    _, key = with_passkey(suite, client, person)
    _, refused = alone(suite, client, key, flags=UP)
    assert refused.status == 403


def test_a_challenge_is_answered_once_by_whom_it_was_given_and_for_what_it_was(suite, client, person):
    browser, key = with_passkey(suite, client, person)
    flow = Authorization(suite.info, client)
    asked = flow.begin()
    form = form_at(flow.browser, asked.location)
    stranger = Browser(suite.info)
    theirs = form_at(stranger, asked.location)
    stolen = stranger.post(form.action, {**theirs.hidden, **key.get(form.options), "challenge": form.hidden["challenge"]})
    assert stolen.status == 403, "another browser"
    elsewhere = form_at(flow.browser, "/login")
    moved = flow.browser.post(elsewhere.action, {**elsewhere.hidden, **key.get(form.options), "challenge": form.hidden["challenge"]})
    assert moved.status == 403, "another request"
    registered = form_at(browser, "/account/factors")
    crossed = flow.browser.post(form.action, {**form.hidden, **key.get(registered.options), "challenge": registered.hidden["challenge"]})
    assert crossed.status == 403, "another ceremony"
    seed = dict(flow.browser.cookies)
    assert flow.browser.post(form.action, {**form.hidden, **key.get(form.options)}).status == 303
    flow.browser.cookies = seed
    assert flow.browser.post(form.action, {**form.hidden, **key.get(form.options)}).status in (400, 403), "a second time"
    bare = Browser(suite.info)
    form = form_at(bare, "/login")
    seed = dict(bare.cookies)
    assert bare.post(form.action, {**form.hidden, **key.get(form.options)}).status == 303
    bare.cookies = seed
    assert bare.post(form.action, {**form.hidden, **key.get(form.options)}).status == 403, "a second time, without a request"
    form = form_at(browser, "/account/factors")
    kept = dict(browser.cookies)
    assert browser.post(form.action, {**form.hidden, "name": "a", **Passkey(suite.url).create(form.options)}).status == 303
    browser.cookies = kept
    again = browser.post(form.action, {**form.hidden, "name": "b", **Passkey(suite.url).create(form.options)})
    assert again.status in (303, 403) and "passkey" not in (again.location or ""), again.status
    names = [item["name"] for item in suite.api(tokens(suite, client, key)["access_token"]).get("/v1/me/factors").expect(200).body["items"]]
    assert names == ["my key", "a"]


def test_fifty_at_once_with_one_answer_give_one_session(suite, client, person):
    _, key = with_passkey(suite, client, person)
    first = Browser(suite.info)
    form = form_at(first, "/login")
    answer = {**form.hidden, **key.get(form.options)}

    def once(_):
        browser = Browser(suite.info)
        browser.cookies = dict(first.cookies)
        return browser.post(form.action, answer).status
    with concurrent.futures.ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(once, range(50)))
    assert answers.count(303) == 1 and set(answers) <= {303, 403, 429, 503}, answers


def test_a_counter_that_does_not_rise_is_a_copy_and_one_that_does_not_count_is_none(suite, slug, client, person):
    _, key = with_passkey(suite, client, person, counter=10)
    assert "code" in (flow := alone(suite, client, key))[0].follow(flow[1])
    _, copy = alone(suite, client, key, counter=11)
    assert copy.status == 403
    wait_for(lambda: refusals(suite, slug, person) == ["the sign counter did not rise"], 15, "the event")
    other = suite.new_person(slug)
    _, silent = with_passkey(suite, client, other, counter=None)
    for _ in range(3):
        flow, reply = alone(suite, client, silent)
        assert "code" in flow.follow(reply)


def test_a_passkey_speaks_for_its_owner_alone(suite, slug, other_slug, client, person):
    _, key = with_passkey(suite, client, person)
    other = suite.new_person(slug)
    _, theirs = with_passkey(suite, client, other)
    assert alone(suite, client, key, user_handle=theirs.user_handle)[1].status == 403, "another person of the tenant"
    tenant, me = key.user_handle[:16], key.user_handle[16:]
    for handle in (uuid.UUID(suite.tenants[other_slug]["id"]).bytes + me, tenant + uuid.uuid4().bytes, bytes(32), key.user_handle + b"x", b"x"):
        assert alone(suite, client, key, user_handle=handle)[1].status == 403, handle
    assert alone(suite, suite.tenants[other_slug]["client"], key)[1].status == 403, "a client of another tenant"
    flow, reply = by_password(suite, client, other)
    assert show(flow.browser, key, reply.location).status == 403, "behind another's password"
    stolen = Passkey(suite.url)
    stolen.id = key.id
    browser, _ = with_passkey(suite, client, suite.new_person(slug))
    assert add(browser, stolen).status == 409, "a credential that is somebody's is nobody else's"


def test_removing_it_ends_what_rests_on_it_alone_and_lowers_the_rest(suite, client, person):
    browser, key = with_passkey(suite, client, person)
    strong = tokens_of(suite, client, browser)
    flow, reply = alone(suite, client, key)
    resting = flow.exchange(flow.follow(reply)["code"]).json()
    listed = suite.api(strong["access_token"]).get("/v1/me/factors").body["items"]
    suite.api(strong["access_token"]).delete(f"/v1/me/factors/{listed[0]['id']}").expect(204)
    assert flow.browser.get("/account/factors").status == 303, "there was no password: the session is over"
    for given, worth in ((strong, "1fa"), (resting, None)):
        wait_for(lambda given=given: suite.api(given["access_token"]).get("/v1/me").status == 401, 5, "the end of the token")
        reply = token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]})
        assert reply.status == (400 if worth is None else 200), reply.text
        assert worth is None or claims(reply.json()["access_token"])["acr"] == worth
    assert alone(suite, client, key)[1].status == 403


def test_who_may_not_sign_in_does_not_by_a_passkey(suite, slug, client, admin, person):
    _, key = with_passkey(suite, client, person)
    etag = admin.get(f"/v1/people/{person['id']}").expect(200).etag
    etag = admin.patch(f"/v1/people/{person['id']}", {"status": "suspended"}, if_match=etag).expect(200).etag
    assert alone(suite, client, key)[1].status == 403
    admin.patch(f"/v1/people/{person['id']}", {"status": "active"}, if_match=etag).expect(200)
    flow, reply = alone(suite, client, key)
    assert "code" in flow.follow(reply)
    admin.delete(f"/v1/people/{person['id']}/factors").expect(204)
    assert alone(suite, client, key)[1].status == 403
    admin.delete(f"/v1/people/{person['id']}").expect(200, 202)
    assert alone(suite, client, key)[1].status == 403


def test_an_app_beside_it_still_works(suite, client, person):
    browser, key = with_passkey(suite, client, person)
    secret = enrol_second(browser)
    flow, reply = by_password(suite, client, person)
    page = flow.browser.get(reply.location)
    assert "code" in page.page().inputs and Form(page.text).options["allowCredentials"]
    done = show_code(flow, reply, app_code(secret))
    assert claims(flow.exchange(flow.follow(done)["code"]).json()["access_token"])["acr"] == "2fa"


def test_as_many_as_there_may_be_with_the_longest_ids_still_sign_in(suite, client, person):
    flow, reply = by_password(suite, client, person)
    assert "code" in flow.follow(reply)
    longest = {"id_len": 1023, "flags": UV | BE | BS}
    keys = [Passkey(suite.url, **longest) for _ in range(20)]
    for key in keys:
        assert add(flow.browser, key, name="\u00e9\U0001f511\"&" * 15, transports="usb nfc ble hybrid internal cable a b c d e f").status in (200, 303)
    full = flow.browser.get("/account/factors")
    assert full.status == 200 and "as many second factors" in full.text and Form(full.text).options is None, full.text[:300]
    hidden = full.page().hidden
    assert flow.browser.post("/account/factors", {"csrf": hidden["csrf"], "action": "start"}).status == 409, "no app beside them"
    listed = suite.api(tokens_of(suite, client, flow.browser)["access_token"]).get("/v1/me/factors").expect(200).body["items"]
    assert len(listed) == 20
    for key in (keys[0], keys[-1]):
        flow, reply = by_password(suite, client, person)
        offered = form_at(flow.browser, reply.location).options["allowCredentials"]
        assert [one["id"] for one in offered] == [b64url(one.id) for one in keys]
        assert claims(flow.exchange(flow.follow(show(flow.browser, key, reply.location))["code"]).json()["access_token"])["acr"] == "phr"
    flow, _ = alone(suite, client, keys[7])
    removed = flow.browser.post("/account/factors", {"csrf": flow.browser.get("/account/factors").page().hidden["csrf"], "action": "remove", "factor": listed[3]["id"]})
    assert removed.status == 303
    assert add(flow.browser, Passkey(suite.url, **longest)).status == 303, "there is room for one again"


@pytest.mark.parametrize("sent, kept", [
    ("usb nfc smart-card", ["usb", "nfc", "smart-card"]), ("internal hybrid", ["internal", "hybrid"]), ("cable", ["cable"]), ("", None),
    ("usb  nfc", None), (" usb", None), ("usb ", None), ("USB", None), ("usb\"],\"x\":[\"", None), ("usb," + "x" * 96, None)],
    ids=["a card too", "two", "one that is not known yet", "none", "two blanks", "a blank before", "a blank behind", "capitals", "quotes", "too many"])
def test_how_a_passkey_is_reached_is_kept_as_a_hint(suite, client, person, sent, kept):
    flow, reply = by_password(suite, client, person)
    flow.follow(reply)
    key = Passkey(suite.url)
    assert add(flow.browser, key, transports=sent).status == 200
    flow, reply = by_password(suite, client, person)
    offered = form_at(flow.browser, reply.location).options["allowCredentials"]
    assert [one["id"] for one in offered] == [b64url(key.id)] and offered[0].get("transports") == kept
    assert "code" in flow.follow(show(flow.browser, key, reply.location))


def enrol_second(browser):
    """An app, for somebody who has a factor: no codes come along."""
    page = browser.get("/account/factors").page()
    shown = browser.post("/account/factors", {"csrf": page.hidden["csrf"], "action": "start"})
    secret = re.search(r"\b([A-Z2-7]{32})\b", shown.text)[1]
    done = browser.post("/account/factors", {**shown.page().hidden, "code": app_code(secret, -30)})
    assert done.status == 303, done.text[:200]
    return secret


@pytest.mark.parametrize("junk", ["", "AA", "!!!!", "A" * 1400])
def test_junk_is_refused_in_every_field(suite, client, person, junk):
    browser, key = with_passkey(suite, client, person)
    for field in ("credential", "client_data", "authenticator_data", "signature", "challenge", "user_handle", "csrf"):
        flow = Authorization(suite.info, client)
        form = form_at(flow.browser, flow.begin().location)
        answer = {**form.hidden, **key.get(form.options)}
        answer[field] = junk
        assert flow.browser.post(form.action, answer).status in (400, 403), field
    for field in ("client_data", "attestation", "challenge", "csrf"):
        form = form_at(browser, "/account/factors")
        answer = {**form.hidden, "name": "x", **Passkey(suite.url).create(form.options)}
        answer[field] = junk
        assert browser.post(form.action, answer).status in (400, 403), field
