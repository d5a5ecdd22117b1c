# SPDX-License-Identifier: Apache-2.0
"""The same bad requests to the suite and to npm's oidc-provider: told to the same party, with the same error, or a reason stands here why not.

A verdict is `page` (told to the person, nobody is sent anywhere), `ok`, an error that the client is sent back with, or for the other endpoints an error
with its status; what a client does about an error hangs on these alone."""
import json
import re
import urllib.parse

import httpx
import pytest

import berth_flow
from berth_flow import b64url
from counterparts import query_of
from foreign_provider import ForeignProvider, registered, walk

ORDER = 48
REDIRECT = "https://app.example/callback"
VERIFIER, CHALLENGE = berth_flow.pkce()


class Server:
    """One of the two, as its clients see it: where its endpoints are, its client and how a person gets through."""

    def __init__(self, url, paths, clients, verify, person):
        self.url, self.paths, self.clients, self.verify, self.person = url, paths, clients, verify, person

    def client(self):
        return httpx.Client(verify=self.verify, timeout=30, trust_env=False, follow_redirects=False)

    def authorize(self, changes, browser=None):
        query = {"client_id": self.clients["code"]["id"], "redirect_uri": REDIRECT, "response_type": "code", "scope": "openid", "state": "s", "nonce": "n",
                 "code_challenge": CHALLENGE, "code_challenge_method": "S256", **changes}
        pairs = [(name, one) for name, value in query.items() if value is not None for one in (value if isinstance(value, list) else [value])]
        with browser or self.client() as sender:
            return sender.get(self.url + self.paths["authorize"] + "?" + urllib.parse.urlencode(pairs))

    def authorize_verdict(self, changes):
        reply = self.authorize(changes)
        where = reply.headers.get("location", "")
        if where.startswith(REDIRECT):
            answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(where).query or urllib.parse.urlsplit(where).fragment))
            return answer.get("error", "ok")
        if reply.status_code >= 400:
            return "page"
        assert reply.status_code in (302, 303) and (where.startswith("/") or where.startswith(self.url)), f"{reply.status_code} {where}"
        return "ok"         # on to the person

    def code(self):
        """A fresh code: the person signs in and agrees, on whatever pages there are."""
        query = {"client_id": self.clients["code"]["id"], "redirect_uri": REDIRECT, "response_type": "code", "scope": "openid", "state": "s",
                 "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        with self.client() as browser:
            return query_of(walk(browser, self.url + self.paths["authorize"] + "?" + urllib.parse.urlencode(query), REDIRECT, self.person))["code"]

    def post(self, endpoint, form, client="code", **more):
        headers = {}
        if client:
            headers = berth_flow.basic({**self.clients[client], **more})
        pairs = [(name, one) for name, value in form.items() if value is not None for one in (value if isinstance(value, list) else [value])]
        with self.client() as sender:
            return sender.post(self.url + self.paths[endpoint], content=urllib.parse.urlencode(pairs), headers={**headers, "Content-Type": "application/x-www-form-urlencoded"})

    def post_verdict(self, endpoint, form, client="code", **more):
        reply = self.post(endpoint, form, client, **more)
        body = reply.json() if reply.content else {}
        return "ok" if reply.status_code == 200 else f"{body['error']} {reply.status_code}"

    def exchange_form(self, changes):
        return {"grant_type": "authorization_code", "code": self.code(), "redirect_uri": REDIRECT, "code_verifier": VERIFIER, **changes}


@pytest.fixture(scope="module")
def ours(suite, slug):
    admin, person = suite.as_role(slug, "Admin"), suite.new_person(slug)
    made = {name: admin.post("/v1/clients", {"name": name, "kind": "confidential", "redirect_uris": [REDIRECT, f"{REDIRECT}/second"], "grants": grants}).expect(201).body
            for name, grants in (("code", ["authorization_code", "refresh_token"]), ("other", ["authorization_code"]))}
    paths = {"authorize": "/oauth2/authorize", "token": "/oauth2/token", "introspect": "/oauth2/introspect", "revoke": "/oauth2/revoke", "userinfo": "/oauth2/userinfo"}
    return Server(suite.url, paths, made, suite.info["ca"], {"email": person["email"], "password": person["password"]})


@pytest.fixture(scope="module")
def theirs(suite, tmp_path_factory):
    made = [registered("code", REDIRECT, f"{REDIRECT}/second"), {**registered("other", REDIRECT), "grant_types": ["authorization_code"]}]
    clients = {one["client_id"]: {"id": one["client_id"], "secret": one["client_secret"]} for one in made}
    paths = {"authorize": "/auth", "token": "/token", "introspect": "/token/introspection", "revoke": "/token/revocation", "userinfo": "/me"}
    with ForeignProvider(suite, tmp_path_factory.mktemp("peer"), made) as provider:
        yield Server(provider.url, paths, clients, suite.info["ca"], {})


AUTHORIZE = {
    "a good one": {}, "no client": {"client_id": None}, "an unknown client": {"client_id": "nobody"}, "no redirect URI": {"redirect_uri": None},
    "another redirect URI": {"redirect_uri": "https://evil.example/"}, "a redirect URI with more": {"redirect_uri": REDIRECT + "/x"}, "no response type": {"response_type": None},
    "an unknown response type": {"response_type": "nothing"}, "the implicit flow": {"response_type": "id_token"}, "the hybrid flow": {"response_type": "code id_token"},
    "no challenge": {"code_challenge": None, "code_challenge_method": None}, "plain PKCE": {"code_challenge_method": "plain"}, "a method that is none": {"code_challenge_method": "S512"},
    "a challenge without its method": {"code_challenge_method": None}, "a short challenge": {"code_challenge": "short"}, "prompt none, nobody there": {"prompt": "none"},
    "prompt none and more": {"prompt": "none login"}, "an unknown prompt": {"prompt": "nothing"}, "max_age that is no number": {"max_age": "x"}, "max_age below zero": {"max_age": "-1"},
    "a hint that is no token": {"id_token_hint": "x.y.z"}, "a request object": {"request": "e30.e30."}, "a request by reference": {"request_uri": "https://app.example/request"},
    "an unknown response mode": {"response_mode": "nothing"}, "a parameter twice": {"scope": ["openid", "openid"]}, "a scope of nothing known": {"scope": "nothing-known"},
    "a resource that is none": {"resource": "nothing"}, "a registration": {"registration": "{}"}}
TOKEN = {
    "no grant type": {"grant_type": None}, "an unknown grant type": {"grant_type": "nothing"}, "the password grant": {"grant_type": "password", "username": "x", "password": "x"},
    "a grant that it may not use": {"grant_type": "client_credentials"}, "no code": {"code": None}, "an unknown code": {"code": "x" * 43}, "no verifier": {"code_verifier": None},
    "another verifier": {"code_verifier": b64url(b"x" * 32)}, "a short verifier": {"code_verifier": "short"}, "no redirect URI": {"redirect_uri": None},
    "another redirect URI": {"redirect_uri": "https://evil.example/"}, "a parameter twice": {"grant_type": ["authorization_code", "authorization_code"]},
    "no refresh token": {"grant_type": "refresh_token", "code": None}, "an unknown refresh token": {"grant_type": "refresh_token", "refresh_token": "x" * 43}}
# What we answer instead, and why.
REASONS = {
    "authorize: the implicit flow": ("unsupported_response_type", "the suite has no such flow, and RFC 6749 section 4.1.2.1 has a name for that; theirs has it, and this client may not use it"),
    "authorize: the hybrid flow": ("unsupported_response_type", "as the implicit flow"),
    "authorize: an unknown response mode": ("invalid_request", "RFC 6749 section 4.1.2.1: a value of a parameter that is not supported; unsupported_response_mode is no name of RFC 6749 or OpenID Connect Core"),
    "authorize: a scope of nothing known": ("invalid_scope", "RFC 6749 section 4.1.2.1: unknown; theirs lets go of what it does not know, and then misses openid"),
    "token: a grant that it may not use": ("unauthorized_client 400", "the grant exists and is not this client's (RFC 6749 section 5.2); with them it is switched off for all"),
    "token: a short verifier": ("invalid_grant 400", "RFC 7636 section 4.6 wants this of a verifier that does not fit, whatever it looks like"),
    "token: no redirect URI": ("invalid_grant 400", "whether one is due depends on the code, so it is judged with it: none is another than the one it was asked with"),
    "flow: no_authentication": ("invalid_client 401", "RFC 6749 section 5.2: no client authentication included"),
    "flow: introspection_by_nobody": ("invalid_client 401", "RFC 7662 section 2.1 wants authorization, and 2.3 answers 401 without"),
    "flow: revocation_by_nobody": ("invalid_client 401", "RFC 7009 section 2.2.1 answers as RFC 6749 section 5.2"),
}


def judged(name, our, their):
    if name in REASONS:
        expected, why = REASONS[name]
        assert our == expected and our != their, f"{name}: {our}, theirs {their}; the reason was: {why}"
    else:
        assert our == their, f"{name}: ours {our}, theirs {their}, and no reason is written down"


@pytest.mark.parametrize("name", AUTHORIZE)
def test_authorization_requests(ours, theirs, name):
    judged(f"authorize: {name}", ours.authorize_verdict(AUTHORIZE[name]), theirs.authorize_verdict(AUTHORIZE[name]))


@pytest.mark.parametrize("name", TOKEN)
def test_token_requests(ours, theirs, name):
    verdicts = [server.post_verdict("token", server.exchange_form(TOKEN[name])) for server in (ours, theirs)]
    judged(f"token: {name}", *verdicts)


def of_another_client(server):
    return server.post_verdict("token", server.exchange_form({}), "other")


def wrong_secret(server):
    return server.post_verdict("token", server.exchange_form({}), secret="wrong")


def no_authentication(server):
    return server.post_verdict("token", server.exchange_form({}), None)


def in_header_and_body(server):
    return server.post_verdict("token", server.exchange_form({"client_id": server.clients["code"]["id"], "client_secret": server.clients["code"]["secret"]}))


def a_good_code(server):
    return server.post_verdict("token", server.exchange_form({}))


def a_code_twice(server):
    form = server.exchange_form({})
    assert server.post_verdict("token", form) == "ok"
    return server.post_verdict("token", form)


def tokens_after_a_replay(server):
    form = server.exchange_form({})
    tokens = server.post("token", form).json()
    server.post("token", form)
    return server.post_verdict("token", {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})


def a_rotated_refresh_token_long_after(server):
    tokens = server.post("token", server.exchange_form({})).json()
    first, last = tokens["refresh_token"], tokens["refresh_token"]
    for _ in range(2):
        last = server.post("token", {"grant_type": "refresh_token", "refresh_token": last}).json().get("refresh_token", last)
    return server.post_verdict("token", {"grant_type": "refresh_token", "refresh_token": first})


def more_scope_than_granted(server):
    tokens = server.post("token", server.exchange_form({})).json()
    return server.post_verdict("token", {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "scope": "openid offline_access email"})


def introspection_by_nobody(server):
    return server.post_verdict("introspect", {"token": "x"}, None)


def introspection_of_nothing(server):
    return server.post_verdict("introspect", {})


def introspection_of_an_unknown_token(server):
    return json.dumps(server.post("introspect", {"token": "x" * 43}).json())


def revocation_by_nobody(server):
    return server.post_verdict("revoke", {"token": "x"}, None)


def revocation_of_nothing(server):
    return server.post_verdict("revoke", {})


def revocation_of_an_unknown_token(server):
    return server.post_verdict("revoke", {"token": "x" * 43})


def challenge(server, token):
    with server.client() as sender:
        reply = sender.get(server.url + server.paths["userinfo"], headers={"Authorization": f"Bearer {token}"} if token else {})
    error = re.search(r'error="([a-z_]+)"', reply.headers.get("www-authenticate", ""))
    return f"{reply.status_code} {error and error[1]}"


def userinfo_by_nobody(server):
    return challenge(server, None)


def userinfo_by_a_token_that_is_none(server):
    return challenge(server, "x" * 43)


FLOWS = [a_good_code, of_another_client, wrong_secret, no_authentication, in_header_and_body, a_code_twice, tokens_after_a_replay, a_rotated_refresh_token_long_after,
         more_scope_than_granted, introspection_by_nobody, introspection_of_nothing, introspection_of_an_unknown_token, revocation_by_nobody, revocation_of_nothing,
         revocation_of_an_unknown_token, userinfo_by_nobody, userinfo_by_a_token_that_is_none]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
def test_flows(ours, theirs, flow):
    judged(f"flow: {flow.__name__}", flow(ours), flow(theirs))
