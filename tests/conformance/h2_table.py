# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 as its recipient must take it (RFC 9113, RFC 7541): each rule a row, with what the connection or the stream gets."""
import struct

import hpack

from h2edge import (ACK, COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR,
                    GOAWAY, HEADERS, PADDED, PING, PRIORITIZED, PRIORITY, PROTOCOL_ERROR, PUSH_PROMISE, RST_STREAM, SETTINGS,
                    STREAM_CLOSED, WINDOW_UPDATE, block, frame, literal, open_stream, request, reset, settings, window)

JSON = ("content-type", "application/json")


def head(stream=1, flags=END_HEADERS | END_STREAM, given=None, payload=None):
    return frame(HEADERS, flags, stream, block(request()) if given is None else given, payload)


def post(*more, stream=1):
    return open_stream(stream, request(JSON, *more, method="POST", path="/v1/bookings"), 0)


# name: (bytes behind the client's SETTINGS, codes of which one ends the connection)
CONNECTION_ERRORS = {
    # 4.1, 4.2 frames
    "a frame over the largest size": (frame(DATA, 0, 1, b"x" * 16385), {FRAME_SIZE_ERROR}),
    "a section over the largest frame": (head(given=b"x" * 16385), {FRAME_SIZE_ERROR}),
    "a frame that says it is huge": (frame(SETTINGS, 0, 0, b"", 0xffffff), {FRAME_SIZE_ERROR}),
    # 4.3 field sections
    "another frame within a section": (head(flags=END_STREAM) + frame(PING, 0, 0, b"12345678"), {PROTOCOL_ERROR}),
    "another stream's section within a section": (head(flags=END_STREAM) + head(3), {PROTOCOL_ERROR}),
    "an unknown frame within a section": (head(flags=END_STREAM) + frame(0xbe, 0, 0, b""), {PROTOCOL_ERROR}),
    "a section that does not decode": (head(given=b"\xff\xff\xff\xff\xff\xff\xff\xff"), {COMPRESSION_ERROR}),
    # RFC 7541
    "index 0": (head(given=block(request()) + b"\x80"), {COMPRESSION_ERROR}),
    "an index beyond the table": (head(given=block(request()) + b"\xbf\x80\x80\x01"), {COMPRESSION_ERROR}),
    "a name's index beyond the table": (head(given=block(request()) + b"\x7e\x01x"), {COMPRESSION_ERROR}),
    "a table larger than allowed": (head(given=b"\x3f\xe2\x1f" + block(request())), {COMPRESSION_ERROR}),
    "a change of the table behind a field": (head(given=block(request()) + b"\x20"), {COMPRESSION_ERROR}),
    "a text that is cut": (head(given=block(request()) + b"\0\x05ab"), {COMPRESSION_ERROR}),
    "a Huffman code with padding of zeros": (head(given=block(request()) + b"\0\x01x\x81\x00"), {COMPRESSION_ERROR}),
    "a Huffman code with eight bits of padding": (head(given=block(request()) + b"\0\x01x\x82\x1f\xff"), {COMPRESSION_ERROR}),
    "a Huffman code that holds the end": (head(given=block(request()) + b"\0\x01x\x84\xff\xff\xff\xff"), {COMPRESSION_ERROR}),
    "an integer that overflows": (head(given=block(request()) + b"\xff" + b"\xff" * 9 + b"\x7f"), {COMPRESSION_ERROR}),
    # 5.1 states of streams
    "content of an idle stream": (frame(DATA, END_STREAM, 1, b"x"), {PROTOCOL_ERROR, STREAM_CLOSED}),
    "a reset of an idle stream": (reset(1), {PROTOCOL_ERROR}),
    "a window of an idle stream": (window(1, 1), {PROTOCOL_ERROR}),
    "a continuation of nothing": (frame(CONTINUATION, END_HEADERS, 1, block(request())), {PROTOCOL_ERROR}),
    "a continuation behind a whole section": (head(flags=END_HEADERS) + frame(CONTINUATION, END_HEADERS, 1, b""), {PROTOCOL_ERROR}),
    "content behind the end of a request": (head() + frame(DATA, END_STREAM, 1, b"x"), {STREAM_CLOSED}),
    "fields behind the end of a request": (head() + head(), {STREAM_CLOSED}),
    "content behind its client's reset": (post() + reset(1) + frame(DATA, 0, 1, b"x"), {STREAM_CLOSED}),
    "fields behind their client's reset": (post() + reset(1) + head(), {STREAM_CLOSED}),
    # 5.1.1 numbers of streams
    "a stream of the server's": (head(2), {PROTOCOL_ERROR}),
    "a stream below the highest": (head(5) + head(3), {PROTOCOL_ERROR}),
    "fields on no stream": (head(0), {PROTOCOL_ERROR}),
    # 6.1, 6.2 padding
    "content on no stream": (frame(DATA, 0, 0, b"x"), {PROTOCOL_ERROR}),
    "padding as long as the frame": (post() + frame(DATA, PADDED, 1, b"\x05" + b"\0" * 4), {PROTOCOL_ERROR}),
    "padding without a length": (post() + frame(DATA, PADDED, 1, b""), {FRAME_SIZE_ERROR, PROTOCOL_ERROR}),
    "padding as long as a section": (frame(HEADERS, END_HEADERS | PADDED, 1, b"\xff" + block(request())), {PROTOCOL_ERROR}),
    "a section too short for its priority": (frame(HEADERS, END_HEADERS | PRIORITIZED, 1, b"\0\0"), {FRAME_SIZE_ERROR, PROTOCOL_ERROR}),
    # 6.3 to 6.10
    "a priority of no stream": (frame(PRIORITY, 0, 0, b"\0\0\0\0\0"), {PROTOCOL_ERROR}),
    "a priority of the wrong size": (frame(PRIORITY, 0, 1, b"\0\0\0\0"), {FRAME_SIZE_ERROR}),
    "a reset of no stream": (reset(0), {PROTOCOL_ERROR}),
    "a reset of the wrong size": (head(flags=END_HEADERS) + frame(RST_STREAM, 0, 1, b"\0\0\0"), {FRAME_SIZE_ERROR}),
    "settings of a stream": (frame(SETTINGS, 0, 1, b""), {PROTOCOL_ERROR}),
    "settings of the wrong size": (frame(SETTINGS, 0, 0, b"\0\0\0"), {FRAME_SIZE_ERROR}),
    "acknowledged settings with content": (frame(SETTINGS, ACK, 0, b"\0\0\0\0\0\0"), {FRAME_SIZE_ERROR}),
    "push that is neither on nor off": (settings(push=2), {PROTOCOL_ERROR}),
    "a window that is too large": (settings(window=1 << 31), {FLOW_CONTROL_ERROR}),
    "frames that are too small": (settings(frame=16383), {PROTOCOL_ERROR}),
    "frames that are too large": (settings(frame=1 << 24), {PROTOCOL_ERROR}),
    "a pushed stream": (head(flags=END_HEADERS) + frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + block(request())), {PROTOCOL_ERROR}),
    "a ping of a stream": (frame(PING, 0, 1, b"12345678"), {PROTOCOL_ERROR}),
    "a ping of the wrong size": (frame(PING, 0, 0, b"1234567"), {FRAME_SIZE_ERROR}),
    "a goaway of a stream": (frame(GOAWAY, 0, 1, b"\0" * 8), {PROTOCOL_ERROR}),
    "a goaway of the wrong size": (frame(GOAWAY, 0, 0, b"\0" * 4), {FRAME_SIZE_ERROR}),
    "a window of the wrong size": (frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"), {FRAME_SIZE_ERROR}),
    "a window that grows by nothing": (window(0, 0), {PROTOCOL_ERROR}),
    "a window beyond counting": (window(0, 0x7fffffff), {FLOW_CONTROL_ERROR}),
}

ASK = [(":method", "GET"), (":scheme", "https"), (":path", "/healthz"), (":authority", "localhost")]
WITHOUT = {name: [pair for pair in ASK if pair[0] != name] for name, _ in ASK}


def fields(given, flags=END_STREAM):
    return open_stream(1, given, flags)


# name: (bytes on stream 1, codes of which one resets it; or the status that answers)
STREAM_ERRORS = {
    # 5.3.1, 6.9
    "a window that grows by nothing": (post() + window(1, 0), {PROTOCOL_ERROR}),
    "a window beyond counting": (post() + window(1, 0x7fffffff), {FLOW_CONTROL_ERROR}),
    "a stream that depends on itself": (frame(HEADERS, END_HEADERS | PRIORITIZED, 1, b"\0\0\0\1\0" + block(request())), {PROTOCOL_ERROR}),
    # 8.1 trailers
    "trailers that do not end the stream": (post() + frame(HEADERS, END_HEADERS, 1, literal("x", "y")), {PROTOCOL_ERROR}),
    "a pseudo-header field in trailers": (post() + frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(":path", "/")), {PROTOCOL_ERROR}),
    # 8.1.1 lengths
    "less content than announced": (post(("content-length", "3")) + frame(DATA, END_STREAM, 1, b"{}"), {PROTOCOL_ERROR}),
    "more content than announced": (post(("content-length", "1")) + frame(DATA, END_STREAM, 1, b"{}"), {PROTOCOL_ERROR}),
    "content announced and none sent": (fields(request(("content-length", "2"))), {PROTOCOL_ERROR}),
    "two lengths": (post(("content-length", "2"), ("content-length", "2")), {PROTOCOL_ERROR}),
    "a length that is no number": (post(("content-length", "two")), {PROTOCOL_ERROR}),
    "a signed length": (post(("content-length", "+2")), {PROTOCOL_ERROR}),
    # 8.2.1 names and values
    "a capital letter": (fields(request(("X-Capital", "y"))), {PROTOCOL_ERROR}),
    "a space in a name": (fields(request(("x y", "z"))), {PROTOCOL_ERROR}),
    "a colon in a name": (fields(request(("x:y", "z"))), {PROTOCOL_ERROR}),
    "a control character in a name": (fields(request(("x\x01", "z"))), {PROTOCOL_ERROR}),
    "a byte above ASCII in a name": (fields(request(("x\xe9", "z"))), {PROTOCOL_ERROR}),
    "an empty name": (fields(request(("", "z"))), {PROTOCOL_ERROR}),
    "a NUL in a value": (fields(request(("x", "a\0b"))), {PROTOCOL_ERROR}),
    "a CR in a value": (fields(request(("x", "a\rb"))), {PROTOCOL_ERROR}),
    "an LF that hides a field": (fields(request(("x", "a\r\ntransfer-encoding: chunked"))), {PROTOCOL_ERROR}),
    "a space before a value": (fields(request(("x", " a"))), {PROTOCOL_ERROR}),
    "a tab behind a value": (fields(request(("x", "a\t"))), {PROTOCOL_ERROR}),
    # 8.2.2 fields of a connection
    **{f"the field {name}": (fields(request((name, value))), {PROTOCOL_ERROR}) for name, value in {
        "connection": "close", "keep-alive": "timeout=5", "proxy-connection": "close", "transfer-encoding": "chunked",
        "upgrade": "h2c", "te": "gzip"}.items()},
    # 8.3 pseudo-header fields
    **{f"no {name}": (fields(rest), {PROTOCOL_ERROR}) for name, rest in WITHOUT.items()},
    **{f"{name} twice": (fields([*ASK, (name, value)]), {PROTOCOL_ERROR}) for name, value in ASK},
    "a pseudo-header field behind a field": (fields([*WITHOUT[":path"], ("x", "y"), (":path", "/healthz")]), {PROTOCOL_ERROR}),
    "an unknown pseudo-header field": (fields([*ASK, (":unknown", "x")]), {PROTOCOL_ERROR}),
    "an answer's pseudo-header field": (fields([*ASK, (":status", "200")]), {PROTOCOL_ERROR}),
    "a path without a slash": (fields(request(path="healthz")), {PROTOCOL_ERROR}),
    "an asterisk that is not for OPTIONS": (fields(request(path="*")), {PROTOCOL_ERROR}),
    "an empty path": (fields(request(path="")), {PROTOCOL_ERROR}),
    "a path that is a URI": (fields(request(path="https://localhost/healthz")), {PROTOCOL_ERROR}),
    "a tunnel with a path": (fields(request(method="CONNECT")), {PROTOCOL_ERROR}),
    "a protocol that was not offered": (fields([(":method", "CONNECT"), (":protocol", "websocket"), *ASK[1:]]), {PROTOCOL_ERROR}),
    "a method that is no token": (fields(request(method="G@T")), {PROTOCOL_ERROR}),
    # what an answer is due to, as in HTTP/1.1
    "a tunnel": (fields([(":method", "CONNECT"), (":authority", "localhost:443")]), 501),
    "a method that is not served": (fields(request(method="TRACE")), 501),
    "another scheme": (fields(request(scheme="http")), 400),
    "a path with a dot segment": (fields(request(path="/v1/../healthz")), 400),
    "an escaped slash": (fields(request(path="/v1%2fbookings")), 400),
    "a fragment": (fields(request(path="/healthz#x")), 400),
    "a path that is too long": (fields(request(path="/" + "x" * 8192)), 414),
    "an authority with a user": (fields(request(authority="a@localhost")), 400),
    "an authority that Host contradicts": (fields(request(("host", "evil.example"))), 400),
    "a name like a framing field": (fields(request(("transfer_encoding", "chunked"))), 400),
    "an unknown expectation": (fields(request(("expect", "nothing"))), 417),
    "more fields than are taken": (fields(request(*[(f"x{n}", "y") for n in range(101)])), 431),
    "larger fields than are taken": (b"".join([frame(HEADERS, END_STREAM, 1, block(request(("x", "x" * 12000)))),
                                               frame(CONTINUATION, 0, 1, literal("y", "y" * 12000)),
                                               frame(CONTINUATION, END_HEADERS, 1, literal("z", "z" * 12000))]), 431),
    "a path that is not there": (fields(request(path="/nothing")), 404),
    "a method that the path has not": (fields(request(method="DELETE")), 405),
    "no token": (fields(request(path="/v1/whoami")), 401),
}

PADDED_ASK = b"\x07" + block(request()) + b"\0" * 7
# What must be taken: name: bytes that make one request on stream 1 which is answered with 200.
TAKEN = {
    "a whole section": head(),
    "a section in many frames": frame(HEADERS, END_STREAM, 1, block(request())[:9]) + b"".join(
        frame(CONTINUATION, 0, 1, block(request())[at:at + 9]) for at in range(9, 45, 9)) + frame(
            CONTINUATION, END_HEADERS, 1, block(request())[45:]),
    "padding": frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, PADDED_ASK),
    "padding that is not zero": frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, PADDED_ASK[:-7] + b"padding"),
    "a priority": frame(HEADERS, END_HEADERS | END_STREAM | PRIORITIZED, 1, b"\x80\0\0\3\xff" + block(request())),
    "a priority of an idle stream": frame(PRIORITY, 0, 7, b"\0\0\0\1\x10") + head(),
    "a stream number with its reserved bit": frame(HEADERS, END_HEADERS | END_STREAM, 1 | 1 << 31, block(request())),
    "unknown flags": frame(HEADERS, END_HEADERS | END_STREAM | 0xc2, 1, block(request())),
    "unknown frames": frame(0xbe, 0xff, 0, b"x" * 100) + frame(0xff, 0, 99, b"") + head(),
    "unknown settings": frame(SETTINGS, 0, 0, struct.pack(">HI", 0xabcd, 7)) + head(),
    "an unknown code of a reset": open_stream(1, request()) + frame(PING, 0, 0, b"12345678"),
    "a ping before": frame(PING, 0, 0, b"12345678") + head(),
    "an unasked answer to a ping": frame(PING, ACK, 0, b"12345678") + head(),
    "a priority update": frame(16, 0, 0, b"\0\0\0\1u=1") + head(),
    "a table of no size": head(given=b"\x20" + block(request())),
    "a table of two sizes": head(given=b"\x20\x3f\xe1\x1f" + block(request())),
    "fields that are never to be indexed": head(given=block(request()) + b"\x10\x01x\x01y"),
    "fields from the static table": head(given=b"\x82\x87" + block([(":path", "/healthz"), (":authority", "localhost")])),
    "Huffman codes": head(given=hpack.Encoder().encode(request(("x", "y" * 200)), huffman=True)),
    "te: trailers": open_stream(1, request(("te", "trailers"))),
    "Host beside the authority": open_stream(1, request(("host", "localhost"))),
    "Host instead of the authority": open_stream(1, request(("host", "localhost"), authority=None)),
    "cookies in pieces": open_stream(1, request(("cookie", "a=1"), ("cookie", "b=2"))),
    "content of no length": open_stream(1, request(JSON), 0) + frame(DATA, END_STREAM, 1, b""),
    "trailers": open_stream(1, request(JSON), 0) + frame(HEADERS, END_HEADERS | END_STREAM, 1, literal("x", "y")),
}
