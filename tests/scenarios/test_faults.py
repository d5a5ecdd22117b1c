# SPDX-License-Identifier: Apache-2.0
"""Parts of the suite go away and come back: Redis, auditsvc, PostgreSQL, and each process by kill -9. Nothing opens up meanwhile,
answers stay quick, and all is well again by itself."""
import concurrent.futures
import contextlib
import os
import pathlib
import secrets
import signal
import time

import httpx
import pytest
import redis

from berth_suite import is_left, wait_for
from test_audit import told_and_committed

ORDER = 90
PROCESSES = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")
QUICK_S = 1.5
AWAY_S = 600

pytestmark = pytest.mark.seconds(240)


@contextlib.contextmanager
def without(suite, *names):
    """The named parts are stopped inside; outside they run and are ready again."""
    suite.ctl("stop", *names)
    try:
        yield
    finally:
        suite.ctl("start", *names)
        suite.reload()
    for process in PROCESSES:
        wait_for(lambda name=process: suite.ready(name), 30, f"the readiness of {process}")
        wait_for(lambda name=process: suite.links_up(name), 30, f"the links of {process}")


def timed(call):
    begun = time.monotonic()
    reply = call()
    return reply, time.monotonic() - begun


def books(suite, slug, role="User"):
    """A booking works, from end to end."""
    area = suite.new_area(slug)
    return suite.as_role(slug, role).book(spot_id=area["spots"][0], **suite.slot()).expect(201).body


def event_of(suite, slug, booking):
    return wait_for(lambda: [event for event in suite.events(slug, object_id=booking["id"]) if event["action"] == "booking.create"],
                    30, "the event")


def test_redis_gone(suite, slug):
    gone = suite.new_person(slug)
    token = suite.sign_in_person(gone)
    suite.api(token).get("/v1/whoami").expect(200)
    record = suite.as_role(slug, "Admin").get(f"/v1/people/{gone['id']}").expect(200)
    suite.as_role(slug, "Admin").patch(f"/v1/people/{gone['id']}", {"status": "suspended"}, if_match=record.etag).expect(200)
    wait_for(lambda: suite.api(token).get("/v1/whoami").status == 401, 2, "the revocation")
    with without(suite, "redis"):
        booking = books(suite, slug)
        reply, seconds = timed(lambda: suite.as_role(slug, "User").get(f"/v1/bookings/{booking['id']}"))
        assert reply.status == 200 and seconds < QUICK_S
        assert suite.api(token).get("/v1/whoami").status == 401, "a revocation was forgotten with Redis"
        wait_for(lambda: suite.metrics("gateway")["berth_edge_redis_up"] == 0, 5, "the metric that tells")
    books(suite, slug)
    assert suite.api(token).get("/v1/whoami").status == 401


def test_redis_forgets_everything(suite, slug):
    gone = suite.new_person(slug)
    token = suite.sign_in_person(gone)
    record = suite.as_role(slug, "Admin").get(f"/v1/people/{gone['id']}").expect(200)
    suite.as_role(slug, "Admin").patch(f"/v1/people/{gone['id']}", {"status": "suspended"}, if_match=record.etag).expect(200)
    wait_for(lambda: suite.api(token).get("/v1/whoami").status == 401, 2, "the revocation")
    redis.Redis(unix_socket_path=suite.info["redis"]).flushall()
    assert suite.api(token).get("/v1/whoami").status == 401, "FLUSHALL gave a revoked token its rights back"
    books(suite, slug)
    time.sleep(2)
    assert suite.api(token).get("/v1/whoami").status == 401


@pytest.mark.parametrize("which", ["incr", "base"])
def test_redis_starts_though_its_file_is_broken(suite, slug, which):
    """In the middle, as a full disk can leave it: what Redis itself would not read. Of the log the beginning is kept, of its base nothing."""
    cache = redis.Redis(unix_socket_path=suite.info["redis"])
    cache.set("berth:test:before", "x")
    suite.ctl("stop", "redis")
    folder = suite.state / "redis" / "appendonlydir"
    cache_file = next(iter(folder.glob(f"appendonly.aof.*.{which}.*")))
    whole = cache_file.read_bytes()
    cache_file.write_bytes(whole + b"\0" * 500 + whole[-200:] if which == "incr" else b"REDIS" + b"\0" * 100)
    suite.ctl("start", "redis")
    assert cache.get("berth:test:before") == (b"x" if which == "incr" else None)
    cache.delete("berth:test:before")
    wait_for(lambda: suite.ready("gateway") and suite.ready("authsvc"), 20, "the readiness of those who use Redis")
    suite.as_role(slug, "User").get("/v1/whoami").expect(200)


def test_auditsvc_gone(suite, slug):
    admin = suite.as_role(slug, "Admin")
    with without(suite, "auditsvc"):
        made = [books(suite, slug) for _ in range(5)]
        reply, seconds = timed(lambda: admin.get("/v1/audit/events"))
        reply.problem(503, "unavailable")
        assert seconds < QUICK_S and int(reply.headers["retry-after"]) >= 1
        assert suite.sql("select count(*) from booking.outbox")[0][0] >= 5, "the outbox waits"
    places = []
    for booking in made:
        events = event_of(suite, slug, booking)
        assert len(events) == 1, "delivered exactly once"
        places.append(events[0]["leaf_index"])
    assert places == sorted(places), "in the order of the changes"
    wait_for(lambda: suite.sql("select count(*) from booking.outbox")[0][0] == 0, 20, "the empty outbox")


@pytest.mark.long
@pytest.mark.seconds(AWAY_S + 300)
def test_auditsvc_gone_for_ten_minutes(suite, slug):
    """Bookings are made, changed, cancelled and refused meanwhile, and their process dies in between: each version of each is told once
    and in order, and nothing of what was refused."""
    area, made, refused = suite.new_area(slug), {}, 0
    with without(suite, "auditsvc"):
        until = time.monotonic() + AWAY_S
        while time.monotonic() < until:
            user, slot = suite.as_role(slug, "User"), suite.slot()
            reply = user.book(spot_id=area["spots"][0], **slot)
            if reply.status == 201:
                made[reply.body["id"]] = 1
                refused += suite.as_role(slug, "Reception").book(spot_id=area["spots"][0], **slot).problem(409, "spot_taken").status == 409
                path = f"/v1/bookings/{reply.body['id']}"
                if len(made) % 3 == 0:
                    reply = user.patch(path, {"note": "changed"}, if_match=reply.etag).expect(200)
                made[reply.body["id"]] = user.delete(path, if_match=reply.etag).expect(200).body["version"]
            if len(made) == 20:
                suite.kill("bookingsvc")
                # Not ready, for it never reached one that it dials; it serves all the same.
                with pytest.raises(AssertionError, match='"auditsvc_FAST":"missing"'):
                    suite.ctl("start", "bookingsvc")
                suite.reload()
                wait_for(lambda: whoami_works(suite, slug), 20, "the service")
            time.sleep(0.3)
        assert suite.sql("select count(*) from booking.outbox")[0][0] >= len(made), "the outbox waits"
    wait_for(lambda: suite.sql("select count(*) from booking.outbox")[0][0] == 0, 120, "the empty outbox")
    told, committed = told_and_committed(suite)
    assert len(made) > AWAY_S / 10 and refused == len(made)
    assert {booking: committed[booking] for booking in made} == made
    assert {booking: told.get(booking) for booking in committed} == {booking: list(range(1, version + 1)) for booking, version in committed.items()}
    assert not set(told) - set(committed), "what was refused is told"


def test_postgresql_gone(suite, slug):
    user = suite.as_role(slug, "User")
    area = suite.new_area(slug)
    booking = books(suite, slug)
    with without(suite, "postgres"):
        body = {"spot_id": area["spots"][0], **suite.slot()}
        for call in (lambda: user.get(f"/v1/bookings/{booking['id']}"), lambda: user.post("/v1/bookings", body)):
            # The first call may still find a dying connection.
            timed(call)
            reply, seconds = timed(call)
            reply.problem(503, "unavailable")
            assert seconds < QUICK_S, f"503 after {seconds:.1f} s"
            assert int(reply.headers["retry-after"]) >= 1
        user.get("/v1/whoami").expect(200)      # needs no database
        wait_for(lambda: not suite.ready("bookingsvc"), 5, "the readiness that tells")
        detail = suite.admin_get("bookingsvc", "/readyz?verbose").text
        assert "postgres" in detail.lower() or "database" in detail.lower()
    user.get(f"/v1/bookings/{booking['id']}").expect(200)
    user.book(**body).expect(201)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_killed_process_comes_back(suite, slug, name):
    booking = books(suite, slug)
    os.kill(suite.pid(name), signal.SIGKILL)
    try:
        user = suite.as_role(slug, "User")
        if name == "bookingsvc":
            reply, seconds = timed(lambda: user.get("/v1/whoami"))
            reply.problem(503, "unavailable")
            assert seconds < QUICK_S
            suite.api().get("/healthz").expect(200)
        elif name != "gateway":
            user.get("/v1/whoami").expect(200)
            user.get(f"/v1/bookings/{booking['id']}").expect(200)
    finally:
        wait_for(lambda: not is_left(suite.pid(name)), 60, "the end")
        suite.ctl("start", name)
        suite.reload()
    wait_for(lambda: whoami_works(suite, slug) and log_works(suite, slug), 20, f"the service after {name} came back")
    assert len(event_of(suite, slug, booking)) == 1
    again = books(suite, slug)
    assert len(event_of(suite, slug, again)) == 1


def all_stopped(pid):
    """SIGSTOP reaches one thread after the other; a busy one may still answer."""
    states = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            states.append((task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0])
    return set(states) == {"T"}


def works(suite, slug, role, path):
    try:
        return suite.as_role(slug, role).get(path).status == 200
    except httpx.HTTPError:
        return False


def whoami_works(suite, slug):
    return works(suite, slug, "User", "/v1/whoami")


def log_works(suite, slug):
    """The gateway's own way to it too: a process that is ready may not have been found again yet."""
    return works(suite, slug, "Admin", "/v1/audit/events")


def test_a_stopped_process_does_not_hang_its_callers(suite, slug):
    """SIGSTOP: the peer keeps its connections and says nothing; the deadline speaks."""
    user = suite.as_role(slug, "User")
    user.get("/v1/whoami").expect(200)
    pid = suite.pid("bookingsvc")
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: all_stopped(pid), 10, "the stop of every thread")
        reply, seconds = timed(lambda: user.get("/v1/whoami"))
        assert reply.status in (503, 504) and seconds < 15, f"{reply.status} after {seconds:.1f} s"
        suite.api().get("/healthz").expect(200)
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: whoami_works(suite, slug), 20, "the service after SIGCONT")


def test_a_key_survives_a_killed_process(suite, slug):
    """A retry with the same key after the process died gets the stored answer, or books once."""
    area = suite.new_area(slug)
    user = suite.as_role(slug, "User")
    key, body = secrets.token_hex(8), {"spot_id": area["spots"][0], **suite.slot()}
    first = user.post("/v1/bookings", body, key=key).expect(201)
    suite.kill("bookingsvc")
    suite.ctl("start", "bookingsvc")
    wait_for(lambda: whoami_works(suite, slug), 20, "the service")
    assert user.post("/v1/bookings", body, key=key).expect(201).body == first.body


def test_what_was_under_way_when_its_process_died_has_one_effect_at_most(suite, slug):
    """SIGKILL while many make something that nothing but the protocol keeps from being made twice, with a key and without one."""
    admin, mark = suite.as_role(slug, "Admin"), secrets.token_hex(4)
    answered = []

    def make(number):
        name, key = f"R5 {mark} {number}", f"{mark}-{number}" if number % 2 else None
        try:
            reply = admin.post("/v1/sites", {"name": name, "time_zone": "Europe/Paris"}, key=key)
        except httpx.HTTPError as error:
            reply = error
        answered.append(number)
        return name, key, reply
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(make, number) for number in range(240)]
        wait_for(lambda: len(answered) >= 60, 60, "the work to be under way")
        suite.kill("bookingsvc")
        suite.ctl("start", "bookingsvc")
        outcomes = [future.result() for future in asked]
    wait_for(lambda: whoami_works(suite, slug), 20, "the service")
    made = dict(suite.sql("select name, count(*) from booking.site where name like %s group by name", f"R5 {mark} %"))
    lost = 0
    for name, key, reply in outcomes:
        assert made.get(name, 0) <= 1, f"{name} was made twice"
        assert not isinstance(reply, Exception), f"the edge itself failed: {reply!r}"
        assert reply.status in (201, 503, 504), reply.text
        lost += reply.status != 201
        if reply.status == 201:
            assert made.get(name) == 1, f"{name} was acknowledged and is lost"
        elif reply.status == 503 and not key:
            assert name not in made, f"{name} was refused and is there"
        if key:
            again = admin.post("/v1/sites", {"name": name, "time_zone": "Europe/Paris"}, key=key).expect(201).body
            assert reply.status != 201 or reply.body["id"] == again["id"], "the retry had a second effect"
    made = dict(suite.sql("select name, count(*) from booking.site where name like %s group by name", f"R5 {mark} %"))
    assert all(count == 1 for count in made.values())
    assert lost > 0, "nobody noticed the death"


@pytest.mark.parametrize("name", PROCESSES)
def test_no_booking_is_lost_or_doubled_when_a_process_dies_under_load(suite, slug, name):
    """SIGKILL while many book: what was acknowledged is there, what was not is made by asking again, each once and with one event."""
    spot, user = suite.new_area(slug)["spots"][0], suite.as_role(slug, "User")
    bodies = {secrets.token_hex(8): {"spot_id": spot, **suite.slot()} for _ in range(90)}
    answered = []

    def book(key):
        try:
            reply = user.post("/v1/bookings", bodies[key], key=key)
        except httpx.HTTPError:
            return None         # the edge itself died
        answered.append(key)
        return reply.body["id"] if reply.status == 201 else None
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        asked = {key: pool.submit(book, key) for key in bodies}
        wait_for(lambda: len(answered) >= 20, 60, "the work to be under way")
        suite.kill(name)
        first = {key: future.result() for key, future in asked.items()}
    assert any(first.values())
    suite.ctl("start", name)
    suite.reload()
    wait_for(lambda: suite.ready(name) and whoami_works(suite, slug), 60, f"{name} again")
    again = {key: wait_for(lambda key=key: book(key), 30, "the booking") for key in bodies}
    assert {key: made for key, made in first.items() if made} == {key: again[key] for key, made in first.items() if made}
    there = [str(made) for made, in suite.sql("select b.id from booking.booking b join booking.spot s on s.no = b.spot_no where s.id = %s", spot)]
    assert sorted(there) == sorted(again.values()), "each is there once, and no other"
    wait_for(lambda: suite.sql("select count(*) from booking.outbox")[0][0] == 0, 60, "the empty outbox")
    told, _ = told_and_committed(suite)
    assert {made: told.get(made) for made in there} == {made: [1] for made in there}


def test_stopping_a_process_finishes_what_it_has_begun(suite, slug):
    """SIGTERM while bookings are made: each is either answered 201 and there, or refused and absent."""
    area = suite.new_area(slug)
    user = suite.as_role(slug, "User")
    slots = [suite.slot() for _ in range(60)]

    def book(slot):
        time.sleep(0.01 * slots.index(slot))
        return slot, user.book(spot_id=area["spots"][0], **slot)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(book, slot) for slot in slots]
        time.sleep(0.15)
        suite.ctl("restart", "bookingsvc")
        replies = [future.result() for future in asked]
    wait_for(lambda: whoami_works(suite, slug), 20, "the service")
    assert {reply.status for _, reply in replies} <= {201, 503, 504, 429}
    items = suite.as_role(slug, "Admin").get("/v1/bookings", params={
        "everyone": "true", "from": slots[0]["starts_at"], "to": slots[-1]["ends_at"], "limit": 200}).expect(200).body["items"]
    stored = {item["starts_at"] for item in items if item["spot_id"] == area["spots"][0]}
    for slot, reply in replies:
        if reply.status == 201:
            assert slot["starts_at"] in stored, "an acknowledged booking is lost"
        elif reply.status in (503, 429):
            assert slot["starts_at"] not in stored, "a refused booking is there"
