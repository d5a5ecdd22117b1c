# SPDX-License-Identifier: Apache-2.0
"""The main job: sign in, book a spot, see it in the audit trail, erase the person; and then nobody finds them any more."""
import secrets
import time
from datetime import datetime, timedelta, timezone

import pytest

import berth_flow
from berth_search import found_in, schema_dump, search_everywhere
from berth_suite import instant, wait_for

ORDER = 0


def totals(suite, slug, site, start, end):
    return suite.as_role(slug, "Admin").get("/v1/statistics/totals", params={"site_id": site, "from": start, "to": end}).expect(200).body


def created_event(suite, slug, booking_id):
    return wait_for(
        lambda: next((event for event in suite.events(slug, object_id=booking_id) if event["action"] == "booking.create"), None),
        20, "the booking in the audit trail")


def erase(suite, slug, person_id):
    """Asks for the erasure and waits until every service has confirmed it."""
    admin = suite.as_role(slug, "Admin")
    erasure = admin.delete(f"/v1/people/{person_id}").expect(200, 202).body
    return wait_for(
        lambda: next(
            (body for body in [admin.get(f"/v1/erasures/{erasure['id']}").expect(200).body] if body["status"] == "completed"), None),
        30, "the erasure")


def test_the_demo_people_sign_in_and_book(suite, slug):
    for role in ("User", "Admin"):
        token = suite.token(slug, role)
        me = suite.api(token).get("/v1/whoami").expect(200).body
        assert me["person_id"] == suite.person(slug, role)["id"]
        assert me["tenant_id"] == suite.tenants[slug]["id"]
        assert role in me["roles"]
    area = suite.new_area(slug)
    booking = suite.as_role(slug, "User").book(spot_id=area["spots"][0], **suite.slot()).expect(201)
    assert booking.body["status"] == "confirmed"
    event = created_event(suite, slug, booking.body["id"])
    assert event["actor_id"] == suite.person(slug, "User")["id"]
    assert event["before"] is None
    assert event["after"]["spot_id"] == area["spots"][0]


def test_a_booking_of_an_assistant_names_both_people_in_the_audit_trail(suite, slug):
    principal = suite.new_person(slug)
    assistant = suite.person(slug, "Assistant")
    admin = suite.as_role(slug, "Admin")
    admin.post("/v1/delegations", {"assistant_id": assistant["id"], "principal_id": principal["id"]}).expect(201)
    area = suite.new_area(slug)
    booking = suite.as_role(slug, "Assistant").book(
        spot_id=area["spots"][0], for_person_id=principal["id"], **suite.slot()).expect(201).body
    assert booking["person_id"] == principal["id"]
    assert booking["created_by_id"] == assistant["id"]
    event = created_event(suite, slug, booking["id"])
    assert (event["actor_id"], event["on_behalf_id"]) == (assistant["id"], principal["id"])


@pytest.mark.seconds(180)
def test_an_erased_person_is_found_nowhere_and_totals_stay(suite, slug):
    mark = secrets.token_hex(4)
    plate = f"Z{mark[:5].upper()}Q"
    note = f"Note{mark}note"
    person = suite.new_person(slug)
    api = suite.api(suite.sign_in_person(person))
    words = [person["given_name"], person["family_name"], person["email"], person["email"].split("@")[0], plate, note]

    # A life: a vehicle, a stay that is over, a stay to come, a stay that was cancelled.
    area = suite.new_area(slug, spots=3)
    api.post("/v1/vehicles", {"plate": plate, "country": "FR", "label": f"car of {person['given_name']}"}).expect(201)
    now = datetime.now(timezone.utc)
    day = {"start": instant(now - timedelta(hours=1)), "end": instant(now + timedelta(hours=1))}
    present = api.book(
        spot_id=area["spots"][0], starts_at=instant(now + timedelta(seconds=2)), ends_at=instant(now + timedelta(minutes=20)),
        note=note).expect(201)
    future_slot = suite.slot()
    future = api.book(spot_id=area["spots"][1], note=note, **future_slot).expect(201)
    cancelled = api.book(spot_id=area["spots"][2], **suite.slot()).expect(201)
    api.delete(f"/v1/bookings/{cancelled.body['id']}", if_match=cancelled.etag).expect(200)
    time.sleep(2.5)
    api.post(f"/v1/bookings/{present.body['id']}/check-in").expect(200)
    api.post(f"/v1/bookings/{present.body['id']}/check-out").expect(200)

    # They may have it all before they go.
    export = api.get("/v1/me/export").expect(200)
    for word in (person["given_name"], person["email"], plate, note, present.body["id"], future.body["id"]):
        assert word in export.text, f"the export does not hold {word}"
    event = created_event(suite, slug, future.body["id"])
    assert event["actor_id"] == person["id"] and event["after"]["note"] == note
    before = totals(suite, slug, area["site_id"], day["start"], day["end"])
    before_future = totals(suite, slug, area["site_id"], future_slot["starts_at"], future_slot["ends_at"])
    assert before["bookings"] >= 1 and before_future["bookings"] >= 1
    # The search itself finds what does stand there.
    site_name = suite.as_role(slug, "Admin").get(f"/v1/sites/{area['site_id']}").expect(200).body["name"]
    assert found_in(schema_dump(suite, "booking"), [site_name]), "the search does not even find the site's name"
    assert [place for place, _ in search_everywhere(suite, [site_name]) if place.startswith("pg/")], "nor in data files and WAL"
    # At rest nothing was ever readable.
    assert search_everywhere(suite, words) == []

    erasure = erase(suite, slug, person["id"])
    assert erasure["pending"] == []

    assert search_everywhere(suite, words) == []
    assert totals(suite, slug, area["site_id"], day["start"], day["end"]) == before
    assert totals(suite, slug, area["site_id"], future_slot["starts_at"], future_slot["ends_at"])["bookings"] == before_future["bookings"]

    # Nothing is left to act with, and nothing to see.
    wait_for(lambda: api.get("/v1/whoami").status == 401, 2, "the refusal of the erased person's token")
    admin = suite.as_role(slug, "Admin")
    assert admin.get("/v1/people", params={"email": person["email"]}).expect(200).body["items"] == []
    reply = admin.get(f"/v1/people/{person['id']}")
    assert reply.status == 404 or (reply.status == 200 and reply.body["status"] == "erased" and not found_in(reply.text.encode(), words))
    with pytest.raises(berth_flow.FlowError):
        suite.sign_in_person(person)
    stay = admin.get(f"/v1/bookings/{future.body['id']}").expect(200).body
    assert stay["status"] == "cancelled" and stay["person_id"] is None and stay["note"] is None
    past = admin.get(f"/v1/bookings/{present.body['id']}").expect(200).body
    assert past["status"] == "completed" and past["person_id"] is None and past["note"] is None

    # The trail still says that it happened, under the same leaf, and no longer what.
    left = created_event(suite, slug, future.body["id"])
    assert (left["leaf_index"], left["leaf_hash"]) == (event["leaf_index"], event["leaf_hash"])
    assert left["erased"] and left["before"] is None and left["after"] is None
    assert not found_in(str(suite.events(slug, limit=200)).encode(), words)

    # Asking again changes nothing.
    again = admin.delete(f"/v1/people/{person['id']}")
    assert again.status in (200, 404)


def test_a_person_erases_themselves(suite, slug):
    person = suite.new_person(slug)
    api = suite.api(suite.sign_in_person(person))
    erasure = api.delete("/v1/me").expect(200, 202).body
    admin = suite.as_role(slug, "Admin")
    wait_for(lambda: admin.get(f"/v1/erasures/{erasure['id']}").expect(200).body["status"] == "completed", 30, "the erasure")
    wait_for(lambda: api.get("/v1/whoami").status == 401, 2, "the refusal of the erased person's token")
    words = [person["given_name"], person["family_name"], person["email"]]
    assert search_everywhere(suite, words, data_files=False) == []


def test_a_person_of_another_tenant_cannot_be_erased(suite, slug, other_slug):
    stranger = suite.person(other_slug, "User")
    suite.as_role(slug, "Admin").delete(f"/v1/people/{stranger['id']}").problem(404, "not_found")
    assert suite.as_role(other_slug, "User").get("/v1/me").expect(200).body["id"] == stranger["id"]
