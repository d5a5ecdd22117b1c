# SPDX-License-Identifier: Apache-2.0
"""A process dies at each named point between a change and its acknowledgement. Afterwards a retry has one effect, every committed
change has one event, and what was begun is finished. The short run takes those of the main job; --long takes all."""
import json
import secrets
import subprocess

import httpx
import pytest

import berth_flow
from berth_crash_oauth import ACTIONS
from berth_crash_roles import REPLAY, Work
from berth_suite import ROOT, is_left, wait_for

ORDER = 95

# (point, process) of the main job; any other is for --long.
SHORT = {
    ("booking_create_many.before_commit", "bookingsvc"), ("booking_create_many.after_commit", "bookingsvc"),
    ("booking_change.after_commit", "bookingsvc"), ("booking_erase.after_commit", "bookingsvc"), ("outbox.before_send", "bookingsvc"),
    ("outbox.after_send", "bookingsvc"), ("outbox.before_mark", "bookingsvc"), ("audit.append.before_commit", "auditsvc"),
    ("audit.append.after_commit", "auditsvc"), ("audit.checkpoint.signed", "auditsvc"), ("audit.erase.before_commit", "auditsvc"),
    ("erasure.after_begin", "gdprsvc"), ("erasure.after_step", "gdprsvc"), ("erasure.before_confirm", "gdprsvc"),
    ("auth_erase.before_commit", "authsvc"), ("token.after_commit", "authsvc"), ("token_many.after_commit", "authsvc"),
    ("person_invite.after_commit", "authsvc"), ("factor_start.before_commit", "authsvc"), ("factor_confirm.after_commit", "authsvc"),
    ("factor_codes.before_commit", "authsvc"), ("factor_remove.after_commit", "authsvc"), ("me_factor_delete.before_commit", "authsvc"),
    ("person_factors_reset.after_commit", "authsvc"), ("role_grant_approve.after_commit", "authsvc"), ("ownership_transfer.before_commit", "authsvc"),
    ("logout_notice.sent", "authsvc"), ("logout_give_up.after_commit", "authsvc"),
    ("client_update.after_commit", "authsvc"),
}


def crash_points():
    """[(name, process)]"""
    outcome = subprocess.run([str(ROOT / "tests" / "probe"), "crash-points"], capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr
    points = [json.loads(line) for line in outcome.stdout.splitlines()]
    return [(point["name"], process) for point in points for process in point["processes"]]


def pytest_generate_tests(metafunc):
    if "point" in metafunc.fixturenames:
        rows = [pytest.param(name, process, id=f"{process}-{name}") for name, process in crash_points()
                if (name, process) in SHORT or metafunc.config.getoption("--long")]
        metafunc.parametrize("point, process", rows)


def told(suite, process, line):
    """Sets or clears what the process is told besides, and starts it anew; one that is to die may do so before it is ready."""
    path = suite.state / "etc" / f"{process}.local.env"
    kept = [old for old in (path.read_text().splitlines() if path.exists() else []) if not old.startswith("BERTH_CRASH_AT=")]
    path.write_text("".join(f"{word}\n" for word in [*kept, *([line] if line else [])]))
    path.chmod(0o644)
    try:
        suite.ctl("restart" if line else "start", process)
    except AssertionError:
        if not line:
            raise
    suite.reload()


def action_for(point, process):
    """The change that passes the point."""
    name = point.rsplit(".", 1)[0]
    if name == "outbox":
        name = {"authsvc": "person_invite", "bookingsvc": "booking_create", "gdprsvc": "erasure"}[process]
    if "revoke_commit" in point:
        return REPLAY
    assert name in ACTIONS, f"no action is known that passes {point}: add it to tests/lib/berth_crash.py"
    return ACTIONS[name]


def settled(suite):
    return all(suite.sql(f"select count(*) from {schema}.outbox")[0][0] == 0 for schema in ("auth", "booking", "gdpr"))


ANSWERS = {"authsvc": "/v1/people?limit=1", "bookingsvc": "/v1/sites?limit=1", "auditsvc": "/v1/audit/checkpoint",
           "gdprsvc": "/v1/erasures?limit=1"}


def usable(suite, process, slug):
    """Ready, and reached through the gateway."""
    try:
        return suite.ready(process) and suite.as_role(slug, "Admin").get(ANSWERS[process]).status == 200
    except (httpx.HTTPError, berth_flow.FlowError):
        return False


def test_every_point_has_its_action():
    points = set(crash_points())
    assert SHORT <= points
    assert all(action_for(name, process) for name, process in points)


@pytest.mark.seconds(300)
def test_a_crash_at(suite, slug, point, process):
    prepare, change, check = action_for(point, process)
    work = Work(suite, slug)
    prepare(work)
    wait_for(lambda: settled(suite), 30, "quiet before the crash")
    died = False
    try:
        told(suite, process, f"BERTH_CRASH_AT={point}")
        pid = suite.pid(process)
        wait_for(lambda: not is_left(pid) or usable(suite, process, slug), 30, "the start")
        try:
            work.first = change(work)
        except (httpx.HTTPError, AssertionError, OSError, LookupError, berth_flow.FlowError):
            work.first = None       # cut off in the middle, as meant
        died = wait_for(lambda: not is_left(pid), 20, "the crash: does the action pass the point?")
    finally:
        if not died:
            suite.ctl("stop", process)
        told(suite, process, None)
    wait_for(lambda: usable(suite, process, slug), 30, "the recovery")
    check(work)
    wait_for(lambda: settled(suite), 30, "the empty outboxes")
    work.check_events()


@pytest.mark.seconds(180)
def test_a_point_named_by_the_environment_of_a_start_is_passed_on(suite, slug, admin, monkeypatch):
    name = f"Site {secrets.token_hex(6)}"
    try:
        with monkeypatch.context() as there:
            there.setenv("BERTH_CRASH_AT", "site_create.before_commit:1")
            suite.ctl("restart", "bookingsvc")
        pid = suite.pid("bookingsvc")
        wait_for(lambda: usable(suite, "bookingsvc", slug), 30, "the start")
        assert admin.post("/v1/sites", {"name": name, "time_zone": "Europe/Brussels"}, key=None).status in (502, 503, 504)
        wait_for(lambda: not is_left(pid), 20, "the crash")
    finally:
        suite.ctl("stop", "bookingsvc")
        suite.ctl("start", "bookingsvc")
        suite.reload()
    wait_for(lambda: usable(suite, "bookingsvc", slug), 30, "the recovery")
    assert all(site["name"] != name for site in admin.get("/v1/sites?limit=200").expect(200).body["items"])
    admin.post("/v1/sites", {"name": name, "time_zone": "Europe/Brussels"}).expect(201)
