# SPDX-License-Identifier: Apache-2.0
"""Every row of json_table, by the probe and as a body at the edge; and what is taken comes back from the services as it was sent."""
import json

import pytest

from berth_probe import all_fine, probe
from berth_suite import wait_for
from edge import Edge, bearer, post
from json_table import LONG_REFUSED, LONG_TAKEN, REFUSED, TAKEN

ORDER = 45
ROWS = [(*row, True) for row in TAKEN] + [(*row, False) for row in REFUSED]


def test_the_table_is_one():
    assert len({given for _, _, given, _ in ROWS}) > len(ROWS) - 20 and len(ROWS) > 400


def test_the_probe_judges_each_document():
    def judge(row):
        section, name, given, good = row
        judged = probe("json", given=given + b"\n")
        fine = judged["verdict"] == ("accept" if good else "refuse") and (judged["reason"] is None) == good
        return None if fine else f"{section} {name} {given[:60]!r}: {judged}"
    long = [(*row, True) for row in LONG_TAKEN] + [(*row, False) for row in LONG_REFUSED]
    all_fine(judge, ROWS + long)


@pytest.mark.parametrize("wrap", [(b"", b""), (b'{"note":', b"}")], ids=["as the body", "as a member"])
def test_the_edge_judges_each_document_as_the_probe(suite, slug, gateway, wrap):
    """A body that is no JSON is `malformed`; one that is JSON is told what else is wrong with it, for none of them is a booking."""
    auth = bearer(suite.token(slug, "User"))
    deep = ("the deepest",)     # within a member they would be one deeper

    def judge(row):
        section, name, given, good = row
        if wrap[0] and (name.startswith(deep) or (name == "an end too early") or not good and section == "2"):
            return None
        with Edge(gateway, seconds=20) as edge:
            answer = edge.ask(post("/v1/bookings", wrap[0] + given + wrap[1], auth))
        document = json.loads(answer.body)
        if answer.status == 413:
            return None if len(given) > 4000 else f"{section} {name}: 413"
        malformed = document["code"] == "bad_json" and document["reason"] in ("malformed", "empty")
        fine = answer.status == 400 and malformed != good and (good or "field" not in document)
        return None if fine else f"{section} {name} {given[:60]!r}: {answer.status} {document}"
    all_fine(judge, ROWS)


TEXTS = ["plain", "\"quoted\" \\ and /", "tab\tnewline\nreturn\r", "\u00e9\u00e8 \u20ac", "e\u0301 is not \u00e9", "\U0001f600\U0001f468\u200d\U0001f469", "\u2028\u2029\ufeff\u200b", "\u202eabc",
         "\u007f\u0080\u009f", "\ud7ff\ue000\uffff\U0010ffff", "</script><!--", "%00%0a${x}{{x}}'; drop table booking; --", "null", "\u0661\uff11", "\b\f"]


def test_what_is_taken_comes_back_as_it_was_sent(suite, user, slug):
    """Through the edge's reader, the link, the service, PostgreSQL, the audit log and back: one meaning everywhere."""
    area = suite.new_area(slug, spots=1)
    ids = []
    for text in TEXTS:
        for ascii_only in (True, False):
            body = json.dumps({"spot_id": area["spots"][0], "note": text, **suite.slot()}, ensure_ascii=ascii_only).encode()
            reply = user.call("POST", "/v1/bookings", content=body, headers={"Content-Type": "application/json"}).expect(201)
            assert reply.body["note"] == text, reply.text
            ids.append(reply.body["id"])
            assert user.get(f"/v1/bookings/{ids[-1]}").expect(200).body["note"] == text
    for place in (-1, 2, 10):
        event = wait_for(lambda place=place: suite.events(slug, object_id=ids[place]), 30, "the event")[0]
        assert event["after"]["note"] == user.get(f"/v1/bookings/{ids[place]}").expect(200).body["note"]
