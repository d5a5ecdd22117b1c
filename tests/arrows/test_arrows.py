# SPDX-License-Identifier: Apache-2.0
"""The private network: what is not declared is refused, by each end, and nothing there speaks plaintext."""
import pathlib
import re
import socket
import ssl
import struct
import subprocess

import pytest

ORDER = 60
ROOT = pathlib.Path(__file__).resolve().parents[2]
PROCESSES = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")
# nng's SP over a stream: "\0SP\0", protocol REQ (0x30), reserved.
SP_REQUEST = b"\0SP\0\0\x30\0\0"


def declared():
    """{(caller, callee, lane)} of common/contract/peers.def."""
    text = (ROOT / "common/contract/peers.def").read_text()
    return set(re.findall(r"^ARROW\((\w+),\s*(\w+),\s*(\w+)\)", text, re.M))


def listeners(suite):
    """{(caller, callee, lane): (host, port)}"""
    found = {}
    for callee in PROCESSES:
        for key, value in suite.environment(callee).items():
            match = re.fullmatch(r"BERTH_LISTEN_(\w+)_(FAST|SLOW)", key)
            if match:
                host, _, port = value.removeprefix("tls+tcp://").rpartition(":")
                found[match[1].lower(), callee, match[2]] = (host, int(port))
    return found


def connect(suite, address, role):
    """A TLS connection to a listener with the leaf of a role (None: none), after the handshake; raises when it is refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if role:
        pki = suite.state / "pki" / ("link" if role in PROCESSES else "")
        name = role if role in PROCESSES else "ops-client"
        context.load_cert_chain(pki / f"{name}.pem", pki / f"{name}.key")
    return context.wrap_socket(socket.create_connection(address, timeout=5))


def speaks(connection):
    """Does the other end answer the SP greeting?"""
    connection.settimeout(3)
    connection.sendall(SP_REQUEST)
    return connection.recv(8)[:4] == b"\0SP\0"


def is_refused(suite, address, role):
    try:
        with connect(suite, address, role) as connection:
            return not speaks(connection)
    except (ssl.SSLError, ConnectionError, TimeoutError, OSError):
        return True


def test_there_is_a_listener_for_each_declared_arrow_and_for_no_other(suite):
    assert set(listeners(suite)) == declared()


@pytest.mark.parametrize("callee", [name for name in PROCESSES if name != "gateway"])
def test_a_listener_takes_its_one_caller_and_nobody_else(suite, callee):
    for (caller, to, lane), address in listeners(suite).items():
        if to != callee:
            continue
        assert not is_refused(suite, address, caller), f"{caller} -> {callee} {lane}: the declared caller is refused"
        for other in {*PROCESSES, None, "ops"} - {caller}:
            assert is_refused(suite, address, other), f"{other} may call {callee} in the place of {caller}"


def answer_in_the_clear(address, said, seconds):
    """What comes within that time when this is said without TLS."""
    with socket.create_connection(address, timeout=5) as plain:
        plain.settimeout(seconds)
        plain.sendall(said)
        try:
            return plain.recv(64)
        except (ConnectionError, TimeoutError):
            return b""


def test_plaintext_on_a_link_gets_no_answer(suite):
    for address in listeners(suite).values():
        assert b"\0SP\0" not in answer_in_the_clear(address, SP_REQUEST, 2)


def test_no_port_of_the_suite_speaks_or_answers_without_tls(suite):
    """Each that it remembers, the mail sink's too: nothing comes before the handshake, to whatever is said, and 1.2 is the least."""
    ports = dict(line.split() for line in (suite.state / "etc" / "ports").read_text().splitlines())
    assert {"public", "mail", "admin.gateway", "gateway.authsvc.FAST"} <= ports.keys()
    for name, port in ports.items():
        for said in (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"EHLO x\r\nSTARTTLS\r\n"):
            answer = answer_in_the_clear(("127.0.0.1", int(port)), said, 1)
            # A record of TLS that says what is wrong, and nothing else.
            assert answer == b"" or answer[:1] == b"\x15", f"{name} says {answer} to {said}"
        with connect(suite, ("127.0.0.1", int(port)), None if name in ("public", "mail") else name.partition(".")[0] if "admin" not in name else "ops") as tls:
            assert tls.version() == "TLSv1.2", name
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            old.wrap_socket(socket.create_connection(("127.0.0.1", int(port)), timeout=5))


def listening(suite):
    """{(process, port)} of every TCP socket that the five processes listen on."""
    pids = {suite.pid(name): name for name in PROCESSES}
    found = set()
    for line in subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines():
        for pid in re.findall(r"pid=(\d+)", line):
            if int(pid) in pids:
                found.add((pids[int(pid)], int(line.split()[3].rsplit(":", 1)[1])))
    return found


def test_the_processes_listen_on_what_is_declared_and_on_nothing_else(suite):
    wanted = {(callee, port) for (_, callee, _), (_, port) in listeners(suite).items()}
    wanted |= {(name, int(suite.admin_url(name).rsplit(":", 1)[1])) for name in PROCESSES}
    wanted |= {("gateway", int(suite.url.rsplit(":", 1)[1]))}
    assert listening(suite) == wanted


def test_the_gateway_knows_no_database(suite):
    assert not [key for key in suite.environment("gateway") if "PG" in key]
    sockets = subprocess.run(["ss", "-Hxp"], capture_output=True, text=True, check=True).stdout
    pid = suite.pid("gateway")
    assert not [line for line in sockets.splitlines() if f"pid={pid}," in line and "PGSQL" in line]


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def batch(operation, body=b"", token=None):
    """One request item in a batch (common/contract/envelope.c)."""
    strings = [(0, token.encode() if token else None), (8, body)]
    present = sum(1 << bit for bit, value in strings if value is not None)
    item = struct.pack(">H", operation) + bytes(range(16)) + varint(5000) + struct.pack(">H", present) + varint(0)
    for _, value in strings:
        if value is not None:
            item += varint(len(value)) + value
    return b"\x01q" + struct.pack(">H", 1) + struct.pack(">I", len(item)) + item


def exchange(suite, address, role, message):
    """Sends one message as REQ; the reply's bytes, or None when the other end gives none."""
    with connect(suite, address, role) as connection:
        assert speaks(connection)
        frame = struct.pack(">I", 0x80000001) + message
        connection.sendall(struct.pack(">Q", len(frame)) + frame)
        connection.settimeout(3)
        try:
            head = connection.recv(8)
            if len(head) < 8:
                return None
            length, data = struct.unpack(">Q", head)[0], b""
            while len(data) < length:
                part = connection.recv(length - len(data))
                if not part:
                    return None
                data += part
            return data[4:]
        except (TimeoutError, ConnectionError, ssl.SSLError):
            return None


def errors_in(reply):
    """The error numbers of a reply batch."""
    assert reply[:2] == b"\x01r"
    count, at, numbers = struct.unpack(">H", reply[2:4])[0], 4, []
    for _ in range(count):
        length = struct.unpack(">I", reply[at:at + 4])[0]
        number, place = 0, at + 4
        shift = 0
        while True:
            byte = reply[place]
            number |= (byte & 127) << shift
            place, shift = place + 1, shift + 7
            if not byte & 128:
                break
        numbers.append(number)
        at += 4 + length
    return numbers


def operation_number(name):
    for path in (ROOT / "common/contract").glob("*.def"):
        match = re.search(rf"^(?:OPERATION|INTERNAL)\s*\(\s*{name}\s*,\s*(\d+)", path.read_text(), re.M)
        if match:
            return int(match[1])
    raise AssertionError(f"no operation {name}")


def test_the_declared_caller_gets_an_answer(suite, slug):
    reply = exchange(suite, listeners(suite)["gateway", "bookingsvc", "FAST"], "gateway",
                     batch(operation_number("whoami_read"), token=suite.token(slug, "User")))
    assert reply is not None and errors_in(reply) == [0]


@pytest.mark.parametrize("name, arrow", [
    ("booking_erase", ("gateway", "bookingsvc", "SLOW")), ("booking_export", ("gateway", "bookingsvc", "SLOW")),
    ("auth_erase", ("gateway", "authsvc", "SLOW")), ("auth_export", ("bookingsvc", "authsvc", "FAST")),
    ("audit_erase", ("bookingsvc", "auditsvc", "FAST")), ("people_exist", ("gdprsvc", "authsvc", "FAST")),
    ("offboard_start", ("gateway", "gdprsvc", "FAST")), ("event_list", ("bookingsvc", "auditsvc", "FAST")),
])
def test_an_operation_is_refused_to_a_caller_that_is_not_declared_for_it(suite, slug, name, arrow):
    caller = arrow[0]
    reply = exchange(suite, listeners(suite)[arrow], caller, batch(operation_number(name), token=suite.token(slug, "Admin")))
    assert reply is None or 0 not in errors_in(reply), f"{name} was executed for {caller}"


def test_a_captured_gateway_cannot_invent_a_token(suite, slug):
    """The service verifies the token again: no token, a changed one, or nonsense gets 401 from the service itself."""
    address = listeners(suite)["gateway", "bookingsvc", "FAST"]
    good = suite.token(slug, "User")
    for token in (None, "", "x.y.z", good[:-8] + "AAAAAAAA", good.split(".")[0] + "..", "a" * 4000):
        reply = exchange(suite, address, "gateway", batch(operation_number("whoami_read"), token=token))
        assert reply is None or errors_in(reply)[0] in (5, 6, 7), f"{token!r}: {reply!r}"


MALFORMED = {
    "nothing": b"", "one byte": b"\x01", "another version": b"\x02q\0\1", "a reply": b"\x01r\0\0", "too many items": b"\x01q\xff\xff",
    "an item that is cut": b"\x01q\0\1\0\0\1\0abc", "noise": bytes(range(256)) * 4, "an unknown operation": batch(65535),
    "bytes after the end": batch(300) + b"x", "a body that is noise": batch(300, body=b"\xff" * 64),
}


@pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_message_is_dropped_and_the_process_lives(suite, slug, message):
    pid = suite.pid("bookingsvc")
    reply = exchange(suite, listeners(suite)["gateway", "bookingsvc", "FAST"], "gateway", message)
    assert reply is None or 0 not in errors_in(reply)
    assert suite.pid("bookingsvc") == pid and pathlib.Path(f"/proc/{pid}").exists()
    suite.as_role(slug, "User").get("/v1/whoami").expect(200)


def test_a_frame_that_claims_to_be_huge_is_refused(suite, slug):
    address = listeners(suite)["gateway", "bookingsvc", "FAST"]
    for length in (64 << 20, 1 << 40, (1 << 64) - 1):
        with connect(suite, address, "gateway") as connection:
            assert speaks(connection)
            connection.sendall(struct.pack(">Q", length) + b"x" * 1000)
            connection.settimeout(5)
            try:
                assert connection.recv(1) == b""
            except (ConnectionError, ssl.SSLError):
                pass
    suite.as_role(slug, "User").get("/v1/whoami").expect(200)


def test_an_unknown_authority_is_refused(suite, tmp_path):
    """A leaf that says it is the gateway, signed by somebody else."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         "/O=Berth/CN=gateway", "-keyout", tmp_path / "k.pem", "-out", tmp_path / "c.pem"], check=True, capture_output=True)
    address = listeners(suite)["gateway", "bookingsvc", "FAST"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
    with pytest.raises((ssl.SSLError, OSError)):
        with context.wrap_socket(socket.create_connection(address, timeout=5)) as connection:
            assert not speaks(connection)
            raise ConnectionError("closed")
