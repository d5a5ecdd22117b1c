# SPDX-License-Identifier: Apache-2.0
"""What stands in the end: bookings and outboxes from the database, events and heads from the audit log, documents from the API."""
import pickle
import uuid

import psycopg2.extras

STATUSES = {1: "confirmed", 2: "checked_in", 3: "completed", 4: "cancelled"}
OUTBOXES = ("auth", "booking", "gdpr")

BOOKINGS = """
select b.tenant_id::text as tenant, b.id::text as id, s.id::text as spot, a.id::text as area, a.inventory = 2 as pooled, a.capacity,
	p.id::text as person, (extract(epoch from b.starts_at) * 1000000)::bigint as starts,
	(extract(epoch from b.ends_at) * 1000000)::bigint as ends, (extract(epoch from b.held_until) * 1000000)::bigint as held,
	b.status, b.version
from booking.booking b
join booking.area a on a.tenant_id = b.tenant_id and a.no = b.area_no
left join booking.spot s on s.tenant_id = b.tenant_id and s.no = b.spot_no
left join booking.person p on p.tenant_id = b.tenant_id and p.no = b.person_no
"""
EVENTS = """
select leaf_index as leaf, tenant_id, id, (extract(epoch from at) * 1000000)::bigint as at, service, action, object_type, object_id,
	object_version as version, actor_id, client_id, on_behalf_id, subject_id, request_id, before_digest, after_digest, erased, leaf_hash
from audit.event order by leaf_index
"""
HEADS = """
select size, origin, root_hash, (extract(epoch from signed_at) * 1000000)::bigint as signed, signature, public_key
from audit.checkpoint order by size
"""


class Final:
    """bookings {id: row}, events [row] by leaf, heads [row] by size, waiting {schema: rows}, documents {event id: after}."""

    def __init__(self, suite, tenants, since):
        info = suite.info["pg"]
        psycopg2.extras.register_uuid()
        connection = psycopg2.connect(host=info["host"], dbname=info["dbname"], user=info["superuser"])
        try:
            # One snapshot, so that the parts cannot disagree for having been read one after the other.
            connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
            with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                self.bookings = {row["id"]: row for row in rows(cursor, BOOKINGS)}
                self.events = rows(cursor, EVENTS)
                self.heads = rows(cursor, HEADS)
                self.waiting = {schema: rows(cursor, f"select count(*) as n from {schema}.outbox")[0]["n"] for schema in OUTBOXES}
        finally:
            connection.close()
        for row in self.bookings.values():
            row["status"] = STATUSES[row["status"]]
        self.documents = {}
        for tenant in tenants:
            self.documents.update(documents(suite, tenant.slug, since))

    def restrict(self, areas, since):
        """To one phase: what stands in its areas, and what was told since it began."""
        self.bookings = {one: row for one, row in self.bookings.items() if row["area"] in areas}
        self.events = [event for event in self.events if event["leaf"] >= since]

    def save(self, path, *more):
        """For tests/chaos/run --judge."""
        with open(path, "wb") as file:
            pickle.dump((self, *more), file)


def load(path):
    with open(path, "rb") as file:
        return pickle.load(file)


def rows(cursor, text):
    cursor.execute(text)
    return [{name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()} for row in cursor.fetchall()]


def documents(suite, slug, since):
    """{event id: (before, after)} of the events about bookings from that leaf on, page by page over the API, the newest first."""
    found, cursor = {}, None
    admin = suite.as_role(slug, "Admin")
    while True:
        query = {"limit": 200, "object_type": "booking", **({"cursor": cursor} if cursor else {})}
        page = admin.get("/v1/audit/events", params=query).expect(200).body
        items = [item for item in page["items"] if item["leaf_index"] >= since]
        found.update((uuid.UUID(item["id"]), (item["before"], item["after"])) for item in items)
        cursor = page["next_cursor"]
        if not cursor or len(items) < len(page["items"]):
            return found
