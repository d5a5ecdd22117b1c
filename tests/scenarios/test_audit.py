# SPDX-License-Identifier: Apache-2.0
"""The audit trail: every change to a critical object has who, when, what, before and after, exactly once and in order."""
import base64
import hashlib
import secrets

import pytest

from berth_suite import wait_for

ORDER = 25


def trail(suite, slug, object_id, count):
    """The object's events, oldest first, once there are that many."""
    def ask():
        items = suite.events(slug, object_id=object_id)
        return items if len(items) >= count else None
    return list(reversed(wait_for(ask, 20, f"{count} events of {object_id}")))


def test_the_life_of_a_booking_is_told_in_order(suite, slug, user, booking):
    path = f"/v1/bookings/{booking.body['id']}"
    changed = user.patch(path, {"note": "second thoughts"}, if_match=booking.etag).expect(200)
    cancelled = user.delete(path, if_match=changed.etag).expect(200)
    events = trail(suite, slug, booking.body["id"], 3)
    assert [event["action"] for event in events] == ["booking.create", "booking.update", "booking.cancel"]
    assert [event["object_version"] for event in events] == [booking.body["version"], changed.body["version"], cancelled.body["version"]]
    assert events[0]["before"] is None and events[0]["after"]["status"] == "confirmed"
    assert events[1]["before"]["note"] is None and events[1]["after"]["note"] == "second thoughts"
    assert events[2]["before"]["status"] == "confirmed" and events[2]["after"]["status"] == "cancelled"
    assert events[0]["leaf_index"] < events[1]["leaf_index"] < events[2]["leaf_index"]
    person = suite.person(slug, "User")["id"]
    for event in events:
        assert event["actor_id"] == person and event["service"] == "bookingsvc" and event["object_type"] == "booking"
        assert event["client_id"] == suite.tenants[slug]["client"]["id"]
        assert event["at"] and event["request_id"] and not event["erased"]


def test_a_refused_change_leaves_no_event(suite, slug, user, booking):
    path = f"/v1/bookings/{booking.body['id']}"
    trail(suite, slug, booking.body["id"], 1)
    user.patch(path, {"note": "stale"}, if_match='"99"').problem(412, "version_stale")
    user.patch(path, {"ends_at": "2020-01-01T00:00:00Z"}, if_match=booking.etag).expect(400, 409, 422)
    good = user.patch(path, {"note": "good"}, if_match=booking.etag).expect(200)
    events = trail(suite, slug, booking.body["id"], 2)
    assert len(events) == 2 and events[1]["object_version"] == good.body["version"]


def test_a_repeated_key_is_one_event(suite, slug, user, area):
    key, body = secrets.token_hex(8), {"spot_id": area["spots"][0], **suite.slot()}
    made = [user.post("/v1/bookings", body, key=key).expect(201).body["id"] for _ in range(3)]
    assert len(trail(suite, slug, made[0], 1)) == 1


CRITICAL = {
    "a site": ("/v1/sites", {"name": "Site {mark}", "time_zone": "Europe/Brussels"}, "site"),
    "a vehicle": ("/v1/vehicles", {"plate": "AB{mark}", "country": "BE"}, "vehicle"),
    "a client": ("/v1/clients", {"name": "Client {mark}", "kind": "public", "redirect_uris": ["https://localhost/back"]}, "client"),
}


@pytest.mark.parametrize("path, body, kind", CRITICAL.values(), ids=CRITICAL.keys())
def test_making_a_critical_object_is_told(suite, slug, admin, path, body, kind):
    mark = secrets.token_hex(2).upper()
    body = {name: value.replace("{mark}", mark) if isinstance(value, str) else value for name, value in body.items()}
    made = admin.post(path, body).expect(201).body
    event = trail(suite, slug, made["id"], 1)[0]
    assert event["action"] == f"{kind}.create" and event["object_type"] == kind
    assert event["actor_id"] == suite.person(slug, "Admin")["id"]
    assert "secret" not in (event["after"] or {})


def test_people_and_their_roles_are_critical(suite, slug, admin):
    person = suite.invite(slug)
    record = admin.get(f"/v1/people/{person['id']}").expect(200)
    admin.patch(f"/v1/people/{person['id']}", {"roles": ["Reception"]}, if_match=record.etag).expect(200)
    events = trail(suite, slug, person["id"], 2)
    changed = events[-1]
    assert changed["actor_id"] == suite.person(slug, "Admin")["id"]
    assert changed["before"]["roles"] == ["User"] and changed["after"]["roles"] == ["Reception"]
    assert changed["subject_id"] == person["id"]


def test_a_search_by_plate_is_told(suite, slug, user):
    plate = f"Q{secrets.token_hex(2).upper()}Q"
    user.post("/v1/vehicles", {"plate": plate, "country": "FR"}).expect(201)
    security = suite.as_role(slug, "Security")
    found = security.get("/v1/vehicles", params={"plate": plate, "country": "FR"}).expect(200).body["items"]
    assert len(found) == 1
    user.get("/v1/vehicles", params={"plate": plate, "country": "FR"}).problem(403, "forbidden", reason="vehicle.read_all")
    person = suite.person(slug, "Security")["id"]
    wait_for(lambda: [event for event in suite.events(slug, actor_id=person) if event["action"].startswith("vehicle.")], 20, "the event")


def test_events_are_filtered_and_paged(suite, slug, admin, booking):
    trail(suite, slug, booking.body["id"], 1)
    for query in ({"object_type": "booking"}, {"action": "booking.create"}, {"actor_id": suite.person(slug, "User")["id"]}):
        (name, value), = query.items()
        items = suite.events(slug, limit=50, **query)
        assert items and all(item[name] == value for item in items)
    seen, cursor = [], None
    for _ in range(4):
        page = admin.get("/v1/audit/events", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).expect(200).body
        seen += [item["leaf_index"] for item in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == sorted(set(seen), reverse=True)
    at = admin.get(f"/v1/audit/events/{suite.events(slug, limit=1)[0]['id']}").expect(200).body["at"]
    assert all(item["at"] >= at for item in suite.events(slug, **{"from": at}))
    assert all(item["at"] < at for item in suite.events(slug, to=at))


def b64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_signed_head_counts_the_leaves(suite, slug, admin, booking):
    event = trail(suite, slug, booking.body["id"], 1)[0]
    head = wait_for(lambda: next(
        (body for body in [admin.get("/v1/audit/checkpoint").expect(200).body] if body["size"] > event["leaf_index"]), None),
        20, "a head that holds the event")
    assert len(b64(head["root_hash"])) == hashlib.sha256().digest_size
    assert len(b64(head["signature"])) == 64 and len(b64(head["public_key"])) == 32
    assert len(b64(event["leaf_hash"])) == 32


def told_and_committed(suite):
    """Over the whole database: {booking: versions told, by leaf}, {booking: version}."""
    told = {}
    for booking, version in suite.sql("select object_id::text, object_version from audit.event where object_type = 'booking' and object_version > 0 order by leaf_index"):
        told.setdefault(booking, []).append(version)
    return told, dict(suite.sql("select id::text, version from booking.booking"))


def test_every_committed_change_has_its_event_and_no_more(suite):
    """Each version of each booking once and in order, and no event of a booking that is not there."""
    wait_for(lambda: suite.sql("select count(*) from booking.outbox")[0][0] == 0, 20, "the empty outbox")
    told, committed = told_and_committed(suite)
    assert committed and not set(told) - set(committed)
    wrong = {booking: (told.get(booking), version) for booking, version in committed.items() if told.get(booking) != list(range(1, version + 1))}
    assert not wrong, wrong
