# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 beside nghttpd, the server of the library's own authors: the same bytes to both, and what nghttpd refuses is refused here, as far up
as there: a connection that ends there ends here, a stream that is reset there is at least refused here."""
import concurrent.futures
import contextlib
import itertools
import pathlib
import shutil
import socket
import ssl
import subprocess
import time
import types

import pytest

from berth_suite import wait_for
from edge import Closed
from h2_table import CONNECTION_ERRORS, JSON, STREAM_ERRORS, TAKEN
from h2edge import (CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, H2, HEADERS, NO_ERROR, PADDED, PING, PRIORITIZED, PRIORITY,
                    PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, block, frame, open_stream, request)
from own_gateway import free_ports

ORDER = 45
CLIENTS = 6
ANSWER_S = 5
WENT_ON, REFUSED, RESET, ENDED = range(4)       # ever stricter

pytestmark = pytest.mark.seconds(240)


@pytest.fixture(scope="module")
def nghttpd(suite, tmp_path_factory):
    """Serves /healthz from a file, with our certificate."""
    assert shutil.which("nghttpd"), "nghttpd is missing: run through ./tests/run"
    folder, pki, port = tmp_path_factory.mktemp("nghttpd"), pathlib.Path(suite.state) / "pki", free_ports(1)[0]
    (folder / "healthz").write_text("well\n")
    command = ["nghttpd", "--address=127.0.0.1", f"--htdocs={folder}", str(port), str(pki / "edge-ecdsa.key"), str(pki / "edge-ecdsa.pem")]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, 20, "nghttpd")
        yield types.SimpleNamespace(url=f"https://localhost:{port}", info=suite.info)
    finally:
        process.terminate()
        process.wait(20)


def verdict(server, given):
    """What comes of a connection with these bytes behind its SETTINGS."""
    with H2(server, seconds=20) as h2:
        try:
            h2.send(given)
            # What the first answer overtook stands before the second.
            h2.ping()
            h2.ping()
            until = time.monotonic() + ANSWER_S
            while is_whole(given) and not h2.ended | set(h2.resets) and time.monotonic() < until:
                with contextlib.suppress(TimeoutError):
                    h2.frame(1)
        except (Closed, ssl.SSLError, ConnectionError):
            return ENDED
        if any(code != NO_ERROR for code in h2.resets.values()):
            return RESET
        return REFUSED if any(int(fields[-1][0][1]) >= 400 for fields in h2.fields.values()) else WENT_ON


def is_whole(given):
    """Whether stream 1 is a whole request, so that something must come of it."""
    at, opened = 0, False
    while at + 9 <= len(given):
        size, kind, flags, stream = int.from_bytes(given[at:at + 3], "big"), given[at + 3], given[at + 4], given[at + 5:at + 9]
        if int.from_bytes(stream, "big") & 0x7fffffff == 1 and kind in (DATA, HEADERS):
            opened = opened or kind == HEADERS
            if opened and flags & END_STREAM:
                return True
        at += 9 + size
    return False


def both(servers, cases):
    """{name: (ours, theirs)}"""
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        asked = {name: [pool.submit(verdict, server, given) for server in servers] for name, given in cases.items()}
        return {name: tuple(one.result() for one in pair) for name, pair in asked.items()}


def laxer(found, answered=()):
    """Where we are less strict; `answered` names what gets a 4xx here, which is as good as a reset."""
    return [f"{name}: {ours} here, {theirs} at nghttpd" for name, (ours, theirs) in found.items()
            if ours < theirs and theirs > REFUSED and not (ours == REFUSED and theirs == RESET and name in answered)]


TABLE = {f"{kind}: {name}": row if kind == "taken" else row[0] for kind, rows in
         (("connection", CONNECTION_ERRORS), ("stream", STREAM_ERRORS), ("taken", TAKEN)) for name, row in rows.items()}


def test_what_nghttpd_refuses_of_the_table_is_refused(gateway, nghttpd):
    found = both([gateway, nghttpd], TABLE)
    wrong = laxer(found, {f"stream: {name}" for name, (_, expected) in STREAM_ERRORS.items() if isinstance(expected, int)})
    assert not wrong, "\n".join(wrong)
    assert sum(theirs == ENDED for _, theirs in found.values()) > 40, "it refuses little: is it well?"
    assert not [name for name, (ours, _) in found.items() if name.startswith("taken") and ours > REFUSED], "what the standard allows"


FRAMES = (DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION, 10, 16)
FLAGS = (0, END_STREAM | END_HEADERS, PADDED, PRIORITIZED | END_HEADERS, 0xff)
STREAMS = (0, 1, 2, 3)      # all of them, one that waits for its content, the server's, an idle one
PAYLOADS = (b"", b"\0\0\0\0", b"\0\0\0\1\0", b"\0\0\0\0\0\0\0\1", block(request()))


def every_frame(token):
    """Each kind of frame with each of these flags and sizes, on each kind of stream."""
    opened = open_stream(1, request(("authorization", f"Bearer {token}"), JSON, method="POST", path="/v1/bookings"), 0)
    return {f"type {kind}, flags {flags:#x}, stream {stream}, {len(payload)} bytes": opened + frame(kind, flags, stream, payload)
            for kind, flags, stream, payload in itertools.product(FRAMES, FLAGS, STREAMS, PAYLOADS)}


def test_no_frame_that_nghttpd_refuses_is_taken(suite, slug, gateway, nghttpd):
    found = both([gateway, nghttpd], every_frame(suite.token(slug, "User")))
    wrong = laxer(found)
    assert not wrong, f"{len(wrong)} of {len(found)}\n" + "\n".join(wrong[:40])
    assert {theirs for _, theirs in found.values()} >= {WENT_ON, ENDED}
