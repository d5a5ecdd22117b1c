# SPDX-License-Identifier: Apache-2.0
"""The machine: its cores, what is installed on it, and what a process uses of it."""
import os
import pathlib
import platform
import re
import resource
import shlex
import shutil
import socket
import subprocess

from runner import process

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / ".build" / "bench"
PG_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
PACKAGES = ("nginx-light", "haproxy", "wrk", "nghttp2-client", "postgresql-15", "openssl", "iproute2")
CORES = 2
FILES_MAX = 65536
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Trouble(Exception):
    """Why something cannot be measured, in words for the table."""


class Absent(Trouble):
    """A peer is not here and cannot be had."""


def packages_ensure():
    """The load generators and the peers are installed, as ./deploy/up installs what it needs."""
    script = f". deploy/lib/all.sh && packages_ensure {shlex.join(PACKAGES)}"
    outcome = subprocess.run(["bash", "-c", script], cwd=ROOT, check=False)
    if outcome.returncode:
        raise SystemExit(outcome.returncode)


def npm_install():
    """npm's oidc-provider, at the version that package.json pins, below .build/bench/oidc."""
    source, target = ROOT / "tests" / "bench" / "oidc", BUILD / "oidc"
    if not (shutil.which("npm") and shutil.which("node")):
        raise Absent("there is no npm here to install oidc-provider with")
    target.mkdir(parents=True, exist_ok=True)
    wanted = (source / "package.json").read_text()
    stamp = target / "installed.json"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.copy(source / "package.json", target / "package.json")
        outcome = process.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"], 300, cwd=target)
        if outcome.code:
            raise Trouble(f"npm could not install oidc-provider: {outcome.text.strip().splitlines()[-1]}")
        stamp.write_text(wanted)
    shutil.copy(source / "server.mjs", target / "server.mjs")
    return target


def pin(count):
    """This process, and so all that it starts, runs on so many cores: servers and load generators of both sides alike."""
    cores = sorted(os.sched_getaffinity(0))[:count]
    os.sched_setaffinity(0, cores)
    return cores


def raise_file_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def free_port():
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def words_of(path, pattern, default=""):
    try:
        match = re.search(pattern, pathlib.Path(path).read_text(), re.M)
    except OSError:
        match = None
    return match[1] if match else default


def describe(cores):
    memory_kb = int(words_of("/proc/meminfo", r"^MemTotal:\s+(\d+)", "0"))
    return {
        "cpu": words_of("/proc/cpuinfo", r"^model name\s*:\s*(.*)$", platform.machine()),
        "cores": os.cpu_count(), "cores_used": cores, "memory_gib": round(memory_kb / 1024 ** 2, 1),
        "kernel": platform.release(), "load_average_before": round(os.getloadavg()[0], 2)}


def version(command, pattern):
    """What a program calls its version."""
    try:
        outcome = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(pattern, outcome.stdout + outcome.stderr)
    return match[1] if match else None


def versions():
    return {
        "nginx": version(["nginx", "-v"], r"nginx/(\S+)"),
        "haproxy": version(["haproxy", "-v"], r"version (\d[\d.]*)"),
        "postgresql": version([str(PG_BIN / "pgbench"), "--version"], r"(\d+\.\d+)"),
        "wrk": version(["wrk", "-v"], r"wrk \D*(\d[\d.]*)"),
        "h2load": version(["h2load", "--version"], r"nghttp2/(\S+)"),
        "openssl": version(["openssl", "version"], r"OpenSSL (\S+)"),
        "node": version(["node", "--version"], r"v(\S+)"),
        "oidc-provider": words_of(BUILD / "oidc" / "node_modules" / "oidc-provider" / "package.json", r'"version": "([^"]+)"') or None,
        "berth": version(["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "describe", "--always", "--dirty"], r"(\S+)")}


def cpu_seconds(pid):
    """What the process has used so far, by itself and in the kernel for it."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def memory_mb(pid):
    """(proportional, resident) megabytes; where the first may not be read, it is the second."""
    resident = int(words_of(f"/proc/{pid}/status", r"^VmRSS:\s+(\d+)", "0")) / 1024
    proportional = words_of(f"/proc/{pid}/smaps_rollup", r"^Pss:\s+(\d+)")
    return (int(proportional) / 1024 if proportional else resident), resident
