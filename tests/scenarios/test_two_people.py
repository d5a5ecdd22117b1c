# SPDX-License-Identifier: Apache-2.0
"""The two-person rule: where a tenant has it, nobody alone gives a weighty right, to others or by a detour to oneself."""
import secrets
from datetime import datetime, timedelta, timezone

import pytest

from berth_suite import instant, wait_for

ORDER = 36


def signed_in(suite, person):
    return suite.api(suite.sign_in_person(person))


def permissions_of(api):
    return set(api.get("/v1/whoami").expect(200).body["permissions"])


def set_roles(api, person, *roles):
    return api.patch(f"/v1/people/{person['id']}", {"roles": list(roles)}, if_match=api.get(f"/v1/people/{person['id']}").expect(200).etag)


def set_rule(api, on):
    return api.patch("/v1/tenant", {"two_person_rule": on}, if_match=api.get("/v1/tenant").expect(200).etag)


def grant(api, role, person=None, **more):
    return api.post("/v1/grants", {"role": role, "reason": "two of us", **({"person_id": person["id"]} if person else {}), **more})


def decide(api, made, what="approve"):
    return api.post(f"/v1/grants/{made.body['id']}/{what}")


class Tenant:
    """A tenant with the rule, and three Admins."""

    def __init__(self, suite):
        self.suite, self.slug = suite, suite.new_tenant("two")
        self.first = suite.as_role(self.slug, "Admin")
        self.people = [suite.new_person(self.slug, "Admin") for _ in range(2)]
        self.second, self.third = (signed_in(suite, person) for person in self.people)
        assert set_rule(self.first, True).expect(200).body["two_person_rule"] is True

    def person(self, role="User"):
        return self.suite.new_person(self.slug, role)


@pytest.fixture(scope="module")
def two(suite):
    return Tenant(suite)


def test_the_rule_takes_two_admins_to_begin_and_keeps_them(suite):
    slug = suite.new_tenant("begin")
    admin = suite.as_role(slug, "Admin")
    assert admin.get("/v1/tenant").expect(200).body["two_person_rule"] is False
    set_rule(admin, True).problem(409, "conflict", "two_person_rule", "second_admin")
    person = suite.new_person(slug, "Admin")
    set_rule(admin, True).expect(200)
    set_roles(admin, person, "User").problem(409, "conflict", reason="second_admin")
    record = admin.get(f"/v1/people/{person['id']}").expect(200)
    admin.patch(f"/v1/people/{person['id']}", {"status": "suspended"}, if_match=record.etag).problem(409, "conflict", reason="second_admin")
    admin.delete(f"/v1/people/{person['id']}").problem(409, "conflict", reason="last_admin")


def test_nobody_alone_gives_a_weighty_right(suite, two):
    """By roles, invitations, roles of one's own, changes of those, groups, and what is held for a time only."""
    admin, person = two.first, two.person()
    for role in ("Reception", "Security", "Auditor", "DPO"):
        set_roles(admin, person, role).expect(200)
    refused = {"code": "forbidden", "reason": "second_person_required"}
    set_roles(admin, person, "Admin").problem(403, **refused)
    admin.post(f"/v1/people/{person['id']}/roles/preview", {"roles": ["Admin"]}).problem(403, **refused)
    admin.post("/v1/people", {"email": f"{secrets.token_hex(6)}@two.example", "given_name": "A", "family_name": "B", "roles": ["Admin"]}).problem(403, **refused)
    own = admin.post("/v1/roles", {"name": f"Role-{secrets.token_hex(4)}", "permissions": ["role.manage"]}).expect(201).body
    set_roles(admin, person, own["name"]).problem(403, **refused)
    harmless = admin.post("/v1/roles", {"name": f"Role-{secrets.token_hex(4)}", "permissions": ["site.read"]}).expect(201)
    path = f"/v1/roles/{harmless.body['id']}"
    unheld = admin.patch(path, {"permissions": ["client.manage"]}, if_match=harmless.etag).expect(200)
    harmless = admin.patch(path, {"permissions": ["site.read"]}, if_match=unheld.etag).expect(200)
    set_roles(admin, person, harmless.body["name"]).expect(200)
    admin.patch(path, {"permissions": ["site.read", "client.manage"]}, if_match=harmless.etag).problem(403, **refused)
    # A client, which whoever knows its secret may use.
    own_client = {"name": "Detour", "kind": "confidential", "grants": ["client_credentials"]}
    admin.post("/v1/clients", {**own_client, "permissions": ["site.read", "person.manage"]}).problem(403, **refused, field="permissions")
    admin.post("/v1/clients", {**own_client, "permissions": ["site.read"]}).expect(201)
    # A client that the other Admin signs in to by a link, and is not asked.
    lure = {"name": "Lure", "kind": "confidential", "redirect_uris": ["https://lure.example/back"]}
    admin.post("/v1/clients", lure).problem(403, **refused, field="third_party")
    admin.post("/v1/clients", {**lure, "third_party": True}).expect(201)
    # A group that holds it.
    group = admin.post("/v1/groups", {"name": f"Group {secrets.token_hex(4)}"}).expect(201)
    made = grant(admin, "Admin", group_id=group.body["id"]).expect(201)
    assert made.body["status"] == "pending"
    members = {"member_ids": [person["id"]]}
    admin.patch(f"/v1/groups/{group.body['id']}", members, if_match=group.etag).problem(403, **refused)
    decide(two.second, made).expect(200)
    admin.patch(f"/v1/groups/{group.body['id']}", members, if_match=group.etag).problem(403, **refused)
    # For a while first, then for good.
    ends = instant(datetime.now(timezone.utc) + timedelta(hours=1))
    made = grant(admin, "Admin", person, ends_at=ends).expect(201)
    decide(two.second, made).expect(200)
    set_roles(admin, person, "Admin").problem(403, **refused)
    # What is of a place is not weighty.
    assert grant(admin, "Admin", person, scope="site", scope_id=made.body["id"]).expect(201).body["status"] == "active"
    admin.post("/v1/tenant/ownership", {"person_id": person["id"]}).problem(403, **refused)


def test_a_weighty_grant_waits_for_somebody_else(suite, two):
    person = two.person()
    made = grant(two.first, "Admin", person).expect(201)
    assert made.body["status"] == "pending" and "decided_by" not in made.body
    assert "person.manage" not in permissions_of(signed_in(suite, person))
    decide(two.first, made).problem(403, "forbidden", reason="second_person_required")
    decide(signed_in(suite, person), made).problem(403, "forbidden", reason="person.manage")
    approved = decide(two.second, made).expect(200).body
    assert approved["status"] == "active" and approved["decided_by"] == two.people[0]["id"]
    api = signed_in(suite, person)
    assert "person.manage" in permissions_of(api)
    decide(two.third, made).problem(409, "conflict", reason="not_pending")
    events = wait_for(lambda: len(found := suite.events(two.slug, object_id=made.body["id"])) == 2 and found, 20, "the events")
    assert {event["action"] for event in events} == {"role_grant.create", "role_grant.approve"}
    assert len({event["actor_id"] for event in events}) == 2
    two.third.delete(f"/v1/grants/{made.body['id']}", if_match='"2"').expect(200)
    wait_for(lambda: api.get("/v1/whoami").status == 401, 1.5, "the end of the right")


def test_nobody_approves_what_is_for_themselves(suite, two):
    made = grant(two.first, "Admin", two.people[0]).expect(201)
    decide(two.second, made).problem(403, "forbidden", reason="own_grant")
    assert decide(two.second, made, "refuse").expect(200).body["status"] == "refused"
    decide(two.third, made).problem(409, "conflict", reason="not_pending")


def test_who_asked_must_still_be_one_who_may(suite, two):
    asker, person = two.person(), two.person()
    decide(two.second, grant(two.first, "Admin", asker).expect(201)).expect(200)
    made = grant(signed_in(suite, asker), "Admin", person).expect(201)
    record = two.first.get(f"/v1/people/{asker['id']}").expect(200)
    two.first.patch(f"/v1/people/{asker['id']}", {"status": "suspended"}, if_match=record.etag).expect(200)
    decide(two.second, made).problem(409, "conflict", reason="asker_gone")


def test_an_old_request_waits_no_longer(suite, two):
    made = grant(two.first, "Admin", two.person()).expect(201)
    suite.sql("update auth.role_grant set created_at = now() - interval '8 days' where public_id = %s", made.body["id"])
    decide(two.second, made).problem(409, "conflict", reason="not_pending")


def test_other_tenants_decide_nothing(suite, two, slug):
    made = grant(two.first, "Admin", two.person()).expect(201)
    for what in ("approve", "refuse"):
        decide(suite.as_role(slug, "Admin"), made, what).problem(404, "not_found")


def test_the_rule_ends_when_two_people_ask_for_it(suite):
    tenant = Tenant(suite)
    for _ in range(2):
        body = set_rule(tenant.first, False).expect(200).body
        assert body["two_person_rule"] is True and body["rule_off_asked_by"] == suite.person(tenant.slug, "Admin")["id"]
    # Asking for the rule takes it back, and a day makes it void.
    assert "rule_off_asked_by" not in set_rule(tenant.second, True).expect(200).body
    set_rule(tenant.first, False).expect(200)
    suite.sql("update auth.tenant set rule_off_at = now() - interval '25 hours' where id = %s", suite.tenants[tenant.slug]["id"])
    assert set_rule(tenant.second, False).expect(200).body["two_person_rule"] is True
    assert set_rule(tenant.third, False).expect(200).body["two_person_rule"] is False
    set_roles(tenant.first, tenant.person(), "Admin").expect(200)


def test_with_the_rule_a_tenant_is_handed_to_an_admin(suite):
    tenant = Tenant(suite)
    tenant.first.post("/v1/tenant/ownership", {"person_id": tenant.person()["id"]}).problem(403, "forbidden", reason="second_person_required")
    tenant.first.post("/v1/tenant/ownership", {"person_id": tenant.people[0]["id"]}).expect(200)
    set_roles(signed_in(suite, tenant.people[0]), tenant.people[1], "Owner", "Admin").problem(403, "forbidden", reason="second_person_required")
