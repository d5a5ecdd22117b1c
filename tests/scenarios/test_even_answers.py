# SPDX-License-Identifier: Apache-2.0
"""Answers whose time must not tell what was found: they wait at the edge, where they keep no worker from a sign-in."""
import json
import random
import secrets
import sys
import time
import urllib.parse

import pytest

from berth_flow import Browser
from berth_suite import ROOT, wait_for
from test_guessing import attempt, forget, rank_sum
from test_passwords import other_network

sys.path.insert(0, str(ROOT / "tests" / "conformance"))

from h2edge import DATA, END_STREAM, H2, frame, request, reset, window  # noqa: E402
from own_gateway import NO_LIMITS, OwnGateway  # noqa: E402

ORDER = 50
STEP_S = 0.25
WORKERS = 4             # of authsvc, for what takes a hash
HELD_S = 0.2            # for which each would keep one, if it waited there
MEDIA = {"form": "application/x-www-form-urlencoded", "json": "application/json"}


@pytest.fixture(scope="module")
def gateway(suite):
    """Without limits of its own, so that many may ask."""
    with OwnGateway(suite, **NO_LIMITS) as own:
        yield own


def nobody(slug):
    return f"nobody.{secrets.token_hex(5)}@{slug}.example"


class Asker:
    """A browser's form, or a script, that asks over HTTP/2: many at once on one connection, from a network of its own."""

    def __init__(self, gateway, seconds=60):
        source = other_network()
        self.browser = Browser({**gateway.info, "url": gateway.url}, source)
        self.form = self.browser.get("/password/forgotten").page().hidden
        self.connection = H2(gateway, seconds=seconds, source=source).send(window(0, 1 << 20))

    def _begin(self, path, body, kind, *more):
        body = body.encode()
        fields = request(("content-type", MEDIA[kind]), ("content-length", str(len(body))), *more, method="POST", path=path)
        stream = self.connection.begin(fields, 0)
        self.connection.send(frame(DATA, END_STREAM, stream, body))
        return stream

    def forgotten(self, slug, address):
        cookies = "; ".join(f"{name}={value}" for name, value in self.browser.cookies.items())
        form = urllib.parse.urlencode({**self.form, "tenant": slug, "email": address})
        return self._begin("/password/forgotten", form, "form", ("cookie", cookies), ("origin", self.browser.origin))

    def verification(self, slug, address):
        return self._begin("/v1/verifications", json.dumps({"tenant": slug, "email": address}), "json")

    def registration(self, slug, address):
        about = {"tenant": slug, "email": address, "password": secrets.token_urlsafe(18), "given_name": "New", "family_name": "Comer"}
        return self._begin("/v1/registrations", json.dumps(about), "json")

    def answer(self, stream):
        return self.connection.answer(stream).status

    def timed(self, name, slug, address):
        begun = time.perf_counter()
        status = self.answer(getattr(self, name)(slug, address))
        return status, time.perf_counter() - begun


WAYS = {"forgotten": ("forgotten_submit", 200), "verification": ("verification_send", 202), "registration": ("registration_create", 202)}


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_takes_its_step_and_holds_no_worker_for_it(suite, slug, gateway, way):
    operation, expected = WAYS[way]
    series = [f'berth_request_seconds_{what}{{operation="{operation}"}}' for what in ("sum", "count")]
    before = suite.metrics("authsvc")
    asker = Asker(gateway)
    for _ in range(6):
        status, seconds = asker.timed(way, slug, nobody(slug))
        assert status == expected and seconds >= STEP_S
    after = suite.metrics("authsvc")
    worked, count = (after[one] - before.get(one, 0) for one in series)
    assert count >= 6
    # A registration makes a hash, which is work.
    assert way == "registration" or worked / count < HELD_S / 2, worked / count


def test_sign_ins_come_through_however_many_ask(suite, slug, gateway):
    """A hundred ask at once. Were each of them to wait where it is answered, sign-ins would come behind them all."""
    info = {**gateway.info, "url": gateway.url}
    askers = [Asker(gateway) for _ in range(4)]
    alone = min(attempt(info, slug, nobody(slug), "not the password at all", other_network())[1] for _ in range(3))
    visitor = Browser(info, other_network())
    form = visitor.get("/login").page().hidden
    streams = [(asker, [asker.forgotten(slug, nobody(slug)) for _ in range(25)]) for asker in askers]
    begun = time.perf_counter()
    reply = visitor.post("/login", {**form, "tenant": slug, "email": nobody(slug), "password": "not the password at all"})
    seconds = time.perf_counter() - begun
    assert reply.status == 403, reply.status
    assert {asker.answer(stream) for asker, asked in streams for stream in asked} == {200}
    held = 100 * HELD_S / WORKERS
    assert seconds < alone + held / 2, f"{seconds:.2f} s, alone {alone:.2f} s"


def compared(suite, gateway, way, count, known, unknown):
    """Both in turns, in an order that chance decides."""
    times = {0: [], 1: []}
    asker = Asker(gateway)
    for _ in range(count):
        for which in random.sample((0, 1), 2):
            forget(suite)
            status, seconds = asker.timed(way, *(known, unknown)[which]())
            assert status == WAYS[way][1], status
            times[which].append(seconds)
    return rank_sum(times[0], times[1])


@pytest.fixture(scope="module")
def registered(suite):
    """Somebody who registered and has not proved the address yet."""
    slug = suite.new_tenant("even")
    admin = suite.as_role(slug, "Admin")
    tenant = admin.get("/v1/tenant").expect(200)
    admin.patch("/v1/tenant", {"registration_domain": f"{slug}.example"}, if_match=tenant.etag).expect(200)
    address = f"new@{slug}.example"
    suite.api().post("/v1/registrations", {"tenant": slug, "email": address, "password": secrets.token_urlsafe(18), "given_name": "New",
                                           "family_name": "Comer"}).expect(202)
    suite.link_in_mail(address, "verification")
    return {"slug": slug, "email": address}


@pytest.mark.seconds(300)
@pytest.mark.parametrize("way", ["forgotten", "verification"])
def test_when_it_comes_does_not_tell(suite, slug, person, registered, gateway, way):
    """Whoever is known gets a mail each time, which takes longer; the answer comes when it comes to a stranger."""
    known = {"forgotten": (slug, person["email"]), "verification": (registered["slug"], registered["email"])}[way]
    for _ in range(2):
        share, deviations = compared(suite, gateway, way, 40, lambda: known, lambda: (known[0], nobody(known[0])))
        if abs(deviations) < 3.5 or abs(share - 0.5) < 0.08:
            return
    raise AssertionError(f"{share:.3f} of the pairs, {deviations:.1f} deviations")


def test_who_goes_away_meanwhile_leaves_nothing_behind(suite, slug):
    """Connections and streams that end while their answer waits, and a gateway that is told to stop then."""
    with OwnGateway(suite, **NO_LIMITS) as own:
        def asked():
            return own.edge("forwarded_total")
        stays, leaves, resets = Asker(own), Asker(own), Asker(own)
        before = asked()
        for asker in (leaves, resets):
            streams = [asker.verification(slug, nobody(slug)) for _ in range(10)]
        wait_for(lambda: asked() >= before + 20, 10, "those that asked")
        leaves.connection.edge.reset()
        for stream in streams:
            resets.connection.send(reset(stream))
        assert resets.timed("verification", slug, nobody(slug))[0] == 202
        wait_for(lambda: own.edge("exchanges") == 0, 10, "the last of them")
        waiting = stays.verification(slug, nobody(slug))
        stays.connection.ping()
        own.process.terminate()
        assert stays.answer(waiting) == 202, "what was asked is answered before the end"
