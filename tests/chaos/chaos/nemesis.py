# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, in an order that the seed decides: kills, crash points, pauses, cuts, and a cache that forgets."""
import asyncio
import random
import time

import psycopg2
import redis

from .machine import PROCESSES

# Crash points that the clients' requests pass by themselves.
HOT = {
    "bookingsvc": ("booking_create.claimed", "booking_create.added", "booking_create.before_commit", "booking_create.after_commit",
                   "booking_create_many.claimed", "booking_create_many.added", "booking_create_many.before_commit",
                   "booking_create_many.after_commit", "booking_change.changed", "booking_change.before_commit",
                   "booking_change.after_commit", "outbox.before_send", "outbox.after_send", "outbox.before_mark"),
    "auditsvc": ("audit.append.before_commit", "audit.append.after_commit", "audit.checkpoint.signed", "audit.checkpoint.stored")}
# Whose clock jumps, and by how many seconds: further than a token's leeway; the edge's, out of a token's life. What a booking may
# still do is judged by bookingsvc's clock, and jumps there stay within what the clients leave between now and the next stay.
SHIFTED = {"gateway": (-900, -30, 30, 900), "authsvc": (-60, -7, 7, 60), "bookingsvc": (-60, -7, 7, 60), "auditsvc": (-3600, -7, 7, 3600)}
CRASH_SECONDS = 6       # for a process that is to die at a point
READY_S = 15


class Nemesis:
    """`kinds`: which of the methods fault_<kind> may come; `points` {process: names} of the build's crash points."""

    def __init__(self, machine, seed, points, kinds=None, calm=(0.4, 1.6)):
        self.machine, self.points, self.calm = machine, points, calm
        self.dice = random.Random(f"{seed}/nemesis")
        self.kinds = kinds
        self.bag = []
        self.kills, self.faults = {}, {}
        self.log = []

    def note(self, what):
        self.log.append((time.monotonic(), what))

    def killed(self, name):
        self.kills[name] = self.kills.get(name, 0) + 1

    def fill(self):
        """One of each, in a new order."""
        bag = [("kill", name) for name in (*PROCESSES, "bookingsvc", "postgres", "redis")]
        bag += [("power_cut", "postgres"), ("kill_two", ("bookingsvc", "auditsvc")), ("kill_two", ("gateway", "bookingsvc"))]
        bag += [("crash", (process, name)) for process, names in HOT.items() for name in names if name in self.points.get(process, ())]
        bag += [("pause", name) for name in (*PROCESSES, "postgres", "redis")]
        bag += [("forget", "redis"), ("hang_up", "postgres"), ("hang_up", "redis"), ("restart", "bookingsvc")]
        if self.machine.can_cut:
            bag += [("cut", name) for name in ("gateway.bookingsvc.FAST", "bookingsvc.auditsvc.FAST", "gateway.authsvc.FAST")]
        bag += [("clock", name) for name in SHIFTED]
        if self.machine.can_fill:
            bag += [("full_disk", "postgres")] * 2
        if self.kinds is not None:
            bag = [fault for fault in bag if fault[0] in self.kinds]
        self.dice.shuffle(bag)
        return bag

    async def work(self, run):
        await asyncio.sleep(1)
        while not run.is_over():
            if not self.bag:
                self.bag = self.fill()
            kind, what = self.bag.pop()
            self.note(f"{kind} {what}")
            self.faults[kind] = self.faults.get(kind, 0) + 1
            await getattr(self, "fault_" + kind)(what)
            await asyncio.sleep(self.dice.uniform(*self.calm))

    async def heal(self):
        """Everything runs, undisturbed, and says that it is ready."""
        self.machine.mend()
        self.machine.free_disk()
        for process in PROCESSES:
            self.machine.shift_clock(process, 0)
            self.machine.tell(process, None)
        for name in ("postgres", "redis", "mail", *PROCESSES):
            self.machine.pause(name, False)
        await self.machine.start("postgres", "redis", "mail", "authsvc", "auditsvc", "bookingsvc", "gdprsvc", "gateway")
        self.note("healed")

    def moment(self):
        return asyncio.sleep(self.dice.choice((0, 0.1, 0.5, 1.5)))

    # -- faults

    async def fault_kill(self, name):
        self.killed(name)
        await self.machine.kill(name, with_children=False)
        await self.moment()
        await self.machine.start(name)

    async def fault_power_cut(self, name):
        self.killed(name)
        await self.machine.kill(name)
        await self.moment()
        await self.machine.start(name)

    async def fault_kill_two(self, names):
        for name in names:
            self.killed(name)
        await asyncio.gather(*(self.machine.kill(name) for name in names))
        await self.moment()
        await self.machine.start(*names)

    async def fault_restart(self, name):
        await self.machine.ctl("restart", name)

    async def fault_crash(self, what):
        """Killed, started so that it dies at the point the nth time, and started again as it was."""
        process, point = what
        self.machine.tell(process, f"BERTH_CRASH_AT={point}:{self.dice.randint(1, 6)}")
        self.killed(process)
        await self.machine.kill(process)
        await self.machine.ctl("start", process)       # may be dead again before it is ready
        end = time.monotonic() + CRASH_SECONDS
        while self.machine.is_alive(process) and time.monotonic() < end:
            await asyncio.sleep(0.05)
        if self.machine.is_alive(process):
            self.note(f"{point} was not passed")
            await self.machine.kill(process)
        else:
            self.faults["crash_point"] = self.faults.get("crash_point", 0) + 1
        self.killed(process)
        self.machine.tell(process, None)
        await self.machine.start(process)

    async def fault_pause(self, name):
        self.machine.pause(name, True)
        try:
            await asyncio.sleep(self.dice.choice((0.3, 1, 2, 6)))
        finally:
            self.machine.pause(name, False)

    async def fault_cut(self, arrow):
        self.machine.cut([self.machine.ports[arrow]])
        try:
            await asyncio.sleep(self.dice.choice((0.5, 2, 6)))
        finally:
            self.machine.mend()

    async def fault_clock(self, name):
        """There and back, as when a time server is wrong for a while."""
        self.machine.shift_clock(name, self.dice.choice(SHIFTED[name]))
        try:
            await asyncio.sleep(self.dice.choice((0.3, 1, 3)))
        finally:
            self.machine.shift_clock(name, 0)

    async def fault_full_disk(self, name):
        """PostgreSQL may not survive a log that it cannot write; then it is started again, when there is room."""
        self.machine.fill_disk()
        try:
            await asyncio.sleep(self.dice.choice((1, 3)))
        finally:
            self.machine.free_disk()
        if not self.machine.is_alive(name):
            self.faults["died_of_full_disk"] = self.faults.get("died_of_full_disk", 0) + 1
        await self.machine.start(name)

    async def fault_forget(self, _name):
        self.quietly(lambda: self.machine.redis("FLUSHALL"))

    async def fault_hang_up(self, name):
        if name == "postgres":
            self.quietly(self.machine.hang_up_postgres)
        else:
            self.quietly(lambda: self.machine.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))

    def quietly(self, act):
        try:
            act()
        except (psycopg2.Error, redis.RedisError, OSError) as error:
            self.note(f"could not: {type(error).__name__}")
