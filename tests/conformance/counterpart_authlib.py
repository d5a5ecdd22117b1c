# SPDX-License-Identifier: Apache-2.0
"""Authlib as a client: its own OpenID Connect application, put together as its integrations for web frameworks do, over httpx."""
import time

import authlib
import pytest
from authlib.integrations.base_client import BaseApp, FrameworkIntegration, OAuth2Mixin, OAuthError, OpenIDMixin
from authlib.integrations.base_client.errors import MismatchingStateError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.jose.errors import JoseError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.discovery import OpenIDProviderMetadata
from cryptography.hazmat.primitives import serialization

from berth_jose import RSA
from berth_logout import LogoutReceiver, judged, reachable
from berth_suite import wait_for
from counterparts import debian_version, header_of, query_of

CALLBACK = "https://authlib.example/callback"
NAME = "Authlib"


class App(OAuth2Mixin, OpenIDMixin, BaseApp):
    client_cls = OAuth2Client


def version():
    return f"{authlib.__version__} (Debian {debian_version('python3-authlib')})"


class Counterpart:
    def __init__(self, bench, _folder):
        self.bench = bench
        self.main = self.app(bench.client(CALLBACK))

    def close(self):
        pass

    def app(self, client, secret=None, methods=None, **more):
        kwargs = {"scope": "openid profile email", "code_challenge_method": "S256", "verify": self.bench.ca, "trust_env": False, **more}
        return App(FrameworkIntegration("berth"), "berth", client_id=client["id"], client_secret=secret or client.get("secret"), client_kwargs=kwargs,
                   client_auth_methods=methods, server_metadata_url=f"{self.bench.url}/.well-known/openid-configuration")

    def finish(self, app, begun, answer):
        return app.fetch_access_token(CALLBACK, authorization_response=answer, state=begun["state"], code_verifier=begun["code_verifier"])

    def sign_in(self, app, **more):
        """(tokens, claims that Authlib took from the ID token)"""
        begun = app.create_authorization_url(CALLBACK, **more)
        tokens = self.finish(app, begun, self.bench.consent(begun["url"], CALLBACK))
        return tokens, app.parse_id_token(tokens, begun["nonce"])

    def session(self, app):
        """The OAuth 2.0 client below the application."""
        return app.client_cls(client_id=app.client_id, client_secret=app.client_secret, **app.client_kwargs)

    def read_access_token(self, app, token):
        keys = JsonWebKey.import_key_set(app.fetch_jwk_set(force=True))
        claims = JsonWebToken(["EdDSA"]).decode(token, keys, claims_options={"iss": {"essential": True, "value": self.bench.url}})
        claims.validate()
        return claims


def discovery(peer):
    said = peer.app({"id": "x"}).load_server_metadata()
    assert said["issuer"] == peer.bench.url
    OpenIDProviderMetadata(said).validate()


def code(peer):
    tokens, claims = peer.sign_in(peer.main)
    assert claims["sub"] == peer.bench.person["id"] and claims["aud"] == peer.main.client_id and tokens["refresh_token"]


def rs256(peer):
    app = peer.app(peer.bench.client(CALLBACK, id_token_alg="RS256"))
    tokens, claims = peer.sign_in(app)
    assert claims["sub"] == peer.bench.person["id"]
    keys = JsonWebKey.import_key_set(app.fetch_jwk_set())
    assert JsonWebToken(["RS256"]).decode(tokens["id_token"], keys)["iss"] == peer.bench.url
    with pytest.raises(JoseError):
        JsonWebToken(["ES256"]).decode(tokens["id_token"], keys)


def public(peer):
    app = peer.app(peer.bench.client(CALLBACK, kind="public"), token_endpoint_auth_method="none")
    assert peer.sign_in(app)[1]["sub"] == peer.bench.person["id"]


def nonce_and_state(peer):
    begun = peer.main.create_authorization_url(CALLBACK)
    answer = peer.bench.consent(begun["url"], CALLBACK)
    assert query_of(answer)["state"] == begun["state"]
    with pytest.raises(Exception) as refusal:
        peer.finish(peer.main, {**begun, "state": "another"}, answer)
    assert isinstance(refusal.value, MismatchingStateError) or "state" in str(refusal.value)
    tokens = peer.finish(peer.main, begun, answer)
    assert peer.main.parse_id_token(tokens, begun["nonce"])["nonce"] == begun["nonce"]
    with pytest.raises(JoseError):
        peer.main.parse_id_token(tokens, "another")


def userinfo(peer):
    tokens, claims = peer.sign_in(peer.main)
    said = peer.main.userinfo(token=tokens)
    person = peer.bench.person
    assert (said["sub"], said["email"], said["given_name"]) == (claims["sub"], person["email"], person["given_name"])


def refresh(peer):
    tokens, _ = peer.sign_in(peer.main)
    endpoint = peer.bench.metadata["token_endpoint"]
    with peer.session(peer.main) as session:
        later = session.refresh_token(endpoint, tokens["refresh_token"])
        assert later["refresh_token"] != tokens["refresh_token"] and later["access_token"] != tokens["access_token"]
        assert peer.main.userinfo(token=later)["sub"] == peer.bench.person["id"]
        last = session.refresh_token(endpoint, later["refresh_token"])
        assert last["refresh_token"] != later["refresh_token"]
        # The one before the last is no retry any more: the whole family ends.
        with pytest.raises(OAuthError, match="invalid_grant"):
            session.refresh_token(endpoint, tokens["refresh_token"])
        with pytest.raises(OAuthError, match="invalid_grant"):
            session.refresh_token(endpoint, last["refresh_token"])


def machine(peer, method=None, client=None, secret=None, methods=None):
    client = client or peer.bench.client(grants=["client_credentials"], permissions=["site.read"])
    app = peer.app(client, secret=secret, methods=methods, scope=None, token_endpoint_auth_method=method)
    tokens = app.fetch_access_token(grant_type="client_credentials")
    assert app.get(f"{peer.bench.url}/v1/sites", token=tokens).status_code == 200
    return app, tokens


def client_credentials(peer):
    assert machine(peer)[1]["token_type"] == "Bearer"


def secret_basic(peer):
    machine(peer, "client_secret_basic")


def secret_post(peer):
    machine(peer, "client_secret_post")


def private_key_jwt(peer):
    """Its defaults name the token endpoint as audience and live for an hour, both refused on purpose; `claims` is how it is told better."""
    key = RSA("authlib")
    client = peer.bench.client(grants=["client_credentials"], permissions=["site.read"], token_endpoint_auth_method="private_key_jwt", jwks={"keys": [key.jwk()]})
    pem = key.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    short = int(time.time()) + 60
    machine(peer, "private_key_jwt", client, pem, [PrivateKeyJWT(claims={"aud": peer.bench.url, "exp": short})])
    for refused in ({"aud": peer.bench.url}, {"exp": short}):
        with pytest.raises(OAuthError, match="invalid_client"):
            machine(peer, "private_key_jwt", client, pem, [PrivateKeyJWT(claims=refused)])


def introspection(peer):
    tokens, _ = peer.sign_in(peer.main)
    with peer.session(peer.main) as session:
        for kind in ("access_token", "refresh_token"):
            said = session.introspect_token(peer.bench.metadata["introspection_endpoint"], tokens[kind], kind).json()
            assert said["active"] is True and said["client_id"] == peer.main.client_id and said["sub"] == peer.bench.person["id"]


def revocation(peer):
    tokens, _ = peer.sign_in(peer.main)
    with peer.session(peer.main) as session:
        assert session.revoke_token(peer.bench.metadata["revocation_endpoint"], tokens["refresh_token"], "refresh_token").status_code == 200
        said = session.introspect_token(peer.bench.metadata["introspection_endpoint"], tokens["access_token"]).json()
        assert said == {"active": False}
        with pytest.raises(OAuthError, match="invalid_grant"):
            session.refresh_token(peer.bench.metadata["token_endpoint"], tokens["refresh_token"])


def access_tokens(peer):
    tokens, _ = peer.sign_in(peer.main)
    claims = peer.read_access_token(peer.main, tokens["access_token"])
    assert claims["sub"] == peer.bench.person["id"] and claims["client_id"] == peer.main.client_id and claims.header["typ"] == "at+jwt"


def rotation(peer):
    """The application keeps the keys that it fetched; what is signed by the next ones is good all the same."""
    before = peer.sign_in(peer.main)[0]
    peer.bench.rotate_keys()
    tokens, claims = peer.sign_in(peer.main)
    assert header_of(tokens["id_token"])["kid"] != header_of(before["id_token"])["kid"] and claims["sub"] == peer.bench.person["id"]
    assert peer.main.userinfo(token=tokens)["sub"] == claims["sub"] and peer.main.userinfo(token=before)["sub"] == claims["sub"]


def max_age(peer):
    claims = peer.sign_in(peer.main, max_age=600)[1]
    assert abs(claims["auth_time"] - time.time()) < 600
    url = peer.main.create_authorization_url(CALLBACK, max_age="0")["url"]
    assert peer.bench.asks_for_password(url)


def prompt(peer):
    """Silent where there is a session, an error for the client where there is none, a form where one is asked for."""
    peer.sign_in(peer.main)
    peer.sign_in(peer.main, prompt="none")
    begun = peer.main.create_authorization_url(CALLBACK, prompt="none")
    answer = query_of(peer.bench.consent(begun["url"], CALLBACK, peer.bench.stranger()))
    assert (answer["error"], answer["state"]) == ("login_required", begun["state"])
    assert peer.bench.asks_for_password(peer.main.create_authorization_url(CALLBACK, prompt="login")["url"])


def acr(peer):
    assert peer.sign_in(peer.main, acr_values="1fa 2fa")[1]["acr"] == "1fa"


def hint(peer):
    tokens, _ = peer.sign_in(peer.main)
    assert peer.sign_in(peer.main, id_token_hint=tokens["id_token"], prompt="none")[1]["sub"] == peer.bench.person["id"]
    other = peer.app(peer.bench.client(CALLBACK, id_token_alg="RS256"))
    begun = other.create_authorization_url(CALLBACK, id_token_hint=tokens["id_token"])
    assert query_of(peer.bench.consent(begun["url"], CALLBACK))["error"] == "invalid_request"


def consent(peer):
    app, before = peer.app(peer.bench.client(CALLBACK, third_party=True)), peer.bench.agreed
    for _ in range(2):      # remembered
        assert peer.sign_in(app)[1]["sub"] == peer.bench.person["id"] and peer.bench.agreed == before + 1


def resource(peer):
    url = peer.bench.url
    tokens, _ = peer.sign_in(peer.main, scope="openid berth", resource=f"{url}/v1/me")
    assert peer.read_access_token(peer.main, tokens["access_token"])["aud"] == f"{url}/v1/me"
    assert peer.main.get(f"{url}/v1/me", token=tokens).status_code == 200
    assert peer.main.get(f"{url}/v1/bookings", token=tokens).status_code == 401


def backchannel(peer):
    """Authlib reads the logout token; a receiver stands for the web framework."""
    with LogoutReceiver() as receiver, reachable(peer.bench.suite, f"127.0.0.1:{receiver.port}"):
        app = peer.app(peer.bench.client(CALLBACK, backchannel_logout_uri=receiver.uri))
        begun, browser = app.create_authorization_url(CALLBACK), peer.bench.stranger()
        tokens = peer.finish(app, begun, peer.bench.consent(begun["url"], CALLBACK, browser))
        claims = app.parse_id_token(tokens, begun["nonce"])
        assert browser.get(f"/oauth2/logout?id_token_hint={tokens['id_token']}").status == 200
        wait_for(lambda: receiver.tokens, 20, "the logout token")
        said = judged(peer.bench.suite, receiver.tokens[0], app.client_id)
        assert (said["sub"], said["sid"]) == (claims["sub"], claims["sid"]) and len(receiver.tokens) == 1
        with pytest.raises(JoseError):
            judged(peer.bench.suite, receiver.tokens[0], "another client")


CELLS = {
    "discovery": discovery, "code with PKCE, ID token by ES256": code, "ID token by RS256": rs256, "a public client": public,
    "nonce and state": nonce_and_state, "userinfo": userinfo, "refresh with rotation": refresh, "client_credentials": client_credentials,
    "client_secret_basic": secret_basic, "client_secret_post": secret_post, "private_key_jwt": private_key_jwt, "introspection": introspection,
    "revocation": revocation, "access tokens read by keys": access_tokens, "signing keys rotate": rotation, "max_age": max_age, "prompt": prompt,
    "acr_values": acr, "id_token_hint": hint, "consent is asked for": consent, "resource indicators": resource, "back-channel logout": backchannel}
LACKS = {
    "iss in the response": "the client does not look at it",
    "request by POST": "the client sends browsers by GET",
    "PAR": "the client knows no pushed requests",
    "device grant": "the client cannot ask for a device's code",
    "DPoP": "the client knows no proofs",
    "people by Chromium": "the client has no pages",
    "sign-out begun by the client": "the client sends nobody there",
    "two issuers, one hostile": "the client does not look at iss, so each issuer needs a redirect URI of its own"}
