# SPDX-License-Identifier: Apache-2.0
"""What a tenant's bookings in one block of time may do, one step at a time: the specification that a history is held to.

Every step is a pair of (does it fit the present state?, what it makes of it). Steps that change nothing make None of it."""

CONFIRMED, CHECKED_IN, COMPLETED, CANCELLED = "confirmed", "checked_in", "completed", "cancelled"
# Refusals (409) that tell in which state the booking was; stay_over may also be said for the time alone.
STATUS_TOLD = {"booking_cancelled": {CANCELLED}, "already_checked_in": {CHECKED_IN}, "not_checked_in": {CONFIRMED},
               "stay_over": {COMPLETED, CONFIRMED, CHECKED_IN}}
TO = {"booking.cancel": CANCELLED, "booking.check_in": CHECKED_IN, "booking.check_out": COMPLETED}


class Stay:
    __slots__ = ("id", "area", "spot", "person", "starts", "ends", "left", "status", "version")

    def __init__(self, seen):
        for name in self.__slots__:
            setattr(self, name, seen[name])

    @property
    def held(self):
        """The end that others have to respect."""
        return self.ends if self.left is None else min(max(self.left, self.starts), self.ends)

    def same(self, seen):
        return all(getattr(self, name) == seen[name] for name in self.__slots__)

    def __str__(self):
        where = f"spot {self.spot[-4:]}" if self.spot else "pool"
        return f"{self.id[-6:]} v{self.version} {self.status} {where} person {self.person[-4:]} {self.starts}..{self.held}"


class Model:
    """`state` {id: Stay}; `spots`: those of the named area; `capacity` of the pool."""

    def __init__(self, named, spots, pool, capacity):
        self.named, self.spots, self.pool, self.capacity = named, spots, pool, capacity
        self.state = {}

    # -- questions

    def holding(self, starts, ends, but=None):
        return [stay for stay in self.state.values() if stay.status != CANCELLED and stay.id != but
                and stay.starts < ends and starts < stay.held and stay.starts < stay.held]

    def spot_taken(self, spot, starts, ends, but=None):
        return any(stay.spot == spot for stay in self.holding(starts, ends, but))

    def person_taken(self, person, starts, ends, but=None):
        return any(stay.person == person for stay in self.holding(starts, ends, but))

    def pool_full(self, starts, ends, but=None):
        inside = [stay for stay in self.holding(starts, ends, but) if stay.area == self.pool]
        edges = sorted([(max(stay.starts, starts), 1) for stay in inside] + [(stay.held, -1) for stay in inside])
        most = now = 0
        for _, step in edges:
            now += step
            most = max(most, now)
        return most >= self.capacity

    def area_full(self, area, starts, ends, but=None):
        if area == self.pool:
            return self.pool_full(starts, ends, but)
        return all(self.spot_taken(spot, starts, ends, but) for spot in self.spots)

    # -- steps

    def may_write(self, action, after):
        """Whether the state may become one in which the booking is as `after` shows it."""
        now = self.state.get(after.id)
        if (now.version + 1 if now else 1) != after.version or (now is None) != (action == "booking.create"):
            return False
        if action in TO:
            before = {"booking.check_out": CHECKED_IN}.get(action, CONFIRMED)
            return now.status == before and after.status == TO[action] and (now.starts, now.ends, now.spot) == (
                after.starts, after.ends, after.spot)
        if now is not None and now.status not in (CONFIRMED, CHECKED_IN):
            return False
        if after.starts >= after.held:
            return True
        where = after.spot and self.spot_taken(after.spot, after.starts, after.held, after.id)
        full = after.area == self.pool and self.pool_full(after.starts, after.held, after.id)
        return not (where or full or self.person_taken(after.person, after.starts, after.held, after.id))

    def write(self, after):
        before = self.state.get(after.id)
        self.state[after.id] = after
        return before

    def undo(self, after, before):
        if before is None:
            del self.state[after.id]
        else:
            self.state[after.id] = before

    def may_read(self, attempt):
        """Whether the answer that `attempt` got is right in the present state."""
        if attempt.outcome == "ok":
            if attempt.op == "list":
                return self.may_list(attempt)
            now = self.state.get(attempt.body["id"])
            return now is not None and now.same(attempt.body)
        if attempt.op == "create":
            return self.may_refuse_create(attempt)
        return self.may_refuse_change(attempt)

    def may_list(self, attempt):
        person = attempt.args["person"]
        shown = {seen["id"]: seen for seen in attempt.body}
        mine = {stay.id: stay for stay in self.state.values() if person is None or stay.person == person}
        return shown.keys() == mine.keys() and all(stay.same(shown[stay.id]) for stay in mine.values())

    def conflict(self, code, area, spot, person, starts, ends, but=None):
        if code == "spot_taken":
            return spot is not None and self.spot_taken(spot, starts, ends, but)
        if code == "person_unavailable":
            return self.person_taken(person, starts, ends, but)
        return code == "area_full" and area is not None and self.area_full(area, starts, ends, but)

    def may_refuse_create(self, attempt):
        args = attempt.args
        if any((stay.starts, stay.ends) == (args["starts"], args["ends"]) and stay.version == 1 for stay in self.state.values()):
            return False        # it stands already: under its key the stored answer was due
        return self.conflict(attempt.code, args.get("area_id"), args.get("spot_id"), args["person"], args["starts"], args["ends"])

    def may_refuse_change(self, attempt):
        args = attempt.args
        now = self.state.get(args["id"])
        if attempt.code == "not_found" or now is None:
            return attempt.code == "not_found" and now is None
        if attempt.code == "version_stale":
            return now.version != args["version"]
        if "version" in args and now.version != args["version"]:
            return False
        if attempt.reason in STATUS_TOLD:
            return now.status in STATUS_TOLD[attempt.reason]
        if attempt.code == "rule_refused":
            return True         # by the clock, which the model does not have
        return now.status in (CONFIRMED, CHECKED_IN) and self.conflict(
            attempt.code, now.area, args.get("spot_id") or now.spot, now.person,
            args.get("starts", now.starts), args.get("ends", now.ends), now.id)
