# SPDX-License-Identifier: Apache-2.0
"""Bugs planted on purpose in a running suite, each of which the verdict must find. Some change the live schema or PostgreSQL's
settings; some are linked into one process (tests/chaos/plants) in front of what it calls, from objects that no other build has."""
import asyncio
import json
import os
import pathlib
import shlex
import shutil
import subprocess

from .machine import ROOT
from .nemesis import Nemesis

SOURCES = ROOT / "tests" / "chaos" / "plants"
LOST = "an acknowledged change is lost"
UNTOLD = "a committed change has no event"
TWICE = "a place or a person was booked twice"
FORGOTTEN = "a key was forgotten"
REFUSED = "a change that was refused or never asked for is there"


class Plant:
    """`expects`: the kind of violation that must be found. plant() and pull_up() run without clients, disturb() among them."""

    name = expects = None
    seconds = 6

    def __init__(self, machine, build):
        self.machine, self.suite, self.build = machine, machine.suite, build

    async def plant(self):
        pass

    async def disturb(self, nemesis, run):
        pass

    async def pull_up(self):
        pass


class Disturbing(Nemesis):
    """A plant's own disturbance, over and over."""

    def __init__(self, machine, seed, plant):
        super().__init__(machine, seed, {})
        self.plant = plant

    async def work(self, run):
        await asyncio.sleep(1)
        while not run.is_over():
            await self.plant.disturb(self, run)


async def busy(run, more):
    """`more` requests that changed something have succeeded since; on a slow machine that takes a while."""
    until = run.acknowledged + more
    while run.acknowledged < until and not run.is_over():
        await asyncio.sleep(0.02)


class KeysForgotten(Plant):
    name, expects, seconds = "an idempotency row is dropped", FORGOTTEN, 4

    async def disturb(self, nemesis, run):
        await busy(run, 40)
        self.suite.sql("delete from booking.idempotency")
        await asyncio.sleep(0.5)


class OutboxNotDurable(Plant):
    """The outbox does not share the fate of the change: PostgreSQL empties an unlogged table after a crash."""

    name, expects = "the outbox stands apart from the transaction", UNTOLD

    async def plant(self):
        self.suite.sql("alter table booking.outbox set unlogged")

    async def disturb(self, nemesis, run):
        self.machine.pause("auditsvc", True)
        try:
            await busy(run, 20)
            await nemesis.fault_power_cut("postgres")
        finally:
            self.machine.pause("auditsvc", False)

    async def pull_up(self):
        self.suite.sql("alter table booking.outbox set logged")


class CommitNotDurable(Plant):
    """Acknowledged before it is on disk, and then the machine stops."""

    name, expects = "an acknowledged write is lost", LOST
    settings = {"synchronous_commit": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB"}

    async def settle(self, values):
        for name, value in values.items():
            self.suite.sql(f"alter system set {name} = '{value}'" if value else f"alter system reset {name}")
        self.suite.sql("select pg_reload_conf()")

    async def plant(self):
        await self.settle(self.settings)

    async def disturb(self, nemesis, run):
        await busy(run, 60)
        await nemesis.fault_power_cut("postgres")

    async def pull_up(self):
        await self.settle(dict.fromkeys(self.settings))


class ConstraintDropped(Plant):
    name, expects, seconds = "the exclusion constraint is dropped", TWICE, 4

    async def plant(self):
        self.suite.sql("alter table booking.booking drop constraint booking_spot_free")

    async def pull_up(self):
        """What overlaps goes, or the constraint could not come back."""
        self.suite.sql("""
            update booking.booking b set status = 4, cancelled_at = now() where status <> 4 and exists (
                select from booking.booking o where o.spot_no = b.spot_no and o.id < b.id and o.status <> 4
                and tstzrange(o.starts_at, o.held_until) && tstzrange(b.starts_at, b.held_until))""")
        self.suite.sql("""
            alter table booking.booking add constraint booking_spot_free exclude using gist
            (spot_no with =, tstzrange(starts_at, held_until) with &&) where (spot_no is not null and status <> 4)""")


class Linked(Plant):
    """A process linked anew with the plant in front of what it calls (ld --wrap)."""

    process = source = None
    wraps = ()

    def commands(self, target):
        listing = subprocess.run(["ninja", "-C", str(self.build), "-t", "commands", target], capture_output=True, text=True, check=True)
        return listing.stdout.strip().splitlines()

    def compile(self, folder):
        """The plant's object, by the command that compiles the process's main.c."""
        database = json.loads((self.build / "compile_commands.json").read_text())
        entry = next(entry for entry in database if entry["file"] == str(ROOT / self.process / "main.c"))
        words = shlex.split(entry["command"])
        words = [word for word in words if pathlib.Path(word).name != "ccache"]
        words[words.index("-o") + 1] = str(folder / "plant.o")
        words[words.index("-c") + 1] = str(SOURCES / self.source)
        subprocess.run(words, cwd=entry["directory"], check=True)

    def link(self, folder):
        command = next(line for line in reversed(self.commands(f"bin/{self.process}")) if f"-o bin/{self.process}" in line)
        words = shlex.split(command.removeprefix(": && ").removesuffix(" && :"))
        place = words.index("-o")
        words[place + 1] = str(folder / self.process)
        words[place:place] = [str(folder / "plant.o"), *(f"-Wl,--wrap={name}" for name in self.wraps)]
        subprocess.run(words, cwd=self.build, check=True)

    async def install(self, binary):
        target = self.suite.state / "opt" / "bin" / self.process
        fresh = target.with_name(f".{self.process}.new")
        shutil.copy(binary, fresh)
        fresh.chmod(0o755)
        await self.machine.kill(self.process)
        os.rename(fresh, target)
        await self.machine.start(self.process)

    async def plant(self):
        folder = self.machine.run_dir / "plants" / self.process
        folder.mkdir(parents=True, exist_ok=True)
        self.compile(folder)
        self.link(folder)
        await self.install(folder / self.process)

    async def pull_up(self):
        await self.install(self.build / "bin" / self.process)


class OutboxApart(Linked):
    name, expects, seconds = "the outbox is written outside the transaction", UNTOLD, 6
    process, source = "bookingsvc", "outbox_apart.c"
    wraps = ("tx_begin", "tx_commit", "outbox_put", "outbox_put_with")

    async def disturb(self, nemesis, run):
        await busy(run, 20)
        await nemesis.fault_kill("bookingsvc")


class Resend(Linked):
    name, expects, seconds = "the link sends a lost request again", REFUSED, 8
    process, source, wraps = "gateway", "resend.c", ("link_send",)

    async def disturb(self, nemesis, run):
        await nemesis.fault_crash(("bookingsvc", "booking_change.after_commit"))
        await busy(run, 20)


PLANTS = (KeysForgotten, OutboxNotDurable, CommitNotDurable, ConstraintDropped, OutboxApart, Resend)
