# SPDX-License-Identifier: Apache-2.0
"""What was asked and what came back: one record for each attempt, with monotonic times, kept in memory and as a line of the file.

  number        of the attempt
  client, actor who asked: the client's number and the person
  asked, told   when it was sent and when its answer was there, in nanoseconds of one clock; told is null when none came
  op            create, update, cancel, check_in, check_out, read, list, foreign
  block         [tenant, number] of the block of time it is about
  key           the Idempotency-Key; attempts with one key of one actor are the same request
  args          what was asked
  outcome       ok, fail (refused: it must have had no effect) or unknown (it may have had one)
  status, code, reason of the answer; body: the booking or bookings shown, as stay_of() cuts them down; digest of the whole answer
"""
import hashlib
import itertools
import json
import time

from . import world

CHANGES = ("create", "update", "cancel", "check_in", "check_out")
FIELDS = ("number", "client", "actor", "asked", "told", "op", "block", "key", "args", "outcome", "status", "code", "reason", "body",
          "digest")


def stay_of(booking):
    """A booking of the API, as far as the checker looks at it."""
    return {
        "id": booking["id"], "spot": booking["spot_id"], "area": booking["area_id"], "person": booking["person_id"],
        "starts": world.micros(booking["starts_at"]), "ends": world.micros(booking["ends_at"]), "status": booking["status"],
        "left": booking["checked_out_at"] and world.micros(booking["checked_out_at"]), "version": booking["version"]}


def digest(body):
    return hashlib.sha256(body).hexdigest()[:16]


class Attempt:
    __slots__ = FIELDS

    def __init__(self, **fields):
        for name in FIELDS:
            setattr(self, name, fields.get(name))

    def line(self):
        return json.dumps({name: getattr(self, name) for name in FIELDS}, separators=(",", ":"))


class History:
    def __init__(self, path):
        self.attempts = []
        self.numbers = itertools.count(1)
        self.file = open(path, "w", encoding="utf-8", buffering=1 << 20)
        self.counts = {"ok": 0, "fail": 0, "unknown": 0}
        self.changes = 0        # acknowledged

    def ask(self, **fields):
        return Attempt(number=next(self.numbers), asked=time.monotonic_ns(), **fields)

    def close(self):
        self.file.close()

    def add(self, attempt):
        self.attempts.append(attempt)
        self.counts[attempt.outcome] += 1
        self.changes += attempt.outcome == "ok" and attempt.op in CHANGES
        self.file.write(attempt.line() + "\n")


def load(path):
    with open(path, encoding="utf-8") as file:
        return [Attempt(**json.loads(line)) for line in file]
