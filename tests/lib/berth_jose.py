# SPDX-License-Identifier: Apache-2.0
"""JSON Web Signatures made by hand, so that they can be made wrong in every way; keys and arithmetic by python3-cryptography."""
import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

ED_ORDER = 2 ** 252 + 27742317777372353535851937790883648493
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64(given):
    return base64.urlsafe_b64encode(given).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def dumps(document):
    """Bytes stand for themselves: a header or payload that is no JSON, or not as json.dumps would write it."""
    return document if isinstance(document, bytes) else json.dumps(document, separators=(",", ":")).encode()


def number(value, length=None):
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


class Ed25519:
    alg = "EdDSA"

    def __init__(self, kid):
        self.kid, self.key = kid, ed25519.Ed25519PrivateKey.generate()
        self.raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    def jwk(self, **more):
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(self.raw), "kid": self.kid, **more}

    def sign(self, given):
        return self.key.sign(given)


class P256:
    alg = "ES256"

    def __init__(self, kid):
        self.kid, self.key = kid, ec.generate_private_key(ec.SECP256R1())
        self.point = self.key.public_key().public_numbers()

    def jwk(self, **more):
        return {"kty": "EC", "crv": "P-256", "x": number(self.point.x, 32), "y": number(self.point.y, 32), "kid": self.kid, **more}

    def der(self, given):
        return self.key.sign(given, ec.ECDSA(hashes.SHA256()))

    def pair(self, given):
        return utils.decode_dss_signature(self.der(given))

    def sign(self, given):
        r, s = self.pair(given)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class RSA:
    alg = "RS256"

    def __init__(self, kid, bits=2048, exponent=65537):
        self.kid, self.key = kid, rsa.generate_private_key(public_exponent=exponent, key_size=bits)
        self.numbers = self.key.public_key().public_numbers()

    def jwk(self, **more):
        return {"kty": "RSA", "n": number(self.numbers.n), "e": number(self.numbers.e), "kid": self.kid, **more}

    def sign(self, given, digest=None):
        return self.key.sign(given, padding.PKCS1v15(), digest or hashes.SHA256())

    def sign_pss(self, given):
        return self.key.sign(given, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())

    def public_pem(self):
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def hs256(secret, given):
    return hmac.new(secret, given, hashlib.sha256).digest()


def header_of(key, **changes):
    """Members of None are left out."""
    made = {"alg": key.alg, "typ": "at+jwt", "kid": key.kid, **changes}
    return {name: value for name, value in made.items() if value is not None}


def compact(key, payload, header=None, sign=None, parts=None):
    """Signed over the text as it stands, whatever stands there. `parts` changes the two texts before they are signed."""
    texts = [b64(dumps(header if header is not None else header_of(key))), b64(dumps(payload))]
    if parts:
        texts = parts(*texts)
    signed = ".".join(texts)
    return f"{signed}.{b64((sign or key.sign)(signed.encode()))}"


def set_of(*keys):
    return json.dumps({"keys": [key if isinstance(key, dict) else key.jwk() for key in keys]})


def tail_bits(text):
    """The same bytes, with unused bits of the last character set; None when it has none."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if len(text) % 4 in (0, 1):
        return None
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]
