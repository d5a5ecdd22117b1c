# SPDX-License-Identifier: Apache-2.0
"""Every row of http1_table, through the probe and through a gateway: the same bytes, the same verdict, and it is the table's."""
import pytest

from berth_probe import all_fine, probe
from edge import Closed, Edge, bearer, head
from http1_table import CLOSE, CUT, KEEP, ROWS

ORDER = 42
CODES = {400: "bad_request", 413: "too_large", 414: "uri_too_long", 417: "expectation_failed", 431: "header_too_large", 501: "not_implemented", 505: "http_version"}
# Stands behind every refused or closing connection's bytes: what is answered there came out of a disguise.
HIDDEN = head(start="GET /docs HTTP/1.1")
IDS = [f"{section} {name}" for section, name, *_ in ROWS]


@pytest.fixture
def rows(suite, slug):
    token = bearer(suite.token(slug, "User")).encode()
    return [(name, given.replace(b"@AUTH@", token) + (b"" if end in (KEEP, CUT) else HIDDEN), requests, end)
            for name, (_, _, given, requests, end) in zip(IDS, ROWS)]


def test_the_table_has_no_row_twice():
    assert len(set(IDS)) == len(IDS) > 400
    assert len({given for _, _, given, _, _ in ROWS}) > len(ROWS) - 5


def test_the_probe_judges_each_row_as_the_standard_says(rows):
    def judge(row):
        name, given, requests, end = row
        judged = probe("http1", given=given)
        seen = [(request["method"], request["target"], request["body_len"]) for request in judged["requests"]]
        ends = {KEEP: (None, None, False), CLOSE: (None, None, True), CUT: (None, "incomplete", False)}
        wanted = ends[end] if end in ends else (end, CODES[end], True)
        got = (judged["status"], judged["error"], judged["close"])
        return None if (seen, got) == (requests, wanted) else f"{name}: {judged}"
    all_fine(judge, rows)


def answered(gateway, given, methods):
    """The answers on one connection that the client half-closes, and whether the last one said that it closes."""
    answers = []
    with Edge(gateway, seconds=20) as edge:
        try:
            edge.send(given).half_close()
        except OSError:
            pass        # refused before the last of it; the answer stands
        try:
            while True:
                answers.append(edge.answer(methods[len(answers)] if len(answers) < len(methods) else "GET"))
        except Closed:
            assert not edge.rest, edge.rest[:200]
    return answers


def test_the_gateway_judges_each_row_as_the_probe(gateway, rows):
    def judge(row):
        name, given, requests, end = row
        answers = answered(gateway, given, [method for method, _, _ in requests])
        statuses = [answer.status for answer in answers]
        refused = end not in (KEEP, CLOSE, CUT)
        if len(answers) != len(requests) + refused:
            return f"{name}: {statuses}"
        if refused:
            last = answers[-1]
            if last.status != end or last.field("connection") != "close" or f'"{CODES[end]}"'.encode() not in last.body:
                return f"{name}: {statuses} {last.body[:200]}"
        closes = [answer.field("connection") == "close" for answer in answers]
        good = [False] * len(answers)
        if answers and (refused or end == CLOSE):
            good[-1] = True
        return None if closes == good else f"{name}: {statuses}, closes {closes}"
    all_fine(judge, rows)


@pytest.mark.parametrize("pieces", [1, 5])
def test_the_gateways_verdict_does_not_depend_on_how_the_bytes_arrive(gateway, rows, pytestconfig, pieces):
    """Cut into records of so many bytes; every row in the long run, else some."""
    some = [row for row in rows if len(row[1]) < 2000]
    some = some if pytestconfig.getoption("--long") else some[pieces::23]

    def judge(row):
        name, given, requests, end = row
        refused = end not in (KEEP, CLOSE, CUT)
        statuses = []
        with Edge(gateway, seconds=30) as edge:
            try:
                for at in range(0, len(given), pieces):
                    edge.send(given[at:at + pieces])
                edge.half_close()
            except OSError:
                pass
            try:
                while True:
                    method = requests[len(statuses)][0] if len(statuses) < len(requests) else "GET"
                    statuses.append(edge.answer(method).status)
            except Closed:
                pass
        good = len(statuses) == len(requests) + refused and (not refused or statuses[-1] == end)
        return None if good else f"{name}: {statuses}"
    all_fine(judge, some)
