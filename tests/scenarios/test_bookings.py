# SPDX-License-Identifier: Apache-2.0
"""Bookings from the API's outside: change, cancel, arrive, leave, overlap, versions, idempotency keys, lists."""
import concurrent.futures
import secrets
import time
import uuid
from datetime import datetime, timedelta, timezone

import pytest

from berth_suite import instant

ORDER = 10


def shifted(slot, hours):
    """The slot, moved."""
    def move(text):
        return instant(datetime.fromisoformat(text.replace("Z", "+00:00")) + timedelta(hours=hours))
    return {name: move(text) for name, text in slot.items()}


def test_a_booking_is_read_back_as_it_was_made(user, booking):
    reply = user.get(f"/v1/bookings/{booking.body['id']}").expect(200)
    assert reply.body == booking.body
    assert reply.etag == booking.etag


def test_the_answer_says_where_the_booking_stands(booking):
    for name in ("id", "spot_id", "starts_at", "ends_at", "status", "version"):
        assert booking.body[name] is not None
    assert uuid.UUID(booking.body["id"]).version == 7


def test_an_overlapping_booking_is_409_with_the_reason(suite, slug, booking, area):
    rival = suite.as_role(slug, "Reception")
    spot, start, end = area["spots"][0], booking.body["starts_at"], booking.body["ends_at"]
    rival.book(spot_id=spot, starts_at=start, ends_at=end).problem(409, "spot_taken")
    later = shifted({"starts_at": start, "ends_at": end}, 0.5)
    rival.book(spot_id=spot, **later).problem(409, "spot_taken")
    items = rival.get("/v1/bookings", params={"everyone": "true", "from": start, "to": end}).expect(200).body["items"]
    assert [item["id"] for item in items if item["spot_id"] == spot] == [booking.body["id"]]


def test_a_booking_may_start_when_another_ends(suite, slug, user, area):
    first = suite.slot()
    user.book(spot_id=area["spots"][0], **first).expect(201)
    user.book(spot_id=area["spots"][0], **shifted(first, 1)).expect(201)


def test_one_person_is_in_one_place(user, booking, area):
    user.book(spot_id=area["spots"][1], starts_at=booking.body["starts_at"], ends_at=booking.body["ends_at"]).problem(
        409, "person_unavailable")


def test_an_area_gives_its_free_spots_and_then_is_full(suite, slug, area):
    slot = suite.slot()
    people = [suite.as_role(slug, role) for role in ("User", "Reception")]
    spots = {person.book(area_id=area["id"], **slot).expect(201).body["spot_id"] for person in people}
    assert spots == set(area["spots"])
    suite.as_role(slug, "Security").book(area_id=area["id"], **slot).problem(409, "area_full")


def test_pooled_capacity_is_counted(suite, slug):
    pool = suite.new_area(slug, spots=0, inventory="pooled", capacity=2)
    slot = suite.slot()
    for role in ("User", "Reception"):
        assert suite.as_role(slug, role).book(area_id=pool["id"], **slot).expect(201).body["spot_id"] is None
    suite.as_role(slug, "Security").book(area_id=pool["id"], **slot).problem(409, "area_full")
    suite.as_role(slug, "Security").book(area_id=pool["id"], **shifted(slot, 1)).expect(201)


def test_availability_says_what_is_free_and_why_not(user, booking, area):
    query = {"site_id": area["site_id"], "area_id": area["id"], "starts_at": booking.body["starts_at"],
             "ends_at": booking.body["ends_at"]}
    answer = user.get("/v1/availability", params=query).expect(200).body
    spots = {spot["id"]: spot for spot in answer["areas"][0]["spots"]}
    assert spots[area["spots"][0]]["free"] is False and spots[area["spots"][0]]["reason"] == "spot_taken"
    assert spots[area["spots"][1]]["free"] is True and spots[area["spots"][1]]["reason"] is None
    assert answer["areas"][0]["free"] == 1


def test_a_change_needs_the_version_that_was_read(user, booking):
    path = f"/v1/bookings/{booking.body['id']}"
    user.patch(path, {"note": "first"}).problem(428, "version_required")
    changed = user.patch(path, {"note": "first"}, if_match=booking.etag).expect(200)
    assert changed.body["note"] == "first" and changed.body["version"] > booking.body["version"]
    user.patch(path, {"note": "second"}, if_match=booking.etag).problem(412, "version_stale")
    assert user.get(path).expect(200).body["note"] == "first"
    assert user.patch(path, {"note": None}, if_match=changed.etag).expect(200).body["note"] is None


def test_cancelling_needs_the_version_and_frees_the_spot(suite, slug, user, booking, area):
    path = f"/v1/bookings/{booking.body['id']}"
    user.delete(path).problem(428, "version_required")
    user.delete(path, if_match='"999"').problem(412, "version_stale")
    assert user.delete(path, if_match=booking.etag).expect(200).body["status"] == "cancelled"
    suite.as_role(slug, "Reception").book(
        spot_id=area["spots"][0], starts_at=booking.body["starts_at"], ends_at=booking.body["ends_at"]).expect(201)


def test_a_moved_booking_respects_the_others(suite, slug, user, area):
    mine, theirs = suite.slot(), suite.slot()
    booking = user.book(spot_id=area["spots"][0], **mine).expect(201)
    suite.as_role(slug, "Reception").book(spot_id=area["spots"][0], **theirs).expect(201)
    path = f"/v1/bookings/{booking.body['id']}"
    user.patch(path, theirs, if_match=booking.etag).problem(409, "spot_taken")
    moved = user.patch(path, {"spot_id": area["spots"][1], **theirs}, if_match=booking.etag).expect(200)
    assert moved.body["spot_id"] == area["spots"][1] and moved.body["starts_at"] == theirs["starts_at"]


def test_arriving_and_leaving(suite, slug, area):
    now = datetime.now(timezone.utc)
    user = suite.api(suite.sign_in_person(suite.new_person(slug)))
    stay = {"starts_at": instant(now + timedelta(seconds=1)), "ends_at": instant(now + timedelta(minutes=10))}
    booking = user.book(spot_id=area["spots"][0], **stay).expect(201)
    path = f"/v1/bookings/{booking.body['id']}"
    time.sleep(1.2)
    arrived = user.post(f"{path}/check-in").expect(200).body
    assert arrived["status"] == "checked_in" and arrived["checked_in_at"]
    left = user.post(f"{path}/check-out").expect(200).body
    assert left["status"] == "completed" and left["checked_out_at"] >= left["checked_in_at"]


def test_a_repeated_key_gets_the_first_answer(user, suite, area):
    key, body = secrets.token_hex(8), {"spot_id": area["spots"][0], **suite.slot()}
    first = user.post("/v1/bookings", body, key=key).expect(201)
    again = user.post("/v1/bookings", body, key=key).expect(201)
    assert again.body == first.body
    assert again.headers.get("etag") == first.headers.get("etag")


def test_a_repeated_key_with_another_body_is_422(user, suite, area):
    key, body = secrets.token_hex(8), {"spot_id": area["spots"][0], **suite.slot()}
    user.post("/v1/bookings", body, key=key).expect(201)
    user.post("/v1/bookings", {**body, "note": "another"}, key=key).problem(422, "idempotency_key_reused")


def test_a_key_belongs_to_one_person(suite, slug, area):
    key = secrets.token_hex(8)
    one = suite.as_role(slug, "User").post("/v1/bookings", {"spot_id": area["spots"][0], **suite.slot()}, key=key).expect(201)
    two = suite.as_role(slug, "Reception").post("/v1/bookings", {"spot_id": area["spots"][1], **suite.slot()}, key=key).expect(201)
    assert one.body["id"] != two.body["id"]


def test_a_key_belongs_to_one_tenant(suite, slug, other_slug):
    """The neighbours' Admin under the key of ours: neither our answer nor a word that the key is known."""
    key = secrets.token_hex(8)
    made = [suite.as_role(one, "Admin").post("/v1/sites", {"name": f"Key {key} {one}", "time_zone": "Europe/Paris"}, key=key).expect(201).body
            for one in (slug, other_slug, slug, other_slug)]
    assert made[0] == made[2] and made[1] == made[3] and made[0]["id"] != made[1]["id"]


def test_fifty_requests_at_once_with_one_key_book_once(user, suite, slug, area):
    key, body = secrets.token_hex(8), {"spot_id": area["spots"][0], **suite.slot()}
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: user.post("/v1/bookings", body, key=key), range(50)))
    assert {reply.status for reply in replies} <= {201, 409, 429}
    assert len({reply.body["id"] for reply in replies if reply.status == 201}) == 1
    assert all(reply.body["code"] == "in_progress" for reply in replies if reply.status == 409)


def test_twenty_people_at_once_get_one_spot_once(suite, slug, area):
    reception = suite.as_role(slug, "Reception")
    users = [suite.as_role(slug, role) for role in ("User", "Reception", "Security", "Assistant", "Admin")]
    slot = suite.slot()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(lambda n: users[n % 5].book(spot_id=area["spots"][0], **slot), range(20)))
    assert sorted(reply.status for reply in replies).count(201) == 1
    assert {reply.body["code"] for reply in replies if reply.status != 201} <= {"spot_taken", "person_unavailable", "rate_limited"}
    items = reception.get("/v1/bookings", params={"everyone": "true", "from": slot["starts_at"], "to": slot["ends_at"]}).expect(200)
    assert len([item for item in items.body["items"] if item["spot_id"] == area["spots"][0]]) == 1


def test_lists_come_in_pages(suite, user, area):
    made = [user.book(spot_id=area["spots"][0], **suite.slot()).expect(201).body["id"] for _ in range(3)]
    seen, cursor = [], None
    for _ in range(500):
        page = user.get("/v1/bookings", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).expect(200).body
        assert len(page["items"]) <= 2
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert set(made) <= set(seen) and len(seen) == len(set(seen))


def test_people_see_their_own_bookings_only(suite, slug, booking):
    stranger = suite.api(suite.sign_in_person(suite.new_person(slug)))
    stranger.get(f"/v1/bookings/{booking.body['id']}").problem(404, "not_found")
    assert stranger.get("/v1/bookings").expect(200).body["items"] == []
    stranger.get("/v1/bookings", params={"everyone": "true"}).problem(403, "forbidden", reason="booking.read_all")
    stranger.delete(f"/v1/bookings/{booking.body['id']}", if_match=booking.etag).problem(404, "not_found")
    reader = suite.as_role(slug, "Security")
    assert reader.get(f"/v1/bookings/{booking.body['id']}").expect(200).body["id"] == booking.body["id"]


@pytest.mark.parametrize("role, expected", [("User", 403), ("Assistant", 403), ("Reception", 201), ("Admin", 201)])
def test_booking_for_somebody_needs_the_right(suite, slug, area, role, expected):
    reply = suite.as_role(slug, role).book(
        spot_id=area["spots"][0], for_person_id=suite.person(slug, "Security")["id"], **suite.slot())
    reply.expect(expected)
    if expected == 403:
        reply.problem(403, "forbidden")


@pytest.mark.parametrize("change, code, field", [
    ({"ends_at": "before"}, "bad_field", "ends_at"),
    ({"starts_at": "past"}, "rule_refused", None),
    ({"starts_at": "far"}, "rule_refused", None),
    ({"ends_at": "long"}, "rule_refused", None),
], ids=["an end before the start", "a start in the past", "a start beyond the window", "a stay that is too long"])
def test_rules_refuse_and_say_why(suite, user, area, change, code, field):
    now = datetime.now(timezone.utc)
    slot = suite.slot()
    start = datetime.fromisoformat(slot["starts_at"].replace("Z", "+00:00"))
    values = {"before": start - timedelta(hours=1), "past": now - timedelta(hours=2), "far": now + timedelta(days=800),
              "long": start + timedelta(days=3)}
    for name, what in change.items():
        slot[name] = instant(values[what])
        if name == "starts_at":
            slot["ends_at"] = instant(values[what] + timedelta(hours=1))
    reply = user.book(spot_id=area["spots"][0], **slot)
    assert reply.status in (400, 422), reply.text
    assert reply.body["code"] in (code, "bad_field", "rule_refused")
    assert reply.body.get("reason"), "a refusal has a reason code"
    if field:
        assert reply.body["field"] == field
