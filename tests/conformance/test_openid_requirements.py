# SPDX-License-Identifier: Apache-2.0
"""What OpenID Connect Core 1.0 and Discovery 1.0 demand of a provider in the basic and config profiles: each requirement with the tests that hold it; those that no
other file has are here."""
import json
import pathlib
import re
import secrets
import time
import urllib.parse

import httpx
import pytest
from authlib.jose import JsonWebKey, JsonWebToken

import jose_table
from berth_flow import Authorization, Browser, claims, header, token_request
from berth_jose import P256, compact
from berth_suite import wait_for

ORDER = 48
HERE = pathlib.Path(__file__).resolve()

# (section of Core, or of Discovery after a D, what it demands, tests that hold it: of this file, or file::test)
REQUIREMENTS = [
    ("2", "an ID token has iss, sub, aud, exp and iat, each in its form; it is signed, and never by `none`", "test_an_id_token_is_whole"),
    ("2", "auth_time stands there when max_age asks for it; acr and amr say what was done", "test_max_age_brings_the_time_of_the_sign_in", "test_oauth::test_tokens_say_when_and_how_the_person_signed_in"),
    ("2", "the nonce of the request stands in the ID token, unchanged", "test_the_nonce_is_copied_to_the_letter"),
    ("2", "headers of ID tokens point to no key: x5u, x5c, jku and jwk are not used", "test_an_id_token_is_whole"),
    ("3.1.2.1", "GET and POST are taken at the authorization endpoint", "test_oauth_pushed::test_a_request_may_be_posted", "test_oauth_pushed::test_a_posted_request_is_judged_like_any_other"),
    ("3.1.2.1", "a request without the scope openid is no OpenID Connect request", "test_without_openid_there_is_no_id_token"),
    ("3.1.2.1", "response_type, client_id and redirect_uri are required", "test_oauth::test_a_bad_authorization_request_is_told_to_the_client", "test_oauth::test_an_unknown_client_is_told_on_a_page", "test_peer_comparison::test_authorization_requests"),
    ("3.1.2.1", "the redirect URI is one that is registered, by comparison of strings", "test_oauth::test_a_redirect_uri_that_is_almost_right_is_refused_on_a_page"),
    ("3.1.2.1", "display, ui_locales, claims_locales, acr_values and whatever is not known are no reason for an error", "test_what_is_not_understood_is_no_error"),
    ("3.1.2.1", "prompt: none shows no page and ends in an error where one is due, and goes with no other value", "test_prompt_none_shows_no_page", "test_oauth_requests::test_max_age_and_prompt_ask_for_a_fresh_sign_in"),
    ("3.1.2.1", "prompt: login asks again, consent asks for consent, select_account for an account", "test_oauth_requests::test_max_age_and_prompt_ask_for_a_fresh_sign_in", "test_oauth_consent::test_prompt_consent_asks_again_and_own_clients_too"),
    ("3.1.2.1", "max_age: whoever signed in longer ago does so again", "test_oauth_requests::test_max_age_and_prompt_ask_for_a_fresh_sign_in"),
    ("3.1.2.1", "id_token_hint: the answer is to that person, or login_required", "test_oauth_requests::test_a_hint_of_somebody_else_is_never_answered_with_this_person", "test_oauth_requests::test_a_hint_of_the_person_who_is_signed_in_asks_for_nothing"),
    ("3.1.2.1", "id_token_hint: an ID token that has ended is still a hint", "test_a_hint_outlives_its_id_token"),
    ("3.1.2.2", "a request is checked whole, and what it does not keep to is told", "test_oauth::test_a_bad_authorization_request_is_told_to_the_client", "test_oauth::test_a_parameter_twice_is_refused"),
    ("3.1.2.2", "a parameter without a value is none (RFC 6749 sections 3.1 and 3.2)", "test_what_is_not_understood_is_no_error", "test_a_parameter_without_a_value_is_as_if_it_were_not_there"),
    ("3.1.2.3", "forms are safe from other sites and frames", "test_oauth::test_the_login_form_needs_its_own_token", "test_oauth_pages::test_no_page_can_be_framed_or_tells_its_address"),
    ("3.1.2.4", "nothing is released before the person agrees", "test_oauth_consent::test_nothing_is_given_before_the_person_agrees", "test_oauth_consent::test_who_refuses_gives_nothing"),
    ("3.1.2.5", "the answer comes in the query, after what the redirect URI has there; state as it was", "test_the_answer_keeps_the_query_of_the_redirect_uri", "test_oauth_pages::test_state_is_handed_back_and_never_understood"),
    ("3.1.2.6", "errors go back by their names with state: login_required, consent_required, request_not_supported, request_uri_not_supported, registration_not_supported", "test_oauth::test_a_bad_authorization_request_is_told_to_the_client", "test_oauth_consent::test_nothing_is_given_before_the_person_agrees"),
    ("3.1.2.6", "where the redirect URI is none, nobody is sent anywhere", "test_oauth::test_a_redirect_uri_that_is_almost_right_is_refused_on_a_page"),
    ("3.1.3.2", "the client proves itself by what it is registered with", "test_oauth::test_a_wrong_client_secret_is_401", "test_client_assertions::test_a_client_proves_itself_only_by_what_it_registered"),
    ("3.1.3.2", "a code is its client's, good once, and with the redirect URI that it was asked with", "test_oauth::test_a_code_belongs_to_its_client", "test_oauth::test_fifty_exchanges_of_one_code_give_one_token_and_a_replay_revokes_it", "test_oauth::test_a_code_is_exchanged_only_as_it_was_asked"),
    ("3.1.3.3", "tokens come as JSON that nobody stores, token_type Bearer, with an ID token", "test_answers_of_the_token_endpoint_are_json_that_nobody_stores"),
    ("3.1.3.4", "errors of the token endpoint come as JSON with 400, or with 401 and a challenge", "test_answers_of_the_token_endpoint_are_json_that_nobody_stores"),
    ("5.1", "claims have their types, and none is there that has no value", "test_userinfo_is_the_persons_and_the_scopes"),
    ("5.3", "GET and POST are taken at UserInfo, with a Bearer token", "test_userinfo_is_the_persons_and_the_scopes"),
    ("5.3.1", "the token comes by the header, and in no second way", "test_a_token_comes_to_userinfo_by_its_header_alone"),
    ("5.3.2", "sub is always there, and that of the ID token", "test_userinfo_is_the_persons_and_the_scopes"),
    ("5.3.3", "errors of UserInfo are those of RFC 6750", "test_errors_of_userinfo_are_those_of_bearer_tokens"),
    ("5.4", "a scope asks for its claims and no others", "test_userinfo_is_the_persons_and_the_scopes"),
    ("5.5", "the parameter claims is optional: said so, and no error", "test_what_is_not_understood_is_no_error", "test_discovery_is_whole"),
    ("6", "request and request_uri are optional: said so, and refused by name", "test_oauth::test_a_bad_authorization_request_is_told_to_the_client", "test_discovery_is_whole"),
    ("7.2.1", "registration is for other providers: refused by name", "test_oauth::test_a_bad_authorization_request_is_told_to_the_client", "test_oauth_pushed::test_what_would_be_refused_is_refused_when_it_is_pushed"),
    ("8", "subjects are public: one sub for all clients, nobody else's", "test_sub_is_the_same_for_every_client"),
    ("9", "client_secret_basic, client_secret_post, private_key_jwt, none", "test_counterparts::test_openid_client"),
    ("10.1", "ID tokens are signed by a published key, named by kid; RS256 where the client wants it", "test_id_tokens_verify_by_the_published_keys"),
    ("10.1.1", "keys rotate, and old tokens verify meanwhile", "test_counterparts::test_openid_client"),
    ("11", "offline_access needs consent, but of clients of the tenant's own", "test_oauth_consent::test_nothing_is_given_before_the_person_agrees", "test_offline_access_of_ones_own_client_asks_for_nothing"),
    ("12.1", "a refresh token is its client's", "test_a_refresh_token_belongs_to_its_client"),
    ("12.2", "a refresh says nothing else of the person than the sign-in did", "test_a_refresh_says_what_the_sign_in_said"),
    ("15.1", "RS256, prompt, display, ui_locales, auth_time, max_age, acr_values", "test_id_tokens_verify_by_the_published_keys", "test_what_is_not_understood_is_no_error", "test_max_age_brings_the_time_of_the_sign_in"),
    ("16.17", "TLS at every endpoint, as BCP 195 wants it", "test_edge_tls::test_old_versions_are_refused", "test_discovery_is_whole"),
    ("D 3", "the document has its required members and tells the truth", "test_discovery_is_whole", "test_oauth::test_metadata_of_both_kinds_agree_with_the_server"),
    ("D 3", "jwks_uri: keys to verify, without a private part", "test_the_published_keys_are_public_and_told_apart"),
    ("D 4", "the document is at the issuer and /.well-known/openid-configuration", "test_discovery_is_whole"),
    ("D 4.2", "200 and application/json, lists as arrays, nothing empty", "test_discovery_is_whole"),
    ("D 4.3", "issuer is where it was asked for, and the iss of ID tokens", "test_discovery_is_whole", "test_an_id_token_is_whole"),
]
NOT_HERE = {
    "3.2, 3.3": "neither the implicit nor the hybrid flow, which RFC 9700 section 2.1.2 advises against: unsupported_response_type",
    "4": "sign-ins begun by a third party are a matter of clients",
    "5.2, 5.6.2": "no claims in several languages and none of others",
    "5.3.1": "a token in a form, which RFC 6750 section 2.2 leaves to the resource: the header alone",
    "10.2": "nothing is encrypted but by TLS",
    "15.2": "clients are registered by an Admin, so nothing is dynamic", "D 2": "WebFinger is optional: an issuer is configured"}


def test_each_requirement_has_a_test_that_is_there():
    known = {path.stem: set(re.findall(r"^def (test_\w+)", path.read_text(), re.M)) for folder in ("conformance", "scenarios") for path in (HERE.parents[1] / folder).glob("test_*.py")}
    named = set()
    for section, what, *tests in REQUIREMENTS:
        assert tests, f"{section}: {what}"
        for test in tests:
            file, _, name = test.rpartition("::")
            assert name in known.get(file or HERE.stem, ()), f"{section}, {what}: there is no {test}"
            named.add(test)
    own = known[HERE.stem] - {"test_each_requirement_has_a_test_that_is_there"}
    assert own <= named, f"for no requirement: {own - named}"


@pytest.fixture
def document(suite):
    return suite.api().get("/.well-known/openid-configuration").expect(200).body


def registered(suite, slug, redirect_uri=None, **fields):
    uri = redirect_uri or suite.tenants[slug]["client"]["redirect_uri"]
    made = suite.as_role(slug, "Admin").post("/v1/clients", {"name": f"Profile {secrets.token_hex(3)}", "kind": "confidential", "redirect_uris": [uri], **fields}).expect(201).body
    return {**made, "redirect_uri": uri}


def signed_in(suite, client, person, scope="openid profile email", browser=None, **more):
    flow = Authorization(suite.info, client, scope=scope, browser=browser, **more)
    begun = flow.begin()
    answer = flow.follow(begun if browser else flow.submit(flow.login_page(begun), person["email"], person["password"]))
    reply = flow.exchange(answer["code"])
    assert reply.status == 200, reply.text
    return flow, reply.json()


def answer_of(reply):
    assert reply.status == 303, f"{reply.status} {reply.text[:200]}"
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(reply.location).query))


def get(suite, path, **head):
    return httpx.get(suite.url + path, headers=head, verify=suite.info["ca"], trust_env=False, timeout=30)


# -- ID tokens

def test_an_id_token_is_whole(suite, client, person, document):
    _, tokens = signed_in(suite, client, person)
    said, head = claims(tokens["id_token"]), header(tokens["id_token"])
    assert said["iss"] == document["issuer"]
    assert isinstance(said["sub"], str) and 0 < len(said["sub"]) <= 255 and said["sub"].isascii()
    assert said["aud"] in (client["id"], [client["id"]]) and said.get("azp", client["id"]) == client["id"]
    assert all(type(said[name]) is int for name in ("exp", "iat", "auth_time")) and said["auth_time"] <= said["iat"] + 1 < said["exp"]
    assert isinstance(said["acr"], str) and all(isinstance(method, str) for method in said["amr"])
    assert head["alg"] in document["id_token_signing_alg_values_supported"] and head["kid"] and not set(head) & {"x5u", "x5c", "jku", "jwk"}


@pytest.mark.parametrize("nonce", ["n", "é \u4e16 \U0001f600", "a+b%20&c=d#e\"\\", "x" * 255, " padded ", None], ids=repr)
def test_the_nonce_is_copied_to_the_letter(suite, client, person, nonce):
    _, tokens = signed_in(suite, client, person, nonce=nonce)
    assert claims(tokens["id_token"]).get("nonce") == nonce


def test_max_age_brings_the_time_of_the_sign_in(suite, client, person):
    flow, first = signed_in(suite, client, person)
    _, second = signed_in(suite, client, person, browser=flow.browser, max_age="3600")
    assert claims(second["id_token"])["auth_time"] == claims(first["id_token"])["auth_time"] <= claims(second["id_token"])["iat"]


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_id_tokens_verify_by_the_published_keys(suite, slug, person, document, alg):
    _, tokens = signed_in(suite, registered(suite, slug, id_token_alg=alg), person)
    published = get(suite, urllib.parse.urlsplit(document["jwks_uri"]).path).json()
    assert [key["alg"] for key in published["keys"] if key["kid"] == header(tokens["id_token"])["kid"]] == [alg]
    said = JsonWebToken([alg]).decode(tokens["id_token"], JsonWebKey.import_key_set(published), claims_options={"iss": {"essential": True, "value": document["issuer"]}})
    said.validate()


def test_without_openid_there_is_no_id_token(suite, client, person):
    _, tokens = signed_in(suite, client, person, scope="berth")
    assert "id_token" not in tokens and tokens["access_token"]
    reply = get(suite, "/oauth2/userinfo", Authorization=f"Bearer {tokens['access_token']}")
    assert reply.status_code == 403 and 'error="insufficient_scope"' in reply.headers["www-authenticate"]


def test_sub_is_the_same_for_every_client(suite, slug, client, person):
    flow, first = signed_in(suite, client, person)
    _, second = signed_in(suite, registered(suite, slug), person, browser=flow.browser)
    _, other = signed_in(suite, client, suite.new_person(slug))
    assert claims(first["id_token"])["sub"] == claims(second["id_token"])["sub"] != claims(other["id_token"])["sub"]


# -- the authorization endpoint

@pytest.mark.parametrize("more", [{"display": "page"}, {"display": "popup"}, {"display": "nothing"}, {"ui_locales": "tlh x-none fr"}, {"claims_locales": "tlh"}, {"acr_values": "nobody-knows"},
                                  {"login_hint": "nobody@nowhere.example"}, {"unknown": "parameter"}, {"claims": json.dumps({"userinfo": {"email": {"essential": True}}})}, 
                                  # RFC 6749 section 3.1: without a value as if it were not there.
                                  {"id_token_hint": ""}, {"prompt": ""}, {"max_age": ""}, {"acr_values": ""}, {"login_hint": ""}, {"response_mode": ""}, {"request": ""}, {"request_uri": ""},
                                  {"registration": ""}, {"resource": ""}, {"dpop_jkt": ""}, {"ui_locales": ""}], ids=str)
def test_what_is_not_understood_is_no_error(suite, client, person, more):
    asked = Authorization(suite.info, client, scope="openid", **more)
    assert "code" in asked.follow(asked.submit(asked.login_page(asked.begin()), person["email"], person["password"]))
    again = Authorization(suite.info, client, scope="openid", browser=asked.browser, **more)
    assert "code" in answer_of(again.begin())


def test_prompt_none_shows_no_page(suite, slug, client, person):
    nobody = Authorization(suite.info, client, prompt="none")
    assert answer_of(nobody.begin())["error"] == "login_required"
    flow, _ = signed_in(suite, client, person)
    assert "code" in answer_of(Authorization(suite.info, client, browser=flow.browser, prompt="none").begin())
    stranger = registered(suite, slug, third_party=True)
    reply = Authorization(suite.info, stranger, browser=flow.browser, prompt="none").begin()
    assert answer_of(reply)["error"] == "consent_required"


def test_a_hint_outlives_its_id_token(suite, client, person):
    """It says who is meant, not that somebody is signed in. What we sign with a published key stands for an old ID token."""
    flow, tokens = signed_in(suite, client, person)
    now, good = int(time.time()), claims(tokens["id_token"])

    def answered(key, **changes):
        hint = compact(key, {**good, **changes}, header={"alg": key.alg, "typ": "JWT", "kid": key.kid})
        return answer_of(Authorization(suite.info, client, browser=flow.browser, prompt="none", id_token_hint=hint).begin())
    with jose_table.known_key(suite, P256) as key:
        wait_for(lambda: "code" in answered(key), 60, "the knowledge of the key")
        assert "code" in answered(key, iat=now - 90000, exp=now - 86400)
        assert answered(key, iss="https://other.example")["error"] == answered(P256("nobody"))["error"] == "invalid_request"


def test_the_answer_keeps_the_query_of_the_redirect_uri(suite, slug, person):
    uri = "https://app.example/cb?site=1&name=a%20b"
    flow = Authorization(suite.info, registered(suite, slug, uri))
    reply = flow.submit(flow.login_page(flow.begin()), person["email"], person["password"])
    assert reply.status == 303 and reply.location.startswith(uri + "&"), reply.location
    answer = urllib.parse.parse_qs(urllib.parse.urlsplit(reply.location).query, strict_parsing=True)
    assert (answer["site"], answer["name"], answer["state"], len(answer["code"])) == (["1"], ["a b"], [flow.state], 1)
    assert flow.exchange(answer["code"][0]).status == 200


# -- the token endpoint

def test_answers_of_the_token_endpoint_are_json_that_nobody_stores(suite, client, person):
    flow = Authorization(suite.info, client, scope="openid")
    code = flow.code(person["email"], person["password"])["code"]
    wrong = {**client, "secret": "x" * 43}
    replies = [(flow.exchange(code), 200), (flow.exchange(code), 400), (token_request(suite.info, client, {"grant_type": "nothing"}), 400),
               (token_request(suite.info, wrong, {"grant_type": "authorization_code", "code": code}), 401)]
    for reply, status in replies:
        assert reply.status == status and reply.headers["Content-Type"].partition(";")[0] == "application/json" and "no-store" in reply.headers["Cache-Control"]
        assert ("error" in reply.json()) == (status != 200)
    tokens = replies[0][0].json()
    assert tokens["token_type"].lower() == "bearer" and type(tokens["expires_in"]) is int and tokens["id_token"] and tokens["access_token"]
    assert replies[3][0].headers["WWW-Authenticate"].startswith("Basic ") and replies[3][0].json()["error"] == "invalid_client"


def test_a_parameter_without_a_value_is_as_if_it_were_not_there(suite, client, person):
    """RFC 6749 section 3.2; and twice is still twice."""
    flow = Authorization(suite.info, client, scope="openid berth")
    code = flow.code(person["email"], person["password"])["code"]
    assert flow.exchange(code, grant_type="").json()["error"] == "invalid_request"
    empty = {name: "" for name in ("scope", "resource", "client_assertion", "client_assertion_type", "refresh_token", "device_code", "client_id", "client_secret")}
    tokens = flow.exchange(code, **empty)
    assert tokens.status == 200, tokens.text
    asked = Authorization(suite.info, client)
    for query in (urllib.parse.urlencode(asked.query) + "&scope=", "state=&" + urllib.parse.urlencode(asked.query)):
        assert answer_of(asked.browser.get("/oauth2/authorize?" + query))["error"] == "invalid_request"


def test_a_refresh_token_belongs_to_its_client(suite, slug, client, person):
    _, tokens = signed_in(suite, client, person)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    for other in (registered(suite, slug), {**client, "secret": "x" * 43}):
        assert token_request(suite.info, other, form).json()["error"] in ("invalid_grant", "invalid_client")
    assert token_request(suite.info, client, form).status == 200, "and nobody took it away"


def test_a_refresh_says_what_the_sign_in_said(suite, client, person):
    _, tokens = signed_in(suite, client, person, scope="openid berth")
    reply = token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})
    later = reply.json()
    for name in ("iss", "sub", "sid", "auth_time", "acr", "amr", "client_id"):
        assert claims(later["access_token"])[name] == claims(tokens["access_token"])[name], name
    first, second = claims(tokens["id_token"]), claims(later["id_token"])
    assert all(first[name] == second[name] for name in ("iss", "sub", "aud", "auth_time")) and second["iat"] >= first["iat"] and "nonce" not in second


def test_offline_access_of_ones_own_client_asks_for_nothing(suite, client, person):
    flow, _ = signed_in(suite, client, person)
    answer = answer_of(Authorization(suite.info, client, browser=flow.browser, scope="openid offline_access").begin())
    assert "code" in answer, "it was registered by an Admin of the tenant"


# -- UserInfo

CLAIMS = {"openid": {"sub"}, "openid profile": {"sub", "name", "given_name", "family_name", "locale"}, "openid email": {"sub", "email", "email_verified"}}


@pytest.mark.parametrize("scope", CLAIMS)
def test_userinfo_is_the_persons_and_the_scopes(suite, client, person, scope):
    _, tokens = signed_in(suite, client, person, scope=scope)
    head = {"Authorization": f"Bearer {tokens['access_token']}"}
    read = get(suite, "/oauth2/userinfo", **head)
    posted = httpx.post(suite.url + "/oauth2/userinfo", headers=head, verify=suite.info["ca"], trust_env=False, timeout=30)
    for reply in (read, posted):
        assert reply.status_code == 200 and reply.headers["content-type"].partition(";")[0] == "application/json"
    said = read.json()
    assert said == posted.json() and set(said) == CLAIMS[scope] and said["sub"] == claims(tokens["id_token"])["sub"] == person["id"]
    for name, value in said.items():
        assert type(value) is (bool if name == "email_verified" else str) and value != "", f"{name}: {value!r}"
    expected = {name: person[name] for name in ("email", "given_name", "family_name")}
    assert {name: value for name, value in said.items() if name in expected} == {name: value for name, value in expected.items() if name in said}


def test_errors_of_userinfo_are_those_of_bearer_tokens(suite, client, person):
    _, tokens = signed_in(suite, client, person)
    bare = get(suite, "/oauth2/userinfo")
    assert bare.status_code == 401 and bare.headers["www-authenticate"].startswith("Bearer") and "error=" not in bare.headers["www-authenticate"]
    for token in ("x", tokens["id_token"], tokens["access_token"][:-6] + "AAAAAA"):
        reply = get(suite, "/oauth2/userinfo", Authorization=f"Bearer {token}")
        assert reply.status_code == 401 and 'error="invalid_token"' in reply.headers["www-authenticate"]


def test_a_token_comes_to_userinfo_by_its_header_alone(suite, client, person):
    """RFC 6750 section 2: one way in each request. Forms (2.2) may be taken and are not, addresses (2.3) must not be."""
    _, tokens = signed_in(suite, client, person)
    token = tokens["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    in_query = get(suite, f"/oauth2/userinfo?access_token={token}")
    assert in_query.status_code == 401, "tokens do not travel in addresses"
    in_form = Browser(suite.info).post("/oauth2/userinfo", {"access_token": token})
    assert in_form.status == 401 and "error=" not in in_form.headers["WWW-Authenticate"], "nor in forms: it is as if there were none"
    both = [get(suite, f"/oauth2/userinfo?access_token={one}", **header) for one in (token, "x", "a&access_token=b", "x" * 5000)]
    both += [httpx.post(suite.url + "/oauth2/userinfo", content=f"access_token={one}", verify=suite.info["ca"], trust_env=False, timeout=30,
                        headers={**header, "Content-Type": "application/x-www-form-urlencoded"}) for one in (token, "x", "a&access_token=b", "x" * 3900)]
    for reply in both:
        assert reply.status_code == 400 and reply.json()["error"] == "invalid_request", reply.text
    assert get(suite, "/oauth2/userinfo?access_token=", **header).status_code == 200, "a parameter without a value is none"
    assert get(suite, "/oauth2/userinfo?schema=openid", **header).status_code == 200, "what it does not know it passes over"


# -- discovery

REQUIRED = {"issuer": str, "authorization_endpoint": str, "token_endpoint": str, "userinfo_endpoint": str, "jwks_uri": str, "response_types_supported": list, "subject_types_supported": list,
            "id_token_signing_alg_values_supported": list, "scopes_supported": list, "claims_supported": list, "token_endpoint_auth_methods_supported": list}


def test_discovery_is_whole(suite):
    reply = get(suite, "/.well-known/openid-configuration")
    assert reply.status_code == 200 and reply.headers["content-type"].partition(";")[0] == "application/json"
    document = reply.json()
    for name, kind in REQUIRED.items():
        assert type(document[name]) is kind and document[name], name
    for name, value in document.items():
        assert value not in (None, "", [], {}), f"{name} is empty"
        assert not name.endswith("_supported") or type(value) in (list, bool), name
        assert type(value) is not list or all(isinstance(one, str) for one in value) and len(set(value)) == len(value), name
        assert not name.endswith(("_endpoint", "_uri")) or (value.startswith(suite.url + "/") and "#" not in value), name
    issuer = urllib.parse.urlsplit(document["issuer"])
    assert document["issuer"] == suite.url and issuer.scheme == "https" and not issuer.query and not issuer.fragment
    assert "RS256" in document["id_token_signing_alg_values_supported"] and "openid" in document["scopes_supported"] and "code" in document["response_types_supported"]
    for name in ("id_token_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported"):
        assert "none" not in document[name], name
    # What is false must be said where silence means true, and is said where it matters.
    assert document["request_uri_parameter_supported"] is document["request_parameter_supported"] is document["claims_parameter_supported"] is False
    assert get(suite, "/.well-known/openid-configuration/").status_code == 404
    assert Browser(suite.info).get(document["authorization_endpoint"]).status == 400, "there, and it misses a client"


def test_the_published_keys_are_public_and_told_apart(suite, document):
    reply = get(suite, urllib.parse.urlsplit(document["jwks_uri"]).path)
    keys = reply.json()["keys"]
    assert reply.status_code == 200 and len({key["kid"] for key in keys}) == len(keys) >= 3
    for key in keys:
        assert key["use"] == "sig" and key["alg"] and key["kty"] in ("RSA", "EC", "OKP") and not set(key) & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
