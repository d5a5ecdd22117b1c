# SPDX-License-Identifier: Apache-2.0
"""The load generators, each giving a Sample: how much was answered, how fast, and how much of it wrongly."""
import dataclasses
import json
import math
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time

from runner import process

from .machine import PG_BIN, Trouble

LUA = pathlib.Path(__file__).resolve().parents[1] / "lua"
CONNECTIONS = 64
THREADS = 2
GRACE_S = 60
HANDSHAKE_PROCESSES = 4


@dataclasses.dataclass
class Sample:
    value: float
    answers: int = 0
    wrong: str = ""
    p50_ms: float = None
    p99_ms: float = None
    ended: float = 0
    pace: float = 0


def private_file(directory, name, text):
    """A file that only its owner reads: tokens and secrets go to load generators in files, never in arguments."""
    path = pathlib.Path(directory) / name
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
    return path


def request_file(directory, name, method="GET", headers=None, body=""):
    lines = [method] + [f"{key}: {value}" for key, value in (headers or {}).items()]
    return private_file(directory, name, "\n".join(lines) + "\n\n" + body)


# -- wrk

def wrk_command(url, script, arguments, seconds, connections):
    threads = min(THREADS, connections)
    return ["wrk", f"-t{threads}", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "-s", str(LUA / script),
            url, "--", *map(str, arguments)]


def wrk_environment():
    return dict(os.environ, LUA_PATH=f"{LUA}/?.lua;;")


def wrk_sample(text, faults=("bad_status", "connect", "read", "write", "timeout")):
    match = re.search(r"^BENCH (\{.*\})$", text, re.M)
    if not match:
        raise Trouble(f"wrk did not report: {text.strip()[-300:]}")
    seen = json.loads(match[1])
    wrong = [f"{seen[name]} {name.replace('_', ' ')}" for name in faults if seen[name]]
    if not seen["answers"]:
        wrong.append("no answer at all")
    return Sample(seen["answers"] / seen["seconds"], seen["answers"], ", ".join(wrong), seen["p50_ms"], seen["p99_ms"])


def wrk(url, script, arguments, seconds, connections=CONNECTIONS):
    command = wrk_command(url, script, arguments, seconds, connections)
    outcome = process.run(command, seconds + GRACE_S, env=wrk_environment())
    if outcome.code:
        raise Trouble(f"wrk ended with {outcome.code}: {outcome.text.strip()[-300:]}")
    return wrk_sample(outcome.text)


class WrkRunning:
    """wrk in the background, until it is told to stop and to report. Connections that fail while very many are made at once are made
    again; whether any failed afterwards is for the caller to find out."""

    def __init__(self, url, script, arguments, seconds, connections):
        self.child = process.start(wrk_command(url, script, arguments, seconds, connections), env=wrk_environment(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGINT)
        try:
            output, _ = self.child.communicate(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            process.end(self.child)
            raise Trouble("wrk did not stop when told to") from None
        process.forget(self.child)
        return wrk_sample(output.decode("utf-8", "replace"), ("bad_status",))


# -- h2load

def percentile(values, part):
    """Of sorted values, by nearest rank."""
    return values[min(len(values) - 1, max(0, math.ceil(part * len(values)) - 1))]


def h2load(url, directory, headers, seconds, connections=CONNECTIONS):
    """HTTP/2, one stream at a time on each connection. h2load takes headers as arguments only, so no real secret goes there but
    an access token of a few minutes, of a suite that ends with the bench."""
    log = pathlib.Path(directory) / "h2load.log"
    log.unlink(missing_ok=True)
    command = ["h2load", "-t", str(THREADS), "-c", str(connections), "-m", "1", "-D", str(max(1, round(seconds))), f"--log-file={log}"]
    command += [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    outcome = process.run([*command, url], seconds + GRACE_S)
    rate = re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", outcome.text)
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", outcome.text)
    protocol = re.search(r"Application protocol: (\S+)", outcome.text)
    if outcome.code or not rate or not codes:
        raise Trouble(f"h2load ended with {outcome.code}: {outcome.text.strip()[-300:]}")
    if not protocol or protocol[1] != "h2":
        raise Trouble(f"h2load spoke {protocol[1] if protocol else 'nothing'} instead of h2")
    good, *bad = map(int, codes.groups())
    failed = int(re.search(r"(\d+) failed", outcome.text)[1])
    wrong = [f"{count} answers {name}" for count, name in zip(bad, ("3xx", "4xx", "5xx")) if count]
    if failed:
        wrong.append(f"{failed} failed")
    times = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines())
    log.unlink()
    return Sample(float(rate[1]), good, ", ".join(wrong) or ("" if good else "no answer at all"),
                  percentile(times, 0.5) / 1e3 if times else None, percentile(times, 0.99) / 1e3 if times else None)


# -- new connections

def handshakes(port, authority, seconds):
    """Full TLS handshakes a second, each on a new connection with a new session and followed by one small answer, by a few clients, who
    find their authority in a file: else they would look for it among all of the system's, at each handshake and longer than that takes."""
    seconds = max(1, round(seconds))
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-new", "-time", str(seconds), "-www", "/healthz",
               "-CAfile", authority, "-no-CApath", "-no-CAstore"]
    # s_time counts in whole seconds of the clock, so that its clients must begin with one.
    time.sleep(1.005 - time.time() % 1)
    begun = time.monotonic()
    children = [process.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                for _ in range(HANDSHAKE_PROCESSES)]
    made, wrong = 0, ""
    for child in children:
        try:
            output, _ = child.communicate(timeout=seconds + GRACE_S)
        except subprocess.TimeoutExpired:
            process.end(child)
            raise Trouble("openssl s_time did not end") from None
        process.forget(child)
        match = re.search(r"^(\d+) connections in \d+ real seconds, (\d+) bytes", output.decode(), re.M)
        if child.returncode or not match or int(match[2]) == 0:
            wrong = f"openssl s_time ended with {child.returncode}: {output.decode().strip()[-200:]}"
        made += int(match[1]) if match else 0
    elapsed = time.monotonic() - begun
    return Sample(made / elapsed, made, wrong or ("" if made else "no handshake at all"))


class Held:
    """Open TLS connections that each had one answer, and then wait."""

    def __init__(self, port, count, request):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.open = []
        self.wrong = 0
        for _ in range(count):
            stream = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=20))
            self.open.append(stream)
            stream.sendall(request)
            if b" 200 " not in read_answer(stream)[0].split(b"\r\n", 1)[0]:
                self.wrong += 1

    def close(self):
        for stream in self.open:
            stream.close()
        self.open = []


def read_answer(stream):
    """(head, body) of one answer with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = stream.recv(65536)
        if not piece:
            raise Trouble("the connection ended in the middle of an answer")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head.lower())
    wanted = int(length[1]) if length else 0
    while len(body) < wanted:
        piece = stream.recv(65536)
        if not piece:
            raise Trouble("the connection ended in the middle of a body")
        body += piece
    return head, body


def fetch(port, method, path, headers, body="", tls=True):
    """(status, head, body) of one request to this machine, as bytes that were really received."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{port}"] + [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    request = ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        stream = raw
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            stream = context.wrap_socket(raw)
        stream.sendall(request)
        head, answer = read_answer(stream)
    return int(head.split(b" ", 2)[1]), head, answer


def offers_h2(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as raw, context.wrap_socket(raw) as stream:
            return stream.selected_alpn_protocol() == "h2"
    except (ssl.SSLError, ConnectionError):
        return False


# -- pgbench

def pgbench(host, database, user, script, variables, seconds):
    """pgbench -M prepared -c 64 -j 2, with its own log for the percentiles."""
    with tempfile.TemporaryDirectory(prefix="berth-pgbench-") as directory:
        command = [str(PG_BIN / "pgbench"), "-h", str(host), "-U", user, "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2",
                   "-T", str(max(1, round(seconds))), "-f", str(script), "-l", f"--log-prefix={directory}/log"]
        command += [f"-D{name}={value}" for name, value in variables.items()]
        outcome = process.run([*command, database], seconds + GRACE_S)
        rate = re.search(r"tps = ([\d.]+)", outcome.text)
        made = re.search(r"number of transactions actually processed: (\d+)", outcome.text)
        if made and int(made[1]) == 0:
            return Sample(0, 0, "no transaction at all")
        if not rate or not made:
            raise Trouble(f"pgbench ended with {outcome.code}: {outcome.text.strip()[-300:]}")
        failed = re.search(r"number of failed transactions: (\d+)", outcome.text)
        wrong = []
        if outcome.code or "aborted" in outcome.text:
            wrong.append(f"pgbench ended with {outcome.code}: {outcome.text.strip()[-200:]}")
        if failed and int(failed[1]):
            wrong.append(f"{failed[1]} failed transactions")
        times = sorted(int(line.split()[2]) for path in pathlib.Path(directory).glob("log*") for line in path.read_text().splitlines())
    return Sample(float(rate[1]), int(made[1]), ", ".join(wrong), percentile(times, 0.5) / 1e3, percentile(times, 0.99) / 1e3)
