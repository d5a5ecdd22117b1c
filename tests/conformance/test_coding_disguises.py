# SPDX-License-Identifier: Apache-2.0
"""Transfer-Encoding in every disguise that a parser somewhere has seen through or been taken in by, both ways round.

CL.TE: the length covers all, and whoever believes the coding finds a request behind the last chunk. TE.CL: the coding covers all, and
whoever believes the length finds a request within the chunk. Either way there is one answer, at once, and the connection ends.
"""
import re
import time

import pytest

from berth_probe import all_fine
from edge import Closed, Edge, bearer, head

ORDER = 44
AT_LEAST = 668
ONCE_S, ALONE = 1, 3
HANG_S = 8      # under the shortest deadline: who waits longer has waited for bytes
HIDDEN = head(start="GET /docs HTTP/1.1")
TCHAR = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
FIELD = re.compile(rf"({TCHAR}):[\t\x20-\x7e\x80-\xff]*")

PLACES = (
    "Transfer-Encoding:{}chunked", "Transfer-Encoding{}: chunked", "{}Transfer-Encoding: chunked", "Transfer-Encoding: chunked{}", "Transfer-Encoding: {}chunked",
    "Transfer-Encoding: chu{}nked", "Transfer-Encoding: x,{}chunked", "Transfer-Encoding: chunked{}x", "Transfer-Encoding: x{}chunked", "Transfer{}Encoding: chunked",
    "X: y{}Transfer-Encoding: chunked", "X: y\r{}Transfer-Encoding: chunked", "X: y{}\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r{}X: y",
    "Transfer-Encoding: chunked{}\nX: y", "Transfer-Encoding:\r\n{}chunked", "Trans{}fer-Encoding: chunked")
BYTES = [*range(0x00, 0x21), *b"\"'(),-/:;<=>?@[\\]_{}", 0x7f, 0x80, 0x85, 0x8a, 0x8d, 0x9f, 0xa0, 0xad, 0xc2, 0xff]

OTHERS = (
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "Transfer-Encoding: x\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-encoding: identity",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "Transfer-Encoding: identity, chunked", "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "tRANSFER-eNCODING: chunked", "Transfer-Encoding: ChUnKeD",
    "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: 'chunked'", "Transfer-Encoding: chunked; q=0", "Transfer-Encoding: chunked;", "Transfer-Encoding: chunk",
    "Transfer-Encoding: chunkedd", "Transfer-Encoding: cchunked", "Transfer-Encoding: gzip;chunked", "Transfer-Encoding: %63hunked", "Transfer-Encoding: c\\hunked",
    "Transfer-Encoding: \u017fchunked".encode().decode("latin-1"), "Transfer-Encoding: =?utf-8?q?chunked?=", "Transfer-Encoding:", "Transfer-Encoding", "Transfer Encoding: chunked",
    "Transfer_Encoding: chunked", "TransferEncoding: chunked", "Transfer-Encoding-: chunked", "Content-Encoding: chunked", "Transfer-Encoding: ,", "Transfer-Encoding: \t",
    "Foo: bar\r\n Transfer-Encoding: chunked", "Foo: bar\r\n\tTransfer-Encoding: chunked", "Transfer-Encoding:\tchunked\t", "Transfer-Encoding:\r\n\tchunked",
    "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked", "Connection: close, Content-Length\r\nTransfer-Encoding: chunked", "TE: chunked\r\nTransfer-Encoding: chunked")


def disguises():
    lines = [place.replace("{}", chr(byte)) for place in PLACES for byte in BYTES]
    return list(dict.fromkeys([*lines, *OTHERS]))


def is_another_field(lines):
    """By the grammar alone: whole fields, none of which anybody could take for the coding. Then the length counts."""
    for line in lines.split("\r\n"):
        found = FIELD.fullmatch(line)
        if not found or re.sub(r"[^a-z]", "", found[1].lower()) == "transferencoding":
            return False
        if found[1].lower() == "content-encoding" and "chunked" in line.lower():
            return False
    return True


def cl_te(token, lines):
    body = b"0\r\n\r\n" + HIDDEN
    return head(bearer(token), "Content-Type: application/json", f"Content-Length: {len(body)}", lines, start="POST /v1/bookings HTTP/1.1") + body


def te_cl(token, lines):
    chunk = b"%x\r\n" % len(HIDDEN)
    return head(bearer(token), "Content-Type: application/json", lines, f"Content-Length: {len(chunk)}", start="POST /v1/bookings HTTP/1.1") \
        + chunk + HIDDEN + b"\r\n0\r\n\r\n"


def answers_to(gateway, given):
    """Without any end of ours: the gateway has to end it, or to have answered."""
    statuses, closed, begun = [], False, time.monotonic()
    with Edge(gateway, seconds=30) as edge:
        edge.send(given + HIDDEN)
        try:
            while not closed and (len(statuses) < 2):
                answer = edge.answer()
                statuses.append(answer.status)
                closed = answer.field("connection") == "close"
            if closed:
                assert edge.is_closed(10)
        except Closed:
            closed = True
    return statuses, closed, time.monotonic() - begun


@pytest.mark.parametrize("shape", [cl_te, te_cl], ids=["CL.TE", "TE.CL"])
def test_a_disguised_coding_gets_one_answer_at_once(suite, slug, gateway, shape):
    token = suite.token(slug, "User")
    every = disguises()
    assert len(every) >= AT_LEAST
    took = {}

    def judge(lines):
        statuses, closed, seconds = answers_to(gateway, shape(token, lines))
        took[lines] = seconds
        if seconds > HANG_S:
            return f"{lines!r}: {seconds:.1f} s"
        if not is_another_field(lines):
            return None if closed and len(statuses) == 1 and statuses[0] in (400, 501) else f"{lines!r}: {statuses}"
        # The length counts, for the probe and for the standard: behind it stands the next message, which is what we sent behind it.
        wanted = [400, 200]
        return None if statuses == wanted else f"{lines!r} is another field: {statuses}"
    all_fine(judge, every)
    assert len(took) == len(every)
    # Whoever was slow in that company is asked alone, and once more where the machine was otherwise busy.
    slow = [lines for lines, seconds in took.items() if seconds >= ONCE_S]
    for lines in slow:
        alone = min(answers_to(gateway, shape(token, lines))[2] for _ in range(ALONE))
        assert alone < ONCE_S, f"{lines!r} took {alone:.2f} s"
    with Edge(gateway) as edge:
        assert edge.ask(head()).status == 200
