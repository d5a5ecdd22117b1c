# SPDX-License-Identifier: Apache-2.0
"""The edge while parts of it, or around it, give way: descriptors, connections, Redis, a service, and its own end."""
import os
import signal
import socket
import ssl
import threading
import time

import pytest
import redis

from berth_suite import wait_for
from edge import Closed, Edge, bearer, context, head, post, timed
from own_gateway import NO_LIMITS, OwnGateway

ORDER = 95
WHOAMI = "GET /v1/whoami HTTP/1.1"

pytestmark = pytest.mark.seconds(240)


@pytest.fixture
def token(suite, slug):
    return suite.token(slug, "User")


def plain(gateway):
    """A connection without a handshake."""
    return socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2])), timeout=5)


def asked_once(suite):
    with Edge(suite) as edge:
        return edge.ask(head()).status


def asked_with(suite, token):
    with Edge(suite) as edge:
        return edge.ask(head(bearer(token), start=WHOAMI)).status


# -- descriptors and connections

def test_without_descriptors_the_oldest_idle_connections_go_and_nothing_spins(suite):
    """Silent connections take every descriptor that the process may have."""
    with OwnGateway(suite, files=160) as gateway:
        held = [plain(gateway) for _ in range(250)]
        spent = gateway.processor_seconds()
        time.sleep(1)
        assert gateway.processor_seconds() - spent < 0.5, "the loops spin"
        # Until then who comes may have to go again for one that came before and is taken later.
        wait_for(lambda: gateway.edge("accepted_total") >= len(held), 30, "the last of the silent connections")
        for _ in range(10):
            assert asked_once(gateway) == 200
        for one in held:
            one.close()
        assert asked_once(gateway) == 200


def test_the_oldest_idle_connection_goes_for_a_new_one(suite, token):
    with OwnGateway(suite, BERTH_GATEWAY_CONNECTIONS="64", BERTH_GATEWAY_LOOPS="1") as gateway:
        idle = [Edge(gateway) for _ in range(60)]
        assert idle[0].ask(head()).status == 200
        held = [plain(gateway) for _ in range(200)]
        for _ in range(5):
            assert asked_once(gateway) == 200
            assert asked_with(gateway, token) == 200
        assert idle[0].is_closed() and gateway.edge("evicted_total") >= 190
        assert gateway.edge("connections") <= 64
        for one in [*held, *idle]:
            one.close()


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


def test_the_end_of_the_process_loses_no_request(suite, token):
    with OwnGateway(suite) as gateway:
        clients = [Client(gateway, head(bearer(token), start=WHOAMI), keep=True) for _ in range(24)]
        clients += [Client(gateway, head(), keep=False) for _ in range(4)]
        idle, half = Edge(gateway), Edge(gateway)
        half.send(head()[:-2])
        for client in clients:
            client.start()
        for client in clients:
            assert client.begun.wait(20)
        time.sleep(0.3)
        _, seconds = timed(gateway.stop)
        for client in clients:
            client.join(20)
        assert not [client.lost for client in clients if client.lost]
        assert all(client.answers for client in clients)
        assert idle.is_closed(), "an idle connection ends cleanly"
        half.close()
        assert seconds < 22, f"the drain took {seconds:.0f} s"


def test_a_request_that_comes_just_as_the_process_ends_is_answered(suite, token):
    """On a connection that was idle, and on one whose handshake had only begun."""
    with OwnGateway(suite) as gateway:
        idle, late = Edge(gateway), Edge(gateway, shake=False)
        assert idle.ask(head()).status == 200
        os.kill(gateway.pid, signal.SIGTERM)
        time.sleep(0.3)
        answer = idle.ask(head(bearer(token), start=WHOAMI))
        assert answer.status == 200 and answer.field("connection") == "close"
        late.socket = context(suite).wrap_socket(late.socket, server_hostname="localhost")
        answer = late.ask(head(bearer(token), start=WHOAMI))
        assert answer.status == 200 and answer.field("connection") == "close"
        assert idle.is_closed() and late.is_closed()


def test_a_log_that_nobody_reads_holds_nobody_up(suite):
    """Standard error is a pipe in a container."""
    receive, send = os.pipe()
    gateway = OwnGateway(suite, log=os.fdopen(send, "wb"), **NO_LIMITS)
    try:
        with Edge(gateway) as edge:
            for _ in range(30):
                edge.send(head() * 100)
                for _ in range(100):
                    assert edge.answer(seconds=2).status == 200
    finally:
        # Events of the process itself are written at once, so its end wants a reader.
        gateway.log.close()
        threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(receive, 65536), b"")], daemon=True).start()
        gateway.log_text = lambda: ""
        gateway.stop()
    os.close(receive)


# -- Redis

def test_without_redis_limits_and_answers_go_on(suite, token):
    suite.ctl("stop", "redis")
    try:
        wait_for(lambda: suite.metrics("gateway")["berth_edge_redis_up"] == 0, 10, "the news")
        with Edge(suite) as edge:
            for _ in range(20):
                answer, seconds = timed(lambda: edge.ask(head(bearer(token), start=WHOAMI)))
                assert answer.status == 200 and answer.field("ratelimit") and seconds < 1
    finally:
        suite.ctl("start", "redis")
    wait_for(lambda: suite.metrics("gateway")["berth_edge_redis_up"] == 1, 10, "Redis")


def granted(gateway, count):
    number = 0
    with Edge(gateway) as edge:
        for _ in range(count):
            number += edge.ask(head()).status == 200
    return number


def test_a_redis_that_has_forgotten_gives_nobody_a_fresh_burst(suite):
    limits = {"BERTH_LIMIT_ADDRESS_PER_S": "5", "BERTH_LIMIT_ADDRESS_BURST": "300"}
    with OwnGateway(suite, **limits) as gateway:
        assert granted(gateway, 400) < 400, "there is no limit"
        begun = time.monotonic()
        redis.Redis(unix_socket_path=suite.info["redis"]).flushall()
        time.sleep(1)       # several settlements
        number = granted(gateway, 200)
        seconds = time.monotonic() - begun
        assert number <= 5 * seconds + 10, f"{number} in {seconds:.1f} s"


def test_two_gateways_share_a_limit(suite):
    limits = {"BERTH_LIMIT_ADDRESS_PER_S": "1", "BERTH_LIMIT_ADDRESS_BURST": "200"}
    redis.Redis(unix_socket_path=suite.info["redis"]).flushall()
    with OwnGateway(suite, **limits) as one, OwnGateway(suite, **limits) as two:
        begun = time.monotonic()
        number = granted(one, 150)
        time.sleep(0.5)
        # The second learns of the first's at its next settlement.
        number += granted(two, 1)
        time.sleep(0.5)
        number += granted(two, 200)
        assert number <= 200 + 2 * (time.monotonic() - begun) + 5, number
    time.sleep(0.2)


def test_tokens_wait_for_the_revocations(suite, token):
    """A gateway that starts while Redis is away knows of no revocation: it says so, and lets nobody in."""
    suite.ctl("stop", "redis")
    try:
        gateway = OwnGateway(suite, ready=False)
        wait_for(lambda: alive(gateway), 20, "the gateway")
        with Edge(gateway) as edge:
            # Keys and links come within the first second.
            time.sleep(1)
            for _ in range(5):
                assert edge.ask(head()).status == 200
                assert edge.ask(head(bearer(token), start=WHOAMI)).status == 503
        assert not gateway.ready()
    finally:
        suite.ctl("start", "redis")
    wait_for(lambda: asked_with(gateway, token) == 200, 20, "an answer once Redis is back")
    gateway.stop()


def alive(gateway):
    try:
        return asked_once(gateway) == 200
    except (OSError, Closed, ssl.SSLError):
        return False


# -- a service

def test_a_killed_service_answers_503_at_once_and_comes_back_by_itself(suite, token):
    """Under load: every request has its answer, within its deadline, and all connections stay."""
    stop, seen, slow = [], [], []

    def client(gateway):
        with Edge(gateway, seconds=20) as edge:
            while not stop:
                answer, seconds = timed(lambda: edge.ask(head(bearer(token), start=WHOAMI)))
                seen.append(answer.status)
                slow.append(seconds)
                if answer.status == 503:
                    assert int(answer.field("retry-after")) >= 1
                    time.sleep(0.02)
    with OwnGateway(suite, **NO_LIMITS) as gateway:
        clients = [threading.Thread(target=client, args=(gateway,)) for _ in range(16)]
        for one in clients:
            one.start()
        for _ in range(2):
            time.sleep(0.5)
            suite.kill("bookingsvc")
            answer, seconds = timed(lambda: asked_with(gateway, token))
            assert answer == 503 and seconds < 0.5
            suite.ctl("start", "bookingsvc")
            suite.reload()
            wait_for(lambda: asked_with(gateway, token) == 200, 20, "the service")
        stop.append(True)
        for one in clients:
            one.join(20)
            assert not one.is_alive(), "a request never ended"
        assert set(seen) <= {200, 503, 504}, set(seen)
        assert seen.count(200) > 50 and max(slow) < 7, f"{seen.count(200)} answers, the slowest after {max(slow):.1f} s"
        wait_for(lambda: gateway.edge("exchanges") == 0, 10, "the end of all exchanges")


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
