# SPDX-License-Identifier: Apache-2.0
"""The history against the audit log: what was acknowledged is there, what was refused is not, one key has one answer; and for each
block of time an order of everything that the model allows."""
import collections

from . import linear
from . import model
from . import world
from .checks import ACTIONS, by_booking, summary
from .history import stay_of

# Refusals that say nothing about bookings.
PASSING = {"unsent", "in_progress", "rate_limited", "unauthenticated", "token_expired", "draining", "overloaded"}
CONFLICTS = {"spot_taken", "person_unavailable", "area_full"}
EXPECTED = {
    "create": CONFLICTS, "update": CONFLICTS | {"version_stale", "conflict"}, "cancel": {"version_stale", "conflict"},
    "check_in": {"conflict"}, "check_out": {"conflict"}, "read": {"not_found"}, "list": set(),
    "repeat": set(), "reuse": {"idempotency_key_reused"}, "foreign": {"not_found"}}


def told(attempt):
    return f"attempt {attempt.number} of client {attempt.client}: {attempt.op} {attempt.args} -> {attempt.status} {attempt.code or ''}"


def answers(history):
    """What single answers promise."""
    by_number = {attempt.number: attempt for attempt in history}
    for attempt in history:
        if attempt.outcome == "fail" and attempt.code not in PASSING | EXPECTED[attempt.op]:
            yield ("a key was forgotten" if attempt.op in ("repeat", "reuse") else "an answer that cannot be"), told(attempt)
        if attempt.outcome != "ok":
            continue
        if attempt.op == "foreign":
            yield "a booking of another tenant was shown", told(attempt)
        elif attempt.op == "reuse":
            yield "a key was forgotten", told(attempt)
        elif attempt.op == "repeat" and attempt.digest != by_number[attempt.args["first"]].digest:
            yield "one key got two answers", f"{told(by_number[attempt.args['first']])}\n  {told(attempt)}"


def keys(history):
    """All answers under one key of one person are the same."""
    first = {}
    for attempt in history:
        if attempt.key is None or attempt.outcome != "ok" or attempt.op not in ACTIONS:
            continue
        known = first.setdefault((attempt.actor, attempt.op, attempt.key), attempt)
        if known.digest != attempt.digest:
            yield "one key got two answers", f"{told(known)}\n  {told(attempt)}"


def sign(attempt):
    """By what an event of this attempt would be known."""
    args = attempt.args
    if attempt.op == "create":
        return attempt.actor, "booking.create", args["starts"], args["ends"]
    if attempt.op == "update":
        return attempt.actor, "booking.update", args["id"], args["version"] + 1, args.get("starts"), args.get("note")
    if attempt.op == "cancel":
        return attempt.actor, "booking.cancel", args["id"], args["version"] + 1
    return attempt.actor, ACTIONS[attempt.op], args["id"]


def sign_of_event(event, before, after):
    actor, action, one = str(event["actor_id"]), event["action"], str(event["object_id"])
    if action == "booking.create":
        return actor, action, world.micros(after["starts_at"]), world.micros(after["ends_at"])
    if action == "booking.update":
        moved = (before["starts_at"], before["ends_at"]) != (after["starts_at"], after["ends_at"])
        return actor, action, one, event["version"], world.micros(after["starts_at"]) if moved else None, None if moved else after["note"]
    if action == "booking.cancel":
        return actor, action, one, event["version"]
    return actor, action, one


class Matching:
    """Which attempt made which event. `changes`: (block, step) of each event; `faults`: what does not match."""

    def __init__(self, history, final, areas):
        self.faults, self.changes, self.block_of = [], [], {}
        self.asked = collections.defaultdict(list)
        self.made = {}
        for attempt in history:
            if attempt.op in ACTIONS and attempt.code != "unsent":
                self.asked[sign(attempt)].append(attempt)
        for one, events in by_booking(final).items():
            row = final.bookings.get(one)
            if row is not None and row["area"] in areas:
                for event in events:
                    self.match(event, *final.documents.get(event["id"], (None, None)))
        for attempt in history:
            if attempt.op in ACTIONS and attempt.outcome == "ok":
                self.acknowledged(attempt)

    def fault(self, kind, text):
        self.faults.append((kind, text))

    def match(self, event, before, after):
        if after is None:
            return          # told by checks.documents
        asked = self.asked.get(sign_of_event(event, before, after), ())
        made = [attempt for attempt in asked if attempt.outcome == "ok"]
        maybe = [attempt for attempt in asked if attempt.outcome == "unknown"]
        if not made and not maybe:
            refused = f"only refused requests asked for it: {told(asked[0])}" if asked else "nobody asked for it"
            self.fault("a change that was refused or never asked for is there", f"{summary([event])} of {event['object_id']}: {refused}")
            return
        if len({attempt.key for attempt in made}) > 1:
            self.fault("one change was acknowledged to two requests", "\n  ".join(map(told, made)))
        if made:
            first = min(attempt.asked for attempt in asked if attempt.key == made[0].key)
            last, about = min(attempt.told for attempt in made), made[0]
        else:
            first, last, about = min(attempt.asked for attempt in maybe), None, maybe[0]
        stay = stay_of(after)
        self.made[stay["id"], stay["version"]] = stay
        if event["action"] == "booking.create":
            self.block_of[stay["id"]] = tuple(about.block)
        step = linear.Step(first, last, about, event["action"], model.Stay(stay))
        self.changes.append((self.block_of.get(stay["id"]), step))

    def acknowledged(self, attempt):
        stay = self.made.get((attempt.body["id"], attempt.body["version"]))
        if stay is None:
            self.fault("an acknowledged change is lost", f"{told(attempt)} {attempt.body}")
        elif stay != attempt.body:
            self.fault("an acknowledged change is not what was told", f"{told(attempt)} {attempt.body}, the log has {stay}")


def questions(history):
    """(block, step) of every answer that shows the state without changing it."""
    for attempt in history:
        if attempt.block is None or attempt.outcome == "unknown" or attempt.code in PASSING:
            continue
        if attempt.outcome == "fail" or attempt.op in ("read", "list"):
            yield tuple(attempt.block), linear.Step(attempt.asked, attempt.told, attempt)


def orders(history, matching, tenants):
    """Each block's history is linearizable. `tenants` {number: {"area", "spots", "pool", "capacity"}}."""
    blocks = collections.defaultdict(list)
    for block, step in [*matching.changes, *questions(history)]:
        if block is not None:
            blocks[block].append(step)
    for block, steps in sorted(blocks.items()):
        about = tenants[block[0]]
        search = linear.Search(steps, model.Model(about["area"], about["spots"], about["pool"], about["capacity"]))
        try:
            if not search.run():
                yield "no order explains what was seen", f"block {list(block)}: {search.evidence()}"
        except linear.Undecided:
            yield "not decided: the search was cut off", f"block {list(block)} with {len(steps)} steps"
