# SPDX-License-Identifier: Apache-2.0
"""A client that shakes hands as OpenSSL does, and then does not send what OpenSSL would have sent.

FLIGHTS: what becomes of the records of its second flight, in TLS 1.2 (the key's share, a change of ciphers, Finished) and in 1.3 (a change of ciphers, Finished).
SEALED: what it says under the keys of TLS 1.3 instead of its request, or before.
"""
import contextlib
import os
import re
import socket
import ssl

from edge import head
from tls_craft import ALERT, CCS, DATA, HANDSHAKE, HEARTBEAT, Sealer, hello, hello_record, message, numbers, record, records, vector

REQUEST = head()
PATIENCE_S = 8
WARNING, GOODBYE, FATAL = b"\1\x5a", b"\1\0", b"\2\x28"


class Live:
    def __init__(self, port, version, keys):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.keys = keys
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        tls.minimum_version = tls.maximum_version = version
        tls.set_alpn_protocols(["http/1.1"])
        tls.keylog_filename = str(keys)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = tls.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")

    def feed(self):
        part = self.socket.recv(65536)
        if part:
            self.incoming.write(part)
        else:
            self.incoming.write_eof()
            raise ConnectionError("it ended")

    def step(self, call):
        """call() as soon as it does not want to read."""
        while True:
            try:
                return call()
            except ssl.SSLWantReadError:
                self.feed()

    def second_flight(self):
        """The records of it, not sent."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        self.socket.sendall(self.outgoing.read())
        while not self.outgoing.pending:
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
                break
            if not self.outgoing.pending:
                self.feed()
        return [record(kind, payload, version) for kind, version, payload in records(self.outgoing.read())[0]]

    def sealer(self):
        """Under the client's first keys for data."""
        secret = re.search(r"^CLIENT_TRAFFIC_SECRET_0 \S+ (\S+)", self.keys.read_text(), re.M)[1]
        return Sealer(bytes.fromhex(secret), self.tls.cipher()[0])

    def is_served(self):
        got = b""
        while not got.startswith(b"HTTP/1.1 200"):
            part = self.step(lambda: self.tls.read(16384))
            if not part:
                return False
            got += part
        return True


def outcome(port, version, keys, change, sealed=None):
    """served, refused, or open: neither, for longer than any deadline."""
    live = Live(port, version, keys)
    try:
        for part in change(live.second_flight()):
            live.socket.sendall(part)
        live.step(live.tls.do_handshake)
        if sealed:
            for part in sealed(live.sealer()):
                live.socket.sendall(part)
        else:
            live.tls.write(REQUEST)
            live.socket.sendall(live.outgoing.read())
        return "served" if live.is_served() else "refused"
    except TimeoutError:
        return "open"
    except (OSError, ssl.SSLError):
        return "refused"
    finally:
        live.socket.close()


def spoiled(data):
    return data[:-1] + bytes([data[-1] ^ 1])


def payload(data):
    return data[5:]


def bytewise(kind, data):
    return b"".join(record(kind, data[at:at + 1]) for at in range(len(data)))


NONE = record(HANDSHAKE, b"")
CHANGE = record(CCS, b"\1")
FLIGHTS = {ssl.TLSVersion.TLSv1_2: {
    "as it is": lambda key, change, end: [key, change, end],
    "byte by byte": lambda key, change, end: [bytes([byte]) for byte in key + change + end],
    "the key's share with a byte in each record": lambda key, change, end: [bytewise(HANDSHAKE, payload(key)), change, end],
    "records of no length between": lambda key, change, end: [NONE + key + NONE + change + end],
    "a record of no length between change and Finished": lambda key, change, end: [key + change + NONE + end],
    "the change first": lambda key, change, end: [change, key, end],
    "the change last": lambda key, change, end: [key, end, change],
    "the change twice": lambda key, change, end: [key, change, change, end],
    "the change a hundred times": lambda key, change, end: [key, change * 100, end],
    "no change": lambda key, change, end: [key, end],
    "another change": lambda key, change, end: [key, record(CCS, b"\2"), end],
    "a long change": lambda key, change, end: [key, record(CCS, b"\1\1"), end],
    "an empty change": lambda key, change, end: [key, record(CCS, b""), end],
    "Finished twice": lambda key, change, end: [key, change, end, end],
    "Finished spoiled": lambda key, change, end: [key, change, spoiled(end)],
    "Finished in the clear": lambda key, change, end: [key, change, record(HANDSHAKE, message(20, b"x" * 12))],
    "Finished in the clear before the change": lambda key, change, end: [key, record(HANDSHAKE, message(20, b"x" * 12)), change, end],
    "Finished and nothing else": lambda key, change, end: [end],
    "no share": lambda key, change, end: [change, end],
    "the share twice": lambda key, change, end: [key, key, change, end],
    "an empty share": lambda key, change, end: [record(HANDSHAKE, message(16, b"\0")), change, end],
    "a share that is no point": lambda key, change, end: [record(HANDSHAKE, message(16, vector(1, b"\4" + b"x" * 64))), change, end],
    "a share of zero": lambda key, change, end: [record(HANDSHAKE, message(16, vector(1, b"\0" * 32))), change, end],
    "a share that says more": lambda key, change, end: [record(HANDSHAKE, message(16, b"\xff" + b"x" * 32)), change, end],
    "a share with bytes behind": lambda key, change, end: [record(HANDSHAKE, message(16, payload(key)[4:] + b"x")), change, end],
    "a certificate that nobody asked for": lambda key, change, end: [record(HANDSHAKE, message(11, b"\0\0\0")), key, change, end],
    "a proof of a certificate": lambda key, change, end: [key, record(HANDSHAKE, message(15, b"\4\3\0\0")), change, end],
    "a protocol of NPN": lambda key, change, end: [key, change, record(HANDSHAKE, message(67, vector(1, b"http/1.1") + b"\0")), end],
    "a hello between": lambda key, change, end: [key, hello_record(0x0303), change, end],
    "a request in the clear between": lambda key, change, end: [key, record(DATA, REQUEST), change, end],
    "data in the clear behind the change": lambda key, change, end: [key, change, record(DATA, REQUEST), end],
    "a heartbeat between": lambda key, change, end: [key, record(HEARTBEAT, b"\1\x40\0"), change, end],
    "a warning between": lambda key, change, end: [key, record(ALERT, WARNING), change, end],
    "a thousand warnings between": lambda key, change, end: [key, record(ALERT, WARNING) * 1000, change, end],
    "a goodbye between": lambda key, change, end: [key, record(ALERT, GOODBYE), change, end],
    "a fatal alert between": lambda key, change, end: [key, record(ALERT, FATAL), change, end],
    "another version in a record": lambda key, change, end: [key[:1] + b"\3\1" + key[3:], change, end],
    "another version in the sealed one": lambda key, change, end: [key, change, end[:1] + b"\3\1" + end[3:]],
    "a sealed record too short to be one": lambda key, change, end: [key, change, record(HANDSHAKE, b"x" * 8)],
    "nothing at all": lambda key, change, end: [],
    "behind it, a request in the clear": lambda key, change, end: [key, change, end, record(DATA, REQUEST)],
    "behind it, an alert in the clear": lambda key, change, end: [key, change, end, record(ALERT, WARNING)],
    "behind it, a hello in the clear": lambda key, change, end: [key, change, end, hello_record(0x0303)],
    "behind it, a change": lambda key, change, end: [key, change, end, change],
    "behind it, a heartbeat": lambda key, change, end: [key, change, end, record(HEARTBEAT, b"\1\x40\0")],
    "behind it, a record too long": lambda key, change, end: [key, change, end, record(DATA, os.urandom(18500))],
    "behind it, a record of no length": lambda key, change, end: [key, change, end, record(DATA, b"")],
}, ssl.TLSVersion.TLSv1_3: {
    "as it is": lambda change, end: [change, end],
    "byte by byte": lambda change, end: [bytes([byte]) for byte in change + end],
    "no change": lambda change, end: [end],
    "the change twice": lambda change, end: [change, change, end],
    "the change a hundred times": lambda change, end: [change * 100, end],
    "the change last": lambda change, end: [end, change],
    "another change": lambda change, end: [record(CCS, b"\2"), end],
    "a long change": lambda change, end: [record(CCS, b"\1\1"), end],
    "an empty change": lambda change, end: [record(CCS, b""), end],
    "Finished twice": lambda change, end: [change, end, end],
    "Finished spoiled": lambda change, end: [change, spoiled(end)],
    "Finished in the clear": lambda change, end: [change, record(HANDSHAKE, message(20, b"x" * 32))],
    "Finished in the clear, then sealed": lambda change, end: [change, record(HANDSHAKE, message(20, b"x" * 32)), end],
    "a certificate in the clear": lambda change, end: [change, record(HANDSHAKE, message(11, b"\0\0\0\0")), end],
    "a hello between": lambda change, end: [change, hello_record(), end],
    "a record of no length between": lambda change, end: [change, NONE, end],
    "sealed, of no length": lambda change, end: [change, record(DATA, b""), end],
    "sealed, too short to be one": lambda change, end: [change, record(DATA, b"x" * 8), end],
    "sealed, too long": lambda change, end: [change, record(DATA, os.urandom(16641)), end],
    "noise that looks sealed": lambda change, end: [change, record(DATA, os.urandom(64)), end],
    "a request in the clear": lambda change, end: [change, REQUEST, end],
    "a warning in the clear": lambda change, end: [change, record(ALERT, WARNING), end],
    "a thousand warnings in the clear": lambda change, end: [change, record(ALERT, WARNING) * 1000, end],
    "a fatal alert in the clear": lambda change, end: [change, record(ALERT, FATAL), end],
    "a heartbeat": lambda change, end: [change, record(HEARTBEAT, b"\1\x40\0"), end],
    "another version in the sealed one": lambda change, end: [change, end[:1] + b"\3\1" + end[3:]],
    "another type of the sealed one": lambda change, end: [change, b"\x16" + end[1:]],
    "nothing at all": lambda change, end: [],
}}

SEALED = {
    "a request": lambda s: [s.seal(DATA, REQUEST)],
    "a request, byte by byte": lambda s: [s.seal(DATA, REQUEST[at:at + 1]) for at in range(len(REQUEST))],
    "a request, padded": lambda s: [s.seal(DATA, REQUEST, padding=9000)],
    "as much as fits": lambda s: [s.seal(DATA, REQUEST, padding=16384 - len(REQUEST))],
    "a byte more than fits": lambda s: [s.seal(DATA, REQUEST, padding=16385 - len(REQUEST))],
    "far more than fits": lambda s: [s.seal(DATA, REQUEST, padding=20000)],
    "nothing, once": lambda s: [s.seal(DATA, b""), s.seal(DATA, REQUEST)],
    "nothing, thirty times": lambda s: [b"".join(s.seal(DATA, b"") for _ in range(30)), s.seal(DATA, REQUEST)],
    "nothing, a thousand times": lambda s: [b"".join(s.seal(DATA, b"") for _ in range(1000)), s.seal(DATA, REQUEST)],
    "padding alone": lambda s: [s.seal(DATA, b"", padding=16000), s.seal(DATA, REQUEST)],
    "zeros without a type": lambda s: [s.seal(None, b"\0" * 64), s.seal(DATA, REQUEST)],
    "nothing without a type": lambda s: [s.seal(None, b""), s.seal(DATA, REQUEST)],
    "a spoiled record": lambda s: [s.seal(DATA, REQUEST, spoil=True), s.seal(DATA, REQUEST)],
    "the same record twice": lambda s: [s.seal(DATA, b"") * 2, s.seal(DATA, REQUEST)],
    "two records in the wrong order": lambda s: [b"".join(reversed([s.seal(DATA, REQUEST[:9]), s.seal(DATA, REQUEST[9:])]))],
    "a record too few": lambda s: [s.seal(DATA, REQUEST[:9]) and s.seal(DATA, REQUEST)],
    "a change of ciphers, sealed": lambda s: [s.seal(CCS, b"\1"), s.seal(DATA, REQUEST)],
    "a change of ciphers in the clear": lambda s: [CHANGE, s.seal(DATA, REQUEST)],
    "a warning in the clear": lambda s: [record(ALERT, WARNING), s.seal(DATA, REQUEST)],
    "a hello in the clear": lambda s: [hello_record(), s.seal(DATA, REQUEST)],
    "a request in the clear": lambda s: [record(DATA, REQUEST), s.seal(DATA, REQUEST)],
    "a heartbeat": lambda s: [s.seal(HEARTBEAT, b"\1\x40\0"), s.seal(DATA, REQUEST)],
    "a warning": lambda s: [s.seal(ALERT, WARNING), s.seal(DATA, REQUEST)],
    "four warnings": lambda s: [b"".join(s.seal(ALERT, WARNING) for _ in range(4)), s.seal(DATA, REQUEST)],
    "five warnings": lambda s: [b"".join(s.seal(ALERT, WARNING) for _ in range(5)), s.seal(DATA, REQUEST)],
    "a thousand warnings": lambda s: [b"".join(s.seal(ALERT, WARNING) for _ in range(1000)), s.seal(DATA, REQUEST)],
    "a warning of another kind": lambda s: [s.seal(ALERT, b"\1\x29"), s.seal(DATA, REQUEST)],
    "two alerts in one record": lambda s: [s.seal(ALERT, WARNING * 2), s.seal(DATA, REQUEST)],
    "half an alert": lambda s: [s.seal(ALERT, b"\1"), s.seal(ALERT, b"\x5a"), s.seal(DATA, REQUEST)],
    "an empty alert": lambda s: [s.seal(ALERT, b""), s.seal(DATA, REQUEST)],
    "a fatal alert": lambda s: [s.seal(ALERT, FATAL), s.seal(DATA, REQUEST)],
    "a goodbye, then a request": lambda s: [s.seal(ALERT, GOODBYE), s.seal(DATA, REQUEST)],
    "new keys": lambda s: [s.update(), s.seal(DATA, REQUEST)],
    "new keys for both": lambda s: [s.update(1), s.seal(DATA, REQUEST)],
    "new keys that are not used": lambda s: [s.update(moves=False), s.seal(DATA, REQUEST)],
    "new keys of another kind": lambda s: [s.update(2), s.seal(DATA, REQUEST)],
    "new keys without a word": lambda s: [s.seal(HANDSHAKE, message(24, b"")), s.seal(DATA, REQUEST)],
    "new keys with a word more": lambda s: [s.seal(HANDSHAKE, message(24, b"\0\0")), s.seal(DATA, REQUEST)],
    "new keys in two records": lambda s: [s.seal(HANDSHAKE, message(24, b"\0")[:2]), s.seal(HANDSHAKE, message(24, b"\0")[2:]), s.seal(DATA, REQUEST)],
    "new keys with data between": lambda s: [s.seal(HANDSHAKE, message(24, b"\0")[:2]), s.seal(DATA, REQUEST), s.seal(HANDSHAKE, message(24, b"\0")[2:])],
    "new keys and more in one record": lambda s: [s.seal(HANDSHAKE, message(24, b"\0") * 2), s.seal(DATA, REQUEST)],
    "new keys twenty times": lambda s: [b"".join(s.update() for _ in range(20)), s.seal(DATA, REQUEST)],
    "new keys a thousand times": lambda s: [b"".join(s.update(1) for _ in range(1000)), s.seal(DATA, REQUEST)],
    "a hello": lambda s: [s.seal(HANDSHAKE, hello()), s.seal(DATA, REQUEST)],
    "a message without an end": lambda s: [s.seal(HANDSHAKE, message(24, b"\0", length=0xffffff)), s.seal(DATA, REQUEST)],
    "an empty message": lambda s: [s.seal(HANDSHAKE, b""), s.seal(DATA, REQUEST)],
}
SEALED |= {f"message {kind}": lambda s, kind=kind: [s.seal(HANDSHAKE, message(kind, os.urandom(36))), s.seal(DATA, REQUEST)]
           for kind in (0, 2, 4, 5, 8, 11, 13, 15, 16, 20, 21, 254, 255)}
SEALED |= {f"a record of type {kind}": lambda s, kind=kind: [s.seal(kind, b"x" * 8), s.seal(DATA, REQUEST)] for kind in (1, 19, 25, 26, 255)}
