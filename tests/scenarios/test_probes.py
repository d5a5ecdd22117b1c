# SPDX-License-Identifier: Apache-2.0
"""The probes judge as the running gateway does: the same bytes are sent both ways."""
import base64
import json
import os
import re
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
    assert probe("jws", str(keys), given=token.encode())["payload"]["iss"] == suite.url


def subject(token):
    text = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
