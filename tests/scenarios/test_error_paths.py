# SPDX-License-Identifier: Apache-2.0
"""Every error path: the Nth allocation, the Nth system call fails in a process that serves, for one N after the other. Nothing dies,
nothing leaks (the processes end under LeakSanitizer and hold no more descriptors), and a change is whole or absent: asked again it has one effect
and one event."""
import time
import uuid

import httpx
import pytest

import berth_fault
import berth_flow
import berth_suite
from berth_crash import ACTIONS, Work
from berth_suite import is_left, wait_for
from test_crash_points import ANSWERS, settled, usable

ORDER = 97
PROCESSES = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")

# The change whose calls fail, and the process in which they do.
SHORT = {"bookingsvc": ["booking_create"], "gateway": ["booking_create"], "authsvc": ["token"], "auditsvc": ["audit.append"],
         "gdprsvc": ["erasure"]}
LONG = {
    "bookingsvc": ["booking_create_many", "booking_change", "site_create", "area_update", "spot_create", "vehicle_create", "vehicle_list",
                   "delegation_create", "booking_erase"],
    "gateway": ["token", "booking_change", "vehicle_list"],
    "authsvc": ["person_invite", "person_update", "client_create", "invitation_accept", "registration", "logout", "revoke", "auth_erase"],
    "auditsvc": ["audit.erase"],
}
PLACES = [1, 3, 7, 16]
LONG_PLACES = range(1, 400)
# What takes the slow lane and changes nothing.
SLOW = {"gdprsvc": ("GET", f"/v1/people/{uuid.UUID(int=7)}/export"),
        "authsvc": ("POST", "/v1/invitations/accept", {"token": "x" * 43, "password": "no such invitation at all"})}
START_PLACES = [1, 20, 100]
LONG_START_PLACES = [*range(1, 60), *range(60, 2000, 17)]
SAMPLES = 20
ROUNDS_MOST = 6      # in which descriptors may grow
BROKEN = ("Sanitizer", "runtime error", "invariant")


def pytest_generate_tests(metafunc):
    if "kind" not in metafunc.fixturenames:
        return
    long = metafunc.config.getoption("--long")
    if "action" in metafunc.fixturenames:
        rows = [(process, action, kind) for process in PROCESSES for kind in berth_fault.KINDS
                for action in SHORT[process] + (LONG.get(process, []) if long else [])]
        metafunc.parametrize("process, action, kind", rows, ids=["-".join(row) for row in rows])
    else:
        metafunc.parametrize("process, kind", [(process, kind) for process in PROCESSES for kind in ("alloc", "call")])


@pytest.fixture(scope="module")
def faulty(suite):
    with berth_fault.loaded(suite, *PROCESSES):
        yield suite
    assert all(wait_for(lambda name=name: usable_or_edge(suite, name), 30, f"{name} again") for name in PROCESSES)


def usable_or_edge(suite, name):
    """Ready and reached through the gateway, by both lanes."""
    slug = suite.tenant(0)["slug"]
    if name == "gateway":
        return all(usable_or_edge(suite, other) for other in ANSWERS)
    return usable(suite, name, slug) and (name not in SLOW or not_away(suite.as_role(slug, "Admin"), *SLOW[name]))


def not_away(api, *request):
    try:
        return api.call(*request).status < 500
    except httpx.HTTPError:
        return False


def asked(change, work):
    """What the client sees: an answer, or nothing when it was cut off."""
    try:
        return change(work)
    except (httpx.HTTPError, AssertionError, OSError, LookupError, berth_flow.FlowError):
        return None


def whole(suite, slug, steps):
    """The change once without a failure: what it opens for good is open then."""
    prepare, change, check = steps
    work = Work(suite, slug)
    prepare(work)
    work.first = change(work)
    check(work)
    wait_for(lambda: settled(suite), 60, "the empty outboxes")


def least_held(faults):
    """Descriptors, once no client of ours keeps a connection: it may take one to come and go."""
    berth_suite.Api.hang_up()
    held = []
    for _ in range(SAMPLES):
        held.append(faults.descriptors())
        time.sleep(0.1)
    return None if None in held else min(held)


def failed_at_each(faulty, slug, process, action, kind, places):
    """The change again and again, with another call that fails each time, until it has no more."""
    prepare, change, check = ACTIONS[action]
    faults, missed = berth_fault.Faults(faulty, process), 0
    for nth in places:
        work = Work(faulty, slug)
        prepare(work)
        wait_for(lambda: settled(faulty), 30, "quiet before the failure")
        faults.arm(kind, nth)
        begun = time.monotonic()
        work.first = asked(change, work)
        seconds = time.monotonic() - begun
        # The outbox carries the change on; there too calls fail.
        if process in ("auditsvc", "gdprsvc"):
            wait_for(lambda: faults.told() or settled(faulty), 30, "the failure, or the end of the change")
        faults.arm(kind, 0)
        told = faults.told()
        assert is_left(faults.pid), f"{process} died when {kind} {nth} failed: {told}"
        assert seconds < 20, f"an answer after {seconds:.0f} s when {kind} {nth} failed: {told}"
        wait_for(lambda: usable_or_edge(faulty, process), 30, f"{process} after {told}")
        check(work)
        wait_for(lambda: settled(faulty), 60, f"the empty outboxes after {told}")
        work.check_events()
        missed = 0 if told else missed + 1
        # Threads in the background count too: that the change is over is believed the second time.
        if missed == 2:
            break


@pytest.mark.seconds(900)
def test_nothing_dies_and_no_change_is_half_made(faulty, slug, process, action, kind, pytestconfig):
    """Once more as long as descriptors grew: a connection that a worker opens when it first wants one stays, and what leaks goes on."""
    places = LONG_PLACES if pytestconfig.getoption("--long") else PLACES
    whole(faulty, slug, ACTIONS[action])
    held = least_held(berth_fault.Faults(faulty, process))
    for _ in range(ROUNDS_MOST):
        failed_at_each(faulty, slug, process, action, kind, places)
        before, held = held, least_held(berth_fault.Faults(faulty, process))
        if held is None or held <= before:
            return
    pytest.fail(f"{process} holds more descriptors after each round of failures, at last {held}")


@pytest.mark.seconds(900)
def test_a_start_that_fails_ends_with_a_word(faulty, process, kind, pytestconfig):
    faulty.ctl("stop", process)
    try:
        for nth in LONG_START_PLACES if pytestconfig.getoption("--long") else START_PLACES:
            code, served, text = berth_fault.start_failing(faulty, process, kind, nth)
            told = berth_fault.TOLD.findall(text)
            assert code in (0, 1, 2), f"exit {code} when {kind} {nth} failed: {told}\n{text[-3000:]}"
            assert not any(word in text for word in BROKEN), f"{kind} {nth} failed: {text[-3000:]}"
            assert served or '"error"' in text or "config: " in text, f"{process} ended without a word when {kind} {nth} failed: {text[-500:]}"
            if not told:
                break
    finally:
        faulty.ctl("start", process)
        faulty.reload()
