# SPDX-License-Identifier: Apache-2.0
"""Tokens bound to a client's key (DPoP, RFC 9449): every grant, every field of a proof bent, proofs used twice, tokens without their key."""
import base64
import concurrent.futures
import contextlib
import hashlib
import json
import secrets
import signal
import sys
import time

import httpx
import pytest

import berth_flow
from berth_flow import Authorization, Browser
from berth_jose import RSA, Ed25519, P256, b64, compact, dumps, hs256
from berth_suite import ROOT, wait_for

sys.path.insert(0, str(ROOT / "tests" / "conformance"))

from own_gateway import NO_LIMITS, OwnGateway  # noqa: E402
from own_redis import OwnRedis  # noqa: E402

ORDER = 49
REDIRECT = "https://app.example/callback"


def thumbprint(key):
    """RFC 7638."""
    return b64(hashlib.sha256(json.dumps(public(key), separators=(",", ":"), sort_keys=True).encode()).digest())


def public(key):
    return {name: value for name, value in key.jwk().items() if name != "kid"}


def claims(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def without_none(made):
    return {name: value for name, value in made.items() if value is not None}


def proof(key, method, url, token=None, header=None, sign=None, **changes):
    """RFC 9449 section 4.2; claims of None are left out."""
    made = {"jti": secrets.token_urlsafe(16), "htm": method, "htu": url, "iat": int(time.time())}
    if token is not None:
        made["ath"] = b64(hashlib.sha256(token.encode()).digest())
    made.update(changes)
    head = without_none({"typ": "dpop+jwt", "alg": key.alg, "jwk": public(key), **(header or {})})
    return compact(key, without_none(made), header=head, sign=sign)


@pytest.fixture(scope="module")
def keys():
    return [Ed25519("ed"), P256("ec"), RSA("rsa")]


@pytest.fixture(scope="module")
def key():
    return P256("ec")


def registered(suite, slug, **about):
    made = suite.api(suite.token(slug, "Admin")).post("/v1/clients", {"name": "Bound", **about}).expect(201).body
    return {**made, "redirect_uri": REDIRECT}


@pytest.fixture(scope="module")
def machine(suite, slug):
    return registered(suite, slug, kind="confidential", grants=["client_credentials"], permissions=["site.read", "booking.read"])


@pytest.fixture(scope="module")
def public_client(suite, slug):
    return registered(suite, slug, kind="public", redirect_uris=[REDIRECT], grants=["authorization_code", "refresh_token"])


def endpoint(suite):
    return f"{suite.url}/oauth2/token"


def ask(suite, client, given, **form):
    """POST /oauth2/token; `given`: one proof, a list of them for as many headers, or None."""
    form = {"grant_type": "client_credentials", **form}
    headers = berth_flow.basic(client) if client.get("secret") else {}
    if not client.get("secret"):
        form["client_id"] = client["id"]
    if given is not None:
        headers["DPoP"] = given
    return Browser(suite.info).post("/oauth2/token", form, headers=headers)


def machine_token(suite, machine, key):
    reply = ask(suite, machine, proof(key, "POST", endpoint(suite)))
    assert reply.status == 200 and reply.json()["token_type"] == "DPoP", reply.text
    return reply.json()["access_token"]


def call(suite, token, given, path="/v1/whoami", method="GET", scheme="DPoP"):
    headers = [("Authorization", f"{scheme} {token}"), *[("DPoP", one) for one in (given if isinstance(given, list) else [given]) if one is not None]]
    return suite.api().client(suite).request(method, suite.url + path, headers=headers)


def refused(reply, error="invalid_dpop_proof"):
    challenge = reply.headers.get("www-authenticate", "")
    return reply.status_code == 401 and challenge.startswith("DPoP ") and f'error="{error}"' in challenge


def not_a_proof(reply):
    return reply.status == 400 and reply.json()["error"] == "invalid_dpop_proof"


def test_client_credentials_give_a_token_that_only_its_key_can_use(suite, machine, keys):
    for key in keys:
        token = machine_token(suite, machine, key)
        assert claims(token)["cnf"] == {"jkt": thumbprint(key)}
        url = f"{suite.url}/v1/whoami"
        good = call(suite, token, proof(key, "GET", url, token))
        assert good.status_code == 200, f"{key.alg}: {good.text}"
        normal = call(suite, token, proof(key, "GET", f"{url}?x=y#z".replace("https://", "HTTPS://").replace("whoami", "%77hoami"), token))
        assert normal.status_code == 200, normal.text
        seen = Browser(suite.info).post("/oauth2/introspect", {"token": token}, headers=berth_flow.basic(machine)).json()
        assert seen["active"] and seen["token_type"] == "DPoP" and seen["cnf"] == {"jkt": thumbprint(key)}


def test_a_stolen_token_is_of_no_use_without_its_key(suite, machine, key):
    token = machine_token(suite, machine, key)
    thief, url = Ed25519("thief"), f"{suite.url}/v1/whoami"
    bearer = call(suite, token, None, scheme="Bearer")
    assert refused(bearer, "invalid_token"), bearer.headers
    assert refused(call(suite, token, proof(key, "GET", url, token), scheme="Bearer"), "invalid_token"), "as Bearer beside a good proof"
    assert refused(call(suite, token, None)), "no proof"
    assert refused(call(suite, token, proof(thief, "GET", url, token))), "the thief's own key"
    assert refused(call(suite, token, proof(thief, "GET", url, token, header={"jwk": public(key)}))), "the key in name only"
    for path, method in (("/oauth2/userinfo", "GET"), ("/oauth2/userinfo", "POST"), ("/v1/me", "GET"), ("/v1/sites", "GET")):
        assert call(suite, token, None, path=path, method=method, scheme="Bearer").status_code == 401, path
    plain = ask(suite, machine, None).json()
    assert plain["token_type"] == "Bearer" and "cnf" not in claims(plain["access_token"])
    assert refused(call(suite, plain["access_token"], proof(key, "GET", url, plain["access_token"])), "invalid_token"), "a bearer token under the other scheme"
    assert call(suite, plain["access_token"], None, scheme="Bearer").status_code == 200


def bent(key, method, url, token):
    """Name and proof of all that must be refused."""
    other = Ed25519("other")
    now = int(time.time())
    for name, change in {
            "another method": {"htm": "DELETE"}, "the method in lower case": {"htm": method.lower()}, "no method": {"htm": None},
            "another path": {"htu": url + "/x"}, "another host": {"htu": url.replace("https://", "https://x.")}, "without TLS": {"htu": url.replace("https://", "http://")},
            "no address": {"htu": None}, "a path alone": {"htu": "/oauth2/token"}, "an old proof": {"iat": now - 70}, "one from the future": {"iat": now + 30},
            "a year old": {"iat": now - 31536000}, "no iat": {"iat": None}, "iat as text": {"iat": str(now)}, "no jti": {"jti": None}, "an empty jti": {"jti": ""},
            "a long jti": {"jti": "x" * 200}}.items():
        yield name, proof(key, method, url, token, **change)
    for name, header in {
            "no typ": {"typ": None}, "typ JWT": {"typ": "JWT"}, "typ of an access token": {"typ": "at+jwt"}, "no key": {"jwk": None}, "the key by name": {"jwk": None, "kid": "ec"},
            "another's key": {"jwk": public(other)}, "a private key": {"jwk": {**public(key), "d": b64(secrets.token_bytes(32))}}, "crit": {"crit": ["jwk"]},
            "another algorithm": {"alg": "EdDSA"}, "no algorithm": {"alg": None}, "a certificate beside": {"x5c": []}}.items():
        yield name, proof(key, method, url, token, header=header)
    secret = b"x" * 32
    yield "HS256", proof(key, method, url, token, header={"alg": "HS256", "jwk": {"kty": "oct", "k": b64(secret)}}, sign=lambda given: hs256(secret, given))
    yield "HS256 over the public key", proof(key, method, url, token, header={"alg": "HS256"}, sign=lambda given: hs256(dumps(public(key)), given))
    for none in ("none", "None", "nOnE"):
        yield none, proof(key, method, url, token, header={"alg": none}, sign=lambda given: b"")
    good = proof(key, method, url, token)
    yield "a changed signature", good[:-8] + ("A" * 8 if good[-8:] != "A" * 8 else "B" * 8)
    yield "a changed payload", ".".join([good.split(".")[0], b64(dumps({**json.loads(base64.urlsafe_b64decode(good.split(".")[1] + "==")), "htm": method, "x": 1})), good.split(".")[2]])
    yield "two parts", good.rpartition(".")[0]
    yield "nothing", ""
    yield "two in one field", f"{good}, {proof(key, method, url, token)}"
    yield "an access token", token or "a.b.c"


def test_the_token_endpoint_refuses_every_bent_proof(suite, machine, key):
    wrong = [f"{name}: {reply.status} {reply.text[:80]}" for name, text in bent(key, "POST", endpoint(suite), None) if not not_a_proof(reply := ask(suite, machine, text))]
    assert not wrong, wrong


def test_the_api_refuses_every_bent_proof(suite, machine, key):
    token, url = machine_token(suite, machine, key), f"{suite.url}/v1/whoami"
    rows = list(bent(key, "GET", url, token))
    rows += [("no ath", proof(key, "GET", url)), ("another token's ath", proof(key, "GET", url, machine_token(suite, machine, key))),
             ("a proof for the token endpoint", proof(key, "POST", endpoint(suite)))]
    wrong = []
    for count, (name, text) in enumerate(rows):
        if count % 8 == 7:
            assert call(suite, token, proof(key, "GET", url, token)).status_code == 200, f"after {name}"
        reply = call(suite, token, text)
        if not refused(reply):
            wrong.append(f"{name}: {reply.status_code}")
    assert not wrong, wrong


def test_two_proofs_are_none(suite, machine, key):
    token, url = machine_token(suite, machine, key), f"{suite.url}/v1/whoami"
    assert refused(call(suite, token, [proof(key, "GET", url, token), proof(key, "GET", url, token)]))
    form = {"grant_type": "client_credentials"}
    headers = [*berth_flow.basic(machine).items(), *[("DPoP", proof(key, "POST", endpoint(suite))) for _ in range(2)]]
    reply = suite.api().client(suite).post(endpoint(suite), data=form, headers=headers)
    assert reply.status_code == 400 and reply.json()["error"] == "invalid_dpop_proof", reply.text


def test_a_proof_is_good_once_and_of_many_at_once_one_is_taken(suite, machine, key):
    token, url = machine_token(suite, machine, key), f"{suite.url}/v1/whoami"
    text = proof(key, "GET", url, token)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        statuses = sorted(reply.status_code for reply in pool.map(lambda _: call(suite, token, text), range(50)))
    assert statuses == [200] + [401] * 49
    assert refused(call(suite, token, text))
    text = proof(key, "POST", endpoint(suite))
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(lambda _: ask(suite, machine, text), range(50)))
    assert sorted(reply.status for reply in replies) == [200] + [400] * 49
    assert all(not_a_proof(reply) for reply in replies if reply.status != 200)


# -- several gateways

def shown_to(gateway, token, given, path="/v1/whoami"):
    return httpx.get(gateway.url + path, headers={"Authorization": f"DPoP {token}", "DPoP": given}, verify=gateway.info["ca"], timeout=30, trust_env=False)


@contextlib.contextmanager
def two_gateways(suite, **changes):
    with OwnGateway(suite, **NO_LIMITS, **changes) as one, OwnGateway(suite, **NO_LIMITS, **changes) as other:
        for gateway in (one, other):
            wait_for(lambda gateway=gateway: gateway.edge("redis_up") == 1, 20, "its Redis")
        yield one, other


@pytest.mark.seconds(240)
def test_a_proof_is_good_once_at_all_gateways_together(suite, machine, key):
    token, url = machine_token(suite, machine, key), f"{suite.url}/v1/whoami"
    with two_gateways(suite) as gateways:
        for first, then in (gateways, gateways[::-1]):
            text = proof(key, "GET", url, token)
            assert shown_to(first, token, text).status_code == 200
            assert refused(shown_to(then, token, text)) and refused(shown_to(first, token, text))
            assert refused(shown_to(then, token, text)), "nor later"
        for _ in range(5):
            text = proof(key, "GET", url, token)
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                replies = list(pool.map(lambda number, text=text: shown_to(gateways[number % 2], token, text), range(16)))
            assert sorted(reply.status_code for reply in replies) == [200] + [401] * 15
            assert all(refused(reply) for reply in replies if reply.status_code != 200)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            texts = [proof(key, "GET", url, token) for _ in range(40)]
            assert {reply.status_code for reply in pool.map(lambda pair: shown_to(gateways[pair[0] % 2], token, pair[1]), enumerate(texts))} == {200}
            assert {reply.status_code for reply in pool.map(lambda pair: shown_to(gateways[1 - pair[0] % 2], token, pair[1]), enumerate(texts))} == {401}
        assert all(gateway.edge("refused_proofs_total") > 40 for gateway in gateways)


@pytest.mark.seconds(240)
def test_without_redis_each_gateway_goes_by_what_it_knows(suite, machine, key):
    token, url = machine_token(suite, machine, key), f"{suite.url}/v1/whoami"
    with OwnRedis(suite) as cache, two_gateways(suite, BERTH_REDIS_SOCKET=cache.socket) as (one, other):
        def once_at_each():
            text = proof(key, "GET", url, token)
            replies = [shown_to(one, token, text), shown_to(one, token, text), shown_to(other, token, text), shown_to(other, token, text)]
            return [reply.status_code for reply in replies]
        assert once_at_each() == [200, 401, 401, 401]
        # It is there and does not answer: a request waits a moment for it, and goes on.
        cache.process.send_signal(signal.SIGSTOP)
        try:
            assert once_at_each() == [200, 401, 200, 401]
            wait_for(lambda: one.edge("redis_up") == 0 and other.edge("redis_up") == 0, 20, "it to be missed")
            assert once_at_each() == [200, 401, 200, 401]
        finally:
            cache.process.send_signal(signal.SIGCONT)
        wait_for(lambda: once_at_each() == [200, 401, 401, 401], 20, "it to be asked again")
        cache.stop()
        assert once_at_each() == [200, 401, 200, 401]
        cache.start()
        wait_for(lambda: once_at_each() == [200, 401, 401, 401], 20, "it to be asked again")
        cache.client.config_set("maxmemory", "1")
        assert once_at_each() == [200, 401, 200, 401], "it has no room, and says so"


def test_requests_that_wait_for_redis_are_answered_before_the_end(suite, machine, key):
    token, url = machine_token(suite, machine, key), f"{suite.url}/v1/whoami"
    with OwnRedis(suite) as cache, OwnGateway(suite, **NO_LIMITS, BERTH_REDIS_SOCKET=cache.socket) as own:
        wait_for(lambda: own.edge("redis_up") == 1, 20, "its Redis")
        cache.process.send_signal(signal.SIGSTOP)
        try:
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                waiting = [pool.submit(shown_to, own, token, proof(key, "GET", url, token)) for _ in range(8)]
                wait_for(lambda: own.edge("parsed_total") >= 8, 10, "the requests")
                own.process.terminate()
                assert {one.result().status_code for one in waiting} == {200}
        finally:
            cache.process.send_signal(signal.SIGCONT)


def signed_in(suite, slug, client, given):
    person = suite.person(slug, "User")
    flow = Authorization(suite.info, client)
    code = flow.code(person["email"], person["password"])["code"]
    return flow, code, lambda text, **more: ask(suite, client, text, grant_type="authorization_code", code=code, redirect_uri=REDIRECT, code_verifier=flow.verifier, **more)


def test_a_public_clients_refresh_tokens_need_its_key(suite, slug, public_client, key):
    _, _, exchange = signed_in(suite, slug, public_client, key)
    reply = exchange(proof(key, "POST", endpoint(suite)))
    assert reply.status == 200 and reply.json()["token_type"] == "DPoP", reply.text
    given = reply.json()
    url = f"{suite.url}/v1/me"
    assert call(suite, given["access_token"], proof(key, "GET", url, given["access_token"]), path="/v1/me").status_code == 200

    def refresh(text, token):
        return ask(suite, public_client, text, grant_type="refresh_token", refresh_token=token)
    assert not_a_proof(refresh(None, given["refresh_token"])), "no proof"
    stolen = refresh(proof(Ed25519("thief"), "POST", endpoint(suite)), given["refresh_token"])
    assert stolen.status == 400 and stolen.json()["error"] == "invalid_grant", stolen.text
    assert not_a_proof(refresh(proof(key, "POST", endpoint(suite), htm="GET"), given["refresh_token"]))
    second = refresh(proof(key, "POST", endpoint(suite)), given["refresh_token"])
    assert second.status == 200, f"what others tried ended nothing: {second.text}"
    fresh = second.json()
    assert fresh["token_type"] == "DPoP" and claims(fresh["access_token"])["cnf"] == {"jkt": thumbprint(key)}
    third = refresh(proof(key, "POST", endpoint(suite)), fresh["refresh_token"]).json()
    assert call(suite, third["access_token"], proof(key, "GET", url, third["access_token"]), path="/v1/me").status_code == 200
    info = call(suite, third["access_token"], proof(key, "GET", f"{suite.url}/oauth2/userinfo", third["access_token"]), path="/oauth2/userinfo")
    assert info.status_code == 200, info.text


def test_a_proof_that_does_not_hold_spends_no_code(suite, slug, public_client, key):
    _, _, exchange = signed_in(suite, slug, public_client, key)
    assert not_a_proof(exchange(proof(key, "POST", endpoint(suite), htm="GET")))
    assert exchange(proof(key, "POST", endpoint(suite))).status == 200


def exchanged(suite, client, flow, code, given):
    return ask(suite, client, given, grant_type="authorization_code", code=code, redirect_uri=REDIRECT, code_verifier=flow.verifier)


def pushed(suite, client, flow, given, **more):
    headers = {"DPoP": given} if given else {}
    return Browser(suite.info).post("/oauth2/par", {**flow.query, **more}, headers=headers)


def test_a_code_that_names_a_key_is_worth_nothing_without_it(suite, slug, public_client, key):
    person, other = suite.new_person(slug), P256("other")
    flow = Authorization(suite.info, public_client, dpop_jkt=thumbprint(key))
    code = flow.code(person["email"], person["password"])["code"]
    assert not_a_proof(exchanged(suite, public_client, flow, code, None))
    stolen = exchanged(suite, public_client, flow, code, proof(other, "POST", endpoint(suite)))
    assert stolen.status == 400 and stolen.json()["error"] == "invalid_grant"
    good = exchanged(suite, public_client, flow, code, proof(key, "POST", endpoint(suite)))
    assert good.status == 200 and claims(good.json()["access_token"])["cnf"] == {"jkt": thumbprint(key)}, "what was refused spent nothing"
    for wrong in ("x", thumbprint(key) + "x", thumbprint(key)[:-1], thumbprint(key)[:-1] + "=", "é" * 43):
        reply = Authorization(suite.info, public_client, browser=flow.browser, dpop_jkt=wrong).begin()
        assert reply.status == 303 and "error=invalid_request" in reply.location, wrong


def test_a_pushed_request_binds_its_code_by_a_proof_or_by_name(suite, slug, public_client, key):
    person, other, url = suite.new_person(slug), P256("other"), f"{suite.url}/oauth2/par"
    assert not_a_proof(pushed(suite, public_client, Authorization(suite.info, public_client), proof(key, "POST", endpoint(suite))))
    assert not_a_proof(pushed(suite, public_client, Authorization(suite.info, public_client), proof(key, "POST", url), dpop_jkt=thumbprint(other)))
    for given, more in ((proof(key, "POST", url), {}), (None, {"dpop_jkt": thumbprint(key)}), (proof(key, "POST", url), {"dpop_jkt": thumbprint(key)})):
        flow = Authorization(suite.info, public_client)
        said = pushed(suite, public_client, flow, given, **more)
        assert said.status == 201, said.text
        if given:
            again = pushed(suite, public_client, flow, given, **more)
            assert not_a_proof(again), "a proof is good once"
        flow.query = {"client_id": public_client["id"], "request_uri": said.json()["request_uri"]}
        code = flow.code(person["email"], person["password"])["code"]
        assert not_a_proof(exchanged(suite, public_client, flow, code, None))
        assert exchanged(suite, public_client, flow, code, proof(other, "POST", endpoint(suite))).json()["error"] == "invalid_grant"
        assert exchanged(suite, public_client, flow, code, proof(key, "POST", endpoint(suite))).status == 200


def test_a_refused_request_leaves_its_proof_and_a_granted_one_spends_it(suite, machine, key):
    text = proof(key, "POST", endpoint(suite))
    assert ask(suite, machine, text, scope="no-such-scope").json()["error"] == "invalid_scope"
    assert ask(suite, machine, text).status == 200
    assert not_a_proof(ask(suite, machine, text))


def test_a_client_that_gets_only_bound_tokens_must_send_proofs(suite, slug, key):
    client = registered(suite, slug, kind="confidential", grants=["client_credentials"], permissions=["site.read"], dpop_bound_access_tokens=True)
    assert client["dpop_bound_access_tokens"] is True
    assert not_a_proof(ask(suite, client, None))
    token = machine_token(suite, client, key)
    assert call(suite, token, proof(key, "GET", f"{suite.url}/v1/whoami", token)).status_code == 200


def test_what_is_asked_for_is_said(suite):
    assert suite.api().get("/.well-known/oauth-authorization-server").expect(200).body["dpop_signing_alg_values_supported"] == ["EdDSA", "ES256", "RS256"]
    challenge = suite.api().get("/v1/whoami").headers["www-authenticate"]
    assert challenge.startswith("Bearer ") and 'DPoP realm="berth", algs="EdDSA ES256 RS256"' in challenge


def test_a_proof_that_is_too_long_names_its_header(suite, machine):
    reply = ask(suite, machine, "a" * 5000)
    assert reply.status == 431, reply.text
