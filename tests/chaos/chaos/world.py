# SPDX-License-Identifier: Apache-2.0
"""What the clients act on: tenants with people, a site, named spots and a pool made for this run, and blocks of time.

A block is a stretch of time of one tenant that no stay crosses. Spots, pools and people are then decided block by block, so each
block is a small object of its own whose history can be checked for linearizability."""
import calendar
import itertools
import random
import time

import berth_suite

SPOTS = 3
POOL_CAPACITY = 3
EXTRA_USERS = 5
STEPS = 12                  # places in a block where a stay may start
FAR_STEP_US = 600 * 10**6
NEAR_STEP_US = 10**6 // 2
NEAR_FROM_S, NEAR_TO_S = 150, 1500      # check-in opens half an hour before the start
OPERATIONS_IN_A_BLOCK = 90
BLOCKS_AT_ONCE = 6
DAY_US = 86400 * 10**6


def instant(us):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(us // 10**6)) + f".{us % 10**6:06d}Z"


def micros(text):
    """Microseconds since 1970 of an instant as the API writes it, in UTC."""
    seconds = calendar.timegm((int(text[:4]), int(text[5:7]), int(text[8:10]), int(text[11:13]), int(text[14:16]), int(text[17:19])))
    return seconds * 10**6 + int((text[20:-1] + "000000")[:6])


class Block:
    """`stays`: what clients have seen of the bookings in it, {id: {"version", "person_id", "status"}}; only a hint."""

    def __init__(self, number, tenant, starts_us, step_us, near):
        self.number, self.tenant, self.near = number, tenant, near
        self.starts_us, self.step_us = starts_us, step_us
        self.ends_us = starts_us + (STEPS + 1) * step_us
        self.marks = itertools.count(1)
        self.operations = 0
        self.stays = {}

    def interval(self, dice):
        """An interval that nobody else in this run asks for: its microseconds are its mark."""
        mark = next(self.marks)
        first = dice.randrange(STEPS - 1)
        steps = dice.randint(1, min(3, STEPS - first))
        start = self.starts_us + first * self.step_us + mark
        return start, start + steps * self.step_us - self.step_us // 4

    def is_usable(self, now_us):
        return self.operations < OPERATIONS_IN_A_BLOCK and (not self.near or self.starts_us > now_us + 60 * 10**6)


class Tenant:
    def __init__(self, number, suite, slug, dice, first_day):
        self.number, self.suite, self.slug = number, suite, slug
        self.id = suite.tenants[slug]["id"]
        self.people = []
        self.blocks = []
        self.all_blocks = []
        self.far_us = (int(time.time()) // 86400 + first_day) * DAY_US
        self.near_us = 0
        self.dice = dice

    def furnish(self):
        """A site and blocks of its own for one phase; people and time go on."""
        self.blocks = []
        admin = self.suite.as_role(self.slug, "Admin")
        mark = f"{self.dice.getrandbits(40):010x}"
        self.site = admin.post("/v1/sites", {"name": f"Chaos {mark}", "time_zone": "Etc/UTC"}).expect(201).body["id"]
        self.area = admin.post("/v1/areas", {"site_id": self.site, "name": "Named", "window_days": 730}).expect(201).body["id"]
        self.spots = [admin.post("/v1/spots", {"area_id": self.area, "name": f"{number}"}).expect(201).body["id"]
                      for number in range(SPOTS)]
        self.pool = admin.post("/v1/areas", {
            "site_id": self.site, "name": "Pool", "inventory": "pooled", "capacity": POOL_CAPACITY,
            "window_days": 730}).expect(201).body["id"]

    def populate(self, extra):
        self.people = [dict(person, slug=self.slug) for person in self.suite.tenants[self.slug]["people"]]
        self.people += [self.suite.new_person(self.slug) for _ in range(extra)]
        assistant = next(person for person in self.people if person["role"] == "Assistant")
        principal = self.people[-1]
        self.suite.as_role(self.slug, "Admin").post(
            "/v1/delegations", {"assistant_id": assistant["id"], "principal_id": principal["id"]}).expect(201)
        assistant["principal_id"] = principal["id"]

    def block(self, dice):
        """One of the blocks in use; a worn-out one is replaced."""
        now_us = time.time_ns() // 1000
        self.blocks = [block for block in self.blocks if block.is_usable(now_us)]
        while len(self.blocks) < BLOCKS_AT_ONCE:
            self.blocks.append(self.new_block(now_us, near=len(self.blocks) % 3 == 0))
        return dice.choice(self.blocks)

    def new_block(self, now_us, near):
        number = len(self.all_blocks)
        if near:
            self.near_us = max(self.near_us, now_us + NEAR_FROM_S * 10**6)
            if self.near_us < now_us + NEAR_TO_S * 10**6:
                block = Block(number, self, self.near_us, NEAR_STEP_US, True)
                self.near_us = block.ends_us
                self.all_blocks.append(block)
                return block
        block = Block(number, self, self.far_us, FAR_STEP_US, False)
        self.far_us = block.ends_us
        self.all_blocks.append(block)
        return block

    def about(self):
        """What the model has to know of the places."""
        return {"area": self.area, "spots": self.spots, "pool": self.pool, "capacity": POOL_CAPACITY}

    @property
    def areas(self):
        return {self.area, self.pool}


def build(run_dir, seed, tenants=2, extra=EXTRA_USERS, first_day=3):
    """The suite of the run directory, with its tenants populated."""
    suite = berth_suite.Suite(run_dir)
    made = []
    for number, tenant in enumerate(suite.demo["tenants"][:tenants]):
        made.append(Tenant(number, suite, tenant["slug"], random.Random(f"{seed}/tenant/{number}"), first_day))
        made[-1].populate(extra)
    return suite, made
