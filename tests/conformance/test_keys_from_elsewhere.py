# SPDX-License-Identifier: Apache-2.0
"""Headers that bring a key, say where one is or change what it is for (RFC 7515 section 4.1, RFC 8725), and signed texts of another kind: refused wherever one is
read, and nobody goes anywhere to look. The suite stands in a network of its own, whose packets are counted by nft."""
import json
import secrets
import socket
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

import jose_table
from berth_flow import Authorization, Browser, claims as claims_of
from berth_jose import P256, b64, compact, header_of, hs256, unb64
from berth_probe import all_fine
from berth_suite import wait_for
from edge import Edge, bearer, head
from own_gateway import NO_LIMITS, OwnGateway
from own_network import OwnNetwork

ORDER = 48
pytestmark = pytest.mark.seconds(240)
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SETTLED_S = 1.5


@pytest.fixture(scope="module")
def network():
    with OwnNetwork() as made:
        yield made


@pytest.fixture(scope="module")
def own(network):
    return network.suite


@pytest.fixture(scope="module")
def tenant(own):
    return own.tenant(0)["slug"]


@pytest.fixture
def nobody_went(network):
    """Around a test: not a packet left the suite, in a while after the last answer either."""
    before = network.strays()
    yield
    time.sleep(SETTLED_S)
    assert network.strays() == before, "somebody went to fetch something"


@pytest.fixture(scope="module")
def elsewhere():
    """Addresses of keys: a port of this machine, another machine by number, and a name."""
    return ["http://127.0.0.1:9/keys", "https://192.0.2.7/keys", "https://[2001:db8::7]/keys", "https://keys.example/keys"]


@pytest.fixture(scope="module")
def known(own):
    with jose_table.known_key(own) as key:
        yield key


@pytest.fixture(scope="module")
def gateway(network, own, known):
    del known
    with OwnGateway(own, **NO_LIMITS) as made:
        network.belongs(*(url.rpartition(":")[2] for url in (made.url, made.admin_url)))
        yield made


def status_of(gateway, text):
    with Edge(gateway, seconds=20) as edge:
        return edge.ask(head(bearer(text), start="GET /v1/whoami HTTP/1.1")).status


@pytest.fixture(scope="module")
def good(own, tenant, known, gateway):
    """Claims as authsvc makes them; a token of them under the known key is taken."""
    made, _ = jose_table.fresh(claims_of(own.token(tenant, "User")))
    wait_for(lambda: status_of(gateway, compact(known, made)) == 200, 90, "the services' knowledge of the key")
    return made


@pytest.fixture(scope="module")
def key():
    return P256("mine")


@pytest.fixture(scope="module")
def keyed(own, tenant, key):
    return own.as_role(tenant, "Admin").post("/v1/clients", {
        "name": "Keyed", "kind": "confidential", "grants": ["client_credentials"], "permissions": ["site.read"],
        "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key.jwk()]}}).expect(201).body


def test_the_counter_sees_what_goes_anywhere(network, elsewhere):
    seen = network.strays()
    for family, address in ((socket.AF_INET, ("127.0.0.1", 9)), (socket.AF_INET, ("192.0.2.7", 443)), (socket.AF_INET6, ("2001:db8::7", 443))):
        with socket.socket(family, socket.SOCK_STREAM) as sender:
            sender.setblocking(False)
            sender.connect_ex(address)
        assert network.strays() > seen, address
        seen = network.strays()


# -- access tokens

def refused(gateway, rows):
    all_fine(lambda row: None if (status := status_of(gateway, row[1])) == 401 else f"{row[0]}: {status}", [row for row in rows if row[1].isprintable()])


@pytest.mark.usefixtures("nobody_went")
def test_no_header_makes_an_access_token_of_it(gateway, known, good):
    rows = [(name, compact(known, good, header=header)) for name, header, taken in jose_table.headers(known) if taken is not True]
    assert len(rows) > 120
    refused(gateway, rows)
    assert status_of(gateway, compact(known, good)) == 200, "the same without such a header"


@pytest.mark.usefixtures("nobody_went")
def test_no_header_leads_to_a_key(gateway, known, good, elsewhere):
    rows = []
    for url in elsewhere:
        for header in ({"jku": url}, {"x5u": url}, {"jku": url, "kid": "theirs"}, {"kid": url}, {"kid": f"../../{url}"}, {"crit": ["jku"], "jku": url}):
            rows.append((str(header), compact(known, good, header=header_of(known, **header))))
        rows.append((f"issued by {url}", compact(known, {**good, "iss": url})))
        rows.append((f"issued by {url}, whose key is nobody's", compact(known, {**good, "iss": url}, header=header_of(known, kid="theirs"))))
    theirs = P256("theirs")
    rows.append(("a key in the header", compact(theirs, good, header=header_of(theirs, jwk=theirs.jwk()))))
    refused(gateway, rows)


@pytest.mark.usefixtures("nobody_went")
def test_nothing_public_is_the_key_of_an_hmac(own, gateway, known, good):
    """RS256, ES256 and EdDSA to HS256, keyed with whatever of the published keys somebody could take for a secret."""
    rows = []
    for jwk in own.api().get("/oauth2/jwks").expect(200).body["keys"]:
        secrets_of_it = [json.dumps(jwk).encode(), json.dumps(jwk, separators=(",", ":")).encode(), *public_forms(jwk)]
        for number, secret in enumerate(secrets_of_it):
            for alg in ("HS256", jwk["alg"]):
                header = {"alg": alg, "typ": "at+jwt", "kid": jwk["kid"]}
                rows.append((f"{jwk['kty']} as {alg}, form {number}", compact(known, good, header=header, sign=lambda given, secret=secret: hs256(secret, given))))
    assert len(rows) >= 30
    refused(gateway, rows)


def public_forms(jwk):
    """PEM and DER of a published key, with and without the last line break, and its members."""
    def number(name):
        return int.from_bytes(unb64(jwk[name]), "big")
    if jwk["kty"] == "RSA":
        public = rsa.RSAPublicNumbers(number("e"), number("n")).public_key()
    elif jwk["kty"] == "EC":
        public = ec.EllipticCurvePublicNumbers(number("x"), number("y"), ec.SECP256R1()).public_key()
    else:
        public = ed25519.Ed25519PublicKey.from_public_bytes(unb64(jwk["x"]))
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    pem, der = (public.public_bytes(encoding, spki) for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER))
    member = jwk.get("n") or jwk["x"]
    return [pem, pem.strip(), der, member.encode(), unb64(member)]


# -- what is signed for something else

@pytest.fixture
def kinds(own, tenant, key, keyed):
    """{kind: a good text of it}."""
    person = own.person(tenant, "User")
    tokens = own.sign_in(tenant, person["email"], person["password"], "openid offline_access berth")
    return {
        "access token": tokens["access_token"], "ID token": tokens["id_token"], "refresh token": tokens["refresh_token"],
        "assertion": compact(key, claims(own, keyed["id"], iss=keyed["id"]), header={"alg": key.alg, "kid": key.kid}), "proof": proof(own, key)}


def claims(own, subject, **more):
    now = int(time.time())
    return {"iss": own.url, "sub": subject, "aud": own.url, "iat": now, "exp": now + 60, "jti": secrets.token_hex(16), **more}


def proof(own, key, **header):
    public = {name: value for name, value in key.jwk().items() if name != "kid"}
    made = {"jti": secrets.token_hex(16), "htm": "POST", "htu": f"{own.url}/oauth2/token", "iat": int(time.time())}
    return compact(key, made, header={"typ": "dpop+jwt", "alg": key.alg, "jwk": public, **header})


# Whether the text is refused there.

def as_access_token(own, tenant, gateway, text):
    return status_of(gateway, text) == 401


def as_assertion(own, tenant, gateway, text):
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": text}
    return Browser(own.info).post("/oauth2/token", form).status == 401


def as_hint(own, tenant, gateway, text):
    reply = Authorization(own.info, own.tenants[tenant]["client"], id_token_hint=text).begin()
    return "error=invalid_request" in (reply.location or "") and Browser(own.info).get(f"/oauth2/logout?id_token_hint={text}").status == 400


def as_proof(own, tenant, gateway, text):
    client = own.tenants[tenant]["client"]
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": client["id"], "client_secret": client["secret"]}
    return Browser(own.info).post("/oauth2/token", form, headers={"DPoP": text}).json()["error"] == "invalid_dpop_proof"


PLACES = {"access token": as_access_token, "assertion": as_assertion, "ID token": as_hint, "proof": as_proof}


@pytest.mark.usefixtures("nobody_went")
@pytest.mark.parametrize("place", PLACES)
def test_a_text_of_another_kind_is_refused(own, tenant, gateway, kinds, place):
    for kind, text in kinds.items():
        assert PLACES[place](own, tenant, gateway, text) == (kind != place), f"{kind} as {place}"


@pytest.mark.usefixtures("nobody_went")
@pytest.mark.parametrize("place", PLACES)
def test_a_header_that_points_to_a_key_is_refused_everywhere(own, tenant, gateway, elsewhere, key, keyed, place):
    def text(header):
        if place == "proof":
            return proof(own, key, **header)
        if place == "assertion":
            return compact(key, claims(own, keyed["id"], iss=keyed["id"]), header={"alg": key.alg, "kid": key.kid, **header})
        typ, subject = ("at+jwt", keyed["id"]) if place == "access token" else ("JWT", own.person(tenant, "User")["id"])
        return compact(key, claims(own, subject, aud=own.tenants[tenant]["client"]["id"], client_id=keyed["id"]), header={"alg": key.alg, "typ": typ, "kid": key.kid, **header})
    headers = [{"x5c": [b64(b"certificate")]}, {"crit": ["exp"]}, {"crit": ["b64"], "b64": False}]
    if place != "proof":        # nothing is looked up by a kid: the proof brings its key
        headers += [{"jwk": key.jwk()}, {"kid": "../../../dev/null"}, {"kid": "' or '1'='1"}, {"kid": ""}]
    headers += [{"alg": alg} for alg in ("none", "None", "nOnE", "HS256", "RS256")]
    for url in elsewhere:
        headers += [{"jku": url}, {"x5u": url}, {"jku": url, "x5u": url}, {"crit": ["jku"], "jku": url}, *([] if place == "proof" else [{"kid": url}])]
    for header in headers:
        assert PLACES[place](own, tenant, gateway, text(header)), f"{header} was taken"
    if place in ("assertion", "proof"):
        assert not PLACES[place](own, tenant, gateway, text({})), "the same without such a header is taken"
