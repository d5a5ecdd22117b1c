# SPDX-License-Identifier: Apache-2.0
"""What a process may still do once it serves, tried from inside it, in every thread, on the released binaries: no program, no other
process, no foreign file, no other kind of socket, no undeclared port. An unconfined program shows that each attempt would succeed."""
import contextlib
import errno
import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

from berth_suite import wait_for

ORDER = 98
PROCESSES = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")
TRY = signal.SIGRTMIN + 5
TOLD = re.compile(r"^reach: (\d+) (\w+) (\d+)$", re.M)
DENIED = {errno.EPERM, errno.EACCES}
FILES = {"foreign_file", "system_file", "folder", "new_file"}
PORTS = {"connect", "bind"}
SCOPE = {"abstract", "kill"}
CALLS = {"execve", "execveat", "clone", "fork", "clone3", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "unshare", "setuid",
         "personality", "add_key", "perf_event_open", "io_uring_setup", "name_to_handle_at", "family_unspec", "family_netlink",
         "family_alg", "family_vsock", "family_packet", "family_bluetooth"}
ALL = FILES | PORTS | SCOPE | CALLS
# What this kernel or its settings may refuse an ordinary program too.
KERNEL_SAYS = {"io_uring_setup", "perf_event_open", "family_packet", "family_bluetooth", "family_vsock", "family_alg", "kcmp"}

pytestmark = pytest.mark.seconds(240)


def of_threads(text):
    """{thread: {attempt: errno}} of those that have tried everything."""
    found = {}
    for thread, name, error in TOLD.findall(text):
        found.setdefault(int(thread), {})[name] = int(error)
    return {thread: attempts for thread, attempts in found.items() if "done" in attempts}


def threads_of(pid):
    return {int(thread) for thread in os.listdir(f"/proc/{pid}/task")}


class Outside:
    """What there is to reach for: a file and a process of the same user, a port, an abstract socket."""

    def __init__(self, suite, stack):
        self.suite = suite
        self.listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
        self.abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        self.abstract.bind(f"\0berth-reach-{os.getpid()}")
        self.abstract.listen(512)

    def lines(self, name, library):
        holder = "bookingsvc" if name == "authsvc" else "authsvc"
        return {"LD_PRELOAD": str(library), "BERTH_REACH_FILE": str(self.suite.state / "secrets" / holder / "pg-app"),
                "BERTH_REACH_PORT": str(self.listener.getsockname()[1]), "BERTH_REACH_ABSTRACT": f"berth-reach-{os.getpid()}",
                "BERTH_REACH_PID": (self.suite.state / "run" / "redis.pid").read_text().split()[0]}


@contextlib.contextmanager
def told(suite, lines):
    """Processes with these lines in their environment: {name: {key: value}}."""
    paths = {name: suite.state / "etc" / f"{name}.local.env" for name in lines}
    for name, path in paths.items():
        path.write_text("".join(f"{key}={value}\n" for key, value in lines[name].items()))
        path.chmod(0o644)
    try:
        suite.ctl("restart", *lines)
        suite.reload()
        yield
    finally:
        for path in paths.values():
            path.unlink()
        suite.ctl("restart", *lines)
        suite.reload()


def tried(suite, name):
    """{thread: {attempt: errno}} of every thread of a running process."""
    pid = suite.pid(name)
    log = pathlib.Path(suite.info["logs"]) / f"{name}.log"
    seen = log.stat().st_size

    def outcome():
        return of_threads(log.read_bytes()[seen:].decode("utf-8", "replace"))
    asked = set()
    for thread in threads_of(pid):
        with contextlib.suppress(ProcessLookupError):     # a thread that has just ended
            tgkill(pid, thread)
            asked.add(thread)
    wait_for(lambda: asked & threads_of(pid) <= set(outcome()), 30, f"an answer of every thread of {name}")
    assert len(asked) >= 3
    return outcome()


def tgkill(pid, thread):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(234 if os.uname().machine == "x86_64" else 131, pid, thread, int(TRY)):
        raise ProcessLookupError(ctypes.get_errno(), f"no thread {thread}")


@pytest.fixture(scope="module")
def outside(released):
    with contextlib.ExitStack() as stack:
        yield Outside(released, stack)


@pytest.fixture(scope="module")
def attempts(released, outside, reach):
    """{process: {thread: {attempt: errno}}} under today's kernel."""
    with told(released, {name: outside.lines(name, reach) for name in PROCESSES}):
        return {name: tried(released, name) for name in PROCESSES}


def test_an_ordinary_program_succeeds_in_each_attempt(outside, reach, owner, tmp_path):
    """Else a refusal would prove nothing."""
    log = tmp_path / "log"
    with open(log, "wb") as output, subprocess.Popen(
            ["/usr/bin/sleep", "60"], env=outside.lines("gateway", reach), stderr=output, cwd="/", **owner) as child:
        try:
            def outcome():
                return of_threads(log.read_text()).get(child.pid)
            wait_for(lambda: pathlib.Path(f"/proc/{child.pid}/comm").read_text().strip() == "sleep", 10, "the program")
            wait_for(lambda: int(caught(child.pid), 16) >> (TRY - 1) & 1, 10, "the library")
            child.send_signal(TRY)
            found = wait_for(outcome, 10, "the attempts")
        finally:
            child.kill()
    assert ALL - {"fork"} <= set(found)
    for name in ALL - KERNEL_SAYS:
        assert found.get(name) not in DENIED, f"{name}: {errno.errorcode[found[name]]}, though nothing confines it"
    for name in ("foreign_file", "system_file", "folder", "new_file", "connect", "bind", "abstract", "kill", "clone"):
        assert found[name] == 0, f"{name}: {errno.errorcode[found[name]]}"


def caught(pid):
    return re.search(r"^SigCgt:\s*(\w+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1]


@pytest.mark.parametrize("name", PROCESSES)
def test_every_attempt_is_refused_in_every_thread(attempts, name):
    assert attempts[name]
    for thread, found in attempts[name].items():
        assert ALL - {"fork"} <= set(found)
        for attempt in ALL & set(found):
            wanted = {errno.ENOSYS} if attempt == "clone3" else DENIED
            assert found[attempt] in wanted, f"{attempt} in thread {thread}: {errno.errorcode.get(found[attempt], 'it succeeds')}"


@pytest.mark.parametrize("name", PROCESSES)
def test_the_metrics_say_what_confines(attempts, released, name):
    metrics = released.metrics(name)
    assert {layer: metrics[f'berth_confined{{layer="{layer}"}}'] for layer in ("files", "ports", "scope", "calls")} == {
        "files": 1, "ports": 1, "scope": 1, "calls": 1}


@pytest.mark.parametrize("abi, missing", [(5, {"scope"}), (3, {"ports", "scope"}), (0, {"files", "ports", "scope"})])
def test_an_older_kernel_is_told_loudly(released, outside, reach, abi, missing):
    """What the kernel cannot do is missing and said to be; the rest holds."""
    name = "bookingsvc"
    log = pathlib.Path(released.info["logs"]) / f"{name}.log"
    seen = log.stat().st_size
    with told(released, {name: {**outside.lines(name, reach), "BERTH_REACH_ABI": str(abi)}}):
        text = log.read_bytes()[seen:].decode("utf-8", "replace")
        metrics = released.metrics(name)
        found = tried(released, name)
    word = ", ".join(layer for layer in ("ports", "scope") if layer in missing) if abi else "landlock"
    assert f'"level":"warn","service":"{name}","event":"confine_degraded","missing":"{word}"' in text
    for layer, attempted in (("files", FILES), ("ports", PORTS), ("scope", SCOPE), ("calls", CALLS)):
        assert metrics[f'berth_confined{{layer="{layer}"}}'] == (layer not in missing)
        for outcome in found.values():
            for attempt in attempted & set(outcome):
                if layer not in missing:
                    assert outcome[attempt] in DENIED | {errno.ENOSYS}, f"{attempt} succeeds"
    # The attempts are real: where nothing forbids it, the port is reached.
    if "ports" in missing:
        assert all(outcome["connect"] == 0 for outcome in found.values())
