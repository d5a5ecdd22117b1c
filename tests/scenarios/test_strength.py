# SPDX-License-Identifier: Apache-2.0
"""What a sign-in is worth: each way of it and what tokens say then (acr, amr), each wish of a client (acr_values, max_age, prompt) and where it leads."""
import pytest

import berth_flow
from berth_factor import app_code, claims, show
from berth_flow import Authorization, Browser, token_request
from berth_passkey import BE, BS, UV, Passkey, add
from berth_passkey import show as show_key
from test_factors import enrolled, password_only
from test_passkeys import alone, with_passkey

ORDER = 47


def by_app(suite, client, person):
    _, secret, _ = enrolled(suite, client, person)
    flow, reply = password_only(suite, client, person)
    return flow, show(flow, reply, app_code(secret))


def by_recovery_code(suite, client, person):
    _, _, codes = enrolled(suite, client, person)
    flow, reply = password_only(suite, client, person)
    return flow, show(flow, reply, codes[0])


def by_passkey(suite, client, person, **about):
    _, key = with_passkey(suite, client, person, **about)
    return alone(suite, client, key)


def by_passkey_behind(suite, client, person, **about):
    _, key = with_passkey(suite, client, person, **about)
    flow, reply = password_only(suite, client, person)
    return flow, show_key(flow.browser, key, reply.location)


SYNCED = {"flags": UV | BE | BS}
WAYS = {
    "a password": (password_only, "1fa", ["pwd"]),
    "a password and an app": (by_app, "2fa", ["pwd", "otp", "mfa"]),
    "a password and a recovery code": (by_recovery_code, "2fa", ["pwd", "otp", "mfa"]),
    "a passkey": (by_passkey, "phr", ["hwk", "user", "mfa"]),
    "a passkey that may be copied": (lambda *about: by_passkey(*about, **SYNCED), "phr", ["swk", "user", "mfa"]),
    "a password and a passkey": (by_passkey_behind, "phr", ["pwd", "hwk", "user", "mfa"]),
    "a password and one that may be copied": (lambda *about: by_passkey_behind(*about, **SYNCED), "phr", ["pwd", "swk", "user", "mfa"]),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_says_what_was_shown(suite, client, person, way):
    """The same in each token, and after a refresh; to introspection, which has no amr, its class."""
    walk, acr, amr = WAYS[way]
    flow, reply = walk(suite, client, person)
    given = flow.exchange(flow.follow(reply)["code"]).json()
    refreshed = token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}).json()
    for token in (given["access_token"], given["id_token"], refreshed["access_token"]):
        assert (claims(token)["acr"], claims(token)["amr"]) == (acr, amr)
    seen = Browser(suite.info).post("/oauth2/introspect", {"token": refreshed["access_token"]}, headers=berth_flow.basic(client)).json()
    assert seen["acr"] == acr and seen["auth_time"] == claims(given["id_token"])["auth_time"]


def silently(suite, client, browser, **wish):
    flow = Authorization(suite.info, client, browser=browser, prompt="none", **wish)
    return flow.follow(flow.begin()).get("error")


# What is asked for, and whether a sign-in of each class is enough.
WISHES = {"1fa": (True, True, True), "2fa": (False, True, True), "phr": (False, False, True), "phr 2fa": (False, True, True), "2fa phr 1fa": (True, True, True),
          "nobody-knows": (True, True, True), "phr nobody-knows": (False, False, True), "": (True, True, True)}


def test_each_class_that_is_asked_for_is_given_or_told_to_be_missing(suite, slug, client):
    browsers = []
    for walk in (password_only, by_app, by_passkey):
        flow, reply = walk(suite, client, suite.new_person(slug))
        assert "code" in flow.follow(reply)
        browsers.append(flow.browser)
    for wish, enough in WISHES.items():
        for browser, is_enough in zip(browsers, enough):
            assert silently(suite, client, browser, acr_values=wish) == (None if is_enough else "unmet_authentication_requirements"), wish


def test_an_app_is_not_taken_for_what_cannot_be_phished(suite, client, person):
    """The client gets no code for it: the person is led to where a passkey is set up, and on from there."""
    _, secret, _ = enrolled(suite, client, person)
    flow, reply = password_only(suite, client, person, acr_values="phr")
    led = show(flow, reply, app_code(secret))
    assert led.status == 303 and led.location.startswith("/account/factors?resume="), led.location
    assert silently(suite, client, flow.browser, acr_values="phr") == "unmet_authentication_requirements"
    again = Authorization(suite.info, client, browser=flow.browser, acr_values="phr")
    asked = again.begin()
    assert asked.location.startswith("/login/factor?resume="), "who has signed in is asked for the factor alone"
    # The app once more, in its next step: still not enough.
    led = show(again, asked, app_code(secret, 30))
    assert led.location.startswith("/account/factors?resume="), f"{led.status} {led.location}"
    key = Passkey(suite.url)
    done = add(flow.browser, key, path=led.location)
    assert done.status == 303 and done.location.startswith("/login/factor?resume="), f"{done.status} {done.location}"
    token = claims(again.exchange(again.follow(done)["code"]).json()["id_token"])
    assert token["acr"] == "phr" and token["amr"] == ["pwd", "hwk", "user", "mfa"]


def test_a_wish_for_age_and_class_together_is_met_by_both(suite, client, person):
    """An old sign-in with a factor: max_age makes it be shown again, and what is shown then counts."""
    flow, reply = by_app(suite, client, person)
    assert "code" in flow.follow(reply)
    suite.sql("update auth.session s set auth_at = s.auth_at - interval '20 minutes', created_at = s.created_at - interval '20 minutes' "
              "from auth.person p where p.tenant_id = s.tenant_id and p.id = s.person_id and p.public_id = %s", person["id"])
    assert silently(suite, client, flow.browser, acr_values="2fa", max_age="3600") is None
    assert silently(suite, client, flow.browser, acr_values="2fa", max_age="900") == "login_required"
    assert silently(suite, client, flow.browser, acr_values="phr", max_age="900") == "unmet_authentication_requirements"
    assert Authorization(suite.info, client, browser=flow.browser, acr_values="2fa", max_age="900").begin().location.startswith("/login/factor")
    assert Authorization(suite.info, client, browser=flow.browser, max_age="900").begin().location.startswith("/login?")
