# SPDX-License-Identifier: Apache-2.0
"""One phase of a run: clients at work while faults come, then healing, then the verdict."""
import asyncio
import itertools
import time

from . import checks
from . import final
from . import history
from . import log_check
from . import promises
from . import wire
from .clients import Client

DRAIN_SECONDS = 90
STOP_SECONDS = 60
PATIENCE_SECONDS = 90


class Run:
    def __init__(self, suite, tenants, tokens, seed, phase, folder):
        self.suite, self.tenants, self.seed, self.phase = suite, tenants, seed, phase
        self.path = folder / f"history-{seed}-{phase}.jsonl"
        self.history = history.History(self.path)
        self.context = wire.context_of(suite.info["ca"])
        self.tokens = tokens
        self.notes = itertools.count()
        self.until = self.latest = self.least = 0
        self.seconds = 0
        self.since = suite.sql("select size from audit.log_head")[0][0]      # leaves; clocks are moved meanwhile
        for tenant in tenants:
            tenant.furnish()

    def is_over(self):
        now = time.monotonic()
        return now >= self.latest or now >= self.until and self.history.counts["ok"] >= self.least

    @property
    def acknowledged(self):
        return self.history.changes

    def block_of(self, place):
        return self.tenants[place[0]].all_blocks[place[1]]

    def clients(self, count):
        """`count` clients in all, spread over the tenants and their people; some people have two."""
        seats = [(tenant, tenant.people[place % len(tenant.people)], place // len(tenant.people))
                 for place in range((count + len(self.tenants) - 1) // len(self.tenants)) for tenant in self.tenants]
        return [Client(number, self, *seat) for number, seat in enumerate(seats[:count])]

    async def work(self, seconds, clients, nemesis, least=0):
        """Clients and faults for that long, and on a slow machine longer, until `least` requests have succeeded; in the end everything
        runs again and every client has its answer."""
        begun = time.monotonic()
        self.until, self.latest, self.least = begun + seconds, begun + seconds + (PATIENCE_SECONDS if least else 0), least
        workers = [asyncio.create_task(client.work()) for client in self.clients(clients)]
        trouble = asyncio.create_task(nemesis.work(self))
        try:
            done, _ = await asyncio.wait([trouble, *workers], return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            self.latest = 0
            trouble.cancel()
            await asyncio.gather(trouble, return_exceptions=True)
            await nemesis.heal()
            await asyncio.wait(workers, timeout=STOP_SECONDS)
            self.seconds = time.monotonic() - begun
            self.history.close()

    async def drained(self):
        """Outboxes are empty and the newest head covers the log; told otherwise by the verdict."""
        end = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < end:
            waiting = sum(self.suite.sql(f"select count(*) from {schema}.outbox")[0][0] for schema in final.OUTBOXES)
            leaves, signed = self.suite.sql(
                "select (select size from audit.log_head), (select coalesce(max(size), 0) from audit.checkpoint)")[0]
            if not waiting and leaves == signed:
                return
            await asyncio.sleep(0.2)

    def verdict(self, all_of_it=True):
        """[(kind, evidence)]; of this phase alone unless `all_of_it`, which then judges the whole database and log besides."""
        end = final.Final(self.suite, self.tenants, self.since)
        areas = set().union(*(tenant.areas for tenant in self.tenants))
        if not all_of_it:
            end.restrict(areas, self.since)
        end.save(self.path.with_suffix(".final"), areas, {tenant.number: tenant.about() for tenant in self.tenants}, all_of_it)
        return judge(self.history.attempts, end, areas, {tenant.number: tenant.about() for tenant in self.tenants}, all_of_it)


def judge(attempts, end, areas, about, all_of_it):
    found = [*checks.stays(end), *checks.events(end), *checks.documents(end, areas)]
    if all_of_it:
        found += [("the audit log does not verify", text) for text in log_check.check(end)]
    matching = promises.Matching(attempts, end, areas)
    return [*found, *matching.faults, *promises.answers(attempts), *promises.keys(attempts), *promises.orders(attempts, matching, about)]
