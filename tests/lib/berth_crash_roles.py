# SPDX-License-Identifier: Apache-2.0
"""What berth_crash has for all changes, with those of roles, groups and grants."""
import berth_crash
from berth_crash import REPLAY, Work, changing, made, making, renamed  # noqa: F401
from berth_suite import wait_for


def role(work):
    return {"name": f"Role-{work.mark}", "permissions": ["site.read"]}


def holder(work):
    """Whose rights change, and tokens end: nobody whom later cases need, and the same in a request that is repeated."""
    return (getattr(work, "somebody", None) or work.person())["id"]


def group(work):
    return {"name": f"Group {work.mark}", "member_ids": [holder(work)]}


def role_grant(work):
    return {"role": "Visitor", "person_id": holder(work), "reason": "a crash"}


def reviewing(work):
    return {"roles": ["Visitor"]}


def certifying():
    def prepare(work):
        visitor = work.suite.new_person(work.slug, "Visitor")
        review = work.admin.post("/v1/reviews", reviewing(work)).expect(201).body
        work.id = review["id"]
        work.item = next(item["id"] for item in review["items"] if item.get("person_id") == visitor["id"])

    def ask(work):
        return work.admin.post(f"/v1/reviews/{work.id}/certify", {"item_ids": [work.item]}, key=work.key)

    def check(work):
        items = ask(work).expect(200).body["items"]
        assert "certified_by" in next(item for item in items if item["id"] == work.item)
        work.objects.append(work.id)
    return prepare, ask, check


def deciding(what, status):
    """The second person of a grant that waits for one, in a tenant of one's own."""
    def prepare(work):
        work.slug = work.suite.new_tenant("crash")
        first, people = work.suite.as_role(work.slug, "Admin"), [work.suite.new_person(work.slug, role) for role in ("Admin", "User")]
        work.second = work.suite.api(work.suite.sign_in_person(people[0]))
        first.patch("/v1/tenant", {"two_person_rule": True}, if_match=first.get("/v1/tenant").expect(200).etag).expect(200)
        body = {"role": "Admin", "person_id": people[1]["id"], "reason": "a crash"}
        work.id = first.post("/v1/grants", body).expect(201).body["id"]

    def ask(work):
        return work.second.post(f"/v1/grants/{work.id}/{what}", key=work.key)

    def check(work):
        assert ask(work).expect(200).body["status"] == status
        assert work.second.get(f"/v1/grants/{work.id}").expect(200).body["version"] == 2, "decided once"
        work.objects.append(work.id)
    return prepare, ask, check


def handing_over():
    """A tenant that nobody owns gets its Owner, once."""
    def prepare(work):
        work.slug = work.suite.new_tenant("crash")
        work.admin = work.suite.as_role(work.slug, "Admin")
        work.owner = work.suite.new_person(work.slug)

    def ask(work):
        return work.admin.post("/v1/tenant/ownership", {"person_id": work.owner["id"]}, key=work.key)

    def check(work):
        assert "Owner" in ask(work).expect(200).body["roles"]
        now = work.admin.get(f"/v1/people/{work.owner['id']}").expect(200).body
        assert sorted(now["roles"]) == ["Owner", "User"], now
        transfers = wait_for(lambda: [event for event in work.suite.events(work.slug, object_id=work.owner["id"])
                                      if event["action"] == "ownership.transfer"], 20, "the event")
        assert len(transfers) == 1
        work.objects.append(work.owner["id"])
    return prepare, ask, check


def closing():
    """Of a role of its own: what nobody has certified is revoked, and others still need theirs."""
    def prepare(work):
        own = work.admin.post("/v1/roles", role(work)).expect(201).body["name"]
        work.grant = work.admin.post("/v1/grants", {"role": own, "person_id": work.person()["id"], "reason": "a crash"}).expect(201).body["id"]
        work.id = work.admin.post("/v1/reviews", {"roles": [own]}).expect(201).body["id"]

    def ask(work):
        return work.admin.post(f"/v1/reviews/{work.id}/close", key=work.key)

    def check(work):
        assert ask(work).expect(200).body["status"] == "closed"
        assert work.admin.get(f"/v1/grants/{work.grant}").expect(200).body["status"] == "revoked"
        work.objects.append(work.id)
    return prepare, ask, check


ACTIONS = {
    **berth_crash.ACTIONS,
    "access_review_create": making("/v1/reviews", reviewing),
    "access_review_certify": certifying(),
    "access_review_close": closing(),
    "ownership_transfer": handing_over(),
    "role_grant_approve": deciding("approve", "active"),
    "role_grant_refuse": deciding("refuse", "refused"),
    "role_create": making("/v1/roles", role),
    "role_update": changing(
        lambda work: f"/v1/roles/{work.id}", lambda work: {"permissions": ["person.read"]}, made("/v1/roles", role)),
    "role_delete": changing(lambda work: f"/v1/roles/{work.id}", None, made("/v1/roles", role), method="DELETE"),
    "group_create": making("/v1/groups", group, prepare=holder),
    "group_update": changing(lambda work: f"/v1/groups/{work.id}", renamed("Group"), made("/v1/groups", group)),
    "group_delete": changing(lambda work: f"/v1/groups/{work.id}", None, made("/v1/groups", group), method="DELETE"),
    "role_grant_create": making("/v1/grants", role_grant, prepare=holder),
    "role_grant_revoke": changing(lambda work: f"/v1/grants/{work.id}", None, made("/v1/grants", role_grant), method="DELETE"),
}
