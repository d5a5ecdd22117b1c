# SPDX-License-Identifier: Apache-2.0
"""A tenant says of which roles it demands a second factor: whoever has one, by whatever way, does nothing without."""
import secrets

import pytest

from berth_factor import claims
from berth_flow import token_request
from berth_suite import wait_for

ORDER = 48
SITE = "0192a3b4-c5d6-7e8f-8a9b-0c1d2e3f4a5b"


@pytest.fixture(scope="module")
def slug(suite):
    """Demands a factor of nobody, and then of who has Reception."""
    slug = suite.new_tenant("roles", second_factor="optional")
    assert admin_of(suite, slug).get("/v1/tenant").expect(200).body["second_factor_roles"] == []
    demand(admin_of(suite, slug), "Reception", "Reception").expect(200)
    return slug


def admin_of(suite, slug):
    """A token of the Admin that is good after a change of what is demanded."""
    return suite.api(suite.sign_in_person(suite.person(slug, "Admin")))


def demand(api, *roles):
    return api.patch("/v1/tenant", {"second_factor_roles": list(roles)}, if_match=api.get("/v1/tenant").expect(200).etag)


def signed_in(suite, person):
    return suite.api(suite.sign_in_person(person))


def is_asked(api):
    problem = api.get("/v1/bookings").problem(403, "second_factor_required", reason="booking.read").body
    assert problem["enrol_at"] == "/account/factors"
    api.get("/v1/whoami").expect(200)


def test_who_has_the_role_does_nothing_without_a_factor_and_others_go_on(suite, slug):
    admin = admin_of(suite, slug)
    assert admin.get("/v1/tenant").expect(200).body["second_factor_roles"] == ["Reception"]
    desk, guest = suite.new_person(slug, "Reception", by=admin), suite.new_person(slug, by=admin)
    assert claims(suite.sign_in_person(desk))["mfa"] == "all" and claims(suite.sign_in_person(guest))["mfa"] == "optional"
    is_asked(signed_in(suite, desk))
    signed_in(suite, guest).get("/v1/bookings").expect(200)
    signed_in(suite, desk).get("/v1/me/access", params={"operation": "booking_list"}).problem(403, "second_factor_required", reason="profile.read")
    verdict = admin.get(f"/v1/people/{desk['id']}/access", params={"operation": "booking_list"}).expect(200).body
    assert (verdict["allowed"], verdict["rule"]) == (False, "second_factor_missing")
    suite.give_factor(desk)
    suite.api(suite.sign_in_again(desk)["access_token"]).get("/v1/bookings").expect(200)


@pytest.mark.parametrize("how", ["group", "site", "later"])
def test_the_way_to_the_role_makes_no_difference(suite, slug, how):
    """By a group, in one place only, and by a change of roles while a refresh token is out."""
    admin = admin_of(suite, slug)
    person = suite.new_person(slug, by=admin)
    tokens = suite.sign_in(slug, person["email"], person["password"], "openid offline_access berth")
    suite.api(tokens["access_token"]).get("/v1/bookings").expect(200)
    if how == "group":
        group = admin.post("/v1/groups", {"name": f"Desk {secrets.token_hex(4)}", "member_ids": [person["id"]]}).expect(201).body
        admin.post("/v1/grants", {"group_id": group["id"], "role": "Reception", "reason": "desk"}).expect(201)
    elif how == "site":
        admin.post("/v1/grants", {"person_id": person["id"], "role": "Reception", "scope": "site", "scope_id": SITE, "reason": "desk"}).expect(201)
    else:
        admin.patch(f"/v1/people/{person['id']}", {"roles": ["User", "Reception"]},
                    if_match=admin.get(f"/v1/people/{person['id']}").expect(200).etag).expect(200)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    renewed = token_request(suite.info, suite.tenants[slug]["client"], form).json()["access_token"]
    assert claims(renewed)["mfa"] == "all"
    is_asked(suite.api(renewed))


def test_the_list_names_roles_that_there_are(suite):
    slug = suite.new_tenant("listed", second_factor="optional")
    admin = admin_of(suite, slug)
    demand(admin, "Nobody").problem(400, "bad_field", "second_factor_roles", "unknown_role")
    role = admin.post("/v1/roles", {"name": f"Role-{secrets.token_hex(4)}", "permissions": ["site.read"]}).expect(201)
    demand(admin, "User", role.body["name"]).expect(200)
    admin = admin_of(suite, slug)
    path = f"/v1/roles/{role.body['id']}"
    admin.delete(path, if_match=role.etag).problem(409, "conflict", reason="role_in_use")
    demand(admin, "User").expect(200)
    admin_of(suite, slug).delete(path, if_match=role.etag).expect(204)


def test_a_change_is_in_force_at_once_and_told(suite):
    slug = suite.new_tenant("told", second_factor="optional")
    admin, person = admin_of(suite, slug), suite.new_person(slug)
    before = signed_in(suite, person)
    demand(admin, "User").expect(200)
    wait_for(lambda: before.get("/v1/bookings").status == 401, 2, "the end of a token that says what was demanded before")
    is_asked(signed_in(suite, person))
    admin = admin_of(suite, slug)

    def told():
        events = admin.get("/v1/audit/events", params={"object_id": suite.tenants[slug]["id"]}).expect(200).body["items"]
        return [(event["before"]["second_factor_roles"], event["after"]["second_factor_roles"]) for event in events if event["action"] == "tenant.update"]
    wait_for(lambda: told() == [([], ["User"])], 15, "the event")
    demand(admin).expect(200)
    signed_in(suite, person).get("/v1/bookings").expect(200)
