# SPDX-License-Identifier: Apache-2.0
"""What must hold of the final database and the audit log, whatever happened: no two stays in one place, one event for each change."""
import collections
import datetime

from . import world

ACTIONS = {"create": "booking.create", "update": "booking.update", "cancel": "booking.cancel", "check_in": "booking.check_in",
           "check_out": "booking.check_out"}
SHOWN_MAX = 5


def stay_text(row):
    def at(us):
        return datetime.datetime.fromtimestamp(us / 1e6, datetime.timezone.utc).strftime("%m-%d %H:%M:%S.%f")
    return f"{row['id']} {row['status']} v{row['version']} {at(row['starts'])} until {at(row['held'])}"


def overlapping(rows, what):
    """Pairs of stays that hold one thing at one time."""
    groups = collections.defaultdict(list)
    for row in rows:
        if row[what] is not None and row["status"] != "cancelled" and row["starts"] < row["held"]:
            groups[row["tenant"], row[what]].append(row)
    for (_, one), group in groups.items():
        last = None
        for row in sorted(group, key=lambda row: row["starts"]):
            if last is not None and row["starts"] < last["held"]:
                yield f"{what} {one} is held twice:\n  {stay_text(last)}\n  {stay_text(row)}"
            if last is None or row["held"] > last["held"]:
                last = row


def over_capacity(rows):
    pools = collections.defaultdict(list)
    for row in rows:
        if row["pooled"] and row["status"] != "cancelled" and row["starts"] < row["held"]:
            pools[row["area"]].append(row)
    for area, group in pools.items():
        edges = sorted([(row["starts"], 1, row["id"]) for row in group] + [(row["held"], -1, row["id"]) for row in group])
        inside = set()
        for _, step, one in edges:
            (inside.add if step > 0 else inside.discard)(one)
            if len(inside) > group[0]["capacity"]:
                there = "\n  ".join(stay_text(row) for row in group if row["id"] in inside)
                yield f"pool {area} holds {len(inside)} of {group[0]['capacity']} at once:\n  {there}"
                break


def stays(final):
    rows = list(final.bookings.values())
    for what in ("spot", "person"):
        for text in overlapping(rows, what):
            yield "a place or a person was booked twice", text
    for text in over_capacity(rows):
        yield "a pool holds more than its capacity", text


def by_booking(final):
    """{booking id: its events by leaf}"""
    groups = collections.defaultdict(list)
    for event in final.events:
        if event["object_type"] == "booking" and event["version"] > 0:
            groups[str(event["object_id"])].append(event)
    return groups


def events(final):
    """Each committed version of each booking was told exactly once, in order, and nothing else was told."""
    groups = by_booking(final)
    for schema, count in final.waiting.items():
        if count:
            yield "an outbox does not drain", f"{schema}.outbox still holds {count} events"
    for one, told in groups.items():
        if one not in final.bookings:
            yield "an event tells of a change that was rolled back", f"booking {one} is not there, its events are {summary(told)}"
    for one, row in final.bookings.items():
        versions = [event["version"] for event in groups.get(one, ())]
        wanted = list(range(1, row["version"] + 1))
        if versions == wanted:
            continue
        if sorted(versions) == wanted:
            kind = "events of one booking stand in the wrong order"
        elif set(wanted) - set(versions):
            kind = "a committed change has no event"
        elif set(versions) - set(wanted):
            kind = "an event tells of a change that was rolled back"
        else:
            kind = "a change has two events"
        yield kind, f"{stay_text(row)}: its events are {summary(groups.get(one, ()))}"


def summary(told):
    return ", ".join(f"v{event['version']} {event['action']} leaf {event['leaf']}" for event in told) or "none"


def documents(final, areas):
    """The documents of a booking's events hang together, and the last is what the database holds."""
    for one, told in by_booking(final).items():
        row = final.bookings.get(one)
        if row is None or row["area"] not in areas:
            continue
        last = None
        for event in told:
            before, after = final.documents.get(event["id"], (None, None))
            if after is None or after["version"] != event["version"] or before != last:
                yield "the documents of a booking's events do not hang together", f"booking {one}, {summary([event])}: {before} -> {after}"
                break
            last = after
        else:
            shown = last and (last["status"], last["spot_id"], world.micros(last["starts_at"]), world.micros(last["ends_at"]))
            if shown != (row["status"], row["spot"], row["starts"], row["ends"]):
                yield "the last event is not what the database holds", f"{stay_text(row)}: {shown}"
