# SPDX-License-Identifier: Apache-2.0
"""WebAuthn by the probe: the published vectors hold, and each thing that is made wrong is refused for itself."""
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import webauthn_table as table
from berth_jose import P256
from berth_probe import all_fine, probe

ORDER = 48
NONE = table.VECTORS["16.2 ES256, no attestation"]
SELF = table.VECTORS["16.3 ES256, self attestation"]
CERTIFIED = table.VECTORS["16.10 RS256, a certificate"]
HASH = bytes.fromhex(table.HASH)
FLAGS = 32
PADDED = ("challenge", "client_data_json", "attestation_object", "authenticator_data", "signature", "public_key")


def said(ceremony, fields):
    return probe("webauthn", ceremony, given=table.given(fields))


def refused(ceremony, rows):
    def judge(row):
        name, fields, reason = row
        verdict = said(ceremony, fields)
        return None if verdict == {"verdict": "refuse", "reason": reason} else f"{name}: {verdict}"
    all_fine(judge, rows)


@pytest.mark.parametrize("name", table.VECTORS)
def test_the_published_vectors_verify(name):
    row = table.VECTORS[name]
    assert said("register", table.registration(row)) == {"verdict": "accept", "reason": None}
    assert said("authenticate", table.authentication(row)) == {"verdict": "accept", "reason": None}


def test_the_fields_around_may_be_padded():
    for ceremony, fields in (("register", table.registration(NONE)), ("authenticate", table.authentication(NONE))):
        given = {name: value + "=" * (-len(value) % 4) if name in PADDED else value for name, value in json.loads(table.given(fields)).items()}
        assert given != json.loads(table.given(fields))
        assert probe("webauthn", ceremony, given=json.dumps(given).encode()) == {"verdict": "accept", "reason": None}
        over = {name: value + "=" if name in PADDED else value for name, value in given.items()}
        assert probe("webauthn", ceremony, given=json.dumps(over).encode()) == {"verdict": "refuse", "reason": "a field is no base64url"}


def test_what_the_specification_allows_and_this_product_does_not():
    challenge, extra, _ = table.CROSS_ORIGIN
    fields = table.registration(table.CROSS_ORIGIN, client_data_json=table.client_data("create", challenge, extra, cross=True))
    assert said("register", fields) == {"verdict": "refuse", "reason": "crossOrigin: the page was inside another site's"}
    assert said("register", table.registration(table.CROSS_ORIGIN))["verdict"] == "accept", "with attestation none only the client data tell"


def client_data_rows(make, row, ceremony, challenge):
    other = {"create": "get", "get": "create"}[ceremony]

    def data(**changes):
        return make(row, client_data_json=table.client_data(ceremony, challenge, **changes))
    yield from [
        ("another type", data(type=f"webauthn.{other}"), "type is of another ceremony"),
        ("no type", data(type=None), "type is of another ceremony"),
        ("a type that is no text", data(type=["webauthn.get"]), "type is of another ceremony"),
        ("another challenge", make(row, challenge=bytes(32)), "challenge is not the one that was given"),
        ("a challenge with padding", data(challenge=table.b64(bytes.fromhex(challenge)) + "="), "challenge is not the one that was given"),
        ("no challenge", data(challenge=None), "challenge is not the one that was given"),
        ("an empty challenge that fits", {**data(challenge=""), "challenge": b""}, "challenge is not the one that was given"),
        ("another relying party id", make(row, rp_id="example.com"), "rpIdHash is another site's"),
        ("a longer relying party id", make(row, rp_id="www.example.org"), "rpIdHash is another site's"),
        ("in another site's frame", data(cross=True), "crossOrigin: the page was inside another site's"),
        ("crossOrigin that is no truth value", data(cross=0), "crossOrigin: the page was inside another site's"),
        ("a page above", data(topOrigin="https://example.com"), "crossOrigin: the page was inside another site's"),
        ("no client data", make(row, client_data_json=b""), "the client data are no JSON object"),
        ("client data that are a list", make(row, client_data_json=b"[]"), "the client data are no JSON object"),
        ("a byte order mark", make(row, client_data_json=b"\xef\xbb\xbf" + table.client_data(ceremony, challenge)), "the client data are no JSON object"),
        ("a doubled member", make(row, client_data_json=b'{"type":"x",' + table.client_data(ceremony, challenge)[1:]), "the client data are no JSON object"),
        ("client data without end", make(row, client_data_json=table.client_data(ceremony, challenge, extra="x" * 4096)), "the client data are absent or too long"),
    ]
    for origin in ("https://example.com", "http://example.org", "https://example.org:8443", "https://example.org/", "https://EXAMPLE.org", "https://www.example.org",
                   "https://example.org.evil.example", "https://user@example.org", "null", "", None, ["https://example.org"]):
        yield f"origin {origin}", data(origin=origin), "origin is another site"


def test_each_field_of_the_client_data_counts():
    refused("register", list(client_data_rows(table.registration, NONE, "create", NONE[0])))
    refused("authenticate", list(client_data_rows(table.authentication, NONE, "get", NONE[3])))


def with_flags(data, flags):
    at = data.index(HASH) + FLAGS
    return data[:at] + bytes([flags]) + data[at + 1:]


def flags_rows(make, row, member, attested):
    data = make(row)[member]

    def made(flags, **changes):
        return {**make(row, **changes), member: with_flags(data, flags | attested)}
    return [
        ("nobody present", made(0x18), "flags: nobody was present"),
        ("not verified where it is asked for", made(0x19, user_verification=True), "flags: the user was not verified"),
        ("backed up without being eligible", made(0x11), "flags: backed up, though not eligible for it"),
        ("extensions that are not there", made(0x99), "the extensions are malformed"),
    ]


def test_each_flag_counts():
    refused("register", [*flags_rows(table.registration, NONE, "attestation_object", 0x40), (
        "no credential", table.registration(NONE, attestation_object=with_flags(bytes.fromhex(NONE[2]), 0x19)), "bytes are left behind the authenticator data")])
    refused("authenticate", flags_rows(table.authentication, NONE, "authenticator_data", 0))
    object_ = bytes.fromhex(NONE[2])
    short = object_[:object_.index(HASH) - 2] + b"\x58\x25" + HASH + bytes.fromhex("1900000000")
    refused("register", [("no credential at all", table.registration(NONE, attestation_object=short), "flags: no credential is attested")])
    whole = object_[object_.index(HASH):]
    refused("authenticate", [("a credential in a sign-in", table.authentication(NONE, authenticator_data=whole), "flags: a credential is attested in a sign-in")])


def test_signature_key_and_counter_count():
    row, edwards = NONE, table.VECTORS["16.11 Ed25519, a certificate"]
    good = table.authentication(row)
    signature, key = good["signature"], good["public_key"]
    wrong = "the signature is wrong"
    rows = [
        *[(f"bit {bit} of the signature", {**good, "signature": turned(signature, bit)}, wrong) for bit in range(0, len(signature) * 8, 37)],
        ("flags signed otherwise", {**good, "authenticator_data": with_flags(good["authenticator_data"], 0x1d)}, wrong),
        ("a counter signed otherwise", {**good, "authenticator_data": HASH + bytes.fromhex("1900000001")}, wrong),
        ("client data signed otherwise", {**good, "client_data_json": table.client_data("get", row[3], note="x")}, wrong),
        ("a signature with a byte more", {**good, "signature": signature + b"\0"}, wrong),
        ("a signature that is cut", {**good, "signature": signature[:-1]}, wrong),
        ("no signature", {**good, "signature": b""}, wrong),
        ("a signature without end", {**good, "signature": bytes(513)}, "the signature is absent or too long"),
        ("another's key", {**good, "public_key": table.authentication(SELF)["public_key"]}, wrong),
        ("a key of another kind", {**good, "public_key": table.authentication(edwards)["public_key"]}, wrong),
        ("PS256", {**good, "public_key": key.replace(b"\x03\x26", b"\x03\x38\x24")}, "the key's algorithm is not allowed"),
        ("ES384 with P-256", {**good, "public_key": key.replace(b"\x03\x26", b"\x03\x38\x22")}, "the key's type or curve is not its algorithm's"),
        ("no algorithm", {**good, "public_key": key.replace(b"\xa5\x01\x02\x03\x26", b"\xa4\x01\x02")}, "the key's algorithm is not allowed"),
        ("an algorithm of another type", {**good, "public_key": key.replace(b"\x03\x26", b"\x03\x27")}, "the key's type or curve is not its algorithm's"),
        ("another curve", {**good, "public_key": key.replace(b"\x20\x01\x21", b"\x20\x02\x21")}, "the key's type or curve is not its algorithm's"),
        ("a point off the curve", {**good, "public_key": key[:-1] + bytes([key[-1] ^ 1])}, "not a public key of its kind"),
        ("a key with a byte more", {**good, "public_key": key + b"\0"}, "bytes are left behind the public key"),
        ("a key without its y", {**good, "public_key": b"\xa4" + key[1:-35]}, "the key has not the members of its kind"),
        ("a key with a member that says alg again", {**good, "public_key": b"\xa5\x01\x02\x03\x26\x03\x26" + key[5:10 + 32 + 3]}, "the public key is no COSE key"),
        ("a weak RSA key", {**good, "public_key": bytes.fromhex("a4010303390100205880") + b"\xff" * 128 + bytes.fromhex("2143010001")},
         "an RSA modulus is odd and has 2048 to 4096 bits"),
        ("a counter that was used", {**good, "sign_count": 1}, "the sign counter did not rise"),
        ("data with a byte more", {**good, "authenticator_data": good["authenticator_data"] + b"\0"}, "bytes are left behind the authenticator data"),
        ("data that are cut", {**good, "authenticator_data": good["authenticator_data"][:-1]}, "the authenticator data are cut short"),
    ]
    refused("authenticate", rows)


LARGER = {"ES384": (-35, 2, ec.SECP384R1(), hashes.SHA384(), 48), "ES512": (-36, 3, ec.SECP521R1(), hashes.SHA512(), 66)}


@pytest.mark.parametrize("name", LARGER)
def test_keys_on_larger_curves_are_taken_and_judged_alike(name):
    """With a challenge as long as that of the published ES512 vector."""
    alg, curve_number, curve, digest, length = LARGER[name]
    key, challenge = ec.generate_private_key(curve), "5a" * 128
    point = key.public_key().public_numbers()
    x, y = (number.to_bytes(length, "big") for number in (point.x, point.y))

    def cose(alg=alg, curve_number=curve_number, x=x, y=y):
        return b"\xa5\x01\x02\x03\x38" + bytes([-1 - alg]) + b"\x20" + bytes([curve_number]) + b"\x21\x58" + bytes([len(x)]) + x + b"\x22\x58" + bytes([len(y)]) + y

    def registered(public, statement=None):
        data = HASH + b"\x41" + bytes(4) + bytes(16) + b"\x00\x10" + b"\x77" * 16 + public
        client = table.client_data("create", challenge)
        signature = key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(digest))
        form = b"\x64none\x67attStmt\xa0" if statement is None else b"\x66packed\x67attStmt\xa2\x63alg\x38" + bytes([-1 - statement]) + b"\x63sig\x58" + bytes([len(signature)]) + signature
        return {"rp_id": table.RP_ID, "origin": table.ORIGIN, "challenge": bytes.fromhex(challenge), "client_data_json": client, "user_verification": False,
                "attestation_object": b"\xa3\x63fmt" + form + b"\x68authData" + b"\x58" + bytes([len(data)]) + data}

    def used(public=cose(), digest=digest, bend=lambda signature: signature):
        data, client = HASH + b"\x01" + bytes(4), table.client_data("get", challenge)
        signature = bend(key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(digest)))
        return {"rp_id": table.RP_ID, "origin": table.ORIGIN, "challenge": bytes.fromhex(challenge), "client_data_json": client, "user_verification": False,
                "authenticator_data": data, "signature": signature, "public_key": public, "sign_count": 0}
    for ceremony, fields in (("register", registered(cose())), ("register", registered(cose(), alg)), ("authenticate", used())):
        assert said(ceremony, fields) == {"verdict": "accept", "reason": None}
    other = {-35: -36, -36: -35}[alg]
    kind, point_fault, wrong = "the key's type or curve is not its algorithm's", "not a public key of its kind", "the signature is wrong"
    refused("register", [
        ("the other's algorithm", registered(cose(alg=other)), kind), ("P-256's number", registered(cose(curve_number=1)), kind),
        ("a point off the curve", registered(cose(y=y[:-1] + bytes([y[-1] ^ 1]))), point_fault), ("a short coordinate", registered(cose(x=x[1:])), point_fault),
        ("attested under the other's algorithm", registered(cose(), other), "the attestation's algorithm is not the key's")])
    refused("authenticate", [
        ("another digest", used(digest=hashes.SHA256()), wrong), ("a byte more", used(bend=lambda signature: signature + b"\0"), wrong),
        ("a byte less", used(bend=lambda signature: signature[:-1]), wrong), ("none", used(bend=lambda _: b""), wrong),
        ("a longer length than needed", used(bend=lambda signature: longer(signature)), wrong),
        *[(f"bit {bit}", used(bend=lambda signature, bit=bit: turned(signature, bit)), wrong) for bit in range(3, 500, 41)]])


def longer(signature):
    """The same numbers under a head that DER does not allow."""
    body = signature[3:] if signature[1] == 0x81 else signature[2:]
    return b"\x30\x82" + len(body).to_bytes(2, "big") + body


def turned(given, bit):
    return given[:bit // 8] + bytes([given[bit // 8] ^ 1 << bit % 8]) + given[bit // 8 + 1:]


def test_a_counter_rises_or_is_refused():
    key = P256("passkey")
    point = key.point
    public = (b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + point.x.to_bytes(32, "big") + b"\x22\x58\x20" + point.y.to_bytes(32, "big"))
    challenge = "ab" * 32

    def judged(kept, shown):
        data = hashlib.sha256(table.RP_ID.encode()).digest() + b"\x05" + shown.to_bytes(4, "big")
        client = table.client_data("get", challenge)
        signature = key.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return said("authenticate", {"rp_id": table.RP_ID, "origin": table.ORIGIN, "challenge": bytes.fromhex(challenge), "client_data_json": client,
                                     "authenticator_data": data, "signature": signature, "public_key": public, "sign_count": kept, "user_verification": True})
    for kept, shown, taken in ((0, 0, True), (0, 1, True), (1, 2, True), (7, 2 ** 32 - 1, True), (1, 1, False), (2, 1, False), (1, 0, False), (2 ** 32 - 1, 0, False)):
        expected = {"verdict": "accept", "reason": None} if taken else {"verdict": "refuse", "reason": "the sign counter did not rise"}
        assert judged(kept, shown) == expected, (kept, shown)


def test_the_attestation_object_is_read_strictly():
    none, packed, certified = (bytes.fromhex(row[2]) for row in (NONE, SELF, CERTIFIED))
    malformed, statement, wrong = "the attestation object is malformed", "the attestation statement is malformed", "the attestation's signature is wrong"
    at = packed.index(b"sig") + 3
    rows = [(name, table.registration(row, attestation_object=changed), reason) for name, row, changed, reason in [
        ("nothing", NONE, b"", malformed),
        ("a byte more", NONE, none + b"\0", malformed),
        ("a byte less", NONE, none[:-1], malformed),
        ("a longer length than needed", NONE, none.replace(b"\x63fmt", b"\x78\x03fmt"), malformed),
        ("an indefinite map", NONE, b"\xbf" + none[1:] + b"\xff", malformed),
        ("a member twice", NONE, none.replace(b"\x63fmt\x64none\x67attStmt\xa0", b"\x63fmt\x64none\x63fmt\x64none"), malformed),
        ("a tag", NONE, b"\xc0" + none, malformed),
        ("a statement where there is none", NONE, none.replace(b"attStmt\xa0", b"attStmt\xa1\x61x\x61y"), statement),
        ("another format", NONE, none.replace(b"\x64none", b"\x68fido-u2f"), "the attestation format is not supported"),
        ("too much of it", NONE, bytes(16385), "the attestation object is absent or too long"),
        ("an empty credential id", NONE, emptied(none), "the credential id is absent or too long"),
        ("a key algorithm that is not allowed", NONE, none.replace(b"\x01\x02\x03\x26", b"\x01\x02\x03\x2e"), "the key's algorithm is not allowed"),
        ("self attestation, a bit of the signature", SELF, packed[:at + 12] + bytes([packed[at + 12] ^ 1]) + packed[at + 13:], wrong),
        ("self attestation under another algorithm", SELF, packed.replace(b"\x63alg\x26", b"\x63alg\x27"), "the attestation's algorithm is not the key's"),
        ("self attestation under an algorithm that is not allowed", SELF, packed.replace(b"\x63alg\x26", b"\x63alg\x2e"), "the attestation's algorithm is not allowed"),
        ("self attestation with other flags", SELF, with_flags(packed, 0x59), wrong),
        ("a certificate, a bit of the signature", CERTIFIED, turned(certified, (certified.index(b"sig") + 20) * 8), wrong),
        ("a certificate that is none", CERTIFIED, certified.replace(b"\x59\x02\x26\x30", b"\x59\x02\x26\x31"), "the attestation certificate is malformed"),
        ("a certificate under another algorithm", CERTIFIED, certified.replace(b"\x63alg\x26", b"\x63alg\x27"), "the attestation's algorithm is not its certificate's"),
    ]]
    refused("register", rows)


def emptied(none):
    at = none.index(HASH) + 53
    shorter = none[:at] + b"\0\0" + none[at + 34:]
    return shorter.replace(b"\x58\xa4" + HASH, b"\x58\x84" + HASH)
