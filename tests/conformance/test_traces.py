# SPDX-License-Identifier: Apache-2.0
"""Traces: one request seen in every process, told to a collector; off by default, bounded, and without a word about people."""
import contextlib
import secrets

import pytest

from berth_suite import wait_for
from otlp_receiver import Receiver

ORDER = 92
PROCESSES = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")
SERVER, CLIENT, PRODUCER = 2, 3, 4
PER_S = 50
WALK = {("gateway", "booking_create", SERVER), ("gateway", "booking_create", CLIENT), ("bookingsvc", "booking_create", SERVER),
        ("bookingsvc", "postgresql", CLIENT), ("bookingsvc", "outbox_deliver", PRODUCER), ("bookingsvc", "event_append", CLIENT),
        ("auditsvc", "event_append", SERVER), ("auditsvc", "postgresql", CLIENT)}
READ = {("gateway", "booking_read", SERVER), ("gateway", "booking_read", CLIENT), ("bookingsvc", "booking_read", SERVER)}

pytestmark = pytest.mark.seconds(240)


@contextlib.contextmanager
def told(suite, lines):
    """{process: [KEY=VALUE]} besides what they are told, while inside."""
    before = {}
    for process in lines:
        path = suite.state / "etc" / f"{process}.local.env"
        before[path] = path.read_text() if path.exists() else None
        path.write_text((before[path] or "") + "".join(f"{line}\n" for line in lines[process]))
        path.chmod(0o644)
    try:
        restart(suite, lines)
        yield
    finally:
        for path, text in before.items():
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        restart(suite, lines)


def restart(suite, processes):
    suite.ctl("restart", *processes)
    suite.reload()
    for process in PROCESSES:
        wait_for(lambda name=process: suite.ready(name), 60, f"the readiness of {process}")
        wait_for(lambda name=process: suite.links_up(name), 60, f"the links of {process}")


@pytest.fixture(scope="module")
def receiver(suite):
    allow = suite.state / "etc" / "test-egress-allow"
    with Receiver() as started:
        listed = (suite.state / "etc" / "egress-allow").read_text()
        allow.write_text(f"{listed}127.0.0.1:{started.port} traces\n")
        allow.chmod(0o644)
        lines = {process: [f"BERTH_TRACE_PER_S={PER_S}"] for process in PROCESSES}
        lines["authsvc"] += [f"BERTH_TRACE_URL=http://127.0.0.1:{started.port}/v1/traces", f"BERTH_EGRESS_ALLOW_FILE={allow}"]
        with told(suite, lines):
            yield started
        allow.unlink()
    assert not started.faults, started.faults[:3]


def traceparent(sampled=True):
    trace, parent = secrets.token_hex(16), secrets.token_hex(8)
    return trace, parent, f"00-{trace}-{parent}-0{int(sampled)}"


def one(spans, process, name, kind, parent=None):
    found = [span for span in spans if (span.process, span.name, span.kind) == (process, name, kind) and (parent is None or span.parent == parent.id)]
    assert len(found) == 1, (process, name, kind, found, spans)
    return found[0]


def whole(receiver, trace, caller, expected):
    """The spans of a trace, once all that are expected have come, and the parent of each."""
    def complete():
        spans = receiver.of(trace)
        ids = {span.id for span in spans} | {caller}
        have = {(span.process, span.name, span.kind) for span in spans}
        return spans if expected <= have and all(span.parent in ids for span in spans) else None
    return wait_for(complete, 60, "the whole trace")


def test_a_booking_is_followed_through_every_process(suite, slug, receiver):
    area = suite.new_area(slug)
    user = suite.as_role(slug, "User")
    trace, caller, header = traceparent()
    note = f"note-{secrets.token_hex(6)}"
    booking = user.post("/v1/bookings", {"spot_id": area["spots"][0], "note": note, **suite.slot()}, headers={"traceparent": header}).expect(201).body
    spans = whole(receiver, trace, caller, WALK)
    edge = one(spans, "gateway", "booking_create", SERVER)
    assert edge.parent == caller
    assert edge.attributes == {"http.route": "/v1/bookings", "http.response.status_code": 201} and not edge.failed
    link = one(spans, "gateway", "booking_create", CLIENT, edge)
    service = one(spans, "bookingsvc", "booking_create", SERVER, link)
    assert [span for span in spans if span.process == "bookingsvc" and span.name == "postgresql" and span.parent == service.id]
    delivery = one(spans, "bookingsvc", "outbox_deliver", PRODUCER, service)
    hop = one(spans, "bookingsvc", "event_append", CLIENT, delivery)
    append = one(spans, "auditsvc", "event_append", SERVER, hop)
    assert [span for span in spans if span.process == "auditsvc" and span.name == "postgresql" and span.parent == append.id]
    assert edge.start <= link.start <= service.start and service.end <= link.end <= edge.end
    assert len({span.id for span in spans}) == len(spans)
    person = suite.person(slug, "User")
    for word in (note, booking["id"], booking["spot_id"], person["email"], person["id"], slug):
        assert not any(word in text for text in receiver.texts), "a span says more than the code's own names"


def test_an_export_is_followed_through_all_five(suite, slug, receiver):
    """One request that each of them has a part in: whoever was called names the caller's own span as its parent."""
    trace, caller, header = traceparent()
    person = suite.new_person(slug)
    suite.api(suite.sign_in_person(person)).get("/v1/me/export", headers={"traceparent": header}).expect(200)

    def complete():
        spans = receiver.of(trace)
        ids = {span.id for span in spans} | {caller}
        served = {span.process for span in spans if span.kind == SERVER}
        return spans if served == set(PROCESSES) and all(span.parent in ids for span in spans) else None
    spans = wait_for(complete, 60, "a span of every process")
    by_id = {span.id: span for span in spans}
    for span in spans:
        if span.kind == SERVER and span.process != "gateway":
            assert by_id[span.parent].kind == CLIENT and by_id[span.parent].process in ("gateway", "gdprsvc"), span
    for word in (person["email"], person["id"], slug):
        assert not any(word in text for text in receiver.texts), "a span says more than the code's own names"


def test_a_refusal_says_how_it_ended(suite, slug, receiver):
    trace, caller, header = traceparent()
    unknown = "0192a3b4-c5d6-7e8f-8a9b-0c1d2e3f4a5b"
    suite.as_role(slug, "User").get(f"/v1/bookings/{unknown}", headers={"traceparent": header}).expect(404)
    edge = one(whole(receiver, trace, caller, READ), "gateway", "booking_read", SERVER)
    assert edge.failed and edge.attributes == {"http.route": "/v1/bookings/{id}", "http.response.status_code": 404, "error.type": "not_found"}
    assert not any(unknown in text for text in receiver.texts)


def test_who_does_not_ask_is_not_recorded_and_a_broken_header_begins_anew(suite, slug, receiver):
    user = suite.as_role(slug, "User")
    quiet, _, header = traceparent(sampled=False)
    user.get("/v1/whoami", headers={"traceparent": header}).expect(200)
    broken, _, header = traceparent()
    user.get("/v1/whoami", headers={"traceparent": header.upper()}).expect(200)
    last, _, header = traceparent()
    user.get("/v1/whoami", headers={"traceparent": header}).expect(200)
    wait_for(lambda: receiver.of(last), 60, "a span")
    assert not receiver.of(quiet) and not receiver.of(broken)


def test_recorded_traces_are_bounded_whoever_asks(suite, slug, receiver):
    user = suite.as_role(slug, "User")
    asked = [traceparent() for _ in range(8 * PER_S)]
    begun = len(receiver.spans)
    for _, _, header in asked:
        user.get("/v1/whoami", headers={"traceparent": header}).expect(200)
    last, _, header = traceparent()
    def seen():
        user.get("/v1/whoami", headers={"traceparent": header}).expect(200)
        return receiver.of(last)
    wait_for(seen, 60, "a span of the last")
    edges = [span for span in receiver.spans[begun:] if span.process == "gateway" and span.kind == SERVER]
    took = (max(span.end for span in edges) - min(span.start for span in edges)) / 1e9
    assert len(edges) <= PER_S * (took + 1) + 1, f"{len(edges)} in {took:.1f} s"
    assert user.get("/v1/whoami").status == 200


def test_without_the_collector_requests_go_on(suite, slug, receiver):
    receiver.close()
    name = next(series for series in suite.metrics("authsvc") if series.endswith("spans_lost_total"))
    lost = suite.metrics("authsvc")[name]
    user = suite.as_role(slug, "User")
    def asked():
        user.get("/v1/whoami", headers={"traceparent": traceparent()[2]}).expect(200)
        return suite.metrics("authsvc")[name] > lost
    wait_for(asked, 60, "spans that were lost and counted")
