# SPDX-License-Identifier: Apache-2.0
"""The rows of jose_table by the probes `jws` and `jwt`, and as access tokens at a gateway that knows the key: one verdict."""
import itertools
import json
import uuid

import pytest

import jose_table
from berth_jose import RSA, Ed25519, P256, compact, header_of, set_of, unb64
from berth_probe import all_fine, probe
from berth_suite import wait_for
from edge import Edge, bearer, head
from own_gateway import NO_LIMITS, OwnGateway

ORDER = 47
PAYLOAD = {"hello": "world"}
TOKEN_MAX = 4096


@pytest.fixture(scope="module")
def ours():
    return {"ed": Ed25519("ed"), "other": Ed25519("other"), "p256": P256("ec"), "rsa": RSA("rsa"), "weak": RSA("weak", bits=1024)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("jose")


def written(folder, text):
    path = folder / f"{uuid.uuid4()}.json"
    path.write_text(text)
    return str(path)


def judged(rows, path, *words):
    def judge(row):
        name, text, good = row
        verdict = probe("jws", path, *words, given=text.encode() + b"\n")
        fine = verdict["verdict"] == ("accept" if good else "refuse") and (verdict["reason"] is None) == good
        return None if fine else f"{name}: {verdict}"
    all_fine(judge, list(rows))


def test_published_vectors_hold(folder):
    for where, jwk, text, payload in jose_table.VECTORS:
        path = written(folder, set_of(jwk))
        said = probe("jws", path, given=text.encode())
        assert said["verdict"] == "accept" and said["payload"] == (payload if isinstance(payload, dict) else payload.encode().decode("latin-1")), f"{where}: {said}"
        assert said["header"] == json.loads(unb64(text.split(".")[0]))
        turned = text[:-3] + ("A" if text[-3] != "A" else "B") + text[-2:]
        assert probe("jws", path, given=turned.encode())["verdict"] == "refuse", where
        algs = {"OKP": "EdDSA", "EC": "ES256", "RSA": "RS256"}
        for alg in algs.values():
            allowed = probe("jws", path, "--alg", alg, given=text.encode())["verdict"] == "accept"
            assert allowed == (alg == algs[jwk["kty"]]), f"{where} where only {alg} is allowed"
    every = written(folder, set_of(*[jwk for _, jwk, _, _ in jose_table.VECTORS[:3]]))
    judged([(where, text, False) for where, text in jose_table.FOREIGN], every)


def test_headers(folder, ours):
    key = ours["ed"]
    rows = [(name, compact(key, PAYLOAD, header=header), good is not False) for name, header, good in jose_table.headers(key)]
    # The probe takes what has no kid where a single key fits.
    rows = [(name, text, good or name == "kid as None") for name, text, good in rows]
    judged(rows, written(folder, set_of(key, ours["p256"], ours["rsa"])))


def test_forms_and_signatures(folder, ours):
    path = written(folder, set_of(ours["ed"], ours["other"], ours["p256"], ours["rsa"]))
    judged(itertools.chain(jose_table.texts(ours["ed"], PAYLOAD), jose_table.signatures(ours["ed"], ours["other"], PAYLOAD), jose_table.p256_signatures(ours["p256"], PAYLOAD),
                           jose_table.rsa_signatures(ours["rsa"], PAYLOAD)), path)


def test_keys(folder, ours):
    def judge(row):
        name, jwk, signer, good = row
        verdict = probe("jws", written(folder, set_of(jwk)), given=compact(signer, PAYLOAD).encode())
        return None if verdict["verdict"] == ("accept" if good else "refuse") else f"{name}: {verdict}"
    all_fine(judge, list(jose_table.keys(ours["ed"], ours["p256"], ours["rsa"], ours["weak"])))


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b"null", b'{"keys":{}}', b'{"keys":null}', b'{"keys":[],"keys":[]}', b'{"keys":["x"]}', b'{"keys":[]}', b"no JSON"], ids=repr)
def test_a_set_that_is_none_verifies_nothing(folder, ours, document):
    path = folder / f"{uuid.uuid4()}.json"
    path.write_bytes(document)
    assert probe("jws", str(path), given=compact(ours["ed"], PAYLOAD).encode())["verdict"] == "refuse"


# -- as access tokens

@pytest.fixture(scope="module")
def known(suite):
    with jose_table.known_key(suite) as key:
        yield key


@pytest.fixture(scope="module")
def gateway(suite, known):
    del known
    with OwnGateway(suite, **NO_LIMITS) as own:
        yield own


def status_of(gateway, text):
    with Edge(gateway, seconds=20) as edge:
        return edge.ask(head(bearer(text), start="GET /v1/whoami HTTP/1.1")).status


@pytest.fixture(scope="module")
def access(suite, slug, known, gateway, folder):
    """Claims as authsvc makes them for the demo User, and the probe's words for the same rules."""
    token = suite.token(slug, "User")
    claims, now = jose_table.fresh(json.loads(unb64(token.split(".")[1])))
    keys = written(folder, suite.api().get("/oauth2/jwks").text)
    # The service behind verifies again and learns of the key by itself.
    wait_for(lambda: status_of(gateway, compact(known, {**claims, "jti": str(uuid.uuid4())})) == 200, 90, "the service's knowledge of the key")
    words = ("jwt", keys, "--iss", claims["iss"], "--aud", claims["aud"], "--env", claims["env"], "--now", str(now))
    return claims, now, words


def both_ways(gateway, words, rows):
    def judge(row):
        name, text, good = row
        said = probe(*words, given=text.encode())
        if said["verdict"] != ("accept" if good else "refuse") or (said["reason"] is None) != good:
            return f"{name}: {said}"
        if any(ord(letter) < 0x20 or ord(letter) > 0x7e for letter in text):
            return None         # no field's value
        status = status_of(gateway, text)
        return None if status == (200 if good else 401) else f"{name}: {status}, {said}"
    all_fine(judge, list(rows))


def test_claims_are_judged_alike_by_the_probe_and_the_gateway(access, known, gateway):
    good, now, words = access
    both_ways(gateway, words, [(name, compact(known, payload), taken) for name, payload, taken in jose_table.claims(good, now)])


def test_headers_of_tokens_are_judged_alike(access, known, gateway):
    good, _, words = access
    # A type of another kind is a good signature and no access token.
    both_ways(gateway, words, [(name, compact(known, good, header=header), taken is True) for name, header, taken in jose_table.headers(known)])


def test_forms_and_signatures_of_tokens_are_judged_alike(access, known, gateway, ours):
    good, _, words = access
    # One white space around a field's value is no part of it.
    around = ("a space in front", "a space behind")
    rows = [row for row in itertools.chain(jose_table.texts(known, good), jose_table.signatures(known, ours["other"], good)) if row[0] not in around]
    both_ways(gateway, words, rows)


def test_times_are_exact_to_the_second(access, known):
    """By the probe, whose clock is given."""
    good, now, words = access
    rows = [("the last second", {"exp": now + 1}, True), ("the end", {"exp": now}, False), ("just issued", {"iat": now}, True), ("issued within the leeway", {"iat": now + 5, "exp": now + 300}, True),
            ("issued beyond it", {"iat": now + 6, "exp": now + 300}, False), ("begins within the leeway", {"nbf": now + 5}, True), ("begins beyond it", {"nbf": now + 6}, False),
            ("the longest life", {"iat": now - 1000, "exp": now + 2600}, True), ("a second longer", {"iat": now - 1000, "exp": now + 2601}, False)]
    for name, changes, taken in rows:
        said = probe(*words, given=compact(known, {**good, **changes}).encode())
        assert said["verdict"] == ("accept" if taken else "refuse"), f"{name}: {said}"


def test_the_largest_token_and_more(access, known, gateway):
    """A member that nobody knows makes it longer; three bytes of it are four characters."""
    good, _, words = access

    def long_as(limit):
        fill = 0
        while len(text := compact(known, {**good, "x": "x" * fill})) < limit - 1:
            fill += max((limit - len(text)) * 3 // 4 - 1, 1)
        return text
    largest, larger = long_as(TOKEN_MAX), long_as(TOKEN_MAX + 2)
    assert TOKEN_MAX - 1 <= len(largest) <= TOKEN_MAX < len(larger) <= TOKEN_MAX + 2
    both_ways(gateway, words, [("the largest", largest, True), ("more", larger, False), ("much more", long_as(5000), False)])


def test_a_header_of_another_keys_kind_is_no_way_in(access, known, gateway, suite):
    """The published ES256 and RS256 keys verify ID tokens; an access token under their name is none."""
    good, _, words = access
    others = [key for key in suite.api().get("/oauth2/jwks").expect(200).body["keys"] if key["kty"] != "OKP"]
    assert {key["kty"] for key in others} == {"EC", "RSA"}
    rows = []
    for key in others:
        alg = {"EC": "ES256", "RSA": "RS256"}[key["kty"]]
        rows += [(f"{alg} by the wrong key", compact(known, good, header=header_of(known, alg=alg, kid=key["kid"])), False), (f"EdDSA under its kid ({alg})", compact(known, good, header=header_of(known, kid=key["kid"])), False)]
    both_ways(gateway, words, rows)
