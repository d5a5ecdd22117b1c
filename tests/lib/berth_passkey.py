# SPDX-License-Identifier: Apache-2.0
"""A passkey in software, and the browser's part in its ceremonies: what WebAuthn Level 3 lets an authenticator answer, and anything else.

    key = Passkey(suite.url)
    add(browser, key)                              on the page of factors, in a browser that has just signed in
    reply = sign_in(browser, key, "/login?…")      without a password
    reply = show(browser, key, "/login/factor?…")  behind one
    tokens(suite, client, key)                     the token response of a sign-in by it, as often as one likes
"""
import base64
import hashlib
import html.parser
import json
import secrets
import struct
import urllib.parse

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from berth_flow import Authorization, b64url

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40
# By COSE's numbers of the algorithms: number of the curve, the curve, the digest, bytes of a coordinate.
CURVES = {-7: (1, ec.SECP256R1(), hashes.SHA256(), 32), -35: (2, ec.SECP384R1(), hashes.SHA384(), 48), -36: (3, ec.SECP521R1(), hashes.SHA512(), 66)}


def unb64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor_bytes(data):
    return (bytes([0x58, len(data)]) if len(data) < 256 else b"\x59" + struct.pack(">H", len(data))) + data


class Form(html.parser.HTMLParser):
    """The form of a page that its script would fill in."""

    def __init__(self, text):
        super().__init__()
        self.action, self.way, self.options, self.hidden, self.inside = None, None, None, {}, False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.inside = "data-passkey" in attrs
            if self.inside:
                self.action, self.way, self.options = attrs["action"], attrs["data-passkey"], json.loads(attrs["data-options"])
        elif self.inside and tag == "input" and attrs.get("type") == "hidden":
            self.hidden[attrs["name"]] = attrs.get("value", "")


class Passkey:
    """One credential. `flags`: beside presence; counter None: it does not count; `id_len`: of its id, in bytes; `alg`: of its key."""

    def __init__(self, url, counter=0, flags=UV, id_len=32, alg=-7):
        self.origin = url
        self.rp_id = urllib.parse.urlsplit(url).hostname
        self.alg = alg
        self.curve, curve, self.digest, self.length = CURVES[alg]
        self.key = ec.generate_private_key(curve)
        self.id = secrets.token_bytes(id_len)
        self.counter, self.flags = counter, flags
        self.user_handle = b""

    def cose(self, alg=None):
        """`alg`: what it says of itself, be it true or not."""
        alg = self.alg if alg is None else alg
        point = self.key.public_key().public_numbers()
        head = b"\xa5\x01\x02\x03" + (bytes([0x20 - 1 - alg]) if alg > -25 else b"\x38" + bytes([-1 - alg]))
        x, y = (cbor_bytes(number.to_bytes(self.length, "big")) for number in (point.x, point.y))
        return head + b"\x20" + bytes([self.curve]) + b"\x21" + x + b"\x22" + y

    def client_data(self, kind, challenge, changes):
        data = {"type": f"webauthn.{kind}", "challenge": challenge, "origin": self.origin, "crossOrigin": False, **changes}
        return json.dumps({name: value for name, value in data.items() if value is not None}).encode()

    def authenticator_data(self, attested=b"", rp_id=None, flags=None, counter=None):
        flags = UP | self.flags if flags is None else flags
        if counter is None:
            self.counter = None if self.counter is None else self.counter + 1
            counter = self.counter or 0
        return hashlib.sha256((rp_id or self.rp_id).encode()).digest() + bytes([flags | (AT if attested else 0)]) + struct.pack(">I", counter) + attested

    def create(self, options, told=None, alg=None, **changes):
        """What the browser answers to `options` of a registration; `told` changes members of the client data."""
        self.user_handle = unb64url(options["user"]["id"])
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + self.cose(alg)
        data = self.authenticator_data(attested, **changes)
        attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData" + cbor_bytes(data)
        return {"client_data": b64url(self.client_data("create", options["challenge"], told or {})), "attestation": b64url(attestation),
                "transports": "internal"}

    def get(self, options, told=None, bend=None, user_handle=None, **changes):
        """The same to those of a sign-in; `bend` changes the signature."""
        data = self.authenticator_data(**changes)
        client_data = self.client_data("get", options["challenge"], told or {})
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(self.digest))
        return {"credential": b64url(self.id), "client_data": b64url(client_data), "authenticator_data": b64url(data),
                "signature": b64url(bend(signature) if bend else signature), "user_handle": b64url(user_handle or self.user_handle)}


def form_at(browser, path):
    """The form that a page offers for passkeys."""
    reply = browser.get(path)
    assert reply.status == 200, f"{path}: {reply.status} {reply.text[:200]}"
    form = Form(reply.text)
    assert form.options is not None, f"{path} offers no passkey"
    return form


def add(browser, key, name="my key", path="/account/factors", transports="internal", **changes):
    """Registers the passkey: the answer."""
    form = form_at(browser, path)
    return browser.post(form.action, {**form.hidden, "name": name, **key.create(form.options, **changes), "transports": transports})


def use(browser, key, path, **changes):
    form = form_at(browser, path)
    return browser.post(form.action, {**form.hidden, **key.get(form.options, **changes)})


sign_in = show = use


def tokens(suite, client, key, **parameters):
    flow = Authorization(suite.info, client, **parameters)
    reply = flow.exchange(flow.follow(sign_in(flow.browser, key, flow.begin().location))["code"])
    assert reply.status == 200, reply.text
    return reply.json()
