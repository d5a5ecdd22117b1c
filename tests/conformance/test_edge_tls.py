# SPDX-License-Identifier: Apache-2.0
"""TLS at the edge: what is spoken and what is not, handshakes that are none, and certificates that change under load."""
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from berth_suite import wait_for
from edge import Closed, Edge, context, head, post, timed
from own_gateway import NO_LIMITS, OwnGateway

ORDER = 42
OURS_1_2 = {
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"}
OURS_1_3 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}


def port_of(gateway):
    return int(gateway.url.rpartition(":")[2])


def lenient(suite, version):
    """A client that would take anything."""
    made = context(suite)
    made.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    made.minimum_version = made.maximum_version = version
    return made


def shakes(suite, tls):
    """What was agreed on, or None."""
    try:
        with Edge(suite, tls=tls) as edge:
            return edge.socket.cipher()
    except (ssl.SSLError, ConnectionError):
        return None


def openssl(*words, given=b"", seconds=20):
    outcome = subprocess.run(["openssl", *words], input=given, capture_output=True, timeout=seconds)
    return (outcome.stdout + outcome.stderr).decode(errors="replace")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_versions_are_refused(suite):
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        assert shakes(suite, lenient(suite, version)) is None, version
    assert shakes(suite, lenient(suite, ssl.TLSVersion.TLSv1_2))[1] == "TLSv1.2"
    assert shakes(suite, lenient(suite, ssl.TLSVersion.TLSv1_3))[1] == "TLSv1.3"


def test_only_forward_secret_authenticated_ciphers_are_taken(suite):
    everything = openssl("ciphers", "-s", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").strip().split(":")
    taken = set()
    for name in everything:
        tls = context(suite, ssl.TLSVersion.TLSv1_2)
        try:
            tls.set_ciphers(f"{name}:@SECLEVEL=0")
        except ssl.SSLError:
            continue
        agreed = shakes(suite, tls)
        if agreed:
            taken.add(agreed[0])
    assert taken == OURS_1_2
    assert shakes(suite, context(suite, ssl.TLSVersion.TLSv1_3))[0] in OURS_1_3


def test_both_kinds_of_certificate_are_served(suite):
    for ciphers, kind in (("ECDHE-ECDSA-AES128-GCM-SHA256", "id-ecPublicKey"), ("ECDHE-RSA-AES128-GCM-SHA256", "rsaEncryption")):
        tls = context(suite, ssl.TLSVersion.TLSv1_2)
        tls.set_ciphers(ciphers)
        with Edge(suite, tls=tls) as edge:
            pem = ssl.DER_cert_to_PEM_cert(edge.socket.getpeercert(binary_form=True))
        assert kind in openssl("x509", "-noout", "-text", given=pem.encode())


def test_small_keys_and_curves_are_refused(suite):
    for curve in ("secp224r1", "prime192v1", "secp256k1"):
        tls = context(suite, ssl.TLSVersion.TLSv1_2)
        try:
            tls.set_ecdh_curve(curve)
        except (ssl.SSLError, ValueError):
            continue
        assert shakes(suite, tls) is None, curve


def s_client(suite, *words, given=b"", pause=0.5):
    """openssl s_client with lines typed one after the other."""
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port_of(suite)}", "-CAfile", suite.info["ca"], *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        time.sleep(pause)
        if given:
            process.stdin.write(given)
            process.stdin.flush()
            time.sleep(pause)
        output, _ = process.communicate(timeout=10)
    finally:
        process.kill()
    return output.decode(errors="replace")


def test_renegotiation_is_refused(suite):
    output = s_client(suite, "-tls1_2", given=b"R\n")
    assert "RENEGOTIATING" in output
    assert "no renegotiation" in output or "unexpected" in output.lower(), output[-500:]
    assert "Secure Renegotiation IS supported" in output, "as RFC 5746 wants it told"


def test_nothing_is_taken_before_the_handshake_and_nothing_compressed(suite):
    assert "Max Early Data: 0" in s_client(suite, "-tls1_3", given=head())
    output = s_client(suite, "-tls1_2")
    assert "Compression: NONE" in output


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(suite, version):
    tls = context(suite, version)
    with Edge(suite, tls=tls) as edge:
        assert edge.ask(head()).status == 200
        session = edge.socket.session
    port = port_of(suite)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
        with tls.wrap_socket(raw, server_hostname="localhost", session=session) as again:
            assert again.session_reused


class Slow:
    """A client whose bytes go out when the test says so."""

    def __init__(self, suite, raw, **words):
        self.raw, self.held = raw, b""
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context(suite, ssl.TLSVersion.TLSv1_3)
        self.peer = self.tls.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost", **words)

    def put(self):
        self.raw.sendall(self.held + self.outgoing.read())
        self.held = b""

    def until(self, what):
        """What it returns; what it makes for the server last is held."""
        while True:
            try:
                done = what()
                self.held += self.outgoing.read()
                return done
            except ssl.SSLWantReadError:
                self.put()
                part = self.raw.recv(65536)
                assert part, "the connection ended"
                self.incoming.write(part)


@pytest.mark.parametrize("asks", ["with the end of the handshake", "later"])
def test_a_ticket_comes_with_the_answer_or_at_once(suite, asks):
    with socket.create_connection(("127.0.0.1", port_of(suite)), timeout=8) as raw:
        client = Slow(suite, raw)
        client.until(client.peer.do_handshake)
        if asks == "later":
            client.put()
            client.incoming.write(raw.recv(65536))
            with pytest.raises(ssl.SSLWantReadError):
                client.peer.read(1)
            assert client.peer.session.has_ticket, "nobody has asked for anything yet"
        client.peer.write(head())
        assert client.until(lambda: client.peer.read(65536)).startswith(b"HTTP/1.1 200")
        session = client.peer.session
        assert session.has_ticket
    with socket.create_connection(("127.0.0.1", port_of(suite)), timeout=8) as raw:
        with client.tls.wrap_socket(raw, server_hostname="localhost", session=session) as again:
            assert again.session_reused


@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
def test_a_request_does_not_wait_for_an_acknowledgement(suite, protocol):
    """Forty milliseconds, if the end of the handshake got no answer and the client has Nagle's algorithm on, as sockets have."""
    took = []
    for _ in range(30):
        tls = context(suite, ssl.TLSVersion.TLSv1_3)
        tls.set_alpn_protocols([protocol])
        with socket.create_connection(("127.0.0.1", port_of(suite)), timeout=8) as raw:
            with tls.wrap_socket(raw, server_hostname="localhost") as stream:
                begun = time.monotonic()
                stream.sendall(head() if protocol == "http/1.1" else b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0")
                got = b""
                while b"HTTP/1.1 200" not in got and b"\x04\x01\0\0\0\0" not in got:  # or SETTINGS are acknowledged
                    part = stream.recv(65536)
                    assert part, "the connection ended"
                    got += part
                took.append(time.monotonic() - begun)
    assert min(took) < 0.035


def test_a_protocol_that_is_not_spoken_is_refused(suite):
    tls = context(suite)
    tls.set_alpn_protocols(["spdy/3"])
    assert shakes(suite, tls) is None
    plain = ssl.create_default_context(cafile=suite.info["ca"])
    assert shakes(suite, plain), "who offers none gets HTTP/1.1"


HELLO = bytes.fromhex("16030100c5010000c10303")
NO_HANDSHAKES = {
    "nothing but an end": b"",
    "a plain request": head(),
    "zeros": b"\0" * 4096,
    "noise": os.urandom(4096),
    "half a hello": HELLO,
    "a record of no length": b"\x16\x03\x01\x00\x00" * 100,
    "a record that is too long": b"\x16\x03\x01\xff\xff" + b"x" * 70000,
    "an alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "data before a key": b"\x17\x03\x03\x00\x20" + b"x" * 32,
    "a hello of SSLv2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80" + b"x" * 32,
    "finished first": b"\x16\x03\x03\x00\x10\x14\x00\x00\x0c" + b"x" * 12,
}


@pytest.mark.parametrize("given", NO_HANDSHAKES.values(), ids=NO_HANDSHAKES.keys())
def test_what_is_no_handshake_ends_the_connection(suite, given):
    with socket.create_connection(("127.0.0.1", port_of(suite)), timeout=8) as raw:
        try:
            raw.sendall(given)
            raw.shutdown(socket.SHUT_WR)
            got = b""
            while part := raw.recv(4096):
                got += part
        except OSError:
            got = b""
    # At most an alert: nobody without a key is told anything else.
    assert len(got) <= 64 and not got.startswith(b"HTTP"), got[:100]
    with Edge(suite) as edge:
        assert edge.ask(head()).status == 200


@pytest.mark.seconds(200)
def test_two_thousand_handshakes_that_stall_do_not_slow_others_down(suite):
    """They send half a hello and wait; each is ended within the deadline, and bystanders notice nothing."""
    def bystander(seconds):
        waits = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with Edge(suite) as edge:
                waits.append(timed(lambda edge=edge: edge.ask(head()))[1])
        return sorted(waits)
    calm = bystander(2)
    stalled, before = [], suite.metrics("gateway")["berth_edge_timeouts_total"]
    for number in range(2000):
        one = socket.create_connection(("127.0.0.1", port_of(suite)), timeout=10)
        one.sendall(HELLO if number % 2 else b"")
        stalled.append(one)
    wait_for(lambda: suite.metrics("gateway")["berth_edge_connections"] > len(stalled) / 2, 4, "half of them at once")
    storm = bystander(2)
    begun = time.monotonic()
    for one in stalled:
        one.settimeout(8)
        try:
            while one.recv(100):
                pass
        except ConnectionError:
            pass
        one.close()
    assert time.monotonic() - begun < 8, "a stalled handshake outlived its deadline"
    assert suite.metrics("gateway")["berth_edge_timeouts_total"] - before >= len(stalled), "each was ended for its silence"
    p99 = [waits[int(len(waits) * 0.99)] for waits in (calm, storm)]
    # The floor is what the test machine's own jitter makes of a millisecond.
    assert p99[1] < max(2 * p99[0], 0.1), f"p99 {p99[0] * 1000:.1f} ms became {p99[1] * 1000:.1f} ms"


STATUSES = {
    200: head(),
    204: head(start="OPTIONS * HTTP/1.1"),
    400: head("X : a"),
    401: head(start="GET /v1/whoami HTTP/1.1"),
    404: head(start="GET /nothing HTTP/1.1"),
    405: head(start="DELETE /healthz HTTP/1.1"),
    413: post("/v1/registrations", b"x" * 9000),
    414: head(start=f"GET /{'x' * 9000} HTTP/1.1"),
    415: post("/v1/registrations", b"{}", kind="text/plain"),
    417: head("Expect: 200-ok"),
    431: head(*[f"X{n}: x" for n in range(120)]),
    501: head(start="BREW / HTTP/1.1"),
    505: head(start="GET / HTTP/2.0"),
}


@pytest.mark.parametrize("status", STATUSES)
def test_strict_transport_security_stands_on_every_status(suite, status):
    with Edge(suite) as edge:
        answer = edge.ask(STATUSES[status], "HEAD" if status == 204 else "GET")
        assert answer.status == status
        policy = answer.field("strict-transport-security")
        assert policy and int(policy.split("max-age=")[1].split(";")[0]) >= 63072000
        assert answer.field("server") is None and answer.field("x-request-id")


# -- certificates that change

def certificate(folder, name, common_name):
    """A self-signed one for localhost: the client is told to trust it."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={common_name}",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem"))
    assert (folder / f"{name}.pem").exists()


class Trusting:
    """The same gateway, trusted by another certificate."""

    def __init__(self, gateway, ca):
        self.url, self.info = gateway.url, {"ca": str(ca)}


def served(gateway):
    """The common name that it shows to a client that asks no questions."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    with Edge(gateway, tls=tls) as edge:
        pem = ssl.DER_cert_to_PEM_cert(edge.socket.getpeercert(binary_form=True))
    return openssl("x509", "-noout", "-subject", "-nameopt", "multiline", given=pem.encode()).rpartition("=")[2].strip()


@pytest.fixture
def renewable(suite, tmp_path):
    """A gateway whose certificate may be replaced: it and the folder."""
    for name in ("one", "two", "three"):
        certificate(tmp_path, name, name)
    for end in ("pem", "key"):
        shutil.copy(tmp_path / f"one.{end}", tmp_path / f"live.{end}")
    with OwnGateway(suite, BERTH_GATEWAY_CERT_FILES=str(tmp_path / "live.pem"), BERTH_GATEWAY_KEY_FILES=str(tmp_path / "live.key"),
                    **NO_LIMITS) as gateway:
        yield gateway, tmp_path


def replace(folder, name):
    for end in ("pem", "key"):
        shutil.copy(folder / f"{name}.{end}", folder / f"new.{end}")
        os.replace(folder / f"new.{end}", folder / f"live.{end}")


def test_a_new_certificate_is_served_without_a_failed_request(renewable):
    gateway, folder = renewable
    stop, counted, failed = [], [0], []

    def client(keep):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        try:
            while not stop:
                with Edge(gateway, tls=tls) as edge:
                    while not stop:
                        assert edge.ask(head()).status == 200
                        counted[0] += 1
                        if not keep:
                            break
        except (OSError, Closed, AssertionError) as error:
            failed.append(repr(error))
    clients = [threading.Thread(target=client, args=(number % 2 == 0,)) for number in range(6)]
    standing = Edge(gateway, tls=context(Trusting(gateway, folder / "one.pem")))
    for one in clients:
        one.start()
    assert served(gateway) == "one"
    replace(folder, "two")
    wait_for(lambda: served(gateway) == "two", 5, "the second certificate, found by looking")
    replace(folder, "three")
    os.kill(gateway.pid, signal.SIGHUP)
    wait_for(lambda: served(gateway) == "three", 5, "the third certificate, after SIGHUP")
    for _ in range(20):
        os.kill(gateway.pid, signal.SIGHUP)
        time.sleep(0.02)
    stop.append(True)
    for one in clients:
        one.join(20)
    assert not failed and counted[0] > 50, failed
    assert standing.ask(head()).status == 200, "a connection that stood is not touched"
    with Edge(gateway, tls=context(Trusting(gateway, folder / "three.pem"))) as edge:
        assert edge.ask(head()).status == 200


# -- session tickets over time, over new certificates, and of another process

def ticket_key(gateway, folder):
    """The name of the key under which the gateway seals a ticket now: its first bytes (RFC 5077 section 4)."""
    s_client(gateway, "-tls1_2", "-sess_out", str(folder / "session"))
    dump = openssl("sess_id", "-in", str(folder / "session"), "-noout", "-text")
    return re.search(r"TLS session ticket:\s+0000 - ((?:[0-9a-f]{2}[ -]){16})", dump)[1]


def resumed(gateway, tls, session):
    """Whether the session was; either way there is a connection that serves."""
    with socket.create_connection(("127.0.0.1", port_of(gateway)), timeout=8) as raw:
        with tls.wrap_socket(raw, server_hostname="localhost", session=session) as again:
            again.sendall(head())
            assert again.recv(65536).startswith(b"HTTP/1.1 200")
            return again.session_reused


def begun(gateway, tls):
    with Edge(gateway, tls=tls) as edge:
        assert edge.ask(head()).status == 200
        return edge.socket.session


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_ticket_keys_change_each_hour_and_open_tickets_for_two(renewable, version):
    """By a clock that is put on while the process runs."""
    _, folder = renewable
    clock = folder / "clock"
    clock.write_text("+0m")
    library = subprocess.run(["faketime", "-f", "+1d", "/bin/sh", "-c", 'printf %s "$LD_PRELOAD"'], capture_output=True, text=True, check=True).stdout
    # Beside the certificate, for nothing else can be read once the process is confined. The sanitizer minds the order of libraries.
    changes = {"FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1", "LD_PRELOAD": library.strip(), "ASAN_OPTIONS": "verify_asan_link_order=0"}
    with OwnGateway(renewable[0].suite, BERTH_GATEWAY_CERT_FILES=str(folder / "live.pem"), BERTH_GATEWAY_KEY_FILES=str(folder / "live.key"),
                    **changes, **NO_LIMITS) as gateway:
        tls = context(Trusting(gateway, folder / "one.pem"), version)
        first, key = begun(gateway, tls), ticket_key(gateway, folder)
        clock.write_text("+50m")
        assert ticket_key(gateway, folder) == key and resumed(gateway, tls, first)
        clock.write_text("+65m")
        second, next_key = begun(gateway, tls), ticket_key(gateway, folder)
        assert next_key != key and resumed(gateway, tls, first), "the key before still opens"
        clock.write_text("+130m")
        assert ticket_key(gateway, folder) not in (key, next_key)
        assert not resumed(gateway, tls, first) and resumed(gateway, tls, second)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_outlive_a_new_certificate_and_are_made_anew_by_another_gateway(renewable, version):
    gateway, folder = renewable
    tls = context(Trusting(gateway, folder / "one.pem"), version)
    session = begun(gateway, tls)
    replace(folder, "two")
    wait_for(lambda: served(gateway) == "two", 5, "the second certificate")
    assert resumed(gateway, tls, session)
    with OwnGateway(gateway.suite, **NO_LIMITS) as another:
        # A process knows its own keys alone: this one makes a new session, and the certificate is looked at again.
        tls.load_verify_locations(another.info["ca"])
        assert not resumed(another, tls, session)
        assert resumed(another, tls, begun(another, tls))


def test_files_that_do_not_serve_leave_the_certificate(renewable):
    gateway, folder = renewable
    shutil.copy(folder / "two.pem", folder / "live.pem")        # the key is still the first one's
    os.kill(gateway.pid, signal.SIGHUP)
    time.sleep(1.5)
    assert served(gateway) == "one"
    (folder / "live.pem").write_text("no certificate")
    time.sleep(1.5)
    assert served(gateway) == "one"
    (folder / "live.pem").unlink()
    time.sleep(1.5)
    assert served(gateway) == "one"
    replace(folder, "two")
    wait_for(lambda: served(gateway) == "two", 15, "the second certificate")
