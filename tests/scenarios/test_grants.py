# SPDX-License-Identifier: Apache-2.0
"""Roles granted for a time, in one place, for a principal or to a group: what they open there, and that they open nothing else."""
import base64
import concurrent.futures
import json
import secrets
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest

from berth_flow import Authorization
from berth_suite import instant, wait_for

ORDER = 35
UNKNOWN = "0192a3b4-c5d6-7e8f-8a9b-0c1d2e3f4a5b"


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def signed_in(suite, person):
    return suite.api(suite.sign_in_person(person))


def permissions_of(api):
    return set(api.get("/v1/whoami").expect(200).body["permissions"])


def dead_within_a_second(api):
    wait_for(lambda: api.get("/v1/whoami").status == 401, 1.5, "the end of the old token")


def grant(api, role, person=None, group=None, scope=None, scope_id=None, **more):
    body = {"role": role, "reason": "stands in for somebody", **more}
    for name, value in (("person_id", person and person["id"]), ("group_id", group), ("scope", scope), ("scope_id", scope_id)):
        if value:
            body[name] = value
    return api.post("/v1/grants", body)


def new_group(api, *people):
    return api.post("/v1/groups", {"name": f"Group {secrets.token_hex(4)}", "member_ids": [person["id"] for person in people]})


@pytest.fixture(scope="module")
def places(suite, slug):
    """Two sites, the first with two areas, each area with two spots."""
    admin = suite.as_role(slug, "Admin")

    def area(site):
        made = admin.post("/v1/areas", {"site_id": site, "name": f"Area {secrets.token_hex(4)}"}).expect(201).body["id"]
        return {"id": made, "site": site, "spots": [admin.post("/v1/spots", {"area_id": made, "name": f"S{n}"}).expect(201).body["id"] for n in range(2)]}
    here, there = suite.new_site(slug), suite.new_site(slug)
    return {"here": here, "there": there, "a": area(here), "b": area(here), "c": area(there)}


def opened(suite, slug, api, peer, area):
    """What a holder may do with a peer's stays in the area: the names of it."""
    owner = signed_in(suite, peer)
    stay = owner.book(spot_id=area["spots"][0], **suite.slot()).expect(201)
    path, can = f"/v1/bookings/{stay.body['id']}", set()
    for what, reply in (
            ("read", api.get(path)), ("change", api.patch(path, {"note": "moved"}, if_match=stay.etag)),
            ("book a spot", api.book(spot_id=area["spots"][1], for_person_id=peer["id"], **suite.slot())),
            ("book in an area", api.book(area_id=area["id"], for_person_id=peer["id"], **suite.slot())),
            ("list the site", api.get("/v1/bookings", params={"everyone": "true", "site_id": area["site"]})),
            ("list the person", api.get("/v1/bookings", params={"person_id": peer["id"]}))):
        assert reply.status in (200, 201, 403, 404), f"{what}: {reply.status} {reply.text[:200]}"
        if reply.status in (200, 201):
            can.add(what)
    cancelled = api.delete(path, if_match=owner.get(path).etag)
    assert cancelled.status in (200, 403, 404)
    return can | ({"cancel"} if cancelled.status == 200 else set())


STAYS = {"read", "change", "book a spot", "book in an area", "cancel"}


def test_a_reception_of_one_site_acts_there_and_nowhere_else(suite, slug, admin, places):
    person, peer = suite.new_person(slug), suite.new_person(slug)
    before = signed_in(suite, person)
    assert opened(suite, slug, before, peer, places["a"]) == set()
    made = grant(admin, "Reception", person, scope="site", scope_id=places["here"]).expect(201).body
    assert set(made["permissions"]) == {"booking.manage", "booking.read_all"} and made["status"] == "active"
    assert opened(suite, slug, before, peer, places["a"]) == set(), "a right is added with the next token"
    api = signed_in(suite, person)
    assert opened(suite, slug, api, peer, places["a"]) == STAYS | {"list the site"}
    assert opened(suite, slug, api, peer, places["b"]) == STAYS | {"list the site"}
    assert opened(suite, slug, api, peer, places["c"]) == set()
    api.get("/v1/bookings", params={"everyone": "true"}).problem(403, "forbidden", reason="booking.read_all")
    api.get("/v1/people").problem(403, "forbidden", reason="person.read")
    assert permissions_of(api) == permissions_of(before)


def test_a_reception_of_one_area_acts_in_that_area_alone(suite, slug, admin, places):
    person, peer = suite.new_person(slug), suite.new_person(slug)
    grant(admin, "Reception", person, scope="area", scope_id=places["a"]["id"]).expect(201)
    api = signed_in(suite, person)
    assert opened(suite, slug, api, peer, places["a"]) == STAYS
    assert opened(suite, slug, api, peer, places["b"]) == set()
    assert opened(suite, slug, api, peer, places["c"]) == set()


def test_an_assistant_of_one_principal_acts_for_that_person_alone(suite, slug, admin, places):
    person, peer, other = suite.new_person(slug), suite.new_person(slug), suite.new_person(slug)
    grant(admin, "Assistant", person, scope="principal", scope_id=peer["id"]).expect(201)
    api = signed_in(suite, person)
    for area in ("a", "c"):
        assert opened(suite, slug, api, peer, places[area]) == STAYS | {"list the person"}
    assert opened(suite, slug, api, other, places["a"]) == set()


def test_many_at_once_are_judged_by_their_places_too(suite, slug, admin, places):
    """Bookings that arrive together take another way through the service."""
    person, peers = suite.new_person(slug), [suite.new_person(slug) for _ in range(6)]
    grant(admin, "Reception", person, scope="site", scope_id=places["here"]).expect(201)
    token = suite.sign_in_person(person)
    wishes = [(area, peer, suite.slot()) for area in ("a", "c") for peer in peers]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda wish: (wish[0], suite.api(token).book(
            spot_id=places[wish[0]]["spots"][0], for_person_id=wish[1]["id"], **wish[2]).status), wishes))
    assert set(answers) == {("a", 201), ("c", 403)}


def test_who_manages_one_site_changes_its_areas_and_spots_and_no_others(suite, slug, admin, places):
    person = suite.new_person(slug)
    grant(admin, "Admin", person, scope="site", scope_id=places["here"]).expect(201)
    api = signed_in(suite, person)

    def tries(site, area):
        for path in (f"/v1/sites/{site}", f"/v1/areas/{area['id']}", f"/v1/spots/{area['spots'][1]}"):
            etag = admin.get(path).expect(200).etag
            yield api.patch(path, {"name": f"Name {secrets.token_hex(4)}"}, if_match=etag)
        yield api.post("/v1/areas", {"site_id": site, "name": f"Area {secrets.token_hex(4)}"})
        yield api.post("/v1/spots", {"area_id": area["id"], "name": f"S{secrets.token_hex(4)}"})
    assert {reply.status for reply in tries(places["here"], places["a"])} == {200, 201}
    for reply in tries(places["there"], places["c"]):
        reply.problem(403, "forbidden", reason="site.manage")
    api.post("/v1/sites", {"name": "x", "time_zone": "Europe/Paris"}).problem(403, "forbidden", reason="site.manage")
    api.get("/v1/sites/" + UNKNOWN).problem(404, "not_found")
    for method, path in (("GET", "/v1/people"), ("GET", "/v1/audit/events"), ("GET", "/v1/clients"), ("POST", "/v1/grants"), ("PATCH", "/v1/tenant")):
        assert api.call(method, path, {} if method != "GET" else None, if_match='"1"').status == 403, path


def test_who_holds_a_right_for_a_time_gives_it_for_no_longer(suite):
    """An Admin for an hour does not make one for good, of themselves or of others, by any way."""
    slug = suite.new_tenant("hour")
    boss = suite.as_role(slug, "Admin")
    stand_in, other = suite.new_person(slug), suite.new_person(slug)
    held = boss.post("/v1/groups", {"name": "Office"}).expect(201)
    boss.post("/v1/grants", {"role": "Admin", "group_id": held.body["id"], "reason": "the office"}).expect(201)
    boss.post("/v1/grants", {"role": "Admin", "person_id": stand_in["id"], "reason": "holidays", "ends_at": later(hours=1)}).expect(201)
    admin = suite.api(suite.sign_in_person(stand_in))

    def patch(path, body):
        return admin.patch(path, body, if_match=admin.get(path).expect(200).etag)

    for person in (stand_in, other):
        for roles in (["User", "Admin"], ["User", "Reception"]):
            patch(f"/v1/people/{person['id']}", {"roles": roles}).problem(403, "forbidden", "roles", "held_for_a_time")
            admin.post(f"/v1/people/{person['id']}/roles/preview", {"roles": roles}).problem(403, "forbidden", "roles", "held_for_a_time")
        for more in ({}, {"ends_at": later(hours=2)}):
            wish = {"role": "Admin", "person_id": person["id"], "reason": "longer", **more}
            admin.post("/v1/grants", wish).problem(403, "forbidden", "roles", "held_for_a_time")
    about = {"given_name": "A", "family_name": "B", "roles": ["Admin"]}
    admin.post("/v1/people", {**about, "email": f"new@{slug}.example"}).problem(403, "forbidden", "roles", "held_for_a_time")
    patch(f"/v1/groups/{held.body['id']}", {"member_ids": [stand_in["id"]]}).problem(403, "forbidden", "roles", "held_for_a_time")
    client = {"name": "Mine", "kind": "confidential", "grants": ["client_credentials"], "permissions": ["person.manage"]}
    admin.post("/v1/clients", client).problem(403, "forbidden", "roles", "held_for_a_time")
    lure = {"name": "Lure", "kind": "public", "redirect_uris": ["https://lure.example/back"]}
    admin.post("/v1/clients", lure).problem(403, "forbidden", "roles", "held_for_a_time")
    admin.post("/v1/tenant/ownership", {"person_id": stand_in["id"]}).problem(403, "forbidden", "roles", "held_for_a_time")
    own = boss.post("/v1/roles", {"name": "Own", "permissions": ["site.read"]}).expect(201).body
    patch(f"/v1/people/{other['id']}", {"roles": ["User", "Own"]}).expect(200)
    patch(f"/v1/roles/{own['id']}", {"permissions": ["site.read", "person.manage"]}).problem(403, "forbidden", "roles", "held_for_a_time")
    # Taking away, and giving for as long, are theirs.
    admin.post("/v1/grants", {"role": "Reception", "person_id": other["id"], "reason": "the same hour", "ends_at": later(minutes=30)}).expect(201)
    patch(f"/v1/people/{other['id']}", {"roles": ["User"]}).expect(200)
    patch(f"/v1/groups/{held.body['id']}", {"name": "Offices"}).expect(200)


def test_a_grant_ends_with_its_time_and_no_token_outlives_it(suite, slug, admin):
    person = suite.new_person(slug)
    ends = datetime.now(timezone.utc) + timedelta(seconds=6)
    made = grant(admin, "Auditor", person, ends_at=ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ")).expect(201).body
    answer = suite.sign_in(slug, person["email"], person["password"])
    api = suite.api(answer["access_token"])
    assert "audit.read" in permissions_of(api)
    assert claims(answer["access_token"])["exp"] <= ends.timestamp() and answer["expires_in"] <= 6
    wait_for(lambda: time.time() > ends.timestamp(), 10, "the end")
    api.get("/v1/audit/events").problem(401, "token_expired")
    later = suite.sign_in(slug, person["email"], person["password"])
    assert "audit.read" not in permissions_of(suite.api(later["access_token"])) and later["expires_in"] > 500
    assert admin.get(f"/v1/grants/{made['id']}").expect(200).body["status"] == "ended"
    admin.delete(f"/v1/grants/{made['id']}", if_match='"1"').problem(409, "conflict", reason="grant_over")


def test_a_grant_that_begins_later_opens_nothing_yet(suite, slug, admin):
    person = suite.new_person(slug)
    tomorrow = instant(datetime.now(timezone.utc) + timedelta(days=1))
    grant(admin, "Auditor", person, starts_at=tomorrow).expect(201)
    answer = suite.sign_in(slug, person["email"], person["password"])
    assert "audit.read" not in permissions_of(suite.api(answer["access_token"])) and answer["expires_in"] > 500


def test_a_revoked_grant_is_gone_within_a_second(suite, slug, admin):
    person = suite.new_person(slug)
    made = grant(admin, "Auditor", person).expect(201)
    api = signed_in(suite, person)
    assert "audit.read" in permissions_of(api)
    path = f"/v1/grants/{made.body['id']}"
    admin.delete(path, if_match='"7"').problem(412, "version_stale")
    gone = admin.delete(path, if_match=made.etag).expect(200).body
    assert gone["status"] == "revoked" and gone["decided_by"] == suite.person(slug, "Admin")["id"]
    dead_within_a_second(api)
    assert "audit.read" not in permissions_of(signed_in(suite, person))
    admin.delete(path, if_match='"2"').problem(409, "conflict", reason="grant_over")
    events = wait_for(lambda: len(found := suite.events(slug, object_id=made.body["id"])) == 2 and found, 20, "the events")
    assert {event["action"] for event in events} == {"role_grant.create", "role_grant.revoke"}


def test_no_token_that_is_made_meanwhile_keeps_a_revoked_grant(suite, slug, admin):
    people = [suite.new_person(slug) for _ in range(6)]
    group = new_group(admin, *people).expect(201)
    made = grant(admin, "Auditor", group=group.body["id"]).expect(201)
    tokens, stop = [], threading.Event()

    def keep_signing_in(person):
        while not stop.is_set():
            tokens.append(suite.sign_in_person(person))
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        runs = [pool.submit(keep_signing_in, person) for person in people]
        wait_for(lambda: len(tokens) >= 12, 60, "tokens")
        admin.delete(f"/v1/grants/{made.body['id']}", if_match=made.etag).expect(200)
        seen = len(tokens)
        wait_for(lambda: len(tokens) >= seen + 12, 60, "more tokens")
        stop.set()
        for run in runs:
            run.result()
    for token in tokens:
        wait_for(lambda token=token: suite.api(token).get("/v1/audit/events").status in (401, 403), 3, "the end of the right")


def test_a_group_gives_its_members_what_it_is_granted_and_takes_it_when_they_leave(suite, slug, admin):
    stays, leaves, comes = (suite.new_person(slug) for _ in range(3))
    group = new_group(admin, stays, leaves).expect(201)
    path = f"/v1/groups/{group.body['id']}"
    made = grant(admin, "Auditor", group=group.body["id"]).expect(201)
    first, second = signed_in(suite, stays), signed_in(suite, leaves)
    assert "audit.read" in permissions_of(first) & permissions_of(second)
    changed = admin.patch(path, {"member_ids": [stays["id"], comes["id"], comes["id"]]}, if_match=group.etag).expect(200)
    assert set(changed.body["member_ids"]) == {stays["id"], comes["id"]}
    dead_within_a_second(second)
    assert "audit.read" in permissions_of(first)
    assert "audit.read" in permissions_of(signed_in(suite, comes)) and "audit.read" not in permissions_of(signed_in(suite, leaves))
    admin.delete(path, if_match=changed.etag).problem(409, "conflict", reason="group_in_use")
    admin.delete(f"/v1/grants/{made.body['id']}", if_match=made.etag).expect(200)
    dead_within_a_second(first)
    admin.delete(path, if_match=changed.etag).expect(204)
    admin.get(path).problem(404, "not_found")


def test_groups_are_refused_what_people_are(suite, slug, other_slug, admin):
    stranger = suite.new_person(other_slug)
    new_group(admin, stranger).problem(404, "not_found", "member_ids")
    group = new_group(admin).expect(201)
    admin.patch(f"/v1/groups/{group.body['id']}", {"member_ids": [UNKNOWN]}, if_match=group.etag).problem(404, "not_found", "member_ids")
    admin.post("/v1/groups", {"name": group.body["name"]}).problem(409, "conflict", "name", "name_taken")
    assert group.body["id"] not in suite.as_role(other_slug, "Admin").get("/v1/groups", params={"limit": 200}).text
    # An Admin puts nobody into a group that holds more than an Admin may.
    owner = signed_in(suite, suite.owner(slug))
    strong = owner.post("/v1/roles", {"name": f"Role-{secrets.token_hex(4)}", "permissions": ["tenant.own"]}).expect(201).body["name"]
    made = grant(owner, strong, group=group.body["id"]).expect(201)
    body = {"member_ids": [suite.new_person(slug)["id"]]}
    admin.patch(f"/v1/groups/{group.body['id']}", body, if_match=group.etag).problem(403, "forbidden", reason="role_exceeds_own")
    admin.delete(f"/v1/grants/{made.body['id']}", if_match=made.etag).problem(403, "forbidden", reason="role_exceeds_own")
    owner.patch(f"/v1/groups/{group.body['id']}", body, if_match=group.etag).expect(200)
    owner.delete(f"/v1/grants/{made.body['id']}", if_match=made.etag).expect(200)


def later(**delta):
    return instant(datetime.now(timezone.utc) + timedelta(**delta))


BAD_GRANTS = {
    "nobody": (lambda who, there: {"role": "Auditor"}, 400, "person_id", "exactly_one"),
    "a person and a group": (lambda who, there: {"role": "Auditor", "person_id": who, "group_id": UNKNOWN}, 400, "person_id", "exactly_one"),
    "a role that there is not": (lambda who, there: {"role": "Nobody", "person_id": who}, 400, "roles", "unknown_role"),
    "a role above oneself": (lambda who, there: {"role": "Operator", "person_id": who}, 403, "roles", "role_exceeds_own"),
    "the tenant itself": (lambda who, there: {"role": "Owner", "person_id": who}, 400, "role", "role_not_grantable"),
    "a site without its id": (lambda who, there: {"role": "Reception", "person_id": who, "scope": "site"}, 400, "scope_id", "scope_id_and_scope"),
    "everywhere with an id": (lambda who, there: {"role": "Reception", "person_id": who, "scope_id": UNKNOWN}, 400, "scope_id", "scope_id_and_scope"),
    "what is of no place": (lambda who, there: {"role": "Auditor", "person_id": who, "scope": "site", "scope_id": UNKNOWN}, 400, "scope", "nothing_held_there"),
    "an absent person": (lambda who, there: {"role": "Auditor", "person_id": UNKNOWN}, 404, "person_id", None),
    "another tenant's person": (lambda who, there: {"role": "Auditor", "person_id": there}, 404, "person_id", None),
    "an absent group": (lambda who, there: {"role": "Auditor", "group_id": UNKNOWN}, 404, "group_id", None),
    "another tenant's principal": (lambda who, there: {"role": "Assistant", "person_id": who, "scope": "principal", "scope_id": there}, 404, "scope_id", None),
    "an end in the past": (lambda who, there: {"role": "Auditor", "person_id": who, "ends_at": later(days=-1)}, 400, "ends_at", "ends_before_start"),
    "an end before the start": (lambda who, there: {"role": "Auditor", "person_id": who, "starts_at": later(days=2), "ends_at": later(days=1)}, 400, "ends_at", "ends_before_start"),
    "more than a year": (lambda who, there: {"role": "Auditor", "person_id": who, "ends_at": later(days=400)}, 400, "ends_at", "too_long"),
    "a start in two years": (lambda who, there: {"role": "Auditor", "person_id": who, "starts_at": later(days=700)}, 400, "starts_at", "too_far"),
}


@pytest.mark.parametrize("body, status, field, reason", BAD_GRANTS.values(), ids=BAD_GRANTS.keys())
def test_a_grant_is_refused_for(suite, slug, other_slug, admin, body, status, field, reason):
    person = suite.person(slug, "User")["id"]
    reply = admin.post("/v1/grants", {**body(person, suite.person(other_slug, "User")["id"]), "reason": "to be refused"}).expect(status)
    assert reply.body["field"] == field and reply.body.get("reason") == reason


def test_a_client_grants_nothing(suite, slug):
    client = suite.tenants[slug]["client"]
    made = suite.as_role(slug, "Admin").post("/v1/clients", {
        "name": "Grants", "kind": "confidential", "grants": ["client_credentials"], "permissions": ["person.manage", "audit.read"]}).expect(201).body
    reply = suite.api().call("POST", "/oauth2/token", key=None, data={"grant_type": "client_credentials", "client_id": made["id"], "client_secret": made["secret"]})
    api = suite.api(reply.expect(200).body["access_token"])
    grant(api, "Auditor", {"id": suite.person(slug, "User")["id"]}).problem(403, "forbidden", reason="person_required")
    assert client


def test_a_person_or_group_has_at_most_thirty_two_grants(suite, slug, admin):
    person = suite.new_person(slug)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: grant(admin, "Auditor", person).status, range(36)))
    assert answers.count(201) == 32 and answers.count(409) == 4
    assert "audit.read" in permissions_of(signed_in(suite, person))


def test_a_token_holds_eight_places_and_leaves_the_others_out(suite, slug, admin, places):
    person = suite.new_person(slug)
    for _ in range(8):
        grant(admin, "Reception", person, scope="site", scope_id=suite.new_site(slug)).expect(201)
    grant(admin, "Reception", person, scope="site", scope_id=places["here"]).expect(201)
    token = suite.sign_in_person(person)
    assert len(claims(token)["grants"]) == 8
    assert opened(suite, slug, suite.api(token), suite.new_person(slug), places["a"]) == set()


def test_an_export_tells_of_grants_and_an_erasure_takes_them(suite, slug, admin):
    person, principal = suite.new_person(slug), suite.new_person(slug)
    canary = f"Canary{secrets.token_hex(6)}"
    group = new_group(admin, person).expect(201).body
    made = admin.post("/v1/grants", {"role": "Auditor", "person_id": person["id"], "reason": canary}).expect(201).body
    over = grant(admin, "Assistant", {"id": suite.person(slug, "User")["id"]}, scope="principal", scope_id=principal["id"]).expect(201).body
    export = signed_in(suite, person).get("/v1/me/export").expect(200).text
    assert canary in export and group["name"] in export and made["id"] in export
    assert not suite.sql("select 1 from auth.role_grant where position(%s in reason) > 0", canary.encode())
    assert made in admin.get("/v1/grants", params={"person_id": person["id"]}).expect(200).body["items"]
    for who in (person, principal):
        admin.delete(f"/v1/people/{who['id']}").expect(200, 202)
    wait_for(lambda: admin.get(f"/v1/grants/{made['id']}").status == 404, 30, "the erasure")
    wait_for(lambda: admin.get(f"/v1/grants/{over['id']}").status == 404, 30, "the erasure of the principal")
    assert admin.get(f"/v1/groups/{group['id']}").expect(200).body["member_ids"] == []


def test_a_suspended_group_member_or_an_absent_group_gives_nothing_to_others(suite, slug, other_slug, admin):
    """Grants of one tenant are nobody's in another."""
    person = suite.new_person(slug)
    made = grant(admin, "Auditor", person).expect(201)
    other = suite.as_role(other_slug, "Admin")
    other.get(f"/v1/grants/{made.body['id']}").problem(404, "not_found")
    other.delete(f"/v1/grants/{made.body['id']}", if_match=made.etag).problem(404, "not_found")
    assert made.body["id"] not in other.get("/v1/grants", params={"limit": 200}).expect(200).text


def test_an_end_is_kept_for_ninety_days(suite, slug, admin):
    person = suite.new_person(slug)
    old, recent = (grant(admin, "Auditor", person).expect(201) for _ in range(2))
    for made, days in ((old, 91), (recent, 89)):
        admin.delete(f"/v1/grants/{made.body['id']}", if_match=made.etag).expect(200)
        suite.sql("update auth.role_grant set over_at = now() - %s * interval '1 day' where public_id = %s", days, made.body["id"])
    suite.sql("update gdpr.retention_run set last_run_at = now() - interval '1 year', retry_at = null, claimed_until = null")
    wait_for(lambda: admin.get(f"/v1/grants/{old.body['id']}").status == 404, 60, "the sweep")
    admin.get(f"/v1/grants/{recent.body['id']}").expect(200)


# -- why somebody may, or may not

def access(api, person, operation=None, **about):
    return api.get(f"/v1/people/{person['id']}/access", params={**({"operation": operation} if operation else {}), **about})


def test_why_denied_names_the_rule_and_the_roles_that_would_allow_it(suite, slug, admin, places):
    person = suite.new_person(slug, "Visitor")
    verdict = access(admin, person, "booking_create").expect(200).body
    assert verdict["allowed"] is False and (verdict["rule"], verdict["permission"]) == ("permission_missing", "booking.create")
    assert {"User", "Reception", "Admin"} <= set(verdict["would_allow"]) and "Auditor" not in verdict["would_allow"] and verdict["granted_by"] == []
    verdict = access(admin, person, "booking_list").expect(200).body
    assert verdict["allowed"] is True and verdict["granted_by"] == ["Visitor"]
    role = admin.post("/v1/roles", {"name": f"Role-{secrets.token_hex(4)}", "permissions": ["booking.create"]}).expect(201).body["name"]
    assert role in access(admin, person, "booking_create").body["would_allow"]
    grant(admin, role, person).expect(201)
    assert access(admin, person, "booking_create").body["granted_by"] == [role]
    assert access(admin, person, "whoami_read").body["allowed"] is True
    assert access(admin, person, "no_such_operation").problem(400, "bad_field", "operation", "unknown_operation")
    assert access(admin, person, "people_exist").status == 400, "what only services ask of each other is no operation of the API"
    assert access(admin, {"id": UNKNOWN}, "booking_create").status == 404


def test_why_denied_knows_what_the_application_was_not_given(suite, slug, admin, places):
    person = suite.new_person(slug)
    grant(admin, "Admin", person, scope="site", scope_id=places["here"]).expect(201)
    client = suite.tenants[slug]["client"]
    flow = Authorization(suite.info, client, scope="openid profile.read booking.read site.manage")
    tokens = flow.exchange(flow.code(person["email"], person["password"])["code"]).json()
    api = suite.api(tokens["access_token"])
    for operation, about, allowed, rule in (
            ("booking_list", {}, True, None), ("booking_create", {}, False, "not_in_token"), ("person_list", {}, False, "permission_missing"),
            ("area_create", {"site_id": places["here"]}, True, None), ("site_list", {}, False, "not_in_token")):
        verdict = api.get("/v1/me/access", params={"operation": operation, **about}).expect(200).body
        assert (verdict["allowed"], verdict.get("rule")) == (allowed, rule), f"{operation}: {verdict}"
    assert access(admin, person, "booking_create").body["allowed"], "of others it tells what they may"
    api.get("/v1/bookings").expect(200)
    api.book(spot_id=UNKNOWN, **suite.slot()).problem(403, "forbidden", reason="booking.create")


def test_why_denied_tells_the_state_of_the_person_first(suite, slug, admin):
    invited = suite.invite(slug)
    assert access(admin, invited).expect(200).body["rule"] == "person_invited"
    person = suite.new_person(slug)
    assert access(admin, person).body["allowed"] is True
    admin.patch(f"/v1/people/{person['id']}", {"status": "suspended"}, if_match=admin.get(f"/v1/people/{person['id']}").etag).expect(200)
    assert access(admin, person, "booking_create").body["rule"] == "person_suspended"


def test_why_denied_knows_places_and_principals(suite, slug, admin, places):
    person, peer = suite.new_person(slug), suite.new_person(slug)
    grant(admin, "Admin", person, scope="site", scope_id=places["here"]).expect(201)
    grant(admin, "Assistant", person, scope="principal", scope_id=peer["id"]).expect(201)
    for operation, about, allowed, rule in (
            ("area_create", {"site_id": places["here"]}, True, None), ("area_create", {"site_id": places["there"]}, False, "held_elsewhere"),
            ("area_create", {}, False, "held_elsewhere"), ("site_create", {"site_id": places["here"]}, False, "permission_missing"),
            ("booking_create", {"for_person_id": peer["id"]}, True, None), ("booking_create", {"for_person_id": person["id"]}, True, None),
            ("booking_create", {"for_person_id": UNKNOWN, "site_id": places["here"]}, True, None),
            ("booking_create", {"for_person_id": UNKNOWN, "site_id": places["there"]}, False, "held_elsewhere"),
            ("person_list", {"site_id": places["here"]}, False, "permission_missing")):
        verdict = access(admin, person, operation, **about).expect(200).body
        assert (verdict["allowed"], verdict.get("rule")) == (allowed, rule), f"{operation} {about}: {verdict}"
    assistant = suite.person(slug, "Assistant")
    assert access(admin, assistant, "booking_create", for_person_id=UNKNOWN).body["rule"] == "delegation_needed"
    mine = signed_in(suite, person).get("/v1/me/access", params={"operation": "area_create", "site_id": places["there"]}).expect(200).body
    assert mine["rule"] == "held_elsewhere"


@pytest.mark.parametrize("role", ["Admin", "Reception", "Security", "Assistant", "User", "Visitor", "Auditor", "DPO"])
def test_the_verdict_is_what_the_gateway_says(suite, slug, admin, role):
    """For every operation of the API: allowed here, and no 403 for the permission there; or the other way round."""
    person = suite.new_person(slug, role)
    granted = permissions_of(signed_in(suite, person))
    document = suite.api().get("/openapi.json").expect(200).body
    tried = 0
    for methods in document["paths"].values():
        for operation in methods.values():
            permission = isinstance(operation, dict) and operation.get("x-berth-permission")
            if not permission or permission in ("public", "self"):
                continue
            verdict = access(admin, person, operation["operationId"]).expect(200).body
            assert verdict["allowed"] == (permission in granted) and verdict["permission"] == permission, operation["operationId"]
            tried += 1
    assert tried >= 60
