# SPDX-License-Identifier: Apache-2.0
"""Roles and what they grant: built-in ones, who may give them, and who owns a tenant."""
import concurrent.futures

import pytest

from berth_suite import BUILT_IN, wait_for

ORDER = 34


@pytest.fixture(scope="module")
def own(suite):
    """A tenant of one's own: its slug."""
    return suite.new_tenant("roles")


def roles_of(api, person):
    return set(api.get(f"/v1/people/{person['id']}").expect(200).body["roles"])


def set_roles(api, person, *roles):
    etag = api.get(f"/v1/people/{person['id']}").expect(200).etag
    return api.patch(f"/v1/people/{person['id']}", {"roles": list(roles)}, if_match=etag)


def signed_in(suite, person):
    return suite.api(suite.sign_in_person(person))


def dead_within_a_second(api):
    wait_for(lambda: api.get("/v1/whoami").status == 401, 1.5, "the end of the old token")


def test_a_person_has_no_more_roles_than_a_token_holds(suite, slug):
    owner = signed_in(suite, suite.owner(slug))
    nine = [role for role in BUILT_IN if role != "Operator"]
    assert len(nine) == 9
    person = suite.new_person(slug)
    set_roles(owner, person, *nine).problem(400, "bad_field", "roles", "too_many_roles")
    assert roles_of(owner, person) == {"User"}
    owner.post("/v1/people", {"email": "nine@roles.example", "given_name": "N", "family_name": "N", "roles": nine}).problem(
        400, "bad_field", "roles", "too_many_roles")
    set_roles(owner, person, *nine[:8], nine[0]).expect(200)
    assert set(signed_in(suite, person).get("/v1/whoami").expect(200).body["roles"]) == set(nine[:8])


def test_nobody_gives_a_role_that_grants_more_than_they_have(suite, slug, admin):
    person, owner = suite.new_person(slug), signed_in(suite, suite.owner(slug))
    for role in ("Owner", "Operator"):
        set_roles(admin, person, role).problem(403, "forbidden", "roles", "role_exceeds_own")
    set_roles(owner, person, "Operator").problem(403, "forbidden", "roles", "role_exceeds_own")
    for role in ("Visitor", "Auditor", "DPO"):
        set_roles(admin, person, role).expect(200)
    set_roles(owner, person, "Owner").expect(200)


def test_an_admin_touches_no_owner(suite, slug, admin):
    owner = suite.owner(slug)
    other = suite.newcomer(slug, "Owner")
    record = admin.get(f"/v1/people/{other['id']}").expect(200)
    for change in ({"roles": ["User"]}, {"status": "suspended"}):
        admin.patch(f"/v1/people/{other['id']}", change, if_match=record.etag).problem(403, "forbidden", reason="role_exceeds_own")
    admin.delete(f"/v1/people/{other['id']}/factors").problem(403, "forbidden", reason="role_exceeds_own")
    admin.delete(f"/v1/people/{other['id']}").problem(403, "forbidden", reason="role_exceeds_own")
    invited = suite.invite(slug, "Owner", signed_in(suite, owner))
    again = {name: invited[name] for name in ("email", "given_name", "family_name")}
    admin.post("/v1/people", {**again, "roles": ["User"]}).problem(403, "forbidden", reason="role_exceeds_own")
    assert roles_of(admin, invited) == {"Owner"}
    # Another owner may.
    signed_in(suite, owner).delete(f"/v1/people/{other['id']}").expect(200, 202)


def test_a_tenant_is_taken_once_and_then_handed_over_by_its_owner(suite, own):
    admin = suite.as_role(own, "Admin")
    first, second, third = (suite.new_person(own) for _ in range(3))
    signed_in(suite, first).post("/v1/tenant/ownership", {"person_id": first["id"]}).problem(403, "forbidden", reason="tenant.manage")
    admin.post("/v1/tenant/ownership", {"person_id": suite.invite(own)["id"]}).problem(409, "conflict", "person_id", "person_not_active")
    admin.post("/v1/tenant/ownership", {"person_id": first["id"]}).expect(200)
    admin.post("/v1/tenant/ownership", {"person_id": second["id"]}).problem(403, "forbidden", reason="tenant.own")
    owner = signed_in(suite, first)
    owner.post("/v1/tenant/ownership", {"person_id": first["id"]}).problem(409, "conflict", "person_id", "already_owner")
    # The last one stays, whatever is tried.
    record = owner.get(f"/v1/people/{first['id']}").expect(200)
    for change in ({"roles": ["Admin"]}, {"status": "suspended"}):
        owner.patch(f"/v1/people/{first['id']}", change, if_match=record.etag).problem(409, "conflict", reason="last_owner")
    owner.delete("/v1/me").problem(409, "conflict", reason="last_admin")
    # Handed over: the one is an Admin from then on, within a second, and the other may hand it on.
    reply = owner.post("/v1/tenant/ownership", {"person_id": second["id"]}, key="hand-over").expect(200)
    assert set(reply.body["roles"]) == {"Owner", "User"} and roles_of(admin, first) == {"Admin", "User"}
    dead_within_a_second(owner)
    signed_in(suite, first).post("/v1/tenant/ownership", {"person_id": third["id"]}).problem(403, "forbidden", reason="tenant.own")
    for person in (first, second):
        wait_for(lambda person=person: any(event["action"] == "ownership.transfer" for event in suite.events(own, object_id=person["id"])),
                 20, "the event")
    owner = signed_in(suite, second)
    assert "tenant.own" in owner.get("/v1/whoami").expect(200).body["permissions"]
    owner.post("/v1/tenant/ownership", {"person_id": third["id"]}).expect(200)


def test_a_tenant_that_nobody_owns_gets_one_owner_whoever_is_first(suite):
    slug = suite.new_tenant("race")
    people = [suite.new_person(slug, "Admin") for _ in range(4)]
    apis = [signed_in(suite, person) for person in people]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: apis[n].post("/v1/tenant/ownership", {"person_id": people[n]["id"]}).status, range(4)))
    assert sorted(answers) == [200, 403, 403, 403]


def test_another_tenants_person_is_absent_as_an_owner(suite, own, other_slug):
    admin = suite.as_role(suite.new_tenant("alone"), "Admin")
    for person in (suite.person(other_slug, "User")["id"], "0192a3b4-c5d6-7e8f-8a9b-0c1d2e3f4a5b"):
        admin.post("/v1/tenant/ownership", {"person_id": person}).problem(404, "not_found")


def test_an_operator_sees_which_tenants_there_are_and_nothing_of_theirs(suite, slug, other_slug, own):
    person = suite.newcomer(slug, "Operator")
    api = signed_in(suite, person)
    found, cursor = [], None
    while True:
        page = api.get("/v1/platform/tenants", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).expect(200).body
        found += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert {slug, other_slug, own, person["slug"]} <= {tenant["slug"] for tenant in found}
    assert all(set(tenant) == {"id", "slug", "name", "locale", "created_at"} for tenant in found)
    for path in ("/v1/people", "/v1/bookings", "/v1/audit/events", "/v1/erasures", "/v1/tenant", "/v1/sites"):
        assert api.get(path).status == 403, path
    for other in ("Admin", "User"):
        suite.as_role(slug, other).get("/v1/platform/tenants").problem(403, "forbidden", reason="platform.operate")
