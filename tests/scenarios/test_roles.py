# SPDX-License-Identifier: Apache-2.0
"""Roles and what they grant: built-in ones and those of a tenant, who may give them, and who owns a tenant."""
import concurrent.futures
import secrets
import threading

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


# -- roles of one's own

def new_role(api, *permissions, name=None):
    return api.post("/v1/roles", {"name": name or f"Role-{secrets.token_hex(4)}", "help": "made by a test", "permissions": list(permissions)})


def permissions_of(api):
    return set(api.get("/v1/whoami").expect(200).body["permissions"])


BAD_ROLES = {
    "the name of a built-in role": ({"name": "admin", "permissions": []}, 409, "name", "name_taken"),
    "a blank in the name": ({"name": "a b", "permissions": []}, 400, "name", "bad_name"),
    "a sign in the name": ({"name": "rôle", "permissions": []}, 400, "name", "bad_name"),
    "a permission that there is not": ({"name": "Fine", "permissions": ["site.read", "site.own"]}, 400, "permissions", "unknown_permission"),
    "an Owner's permission": ({"name": "Fine", "permissions": ["tenant.own"]}, 403, "permissions", "permission_exceeds_own"),
    "an Operator's permission": ({"name": "Fine", "permissions": ["platform.operate"]}, 403, "permissions", "permission_exceeds_own"),
}


@pytest.mark.parametrize("body, status, field, reason", BAD_ROLES.values(), ids=BAD_ROLES.keys())
def test_a_role_of_ones_own_is_refused_for(admin, body, status, field, reason):
    reply = admin.post("/v1/roles", body).expect(status)
    assert (reply.body["field"], reply.body["reason"]) == (field, reason)
    assert body["name"] == "admin" or body["name"] not in {role["name"] for role in admin.get("/v1/roles").body["items"]}


def test_a_role_of_ones_own_is_made_changed_and_deleted(suite, slug, other_slug, admin):
    made = new_role(admin, "statistics.read", "site.read", "site.read").expect(201)
    path, name = f"/v1/roles/{made.body['id']}", made.body["name"]
    assert made.body["permissions"] == ["site.read", "statistics.read"] and made.body["built_in"] is False
    assert made.body in admin.get("/v1/roles").expect(200).body["items"]
    assert name not in {role["name"] for role in suite.as_role(other_slug, "Admin").get("/v1/roles").body["items"]}
    new_role(admin, name=name.lower()).problem(409, "conflict", "name", "name_taken")
    new_role(suite.as_role(other_slug, "Admin"), name=name).expect(201)
    admin.patch(path, {"permissions": []}).problem(428, "version_required")
    changed = admin.patch(path, {"help": "other", "permissions": ["audit.read"]}, if_match=made.etag).expect(200)
    assert changed.body["permissions"] == ["audit.read"] and changed.body["help"] == "other" and changed.body["version"] == 2
    admin.patch(path, {"permissions": []}, if_match=made.etag).problem(412, "version_stale")
    admin.patch(path, {"permissions": ["tenant.own"]}, if_match=changed.etag).problem(403, "forbidden", reason="permission_exceeds_own")
    person = suite.new_person(slug, name)
    admin.delete(path, if_match=changed.etag).problem(409, "conflict", reason="role_in_use")
    set_roles(admin, person, "User").expect(200)
    admin.delete(path, if_match=made.etag).problem(412, "version_stale")
    admin.delete(path, if_match=changed.etag).expect(204)
    admin.get(path).problem(404, "not_found")
    set_roles(admin, person, name).problem(400, "bad_field", "roles", "unknown_role")
    wait_for(lambda: [event["action"] for event in suite.events(slug, object_id=made.body["id"])].count("role.delete") == 1, 20, "the event")


def test_nobody_changes_a_role_that_grants_more_than_they_have(suite, slug, admin):
    owner = signed_in(suite, suite.owner(slug))
    strong = new_role(owner, "tenant.own", "site.read").expect(201)
    path = f"/v1/roles/{strong.body['id']}"
    for call in (lambda: admin.patch(path, {"permissions": ["site.read"]}, if_match=strong.etag), lambda: admin.delete(path, if_match=strong.etag),
                 lambda: admin.post(f"{path}/preview", {"permissions": []})):
        call().problem(403, "forbidden", reason="permission_exceeds_own")
    person = suite.new_person(slug)
    set_roles(admin, person, strong.body["name"]).problem(403, "forbidden", "roles", "role_exceeds_own")
    set_roles(owner, person, strong.body["name"]).expect(200)
    set_roles(admin, person, "User").problem(403, "forbidden", reason="role_exceeds_own")
    admin.delete(f"/v1/people/{person['id']}").problem(403, "forbidden", reason="role_exceeds_own")


def test_what_a_role_of_ones_own_grants_the_next_token_holds_and_what_it_loses_ends_at_once(suite, slug, admin):
    role = new_role(admin, "site.read", "audit.read").expect(201)
    person = suite.new_person(slug, ["Visitor", role.body["name"]])
    api = signed_in(suite, person)
    assert {"audit.read", "profile.read"} <= permissions_of(api)
    assert set(api.get("/v1/whoami").body["roles"]) == {"Visitor", role.body["name"]}
    more = admin.patch(f"/v1/roles/{role.body['id']}", {"permissions": ["site.read", "audit.read", "statistics.read"]}, if_match=role.etag).expect(200)
    assert "statistics.read" not in permissions_of(api), "a right is added with the next token, the old one lives on"
    assert "statistics.read" in permissions_of(signed_in(suite, person))
    admin.patch(f"/v1/roles/{role.body['id']}", {"permissions": ["site.read"]}, if_match=more.etag).expect(200)
    dead_within_a_second(api)
    assert not {"audit.read", "statistics.read"} & permissions_of(signed_in(suite, person))


def test_no_token_that_is_made_meanwhile_keeps_what_a_role_loses(suite, slug, admin):
    role = new_role(admin, "audit.read").expect(201)
    people = [suite.new_person(slug, role.body["name"]) for _ in range(6)]
    tokens, stop = [], threading.Event()

    def keep_signing_in(person):
        while not stop.is_set():
            tokens.append(suite.sign_in_person(person))
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        runs = [pool.submit(keep_signing_in, person) for person in people]
        wait_for(lambda: len(tokens) >= 12, 60, "tokens")
        admin.patch(f"/v1/roles/{role.body['id']}", {"permissions": []}, if_match=role.etag).expect(200)
        seen = len(tokens)
        wait_for(lambda: len(tokens) >= seen + 12, 60, "more tokens")
        stop.set()
        for run in runs:
            run.result()
    answers = {token: wait_for(lambda token=token: (reply := suite.api(token).get("/v1/audit/events")).status != 200 and reply.status, 3, "the end of the right")
               for token in tokens}
    assert set(answers.values()) == {401, 403}, answers.values()


def test_a_preview_tells_what_a_change_gives_and_takes_and_to_how_many(suite, own):
    admin = suite.as_role(own, "Admin")
    role = new_role(admin, "site.read", "audit.read").expect(201)
    name, path = role.body["name"], f"/v1/roles/{role.body['id']}/preview"
    people = [suite.new_person(own, [name]), suite.new_person(own, [name, "Auditor"]), suite.new_person(own, [name, "User"])]
    change = admin.post(path, {"permissions": ["site.read", "statistics.read"]}).expect(200).body
    assert change == {"gained": ["statistics.read"], "lost": ["audit.read"], "people": 3, "people_gaining": 2, "people_losing": 2}
    assert admin.get(f"/v1/roles/{role.body['id']}").body == role.body, "nothing has changed"
    admin.post(path, {"permissions": ["tenant.own"]}).problem(403, "forbidden", reason="permission_exceeds_own")
    admin.post(path, {"permissions": ["site.own"]}).problem(400, "bad_field", reason="unknown_permission")
    theirs = f"/v1/people/{people[0]['id']}/roles/preview"
    change = admin.post(theirs, {"roles": ["Auditor"]}).expect(200).body
    assert change["gained"] == ["profile.read", "profile.change", "statistics.read"] and change["lost"] == ["site.read"]
    assert (change["people"], change["people_gaining"], change["people_losing"]) == (1, 1, 1)
    # It refuses what saving would refuse.
    admin.post(theirs, {"roles": ["Owner"]}).problem(403, "forbidden", "roles", "role_exceeds_own")
    admin.post(theirs, {"roles": ["Nobody"]}).problem(400, "bad_field", "roles", "unknown_role")
    alone = suite.person(own, "Admin")["id"]
    if len([one for one in admin.get("/v1/people", params={"limit": 200}).body["items"] if "Admin" in one["roles"] and one["status"] == "active"]) == 1:
        admin.post(f"/v1/people/{alone}/roles/preview", {"roles": ["User"]}).problem(409, "conflict", reason="last_admin")
    assert roles_of(admin, people[0]) == {name}


def test_a_tenant_has_at_most_fifty_roles_of_its_own(suite):
    admin = suite.as_role(suite.new_tenant("many"), "Admin")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: new_role(admin, "site.read", name=f"R{n}").status, range(54)))
    assert answers.count(201) == 50 and answers.count(409) == 4
    assert len(admin.get("/v1/roles").expect(200).body["items"]) == 50 + len(BUILT_IN)
