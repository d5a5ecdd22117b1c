# SPDX-License-Identifier: Apache-2.0
"""Limits: by address, person, client, tenant, operation and bad tokens; told in advance, shared through Redis, held without it,
and changed while the gateway runs."""
import base64
import json
import re
import signal
import time

import pytest

from berth_suite import wait_for
from edge import Edge, bearer, head, post
from own_gateway import OwnGateway
from own_redis import OwnRedis

ORDER = 42
WHOAMI = "GET /v1/whoami HTTP/1.1"
ME = "GET /v1/me HTTP/1.1"
UNLIMITED = {f"BERTH_LIMIT_{name}_PER_S": "0"
             for name in ("ADDRESS", "PERSON", "CLIENT", "TENANT", "OPERATION", "SIGN_IN", "BAD_TOKEN")}
BURST = 6
RATE_LIMIT = re.compile(r'"([a-z-]+)";r=(\d+);t=(\d+)')
POLICY = re.compile(r'"([a-z-]+)";q=(\d+);w=(\d+)')

pytestmark = pytest.mark.seconds(120)


@pytest.fixture(scope="module")
def own_redis(suite):
    with OwnRedis(suite) as started:
        yield started


@pytest.fixture
def fresh(own_redis):
    own_redis.flush()
    return own_redis


def limited(suite, own_redis, name=None, per_s=1, burst=BURST, **more):
    """A gateway with one limit, or none."""
    changes = dict(UNLIMITED, BERTH_REDIS_SOCKET=own_redis.socket, **more)
    if name:
        changes.update({f"BERTH_LIMIT_{name}_PER_S": str(per_s), f"BERTH_LIMIT_{name}_BURST": str(burst)})
    return OwnGateway(suite, **changes)


def ask(gateway, token=None, start=WHOAMI):
    with Edge(gateway) as edge:
        return edge.ask(head(*([bearer(token)] if token else []), start=start))


def forged(kid, signature=b"x" * 64):
    part = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=").decode()  # noqa: E731
    header = {"alg": "EdDSA", "typ": "at+jwt", "kid": kid}
    return ".".join([part(json.dumps(header).encode()), part(b'{"sub":"nobody"}'), part(signature)])


def refused(answer, limit):
    assert answer.status == 429, answer
    document = json.loads(answer.body)
    assert document["code"] == "rate_limited" and document["reason"] == limit, document
    assert 1 <= int(answer.field("retry-after")) <= 3600
    name, left, _ = RATE_LIMIT.fullmatch(answer.field("ratelimit")).groups()
    assert (name, left) == (limit, "0")
    return answer


def until_refused(gateway, limit, token, start=WHOAMI):
    """How many were granted before the first refusal."""
    for granted in range(50 * BURST):
        answer = ask(gateway, token, start)
        if answer.status == 429:
            refused(answer, limit)
            return granted
        assert answer.status < 500
    raise AssertionError("there is no limit")


@pytest.mark.parametrize("name", ["ADDRESS", "PERSON", "CLIENT", "TENANT", "OPERATION"])
def test_each_limit_refuses_and_names_itself(suite, slug, fresh, name):
    limit = name.lower()
    with limited(suite, fresh, name) as gateway:
        begun = time.monotonic()
        granted = until_refused(gateway, limit, suite.token(slug, "User"))
        assert BURST <= granted <= BURST + time.monotonic() - begun + 1
        assert gateway.metrics()[f'berth_edge_refused_rate_total{{limit="{limit}"}}'] >= 1


def test_where_passwords_are_tried_an_address_has_a_limit_of_its_own(suite, slug, fresh):
    tried = post("/login", b"email=nobody%40example.com&password=x", kind="application/x-www-form-urlencoded")
    with limited(suite, fresh, "SIGN_IN") as gateway, Edge(gateway, seconds=30) as edge:
        begun, statuses = time.monotonic(), []
        while 429 not in statuses and len(statuses) < 50 * BURST:
            answer = edge.ask(tried)
            statuses.append(answer.status)
        assert BURST < len(statuses) <= BURST + time.monotonic() - begun + 2, statuses
        assert answer.field("ratelimit").startswith('"sign-in";r=0') and int(answer.field("retry-after")) >= 1
        assert gateway.metrics()['berth_edge_refused_rate_total{limit="sign-in"}'] >= 1
        assert ask(gateway, suite.token(slug, "User")).status == 200, "what tries no password was refused with it"


def test_who_shares_a_limit_and_who_does_not(suite, slug, other_slug, fresh):
    user, admin, neighbour = suite.token(slug, "User"), suite.token(slug, "Admin"), suite.token(other_slug, "User")
    slow = {"per_s": 1, "burst": 2 * BURST}
    with limited(suite, fresh, "PERSON", **slow) as gateway:
        until_refused(gateway, "person", user)
        assert ask(gateway, admin).status == 200
    for name in ("CLIENT", "TENANT"):
        with limited(suite, fresh, name, **slow) as gateway:
            until_refused(gateway, name.lower(), user)
            # At most what came back between the two.
            assert 429 in {ask(gateway, admin).status for _ in range(BURST)}
            assert ask(gateway, neighbour).status == 200
    with limited(suite, fresh, "OPERATION", **slow) as gateway:
        until_refused(gateway, "operation", user)
        assert ask(gateway, user, ME).status == 200, "the limit of one operation held for another"
        assert ask(gateway, admin).status == 200


def test_what_is_left_is_told_in_advance(suite, slug, fresh):
    token = suite.token(slug, "User")
    with limited(suite, fresh, "PERSON", per_s=1, burst=100) as gateway:
        seen = []
        for _ in range(5):
            answer = ask(gateway, token)
            assert POLICY.fullmatch(answer.field("ratelimit-policy")).groups() == ("person", "100", "100")
            name, left, full = RATE_LIMIT.fullmatch(answer.field("ratelimit")).groups()
            assert name == "person" and 1 <= int(full) <= 100 - int(left)
            assert not answer.field("retry-after")
            seen.append(int(left))
        assert seen[0] == 99 and seen == sorted(seen, reverse=True) and seen[-1] < seen[0]


def granted_until(gateway, token, wanted, seconds=30):
    """Asks until so many were granted; how many were, and how long it took."""
    begun = time.monotonic()
    granted = 0
    with Edge(gateway) as edge:
        while granted < wanted:
            granted += edge.ask(head(bearer(token), start=WHOAMI)).status == 200
            assert time.monotonic() - begun < seconds, f"{granted} granted in {seconds} s"
    return granted, time.monotonic() - begun


def test_after_a_long_time_without_redis_nobody_is_punished_and_nobody_has_more(suite, slug, fresh):
    token = suite.token(slug, "User")
    burst, per_s = 20, 20
    with limited(suite, fresh, "PERSON", per_s=per_s, burst=burst) as gateway:
        assert ask(gateway, token).status == 200
        fresh.stop()
        wait_for(lambda: gateway.metrics()["berth_edge_redis_up"] == 0, 20, "the metric that tells")
        granted, seconds = granted_until(gateway, token, 4 * burst)
        assert granted <= burst + per_s * seconds + 1, "without Redis there is more than the bucket held here"
        fresh.start()
        wait_for(lambda: gateway.metrics()["berth_edge_redis_up"] == 1, 20, "the metric that tells")
        # Tokens come back by time alone. Had all that was taken been told to Redis at once, its bucket would be one burst below nothing.
        time.sleep(0.3)
        assert ask(gateway, token).status == 200
        granted_until(gateway, token, burst)
        begun = time.monotonic()
        fresh.flush()
        with Edge(gateway) as edge:
            statuses = [edge.ask(head(bearer(token), start=WHOAMI)).status for _ in range(300)]
        granted, seconds = statuses.count(200), time.monotonic() - begun
        assert granted <= per_s * seconds + burst / 2, "a Redis that forgot gave a fresh burst"


def test_limits_change_while_the_gateway_runs(suite, slug, fresh, tmp_path):
    token = suite.token(slug, "User")
    file = tmp_path / "limits"
    policy = lambda: (ask(gateway, token).field("ratelimit-policy") or "").partition(";w=")[0]  # noqa: E731
    with limited(suite, fresh, "PERSON", per_s=100, burst=1000, BERTH_LIMITS_FILE=str(file)) as gateway:
        assert policy() == '"person";q=1000'
        file.write_text("# from now on\nBERTH_LIMIT_PERSON_BURST=500\n")
        wait_for(lambda: policy() == '"person";q=500', 20, "the new limit")
        file.write_text("BERTH_LIMIT_PERSON_BURST=400\nBERTH_LIMIT_PERSON_PER_S=lots\n")
        wait_for(lambda: gateway.edge("limits_refused") == 1, 20, "the metric that tells of a wrong file")
        assert policy() == '"person";q=500', "half of a wrong file was taken"
        assert '"key":"BERTH_LIMIT_PERSON_PER_S"' in gateway.log_text()
        file.write_text("BERTH_LIMIT_PERSON_BURST=400\n")
        gateway.process.send_signal(signal.SIGHUP)
        wait_for(lambda: policy() == '"person";q=400', 20, "the limit of the file put right")
        assert gateway.edge("limits_refused") == 0 and gateway.edge("limits_reloads_total") >= 2
        file.unlink()
        wait_for(lambda: policy() == '"person";q=1000', 20, "the limit of the environment")


def test_a_gateway_does_not_start_with_a_wrong_file(suite, fresh, tmp_path):
    file = tmp_path / "limits"
    file.write_text("BERTH_LIMIT_PERSON_BURST=0\n")
    gateway = OwnGateway(suite, ready=False, BERTH_REDIS_SOCKET=fresh.socket, BERTH_LIMITS_FILE=str(file))
    try:
        assert gateway.process.wait(30) != 0
        assert '"key":"BERTH_LIMIT_PERSON_BURST"' in gateway.log_text()
    finally:
        gateway.stop(quiet=True)


def test_unknown_keys_are_not_asked_for_one_by_one(suite, slug, fresh):
    """Thousands of tokens under key ids that nobody has: authsvc is asked for its keys once in five seconds at most."""
    count = 3000
    asked = lambda: sum(value for series, value in suite.metrics("authsvc").items()  # noqa: E731
                        if series.startswith("berth_request_seconds_count{") and 'operation="keys_read"' in series)
    with limited(suite, fresh) as gateway:
        assert ask(gateway, suite.token(slug, "User")).status == 200
        before, begun = asked(), time.monotonic()
        assert before > 0
        with Edge(gateway) as edge:
            for number in range(count):
                assert edge.ask(head(bearer(forged(f"kid-{number}")), start=WHOAMI)).status == 401
        seconds = time.monotonic() - begun
        # Every process of the suite asks each half minute by itself: five, and ours.
        assert asked() - before <= seconds / 5 + 1 + 6 * (seconds / 30 + 1)
        assert gateway.metrics()["berth_keys_unknown_total"] >= count
        assert ask(gateway, suite.token(slug, "User")).status == 200


def test_signatures_are_checked_for_an_address_only_so_often(suite, slug, fresh):
    token = suite.token(slug, "User")
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    # Verified tokens are remembered by each loop.
    with limited(suite, fresh, "BAD_TOKEN", BERTH_GATEWAY_LOOPS="1") as gateway:
        assert ask(gateway, token).status == 200
        granted = 0
        for number in range(50 * BURST):
            answer = ask(gateway, forged(header["kid"], number.to_bytes(64, "big")))
            if answer.status == 429:
                refused(answer, "bad-token")
                break
            assert answer.status == 401
            granted += 1
        assert granted >= BURST
        assert ask(gateway, token).status == 200, "who was let in before is let in, whatever others of the address send"
