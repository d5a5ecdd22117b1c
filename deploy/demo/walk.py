# SPDX-License-Identifier: Apache-2.0
"""Walks the main job once against the public URL, a line for each step: walk.py RUN_DIR"""

import os
import secrets
import sys
import time
from datetime import datetime, timedelta, timezone

import api
import invitation

AUDIT_SECONDS = 20
ERASURE_SECONDS = 30
STAY = timedelta(hours=1)
DAYS_TRIED = 30


def signed_in(suite, tenant, role):
    person = next(person for person in tenant["people"] if person["role"] == role)
    return api.Api(suite, api.sign_in(suite, tenant["client"], person["email"], person["password"])), person


def instant(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def free_stay(user, tenant):
    """The first free hour of a spot, at ten o'clock UTC of one of the coming days."""
    day = datetime.now(timezone.utc).replace(hour=10, minute=0, second=0, microsecond=0)
    for _ in range(DAYS_TRIED):
        day += timedelta(days=1)
        stay = {"starts_at": instant(day), "ends_at": instant(day + STAY)}
        found = user.get("/v1/availability", site_id=tenant["site_id"], area_id=tenant["area_id"], **stay)
        for spot in found["areas"][0]["spots"]:
            if spot["free"]:
                return {"spot_id": spot["id"], **stay}
    raise api.Failure(f"no spot of {tenant['slug']} is free at ten o'clock in the next {DAYS_TRIED} days")


def event_of(admin, booking):
    items = admin.get("/v1/audit/events", object_id=booking["id"])["items"]
    return next((event for event in items if event["action"] == "booking.create"), None)


def erase_somebody(suite, admin, tenant):
    person = {"email": f"walk-{secrets.token_hex(6)}@{tenant['slug']}.example", "given_name": "Throw", "family_name": "Away",
              "locale": "en"}
    person["id"] = invitation.invite(admin, person, "User")["id"]
    invitation.accept(suite, person["email"], secrets.token_urlsafe(18))
    api.say("invited a throw-away person, who accepted with the link of the mail")
    erasure = admin.call("DELETE", f"/v1/people/{person['id']}").json()
    if erasure["status"] != "completed":
        erasure = api.poll(ERASURE_SECONDS, "the erasure", lambda: completed(admin, erasure["id"]))
    if invitation.find(admin, person["email"]):
        raise api.Failure("the erased person is still found by address")
    api.say(f"erased that person everywhere: receipt {erasure['id']}")


def completed(admin, erasure_id):
    erasure = admin.get(f"/v1/erasures/{erasure_id}")
    return erasure if erasure["status"] == "completed" else None


def walk(run_dir, suite):
    tenant = api.read_json(os.path.join(run_dir, "demo.json"))["tenants"][0]
    started = time.monotonic()
    user, person = signed_in(suite, tenant, "User")
    api.say(f"signed in {person['email']} by the authorization code flow with PKCE")
    stay = free_stay(user, tenant)
    booking = user.call("POST", "/v1/bookings", stay)
    etag, booking = booking.headers["ETag"], booking.json()
    api.say(f"booked a spot from {booking['starts_at']} to {booking['ends_at']}: {booking['id']}")
    admin, _ = signed_in(suite, tenant, "Admin")
    event = api.poll(AUDIT_SECONDS, "the booking in the audit trail", lambda: event_of(admin, booking))
    if event["actor_id"] != person["id"]:
        raise api.Failure(f"the audit trail names {event['actor_id']} instead of {person['id']}")
    api.say(f"saw it in the audit trail, with who did it: leaf {event['leaf_index']}")
    user.call("DELETE", f"/v1/bookings/{booking['id']}", if_match=etag)
    api.say("cancelled it again")
    erase_somebody(suite, admin, tenant)
    api.say(f"all of it in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    api.run(walk)
