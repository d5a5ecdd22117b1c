# SPDX-License-Identifier: Apache-2.0
"""The checker itself: small histories and final states, right ones that it must accept and wrong ones that it must not."""
import base64
import itertools
import pathlib
import random
import sys
import uuid

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "lib")]

from chaos import checks, command, linear, log_check, model, promises  # noqa: E402
from chaos.history import Attempt  # noqa: E402
from chaos.world import instant, micros  # noqa: E402

SPOTS, POOL, NAMED, CAPACITY = ["spot-one", "spot-two"], "pool", "named", 2
TENANT = uuid.UUID(int=7)


def stay(one, spot="spot-one", person="ann", starts=10, ends=20, version=1, status="confirmed", left=None, area=NAMED):
    return {"id": one, "spot": spot, "area": area, "person": person, "starts": starts, "ends": ends, "status": status, "left": left,
            "version": version}


def made(asked, told, after, action="booking.create"):
    return linear.Step(asked, told, None, action, model.Stay(after))


def cancelled(asked, told, after):
    return made(asked, told, {**after, "version": after["version"] + 1, "status": "cancelled"}, "booking.cancel")


def answer(op, outcome="ok", body=None, code=None, reason=None, number=1, **args):
    return Attempt(number=number, op=op, outcome=outcome, body=body, code=code, reason=reason, args=args, client=0, actor="ann",
                   status=200 if outcome == "ok" else 409, block=[0, 0], asked=0, told=1, digest="d")


def asked(begin, end, attempt):
    return linear.Step(begin, end, attempt)


def read(begin, end, body):
    return asked(begin, end, answer("read", body=body, id=body["id"]))


def refused(begin, end, code="spot_taken", spot="spot-one", person="ann", starts=10, ends=20):
    return asked(begin, end, answer("create", "fail", code=code, spot_id=spot, person=person, starts=starts, ends=ends))


A, B = stay("a"), stay("b", person="bob", starts=15, ends=25)
A2 = stay("a", version=2, starts=30, ends=40)

HISTORIES = {
    "a stay and what overlaps it is refused": (True, [made(0, 1, A), refused(2, 3, starts=15, ends=25, person="bob")]),
    "a refusal while nothing is there": (False, [refused(0, 1), made(2, 3, A)]),
    "a refusal at the same time as what it collides with": (True, [refused(0, 5, starts=11, ends=19), made(1, 4, A)]),
    "a refusal after what it collided with was cancelled": (False, [made(0, 1, A), cancelled(2, 3, A), refused(4, 5, starts=11, ends=19)]),
    "two stays in one spot at one time": (False, [made(0, 1, A), made(2, 3, B)]),
    "two stays one after the other": (True, [made(0, 1, A), made(2, 3, stay("b", person="bob", starts=20, ends=25))]),
    "a person in two places": (False, [made(0, 1, A), made(2, 3, stay("b", spot="spot-two"))]),
    "the spot is free again after a cancellation": (True, [made(0, 1, A), cancelled(2, 9, A), made(3, 8, B)]),
    "the spot is taken before the cancellation begins": (False, [made(0, 1, A), made(2, 3, B), cancelled(4, 5, A)]),
    "an old version is read after a change was acknowledged": (False, [made(0, 1, A), made(2, 3, A2, "booking.update"), read(4, 5, A)]),
    "either version is read while the change is under way": (True, [
        made(0, 1, A), made(2, 9, A2, "booking.update"), read(3, 4, A), read(5, 6, A2)]),
    "a change is seen and then unseen": (False, [made(0, 1, A), made(2, 9, A2, "booking.update"), read(3, 4, A2), read(5, 6, A)]),
    "a change of unknown outcome is seen late": (True, [made(0, 1, A), made(2, None, A2, "booking.update"), read(3, 4, A), read(8, 9, A2)]),
    "a version is skipped": (False, [made(0, 1, A), made(2, 3, {**A2, "version": 3}, "booking.update")]),
    "a list without an acknowledged stay": (False, [made(0, 1, A), asked(2, 3, answer("list", body=[], person=None))]),
    "a list of one's own leaves others out": (True, [made(0, 1, B), asked(2, 3, answer("list", body=[], person="ann"))]),
    "a list shows what is not there yet": (False, [asked(0, 1, answer("list", body=[A], person=None)), made(2, 3, A)]),
    "the version given was the right one and was called stale": (False, [
        made(0, 1, A), asked(2, 3, answer("cancel", "fail", code="version_stale", id="a", version=1))]),
    "a stale version is refused": (True, [
        made(0, 1, A), made(2, 3, A2, "booking.update"), asked(4, 5, answer("cancel", "fail", code="version_stale", id="a", version=1))]),
    "a stay is not found though it is there": (False, [made(0, 1, A), asked(2, 3, answer("read", "fail", code="not_found", id="a"))]),
    "a pool is full": (True, [
        made(0, 1, stay("a", None, area=POOL)), made(2, 3, stay("b", None, "bob", area=POOL)),
        asked(4, 5, answer("create", "fail", code="area_full", area_id=POOL, person="cy", starts=12, ends=14))]),
    "a pool is called full with a place left": (False, [
        made(0, 1, stay("a", None, area=POOL)),
        asked(4, 5, answer("create", "fail", code="area_full", area_id=POOL, person="cy", starts=12, ends=14))]),
    "a pool takes one too many": (False, [
        made(time, time + 1, stay(f"{time}", None, f"p{time}", area=POOL)) for time in (0, 2, 4)]),
    "who has left holds nothing more": (True, [
        made(0, 1, A), made(2, 3, stay("a", version=2, status="checked_in"), "booking.check_in"),
        made(4, 5, stay("a", version=3, status="completed", left=12), "booking.check_out"),
        made(6, 7, stay("b", person="bob", starts=12))]),
    "arriving twice": (False, [
        made(0, 1, A), made(2, 3, stay("a", version=2, status="checked_in"), "booking.check_in"),
        made(4, 5, stay("a", version=3, status="checked_in"), "booking.check_in")]),
    "the stored answer was due, not a refusal by the stay itself": (False, [made(0, None, A), refused(2, 3)]),
}


def new_model():
    return model.Model(NAMED, SPOTS, POOL, CAPACITY)


@pytest.mark.parametrize("right, steps", HISTORIES.values(), ids=HISTORIES.keys())
def test_a_history(right, steps):
    search = linear.Search(steps, new_model())
    assert search.run() == right
    assert right or search.evidence()


def tried_all(steps):
    """The same question by trying every order."""
    for order in itertools.permutations(steps):
        if any(later.told < earlier.asked for place, earlier in enumerate(order) for later in order[place + 1:]):
            continue
        state = new_model()
        for step in order:
            if not step.fits(state):
                break
            if step.after is not None:
                state.write(step.after)
        else:
            return True
    return False


def random_step(dice, number):
    begin = dice.randrange(8)
    end = None if dice.random() < 0.2 else begin + 1 + dice.randrange(6)
    one = dice.choice("ab")
    kind = dice.randrange(5)
    if kind == 0:
        return refused(begin, end or begin + 1, starts=5, ends=12)
    if kind == 1:
        return read(begin, end or begin + 1, stay(one, person=one, version=dice.randint(1, 2), starts=10 + 10 * dice.randrange(2), ends=30))
    if kind == 2:
        return asked(begin, end or begin + 1, answer("list", body=[], person=dice.choice("ab"), number=number))
    version = dice.randint(1, 2)
    action = "booking.create" if version == 1 else "booking.update"
    return made(begin, end, stay(one, dice.choice(SPOTS), one, 10 + 10 * dice.randrange(2), 30, version), action)


def test_the_search_agrees_with_trying_every_order():
    verdicts = []
    for seed in range(1500):
        dice = random.Random(seed)
        steps = [random_step(dice, number) for number in range(dice.randint(2, 5))]
        right = linear.Search(steps, new_model()).run()
        assert right == tried_all(steps), f"seed {seed}: {[str(step) for step in steps]}"
        verdicts.append(right)
    assert 100 < sum(verdicts) < 1400, "the cases say something"


# -- the final database and the log

class End:
    def __init__(self, bookings=(), told=(), waiting=0):
        self.bookings = {row["id"]: row for row in bookings}
        self.waiting = {"booking": waiting}
        self.events, self.documents, self.heads = [], {}, []
        for one, version, action, before, after in told:
            row = event(len(self.events), one, version, action)
            self.events.append(row)
            self.documents[row["id"]] = before, after


def event(leaf, one, version, action):
    row = {
        "leaf": leaf, "tenant_id": TENANT, "id": uuid.UUID(int=leaf + 1), "at": 5, "service": "bookingsvc", "action": action,
        "object_type": "booking", "object_id": one, "version": version, "actor_id": "ann", "client_id": None, "on_behalf_id": None,
        "subject_id": None, "request_id": None, "before_digest": None, "after_digest": bytes(32), "erased": False}
    return row


def row(one, version=1, spot="s", person="p", starts=10, held=20, status="confirmed", pooled=False):
    return {"tenant": "t", "id": one, "spot": spot, "area": NAMED, "pooled": pooled, "capacity": 1, "person": person, "starts": starts,
            "ends": held, "held": held, "status": status, "version": version}


CREATE, UPDATE = "booking.create", "booking.update"
TWICE = "a place or a person was booked twice"
STATES = {
    "neighbours in time": ([], End([row("a"), row("b", starts=20, held=30)], [("a", 1, CREATE, None, None), ("b", 1, CREATE, None, None)])),
    "a spot held twice": ([TWICE], End([row("a"), row("b", person="q", starts=19, held=30)])),
    "a person twice": ([TWICE], End([row("a"), row("b", spot="r", starts=19, held=30)])),
    "a long stay around a short one": ([TWICE], End([
        row("a", starts=1, held=50), row("b", person="q", starts=2, held=3), row("c", person="r", starts=9, held=12)])),
    "a cancelled stay holds nothing": ([], End([row("a"), row("b", status="cancelled")])),
    "a pool over its capacity": (["a pool holds more than its capacity"], End([
        row("a", spot=None, pooled=True), row("b", spot=None, person="q", starts=19, held=30, pooled=True)])),
    "a change without its event": (["a committed change has no event"], End([row("a", 2)], [("a", 1, CREATE, None, None)])),
    "an event twice": (["a change has two events"], End([row("a")], [("a", 1, CREATE, None, None)] * 2)),
    "an event of a change that is not there": (["an event tells of a change that was rolled back"], End([row("a")], [
        ("a", 1, CREATE, None, None), ("a", 2, UPDATE, None, None)])),
    "an event of a stay that is not there": (["an event tells of a change that was rolled back"], End([], [("a", 1, CREATE, None, None)])),
    "events out of order": (["events of one booking stand in the wrong order"], End([row("a", 2)], [
        ("a", 2, UPDATE, None, None), ("a", 1, CREATE, None, None)])),
    "an outbox that does not drain": (["an outbox does not drain"], End(waiting=3)),
}


@pytest.mark.parametrize("kinds, end", STATES.values(), ids=STATES.keys())
def test_a_final_state(kinds, end):
    found = {kind for kind, _ in checks.stays(end)}
    if end.events or end.waiting["booking"]:
        found |= {kind for kind, _ in checks.events(end)}
    assert found == set(kinds)


def shown(one, version=1, starts=10, ends=20):
    return {"id": one, "spot_id": "s", "area_id": NAMED, "person_id": "ann", "starts_at": instant(starts), "ends_at": instant(ends),
            "status": "confirmed", "version": version, "checked_out_at": None, "note": None}


def seen(one, version=1, starts=10, ends=20):
    return stay(one, "s", "ann", starts, ends, version)


def create(outcome="ok", body=None, digest="d", number=1, key="k", code=None):
    attempt = answer("create", outcome, body, code, number=number, starts=10, ends=20, person="ann", spot_id="s")
    attempt.key, attempt.digest = key, digest
    return attempt


TOLD = [("a", 1, CREATE, None, shown("a"))]
LOST, THERE = "an acknowledged change is lost", "a change that was refused or never asked for is there"
PROMISES = {
    "what was acknowledged is there": ([], [create(body=seen("a"))], TOLD),
    "what was acknowledged is not": ([LOST], [create(body=seen("a"))], []),
    "what was refused is not": ([], [create("fail", code="spot_taken")], []),
    "what was refused is there": ([THERE], [create("fail", code="spot_taken")], TOLD),
    "what nobody asked for is there": ([THERE], [], TOLD),
    "what is unknown is there": ([], [create("unknown")], TOLD),
    "what is unknown is not": ([], [create("unknown")], []),
    "it is there otherwise than it was told": (["an acknowledged change is not what was told"], [create(body=seen("a", ends=19))], TOLD),
    "a retry gets the same answer": ([], [create("unknown"), create(body=seen("a"), number=2), create(body=seen("a"), number=3)], TOLD),
    "a retry gets another answer": (["one key got two answers"], [
        create(body=seen("a")), create(body=seen("a"), digest="e", number=2)], TOLD),
    "two requests are told that they made one change": (["one change was acknowledged to two requests"], [
        create(body=seen("a")), create(body=seen("a"), number=2, key="l")], TOLD),
    "a neighbour's stay is shown": (["a booking of another tenant was shown"], [answer("foreign", body=seen("x"), id="x")], []),
    "a neighbour's stay is forbidden and so betrayed": (["an answer that cannot be"], [
        answer("foreign", "fail", code="forbidden", id="x")], []),
    "a key is good for another request": (["a key was forgotten"], [answer("reuse", body=seen("x"), first=1)], []),
    "a repeat is refused": (["a key was forgotten"], [answer("repeat", "fail", code="spot_taken", first=1)], []),
}


@pytest.mark.parametrize("kinds, attempts, told", PROMISES.values(), ids=PROMISES.keys())
def test_a_promise(kinds, attempts, told):
    end = End([row(one) for one in {entry[0] for entry in told}], told)
    matching = promises.Matching(attempts, end, {NAMED})
    found = [*matching.faults, *promises.answers(attempts), *promises.keys(attempts)]
    assert {kind for kind, _ in found} == set(kinds)


# -- the signed log

def signed_log(count=7, heads=(3, 7)):
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    end, tree = End(), log_check.Tree()
    for leaf in range(count):
        one = {**event(leaf, uuid.UUID(int=99), leaf + 1, CREATE), "actor_id": uuid.UUID(int=3)}
        one["leaf_hash"] = log_check.leaf_hash(one)
        end.events.append(one)
        tree.append(one["leaf_hash"])
        if leaf + 1 in heads:
            head = {"size": leaf + 1, "origin": "log", "root_hash": tree.root(), "signed": 1500000, "public_key": public}
            note = f"log\n{leaf + 1}\n{base64.b64encode(tree.root()).decode()}\n1970-01-01T00:00:01.5Z\n"
            end.heads.append({**head, "signature": key.sign(note.encode())})
    return end


def test_a_right_log_is_accepted():
    assert not list(log_check.check(signed_log()))


TAMPERED = {
    "a changed row": lambda end: end.events[2].update(version=9),
    "a changed row with its hash": lambda end: (
        end.events[2].update(version=9), end.events[2].update(leaf_hash=log_check.leaf_hash(end.events[2]))),
    "a leaf taken out": lambda end: end.events.pop(4),
    "the last leaf taken off": lambda end: end.events.pop(),
    "two leaves exchanged": lambda end: (
        end.events[0].update(leaf=1), end.events[1].update(leaf=0), end.events.insert(0, end.events.pop(1))),
    "another root": lambda end: end.heads[0].update(root_hash=bytes(32)),
    "another instant": lambda end: end.heads[1].update(signed=7),
    "a leaf that no head covers": lambda end: end.heads.pop(),
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_tampered_log_is_found(tamper):
    end = signed_log()
    tamper(end)
    assert list(log_check.check(end))


@pytest.mark.parametrize("us", [0, 1, 1500000, 951782400 * 10**6, 1795486367416350])
def test_instants_are_read_as_they_are_written(us):
    assert micros(instant(us)) == us and micros(log_check.instant(us)) == us


@pytest.mark.parametrize("operations, kills, seconds, missing", [
    (20000, 30, 180, []), (19999, 30, 180, ["operations"]), (20000, 29, 180, ["kills"]), (0, 0, 180, ["operations", "kills"]),
    (33334, 50, 300, []), (33000, 49, 300, ["operations", "kills"]), (10, 0, 43, [])], ids=str)
def test_a_run_in_which_little_happened_is_no_verdict(operations, kills, seconds, missing):
    found = command.scant({"operations": operations, "kills": kills}, seconds)
    assert [text.split()[1] for _, text in found] == missing and all(kind == "too little happened" for kind, _ in found)
