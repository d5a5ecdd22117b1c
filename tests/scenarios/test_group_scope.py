# SPDX-License-Identifier: Apache-2.0
"""Roles granted for the people of a group: they reach whoever is in it now, and nobody else."""
import concurrent.futures
import secrets

import pytest

from berth_suite import wait_for
from test_grants import STAYS, access, grant, new_group, opened, places, signed_in  # noqa: F401

ORDER = 38


@pytest.fixture(scope="module")
def admin(suite, slug):
    return suite.as_role(slug, "Admin")


def set_members(api, group, *people):
    path = f"/v1/groups/{group['id']}"
    return api.patch(path, {"member_ids": [person["id"] for person in people]}, if_match=api.get(path).expect(200).etag)


def test_it_reaches_who_is_in_the_group_now_and_nobody_else(suite, slug, admin, places):  # noqa: F811
    holder, inside, outside = (suite.new_person(slug) for _ in range(3))
    group = new_group(admin, inside).expect(201).body
    made = grant(admin, "Reception", holder, scope="group", scope_id=group["id"]).expect(201).body
    assert (made["scope"], made["scope_id"]) == ("group", group["id"]) and "booking.manage" in made["permissions"]
    api = signed_in(suite, holder)
    for area in ("a", "c"):
        assert opened(suite, slug, api, inside, places[area]) == STAYS | {"list the person"}
    assert opened(suite, slug, api, outside, places["a"]) == set()
    api.get("/v1/bookings", params={"everyone": "true"}).problem(403, "forbidden", reason="booking.read_all")
    # The very next request knows who came and who left; the token is the same.
    set_members(admin, group, outside).expect(200)
    assert opened(suite, slug, api, outside, places["a"]) == STAYS | {"list the person"}
    assert opened(suite, slug, api, inside, places["a"]) == set()
    version = admin.get(f"/v1/grants/{made['id']}").etag
    admin.delete(f"/v1/grants/{made['id']}", if_match=version).expect(200)
    wait_for(lambda: api.get("/v1/whoami").status == 401, 1.5, "the end of the right")


def test_an_assistant_of_a_group_acts_for_its_people(suite, slug, admin, places):  # noqa: F811
    holder, inside, outside = (suite.new_person(slug) for _ in range(3))
    group = new_group(admin, inside).expect(201).body
    grant(admin, "Assistant", holder, scope="group", scope_id=group["id"]).expect(201)
    token = suite.sign_in_person(holder)
    assert opened(suite, slug, suite.api(token), inside, places["b"]) == STAYS | {"list the person"}
    wishes = [(person, suite.slot()) for person in (inside, outside) for _ in range(6)]
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda wish: suite.api(token).book(
            spot_id=places["a"]["spots"][0], for_person_id=wish[0]["id"], **wish[1]).status, wishes))
    assert answers == [201] * 6 + [403] * 6, "bookings that arrive together are judged alike"


def test_nobody_draws_people_within_reach_who_could_not_grant_it(suite, slug, admin):
    """Else whoever may change groups would give themselves, by a group, what they could not grant."""
    role = admin.post("/v1/roles", {"name": f"Role-{secrets.token_hex(4)}", "permissions": ["person.read", "person.manage", "profile.read"]}).expect(201).body
    clerk, victim, member = suite.new_person(slug, [role["name"]]), suite.new_person(slug), suite.new_person(slug)
    group = new_group(admin, member).expect(201).body
    grant(admin, "Reception", clerk, scope="group", scope_id=group["id"]).expect(201)
    api = signed_in(suite, clerk)
    set_members(api, group, member, victim).problem(403, "forbidden", "member_ids", "permission_exceeds_own")
    grant(api, "Reception", clerk, scope="group", scope_id=group["id"]).problem(403, "forbidden")
    set_members(api, group).expect(200)
    set_members(admin, group, victim).expect(200)


def test_a_group_is_kept_while_something_is_granted_for_its_people(suite, slug, admin):
    holder = suite.new_person(slug)
    group = new_group(admin).expect(201)
    made = grant(admin, "Reception", holder, scope="group", scope_id=group.body["id"]).expect(201)
    path = f"/v1/groups/{group.body['id']}"
    admin.delete(path, if_match=group.etag).problem(409, "conflict", reason="group_in_use")
    admin.delete(f"/v1/grants/{made.body['id']}", if_match=made.etag).expect(200)
    admin.delete(path, if_match=group.etag).expect(204)
    grant(admin, "Reception", holder, scope="group", scope_id=group.body["id"]).problem(404, "not_found", "scope_id")
    grant(admin, "Reception", holder, scope="group").problem(400, "bad_field", "scope_id", "scope_id_and_scope")
    grant(admin, "Auditor", holder, scope="group", scope_id=new_group(admin).expect(201).body["id"]).problem(
        400, "bad_field", "scope", "nothing_held_there")


def test_another_tenants_group_is_as_absent_as_any(suite, slug, admin):
    there = suite.tenant(1)["slug"]
    foreign = new_group(suite.as_role(there, "Admin")).expect(201).body["id"]
    grant(admin, "Reception", suite.new_person(slug), scope="group", scope_id=foreign).problem(404, "not_found", "scope_id")


def test_why_denied_knows_who_is_in_the_group(suite, slug, admin):
    holder, inside, outside = (suite.new_person(slug) for _ in range(3))
    group = new_group(admin, inside).expect(201).body
    grant(admin, "Reception", holder, scope="group", scope_id=group["id"]).expect(201)
    for about, allowed, rule in (({"for_person_id": inside["id"]}, True, None), ({"for_person_id": outside["id"]}, False, "held_elsewhere"), ({}, True, None)):
        verdict = access(admin, holder, "booking_create", **about).expect(200).body
        assert (verdict["allowed"], verdict.get("rule")) == (allowed, rule), f"{about}: {verdict}"


def test_who_is_erased_leaves_the_group(suite, slug, admin):
    holder, gone = suite.new_person(slug), suite.new_person(slug)
    group = new_group(admin, gone).expect(201).body
    grant(admin, "Reception", holder, scope="group", scope_id=group["id"]).expect(201)
    admin.delete(f"/v1/people/{gone['id']}").expect(200, 202)
    wait_for(lambda: admin.get(f"/v1/groups/{group['id']}").expect(200).body["member_ids"] == [], 30, "the erasure")
