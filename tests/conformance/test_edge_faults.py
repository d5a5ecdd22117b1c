# SPDX-License-Identifier: Apache-2.0
"""The edge while parts of it, or around it, give way: descriptors, connections, Redis, a service, and its own end."""
import contextlib
import os
import resource
import signal
import socket
import ssl
import threading
import time

import pytest
import redis

from berth_suite import wait_for
from edge import Closed, Edge, bearer, context, head, post, timed

ORDER = 95
WHOAMI = "GET /v1/whoami HTTP/1.1"

pytestmark = pytest.mark.seconds(240)


@pytest.fixture
def token(suite, slug):
    return suite.token(slug, "User")


@pytest.fixture
def started(suite):
    """Whatever a test did to the gateway: afterwards it runs and answers."""
    yield
    suite.ctl("start", "gateway")
    suite.reload()
    wait_for(lambda: suite.ready("gateway"), 30, "the gateway")


def processor_seconds(pid):
    fields = open(f"/proc/{pid}/stat", encoding="utf-8").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def plain(suite):
    """A connection without a handshake."""
    port = int(suite.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=5)


# -- descriptors

def test_without_descriptors_the_oldest_idle_connections_go_and_nothing_spins(suite):
    pid = suite.pid("gateway")
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    open_now = len(os.listdir(f"/proc/{pid}/fd"))
    held = []
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_now + 24, before[1]))
    try:
        for _ in range(80):
            held.append(plain(suite))
        spent = processor_seconds(pid)
        time.sleep(1)
        assert processor_seconds(pid) - spent < 0.5, "the loops spin"
        for _ in range(10):
            with Edge(suite) as edge:
                assert edge.ask(head()).status == 200
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        for one in held:
            one.close()
    with Edge(suite) as edge:
        assert edge.ask(head()).status == 200


def test_without_any_descriptor_the_edge_waits_and_goes_on(suite):
    """No connection to give up either: it looks away from the listening sockets for a moment, again and again."""
    pid = suite.pid("gateway")
    wait_for(lambda: suite.metrics("gateway")["berth_edge_connections"] == 0, 90, "the end of old connections")
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    held = []
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        held = [plain(suite) for _ in range(5)]
        spent = processor_seconds(pid)
        time.sleep(1)
        assert processor_seconds(pid) - spent < 0.5, "the loops spin"
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        for one in held:
            one.close()
    wait_for(lambda: asked_once(suite) == 200, 5, "an answer")


def asked_once(suite):
    with Edge(suite) as edge:
        return edge.ask(head()).status


# -- its own end

class Client(threading.Thread):
    """Asks again and again, on one connection or a new one each time, until the gateway says close or is not there."""

    def __init__(self, suite, given, keep):
        super().__init__()
        self.suite, self.given, self.keep = suite, given, keep
        self.tls = context(suite)
        self.answers, self.lost = 0, None
        self.begun = threading.Event()

    def run(self):
        try:
            while self.once():
                pass
        except ConnectionRefusedError:
            pass        # said before anything was asked
        except (Closed, TimeoutError, OSError, AssertionError) as error:
            self.lost = f"{type(error).__name__}: {error}"
        self.begun.set()

    def once(self):
        with Edge(self.suite, tls=self.tls) as edge:
            while True:
                answer = edge.ask(self.given)
                assert answer.status == 200, answer
                self.answers += 1
                self.begun.set()
                if answer.field("connection") == "close":
                    return not self.keep
                if not self.keep:
                    return True
                time.sleep(0.002)


def test_the_end_of_the_process_loses_no_request(suite, token, started):
    clients = [Client(suite, head(bearer(token), start=WHOAMI), keep=True) for _ in range(24)]
    clients += [Client(suite, head(), keep=False) for _ in range(4)]
    idle = Edge(suite)
    half = Edge(suite)
    half.send(head()[:-2])
    for client in clients:
        client.start()
    for client in clients:
        assert client.begun.wait(20)
    time.sleep(0.3)
    _, seconds = timed(lambda: suite.ctl("stop", "gateway"))
    for client in clients:
        client.join(20)
    assert not [client.lost for client in clients if client.lost]
    assert all(client.answers for client in clients)
    assert idle.is_closed(), "an idle connection ends cleanly"
    half.close()
    assert seconds < 22, f"the drain took {seconds:.0f} s"


def test_a_request_that_comes_just_as_the_process_ends_is_answered(suite, token, started):
    """On a connection that was idle, and on one whose handshake had only begun."""
    idle, late = Edge(suite), Edge(suite, shake=False)
    assert idle.ask(head()).status == 200
    os.kill(suite.pid("gateway"), signal.SIGTERM)
    time.sleep(0.3)
    answer = idle.ask(head(bearer(token), start=WHOAMI))
    assert answer.status == 200 and answer.field("connection") == "close"
    late.socket = context(suite).wrap_socket(late.socket, server_hostname="localhost")
    answer = late.ask(head(bearer(token), start=WHOAMI))
    assert answer.status == 200 and answer.field("connection") == "close"
    assert idle.is_closed() and late.is_closed()
    suite.ctl("stop", "gateway")


# -- Redis

@contextlib.contextmanager
def without_redis(suite):
    suite.ctl("stop", "redis")
    try:
        yield
    finally:
        suite.ctl("start", "redis")


def test_without_redis_limits_and_answers_go_on(suite, token):
    with without_redis(suite):
        wait_for(lambda: suite.metrics("gateway")["berth_edge_redis_up"] == 0, 10, "the news")
        with Edge(suite) as edge:
            for _ in range(20):
                answer, seconds = timed(lambda: edge.ask(head(bearer(token), start=WHOAMI)))
                assert answer.status == 200 and answer.field("ratelimit") and seconds < 1
    wait_for(lambda: suite.metrics("gateway")["berth_edge_redis_up"] == 1, 10, "Redis")


def test_a_redis_that_has_forgotten_gives_nobody_a_fresh_burst(suite):
    """The limit of addresses where passwords are tried: a small one. It is used up and given back by waiting only."""
    given = post("/login", b"x=1", kind="application/x-www-form-urlencoded")

    def granted(count):
        number = 0
        with Edge(suite) as edge:
            for _ in range(count):
                answer = edge.ask(given)
                number += answer.status != 429
                if answer.field("connection") == "close":
                    return number
        return number
    tries = 0
    while granted(40) == 40:
        tries += 1
        assert tries < 20, "there is no limit"
    redis.Redis(unix_socket_path=suite.info["redis"]).flushall()
    begun = time.monotonic()
    time.sleep(1)       # several settlements
    number = granted(150)
    seconds = time.monotonic() - begun
    assert number <= 20 * seconds + 45, f"{number} in {seconds:.1f} s"
    time.sleep(11)      # the burst is back for those who come after


def test_tokens_wait_for_the_revocations(suite, token, started):
    """A gateway that starts while Redis is away knows of no revocation: it says so, and lets nobody in."""
    with without_redis(suite):
        suite.ctl("stop", "gateway")
        # Not ready, so ctl would wait in vain: the start is given up on, the process is not.
        with contextlib.suppress(AssertionError, Exception):
            suite.ctl("start", "gateway", seconds=4)
        suite.reload()
        wait_for(lambda: alive(suite), 20, "the gateway")
        with Edge(suite) as edge:
            assert edge.ask(head()).status == 200
            wait_for(lambda: edge.ask(head(bearer(token), start=WHOAMI)).status == 503, 5, "503")
            for _ in range(5):
                assert edge.ask(head(bearer(token), start=WHOAMI)).status == 503
        assert not suite.ready("gateway")
    wait_for(lambda: asked_with(suite, token) == 200, 20, "an answer once Redis is back")


def alive(suite):
    try:
        return asked_once(suite) == 200
    except (OSError, Closed, ssl.SSLError):
        return False


def asked_with(suite, token):
    with Edge(suite) as edge:
        return edge.ask(head(bearer(token), start=WHOAMI)).status


# -- a service

def test_a_killed_service_answers_503_at_once_and_comes_back_by_itself(suite, token):
    """Under load: every request has its answer, within its deadline, and all connections stay."""
    stop, seen, slow = [], [], []

    def client():
        with Edge(suite, seconds=20) as edge:
            while not stop:
                answer, seconds = timed(lambda: edge.ask(head(bearer(token), start=WHOAMI)))
                seen.append(answer.status)
                slow.append(seconds)
                if answer.status == 503:
                    assert int(answer.field("retry-after")) >= 1
                    time.sleep(0.02)
    clients = [threading.Thread(target=client) for _ in range(16)]
    for one in clients:
        one.start()
    for _ in range(2):
        time.sleep(0.5)
        os.kill(suite.pid("bookingsvc"), signal.SIGKILL)
        time.sleep(0.5)
        with Edge(suite) as edge:
            answer, seconds = timed(lambda: edge.ask(head(bearer(token), start=WHOAMI)))
            assert answer.status == 503 and seconds < 0.5
        suite.ctl("start", "bookingsvc")
        suite.reload()
        wait_for(lambda: asked_with(suite, token) == 200, 20, "the service")
    stop.append(True)
    for one in clients:
        one.join(20)
        assert not one.is_alive(), "a request never ended"
    assert set(seen) <= {200, 503, 504}, set(seen)
    assert seen.count(200) > 50 and max(slow) < 7, f"{seen.count(200)} answers, the slowest after {max(slow):.1f} s"
    wait_for(lambda: suite.metrics("gateway")["berth_edge_exchanges"] == 0, 10, "the end of all exchanges")


def test_a_hanging_service_costs_its_callers_their_deadline_and_nobody_else(suite, token):
    pid = suite.pid("bookingsvc")
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.2)
    try:
        waiting = [Edge(suite, seconds=20).send(head(bearer(token), start=WHOAMI)) for _ in range(100)]
        for _ in range(20):
            with Edge(suite) as edge:
                answer, seconds = timed(lambda edge=edge: edge.ask(head()))
                assert answer.status == 200 and seconds < 1
        begun = time.monotonic()
        statuses = {edge.answer().status for edge in waiting}
        assert statuses <= {503, 504} and time.monotonic() - begun < 8, statuses
        for edge in waiting:
            edge.close()
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: asked_with(suite, token) == 200, 20, "the service after SIGCONT")
    wait_for(lambda: suite.metrics("gateway")["berth_edge_exchanges"] == 0, 10, "the end of all exchanges")
