# SPDX-License-Identifier: Apache-2.0
"""Access reviews: what nobody certifies is revoked, by who closes the review, and nobody certifies their own."""

import pytest

from berth_suite import wait_for

ORDER = 37
UNKNOWN = "0192a3b4-c5d6-7e8f-8a9b-0c1d2e3f4a5b"


def signed_in(suite, person):
    return suite.api(suite.sign_in_person(person))


def permissions_of(api):
    return set(api.get("/v1/whoami").expect(200).body["permissions"])


def roles_of(api, person):
    return set(api.get(f"/v1/people/{person['id']}").expect(200).body["roles"])


def of(review, person):
    return {item["role"]: item for item in review["items"] if item.get("person_id") == person["id"]}


class Tenant:
    def __init__(self, suite):
        self.slug = suite.new_tenant("review")
        self.admin = suite.as_role(self.slug, "Admin")
        self.first = suite.person(self.slug, "Admin")
        self.second = suite.new_person(self.slug, "Admin")
        self.other = signed_in(suite, self.second)


@pytest.fixture
def tenant(suite):
    return Tenant(suite)


def test_what_nobody_certified_is_revoked(suite, tenant):
    admin = tenant.admin
    kept, loses, held = (suite.new_person(tenant.slug, roles) for roles in (["User", "Auditor"], ["User", "Auditor", "Reception"], ["User"]))
    group = admin.post("/v1/groups", {"name": "Night", "member_ids": [held["id"]]}).expect(201).body
    to_person = admin.post("/v1/grants", {"person_id": held["id"], "role": "DPO", "reason": "a review"}).expect(201).body
    to_group = admin.post("/v1/grants", {"group_id": group["id"], "role": "Auditor", "reason": "a review"}).expect(201).body
    review = admin.post("/v1/reviews").expect(201).body
    assert set(of(review, loses)) == {"Auditor", "Reception"}, "User reaches nobody else"
    assert {item.get("grant_id") for item in review["items"]} >= {to_person["id"], to_group["id"]}
    path = f"/v1/reviews/{review['id']}"
    right = [of(review, kept)["Auditor"]["id"], of(review, loses)["Reception"]["id"], of(review, tenant.second)["Admin"]["id"]]
    certified = admin.post(f"{path}/certify", {"item_ids": right}).expect(200).body
    assert of(certified, kept)["Auditor"]["certified_by"] == tenant.first["id"]
    tenant.other.post(f"{path}/certify", {"item_ids": [of(review, tenant.first)["Admin"]["id"]]}).expect(200)
    before = [signed_in(suite, person) for person in (loses, held)]
    closed = admin.post(f"{path}/close").expect(200).body
    assert closed["status"] == "closed" and of(closed, kept)["Auditor"]["outcome"] == "certified"
    assert of(closed, loses)["Auditor"]["outcome"] == "revoked" and of(closed, loses)["Reception"]["outcome"] == "certified"
    for api in before:
        wait_for(lambda api=api: api.get("/v1/whoami").status == 401, 1.5, "the end of the rights")
    assert roles_of(admin, loses) == {"User", "Reception"} and roles_of(admin, kept) == {"User", "Auditor"}
    assert not {"audit.read", "person.export"} & permissions_of(signed_in(suite, held))
    assert {admin.get(f"/v1/grants/{made['id']}").expect(200).body["status"] for made in (to_person, to_group)} == {"revoked"}
    for what in ("certify", "close"):
        admin.post(f"{path}/{what}", {"item_ids": []} if what == "certify" else None).problem(409, "conflict", reason="review_closed")
    actions = wait_for(lambda: {"access_review.open", "access_review.certify", "access_review.close"} <= {
        event["action"] for event in suite.events(tenant.slug, object_id=review["id"])}, 20, "the events")
    assert actions
    wait_for(lambda: any(event["action"] == "person.update" for event in suite.events(tenant.slug, object_id=loses["id"])), 20, "the event")


def test_nobody_certifies_their_own(suite, tenant):
    review = tenant.admin.post("/v1/reviews", {"roles": ["Admin"]}).expect(201).body
    mine, theirs = of(review, tenant.first)["Admin"]["id"], of(review, tenant.second)["Admin"]["id"]
    path = f"/v1/reviews/{review['id']}"
    tenant.admin.post(f"{path}/certify", {"item_ids": [theirs, mine]}).problem(403, "forbidden", "item_ids", "own_access")
    tenant.admin.post(f"{path}/certify", {"item_ids": [theirs, UNKNOWN]}).problem(404, "not_found", "item_ids")
    assert not any("certified_by" in item for item in tenant.admin.get(path).expect(200).body["items"]), "all or nothing"


def test_nobody_certifies_what_their_group_has(suite, tenant):
    group = tenant.admin.post("/v1/groups", {"name": "Ours", "member_ids": [tenant.first["id"]]}).expect(201).body
    made = tenant.admin.post("/v1/grants", {"group_id": group["id"], "role": "Auditor", "reason": "a review"}).expect(201).body
    review = tenant.admin.post("/v1/reviews", {"roles": ["Auditor"]}).expect(201).body
    item = next(item for item in review["items"] if item.get("grant_id") == made["id"])
    path = f"/v1/reviews/{review['id']}/certify"
    tenant.admin.post(path, {"item_ids": [item["id"]]}).problem(403, "forbidden", "item_ids", "own_access")
    certified = tenant.other.post(path, {"item_ids": [item["id"]]}).expect(200).body
    assert certified["items"][0]["certified_by"] == tenant.second["id"]


def test_the_last_admin_stays_and_who_is_above_too(suite, tenant):
    admin = tenant.admin
    owner = suite.new_person(tenant.slug, ["Admin"])
    admin.post("/v1/tenant/ownership", {"person_id": owner["id"]}).expect(200)
    review = admin.post("/v1/reviews", {"roles": ["Admin", "Owner"]}).expect(201).body
    closed = tenant.other.post(f"/v1/reviews/{review['id']}/close").expect(200).body
    assert {item["outcome"] for item in of(closed, owner).values()} == {"above"}
    assert sorted(of(closed, person)["Admin"]["outcome"] for person in (tenant.first, tenant.second)) == ["revoked", "revoked"]
    api = signed_in(suite, owner)
    assert roles_of(api, owner) == {"Admin", "Owner"}
    review = api.post("/v1/reviews", {"roles": ["Admin", "Owner"]}).expect(201).body
    closed = api.post(f"/v1/reviews/{review['id']}/close").expect(200).body
    assert {item["outcome"] for item in of(closed, owner).values()} == {"last"}


def test_what_changed_meanwhile_is_gone(suite, tenant):
    admin, person = tenant.admin, suite.new_person(tenant.slug, "Auditor")
    review = admin.post("/v1/reviews", {"roles": ["Auditor"]}).expect(201).body
    record = admin.get(f"/v1/people/{person['id']}").expect(200)
    admin.patch(f"/v1/people/{person['id']}", {"roles": ["User"]}, if_match=record.etag).expect(200)
    assert of(admin.post(f"/v1/reviews/{review['id']}/close").expect(200).body, person)["Auditor"]["outcome"] == "gone"


def test_reviews_are_of_one_tenant_and_forget_who_is_erased(suite, tenant, slug):
    person = suite.new_person(tenant.slug, "Auditor")
    review = tenant.admin.post("/v1/reviews", {"roles": ["Auditor"]}).expect(201).body
    path = f"/v1/reviews/{review['id']}"
    other = suite.as_role(slug, "Admin")
    for reply in (other.get(path), other.post(f"{path}/close"), other.post(f"{path}/certify", {"item_ids": [review["items"][0]["id"]]})):
        reply.problem(404, "not_found")
    assert review["id"] not in other.get("/v1/reviews", params={"limit": 200}).expect(200).text
    tenant.admin.delete(f"/v1/people/{person['id']}").expect(200, 202)
    wait_for(lambda: tenant.admin.get(path).expect(200).body["items"] == [], 30, "the erasure")


def test_an_export_tells_what_was_reviewed_of_the_person(suite, tenant):
    person = suite.new_person(tenant.slug, ["User", "Auditor"])
    review = tenant.admin.post("/v1/reviews", {"roles": ["Auditor"]}).expect(201).body
    lines = signed_in(suite, person).get("/v1/me/export").expect(200).body["auth"]["access_reviews"]
    assert [(line["review_id"], line["role"], line["certified_at"], line["outcome"]) for line in lines] == [(review["id"], "Auditor", None, "open")]
    tenant.admin.post(f"/v1/reviews/{review['id']}/close").expect(200)
    lines = signed_in(suite, person).get("/v1/me/export").expect(200).body["auth"]["access_reviews"]
    assert [line["outcome"] for line in lines] == ["revoked"]
    tenant.admin.delete(f"/v1/people/{person['id']}").expect(200, 202)
    wait_for(lambda: suite.sql("select count(*) from auth.access_review_item i join auth.access_review r on r.tenant_id = i.tenant_id and r.id = i.review_id "
                               "where r.public_id = %s", review["id"])[0][0] == 0, 30, "the erasure of the lines")
