# SPDX-License-Identifier: Apache-2.0
"""What a client may ask for beside a code: a resource (RFC 8707), a person (id_token_hint), a fresh sign-in (max_age, prompt); and what
access tokens say of themselves (RFC 9068)."""
import time
import urllib.parse

import pytest

import berth_flow
from berth_flow import Authorization, Browser, claims, header, token_request

ORDER = 41

NOT_RESOURCES = [
    "", "/", "/v1/", "/v1/book", "/v1/bookings/", "/v1/bookings?x=1", "/v1/bookings#x", "/v1//bookings", "/login", "/oauth2/token",
    "/V1/bookings", "/v1/bookings/{id}", ".evil.example", ":1", "/..", "%2fv1", "/v1/bookings\u0000"]


@pytest.fixture
def person(suite, slug):
    return suite.person(slug, "User")


def answer_of(reply):
    assert reply.status == 303 and reply.location, f"{reply.status}: {reply.text[:300]}"
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(reply.location).query))


def signed_in(suite, client, person, **parameters):
    """A flow whose browser is signed in, and the tokens that it gave."""
    flow = Authorization(suite.info, client, scope="openid offline_access berth", **parameters)
    reply = flow.exchange(flow.code(person["email"], person["password"])["code"])
    assert reply.status == 200, reply.text
    return flow, reply.json()


def refresh(suite, client, tokens, **more):
    return token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **more})


def refused(reply, error):
    assert reply.status == 400 and reply.json()["error"] == error, reply.text


def test_a_token_for_a_resource_opens_that_and_nothing_else(suite, client, person):
    _, tokens = signed_in(suite, client, person, resource=suite.url + "/v1/bookings")
    assert claims(tokens["access_token"])["aud"] == suite.url + "/v1/bookings"
    api = suite.api(tokens["access_token"])
    api.get("/v1/bookings").expect(200)
    for path in ("/v1/me", "/v1/whoami", "/v1/sites", "/oauth2/userinfo"):
        assert api.get(path).status == 401, path
    seen = Browser(suite.info).post("/oauth2/introspect", {"token": tokens["access_token"]}, headers=berth_flow.basic(client)).json()
    assert seen["active"] is True and seen["aud"] == suite.url + "/v1/bookings"


def test_without_a_resource_the_issuer_is_the_audience(suite, client, person):
    _, tokens = signed_in(suite, client, person)
    assert claims(tokens["access_token"])["aud"] == suite.url
    suite.api(tokens["access_token"]).get("/v1/whoami").expect(200)
    assert claims(tokens["id_token"])["aud"] == client["id"], "the ID token is for the client, whatever the access token is for"


def test_a_token_request_narrows_and_never_widens(suite, client, person):
    flow = Authorization(suite.info, client, scope="openid offline_access berth", resource=suite.url + "/v1/me")
    code = flow.code(person["email"], person["password"])["code"]
    for wider in ("", "/v1", "/v1/bookings"):
        refused(flow.exchange(code, resource=suite.url + wider), "invalid_target")
    tokens = flow.exchange(code, resource=suite.url + "/v1/me/factors")
    assert tokens.status == 200, "a refused resource does not spend the code: " + tokens.text
    assert claims(tokens.json()["access_token"])["aud"] == suite.url + "/v1/me/factors"
    again = refresh(suite, client, tokens.json())
    assert claims(again.json()["access_token"])["aud"] == suite.url + "/v1/me", "without a word a refresh gives what was granted"
    refused(refresh(suite, client, again.json(), resource=suite.url), "invalid_target")


def test_a_client_for_itself_may_narrow_too(suite, admin):
    made = admin.post("/v1/clients", {
        "name": "Machine", "kind": "confidential", "grants": ["client_credentials"], "permissions": ["site.read"]}).expect(201).body
    reply = token_request(suite.info, made, {"grant_type": "client_credentials", "resource": suite.url + "/v1/sites"})
    api = suite.api(reply.json()["access_token"])
    api.get("/v1/sites").expect(200)
    assert api.get("/v1/whoami").status == 401
    refused(token_request(suite.info, made, {"grant_type": "client_credentials", "resource": "https://other.example"}), "invalid_target")


def test_a_resource_that_is_none_is_an_invalid_target(suite, client):
    for path in NOT_RESOURCES:
        resource = suite.url + path if path else "https://other.example/v1"
        answer = answer_of(Authorization(suite.info, client, resource=resource).begin())
        assert answer.get("error") == "invalid_target" and "code" not in answer, f"{resource!r}: {answer}"
    flow = Authorization(suite.info, client, resource=suite.url + "/v1/bookings")
    query = urllib.parse.urlencode(flow.query) + "&" + urllib.parse.urlencode({"resource": suite.url + "/v1/me"})
    assert answer_of(flow.browser.get("/oauth2/authorize?" + query))["error"] == "invalid_target", "two at once"


def test_a_hint_of_the_person_who_is_signed_in_asks_for_nothing(suite, client, person):
    flow, tokens = signed_in(suite, client, person)
    again = Authorization(suite.info, client, browser=flow.browser, prompt="none", id_token_hint=tokens["id_token"])
    answer = answer_of(again.begin())
    assert "code" in answer and answer["iss"] == suite.url, answer
    identity = again.exchange(answer["code"]).json()["id_token"]
    assert claims(identity)["sub"] == person["id"] and claims(identity)["auth_time"] == claims(tokens["id_token"])["auth_time"]


def test_a_hint_of_somebody_else_is_never_answered_with_this_person(suite, slug, client, person):
    other = suite.new_person(slug)
    _, theirs = signed_in(suite, client, other)
    flow, _ = signed_in(suite, client, person)
    silent = Authorization(suite.info, client, browser=flow.browser, prompt="none", id_token_hint=theirs["id_token"])
    assert answer_of(silent.begin())["error"] == "login_required"
    asked = Authorization(suite.info, client, browser=flow.browser, id_token_hint=theirs["id_token"])
    answer = asked.follow(asked.submit(asked.login_page(asked.begin()), person["email"], person["password"]))
    assert answer["error"] == "login_required" and answer["state"] == asked.state and "code" not in answer
    meant = Authorization(suite.info, client, browser=flow.browser, id_token_hint=theirs["id_token"])
    assert "code" in meant.follow(meant.submit(meant.login_page(meant.begin()), other["email"], other["password"]))


def test_a_hint_that_this_client_was_not_given_is_refused(suite, slug, admin, client, person):
    _, tokens = signed_in(suite, client, person)
    second = admin.post("/v1/clients", {
        "name": "Second", "kind": "confidential", "redirect_uris": [client["redirect_uri"]]}).expect(201).body
    second["redirect_uri"] = client["redirect_uri"]
    _, theirs = signed_in(suite, second, person)
    head, body, signature = tokens["id_token"].split(".")
    for hint in (theirs["id_token"], tokens["access_token"], "x", f"{head}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA",
                 berth_flow.b64url(b'{"alg":"none","typ":"JWT"}') + f".{body}."):
        answer = answer_of(Authorization(suite.info, client, id_token_hint=hint).begin())
        assert answer["error"] == "invalid_request" and answer["iss"] == suite.url, answer


def test_max_age_and_prompt_ask_for_a_fresh_sign_in(suite, client, person):
    flow, _ = signed_in(suite, client, person)
    for more in ({"max_age": "0"}, {"prompt": "login"}, {"prompt": "select_account"}):
        fresh = Authorization(suite.info, client, browser=flow.browser, **more)
        begun = int(time.time())
        answer = fresh.follow(fresh.submit(fresh.login_page(fresh.begin()), person["email"], person["password"]))
        assert claims(fresh.exchange(answer["code"]).json()["id_token"])["auth_time"] >= begun - 1, more
    old = Authorization(suite.info, client, browser=flow.browser, max_age="3600")
    assert "code" in answer_of(old.begin())
    silent = Authorization(suite.info, client, browser=flow.browser, max_age="0", prompt="none")
    assert answer_of(silent.begin())["error"] == "login_required"
    for bad in ("none login", "register", "login none", "LOGIN"):
        assert answer_of(Authorization(suite.info, client, browser=flow.browser, prompt=bad).begin())["error"] == "invalid_request", bad


def test_every_answer_names_its_issuer(suite, client, person):
    """RFC 9207: a client of several servers sees whose answer it has, errors included."""
    flow, _ = signed_in(suite, client, person)
    for more in ({}, {"prompt": "none"}, {"scope": "no.such"}, {"max_age": "x"}, {"request": "e30."}, {"response_type": "token"}):
        answer = answer_of(Authorization(suite.info, client, browser=flow.browser, **more).begin())
        assert answer["iss"] == suite.url, f"{more}: {answer}"


def test_an_access_token_says_what_it_is_and_nothing_else_is_taken_for_one(suite, client, person):
    flow, tokens = signed_in(suite, client, person)
    said = claims(tokens["access_token"])
    assert header(tokens["access_token"])["typ"] == "at+jwt"
    assert said["iss"] == suite.url and said["sub"] == person["id"] and said["client_id"] == client["id"]
    assert said["exp"] > said["iat"] and said["jti"] and said["scope"] == tokens["scope"] and said["auth_time"] and said["acr"]
    assert header(tokens["id_token"])["typ"] == "JWT"
    for other in (tokens["id_token"], tokens["refresh_token"]):
        assert suite.api(other).get("/v1/whoami").status == 401
        seen = Browser(suite.info).post("/oauth2/introspect", {"token": other}, headers=berth_flow.basic(client)).json()
        assert seen == {"active": False} or seen["token_type"] == "refresh_token"


def test_discovery_lists_the_prompts_that_are_honoured(suite):
    document = suite.api().get("/.well-known/openid-configuration").expect(200).body
    assert set(document["prompt_values_supported"]) == {"none", "login", "consent", "select_account"}
