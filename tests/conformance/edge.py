# SPDX-License-Identifier: Apache-2.0
"""Bytes on a TLS connection to the gateway, and the answers on it, without an HTTP library between."""
import os
import re
import socket
import ssl
import time

HOST = "Host: localhost"
CHUNKED = "Transfer-Encoding: chunked"
TWO_YEARS_S = 63072000


def head(*lines, start="GET /healthz HTTP/1.1", host=HOST):
    """A request's head; fields as given, byte for byte."""
    return "\r\n".join([start, *([host] if host else []), *lines, "", ""]).encode("latin-1")


def post(path, body=b"{}", *lines, kind="application/json"):
    return head(f"Content-Type: {kind}", f"Content-Length: {len(body)}", *lines, start=f"POST {path} HTTP/1.1") + body


def bearer(token):
    return f"Authorization: Bearer {token}"


class Answer:
    def __init__(self, status, fields, body):
        self.status = status
        self.fields = fields        # [(name in lower case, value)]
        self.body = body

    def field(self, name):
        """The one value of a field, or None."""
        values = [value for key, value in self.fields if key == name.lower()]
        assert len(values) < 2, f"{name} stands {len(values)} times"
        return values[0] if values else None

    def policy_s(self):
        """For how long the host is to be asked by TLS alone."""
        return int(re.search(r"max-age=(\d+)", self.field("strict-transport-security") or "max-age=0")[1])

    def __repr__(self):
        return f"<{self.status} {self.body[:60]!r}>"


class Closed(Exception):
    """The gateway ended the connection where an answer could have begun."""


class Edge:
    """One connection. Every wait has an end: `seconds` for each answer. A flood comes from a `source` of its own, 127.0.0.N,
    for it uses up the rate of its address."""

    def __init__(self, suite, seconds=10, tls=None, receive_buffer=None, shake=True, source=None):
        host, port = suite.url.removeprefix("https://").split(":")
        self.seconds = seconds
        self.rest = b""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(seconds)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if shake:
            self.socket = (tls or context(suite)).wrap_socket(self.socket, server_hostname=host)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Away without a goodbye: a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.socket.close()

    def send(self, given):
        self.socket.sendall(given)
        return self

    def half_close(self):
        """No further bytes from us, as far as TCP knows; the answer is still wanted. (SSLSocket's own shutdown forgets its TLS.)"""
        with socket.socket(fileno=os.dup(self.socket.fileno())) as same:
            same.shutdown(socket.SHUT_WR)

    def raw_send(self, given):
        """Below TLS, on a connection that was made without a handshake."""
        self.socket.sendall(given)

    def raw_receive(self):
        try:
            return self.socket.recv(65536)
        except ConnectionError:
            return b""

    def _more(self, until):
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no answer within {self.seconds} s; so far {self.rest[:200]!r}")
        self.socket.settimeout(left)
        try:
            part = self.socket.recv(65536)
        except (ssl.SSLError, ConnectionError) as error:
            if isinstance(error, ssl.SSLError) and "timed out" in str(error):
                raise TimeoutError(str(error)) from error
            part = b""
        if not part:
            raise Closed(f"after {self.rest[:200]!r}")
        self.rest += part

    def _until(self, mark, until):
        while mark not in self.rest:
            self._more(until)
        taken, _, self.rest = self.rest.partition(mark)
        return taken

    def answer(self, method="GET", seconds=None):
        """The next answer. Raises Closed at a clean end, TimeoutError when there is none."""
        until = time.monotonic() + (seconds or self.seconds)
        lines = self._until(b"\r\n\r\n", until).decode("latin-1").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1" and len(status) == 3, lines[0]
        fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(": ")
            assert colon and name and name.strip() == name, f"a malformed field line: {line!r}"
            fields.append((name.lower(), value))
        answer = Answer(int(status), fields, b"")
        if answer.status >= 200 and answer.status != 204 and method != "HEAD":
            length = int(answer.field("content-length"))
            while len(self.rest) < length:
                self._more(until)
            answer.body, self.rest = self.rest[:length], self.rest[length:]
        assert answer.status < 200 or answer.policy_s() >= TWO_YEARS_S, f"{answer} without strict transport security"
        return answer

    def ask(self, given, method="GET"):
        return self.send(given).answer(method)

    def answers(self, seconds=3):
        """All answers until the gateway closes; fails when it does not within the time."""
        found = []
        try:
            while True:
                found.append(self.answer(seconds=seconds))
        except Closed:
            assert not self.rest, f"bytes behind the last answer: {self.rest[:200]!r}"
            return found

    def is_closed(self, seconds=3):
        """Whether the gateway ends the connection, saying nothing more."""
        try:
            self._more(time.monotonic() + seconds)
        except Closed:
            return True
        except TimeoutError:
            return False
        raise AssertionError(f"unexpected bytes: {self.rest[:200]!r}")


def context(suite, version=None):
    made = ssl.create_default_context(cafile=suite.info["ca"])
    made.set_alpn_protocols(["http/1.1"])
    if version:
        made.minimum_version = made.maximum_version = version
    return made


def timed(call):
    begun = time.monotonic()
    value = call()
    return value, time.monotonic() - begun
