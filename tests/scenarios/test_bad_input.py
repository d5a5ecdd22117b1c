# SPDX-License-Identifier: Apache-2.0
"""What bad input gets: a problem document with a stable code and the field at fault; and nothing is stored."""
import json
import secrets
import uuid

import pytest

from berth_suite import Answer

ORDER = 20
JSON = {"Content-Type": "application/json"}


def raw(user, body, path="/v1/bookings", method="POST", headers=None):
    return user.call(method, path, content=body, headers={**JSON, **(headers or {})})


def good(suite, area):
    return {"spot_id": area["spots"][0], **suite.slot()}


NESTED = b"[" * 200 + b"]" * 200

# name: (bytes that stand for the note's value, status, code)
NOTES = {
    "invalid UTF-8": (b'"a\xff"', 400, "bad_json"),
    "an overlong form": (b'"\xc0\xaf"', 400, "bad_json"),
    "a surrogate in UTF-8": (b'"\xed\xa0\x80"', 400, "bad_json"),
    "a lone surrogate escape": (b'"\\ud800"', 400, "bad_json"),
    "a NUL byte": (b'"a\x00b"', 400, "bad_json"),
    "an escaped NUL": (b'"a\\u0000b"', 400, "bad_field"),
    "a control character": (b'"a\x01b"', 400, "bad_json"),
    "a number": (b"12", 400, "bad_field"),
    "true": (b"true", 400, "bad_field"),
    "an object": (b'{"x":1}', 400, "bad_field"),
    "one character too many": (b'"' + b"x" * 501 + b'"', 400, "bad_field"),
    "deep nesting": (NESTED, 400, "bad_json"),
}


@pytest.mark.parametrize("value, status, code", NOTES.values(), ids=NOTES.keys())
def test_a_text_field_refuses(suite, user, area, value, status, code):
    body = good(suite, area)
    document = json.dumps({**body, "note": "@"}).encode().replace(b'"@"', value)
    reply = raw(user, document).problem(status, code, field="note" if code == "bad_field" else None)
    if code == "bad_field":
        assert reply.body["reason"]
    # Nothing was stored: the spot is free.
    user.book(**body).expect(201)


@pytest.mark.parametrize("length", [0, 1, 500])
def test_a_text_field_takes_its_bounds(suite, user, area, length):
    assert user.book(**good(suite, area), note="é" * (length // 2) + "x" * (length % 2)).expect(201).body["note"] is not None


DOCUMENTS = {
    "nothing": b"",
    "blanks": b"   ",
    "no JSON": b"hello",
    "an array": b"[]",
    "a string": b'"x"',
    "null": b"null",
    "two documents": b"{}{}",
    "a trailing comma": b'{"note":"x",}',
    "a comment": b'{/* */}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "single quotes": b"{'note':'x'}",
    "NaN": b'{"note":NaN}',
    "an unfinished document": b'{"note":"x"',
    "a form": b"spot_id=1",
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_a_body_refuses(user, document):
    reply = raw(user, document)
    assert reply.status == 400 and reply.body["code"] in ("bad_json", "bad_field"), reply.text


def test_an_unknown_key_is_named(suite, user, area):
    body = good(suite, area)
    user.book(**body, colour="red").problem(400, "bad_field", field="colour")
    user.book(**body).expect(201)


def test_a_field_that_only_the_server_sets_is_unknown(suite, user, area):
    for name, value in {"id": str(uuid.uuid4()), "tenant_id": str(uuid.uuid4()), "status": "checked_in", "version": 7,
                        "person_id": str(uuid.uuid4()), "created_by_id": str(uuid.uuid4())}.items():
        user.book(**good(suite, area), **{name: value}).problem(400, "bad_field", field=name)


def test_a_duplicate_key_is_refused(suite, user, area):
    body = good(suite, area)
    document = json.dumps(body)[:-1] + ', "note": "a", "note": "b"}'
    reply = raw(user, document.encode())
    assert reply.status == 400 and reply.body["code"] in ("bad_json", "bad_field")
    document = json.dumps(body)[:-1] + ', "note": "a", "n\\u006fte": "b"}'
    assert raw(user, document.encode()).status == 400


def test_a_missing_field_is_named(suite, user, area):
    body = good(suite, area)
    for name in ("starts_at", "ends_at"):
        left = {key: value for key, value in body.items() if key != name}
        user.book(**left).problem(400, "bad_field", field=name)
    reply = user.book(starts_at=body["starts_at"], ends_at=body["ends_at"])
    assert reply.status in (400, 422) and reply.body["code"] in ("bad_field", "rule_refused")


BAD_UUIDS = ["", "x", "0" * 36, str(uuid.uuid4())[:-1], str(uuid.uuid4()) + "0", "{" + str(uuid.uuid4()) + "}", "é" * 36, "../../etc/passwd"]


@pytest.mark.parametrize("value", BAD_UUIDS)
def test_an_id_in_the_body_that_is_none(suite, user, area, value):
    user.book(**{**good(suite, area), "spot_id": value}).problem(400, "bad_field", field="spot_id")


@pytest.mark.parametrize("value", ["x", "0" * 36, "%00", "%27%20or%201%3D1", "1"])
def test_an_id_in_the_path_that_is_none(user, value):
    reply = user.get(f"/v1/bookings/{value}")
    assert reply.status in (400, 404), reply.text


BAD_TIMES = ["", "tomorrow", "2031-13-01T00:00:00Z", "2031-02-30T10:00:00Z", "2031-01-01T25:00:00Z", "2031-01-01T10:00:00", "2031-01-01",
             "1969-12-31T23:59:59Z", "99999-01-01T00:00:00Z", "2031-01-01T10:00:00+99:00", "2031-01-01T10:00:00.0123456789Z", 1900000000, None]


@pytest.mark.parametrize("value", BAD_TIMES)
def test_an_instant_that_is_none(suite, user, area, value):
    user.book(**{**good(suite, area), "starts_at": value}).problem(400, "bad_field", field="starts_at")


def test_an_instant_of_a_clock_that_counts_nanoseconds(suite, user, area):
    """RFC 3339 bounds no fraction; what is below a microsecond is left off."""
    wanted = good(suite, area)
    booked = user.book(**{**wanted, "starts_at": wanted["starts_at"].replace("Z", ".123456789Z"), "ends_at": wanted["ends_at"].replace("Z", ".000000999+00:00")}).expect(201).body
    assert (booked["starts_at"], booked["ends_at"]) == (wanted["starts_at"].replace("Z", ".123456Z"), wanted["ends_at"])


NUMBERS = {
    "below": ("0", 400), "at the lower bound": ("1", 201), "at the upper bound": ("44640", 201), "above": ("44641", 400),
    "negative": ("-1", 400), "a fraction": ("1.5", 400), "an exponent": ("1e3", 400), "beyond 64 bits": ("9" * 30, 400),
    "2 to the 53rd and 1": ("9007199254740993", 400), "a string": ('"60"', 400), "minus zero": ("-0", 400), "null": ("null", 400),
}


@pytest.mark.parametrize("text, status", NUMBERS.values(), ids=NUMBERS.keys())
def test_a_number(area, admin, text, status):
    name = f"Area {secrets.token_hex(4)}"
    document = json.dumps({"site_id": area["site_id"], "name": name, "longest_stay_min": "@"}).replace('"@"', text)
    reply = raw(admin, document.encode(), "/v1/areas")
    assert reply.status == status, reply.text
    if status == 400:
        reply.problem(400, "bad_field", field="longest_stay_min")


@pytest.mark.parametrize("query, field", [
    ({"limit": "0"}, "limit"), ({"limit": "201"}, "limit"), ({"limit": "x"}, "limit"), ({"limit": ""}, "limit"), ({"limit": "01"}, "limit"),
    ({"colour": "red"}, "colour"), ({"status": "lost"}, "status"), ({"from": "yesterday"}, "from"), ({"person_id": "me"}, "person_id"),
])
def test_a_query_parameter_refuses(user, query, field):
    user.get("/v1/bookings", params=query).problem(400, "bad_field", field=field)


def test_a_query_parameter_twice(user):
    user.get("/v1/bookings?limit=1&limit=2").problem(400, "bad_field", field="limit")


@pytest.mark.parametrize("cursor", ["x", "AAAA", "a" * 399, "é", "-1"])
def test_a_cursor_that_was_not_given(user, cursor):
    reply = user.get("/v1/bookings", params={"cursor": cursor})
    assert reply.status == 400 and reply.body["code"] in ("bad_cursor", "bad_field"), reply.text


def test_a_cursor_of_another_list(suite, slug, admin):
    suite.new_area(slug)
    suite.new_area(slug)
    cursor = admin.get("/v1/areas", params={"limit": 1}).expect(200).body["next_cursor"]
    assert cursor
    reply = suite.as_role(slug, "User").get("/v1/bookings", params={"cursor": cursor})
    assert reply.status in (200, 400)
    assert reply.status == 400 or all("starts_at" in item for item in reply.body["items"])


def test_an_oversize_body_is_413(user):
    raw(user, b'{"note":"' + b"x" * 5000 + b'"}').problem(413, "too_large")
    raw(user, b" " * 2_000_000).problem(413, "too_large")


def test_a_body_of_another_media_type_is_415(suite, user, area):
    body = json.dumps(good(suite, area)).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data; boundary=x"):
        raw(user, body, headers={"Content-Type": kind}).problem(415, "unsupported_media_type", field="Content-Type")
    raw(user, body, headers={"Content-Encoding": "gzip"}).problem(415, "unsupported_media_type", field="Content-Encoding")


@pytest.mark.parametrize("name, value", [
    ("If-Match", '"1"'), ("Idempotency-Key", "one-key"), ("Content-Type", "application/json"), ("Content-Encoding", "identity"),
    ("Authorization", None)])
def test_a_header_that_stands_twice_is_named(user, booking, name, value):
    value = value or f"Bearer {user.token}"
    head = [(other, text) for other, text in (
        ("Authorization", f"Bearer {user.token}"), ("Content-Type", "application/json"), ("If-Match", '"1"')) if other != name]
    path = f"/v1/bookings/{booking.body['id']}"
    reply = Answer(user.client(user.suite).request(
        "PATCH", user.suite.url + path, headers=[*head, (name, value), (name, value)], content=b'{"note": "twice"}'))
    reply.problem(400, "bad_request", field=name)
    assert user.get(path).expect(200).body["version"] == booking.body["version"]


def test_a_body_too_large_blames_no_header(user, booking):
    reply = user.patch(f"/v1/bookings/{booking.body['id']}", {"note": "x" * 100_000}, if_match=booking.etag).problem(413, "too_large")
    assert "field" not in reply.body


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON"])
def test_media_type_spellings_that_mean_json(suite, user, area, kind):
    raw(user, json.dumps(good(suite, area)).encode(), headers={"Content-Type": kind}).expect(201)


@pytest.mark.parametrize("value", ["5", "x", '"x"', "W/\"1\"", '"-1"', '"99999999999999999999"', '"1", "2"', ""])
def test_an_if_match_that_is_no_version(user, booking, value):
    reply = user.patch(f"/v1/bookings/{booking.body['id']}", {"note": "n"}, if_match=value)
    assert reply.status in (400, 412) and reply.body["field"] == "If-Match", reply.text
    assert user.get(f"/v1/bookings/{booking.body['id']}").expect(200).body["version"] == booking.body["version"]


@pytest.mark.parametrize("method, body", [("PATCH", {"note": "n"}), ("DELETE", None)])
def test_a_version_that_is_missing_or_stale_names_its_header(user, booking, method, body):
    path = f"/v1/bookings/{booking.body['id']}"
    user.call(method, path, json_body=body).problem(428, "version_required", field="If-Match")
    user.call(method, path, json_body=body, if_match='"99"').problem(412, "version_stale", field="If-Match")
    assert user.get(path).expect(200).body["version"] == booking.body["version"]


@pytest.mark.parametrize("key", ["x" * 256, "\x7f", "a b\tc"])
def test_an_idempotency_key_that_is_none(suite, user, area, key):
    reply = user.post("/v1/bookings", good(suite, area), key=key)
    assert reply.status in (201, 400), reply.text


def test_paths_and_methods_that_are_not(user):
    user.get("/v1/nothing").problem(404, "not_found")
    user.get("/").expect(303, 404, 200)
    reply = user.call("PUT", "/v1/bookings").problem(405, "method_not_allowed")
    assert {name.strip() for name in reply.headers["allow"].split(",")} >= {"GET", "POST"}
    user.call("BREW", "/v1/bookings").expect(501, 405)


def test_every_refusal_is_a_problem_with_a_request_id_and_no_echo(user):
    mark = f"echo{secrets.token_hex(6)}"
    for reply in (user.book(note=mark), user.get(f"/v1/bookings/{mark}"), user.get("/v1/bookings", params={"status": mark}),
                  user.get(f"/v1/{mark}")):
        assert 400 <= reply.status < 500
        assert reply.headers["content-type"].startswith("application/problem+json")
        assert mark not in reply.text, f"{reply.text} repeats what was sent"
        assert reply.body["title"] and reply.body["code"]
        assert reply.body.get("request_id") or reply.headers.get("x-request-id")


def test_security_headers_stand_on_every_answer(suite, user):
    for reply in (user.get("/v1/whoami"), user.get("/v1/nothing"), suite.api().get("/v1/whoami"), suite.api().get("/healthz"),
                  raw(user, b"{")):
        assert "max-age=63072000" in reply.headers["strict-transport-security"]
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "no-store" in reply.headers["cache-control"] or reply.status == 200
