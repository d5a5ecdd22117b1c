# SPDX-License-Identifier: Apache-2.0
"""Handshakes as no client should make them. HELLOS: name → the parts that are sent one after the other, from the first byte on."""
import os

from edge import head
from tls_craft import (ALERT, CCS, DATA, HANDSHAKE, HEARTBEAT, extension, extensions_of, hello, hello_record, message, name_of, numbers, record,
                       share, vector)

BOTH = {"1.2": 0x0303, "1.3": 0x0304}
HELLOS = {}


def row(name, *parts):
    assert name not in HELLOS, name
    HELLOS[name] = parts


def for_both(name, make):
    for text, version in BOTH.items():
        row(f"{name} ({text})", *make(version))


def split(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


def in_records(data, size):
    return b"".join(record(HANDSHAKE, part, 0x0301) for part in split(data, size))


# -- how the bytes come

for_both("a usual one", lambda v: [hello_record(v)])
for_both("one byte at a time", lambda v: split(hello_record(v), 1))
for_both("a byte in each record", lambda v: [in_records(hello(v), 1)])
for_both("three bytes in each record", lambda v: [in_records(hello(v), 3)])
for_both("one byte, then the rest", lambda v: (lambda h: [record(22, h[:1], 0x0301), record(22, h[1:], 0x0301)])(hello(v)))
for_both("records of no length before it", lambda v: [record(22, b"", 0x0301) * 3 + hello_record(v)])
for_both("a thousand records of no length before it", lambda v: [record(22, b"", 0x0301) * 1000 + hello_record(v)])
for_both("a record of no length within it", lambda v: (lambda h: [record(22, h[:9], 0x0301) + record(22, b"", 0x0301) + record(22, h[9:], 0x0301)])(hello(v)))
for_both("an alert within it", lambda v: (lambda h: [record(22, h[:9], 0x0301) + record(ALERT, b"\1\x5a", 0x0301) + record(22, h[9:], 0x0301)])(hello(v)))
for_both("data within it", lambda v: (lambda h: [record(22, h[:9], 0x0301) + record(DATA, b"x" * 9, 0x0301) + record(22, h[9:], 0x0301)])(hello(v)))
for length in (16384, 16385, 16640, 16641, 18432, 18433, 65535):
    row(f"a record that says {length}", b"\x16\x03\x01" + numbers(length), os.urandom(length))
for version in (0x0000, 0x0002, 0x0200, 0x0300, 0x0302, 0x0303, 0x0304, 0x03ff, 0x0400, 0xffff):
    row(f"a record of version {version:04x}", record(HANDSHAKE, hello(), version))
for kind in (0, 19, 25, 26, 128, 255):
    row(f"a record of type {kind}", record(kind, hello(), 0x0301))
row("a request in the clear", head())
row("a preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
row("a line of a proxy", b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + hello_record())
row("a hello of SSLv2", b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80" + b"x" * 32)
row("a hello of SSLv2 that asks for TLS 1.2", b"\x80\x2e\x01\x03\x03\x00\x15\x00\x00\x00\x10\x00\xc0\x2b" + b"x" * 32)
row("zeros", b"\0" * 4096)
row("noise", b"\x16" + os.urandom(4095))
row("an end in mid-record", hello_record()[:60])
row("an end after the first byte", b"\x16")
row("a slow one that never ends", *split(hello_record()[:-1], 40))

# -- the fields

for legacy in (0x0000, 0x0002, 0x0300, 0x0301, 0x0302, 0x0304, 0x0305, 0x7f1c, 0xfeff, 0xffff):
    for_both(f"the version {legacy:04x}", lambda v, legacy=legacy: [hello_record(v, legacy=legacy)])
for name, length in (("one less", len(hello()) - 5), ("one more", len(hello()) - 3), ("nothing", 0), ("sixteen million", 0xffffff)):
    row(f"a message that says {name}", record(HANDSHAKE, hello(length=length), 0x0301))
for_both("bytes behind it", lambda v: [hello_record(v, tail=b"x")])
for_both("no extensions at all", lambda v: [hello_record(v, extensions=b"")])
for_both("an empty list of extensions", lambda v: [hello_record(v, extensions=b"\0\0")])
for_both("extensions that say one more", lambda v: (lambda e: [hello_record(v, extensions=numbers(len(e) + 1) + e)])(extensions_of(v)))
for_both("extensions that say one less", lambda v: (lambda e: [hello_record(v, extensions=numbers(len(e) - 1) + e)])(extensions_of(v)))
for_both("half an extension", lambda v: [hello_record(v, extensions=vector(2, extensions_of(v) + b"\0\x17\0"))])
for name, session in (("33 bytes", vector(1, b"x" * 33)), ("255 bytes", vector(1, b"x" * 255)), ("none", b"\0"), ("one", b"\1x"), ("more than there is", b"\xff")):
    for_both(f"a session of {name}", lambda v, session=session: [hello_record(v, session=session)])
for name, suites in {
        "none": b"\0\0", "half of one": b"\0\1\x13", "one and a half": b"\0\3\x13\x01\xc0", "unknown": vector(2, numbers(0x0a0a, 0xfafa)),
        "without encryption": vector(2, numbers(0x0001, 0x0002, 0x003b, 0xc006, 0xc010)), "without a key's proof": vector(2, numbers(0x0018, 0x0034, 0xc018)),
        "of export": vector(2, numbers(0x0003, 0x0008, 0x0014)), "of RC4 and 3DES": vector(2, numbers(0x0005, 0xc011, 0x000a, 0xc012)),
        "without forward secrecy": vector(2, numbers(0x009c, 0x009d, 0x002f, 0x0035)), "of CBC": vector(2, numbers(0xc013, 0xc014, 0xc023, 0xc027)),
        "with a fall back from higher": vector(2, numbers(0xc02b, 0xc02f, 0x1301, 0x5600)), "with the signal of RFC 5746": vector(2, numbers(0xc02b, 0xc02f, 0x1301, 0x00ff)),
        "of 1.3 alone": vector(2, numbers(0x1301)), "of 1.2 alone": vector(2, numbers(0xc02b)), "doubled": vector(2, numbers(*[0x1301, 0xc02b] * 20)),
        "by the thousand": vector(2, numbers(*range(0x2000, 0x2000 + 5000), 0x1301, 0xc02b))}.items():
    for_both(f"suites {name}", lambda v, suites=suites: [in_records(hello(v, suites=suites), 16000)])
for name, methods in (("none", b""), ("deflate alone", b"\1"), ("deflate too", b"\1\0"), ("all", bytes(range(255)))):
    for_both(f"compression {name}", lambda v, methods=methods: [hello_record(v, compressions=methods)])

# -- the extensions. A change replaces the usual extension of its name; another name adds one.

TWICE = {
    "server_name": extension(0, vector(2, name_of(b"localhost"))), "groups": extension(10, vector(2, numbers(0x001d))), "formats": extension(11, b"\1\0"),
    "signatures": extension(13, vector(2, numbers(0x0403))), "alpn": extension(16, vector(2, vector(1, b"http/1.1"))), "master": extension(23),
    "renegotiation": extension(0xff01, b"\0"), "versions": extension(43, vector(1, numbers(0x0304))), "modes": extension(45, b"\1\1"),
    "share": extension(51, vector(2, share())), "an unknown one": extension(0x5a5a) * 2}
for kind, body in TWICE.items():
    row(f"{kind} twice", hello_record(again=body if kind != "an unknown one" else body))
for kind in TWICE:
    if kind != "an unknown one":
        for_both(f"{kind} empty", lambda v, kind=kind: [hello_record(v, **{kind: extension(int.from_bytes(TWICE[kind][:2], "big"))})])
        for_both(f"{kind} with a byte more", lambda v, kind=kind: [hello_record(v, **{kind: extension(int.from_bytes(TWICE[kind][:2], "big"), TWICE[kind][4:] + b"x")})])
        for_both(f"{kind} cut short", lambda v, kind=kind: [hello_record(v, **{kind: extension(int.from_bytes(TWICE[kind][:2], "big"), TWICE[kind][4:-1])})])
        row(f"{kind} missing", hello_record(**{kind: None}))
for_both("a thousand extensions that nobody knows", lambda v: [hello_record(v, more=b"".join(extension(0x6000 + n) for n in range(1000)))])
for size in (16000, 60000):
    for_both(f"an extension of {size} bytes", lambda v, size=size: [in_records(hello(v, more=extension(0x5a5a, b"x" * size)), 16000)])
for_both("a hello of 140,000 bytes", lambda v: [in_records(message(1, hello(v)[4:] + b"x" * 140000), 16000)])

NAMES = {
    "empty": b"", "with a zero in it": b"localhost\0.example", "of 256 bytes": b"x" * 256, "of 60,000 bytes": b"x" * 60000, "with a dot behind": b"localhost.",
    "that is an address": b"127.0.0.1", "in capitals": b"LOCALHOST", "that is unknown": b"nowhere.example", "of no letters": b"\xff\xfe\xfd",
    "that is a path": b"../../etc/passwd", "with a line's end": b"localhost\r\nX: y", "of dots": b"...", "of a wildcard": b"*.example"}
for name, host in NAMES.items():
    for_both(f"a name {name}", lambda v, host=host: [in_records(hello(v, server_name=extension(0, vector(2, name_of(host)))), 16000)])
for name, names in {
        "none": b"\0\0", "two": vector(2, name_of(b"localhost") + name_of(b"other")), "of another kind": vector(2, name_of(b"localhost", 1)),
        "of another kind first": vector(2, name_of(b"x", 7) + name_of(b"localhost"))}.items():
    for_both(f"names: {name}", lambda v, names=names: [hello_record(v, server_name=extension(0, names))])
for name, protocols in {
        "none": b"\0\0", "an empty one": vector(2, b"\0"), "an empty one behind": vector(2, vector(1, b"http/1.1") + b"\0"), "unknown": vector(2, vector(1, b"spdy/3")),
        "more than there is": b"\0\x20\x08http/1.1", "255 bytes": vector(2, vector(1, b"x" * 255)), "hundreds": vector(2, b"".join(vector(1, b"p%d" % n) for n in range(900))),
        "in capitals": vector(2, vector(1, b"HTTP/1.1")), "HTTP/2": vector(2, vector(1, b"h2"))}.items():
    for_both(f"protocols: {name}", lambda v, protocols=protocols: [hello_record(v, alpn=extension(16, protocols))])
for name, versions in {
        "old ones": numbers(0x0302, 0x0301), "of SSL": numbers(0x0300), "drafts": numbers(0x7f1c, 0x7f17), "unknown": numbers(0x0a0a), "higher ones": numbers(0x0305, 0x0a0a),
        "1.2 alone": numbers(0x0303), "1.3 doubled": numbers(0x0304, 0x0304), "half of one": b"\3", "1.2 before 1.3": numbers(0x0303, 0x0304),
        "127 of them": numbers(*[0x0a0a] * 126, 0x0304), "DTLS": numbers(0xfefd, 0xfefc)}.items():
    row(f"versions: {name}", hello_record(versions=extension(43, vector(1, versions))))
    row(f"versions: {name}, an older field", hello_record(legacy=0x0301, versions=extension(43, vector(1, versions))))
for name, shares in {
        "none": b"", "of an unknown group": share(0x0a0a, b"x" * 32), "the same group twice": share() + share(), "31 bytes": share(0x001d, b"x" * 31),
        "33 bytes": share(0x001d, b"x" * 33), "no bytes": share(0x001d, b""), "zero": share(0x001d, b"\0" * 32), "one": share(0x001d, b"\1" + b"\0" * 31),
        "of small order": share(0x001d, bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")),
        "off the curve": share(0x0017, b"\4" + b"x" * 64), "the point at infinity": share(0x0017, b"\0"), "compressed": share(0x0017, b"\2" + b"x" * 32),
        "of a group that is not offered": share(0x0018, b"\4" + b"x" * 96), "more than there is": numbers(0x001d, 0x0030) + b"x" * 32,
        "of every kind": b"".join(share(0x0a0a + n, b"x" * 8) for n in range(300)) + share()}.items():
    row(f"shares: {name}", hello_record(share=extension(51, vector(2, shares))))
for name, groups in {"none": b"", "half of one": b"\0", "unknown": numbers(0x0a0a), "weak": numbers(0x0013, 0x0015), "of finite fields": numbers(0x0100, 0x0101),
                     "thousands": numbers(*range(0x3000, 0x3000 + 4000), 0x001d)}.items():
    for_both(f"groups: {name}", lambda v, groups=groups: [hello_record(v, groups=extension(10, vector(2, groups)))])
for name, wanted in {"none": b"", "half of one": b"\4", "unknown": numbers(0x0a0a), "by SHA-1": numbers(0x0203, 0x0201), "by MD5": numbers(0x0101, 0x0103),
                     "of PKCS 1 alone": numbers(0x0401), "thousands": numbers(*range(0x9000, 0x9000 + 4000), 0x0403)}.items():
    for_both(f"signatures: {name}", lambda v, wanted=wanted: [hello_record(v, signatures=extension(13, vector(2, wanted)))])
for name, modes in {"none": b"", "unknown": b"\7\x0a", "without a new key": b"\0"}.items():
    row(f"modes of resumption: {name}", hello_record(modes=extension(45, vector(1, modes))))


def psk(identity=b"x" * 200, binder=b"y" * 32, age=7, identities=None, binders=None):
    identities = vector(2, vector(2, identity) + numbers(age, width=4)) if identities is None else identities
    return extension(41, identities + (vector(2, vector(1, binder)) if binders is None else binders))


for name, body in {
        "one that nobody gave": psk(), "no ticket": psk(b""), "no identities": psk(identities=b"\0\0"), "no binders": psk(binders=b"\0\0"),
        "a short binder": psk(binder=b"y" * 31), "a binder too many": psk(binders=vector(2, vector(1, b"y" * 32) * 2)), "empty": extension(41),
        "a thousand": psk(identities=vector(2, (vector(2, b"x" * 20) + numbers(7, width=4)) * 500), binders=vector(2, vector(1, b"y" * 32) * 500))}.items():
    row(f"keys of before: {name}", hello_record(psk=body))
    row(f"keys of before: {name}, and data", hello_record(early=extension(42), psk=body), record(DATA, os.urandom(200)))
row("keys of before that are not the last", hello_record(psk=psk(), behind=extension(0x5a5a)))
row("keys of before without a mode", hello_record(modes=None, psk=psk()))
for_both("early data without a key", lambda v: [hello_record(v, early=extension(42)), record(DATA, os.urandom(200))])
for_both("early data by the thousand", lambda v: [hello_record(v, early=extension(42)), record(DATA, os.urandom(1000)) * 1000])
for name, body in {
        "a cookie": extension(44, vector(2, b"x" * 40)), "heartbeats": extension(15, b"\1"), "heartbeats of an unknown mode": extension(15, b"\3"),
        "small fragments": extension(1, b"\1"), "no such fragments": extension(1, b"\5"), "fragments of two sizes": extension(1, b"\1\2"),
        "a renegotiation": extension(0xff01, vector(1, b"x" * 12)), "a master secret with content": extension(23, b"x"), "a record limit": extension(28, b"\0\x40"),
        "a record limit of one": extension(28, b"\0\1"), "a status request": extension(5, b"\1\0\0\0\0"), "a broken status request": extension(5, b"\1\0\xff"),
        "a ticket": extension(35, b"x" * 200), "an empty ticket": extension(35), "timestamps": extension(18), "what is reserved": extension(0xeaea, b"\0"),
        "raw keys": extension(19, b"\1\2") + extension(20, b"\1\2"), "passwords of SRP": extension(12, vector(1, b"user")), "a token binding": extension(24, b"\1\0\1\2"),
        "what servers say": extension(53), "post-handshake proofs": extension(49), "authorities": extension(47, vector(2, vector(2, b"x" * 30)))}.items():
    replaced = {"a renegotiation": "renegotiation", "a master secret with content": "master"}.get(name, "more")
    for_both(f"with {name}", lambda v, body=body, replaced=replaced: [hello_record(v, **{replaced: body})])

# -- other messages, before and behind

for kind in (0, 2, 3, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 22, 24, 67, 254, 255):
    row(f"message {kind} first", record(HANDSHAKE, message(kind, os.urandom(36)) + hello(), 0x0301))
    for_both(f"message {kind} behind", lambda v, kind=kind: [hello_record(v), record(HANDSHAKE, message(kind, os.urandom(36)))])
    for_both(f"message {kind} in the same record", lambda v, kind=kind: [record(HANDSHAKE, hello(v) + message(kind, os.urandom(36)), 0x0301)])
for_both("a hello twice", lambda v: [hello_record(v), hello_record(v)])
for_both("two hellos in one record", lambda v: [record(HANDSHAKE, hello(v) + hello(v), 0x0301)])
for name, body in {"a change of ciphers": b"\1", "a wrong change of ciphers": b"\2", "an empty change of ciphers": b"", "a long change of ciphers": b"\1\1"}.items():
    row(f"{name} first", record(CCS, body) + hello_record())
    for_both(f"{name} behind", lambda v, body=body: [hello_record(v), record(CCS, body)])
for_both("a change of ciphers and a Finished", lambda v: [hello_record(v), record(CCS, b"\1") + record(HANDSHAKE, os.urandom(40))])
for_both("changes of ciphers by the hundred", lambda v: [hello_record(v), record(CCS, b"\1") * 100])
for_both("a Finished in the clear", lambda v: [hello_record(v), record(HANDSHAKE, message(20, b"x" * 12))])
for_both("a request in the clear behind", lambda v: [hello_record(v), head()])
for_both("data behind", lambda v: [hello_record(v), record(DATA, head())])
for_both("sealed noise behind", lambda v: [hello_record(v), record(CCS, b"\1") + record(DATA, os.urandom(60))])
for name, body in {"a warning": b"\1\x5a", "a goodbye": b"\1\0", "a fatal one": b"\2\x28", "of one byte": b"\2", "of three bytes": b"\1\x5a\0", "empty": b"", "of a level of its own": b"\7\7"}.items():
    row(f"an alert first: {name}", record(ALERT, body, 0x0301) + hello_record())
    for_both(f"an alert behind: {name}", lambda v, body=body: [hello_record(v), record(ALERT, body)])
for count in (4, 5, 6, 1000):
    for_both(f"{count} warnings", lambda v, count=count: [hello_record(v), record(ALERT, b"\1\x5a") * count])
    row(f"{count} warnings first", record(ALERT, b"\1\x5a", 0x0301) * count + hello_record())
BEAT = b"\1" + numbers(0x4000) + b"x" * 16
row("a heartbeat first", record(HEARTBEAT, BEAT) + hello_record())
for_both("a heartbeat that lies about its length", lambda v: [hello_record(v, more=extension(15, b"\1")), record(HEARTBEAT, BEAT)])
