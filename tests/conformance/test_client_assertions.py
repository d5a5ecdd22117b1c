# SPDX-License-Identifier: Apache-2.0
"""private_key_jwt (RFC 7523, OpenID Connect Core section 9): what a client's assertion must be, and what is refused as one."""
import concurrent.futures
import secrets
import time

import pytest

import berth_flow
import jose_table
from berth_flow import Browser
from berth_jose import RSA, Ed25519, P256, b64, compact, dumps, hs256, set_of

ORDER = 48
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def keys():
    return {"EdDSA": Ed25519("ed"), "ES256": P256("ec"), "RS256": RSA("rsa")}


def registered(admin, **changes):
    return admin.post("/v1/clients", {"name": "Machine", "kind": "confidential", "grants": ["client_credentials"], "permissions": ["site.read"], **changes})


@pytest.fixture(scope="module")
def client(suite, slug, keys):
    jwks = {"keys": [key.jwk() for key in keys.values()]}
    made = registered(suite.api(suite.token(slug, "Admin")), token_endpoint_auth_method="private_key_jwt", jwks=jwks).expect(201).body
    assert made.get("secret") is None and made["token_endpoint_auth_method"] == "private_key_jwt" and len(made["jwks"]["keys"]) == 3
    return made


def claims(suite, client, **changes):
    now = int(time.time())
    made = {"iss": client["id"], "sub": client["id"], "aud": suite.url, "iat": now, "exp": now + 60, "jti": secrets.token_hex(16), **changes}
    return {name: value for name, value in made.items() if value is not None}


def assertion(suite, client, key, header=None, **changes):
    return compact(key, claims(suite, client, **changes), header=header or {"alg": key.alg, "kid": key.kid})


def ask(suite, text, path="/oauth2/token", headers=None, **form):
    form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": text, **form}
    return Browser(suite.info).post(path, {name: value for name, value in form.items() if value is not None}, headers=headers or {})


def refused(reply, error="invalid_client", status=401):
    return reply.status == status and reply.json()["error"] == error


def test_each_kind_of_key_signs_its_client_in_once(suite, client, keys):
    for key in keys.values():
        text = assertion(suite, client, key)
        reply = ask(suite, text)
        assert reply.status == 200, f"{key.alg}: {reply.text}"
        again = ask(suite, text)
        assert refused(again), f"{key.alg} again: {again.status} {again.text}"


def test_one_assertion_in_parallel_gives_one_answer(suite, client, keys):
    text = assertion(suite, client, keys["ES256"])
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = sorted(reply.status for reply in pool.map(lambda _: ask(suite, text), range(8)))
    assert statuses == [200] + [401] * 7


def test_introspection_and_revocation_take_assertions(suite, client, keys):
    token = ask(suite, assertion(suite, client, keys["EdDSA"])).json()["access_token"]
    seen = ask(suite, assertion(suite, client, keys["EdDSA"]), path="/oauth2/introspect", token=token)
    assert seen.status == 200 and seen.json()["active"] is True
    assert ask(suite, assertion(suite, client, keys["EdDSA"]), path="/oauth2/revoke", token=token).status == 200
    assert ask(suite, assertion(suite, client, keys["EdDSA"]), path="/oauth2/introspect", token=token).json()["active"] is False


def test_claims_that_are_not_quite_right_are_refused(suite, client, keys):
    now = int(time.time())
    for change in ({"iss": "x"}, {"sub": None}, {"sub": "x"}, {"aud": None}, {"aud": f"{suite.url}/oauth2/token"}, {"aud": [suite.url, "https://evil.example"]}, {"aud": f"{suite.url}/"},
                   {"exp": None}, {"exp": now - 1}, {"exp": now + 400}, {"exp": str(now + 60)}, {"jti": None}, {"jti": ""}, {"jti": "x" * 200}, {"nbf": now + 60}, {"iat": now + 60}):
        reply = ask(suite, assertion(suite, client, keys["EdDSA"], **change), client_id=client["id"])
        assert refused(reply), f"{change}: {reply.status} {reply.text}"


def test_headers_that_choose_bring_or_point_to_a_key_are_refused(suite, client, keys):
    key = keys["EdDSA"]
    wanted = ("alg 'n", "alg 'N", "alg 'HS", "alg 'RS256", "alg 'ES256'", "kid '", "jku", "x5u", "x5c", "jwk", "crit", "alg twice", "kid twice", "b64", "typ as")
    rows = [(name, header) for name, header, good in jose_table.headers(key) if good is False and name.startswith(wanted)]
    rows += [(f"typ {typ}", {"alg": key.alg, "kid": key.kid, "typ": typ}) for typ in ("at+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt")]
    assert len(rows) > 40
    wrong = [f"{name}: {reply.status}" for name, header in rows if not refused(reply := ask(suite, compact(key, claims(suite, client), header=header)))]
    assert not wrong, wrong


def test_a_public_key_is_no_secret_of_hs256(suite, client, keys):
    for secret in (keys["RS256"].public_pem(), dumps(keys["RS256"].jwk()), set_of(keys["RS256"]).encode(), b""):
        text = compact(keys["RS256"], claims(suite, client), header={"alg": "HS256", "kid": "rsa"}, sign=lambda given, secret=secret: hs256(secret, given))
        assert refused(ask(suite, text))
    unsigned = f"{b64(dumps({'alg': 'none'}))}.{b64(dumps(claims(suite, client)))}."
    assert refused(ask(suite, unsigned))


def test_tokens_of_other_kinds_do_not_stand_for_each_other(suite, slug, client, keys):
    token = suite.token(slug, "User")
    assert refused(ask(suite, token, client_id=client["id"])), "an access token as assertion"
    assert suite.api(assertion(suite, client, keys["EdDSA"])).get("/v1/whoami").status == 401, "an assertion as access token"


def test_a_client_proves_itself_only_by_what_it_registered(suite, slug, client, keys):
    other = suite.tenants[slug]["client"]
    assert refused(ask(suite, assertion(suite, other, keys["EdDSA"]))), "a client with a secret"
    assert refused(ask(suite, None, client_assertion_type=None, client_id=client["id"], client_secret="x" * 43)), "a secret of a client with keys"
    assert refused(ask(suite, None, client_assertion_type=None, client_id=client["id"])), "nothing"
    assert refused(ask(suite, assertion(suite, client, Ed25519("ed")))), "a stranger's key under the same name"
    text = assertion(suite, client, keys["EdDSA"])
    for more in ({"client_secret": "x"}, {"client_assertion_type": "x"}, {"client_assertion_type": None}, {"headers": berth_flow.basic(other)}):
        reply = ask(suite, text, **more)
        assert refused(reply, "invalid_request", 400), f"{more}: {reply.status} {reply.text}"
    assert ask(suite, text).status == 200, "what was refused for its form is not spent"


def test_keys_are_registered_whole_or_not(suite, slug, keys):
    admin = suite.api(suite.token(slug, "Admin"))
    good = keys["EdDSA"].jwk()
    for jwks in ({}, [], {"keys": []}, {"keys": [{**good, "d": "AAAA"}]}, {"keys": [{"kty": "oct", "k": "AAAA"}]}, {"keys": [RSA("weak", bits=1024).jwk()]}, {"keys": [good, good]}):
        registered(admin, token_endpoint_auth_method="private_key_jwt", jwks=jwks).problem(400, "bad_field", field="jwks")
    registered(admin, token_endpoint_auth_method="private_key_jwt").problem(400, "bad_field", field="jwks")
    registered(admin, jwks={"keys": [good]}).problem(400, "bad_field", field="jwks")
    registered(admin, token_endpoint_auth_method="none").problem(400, "bad_field", field="token_endpoint_auth_method")


def test_the_metadata_names_the_methods_and_algorithms(suite):
    said = suite.api().get("/.well-known/oauth-authorization-server").expect(200).body
    for endpoint in ("token", "introspection", "revocation"):
        assert "private_key_jwt" in said[f"{endpoint}_endpoint_auth_methods_supported"]
        assert said[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] == ["EdDSA", "ES256", "RS256"]
