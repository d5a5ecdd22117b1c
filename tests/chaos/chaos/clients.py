# SPDX-License-Identifier: Apache-2.0
"""The clients: each one person of one tenant with one connection, asking one thing after the other and writing down what came."""
import asyncio
import collections
import http.client
import json
import random
import time

import berth_flow

from . import wire
from .history import digest, stay_of
from .world import instant

TRIES_MAX = 4               # of one keyed request whose outcome is unknown
REST_S = 0.05               # after no answer, so that a dead suite is not asked in a tight loop
TOKEN_SECONDS = 360
MANAGERS = ("Admin", "Reception")
READERS = ("Admin", "Reception", "Security")
# What a client does, and how often.
WORK = {"create": 34, "create_any": 5, "create_pooled": 16, "update": 10, "cancel": 12, "check_in": 7, "check_out": 5, "read": 6,
        "list": 3, "repeat": 5, "reuse": 2, "foreign": 1}
PATHS = {"check_in": "check-in", "check_out": "check-out"}


class Client:
    """`place`: which client of its person. `answered`: keyed requests that were answered 2xx, for repeats."""

    def __init__(self, number, run, tenant, person, place):
        self.number, self.run, self.tenant, self.person, self.place = number, run, tenant, person, place
        self.dice = random.Random(f"{run.seed}/client/{number}")
        host, port = run.suite.url.removeprefix("https://").split(":")
        self.wire = wire.Wire(host, int(port), run.context)
        self.answered = collections.deque(maxlen=40)
        self.keys = 0

    async def work(self):
        kinds, weights = list(WORK), list(WORK.values())
        try:
            while not self.run.is_over():
                await getattr(self, "do_" + self.dice.choices(kinds, weights)[0])()
        finally:
            self.wire.close()

    # -- asking

    def key(self):
        """Unique for this person only: other people and tenants use the same words, and must not get its answers."""
        self.keys += 1
        return f"{self.run.seed}-{self.run.phase}-{self.place}-{self.keys}"

    async def headers(self, key=None, version=None, body=b""):
        lines = ["Authorization: Bearer " + await self.run.tokens.of(self.person), "Accept: application/json"]
        if body:
            lines.append("Content-Type: application/json")
        if key:
            lines.append(f"Idempotency-Key: {key}")
        if version is not None:
            lines.append(f'If-Match: "{version}"')
        return lines

    async def ask(self, method, path, attempt, fields=None, version=None):
        """Fills the attempt in with what came back, and records it."""
        body = json.dumps(fields).encode() if fields is not None else b""
        headers = await self.headers(attempt.key, version, body)
        attempt.asked = time.monotonic_ns()
        reply = None
        try:
            reply = await self.wire.call(method, path, headers, body)
        except wire.Lost as lost:
            attempt.outcome = "unknown" if lost.sent else "fail"
            attempt.code = f"lost:{lost}" if lost.sent else "unsent"
        else:
            attempt.told = time.monotonic_ns()
            self.judge(attempt, reply)
        if attempt.block is not None:
            self.run.block_of(attempt.block).operations += 1
        self.run.history.add(attempt)
        if attempt.outcome == "unknown" or attempt.code in ("unsent", "rate_limited"):
            await asyncio.sleep(REST_S * self.dice.uniform(0.5, 2))
        return attempt

    def judge(self, attempt, reply):
        attempt.status, attempt.digest = reply.status, digest(reply.body)
        if reply.status < 300:
            attempt.outcome = "ok"
            body = reply.json()
            attempt.body = [stay_of(item) for item in body["items"]] if "items" in body else stay_of(body)
            return
        problem = reply.json() or {}
        attempt.code, attempt.reason = problem.get("code"), problem.get("reason")
        attempt.outcome = "unknown" if reply.status >= 500 and attempt.code != "draining" else "fail"
        if reply.status == 401:
            self.run.tokens.forget(self.person)

    def attempt(self, op, block, key=None, **args):
        return self.run.history.ask(
            client=self.number, actor=self.person["id"], op=op, key=key, args=args,
            block=[block.tenant.number, block.number] if block is not None else None)

    async def ask_keyed(self, op, block, path, fields, **args):
        """A request with a key, asked again with the same key while nobody knows what became of it."""
        key = self.key()
        for _ in range(TRIES_MAX):
            attempt = await self.ask("POST", path, self.attempt(op, block, key, **args), fields)
            if attempt.outcome == "ok":
                self.answered.append((attempt, path, fields))
                self.see(block, attempt.body)
            if attempt.outcome != "unknown" and attempt.code not in ("in_progress", "unsent", "rate_limited", "draining"):
                return
            if self.dice.random() < 0.15 or self.run.is_over():
                return

    # -- what it has seen

    def see(self, block, stay):
        known = block.stays.get(stay["id"])
        if known is None or known["version"] <= stay["version"]:
            block.stays[stay["id"]] = stay

    def pick(self, block, *statuses):
        """A stay that this person may change, or None."""
        mine = [stay for stay in block.stays.values() if stay["status"] in statuses and
                (stay["person"] == self.person["id"] or self.person["role"] in MANAGERS)]
        return self.dice.choice(mine) if mine else None

    def guess(self, stay):
        """The version last seen; now and then an older one."""
        return stay["version"] if self.dice.random() < 0.94 else max(1, stay["version"] - 1)

    # -- what it does

    async def create(self, block, place):
        starts, ends = block.interval(self.dice)
        person = self.whom()
        fields = {**place, "starts_at": instant(starts), "ends_at": instant(ends)}
        if person != self.person["id"]:
            fields["for_person_id"] = person
        await self.ask_keyed("create", block, "/v1/bookings", fields, **place, person=person, starts=starts, ends=ends)

    def whom(self):
        if self.person["role"] in MANAGERS and self.dice.random() < 0.6:
            return self.dice.choice(self.tenant.people)["id"]
        if "principal_id" in self.person and self.dice.random() < 0.4:
            return self.person["principal_id"]
        return self.person["id"]

    async def do_create(self):
        await self.create(self.tenant.block(self.dice), {"spot_id": self.dice.choice(self.tenant.spots)})

    async def do_create_any(self):
        await self.create(self.tenant.block(self.dice), {"area_id": self.tenant.area})

    async def do_create_pooled(self):
        await self.create(self.tenant.block(self.dice), {"area_id": self.tenant.pool})

    async def change(self, op, method, block, stay, fields=None, **args):
        version = self.guess(stay)
        attempt = await self.ask(method, f"/v1/bookings/{stay['id']}",
                                 self.attempt(op, block, id=stay["id"], version=version, **args), fields, version)
        if attempt.outcome == "ok":
            self.see(block, attempt.body)
        elif attempt.code != "in_progress":
            await self.read(block, stay)

    async def do_update(self):
        block = self.tenant.block(self.dice)
        stay = self.pick(block, "confirmed")
        if stay is None:
            return
        if self.dice.random() < 0.3:
            note = f"note {self.number}.{self.keys}.{next(self.run.notes)}"
            await self.change("update", "PATCH", block, stay, {"note": note}, note=note)
            return
        starts, ends = block.interval(self.dice)
        fields, args = {"starts_at": instant(starts), "ends_at": instant(ends)}, {"starts": starts, "ends": ends}
        if stay["spot"] and self.dice.random() < 0.6:
            fields["spot_id"] = args["spot_id"] = self.dice.choice(self.tenant.spots)
        await self.change("update", "PATCH", block, stay, fields, **args)

    async def do_cancel(self):
        block = self.tenant.block(self.dice)
        stay = self.pick(block, "confirmed", "cancelled") if self.dice.random() < 0.1 else self.pick(block, "confirmed")
        if stay is not None:
            await self.change("cancel", "DELETE", block, stay)

    async def arrive_or_leave(self, op, *statuses):
        block = self.tenant.block(self.dice)
        stay = self.pick(block, *statuses)
        if not block.near or stay is None:
            await self.do_create()
            return
        await self.ask_keyed(op, block, f"/v1/bookings/{stay['id']}/{PATHS[op]}", None, id=stay["id"])

    async def do_check_in(self):
        await self.arrive_or_leave("check_in", "confirmed", "checked_in" if self.dice.random() < 0.1 else "confirmed")

    async def do_check_out(self):
        await self.arrive_or_leave("check_out", "checked_in", "confirmed" if self.dice.random() < 0.1 else "checked_in")

    async def read(self, block, stay):
        attempt = await self.ask("GET", f"/v1/bookings/{stay['id']}", self.attempt("read", block, id=stay["id"]))
        if attempt.outcome == "ok":
            self.see(block, attempt.body)

    async def do_read(self):
        block = self.tenant.block(self.dice)
        if self.person["role"] in READERS and block.stays:
            stay = self.dice.choice(list(block.stays.values()))
        else:
            stay = self.pick(block, "confirmed", "checked_in", "completed", "cancelled")
        if stay is not None:
            await self.read(block, stay)

    async def do_list(self):
        block = self.tenant.block(self.dice)
        everyone = self.person["role"] in READERS
        query = f"limit=200&from={instant(block.starts_us)}&to={instant(block.ends_us)}" + ("&everyone=true" if everyone else "")
        attempt = await self.ask("GET", f"/v1/bookings?{query}", self.attempt(
            "list", block, person=None if everyone else self.person["id"]))
        if attempt.outcome == "ok":
            for stay in attempt.body:
                self.see(block, stay)

    async def again(self, op, change):
        """An answered request once more, under its key."""
        if not self.answered:
            return
        first, path, fields = self.dice.choice(self.answered)
        if change and fields is None:
            return
        fields = {**fields, "note": "another"} if change else fields
        attempt = self.attempt(op, None, first.key, first=first.number)
        await self.ask("POST", path, attempt, fields)

    async def do_repeat(self):
        await self.again("repeat", False)

    async def do_reuse(self):
        await self.again("reuse", True)

    async def do_foreign(self):
        """A booking of the tenant next door: not there for this one."""
        others = [tenant for tenant in self.run.tenants if tenant is not self.tenant]
        if not others:
            return
        stays = self.dice.choice(others).block(self.dice).stays
        if not stays:
            return
        stay = self.dice.choice(list(stays.values()))
        if self.dice.random() < 0.5:
            await self.ask("GET", f"/v1/bookings/{stay['id']}", self.attempt("foreign", None, id=stay["id"]))
        else:
            await self.ask("DELETE", f"/v1/bookings/{stay['id']}", self.attempt("foreign", None, id=stay["id"]), None, stay["version"])


class Tokens:
    """Access tokens of people, renewed before they end. Signing in goes through the public door too, and waits while that is shut."""

    def __init__(self, suite):
        self.suite = suite
        self.kept = {}
        self.asking = set()

    def forget(self, person):
        self.kept.pop(person["id"], None)

    async def of(self, person):
        one = person["id"]
        while True:
            token, until = self.kept.get(one, (None, 0))
            if time.monotonic() < until:
                return token
            if one in self.asking:
                await asyncio.sleep(0.1)
                continue
            self.asking.add(one)
            try:
                answer = await asyncio.to_thread(self.suite.sign_in, person["slug"], person["email"], person["password"])
                self.kept[one] = answer["access_token"], time.monotonic() + min(TOKEN_SECONDS, answer["expires_in"] - 60)
            except (OSError, http.client.HTTPException, berth_flow.FlowError, ValueError, LookupError):
                await asyncio.sleep(0.3)        # parts of the suite are dead: it is asked again
            finally:
                self.asking.discard(one)
