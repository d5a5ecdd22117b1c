# SPDX-License-Identifier: Apache-2.0
"""The stream of revocations is read as hostile input: what is written there beside revocations, or by somebody who only says to be Redis,
costs no processor, is counted and keeps no later revocation away."""
import secrets
import time

import pytest

from berth_flow import claims
from berth_suite import wait_for
from edge import Edge, bearer, head
from own_gateway import NO_LIMITS, OwnGateway
from own_redis import OwnRedis
from rogue_redis import RogueRedis, array, fields, stream, text

ORDER = 44
WHOAMI = "GET /v1/whoami HTTP/1.1"
STREAM = "berth:revocations"
PAGE = 1000         # entries that the gateway takes at once
LOOKED_S = 2        # for so long its processor time is looked at
IDLE_SHARE = 0.35   # of one core, with sanitizers
MARK = "kept-out-of-every-log"
UNREADABLE = "revocations_unreadable_total"


def ended(session):
    """The entry that ends a session."""
    return {"kind": "session", "id": session, "before_us": str(int(time.time() * 1e6)), "until_us": str(int((time.time() + 900) * 1e6))}


def status(gateway, token):
    with Edge(gateway) as edge:
        return edge.ask(head(bearer(token), start=WHOAMI)).status


def beside(suite, socket, **more):
    return OwnGateway(suite, BERTH_REDIS_SOCKET=socket, **NO_LIMITS, **more)


def share(gateway):
    """Of a core, while nobody asks anything."""
    begun, at = gateway.processor_seconds(), time.monotonic()
    time.sleep(LOOKED_S)
    return (gateway.processor_seconds() - begun) / (time.monotonic() - at)


def token_of_ones_own(suite, slug):
    """Of a session that a test may end."""
    someone = suite.person(slug, "User")
    return suite.sign_in(slug, someone["email"], someone["password"])["access_token"]


@pytest.fixture
def token(suite, slug):
    return token_of_ones_own(suite, slug)


def odd_entries(session):
    """What is no revocation, though some look like one of this session."""
    whole = ended(session)
    yield {MARK: MARK}
    yield {b"\x00\xff\r\n": b"\x00\xff\r\n$-1\r\n"}
    yield {"": ""}
    yield dict(whole, kind=MARK)
    yield dict(whole, kind="Session")
    yield dict(whole, id="' or 1=1")
    yield dict(whole, id=session.encode() + b"\x00")
    yield dict(whole, id="0" * 100_000)
    yield dict(whole, id="00000000-0000-0000-0000-000000000000")
    yield dict(whole, until_us="-1")
    yield dict(whole, until_us="9" * 40)
    yield dict(whole, before_us="1e3")
    yield {name: value for name, value in whole.items() if name != "kind"}
    yield {name: value for name, value in whole.items() if name != "id"}
    yield {name: value for name, value in whole.items() if name != "until_us"}
    yield dict(whole, kind="client", id=MARK + "\n" + MARK)
    yield {f"{MARK}{n}": "x" for n in range(2000)}


def test_entries_that_are_no_revocations_are_counted_and_keep_no_later_one_away(suite, token):
    """Written by a real Redis, more of them than are taken at once, some under ids far ahead of the clock."""
    session = claims(token)["sid"]
    with OwnRedis(suite) as own_redis, beside(suite, own_redis.socket) as gateway:
        assert status(gateway, token) == 200
        counted = gateway.edge(UNREADABLE)
        odd = list(odd_entries(session))
        pipe = own_redis.client.pipeline(transaction=False)
        for entry in odd + [{MARK: str(n)} for n in range(2 * PAGE + 7)]:
            pipe.xadd(STREAM, entry)
        pipe.xadd(STREAM, {MARK: "ahead"}, id="99999999999999-18446744073709551614")
        written = len(pipe.execute())
        wait_for(lambda: gateway.edge(UNREADABLE) - counted >= written, 30, "all entries that are none")
        assert gateway.edge(UNREADABLE) - counted == written, "each once"
        assert status(gateway, token) == 200, "none of them ended the session"
        assert share(gateway) < IDLE_SHARE
        own_redis.client.xadd(STREAM, ended(session))
        wait_for(lambda: status(gateway, token) == 401, 10, "the revocation behind them")
        log = gateway.log_text()
        assert '"event":"revocation_unreadable"' in log and MARK not in log
        assert log.count("revocation_unreadable") < written / 10, "as many lines as entries"


def entry(number, **named):
    return array(text(f"5-{number}"), fields(**named))


def nameless(session):
    """Answers to XREAD that no Redis gives, by what is odd about them: each would be read again and again from where it is."""
    good = fields(**ended(session))
    yield "ids that are numbers", stream(*[array(b":7\r\n", good)] * PAGE)
    yield "ids that are not there", stream(*[array(b"$-1\r\n", good)] * PAGE)
    yield "ids that are no ids", stream(*[array(text("-"), good)] * PAGE)
    yield "ids with more behind them", stream(*[array(text("6-1\x00-9"), good)] * PAGE)
    yield "ids of any length", stream(*[array(text("1" * 400 + "-1"), good)] * PAGE)
    yield "ids beyond counting", stream(*[array(text("99999999999999999999-1"), good)] * PAGE)
    yield "one id that stays", stream(*[array(text("0-0"), good)] * PAGE)
    yield "entries of three", stream(*[array(text("6-1"), good, good)] * PAGE)
    yield "entries that are none", stream(*[b":1\r\n"] * PAGE)
    yield "entries of entries", array(array(text(STREAM), array(*[array(array(), array())] * PAGE)))
    yield "a stream that is none", array(*[text(STREAM)])
    yield "two streams", array(*[array(text(STREAM), array(entry(1, kind="x")))] * 2)
    yield "a status", b"+OK\r\n"
    yield "a number", b":1000\r\n"
    yield "an empty answer", b"*0\r\n"
    yield "what is no protocol", b"\x16\x03\x01\x02\x00"


KINDS = [name for name, _ in nameless("")]


@pytest.mark.parametrize("kind", KINDS)
def test_somebody_who_only_says_to_be_redis_makes_no_reader_spin(suite, kind):
    answer = dict(nameless(secrets.token_hex(8)))[kind]
    with RogueRedis(answer) as rogue, beside(suite, rogue.socket, BERTH_GATEWAY_LOOPS="1", ready=False) as gateway:
        wait_for(lambda: rogue.asked >= 2, 30, "a second question")
        asked, at = rogue.asked, time.monotonic()
        assert share(gateway) < IDLE_SHARE
        assert (rogue.asked - asked) / (time.monotonic() - at) < 10, "it asks without end"
        assert '"event":"redis_down"' in gateway.log_text()


def test_what_is_understood_of_such_an_answer_is_applied(suite, slug, token):
    """A revocation between entries that are none, and one behind those in the next answer, each ends its token."""
    other = token_of_ones_own(suite, slug)
    odd = [array(b":7\r\n", fields(kind="x")), b"$-1\r\n", array(text("5-1"), b":3\r\n"), array(text("5-2"), array(text("kind")))]
    known = time.monotonic()

    def reads(last):
        if last == "0-0":
            return stream(*odd, entry(8, **ended(claims(token)["sid"])), *odd)
        if last == "5-8" and time.monotonic() > known + 5:
            return stream(*odd, entry(9, **ended(claims(other)["sid"])))
        time.sleep(0.2)
        return b"*-1\r\n"
    with RogueRedis(reads) as rogue, beside(suite, rogue.socket) as gateway:
        wait_for(lambda: status(gateway, token) == 401, 20, "the revocation among them")
        assert gateway.edge(UNREADABLE) >= len(odd)
        wait_for(lambda: status(gateway, other) == 401, 20, "the one behind them")
        assert rogue.asked > 2
