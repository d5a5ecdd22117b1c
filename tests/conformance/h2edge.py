# SPDX-License-Identifier: Apache-2.0
"""Frames on a TLS connection to the gateway (RFC 9113), byte for byte, without an HTTP library between."""
import ssl
import struct
import time

import hpack

from edge import TWO_YEARS_S, Answer, Closed, Edge

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, PRIORITIZED, ACK = 0x1, 0x4, 0x8, 0x20, 0x1
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL,
 COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM) = range(12)


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """A frame; `length` when its head is to lie."""
    size = len(payload) if length is None else length
    return struct.pack(">I", size)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def settings(**pairs):
    names = {"table": 1, "push": 2, "streams": 3, "window": 4, "frame": 5, "list": 6}
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", names[name], value) for name, value in pairs.items()))


def window(stream, amount):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", amount))


def reset(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def literal(name, value):
    """A field as HPACK has it without any table or Huffman code: bytes as given."""
    def text(raw):
        raw = raw.encode("latin-1") if isinstance(raw, str) else raw
        if len(raw) < 127:
            return bytes([len(raw)]) + raw
        size, out = len(raw) - 127, b"\x7f"
        while size >= 128:
            out += bytes([size % 128 | 128])
            size //= 128
        return out + bytes([size]) + raw
    return b"\0" + text(name) + text(value)


def block(fields):
    return b"".join(literal(name, value) for name, value in fields)


def request(*more, method="GET", path="/healthz", scheme="https", authority="localhost"):
    """Fields of a request; None leaves one out."""
    start = [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]
    return [pair for pair in start if pair[1] is not None] + list(more)


def open_stream(stream, fields, flags=END_STREAM):
    return frame(HEADERS, END_HEADERS | flags, stream, block(fields))


class Frame:
    def __init__(self, head, payload):
        self.kind, self.flags = head[3], head[4]
        self.stream = int.from_bytes(head[5:], "big") & 0x7FFFFFFF
        self.payload = payload

    @property
    def code(self):
        """Of RST_STREAM or GOAWAY."""
        return int.from_bytes(self.payload[:4] if self.kind == RST_STREAM else self.payload[4:8], "big")

    @property
    def last_stream(self):
        return int.from_bytes(self.payload[:4], "big")

    def __repr__(self):
        return f"<type {self.kind} flags {self.flags:#x} stream {self.stream} {self.payload[:24]!r}>"


class Reset(Exception):
    """The gateway reset the stream."""

    def __init__(self, code):
        super().__init__(f"reset with {code}")
        self.code = code


class Gone(Exception):
    """The gateway said GOAWAY with an error."""

    def __init__(self, code):
        super().__init__(f"GOAWAY with {code}")
        self.code = code


class H2:
    """One connection. Answers are gathered by stream as they come; every wait has an end."""

    def __init__(self, suite, start=True, receive_buffer=None, first=settings(), seconds=15, source=None, certificate=None):
        tls = ssl.create_default_context(cafile=suite.info["ca"])
        if certificate:
            tls.load_cert_chain(certificate)
        tls.set_alpn_protocols(["h2"])
        self.edge = Edge(suite, tls=tls, receive_buffer=receive_buffer, seconds=seconds, source=source)
        assert self.edge.socket.selected_alpn_protocol() == "h2"
        self.seconds = seconds
        self.decoder = hpack.Decoder()
        self.fields, self.bodies, self.ended, self.resets = {}, {}, set(), {}
        self.acks = 0       # of SETTINGS and PING
        self.goaways = []
        self.settings = {}
        self.section = None
        self.next_stream = 1
        if start:
            self.send(PREFACE + first)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.edge.close()

    def send(self, given):
        self.edge.send(given)
        return self

    def begin(self, fields, flags=END_STREAM):
        """A new stream; its id."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.send(open_stream(stream, fields, flags))
        return stream

    # -- reading

    def _bytes(self, count, until):
        while len(self.edge.rest) < count:
            self.edge._more(until)
        taken, self.edge.rest = self.edge.rest[:count], self.edge.rest[count:]
        return taken

    def frame(self, seconds=None):
        """The next frame, taken into account."""
        until = time.monotonic() + (seconds or self.seconds)
        head = self._bytes(9, until)
        found = Frame(head, self._bytes(int.from_bytes(head[:3], "big"), until))
        assert len(found.payload) <= 16384
        self._take(found)
        return found

    def _take(self, found):
        self.acks += found.kind in (SETTINGS, PING) and found.flags & ACK
        if found.kind == HEADERS:
            self.section = found.payload
        elif found.kind == CONTINUATION:
            self.section += found.payload
        elif found.kind == DATA:
            self.bodies[found.stream] = self.bodies.get(found.stream, b"") + found.payload
        elif found.kind == RST_STREAM:
            self.resets[found.stream] = found.code
        elif found.kind == GOAWAY:
            self.goaways.append(found)
        elif found.kind == SETTINGS and not found.flags & ACK:
            for at in range(0, len(found.payload), 6):
                name, value = struct.unpack(">HI", found.payload[at:at + 6])
                self.settings[name] = value
        if found.kind in (HEADERS, CONTINUATION) and found.flags & END_HEADERS:
            decoded = [(str(name), str(value)) for name, value in self.decoder.decode(self.section)]
            assert all(name == name.lower() for name, _ in decoded)
            self.fields.setdefault(found.stream, []).append(decoded)
        if found.kind in (HEADERS, DATA) and found.flags & END_STREAM:
            self.ended.add(found.stream)

    def answer(self, stream, seconds=None):
        """The whole answer on this stream; raises Reset, Gone or Closed."""
        until = time.monotonic() + (seconds or self.seconds)
        while stream not in self.ended:
            if stream in self.resets:
                raise Reset(self.resets[stream])
            if self.goaways and self.goaways[-1].code:
                raise Gone(self.goaways[-1].code)
            self.frame(max(0.01, until - time.monotonic()))
        fields = self.fields[stream][-1]
        assert fields[0][0] == ":status"
        answer = Answer(int(fields[0][1]), fields[1:], self.bodies.get(stream, b""))
        assert answer.policy_s() >= TWO_YEARS_S, f"{answer} without strict transport security"
        return answer

    def ask(self, fields, body=None):
        stream = self.begin(fields, 0 if body is not None else END_STREAM)
        if body is not None:
            self.send(frame(DATA, END_STREAM, stream, body))
        return self.answer(stream)

    def ping(self, seconds=None):
        """What was sent before has been looked at when the answer to a PING is here."""
        self.send(frame(PING, 0, 0, b"together"))
        until = time.monotonic() + (seconds or self.seconds)
        while True:
            found = self.frame(max(0.01, until - time.monotonic()))
            if found.kind == PING and found.flags & ACK and found.payload == b"together":
                return

    def goaway(self, seconds=None):
        """The code of the last GOAWAY before the gateway closes, or None when it closes without a word."""
        until = time.monotonic() + (seconds or self.seconds)
        try:
            while True:
                self.frame(max(0.01, until - time.monotonic()))
        except Closed:
            assert not self.edge.rest, f"half a frame: {self.edge.rest[:40]!r}"
            return self.goaways[-1].code if self.goaways else None

    def alive(self):
        return self.ask(request()).status == 200


def flood(h2, chunk, rounds, together=50):
    """Sends the chunk again and again, `together` at once, until the gateway closes."""
    for start in range(0, rounds, together):
        try:
            h2.send(b"".join(chunk(n) if callable(chunk) else chunk for n in range(start, min(start + together, rounds))))
        except (OSError, ssl.SSLError):
            return
