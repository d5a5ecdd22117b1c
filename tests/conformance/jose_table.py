# SPDX-License-Identifier: Apache-2.0
"""What RFC 7515, 7517, 7518, 8037 and 8725 say of signatures, headers and keys, and RFC 7519 and 9068 of claims: made wrong one by one."""
import contextlib
import hashlib
import json
import secrets
import time
import uuid

from cryptography.hazmat.primitives import hashes

from berth_jose import ED_ORDER, P256_ORDER, Ed25519, b64, compact, dumps, header_of, hs256, number, tail_bits, unb64
from berth_suite import wait_for

# Published vectors: (where, JWK, compact, payload). Members are as printed there.
PAYLOAD_7515 = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
PAYLOAD_7520 = ("SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwg"
                "dGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4")
VECTORS = [
    ("RFC 8037 A.4", {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
     "Example of Ed25519 signing"),
    ("RFC 7515 A.3", {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
     f"eyJhbGciOiJFUzI1NiJ9.{PAYLOAD_7515}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
     {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}),
    ("RFC 7515 A.2", {"kty": "RSA", "e": "AQAB",
                      "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGz"
                           "jb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8"
                           "q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
     f"eyJhbGciOiJSUzI1NiJ9.{PAYLOAD_7515}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYN"
     "X4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgG"
     "Y9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw", {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}),
    ("RFC 7520 4.1", {"kty": "RSA", "kid": "bilbo.baggins@hobbiton.example", "use": "sig", "e": "AQAB",
                      "n": "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHH"
                           "ig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixo"
                           "R7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"},
     f"eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.{PAYLOAD_7520}.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4"
     "mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3x"
     "yIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg", unb64(PAYLOAD_7520).decode()),
]
# Also published, and not supported here: refused, never mistaken for something else.
FOREIGN = [
    ("RFC 7515 A.1, HS256", f"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD_7515}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    ("RFC 7515 A.5, none", f"eyJhbGciOiJub25lIn0.{PAYLOAD_7515}."),
    ("RFC 7516 A.1, encrypted", "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AAAA.48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6ji.XFBoMYUZodetZdvTiFvSkQ"),
]


def headers(key):
    """(name, header, taken): each signed rightly, so that the header alone decides."""
    def made(**changes):
        return header_of(key, **changes)
    good = dumps(made())
    yield from [
        ("as we write it", made(), True), ("members that nobody knows", made(cty="x", x=[1, {"y": None}]), True), ("white space", json.dumps(made(), indent=2).encode(), True),
        ("escapes", good.replace(b'"alg"', b'"\\u0061lg"'), True), ("type in another case", made(typ="AT+JWT"), True), ("type in full", made(typ="application/at+jwt"), True)]
    for alg in ("none", "None", "NONE", "nOnE", "none ", " none", "none\0", "", "HS256", "HS384", "HS512", "ES256", "ES384", "ES512", "ES256K", "RS256", "RS384", "RS512", "PS256", "PS384",
                "PS512", "Ed25519", "EDDSA", "eddsa", "EdDSA ", "EdDSA\0", "RS1", "dir", "A128KW", "ECDH-ES", "unknown", "\u0415dDSA", "EdDSA,none", "x" * 200):
        yield f"alg {alg[:20]!r}", made(alg=alg), False
    for value in (None, 0, True, [], ["EdDSA"], {"alg": "EdDSA"}):
        yield f"alg as {value!r}", {**made(alg=None), **({} if value is None else {"alg": value})}, False
    yield "alg null", {**made(), "alg": None}, False
    for kid in ("", " ", "../../../dev/null", "/dev/null", "' or '1'='1", "x'; drop table signing_key; --", f"{key.kid}\0", f" {key.kid}", f"{key.kid} ", key.kid.swapcase(), key.kid[:-1],
                f"{key.kid}x", "*", "%", "k" * 65, "k" * 1000, "http://evil.example/key", "\u212a", "${jndi:ldap://x}", "nobody"):
        yield f"kid {kid[:24]!r}", made(kid=kid), False
    for value in (None, 0, True, [key.kid], {"kid": key.kid}):
        yield f"kid as {value!r}", {**made(kid=None), **({} if value is None else {"kid": value})}, False
    yield "kid null", {**made(), "kid": None}, False
    own = key.jwk()
    for name, value in {"jku": "https://evil.example/jwks", "x5u": "http://169.254.169.254/latest", "jwk": own, "x5c": [b64(b"certificate")], "crit": ["exp"], "zip": "DEF", "enc": "A256GCM",
                        "b64": False}.items():
        yield name, made(**{name: value}), False
        yield f"{name} null", {**made(), name: None}, False
    for value in ([], ["b64"], ["alg"], ["http://example.com/x"], "exp", {}, [1], ["x", "x"], True):
        yield f"crit {value!r}", made(crit=value, x=1), False
    yield "crit of b64", made(crit=["b64"], b64=False), False
    yield "b64 true", made(b64=True), False
    for typ in ("JWT", "jwt", "", "id+jwt", "logout+jwt", "dpop+jwt", "at+jwt ", "at+jwtx", "application/jwt", "x/at+jwt", "at jwt", "application/application/at+jwt"):
        yield f"typ {typ!r}", made(typ=typ), None
    yield "no typ", made(typ=None), None
    for value in (1, True, [], ["at+jwt"], {}, "x" * 100):
        yield f"typ as {value!r}"[:40], made(typ=value), False
    yield "typ null", {**made(), "typ": None}, False
    for name, text in {"alg twice": good[:-1] + b',"alg":"EdDSA"}', "alg twice, once escaped": b'{"al\\u0067":"none",' + good[1:], "kid twice": good[:-1] + b',"kid":"nobody"}',
                       "typ twice": good[:-1] + b',"typ":"JWT"}', "an unknown member twice": good[:-1] + b',"x":1,"x":2}', "an array": b"[" + good + b"]", "a string": b'"alg"', "null": b"null",
                       "a number": b"1", "no JSON": b"alg=EdDSA", "nothing inside": b"{}", "a comma too many": good[:-1] + b",}", "two objects": good + good, "a NUL behind": good + b"\0",
                       "a byte order mark": b"\xef\xbb\xbf" + good, "bad UTF-8": good[:-1] + b',"x":"\xff"}', "a lone surrogate": good[:-1] + b',"x":"\\ud800"}',
                       "UTF-16": good.decode().encode("utf-16-le"), "deep nesting": good[:-1] + b',"x":' + b"[" * 50 + b"]" * 50 + b"}", "single quotes": good.replace(b'"', b"'"),
                       "too long": good[:-1] + b',"x":"' + b"x" * 1600 + b'"}'}.items():
        yield name, text, False


def texts(key, payload):
    """(name, compact, taken) of forms: what may stand around and between three parts of base64url."""
    good = compact(key, payload)
    head, body, signature = good.split(".")
    yield "as it is", good, True
    for name, text in {
            "nothing": "", "one part": head, "two parts": f"{head}.{body}", "no signature": f"{head}.{body}.", "no header": f".{body}.{signature}", "no payload": f"{head}..{signature}",
            "four parts": f"{good}.", "four full parts": f"{good}.{signature}", "five parts": f"{good}.x.y", "a dot in front": f".{good}", "only dots": "..", "three dots": "...",
            "a space in front": f" {good}", "a space behind": f"{good} ", "two newlines behind": f"{good}\n\n", "a tab between": f"{head}\t.{body}.{signature}", "a NUL behind": f"{good}\0",
            "padding of the header": f"{head}=.{body}.{signature}", "padding of the signature": f"{good}==", "padding everywhere": ".".join(f"{part}==" for part in (head, body, signature)),
            "a newline in the payload": f"{head}.{body[:9]}\n{body[9:]}.{signature}", "a comma for a dot": f"{head},{body}.{signature}", "percent-encoded dots": good.replace(".", "%2E"),
            "the JSON serialization": json.dumps({"payload": body, "protected": head, "signature": signature}), "in quotes": f'"{good}"', "with its scheme": f"Bearer {good}",
            "the payload first": f"{body}.{head}.{signature}", "a character above ASCII": f"{head}\u00e9.{body}.{signature}", "a byte order mark": f"\ufeff{good}",
            "the signature twice": f"{head}.{body}.{signature}{signature}", "cut by one": good[:-1], "one longer": f"{good}A", "a star in the header": f"*{head[1:]}.{body}.{signature}",
            "very long": f"{head}.{body}.{signature}{'A' * 20000}"}.items():
        yield name, text, False
    if "-" in signature or "_" in signature:
        yield "the other base64", f"{head}.{body}.{signature.replace('-', '+').replace('_', '/')}", False
    yield "bits behind the end of the signature", f"{head}.{body}.{tail_bits(signature)}", False
    # Signed over the text as it stands: only the reading of base64url can refuse these.
    for name, change in {"padding, signed": lambda h, p: [h + "=" * (-len(h) % 4 or 4), p], "padding of the payload, signed": lambda h, p: [h, p + "=" * (-len(p) % 4 or 4)],
                         "the other base64, signed": lambda h, p: [h, "+/" + p[2:]], "a newline in the payload, signed": lambda h, p: [h, p[:4] + "\n" + p[4:]],
                         "one character behind the payload, signed": lambda h, p: [h, p + "A" * (1 if len(p) % 4 == 0 else 5 - len(p) % 4)],
                         "bits behind the end of the payload, signed": lambda h, p: [h, tail_bits(p) or p[:-1] + "B"]}.items():
        yield name, compact(key, payload if "bits" not in name else dumps(payload) + b" " * (-(len(dumps(payload)) - 1) % 3), parts=change), False


def signatures(key, other, payload):
    """(name, compact, taken) of Ed25519 signatures."""
    def by(change):
        return compact(key, payload, sign=lambda given: change(key.sign(given)))
    def scalar(signature, value):
        return signature[:32] + value.to_bytes(32, "little")
    low = bytes(32)
    yield "of another key", compact(other, payload, header=header_of(key)), False
    yield "of another text", compact(key, payload, sign=lambda given: key.sign(given + b"x")), False
    yield "of the payload alone", compact(key, payload, sign=lambda given: key.sign(given.split(b".")[1])), False
    yield "of the digest (Ed25519ph's way)", compact(key, payload, sign=lambda given: key.sign(hashlib.sha512(given).digest())), False
    yield "S of zero", by(lambda s: s[:32] + low), False
    yield "R of zero", by(lambda s: low + s[32:]), False
    yield "all zero", by(lambda s: bytes(64)), False
    yield "all ones", by(lambda s: b"\xff" * 64), False
    yield "S above the order (malleable)", by(lambda s: scalar(s, int.from_bytes(s[32:], "little") + ED_ORDER)), False
    yield "S above twice the order", by(lambda s: scalar(s, int.from_bytes(s[32:], "little") + 2 * ED_ORDER)), False
    yield "S as the order", by(lambda s: scalar(s, ED_ORDER)), False
    yield "S negated", by(lambda s: scalar(s, ED_ORDER - int.from_bytes(s[32:], "little"))), False
    yield "the halves swapped", by(lambda s: s[32:] + s[:32]), False
    yield "bytes reversed", by(lambda s: s[::-1]), False
    yield "R of small order, S of zero", by(lambda s: bytes([1]) + bytes(63)), False
    for length in (0, 1, 31, 32, 63):
        yield f"{length} bytes of it", by(lambda s, length=length: s[:length]), False
    yield "a byte longer", by(lambda s: s + b"\0"), False
    yield "twice as long", by(lambda s: s + s), False
    yield "a zero in front", by(lambda s: b"\0" + s), False
    for bit in (0, 7, 255, 256, 300, 511):
        yield f"bit {bit} turned", by(lambda s, bit=bit: bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(s))), False
    for secret in (key.raw, b64(key.raw).encode(), json.dumps(key.jwk()).encode(), b"", b"secret"):
        yield f"HMAC with {secret[:8]!r}", compact(key, payload, header=header_of(key, alg="HS256"), sign=lambda given, secret=secret: hs256(secret, given)), False


def p256_signatures(key, payload):
    def by(change):
        return compact(key, payload, sign=lambda given: change(*key.pair(given)))
    def raw(r, s, length=32):
        return r.to_bytes(length, "big") + s.to_bytes(length, "big")
    top = 2 ** 256 - 1
    yield "as it is", compact(key, payload), True
    yield "s negated is the same signature", by(lambda r, s: raw(r, P256_ORDER - s)), True
    for name, pair in {"r of zero": lambda r, s: raw(0, s), "s of zero": lambda r, s: raw(r, 0), "both zero (CVE-2022-21449)": lambda r, s: raw(0, 0), "r of one, s of zero": lambda r, s: raw(1, 0),
                       "r as the order": lambda r, s: raw(P256_ORDER, s), "s as the order": lambda r, s: raw(r, P256_ORDER), "both the order": lambda r, s: raw(P256_ORDER, P256_ORDER),
                       "r at its top": lambda r, s: raw(top, s), "s at its top": lambda r, s: raw(r, top), "r and s swapped": lambda r, s: raw(s, r), "ones": lambda r, s: raw(1, 1),
                       "halves of 33 bytes": lambda r, s: raw(r, s, 33), "r alone": lambda r, s: raw(r, s)[:32], "a byte less": lambda r, s: raw(r, s)[:63], "a byte more": lambda r, s: raw(r, s) + b"\0",
                       "a zero in front": lambda r, s: b"\0" + raw(r, s), "r turned": lambda r, s: raw(r ^ 1, s), "s turned": lambda r, s: raw(r, s ^ 1),
                       "r beyond the order by itself": lambda r, s: raw(r + P256_ORDER, s) if r + P256_ORDER <= top else raw(top, s),
                       "little-endian": lambda r, s: raw(r, s)[:32][::-1] + raw(r, s)[32:][::-1]}.items():
        yield name, by(pair), False
    yield "in DER", compact(key, payload, sign=key.der), False


def rsa_signatures(key, payload):
    modulus = key.numbers.n
    def by(change):
        return compact(key, payload, sign=lambda given: change(key.sign(given)))
    def as_number(signature):
        return int.from_bytes(signature, "big")
    yield "as it is", compact(key, payload), True
    yield "PSS", compact(key, payload, sign=key.sign_pss), False
    yield "PSS, and said so", compact(key, payload, header=header_of(key, alg="PS256"), sign=key.sign_pss), False
    for digest in (hashes.SHA1(), hashes.SHA384(), hashes.SHA512(), hashes.MD5()):
        yield f"over {digest.name}", compact(key, payload, sign=lambda given, digest=digest: key.sign(given, digest)), False
    for name, change in {"zero": lambda s: bytes(256), "one": lambda s: bytes(255) + b"\1", "the modulus": lambda s: modulus.to_bytes(256, "big"), "a zero in front": lambda s: b"\0" + s,
                         "a zero behind": lambda s: s + b"\0", "the modulus added": lambda s: (as_number(s) + modulus).to_bytes(257, "big"), "a byte less": lambda s: s[1:], "nothing": lambda s: b"",
                         "the modulus less it": lambda s: (modulus - as_number(s)).to_bytes(256, "big"), "turned": lambda s: s[:-1] + bytes([s[-1] ^ 1]), "ones": lambda s: b"\xff" * 256}.items():
        yield name, by(change), False
    for secret in (key.public_pem(), key.public_pem().strip(), number(modulus).encode()):
        yield f"HMAC keyed with what is public ({len(secret)} bytes)", compact(key, payload, header=header_of(key, alg="HS256"), sign=lambda given, secret=secret: hs256(secret, given)), False


def keys(ed, p256, rsa, weak):
    """(name, JWK, key that signs, taken): a set of this one key, and a good signature by its private half."""
    yield "Ed25519 with use, alg and key_ops", ed.jwk(use="sig", alg="EdDSA", key_ops=["verify"]), ed, True
    yield "P-256 with use and alg", p256.jwk(use="sig", alg="ES256"), p256, True
    yield "RSA with use and alg", rsa.jwk(use="sig", alg="RS256"), rsa, True
    yield "members that nobody knows", ed.jwk(x5t="x", nbf=1), ed, True
    for name, jwk, signer in (("Ed25519", ed.jwk, ed), ("P-256", p256.jwk, p256), ("RSA", rsa.jwk, rsa)):
        yield f"{name} to encrypt", jwk(use="enc"), signer, False
        yield f"{name} of another algorithm", jwk(alg="HS256"), signer, False
        yield f"{name} only to sign", jwk(key_ops=["sign"]), signer, False
        yield f"{name} for nothing", jwk(key_ops=[]), signer, False
        yield f"{name} for one thing twice", jwk(key_ops=["verify", "verify"]), signer, False
        yield f"{name} with its private half", jwk(d=b64(bytes(32))), signer, False
        yield f"{name} with a secret", jwk(k=b64(b"secret")), signer, False
        for kty in ("oct", "rsa", "", "EC ", "okp", None, 1):
            yield f"{name} as kty {kty!r}", {key: value for key, value in jwk(kty=kty).items() if value is not None}, signer, False
        yield f"{name} with a kid that is a number", jwk(kid=1), signer, False
        yield f"{name} with an empty kid", jwk(kid=""), signer, False
    for name, raw in {"zero": bytes(32), "one, the neutral element": bytes([1]) + bytes(31), "minus one": bytes([0xec]) + b"\xff" * 30 + b"\x7f", "of order four": bytes(31) + b"\x80",
                      "of order eight": bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
                      "of order eight, the other": bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "p, zero written otherwise": bytes([0xed]) + b"\xff" * 30 + b"\x7f",
                      "p and one": bytes([0xee]) + b"\xff" * 30 + b"\x7f", "the largest": b"\xff" * 32, "two, off the curve": bytes([2]) + bytes(31), "a byte less": ed.raw[:31], "a byte more": ed.raw + b"\0",
                      "nothing": b""}.items():
        yield f"an Ed25519 point: {name}", ed.jwk(x=b64(raw)), ed, False
    for name, changes in {"X25519": {"crv": "X25519"}, "Ed448": {"crv": "Ed448"}, "a curve in small letters": {"crv": "ed25519"}, "padding": {"x": b64(ed.raw) + "="}, "x as an array": {"x": [b64(ed.raw)]}}.items():
        yield f"Ed25519 with {name}", ed.jwk(**changes), ed, False
    for name, changes in {"another curve": {"crv": "P-384"}, "secp256k1": {"crv": "secp256k1"}, "y turned": {"y": number(p256.point.y ^ 1, 32)}, "x and y swapped": {"x": number(p256.point.y, 32), "y": number(p256.point.x, 32)},
                          "zeros": {"x": b64(bytes(32)), "y": b64(bytes(32))}, "a coordinate of 31 bytes": {"x": b64(bytes(31))}, "of 33": {"x": b64(b"\0" + p256.point.x.to_bytes(32, "big"))},
                          "no y": {"y": None}, "coordinates beyond the field": {"x": b64(b"\xff" * 32)}, "the standard alphabet": {"x": "+/" + number(p256.point.x, 32)[2:]}}.items():
        yield f"P-256 with {name}", {key: value for key, value in p256.jwk(**changes).items() if value is not None}, p256, False
    for name, changes in {"an exponent of one": {"e": "AQ"}, "of zero": {"e": "AA"}, "even": {"e": "AQAA"}, "with a zero in front": {"e": "AAEAAQ"}, "of five bytes": {"e": b64(b"\1\0\0\0\1")}, "none": {"e": None},
                          "an even modulus": {"n": number(rsa.numbers.n + 1)}, "a modulus with a zero in front": {"n": b64(b"\0" + rsa.numbers.n.to_bytes(256, "big"))}, "a modulus of one": {"n": "AQ"},
                          "no modulus": {"n": None}, "a modulus of 8192 bits": {"n": number(2 ** 8191 + 1)}}.items():
        yield f"RSA with {name}", {key: value for key, value in rsa.jwk(**changes).items() if value is not None}, rsa, False
    yield "RSA of 1024 bits", weak.jwk(), weak, False


def claims(good, now):
    """(name, payload, taken): an access token's claims (RFC 7519, RFC 9068 and ours), each signed rightly."""
    def made(**changes):
        return {**good, **changes}
    def without(name):
        return {key: value for key, value in good.items() if key != name}
    text = dumps(good)
    yield "as they are", good, True
    yield "members that nobody knows", made(x={"y": [1]}, amr=["pwd"]), True
    yield "a not-before that has passed", made(nbf=now - 60), True
    yield "an audience among others", made(aud=["https://other.example", good["aud"]]), True
    yield "no scope", without("scope"), True
    yield "no milliseconds", without("ims"), True
    yield "issued an hour less a second before its end", made(iat=now - 3000, exp=now + 599), True
    for name in ("iss", "aud", "sub", "client_id", "iat", "exp", "jti", "tid", "sid", "env", "ev", "roles", "perm"):
        yield f"no {name}", without(name), False
        for value in (None, 0.5, {}, [[]]):
            yield f"{name} as {value!r}", made(**{name: value}), False
    for name in ("iss", "aud", "sub", "client_id", "env", "jti", "tid", "sid"):
        for value in ("", " ", f"{good[name]} ", f" {good[name]}", f"{good[name]}\0", f"{good[name]}/", 1, True, "x" * 300):
            yield f"{name} {str(value)[:12]!r}", made(**{name: value}), False
    for name in ("tid", "sid", "jti"):
        for value in ("00000000-0000-0000-0000-000000000000", good[name][:-1], good[name].replace("-", ""), "{" + good[name] + "}"):
            yield f"{name} {value[:14]}", made(**{name: value}), False
    for value in ([], [1], [good["aud"], 1], ["x"] * 9 + [good["aud"]], ["https://other.example"], {"aud": good["aud"]}, good["aud"].upper(), good["aud"] + "," + good["aud"]):
        yield f"aud {str(value)[:30]}", made(aud=value), False
    for value in (str(uuid.UUID(int=0)), "root", "*", good["client_id"] + "x", "' or 1=1"):
        yield f"sub {value[:20]!r}", made(sub=value), False
    yield "a client with the person's id", made(client_id=good["sub"].upper()), False
    for name in ("exp", "iat", "nbf"):
        for value in (str(now + 300), now + 300.5, -1, -now, 2 ** 63, 10 ** 30, True, [now], {"t": now}):
            yield f"{name} as {str(value)[:20]!r}", made(**{name: value}), False
    yield "exp with an exponent", text.replace(f'"exp":{good["exp"]}'.encode(), b'"exp":1e11'), False
    yield "ended a minute ago", made(iat=now - 600, exp=now - 60), False
    yield "ended before it began", made(exp=good["iat"]), False
    yield "issued in a minute", made(iat=now + 60, exp=now + 300), False
    yield "not before a minute from now", made(nbf=now + 60), False
    yield "a life of over an hour", made(iat=now - 10, exp=now - 10 + 3601), False
    yield "a life of a century", made(exp=now + 10 ** 9), False
    for value in (-1, 1000, "1", 1.5, True):
        yield f"ims {value!r}", made(ims=value), False
    for value in ("true", 1, None, []):
        yield f"ev {value!r}", made(ev=value), False
    for value in ("Admin", ["Admin", 1], [""], ["Ad min"], ["x" * 40], ["User"] * 9, {"0": "Admin"}, ["Admin\0"]):
        yield f"roles {str(value)[:24]}", made(roles=value), False
    for value in ("/w", "_w=", "*", b64(b"\xff" * 33), "_", [255], 255):
        yield f"perm {str(value)[:20]!r}", made(perm=value), False
    for value in ("a  b", " a", "a ", "a\tb", 'a"b', "a\\b", "\u00e9", "x" * 256, ["openid"], 1):
        yield f"scope {str(value)[:12]!r}", made(scope=value), False
    for name, given in {"an array": b"[" + text + b"]", "a string": dumps(text.decode()), "null": b"null", "nothing": b"", "no JSON": b"iss=x", "iss twice": text[:-1] + b',"iss":"https://evil.example"}',
                        "iss twice, once escaped": b'{"is\\u0073":"x",' + text[1:], "an unknown member twice": text[:-1] + b',"x":1,"x":1}', "two objects": text + text, "a byte order mark": b"\xef\xbb\xbf" + text,
                        "bad UTF-8": text[:-1] + b',"x":"\xff"}', "deep nesting": text[:-1] + b',"x":' + b"[" * 40 + b"]" * 40 + b"}", "a trailing comma": text[:-1] + b",}"}.items():
        yield f"claims: {name}", given, False


def fresh(token_claims):
    """Claims of the same person, good for a while."""
    now = int(time.time())
    return {**token_claims, "iat": now - 10, "exp": now + 900, "jti": str(uuid.uuid4()), "ims": 5}, now


RESERVED_TENANT = "ffffffff-ffff-7fff-bfff-ffffffffffff"


@contextlib.contextmanager
def known_key(suite, kind=Ed25519):
    """A key whose private half we hold, among those that authsvc publishes: retired, so that it only verifies."""
    key = kind(f"test-{secrets.token_hex(8)}")
    suite.sql("insert into auth.signing_key (tenant_id, public_id, kid, alg, state, jwk, created_at, retired_at) "
              "values (%s, %s, %s, %s, 'retired', %s, now(), now())", RESERVED_TENANT, str(uuid.uuid4()), key.kid, key.alg, json.dumps(key.jwk(alg=key.alg, use="sig")))
    try:
        wait_for(lambda: key.kid in suite.api().get("/oauth2/jwks").text, 60, "the publication of the key")
        yield key
    finally:
        suite.sql("delete from auth.signing_key where kid = %s", key.kid)
