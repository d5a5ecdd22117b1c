# SPDX-License-Identifier: Apache-2.0
"""What berth_crash has for all changes, with those of roles, groups and grants."""
import berth_crash
from berth_crash import REPLAY, Work, changing, made, making, renamed  # noqa: F401


def role(work):
    return {"name": f"Role-{work.mark}", "permissions": ["site.read"]}


def group(work):
    return {"name": f"Group {work.mark}", "member_ids": [work.suite.person(work.slug, "User")["id"]]}


def role_grant(work):
    return {"role": "Visitor", "person_id": work.suite.person(work.slug, "User")["id"], "reason": "a crash"}


def closing():
    def prepare(work):
        work.id = work.admin.post("/v1/reviews", {"roles": ["Visitor"]}).expect(201).body["id"]

    def ask(work):
        return work.admin.post(f"/v1/reviews/{work.id}/close", key=work.key)

    def check(work):
        assert ask(work).expect(200).body["status"] == "closed"
        work.objects.append(work.id)
    return prepare, ask, check


ACTIONS = {
    **berth_crash.ACTIONS,
    "access_review_close": closing(),
    "role_create": making("/v1/roles", role),
    "role_update": changing(
        lambda work: f"/v1/roles/{work.id}", lambda work: {"permissions": ["person.read"]}, made("/v1/roles", role)),
    "role_delete": changing(lambda work: f"/v1/roles/{work.id}", None, made("/v1/roles", role), method="DELETE"),
    "group_create": making("/v1/groups", group),
    "group_update": changing(lambda work: f"/v1/groups/{work.id}", renamed("Group"), made("/v1/groups", group)),
    "group_delete": changing(lambda work: f"/v1/groups/{work.id}", None, made("/v1/groups", group), method="DELETE"),
    "role_grant_create": making("/v1/grants", role_grant),
    "role_grant_revoke": changing(lambda work: f"/v1/grants/{work.id}", None, made("/v1/grants", role_grant), method="DELETE"),
}
