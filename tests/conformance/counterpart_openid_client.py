# SPDX-License-Identifier: Apache-2.0
"""npm's openid-client in Node.js, told what to do by lines of JSON (openid_client/client.mjs); it checks the signatures of ID tokens too."""
import base64
import json
import os
import subprocess

from cryptography.hazmat.primitives import serialization

from berth_flow import Browser
from berth_jose import P256, RSA
from counterparts import NODE, ROOT, header_of, npm_install, query_of, stop
from hostile_issuer import HostileIssuer

CALLBACK = "https://openid-client.example/callback"
NAME = "openid-client"
SCRIPT = ROOT / "tests" / "conformance" / "openid_client" / "client.mjs"


class Refusal(Exception):
    def __init__(self, answer):
        super().__init__(str(answer))
        self.error, self.status, self.message = answer["error"], answer.get("status"), answer.get("message", "")


def version():
    home = npm_install("openid_client")
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return json.loads((home / "node_modules" / "openid-client" / "package.json").read_text())["version"] + f" (npm), Node.js {node}"


class Counterpart:
    def __init__(self, bench, folder):
        self.bench = bench
        home = npm_install("openid_client")
        (home / "client.mjs").write_text(SCRIPT.read_text())
        env = {"PATH": os.environ["PATH"], "NODE_EXTRA_CA_CERTS": bench.ca, "HOME": str(folder)}
        with open(folder / "errors", "wb") as errors:
            self.node = subprocess.Popen([*NODE, str(home / "client.mjs")], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.errors = folder / "errors"
        self.known = set()

    def close(self):
        self.node.stdin.close()
        stop(self.node)

    def do(self, what, client=None, **more):
        self.node.stdin.write(json.dumps({"do": what, "as": client, **more}) + "\n")
        self.node.stdin.flush()
        line = self.node.stdout.readline()
        assert line, f"it ended: {self.errors.read_text()[-1000:]}"
        answer = json.loads(line)
        if "error" in answer:
            raise Refusal(answer)
        return answer

    def discover(self, name, client, method="client_secret_basic", **more):
        """A client of that name, which finds the suite by discovery; once."""
        if name not in self.known:
            self.do("discover", name, **{"issuer": self.bench.url, "id": client["id"], "secret": client.get("secret"), "method": method,
                                         "redirect_uri": CALLBACK, **more})
            self.known.add(name)
        return name

    def main(self):
        return self.discover("main", self.bench.client(CALLBACK))

    def sign_in(self, name, begun=None, **more):
        begun = begun or self.do("begin", name, **more)
        return self.do("finish", name, begun=begun, url=self.bench.consent(begun["url"], CALLBACK))

    def get(self, name, tokens, path):
        """The status of the path, to the token."""
        try:
            return self.do("get", name, token=tokens["access_token"], url=self.bench.url + path)["status"]
        except Refusal as refusal:
            return refusal.status

    def refused(self, *words, **more):
        try:
            answer = self.do(*words, **more)
        except Refusal as refusal:
            return refusal
        raise AssertionError(f"{words} was not refused: {sorted(answer)}")

    def is_sound(self, tokens):
        return tokens["claims"]["sub"] == self.bench.person["id"] and tokens["claims"]["iss"] == self.bench.url


def discovery(peer):
    client = peer.bench.client(CALLBACK)
    for algorithm in ("oidc", "oauth2"):
        said = peer.do("discover", "found", issuer=peer.bench.url, id=client["id"], secret=client["secret"], method="client_secret_basic", algorithm=algorithm)
        assert said["issuer"] == peer.bench.url and said["token_endpoint"] == peer.bench.metadata["token_endpoint"]


def code(peer):
    tokens = peer.sign_in(peer.main())
    assert peer.is_sound(tokens) and tokens["refresh_token"] and tokens["token_type"] == "bearer"


def rs256(peer):
    name = peer.discover("rs256", peer.bench.client(CALLBACK, id_token_alg="RS256"), metadata={"id_token_signed_response_alg": "RS256"})
    assert peer.is_sound(peer.sign_in(name))
    # A client that is told ES256 and gets RS256 complains, so the algorithm is looked at.
    other = peer.discover("es256 wanted", peer.bench.client(CALLBACK, id_token_alg="RS256"), metadata={"id_token_signed_response_alg": "ES256"})
    begun = peer.do("begin", other)
    assert "alg" in peer.refused("finish", other, begun=begun, url=peer.bench.consent(begun["url"], CALLBACK)).message


def public(peer):
    assert peer.is_sound(peer.sign_in(peer.discover("public", peer.bench.client(CALLBACK, kind="public"), "none")))


def nonce_and_state(peer):
    name = peer.main()
    for part in ("nonce", "state", "verifier"):
        begun = peer.do("begin", name)
        answer = peer.bench.consent(begun["url"], CALLBACK)
        refusal = peer.refused("finish", name, begun={**begun, part: "x" * 43}, url=answer)
        assert part in refusal.message or (part == "verifier" and refusal.error == "invalid_grant"), refusal
    assert peer.is_sound(peer.sign_in(name))


def iss(peer):
    name = peer.main()
    begun = peer.do("begin", name)
    answer = peer.bench.consent(begun["url"], CALLBACK)
    assert query_of(answer)["iss"] == peer.bench.url
    bare = answer.partition("&iss=")[0]
    for url in (bare, f"{bare}&iss=https%3A%2F%2Fevil.example"):
        assert '"iss"' in peer.refused("finish", name, begun=begun, url=url).message
    assert peer.is_sound(peer.do("finish", name, begun=begun, url=answer))


def userinfo(peer):
    tokens = peer.sign_in(peer.main())
    said, person = peer.do("userinfo", "main", token=tokens["access_token"], sub=tokens["claims"]["sub"]), peer.bench.person
    assert (said["sub"], said["email"], said["family_name"]) == (person["id"], person["email"], person["family_name"])


def refresh(peer):
    name = peer.main()
    first = peer.sign_in(name)
    second = peer.do("refresh", name, token=first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"] and second["access_token"] != first["access_token"]
    assert peer.do("userinfo", name, token=second["access_token"], sub=peer.bench.person["id"])
    third = peer.do("refresh", name, token=second["refresh_token"])
    for stale in (first, third):        # the first is no retry any more, and ends the family
        assert peer.refused("refresh", name, token=stale["refresh_token"]).error == "invalid_grant"


def machine(peer, name, client=None, **more):
    client = client or peer.bench.client(grants=["client_credentials"], permissions=["site.read"])
    tokens = peer.do("machine", peer.discover(name, client, **more))
    assert peer.do("get", name, token=tokens["access_token"], url=f"{peer.bench.url}/v1/sites")["status"] == 200
    return tokens


def client_credentials(peer):
    assert "refresh_token" not in machine(peer, "machine")


def secret_basic(peer):
    machine(peer, "basic", method="client_secret_basic")


def secret_post(peer):
    machine(peer, "post", method="client_secret_post")


def private_key_jwt(peer):
    for key in (P256("ec"), RSA("rsa")):
        client = peer.bench.client(grants=["client_credentials"], permissions=["site.read"], token_endpoint_auth_method="private_key_jwt", jwks={"keys": [key.jwk()]})
        der = key.key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        name, how = f"keys {key.alg}", {"method": "private_key_jwt", "key": base64.b64encode(der).decode(), "alg": key.alg, "kid": key.kid}
        tokens = machine(peer, name, client, **how)
        assert peer.do("introspect", name, token=tokens["access_token"])["active"] is True
        peer.do("revoke", name, token=tokens["access_token"])
        assert peer.do("introspect", name, token=tokens["access_token"])["active"] is False


def introspection(peer):
    tokens = peer.sign_in(peer.main())
    for kind in ("access_token", "refresh_token"):
        said = peer.do("introspect", "main", token=tokens[kind])
        assert said["active"] is True and said["sub"] == peer.bench.person["id"]


def revocation(peer):
    tokens = peer.sign_in(peer.main())
    peer.do("revoke", "main", token=tokens["refresh_token"])
    assert peer.do("introspect", "main", token=tokens["access_token"])["active"] is False
    assert peer.refused("refresh", "main", token=tokens["refresh_token"]).error == "invalid_grant"


def rotation(peer):
    """It keeps the keys that it fetched, and asks for others a minute later at the earliest: the next ones were there already."""
    name = peer.main()
    before = peer.sign_in(name)
    peer.bench.rotate_keys()
    after = peer.sign_in(name)
    assert peer.is_sound(after) and header_of(after["id_token"])["kid"] != header_of(before["id_token"])["kid"]
    for tokens in (before, after):
        assert peer.do("userinfo", name, token=tokens["access_token"], sub=peer.bench.person["id"])


def max_age(peer):
    name = peer.main()
    begun = peer.do("begin", name, parameters={"max_age": "600"})
    answer = peer.bench.consent(begun["url"], CALLBACK)
    assert peer.is_sound(peer.do("finish", name, begun=begun, url=answer, max_age=600))
    assert peer.bench.asks_for_password(peer.do("begin", name, parameters={"max_age": "0"})["url"])


def prompt(peer):
    name = peer.main()
    peer.sign_in(name)
    assert peer.is_sound(peer.sign_in(name, parameters={"prompt": "none"}))
    begun = peer.do("begin", name, parameters={"prompt": "none"})
    answer = peer.bench.consent(begun["url"], CALLBACK, peer.bench.stranger())
    assert peer.refused("finish", name, begun=begun, url=answer).error == "login_required"
    assert peer.bench.asks_for_password(peer.do("begin", name, parameters={"prompt": "login"})["url"])


def acr(peer):
    assert peer.sign_in(peer.main(), parameters={"acr_values": "1fa 2fa"})["claims"]["acr"] == "1fa"


def hint(peer):
    name = peer.main()
    token = peer.sign_in(name)["id_token"]
    assert peer.is_sound(peer.sign_in(name, parameters={"id_token_hint": token, "prompt": "none"}))
    begun = peer.do("begin", name, parameters={"id_token_hint": token, "prompt": "none"})
    answer = peer.bench.consent(begun["url"], CALLBACK, peer.bench.stranger())
    assert peer.refused("finish", name, begun=begun, url=answer).error == "login_required"


def consent(peer):
    name, before = peer.discover("third party", peer.bench.client(CALLBACK, third_party=True)), peer.bench.agreed
    begun = peer.do("begin", name, parameters={"prompt": "none"})
    assert peer.refused("finish", name, begun=begun, url=peer.bench.consent(begun["url"], CALLBACK)).error == "consent_required"
    for _ in range(2):      # remembered
        assert peer.is_sound(peer.sign_in(name)) and peer.bench.agreed == before + 1


def resource(peer):
    """Wide at the authorization endpoint, narrower at the token endpoint, and no wider again than that was."""
    name, url = peer.main(), peer.bench.url
    begun = peer.do("begin", name, parameters={"scope": "openid berth", "resource": f"{url}/v1"})
    answer = peer.bench.consent(begun["url"], CALLBACK)
    tokens = peer.do("finish", name, begun=begun, url=answer, parameters={"resource": f"{url}/v1/me"})
    for path, status in (("/v1/me", 200), ("/v1/bookings", 401)):
        assert peer.get(name, tokens, path) == status
    wide = peer.do("refresh", name, token=tokens["refresh_token"], parameters={"resource": f"{url}/v1"})
    assert peer.get(name, wide, "/v1/bookings") == 200
    assert peer.refused("refresh", name, token=wide["refresh_token"], parameters={"resource": url}).error == "invalid_target"


def pushed(peer):
    name = peer.discover("pushes", peer.bench.client(CALLBACK, require_pushed_authorization_requests=True))
    begun = peer.do("begin", name, par=True)
    assert set(query_of(begun["url"])) == {"client_id", "request_uri"}
    assert peer.is_sound(peer.sign_in(name, begun))
    plain = peer.do("begin", name)
    answer = peer.bench.consent(plain["url"], CALLBACK)
    assert peer.refused("finish", name, begun=plain, url=answer).error == "invalid_request"


def device(peer):
    """It asks, is told to wait, and gets its tokens once the person has typed the code and agreed."""
    client = peer.bench.client(grants=["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"])
    name = peer.discover("device", client)
    begun = peer.do("device_begin", name)
    assert peer.bench.let_in(begun["verification_uri_complete"]).status == 200
    tokens = peer.do("device_poll", name, begun=begun)
    assert peer.is_sound(tokens) and peer.do("refresh", name, token=tokens["refresh_token"])["access_token"]


def mix_up(peer):
    """The person means the hostile issuer, which sends the browser to the suite: the suite's code goes to no other token endpoint."""
    client = peer.bench.client(CALLBACK)
    with HostileIssuer(peer.bench.suite, client) as thief, HostileIssuer(peer.bench.suite) as plain:
        for issuer, name in ((plain, "plain issuer"), (thief, "thief")):
            peer.discover(name, {"id": "at-the-other", "secret": "s" * 43}, issuer=issuer.url)
            begun = peer.do("begin", name)
            sent = Browser({"url": issuer.url, "ca": peer.bench.ca}).get(begun["url"]).location
            if issuer is plain:         # what it is given by a client that it serves reaches it: the test would see a theft
                assert peer.refused("finish", name, begun=begun, url=sent).error == "invalid_grant"
                assert len(plain.stolen) == 1 and "code=of-its-own" in plain.stolen[0]
                continue
            answer = peer.bench.consent(sent, CALLBACK)
            assert query_of(answer)["code"] and query_of(answer)["state"] == begun["state"]
            assert '"iss"' in peer.refused("finish", name, begun=begun, url=answer).message
            assert not thief.stolen


def dpop(peer):
    """Each request has a proof of the client's own making; whoever has the tokens alone has nothing."""
    client = peer.bench.client(CALLBACK, kind="public", dpop_bound_access_tokens=True)
    name = peer.discover("proves", client, "none", dpop=True)
    tokens = peer.sign_in(name)
    assert peer.is_sound(tokens) and tokens["token_type"] == "dpop"
    assert peer.do("userinfo", name, token=tokens["access_token"], sub=peer.bench.person["id"])["sub"] == peer.bench.person["id"]
    tokens = peer.sign_in(name, parameters={"scope": "openid berth"})
    assert peer.get(name, tokens, "/v1/me") == 200
    later = peer.do("refresh", name, token=tokens["refresh_token"])
    assert later["token_type"] == "dpop" and peer.get(name, later, "/v1/me") == 200
    thief = peer.discover("another key", client, "none", dpop=True)
    assert peer.get(thief, later, "/v1/me") == 401 and peer.get(peer.discover("no key", client, "none"), later, "/v1/me") == 401
    assert peer.refused("refresh", thief, token=later["refresh_token"]).error == "invalid_grant"
    begun = peer.do("begin", "no key")
    answer = peer.bench.consent(begun["url"], CALLBACK)
    assert peer.refused("finish", "no key", begun=begun, url=answer).error == "invalid_dpop_proof"
    begun = peer.do("begin", name, par=True)       # the proof beside it binds the code
    answer = peer.bench.consent(begun["url"], CALLBACK)
    assert peer.refused("finish", thief, begun=begun, url=answer).error == "invalid_grant"
    assert peer.is_sound(peer.do("finish", name, begun=begun, url=answer))
    secret = peer.bench.client(grants=["client_credentials"], permissions=["site.read"], dpop_bound_access_tokens=True)
    assert peer.do("machine", peer.discover("machine with a key", secret, dpop=True))["token_type"] == "dpop"


def sign_out(peer):
    bye = "https://openid-client.example/bye"
    name = peer.discover("leaver", peer.bench.client(CALLBACK, post_logout_redirect_uris=[bye]))
    begun, browser = peer.do("begin", name), peer.bench.stranger()
    tokens = peer.do("finish", name, begun=begun, url=peer.bench.consent(begun["url"], CALLBACK, browser))
    sent = peer.do("end_session", name, parameters={"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": bye, "state": "s"})["url"]
    reply = browser.get(sent)
    assert reply.status == 303 and reply.location == f"{bye}?state=s", f"{reply.status} {reply.location}"
    begun = peer.do("begin", name, parameters={"prompt": "none"})
    assert peer.refused("finish", name, begun=begun, url=peer.bench.consent(begun["url"], CALLBACK, browser)).error == "login_required"


CELLS = {
    "discovery": discovery, "code with PKCE, ID token by ES256": code, "ID token by RS256": rs256, "a public client": public,
    "nonce and state": nonce_and_state, "iss in the response": iss, "userinfo": userinfo, "refresh with rotation": refresh,
    "client_credentials": client_credentials, "client_secret_basic": secret_basic, "client_secret_post": secret_post, "private_key_jwt": private_key_jwt,
    "introspection": introspection, "revocation": revocation, "signing keys rotate": rotation, "max_age": max_age, "prompt": prompt, "acr_values": acr,
    "id_token_hint": hint, "consent is asked for": consent, "resource indicators": resource, "PAR": pushed, "device grant": device, "DPoP": dpop, "sign-out begun by the client": sign_out,
    "two issuers, one hostile": mix_up}
LACKS = {
    "access tokens read by keys": "the client does not look into access tokens",
    "request by POST": "the client sends browsers by GET",
    "people by Chromium": "the client has no pages",
    "back-channel logout": "the client takes no logout tokens"}
