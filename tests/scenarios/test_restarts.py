# SPDX-License-Identifier: Apache-2.0
"""Processes are replaced while people use them: `berthctl restart` under load fails no request, also with another binary, and an attempt
that cannot succeed leaves the running process alone."""
import contextlib
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import threading
from datetime import datetime, timedelta, timezone

import pytest

from berth_load import Load, reading
from berth_suite import ROOT, instant, is_left, wait_for

ORDER = 92
BOOKINGS = 300      # at most

pytestmark = pytest.mark.seconds(300)


def booking(suite, slug):
    """Bookings of a new person at a new spot, one hour after the other, one in three; else a look at what there is."""
    spot = suite.new_area(slug)["spots"][0]
    token = suite.sign_in_person(suite.new_person(slug))
    first = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    hours = [instant(first + timedelta(hours=n)) for n in range(2 * BOOKINGS)]
    slots, lock = iter(zip(hours[0::2], hours[1::2])), threading.Lock()
    turn = iter(range(10**9))

    def ask():
        head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        with lock:
            slot = next(slots, None) if next(turn) % 3 == 0 else None
        if slot is None:
            return "GET", "/v1/bookings?limit=5", None, head
        body = f'{{"spot_id":"{spot}","starts_at":"{slot[0]}","ends_at":"{slot[1]}"}}'
        return "POST", "/v1/bookings", body, {**head, "Idempotency-Key": secrets.token_hex(12)}
    return ask


def replace(suite, name):
    before = suite.pid(name)
    text = suite.ctl("restart", name, seconds=200)
    assert "could not be replaced" not in text
    after = suite.pid(name)
    assert after != before, "suite.json tells the new process"
    assert not pathlib.Path(f"/proc/{before}").exists() or "Z" in pathlib.Path(f"/proc/{before}/stat").read_text().rpartition(")")[2]
    assert suite.ready(name)
    return after


def listening(suite):
    """The sockets that take connections at the public port, by what the kernel calls them: one for each loop and address."""
    port, found = int(suite.url.rpartition(":")[2]), []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        rows = [line.split() for line in pathlib.Path(table).read_text(encoding="utf-8").splitlines()[1:]]
        found += [row[9] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port]
    return sorted(found)


def test_the_gateway_is_replaced_under_load(suite, slug):
    """By the very sockets that it had: what waits at one that is closed would be lost, now and then."""
    sockets = listening(suite)
    with Load(suite, reading(suite, slug, "/v1/whoami")) as load:
        for _ in range(2):
            replace(suite, "gateway")
            load.goes_on()
    assert load.failures == []
    assert listening(suite) == sockets and len(sockets) >= 2


@pytest.mark.parametrize("name", ("bookingsvc", "authsvc", "auditsvc", "gdprsvc"))
def test_a_service_is_replaced_under_load(suite, slug, name):
    asks = {
        "bookingsvc": lambda: booking(suite, slug),
        "authsvc": lambda: reading(suite, slug, "/v1/people?limit=2"),
        "auditsvc": lambda: reading(suite, slug, "/v1/audit/events?limit=2"),
        "gdprsvc": lambda: reading(suite, slug, "/v1/erasures?limit=2"),
    }
    with Load(suite, asks[name](), clients=4) as load:
        replace(suite, name)
        load.goes_on()
    assert load.failures == []


@contextlib.contextmanager
def another_binary(suite, name):
    """The same program under another fingerprint, as a new version is; the old file comes back."""
    path = suite.state / "opt" / "bin" / name
    first = path.read_bytes()
    try:
        write(path, first + b"\0another version\n")
        yield path
    finally:
        write(path, first)


def write(path, content):
    temporary = path.with_name(path.name + ".test")
    temporary.write_bytes(content)
    temporary.chmod(0o755)
    os.replace(temporary, path)


def test_a_new_version_of_the_gateway_takes_over(suite, slug):
    with Load(suite, reading(suite, slug, "/v1/whoami")) as load:
        with another_binary(suite, "gateway") as path:
            pid = replace(suite, "gateway")
            assert os.path.samefile(f"/proc/{pid}/exe", path)
            load.goes_on()
        replace(suite, "gateway")
        load.goes_on()
    assert load.failures == []


def test_a_version_that_cannot_start_changes_nothing(suite, slug):
    pid = suite.pid("gateway")
    with Load(suite, reading(suite, slug, "/v1/whoami")) as load, another_binary(suite, "gateway") as path:
        write(path, b"#!/bin/sh\nexit 3\n")
        with pytest.raises(AssertionError, match="the old one goes on"):
            suite.ctl("restart", "gateway", seconds=200)
        load.goes_on()
    assert load.failures == []
    assert suite.pid("gateway") == pid and suite.ready("gateway")


def test_a_process_that_is_paused_hears_that_it_is_to_stop(suite):
    pid = suite.pid("gdprsvc")
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: " T " in pathlib.Path(f"/proc/{pid}/stat").read_text(), 10, "the pause")
    try:
        assert "SIGKILL" not in suite.ctl("stop", "gdprsvc")
        assert not suite.ready("gdprsvc")
    finally:
        suite.ctl("start", "gdprsvc")


def test_a_stranger_at_the_handover_socket_gets_nothing(suite):
    path = str(suite.state / "sock" / "gateway.next")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
        stranger.settimeout(10)
        stranger.connect(path)
        try:
            hello = stranger.recv(100)
            assert hello == b"" or len(hello) == 33
            stranger.send(secrets.token_bytes(32))
            data, ancillary, _, _ = stranger.recvmsg(10, 4096)
        except (BrokenPipeError, ConnectionResetError):
            data, ancillary = b"", []
    assert data == b"" and ancillary == []
    assert suite.ready("gateway")


HALF_DEAD = """import ctypes, threading
threading.Thread(target=threading.Event().wait).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def test_a_process_runs_as_long_as_one_of_its_threads(tmp_path):
    """One that is killed may look like a zombie while another thread still holds its ports; whoever is started then cannot listen."""
    def deploy(command):
        words = ["bash", "-c", f'. deploy/lib/common.sh; . deploy/lib/process.sh; STATE_DIR=$2; STOP_SECONDS=1; {command}', "bash",
                 str(process.pid), str(tmp_path)]
        return subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)

    def seen():
        return deploy('pid_start_time "$1"').stdout
    process = subprocess.Popen(["/usr/bin/python3", "-c", HALF_DEAD])
    try:
        stat = pathlib.Path(f"/proc/{process.pid}/stat")
        wait_for(lambda: stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z", 30, "the end of the first thread")
        started = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[19]
        assert seen() == started
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "one.pid").write_text(f"{process.pid} {started} {boot} -\n")
        held = deploy("process_settle one")
        assert held.returncode == 1 and "does not end" in held.stderr, "its place was taken as free"
    finally:
        process.kill()
    wait_for(lambda: not is_left(process.pid), 30, "the end of the other")
    assert seen() == "", "what is a zombie altogether is gone"
    assert deploy("process_settle one").returncode == 0
    process.wait()
