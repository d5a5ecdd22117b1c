# SPDX-License-Identifier: Apache-2.0
"""The suite as the faults see it: processes by the pid that started them, PostgreSQL with all its children, ports by arrow."""
import asyncio
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import psycopg2
import redis

from berth_suite import is_left

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROCESSES = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")
NFT = shutil.which("nft", path="/usr/sbin:/usr/bin:/sbin:/bin")
START_SECONDS = 90


def children(pid):
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(path.read_text(encoding="utf-8").rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


class Machine:
    """`own`: a network and a disk are this suite's alone, so that both may fail."""

    def __init__(self, suite, run_dir, own):
        self.suite, self.run_dir = suite, run_dir
        self.env = {**os.environ, "BERTH_RUN_DIR": str(run_dir)}
        ports = (suite.state / "etc" / "ports").read_text().split()
        self.ports = dict(zip(ports[::2], map(int, ports[1::2])))
        self.can_cut = own and NFT is not None
        self.can_fill = own

    # -- processes

    def pid(self, name):
        try:
            return int((self.suite.state / "run" / f"{name}.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return None

    def is_alive(self, name):
        pid = self.pid(name)
        return pid is not None and is_left(pid)

    def all_of(self, name):
        pid = self.pid(name)
        if pid is None:
            return []
        return [pid, *children(pid)] if name == "postgres" else [pid]

    async def gone(self, pids, seconds=20):
        end = time.monotonic() + seconds
        while any(is_left(pid) for pid in pids):
            assert time.monotonic() < end, f"{pids} do not end"
            await asyncio.sleep(0.02)

    async def kill(self, name, with_children=True):
        """SIGKILL. PostgreSQL's children end by themselves when their postmaster is gone, unless they go with it."""
        pids = self.all_of(name)
        send(pids if with_children else pids[:1], signal.SIGKILL)
        await self.gone(pids)

    async def ctl(self, *words):
        child = await asyncio.create_subprocess_exec(
            str(ROOT / "deploy" / "berthctl"), *words, env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            text, _ = await asyncio.wait_for(child.communicate(), START_SECONDS)
        except TimeoutError:
            child.kill()
            raise
        return child.returncode == 0, text.decode("utf-8", "replace")

    async def start(self, *names):
        done, text = await self.ctl("start", *names)
        assert done, f"cannot start {' '.join(names)}: {text}"

    def pause(self, name, stop):
        send(self.all_of(name), signal.SIGSTOP if stop else signal.SIGCONT)

    def tell(self, name, line):
        """What the process is told besides, from its next start on; None: nothing more."""
        path = self.suite.state / "etc" / f"{name}.local.env"
        kept = [old for old in (path.read_text().splitlines() if path.exists() else []) if not old.startswith(("BERTH_CRASH_AT=", "BERTH_CLOCK_SHIFT="))]
        clock = f"BERTH_CLOCK_SHIFT={self.clock_file(name)}"
        path.write_text("".join(f"{word}\n" for word in [*kept, clock, *([line] if line else [])]))
        path.chmod(0o644)

    def clock_file(self, name):
        """Where a test build of the process reads by how much its clock has jumped."""
        path = self.suite.state / "etc" / f"{name}.clock"
        if not path.exists():
            path.write_bytes(bytes(8))
            path.chmod(0o644)
        return path

    def shift_clock(self, name, seconds):
        """In one write, so that nobody reads a half of it."""
        fd = os.open(self.clock_file(name), os.O_WRONLY)
        try:
            os.pwrite(fd, int(seconds * 10**6).to_bytes(8, sys.byteorder, signed=True), 0)
        finally:
            os.close(fd)

    # -- the disk

    @property
    def ballast(self):
        return self.suite.state / "ballast"

    def fill_disk(self):
        """Not a byte is left where the stores and the logs are: a file system of this suite's own."""
        fd = os.open(self.ballast, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            for block in (1 << 20, 4096):
                with contextlib.suppress(OSError):
                    while True:
                        os.posix_fallocate(fd, os.fstat(fd).st_size, block)
        finally:
            os.close(fd)

    def free_disk(self):
        self.ballast.unlink(missing_ok=True)

    # -- connections

    def nft(self, text):
        subprocess.run([NFT, "-f", "-"], input=text, text=True, check=True, capture_output=True)

    def cut(self, ports):
        """Every packet from or to these ports of this suite's own network is dropped."""
        listed = ", ".join(map(str, ports))
        self.nft("add table inet chaos\nadd chain inet chaos cut { type filter hook input priority 0; }\n"
                 f"add rule inet chaos cut tcp dport {{ {listed} }} drop\nadd rule inet chaos cut tcp sport {{ {listed} }} drop\n")

    def mend(self):
        if self.can_cut:
            self.nft("add table inet chaos\ndelete table inet chaos\n")

    def arrows(self):
        """Names of arrows between two processes, as ports are remembered: caller.callee.lane."""
        return sorted(name for name in self.ports if name.count(".") == 2)

    def hang_up_postgres(self):
        info = self.suite.info["pg"]
        connection = psycopg2.connect(host=info["host"], dbname=info["dbname"], user=info["superuser"])
        try:
            connection.autocommit = True
            connection.cursor().execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and usename is not null")
        finally:
            connection.close()

    def redis(self, *words):
        client = redis.Redis(unix_socket_path=self.suite.info["redis"], socket_timeout=5)
        try:
            return client.execute_command(*words)
        finally:
            client.close()
