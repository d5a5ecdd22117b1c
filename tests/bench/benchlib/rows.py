# SPDX-License-Identifier: Apache-2.0
"""The rows, in the order in which they are taken. A row is a function of the context that gives its dictionary."""
import functools
import json
import pathlib
import tempfile
import time

from runner import process

from . import load, machine, peers
from .compare import compare, median, rounded, verdict, worst
from .machine import Trouble
from .report import FAILED
from .suite import PEOPLE, RUN_DIR, TENANTS, Suite, stop, stores

SAMPLE_ANSWER = json.dumps({"tenant_id": "0" * 36, "person_id": "0" * 36, "client_id": "0" * 36, "roles": ["User"],
                            "permissions": ["booking.create"] * 10, "scope": "openid berth", "expires_at": "2030-01-01T00:00:00Z"})
SAMPLE_HEAD = b"HTTP/1.1 200 OK\r\n" + b"\r\n".join(b"X-Sample-%d: %s" % (n, b"s" * 40) for n in range(12))
LATENCY_GOAL = round(1 / 1.5, 3)
GROWTH_GOAL = round(1 / 1.3, 3)
MANY_CONNECTIONS = 10_000
CONNECTIONS_PER_WRK = 1_000
PACED_PER_S = 6_000
PACES_APART = 1.5  # requests that come closer together share batches, and cost less
CONNECT_S = 60
IDLE_MB, BUSY_MB = 100, 200
HELD = 1_000
LOGIN_GOAL = 0.9
SIGN_INS_AT_ONCE = 16  # no more than may wait for their turn to hash
REFRESH_TOKENS = load.CONNECTIONS + load.THREADS  # wrk asks a script for one request more, to see whether it is well-formed


class Skip(Exception):
    """Why a row cannot be taken yet."""


class Context:
    """What rows share; everything is made when it is first needed, and goes in the end."""

    def __init__(self, rounds, seconds, peers_only, keep):
        self.rounds, self.seconds, self.peers_only, self.keep = rounds, seconds, peers_only, keep
        self.temporary = tempfile.TemporaryDirectory(prefix="berth-bench-")
        self.dir = pathlib.Path(self.temporary.name)
        self.made = []
        self.trouble = None

    def made_once(self, thing):
        self.made.append(thing)
        return thing

    @functools.cached_property
    def suite(self):
        """None when only the peers are wanted. One that could not be started is not tried again."""
        if self.peers_only:
            return None
        if self.trouble:
            raise self.trouble
        try:
            return Suite(self.keep)
        except BaseException as trouble:
            self.trouble = trouble if isinstance(trouble, Trouble) else None
            process.end_all()  # an interrupted `up` would hold the lock that `down` waits for
            if not self.keep:
                stop()
            raise

    @functools.cached_property
    def es256(self):
        return peers.Es256(self.dir)

    @functools.cached_property
    def edges(self):
        if self.suite:
            head, answer = self.suite.whoami()
            certificate = peers.Certificate(self.suite.pki / "edge-ecdsa.pem", self.suite.pki / "edge-ecdsa.key", self.suite.pki / "ca.pem")
        else:
            head, answer, certificate = SAMPLE_HEAD, SAMPLE_ANSWER, peers.Certificate.make(self.dir)
        return self.made_once(peers.Edges(certificate, head, answer, self.es256))

    @functools.cached_property
    def oidc(self):
        return self.made_once(peers.OidcProvider((self.rounds + 1) * REFRESH_TOKENS))

    @functools.cached_property
    def pg(self):
        if self.suite:
            pg = self.suite.info["pg"]
            return self.made_once(peers.PgPeer(pg["host"], pg["superuser"]))
        return self.made_once(peers.PgPeer(stores(), "postgres"))

    def bearer(self):
        """What both sides are sent besides; nothing without a suite that gives tokens."""
        return self.suite.bearer() if self.suite else {}

    def settle(self):
        if self.suite:
            self.suite.settle()

    def request(self, name, **request):
        return load.request_file(self.dir, name, **request)

    def close(self):
        for thing in reversed(self.made):
            try:
                thing.stop()
            except Trouble as trouble:
                print(f"warning: {trouble}")
        suite = self.__dict__.get("suite")
        if suite:
            suite.close()
        elif self.peers_only and RUN_DIR.is_dir():
            stop()
        self.temporary.cleanup()


# -- forwarding

def whoami_side(ctx, connections):
    """Ours, checked once for its content and then for the status of every answer."""
    suite = ctx.suite
    if not suite:
        return None

    def side(seconds):
        suite.whoami()
        request = ctx.request("whoami", headers=suite.bearer())
        return load.wrk(f"{suite.url}/v1/whoami", "same.lua", [request], seconds, connections)
    return side


def nginx_sides(ctx, connections):
    """Sent what we are sent: a request with a token, which nginx hands on unchecked as any edge before such a service does."""
    request = ctx.request("nginx", headers=ctx.bearer())
    return {f"nginx, {workers} worker{'s' if workers > 1 else ''}":
            functools.partial(lambda port, seconds: load.wrk(f"https://localhost:{port}/v1/whoami", "same.lua", [request], seconds,
                                                             connections), edge.port)
            for workers, edge in ctx.edges.nginx.items()}


def forward_h1(ctx):
    return compare(ctx, "forward_h1", "requests/s", 1.5, whoami_side(ctx, load.CONNECTIONS), nginx_sides(ctx, load.CONNECTIONS))


def forward_h2(ctx):
    suite = ctx.suite
    if suite and not load.offers_h2(suite.port):
        raise Skip("the gateway offers no HTTP/2 yet (ALPN h2 is refused)")

    def side(port, headers, seconds):
        return load.h2load(f"https://localhost:{port}/v1/whoami", ctx.dir, headers(), seconds)
    ours = functools.partial(side, suite.port, suite.bearer) if suite else None
    return compare(ctx, "forward_h2", "requests/s", 1.5, ours, {
        f"nginx, {workers} worker{'s' if workers > 1 else ''}": functools.partial(side, edge.port, ctx.bearer)
        for workers, edge in ctx.edges.nginx.items()})


def forward_jwt(ctx):
    request = ctx.request("es256", headers={"Authorization": f"Bearer {ctx.es256.token}"})
    forged = ctx.es256.token[:-8] + ("AAAAAAAA" if ctx.es256.token[-8:] != "AAAAAAAA" else "BBBBBBBB")
    sides = {}
    for threads, edge in ctx.edges.haproxy.items():
        for token, wanted in ((ctx.es256.token, 200), (forged, 401)):
            status, _, _ = load.fetch(edge.port, "GET", "/v1/whoami", {"Authorization": f"Bearer {token}"})
            if status != wanted:
                raise Trouble(f"HAProxy answered {status} instead of {wanted}")
        sides[f"haproxy jwt_verify ES256, {threads} thread{'s' if threads > 1 else ''}"] = functools.partial(
            lambda port, seconds: load.wrk(f"https://localhost:{port}/v1/whoami", "same.lua", [request], seconds), edge.port)
    return compare(ctx, "forward_jwt", "requests/s", 4, whoami_side(ctx, load.CONNECTIONS), sides)


def latency_p50(ctx):
    return compare(ctx, "latency_p50", "ms", LATENCY_GOAL, whoami_side(ctx, 1), nginx_sides(ctx, 1), "p50_ms", True)


# -- connections

def handshakes(ctx):
    suite = ctx.suite

    def side(seconds):
        before = suite.metrics()
        sample = load.handshakes(suite.port, suite.pki / "ca.pem", seconds)
        after = suite.metrics()
        done, failed = (after[f"berth_edge_{name}_total"] - before[f"berth_edge_{name}_total"]
                        for name in ("handshakes", "handshake_failures"))
        if failed or done < sample.answers:
            sample.wrong = sample.wrong or f"{sample.answers} made, {done:.0f} completed, {failed:.0f} failed"
        return sample
    return compare(ctx, "handshakes", "handshakes/s", 1, side if suite else None, {
        f"nginx, {workers} worker{'s' if workers > 1 else ''}":
        functools.partial(load.handshakes, edge.port, ctx.edges.authority) for workers, edge in ctx.edges.nginx.items()})


def answered(metrics):
    """(all, well answered) of what was asked of whoami."""
    series = {key: value for key, value in metrics.items()
              if key.startswith("berth_edge_requests_total{") and 'operation="whoami_read"' in key}
    return sum(series.values()), sum(value for key, value in series.items() if 'code="2xx"' in key)


def cost_per_request(ctx, connections):
    """CPU microseconds of the gateway for a request, each of so many connections asking now and then, at one pace in all."""
    suite = ctx.suite
    request = ctx.request("paced", headers=suite.bearer())
    wait_ms = round(1000 * connections / PACED_PER_S)
    batches = [min(CONNECTIONS_PER_WRK, connections - start) for start in range(0, connections, CONNECTIONS_PER_WRK)]
    running = []
    try:
        for number, count in enumerate(batches):
            running.append(load.WrkRunning(f"{suite.url}/v1/whoami", "paced.lua", [request, wait_ms], 600, count))
            wait_for_connections(suite, number * CONNECTIONS_PER_WRK + count)
        time.sleep(1 + wait_ms / 1000)
        before, cpu, begun = suite.metrics(), machine.cpu_seconds(suite.pids["gateway"]), time.monotonic()
        time.sleep(max(3, ctx.seconds))
        spent, elapsed = machine.cpu_seconds(suite.pids["gateway"]) - cpu, time.monotonic() - begun
        after = suite.metrics()
    finally:
        samples = [one.stop() for one in running]
    count, good = (b - a for a, b in zip(answered(before), answered(after)))
    wrong = [one.wrong for one in samples if one.wrong]
    if count != good or not count:
        wrong.append(f"{count - good:.0f} wrong answers of {count:.0f}")
    if after["berth_edge_connections"] < connections:
        wrong.append(f"only {after['berth_edge_connections']:.0f} connections stayed open")
    if after["berth_edge_accepted_total"] != before["berth_edge_accepted_total"]:
        wrong.append(f"{after['berth_edge_accepted_total'] - before['berth_edge_accepted_total']:.0f} connections broke and came again")
    sample = load.Sample(1e6 * spent / count if count else 0, int(count), "; ".join(sorted(set(wrong))))
    sample.pace = count / elapsed
    return sample


def wait_for_connections(suite, wanted):
    end = time.monotonic() + CONNECT_S
    while suite.metrics()["berth_edge_connections"] < wanted:
        if time.monotonic() > end:
            raise Trouble(f"the gateway did not take {wanted:.0f} connections in {CONNECT_S} s")
        time.sleep(0.1)


def conns_10k(ctx):
    if not ctx.suite:
        raise Skip("compares the suite with itself")
    if machine.raise_file_limit() < MANY_CONNECTIONS + 1000:
        raise Skip("this user may not open so many files")
    few, many = [], []
    for _ in range(ctx.rounds):
        few.append(cost_per_request(ctx, load.CONNECTIONS))
        many.append(cost_per_request(ctx, MANY_CONNECTIONS))
    wrong = sorted({one.wrong for one in few + many if one.wrong})
    if any(not 1 / PACES_APART < a.pace / b.pace < PACES_APART for a, b in zip(few, many) if b.pace):
        wrong.append("the paces differ too much to be compared: is the machine busy?")
    ratio = median([a.value / b.value if b.value else None for a, b in zip(few, many)])
    row = {"name": "conns_10k", "unit": "µs of CPU/request", "ours": rounded(median([one.value for one in many])),
           "peer": rounded(median([one.value for one in few])), "peer_name": f"Berth at {load.CONNECTIONS} connections",
           "ratio": rounded(ratio), "goal": GROWTH_GOAL, "status": verdict(ratio, GROWTH_GOAL, wrong),
           "rounds": [rounded(one.value) for one in many], "peers": {"64": [rounded(one.value) for one in few]},
           "note": f"at {median([one.pace for one in many]):,.0f} requests a second, and {median([one.pace for one in few]):,.0f}"}
    if wrong:
        row["reason"] = "; ".join(wrong)
    return row


# -- tokens

def token_sides(ctx, script, arguments_of):
    """The token endpoint of both; arguments_of(side) gives the script's arguments anew for each run."""
    def ours(seconds):
        return load.wrk(f"{ctx.suite.url}/oauth2/token", script, arguments_of("ours"), seconds)

    def peer(seconds):
        return load.wrk(ctx.oidc.url, script, arguments_of("peer"), seconds)
    return ours if ctx.suite else None, {"oidc-provider in memory, EdDSA, no TLS": peer}


def token_cc(ctx):
    body = "grant_type=client_credentials"

    def arguments_of(side):
        headers = ctx.suite.client_headers() if side == "ours" else ctx.oidc.headers()
        port, path, tls = (ctx.suite.port, "/oauth2/token", True) if side == "ours" else (ctx.oidc.port, "/token", False)
        status, _, answer = load.fetch(port, "POST", path, headers, body, tls)
        if status != 200 or json.loads(answer)["access_token"].count(".") != 2:
            raise Trouble(f"the token endpoint of {side} answered {status}: {answer[:100]}")
        return [ctx.request(f"cc-{side}", method="POST", headers=headers, body=body)]
    ours, sides = token_sides(ctx, "same.lua", arguments_of)
    return compare(ctx, "token_cc", "tokens/s", 5, ours, sides)


def token_refresh(ctx):
    unused = list(ctx.oidc.refresh_tokens)

    def arguments_of(side):
        if side == "ours":
            headers = ctx.suite.client_headers()
            people = ctx.suite.people
            tokens = [people[n % len(people)].authorize()["refresh_token"] for n in range(REFRESH_TOKENS)]
        else:
            headers = ctx.oidc.headers()
            tokens = [unused.pop() for _ in range(REFRESH_TOKENS)]
        pool = load.private_file(ctx.dir, f"pool-{side}", "\n".join(tokens) + "\n")
        head = ctx.request(f"refresh-{side}", method="POST", headers=headers, body="grant_type=refresh_token&refresh_token=")
        return [pool, head, load.THREADS]
    ours, sides = token_sides(ctx, "refresh.lua", arguments_of)
    return compare(ctx, "token_refresh", "tokens/s", 2, ours, sides)


# -- signing in

def login(ctx):
    """Forms with an e-mail address and a password, each of a browser that the account knows: a session for each, and its event."""
    suite = ctx.suite

    def ours(seconds):
        pool = load.private_file(ctx.dir, "forms", "\n".join(suite.sign_in_forms()) + "\n")
        before = suite.count("auth.session")
        sample = load.wrk(f"{suite.url}/login", "turns.lua", [pool, "/login", load.THREADS], seconds, SIGN_INS_AT_ONCE)
        time.sleep(0.5)
        made = suite.count("auth.session") - before
        if not sample.answers <= made <= sample.answers + SIGN_INS_AT_ONCE:
            sample.wrong = sample.wrong or f"{sample.answers} answered and {made} sessions made"
        return sample
    return compare(ctx, "login", "sign-ins/s", LOGIN_GOAL, ours if suite else None, {
        f"Argon2id alone, {peers.ARGON2_THREADS} at once": peers.Argon2().run})


# -- bookings and their events

def book(ctx, many, keyed, seconds):
    """Bookings through the whole suite; every one answered must be in the table, and no other."""
    suite = ctx.suite
    lanes = suite.lanes(many)
    pool = load.private_file(ctx.dir, "lanes", "\n".join(lanes) + "\n")
    before = suite.count("booking.booking")
    sample = load.wrk(f"{suite.url}/v1/bookings", "bookings.lua",
                      [pool, suite.tenants["slot"], load.THREADS, "keyed" if keyed else "plain", int(suite.tenants["base"])], seconds)
    sample.ended = time.monotonic()
    suite.slots_used(sample.answers, len(lanes))
    time.sleep(0.2)
    made = suite.count("booking.booking") - before
    # wrk leaves with a request under way on each connection, which may or may not have been carried out.
    if not sample.answers <= made <= sample.answers + load.CONNECTIONS:
        sample.wrong = sample.wrong or f"{sample.answers} answered and {made} made"
    return sample


def booking_create(ctx):
    parts = []
    for name, many, keyed, goal in (("one tenant", False, False, 1), (f"{TENANTS} tenants", True, False, 1),
                                    ("one tenant, Idempotency-Key", False, True, None)):
        ours = functools.partial(book, ctx, many, keyed) if ctx.suite else None
        peer = functools.partial(ctx.pg.run, TENANTS if many else 1)
        parts.append(compare(ctx, name, "bookings/s", goal, ours, {"pgbench, two inserts": peer}))
    return worst("booking_create", "bookings/s", parts)


def audit_append(ctx):
    """Events that reached the log for each second from the first booking until none waited any more."""
    suite = ctx.suite
    if not suite:
        raise Skip("compares the suite with itself")
    rates, made_rates, wrong = [], [], []
    for _ in range(ctx.rounds):
        suite.settle()
        first = int(suite.psql("select coalesce(max(leaf_index) + 1, 0) from audit.event"))
        bookings = suite.count("booking.booking")
        sample = book(ctx, False, False, ctx.seconds)
        suite.drain()
        elapsed = sample.answers / sample.value + time.monotonic() - sample.ended
        events = suite.count(f"audit.event where leaf_index >= {first} and service = 'bookingsvc' and object_type = 'booking'")
        made = suite.count("booking.booking") - bookings
        if sample.wrong or events != made:
            wrong.append(sample.wrong or f"{made} bookings and {events} events")
        rates.append(events / elapsed)
        made_rates.append(sample.value)
    ratio = median([a / b for a, b in zip(rates, made_rates) if b])
    row = {"name": "audit_append", "unit": "events/s", "ours": rounded(median(rates)), "peer": rounded(median(made_rates)),
           "peer_name": "bookings made meanwhile", "ratio": rounded(ratio), "goal": None, "status": verdict(ratio, None, wrong),
           "rounds": [rounded(rate) for rate in rates]}
    if wrong:
        row["reason"] = "; ".join(sorted(set(wrong)))
    return row


def proof_10m(ctx):
    raise Skip("the API offers no proofs yet")


# -- memory

def memory_row(name, limit, suite, wrong=""):
    proportional, resident = suite.memory()
    ratio = limit / proportional
    row = {"name": name, "unit": "MB", "ours": rounded(proportional), "peer": limit, "peer_name": "the limit", "ratio": rounded(ratio),
           "goal": 1, "status": verdict(ratio, 1, wrong), "resident_mb": rounded(resident),
           "note": f"the five processes; shared pages once (each process's resident pages added up: {resident:.0f} MB)"}
    if wrong:
        row["reason"] = wrong
    return row


def rss_idle(ctx):
    if not ctx.suite:
        raise Skip("measures the suite only")
    ctx.suite.settle()
    return memory_row("rss_idle", IDLE_MB, ctx.suite)


def rss_1k(ctx):
    suite = ctx.suite
    if not suite:
        raise Skip("measures the suite only")
    request = f"GET /v1/whoami HTTP/1.1\r\nHost: localhost:{suite.port}\r\nAuthorization: {suite.bearer()['Authorization']}\r\n\r\n"
    held = load.Held(suite.port, HELD, request.encode())
    try:
        still = suite.metrics()["berth_edge_connections"]
        wrong = f"{held.wrong} wrong answers" if held.wrong else f"only {still:.0f} connections are open" if still < HELD else ""
        return memory_row("rss_1k", BUSY_MB, suite, wrong)
    finally:
        held.close()


# Memory first, while the suite is at rest; the table is printed in the order of NAMES.
ROWS = {row.__name__: row for row in (
    rss_idle, rss_1k, forward_h1, forward_h2, forward_jwt, latency_p50, handshakes, conns_10k, token_cc, token_refresh, login,
    booking_create, audit_append, proof_10m)}
NAMES = ("forward_h1", "forward_h2", "forward_jwt", "booking_create", "token_cc", "token_refresh", "latency_p50", "conns_10k",
         "handshakes", "rss_idle", "rss_1k", "audit_append", "proof_10m", "login")


def take(ctx, name):
    """The row, whatever happens."""
    empty = {"name": name, "ours": None, "peer": None, "peer_name": None, "ratio": None, "goal": None}
    try:
        return ROWS[name](ctx)
    except (Skip, machine.Absent) as skip:
        return dict(empty, status="skipped", reason=str(skip))
    except Trouble as trouble:
        return dict(empty, status=FAILED, reason=str(trouble))
    except Exception as fault:  # the other rows are worth having
        return dict(empty, status=FAILED, reason=f"{type(fault).__name__}: {fault}")


assert set(ROWS) == set(NAMES) and PEOPLE >= load.CONNECTIONS
