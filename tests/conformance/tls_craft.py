# SPDX-License-Identifier: Apache-2.0
"""Messages of TLS by hand: records, ClientHellos that no library would write, and records of TLS 1.3 sealed under keys that a client told."""
import hashlib
import hmac
import os
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CCS, ALERT, HANDSHAKE, DATA, HEARTBEAT = 20, 21, 22, 23, 24
SUITES = (0x1301, 0x1303, 0x1302, 0xC02B, 0xC02F, 0xCCA9, 0xCCA8)


def record(kind, payload, version=0x0303):
    return struct.pack(">BHH", kind, version, len(payload)) + payload


def message(kind, body, length=None):
    """A handshake message; `length` to lie about it."""
    return bytes([kind]) + (len(body) if length is None else length).to_bytes(3, "big") + body


def vector(width, *parts):
    body = b"".join(parts)
    return len(body).to_bytes(width, "big") + body


def numbers(*values, width=2):
    return b"".join(value.to_bytes(width, "big") for value in values)


def extension(kind, body=b""):
    return struct.pack(">H", kind) + vector(2, body)


def name_of(host, kind=0):
    return numbers(kind, width=1) + vector(2, host)


def share(group=0x001d, point=None):
    if point is None:
        point = X25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return numbers(group) + vector(2, point)


def extensions_of(version, **changes):
    """The usual ones by name, in an order that is usual too. A change replaces one; None takes it away."""
    made = {
        "server_name": extension(0, vector(2, name_of(b"localhost"))),
        "groups": extension(10, vector(2, numbers(0x001d, 0x0017))),
        "formats": extension(11, b"\1\0"),
        "signatures": extension(13, vector(2, numbers(0x0403, 0x0804, 0x0401))),
        "alpn": extension(16, vector(2, vector(1, b"http/1.1"))),
        "master": extension(23),
        "renegotiation": extension(0xff01, b"\0"),
    }
    if version == 0x0304:
        made |= {"versions": extension(43, vector(1, numbers(0x0304, 0x0303))), "modes": extension(45, b"\1\1"), "share": extension(51, vector(2, share()))}
    made |= changes
    return b"".join(body for body in made.values() if body is not None)


def hello(version=0x0304, legacy=0x0303, session=None, suites=None, compressions=b"\0", extensions=None, tail=b"", length=None, **changes):
    """A ClientHello, as a handshake message. `suites`, `session` and `extensions` as they stand there, with their length."""
    session = vector(1, os.urandom(32)) if session is None else session
    suites = vector(2, numbers(*SUITES)) if suites is None else suites
    extensions = vector(2, extensions_of(version, **changes)) if extensions is None else extensions
    body = numbers(legacy) + os.urandom(32) + session + suites + vector(1, compressions) + extensions + tail
    return message(1, body, length)


def hello_record(*given, **changes):
    return record(HANDSHAKE, hello(*given, **changes), 0x0301)


def records(data):
    """(kind, version, payload) of every whole record, and the rest."""
    found = []
    while len(data) >= 5:
        kind, version, length = struct.unpack(">BHH", data[:5])
        if len(data) < 5 + length:
            break
        found.append((kind, version, data[5:5 + length]))
        data = data[5 + length:]
    return found, data


class Sealer:
    """One direction of a TLS 1.3 connection under its first traffic secret (RFC 8446 section 5.2)."""

    def __init__(self, secret, cipher):
        self.cipher = cipher
        self.digest = hashlib.sha384 if "SHA384" in cipher else hashlib.sha256
        self.take(secret)

    def take(self, secret):
        length = 16 if "AES_128" in self.cipher else 32
        self.secret, self.sequence = secret, 0
        self.aead = (ChaCha20Poly1305 if "CHACHA20" in self.cipher else AESGCM)(self.expand(b"key", length))
        self.iv = int.from_bytes(self.expand(b"iv", 12), "big")

    def expand(self, label, length):
        info = numbers(length) + vector(1, b"tls13 " + label) + b"\0"
        return hmac.new(self.secret, info + b"\1", self.digest).digest()[:length]

    def update(self, asked=0, moves=True):
        """A KeyUpdate; `moves` to the next keys, as it must (section 7.2)."""
        told = self.seal(HANDSHAKE, message(24, bytes([asked])))
        if moves:
            self.take(self.expand(b"traffic upd", self.digest().digest_size))
        return told

    def seal(self, kind, payload, padding=0, spoil=False):
        """`kind` None: no type, which only zeros would be."""
        inner = payload + (b"" if kind is None else bytes([kind])) + b"\0" * padding
        nonce = (self.iv ^ self.sequence).to_bytes(12, "big")
        self.sequence += 1
        sealed = self.aead.encrypt(nonce, inner, struct.pack(">BHH", DATA, 0x0303, len(inner) + 16))
        if spoil:
            sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        return record(DATA, sealed)
