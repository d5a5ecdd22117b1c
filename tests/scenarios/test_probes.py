# SPDX-License-Identifier: Apache-2.0
"""The probes judge as the running gateway does: the same bytes are sent both ways."""
import base64
import hashlib
import json
import os
import re
import secrets
import socket
import ssl
import subprocess

import pytest

from berth_suite import ROOT

ORDER = 46


def probe(*words, given=b""):
    outcome = subprocess.run([str(ROOT / "tests" / "probe"), *words], input=given, capture_output=True, env=dict(os.environ))
    assert outcome.returncode == 0, outcome.stderr.decode()
    return json.loads(outcome.stdout)


def gateway_answers(suite, given):
    """Status codes of all the answers on one connection, and whether it was closed by the gateway within a moment."""
    host, port = suite.url.removeprefix("https://").split(":")
    context = ssl.create_default_context(cafile=suite.info["ca"])
    context.set_alpn_protocols(["http/1.1"])
    data, closed = b"", False
    with context.wrap_socket(socket.create_connection((host, int(port)), timeout=5), server_hostname="localhost") as connection:
        connection.sendall(given)
        connection.settimeout(0.7)
        try:
            while True:
                part = connection.recv(65536)
                if not part:
                    closed = True
                    break
                data += part
        except (TimeoutError, ssl.SSLError, ConnectionError) as error:
            closed = not isinstance(error, TimeoutError)
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d\d\d) ", data)], closed


def head(*lines, start="GET /healthz HTTP/1.1", host="Host: localhost"):
    return "\r\n".join([start, *([host] if host else []), *lines, "", ""]).encode("latin-1")


CHUNKED = "Transfer-Encoding: chunked"
# A public operation: without a token the others are answered before their body has come.
POST = "POST /oauth2/token HTTP/1.1"
FORM = "Content-Type: application/x-www-form-urlencoded"

CONNECTIONS = {
    "one request": head(),
    "two in a row": head() + head(),
    "three, the last one closing": head() + head() + head("Connection: close"),
    "HTTP/1.0 ends the connection": head(start="GET /healthz HTTP/1.0"),
    "a leading empty line": b"\r\n" + head(),
    "an unfinished head": head()[:-2],
    "a bare LF": head().replace(b"\r\n", b"\n"),
    "a bare CR in a value": head("X: a\rb"),
    "a folded line": head("X: a\r\n b"),
    "a space before the colon": head("X : a"),
    "an empty name": head(": a"),
    "a NUL in a value": head("X: a\0b"),
    "both lengths": head("Content-Length: 4", CHUNKED, start=POST) + b"0\r\n\r\n",
    "two lengths that agree": head("Content-Length: 1", "Content-Length: 1", start=POST) + b"x",
    "a list of lengths": head("Content-Length: 1, 1", start=POST) + b"x",
    "a signed length": head("Content-Length: +1", start=POST) + b"x",
    "a hexadecimal length": head("Content-Length: 0x1", start=POST) + b"x",
    "a length beyond 64 bits": head("Content-Length: 99999999999999999999", start=POST),
    "an obfuscated coding": head("Transfer-Encoding: xchunked", start=POST) + b"0\r\n\r\n",
    "a coding with a vertical tab": head("Transfer-Encoding: \x0bchunked", start=POST) + b"0\r\n\r\n",
    "chunked twice": head("Transfer-Encoding: chunked, chunked", start=POST) + b"0\r\n\r\n",
    "identity after chunked": head(CHUNKED, "Transfer-Encoding: identity", start=POST) + b"0\r\n\r\n",
    "chunked in HTTP/1.0": head(CHUNKED, start="POST /oauth2/token HTTP/1.0") + b"0\r\n\r\n",
    "a chunk extension": head(CHUNKED, FORM, start=POST) + b"1;a=b\r\nx\r\n0\r\n\r\n",
    "a bare LF after a chunk size": head(CHUNKED, FORM, start=POST) + b"1\nx\r\n0\r\n\r\n",
    "a chunk that is longer than it says": head(CHUNKED, FORM, start=POST) + b"1\r\nxy\r\n0\r\n\r\n",
    "a trailer": head(CHUNKED, FORM, start=POST) + b"0\r\nX: y\r\n\r\n",
    "no host": head(host=None),
    "two hosts": head("Host: localhost"),
    "a host with a user": head(host="Host: a@localhost"),
    "an absolute target that agrees": head(start="GET https://localhost/healthz HTTP/1.1"),
    "an absolute target that does not": head(start="GET https://evil.example/healthz HTTP/1.1"),
    "an authority target": head(start="CONNECT localhost:443 HTTP/1.1"),
    "a target without a slash": head(start="GET healthz HTTP/1.1"),
    "a dot segment": head(start="GET /v1/../healthz HTTP/1.1"),
    "an escaped slash": head(start="GET /v1%2fbookings HTTP/1.1"),
    "an escaped NUL": head(start="GET /v1/%00 HTTP/1.1"),
    "a broken escape": head(start="GET /v1/%zz HTTP/1.1"),
    "a raw byte in the target": head(start="GET /v1/\xe9 HTTP/1.1"),
    "a fragment": head(start="GET /healthz#x HTTP/1.1"),
    "two spaces": head(start="GET  /healthz HTTP/1.1"),
    "a tab": head(start="GET\t/healthz HTTP/1.1"),
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "HTTP/1.2": head(start="GET /healthz HTTP/1.2"),
    "HTTP/2.0": head(start="GET /healthz HTTP/2.0"),
    "lower case http": head(start="GET /healthz http/1.1"),
    "an unknown method": head(start="BREW /healthz HTTP/1.1"),
    "a method that is no token": head(start="G@T /healthz HTTP/1.1"),
    "an unknown expectation": head("Expect: 200-ok"),
    "a very long target": head(start=f"GET /{'x' * 9000} HTTP/1.1"),
    "very long fields": head(*[f"X{n}: {'x' * 1000}" for n in range(40)]),
    "too many fields": head(*[f"X{n}: x" for n in range(120)]),
    "a second message after a bad one": head("X : a") + head(),
    "a request hidden in a body": head(f"Content-Length: {len(head())}", FORM, start=POST) + head(),
    "a request behind a chunked body": head(CHUNKED, FORM, start=POST) + b"3\r\na=b\r\n0\r\n\r\n" + head(),
}


@pytest.mark.parametrize("given", CONNECTIONS.values(), ids=CONNECTIONS.keys())
def test_a_connection_is_judged_as_by_the_probe(suite, given):
    judged = probe("http1", given=given)
    statuses, closed = gateway_answers(suite, given)
    wanted = len(judged["requests"]) + (judged["status"] is not None)
    assert len(statuses) == wanted, f"{statuses} against {judged}"
    if judged["status"]:
        assert statuses[-1] == judged["status"] and closed, f"{statuses} against {judged}"
    assert closed == judged["close"] or (judged["error"] == "incomplete" and not closed), f"closed {closed}, {judged}"


DOCUMENTS = [
    b"{}", b"[]", b'{"note":1e999}', b'{"a":1,"a":2}', b'{"\\u0061":1,"a":2}', b'{"note":"\\ud83d\\ude00"}', b'{"note":"\\ud83d"}', b'{"note":"\xff"}',
    b"\xef\xbb\xbf{}", b'{"note":"\x7f"}', b'{"note":"\t"}', b'{"note":01}', b'{"note":-}', b'{"note":.5}', b'{"note":1.}', b'{"note":+1}',
    b"[" * 16 + b"]" * 16, b"[" * 17 + b"]" * 17, b'{"note":"\\x41"}', b"nul", b'"', b"{,}", b'{"a"}', b"\x00{}", b"{}\x00", b" { } ", b"\xc2\xa0{}",
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=repr)
def test_a_document_is_judged_as_by_the_probe(user, document):
    judged = probe("json", given=document)
    reply = user.call("POST", "/v1/bookings", content=document, headers={"Content-Type": "application/json"})
    assert reply.status == 400
    # Whatever it says, this is no booking: a document that is no JSON is told apart from one that is.
    is_json = not (reply.body["code"] == "bad_json")
    if judged["verdict"] == "refuse":
        assert not is_json or "key twice" in judged["reason"], f"{judged} against {reply.text}"
    elif document.strip()[:1] == b"{":
        assert is_json, f"{judged} against {reply.text}"


def test_an_access_token_is_judged_as_by_the_probe(suite, slug, tmp_path):
    token = suite.token(slug, "User")
    keys = tmp_path / "jwks.json"
    document = suite.api().get("/oauth2/jwks").expect(200).body
    keys.write_text(json.dumps(document))
    now = subprocess.run(["date", "+%s"], capture_output=True, text=True, check=True).stdout.strip()
    audience = subject(token)["aud"]
    words = ("jwt", str(keys), "--iss", suite.url, "--aud", audience if isinstance(audience, str) else audience[0])
    assert probe(*words, "--now", now, given=token.encode())["verdict"] == "accept"
    assert probe(*words, "--now", str(int(now) + 7200), given=token.encode())["verdict"] == "refuse"
    assert probe(*words, "--now", now, given=token[:-4].encode() + b"AAAA")["verdict"] == "refuse"
    signed = probe("jws", str(keys), given=token.encode())
    assert signed["payload"]["iss"] == suite.url
    assert probe(*words, "--now", now, given=token.encode() + b"\n") == signed
    assert probe("jwt", f"--now={now}", f"--iss={suite.url}", "--aud", words[-1], str(keys), given=token.encode()) == signed
    for refused in (probe("jws", str(keys), "--alg", "RS256", given=token.encode()), probe("jws", "--alg=HS256,none", str(keys), given=token.encode()),
                    probe("jws", str(keys), given=token.encode() + b"\r\n"), probe("jws", str(keys), given=b""), probe(*words, "--now", now, given=b"\xff")):
        assert refused.pop("reason") and refused == {"verdict": "refuse", "header": None, "payload": None}


def subject(token):
    text = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


# RFC 9162 section 2.1 once more, as its recursive definitions say.
def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size):
    return 1 << (size - 1).bit_length() - 1


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    return node(root(leaves[:split(len(leaves))]), root(leaves[split(len(leaves)):]))


def path(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return [*path(index, leaves[:k]), root(leaves[k:])] if index < k else [*path(index - k, leaves[k:]), root(leaves[:k])]


def growth(old, leaves, whole=True):
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if old <= k:
        return [*growth(old, leaves[:k], whole), root(leaves[k:])]
    return [*growth(old - k, leaves[k:], False), root(leaves[:k])]


LEAVES = [hashlib.sha256(b"\x00" + bytes([n])).digest() for n in range(13)]


def text(value):
    return base64.b64encode(value).decode() if isinstance(value, bytes) else [text(each) for each in value] if isinstance(value, list) else value


def merkle(kind, **document):
    return probe("merkle", kind, given=json.dumps({key: text(value) for key, value in document.items()}).encode())


def inclusion(**changes):
    return merkle("inclusion", **{
        "leaf_index": 6, "tree_size": 13, "root": root(LEAVES), "leaf_hash": LEAVES[6], "proof": path(6, LEAVES), **changes})


def consistency(**changes):
    return merkle("consistency", **{
        "size1": 6, "size2": 13, "root1": root(LEAVES[:6]), "root2": root(LEAVES), "proof": growth(6, LEAVES), **changes})


ACCEPTED = {"verdict": "accept", "reason": None}


def test_every_true_proof_of_a_tree_is_taken():
    for size in (1, 2, 3, 8, 13):
        for index in {0, 1 % size, size // 2, size - 1}:
            leaves = LEAVES[:size]
            assert inclusion(leaf_index=index, tree_size=size, root=root(leaves), leaf_hash=leaves[index], proof=path(index, leaves)) == ACCEPTED
    for old, size in ((1, 2), (1, 13), (4, 8), (6, 13), (8, 13), (7, 8), (12, 13), (13, 13)):
        grown = LEAVES[:size]
        assert consistency(size1=old, size2=size, root1=root(LEAVES[:old]), root2=root(grown), proof=growth(old, grown)) == ACCEPTED


OTHER = b"\x55" * 32
BAD_INCLUSIONS = {
    "another leaf": {"leaf_hash": OTHER}, "another root": {"root": OTHER}, "another place": {"leaf_index": 5},
    "a size of another shape": {"tree_size": 8}, "a place behind the end": {"leaf_index": 13}, "an empty tree": {"leaf_index": 0, "tree_size": 0},
    "a node too few": {"proof": path(6, LEAVES)[:-1]}, "a node too many": {"proof": [*path(6, LEAVES), OTHER]},
    "the nodes the other way round": {"proof": path(6, LEAVES)[::-1]}, "no proof": {"proof": []}, "null": {"proof": None},
    "more nodes than a proof has": {"proof": [OTHER] * 65}, "a short node": {"proof": [*path(6, LEAVES)[:-1], OTHER[:31]]},
    "a node that is no text": {"proof": [1]}, "a proof that is no list": {"proof": "x"}, "a negative place": {"leaf_index": -1},
    "a place that is text": {"leaf_index": "6"}, "a fraction": {"tree_size": 13.5}, "a size beyond 64 bits": {"tree_size": 1 << 64},
    "a root in hexadecimal": {"root": root(LEAVES).hex()}, "a root without padding": {"root": text(root(LEAVES)).rstrip("=")},
    "a root in the alphabet of URLs": {"root": "-_" + text(root(LEAVES))[2:]},
}


@pytest.mark.parametrize("changes", BAD_INCLUSIONS.values(), ids=BAD_INCLUSIONS.keys())
def test_a_proof_of_inclusion_is_refused(changes):
    judged = inclusion(**changes)
    assert judged["verdict"] == "refuse" and judged["reason"], judged


BAD_GROWTHS = {
    "another old root": {"root1": OTHER}, "another new root": {"root2": OTHER}, "the roots exchanged": {"root1": root(LEAVES), "root2": root(LEAVES[:6])},
    "another old size": {"size1": 5}, "a new size of another shape": {"size2": 8}, "a tree that shrinks": {"size1": 13, "size2": 6}, "from nothing": {"size1": 0, "proof": []},
    "a node too few": {"proof": growth(6, LEAVES)[:-1]}, "a node too many": {"proof": [*growth(6, LEAVES), OTHER]}, "no proof": {"proof": []},
    "equal sizes of unequal roots": {"size1": 13, "proof": []}, "equal sizes with a proof": {"size1": 13, "root1": root(LEAVES)},
}


@pytest.mark.parametrize("changes", BAD_GROWTHS.values(), ids=BAD_GROWTHS.keys())
def test_a_proof_of_consistency_is_refused(changes):
    judged = consistency(**changes)
    assert judged["verdict"] == "refuse" and judged["reason"], judged


@pytest.mark.parametrize("given", [b"", b"{}", b"[]", b"7", b'{"proof":[],"proof":[]}', b"\xff"], ids=repr)
def test_what_is_no_document_of_a_proof_is_refused(given):
    assert probe("merkle", "inclusion", given=given)["verdict"] == probe("merkle", "consistency", given=given)["verdict"] == "refuse"


BAD_CALLS = [
    ("merkle",), ("merkle", "else"), ("merkle", "inclusion", "consistency"), ("webauthn",), ("webauthn", "else"), ("plate",), ("plate", "--country"),
    ("plate", "--land", "FR"), ("plate", "--country", "FR", "--country", "NL"), ("jws",), ("jws", "/dev/null", "--alg"), ("jws", "/dev/null", "--algs", "ES256"),
    ("jwt",), ("jwt", "/dev/null", "--iss", "i", "--aud", "a"), ("jwt", "/dev/null", "--iss", "i", "--aud", "a", "--now", "soon"), ("jws", "/nowhere"),
    ("json", "twice"), ("http1", "-x"), ("else",), (),
]


@pytest.mark.parametrize("words", BAD_CALLS, ids=" ".join)
def test_a_probe_that_was_not_asked_right_fails(words):
    outcome = subprocess.run([str(ROOT / "tests" / "probe"), *words], input=b"{}", capture_output=True)
    assert outcome.returncode == 2 and not outcome.stdout and outcome.stderr


@pytest.mark.parametrize("words, more", [
    (("json",), set()), (("merkle", "inclusion"), set()), (("webauthn", "register"), set()), (("jws", "/dev/null"), {"header", "payload"}),
    (("jwt", "/dev/null", "--iss", "i", "--aud", "a", "--now", "1"), {"header", "payload"}), (("plate", "--country", "FR"), {"normal"})], ids=str)
def test_an_input_that_is_far_too_long_is_refused(words, more):
    judged = probe(*words, given=b" " * (17 << 20))
    assert judged.keys() == {"verdict", "reason"} | more and judged["verdict"] == "refuse" and judged["reason"]


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("jws", "--help")], ids=" ".join)
def test_a_probe_explains_itself(words):
    outcome = subprocess.run([str(ROOT / "tests" / "probe"), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert outcome.returncode == 0 and not outcome.stderr
    assert all(kind in outcome.stdout for kind in ("http1", "json", "jws", "jwt", "merkle", "plate", "webauthn", "crash-points"))


def test_a_byte_beyond_ascii_is_an_escape():
    outcome = subprocess.run([str(ROOT / "tests" / "probe"), "http1"], input=head("X: \xe9\x80\xff\tb"), capture_output=True, check=True)
    assert rb'["X","\u00e9\u0080\u00ff\tb"]' in outcome.stdout and outcome.stdout.isascii()
    assert json.loads(outcome.stdout)["requests"][0]["headers"][1] == ["X", "\xe9\x80\xff\tb"]


@pytest.mark.parametrize("given", [b"", b"\n", b"x", b"[]", b"{}", b"\xff", b'{"rp_id":1}', b'{"rp_id":"a","rp_id":"a"}', b"[" * 100000], ids=range(9))
def test_what_is_no_document_of_a_ceremony_is_refused(given):
    for ceremony in ("register", "authenticate"):
        judged = probe("webauthn", ceremony, given=given)
        assert judged["verdict"] == "refuse" and judged["reason"], judged


MARK = secrets.token_hex(2).upper()
PLATES = [
    ("FR", f"aa-{MARK}.b"), ("DE", f"m\u00fc {MARK}"), ("de", f"\u00c4\u00b7{MARK}E"), ("NL", f"{MARK}\u2013Z"), ("XX", f"{MARK}ABCDEFGH"), ("BE", "-.-"), ("NL", "AB1"),
    ("NL", "ABC1234"), ("FR", "AA;123"), ("FR", "M\u00dc123"), ("XX", "ABCDEFGHIJKLM"), ("FR", "A" * 21), ("F1", "AA123BB"), ("\u00c4", "AA123BB"), ("FR", "AA\n123"),
    ("FR", "\uff21\uff21123"),
]


@pytest.mark.parametrize("country, plate", PLATES, ids=range(len(PLATES)))
def test_a_plate_is_judged_as_by_the_probe(user, country, plate):
    judged = probe("plate", "--country", country, given=plate.encode())
    reply = user.post("/v1/vehicles", {"plate": plate, "country": country})
    if judged["verdict"] == "accept":
        assert reply.expect(201).body["plate"] == judged["normal"] and judged["reason"] is None
    else:
        assert reply.status == 400 and judged["normal"] is None and judged["reason"], f"{judged} against {reply.text}"
