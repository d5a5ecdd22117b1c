# SPDX-License-Identifier: Apache-2.0
"""The peers, each as its own documentation would have it tuned for this job, on loopback only, ended by their recorded pids."""
import base64
import json
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time

from runner import process

from . import load, machine
from .machine import ROOT, Trouble

START_S = 20
MADE_BY_EDGES = {"server", "date", "content-type", "content-length", "connection"}
SIZE_LEAST = 0.95  # of our answer's size is theirs, and no more than all of it
# What authsvc is configured with by itself.
ARGON2_THREADS = int(re.search(r'"BERTH_ARGON2_PARALLEL".*?\.fallback = "(\d+)"', (ROOT / "authsvc" / "config.c").read_text(), re.S)[1])

NGINX = """
daemon off;
worker_processes {workers};
pid {dir}/pid;
error_log {dir}/error.log warn;
events {{ worker_connections 16384; }}
http {{
	access_log off;
	client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c; uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;
	keepalive_requests 1000000000;
	keepalive_timeout 120s;
	{body}
}}
"""

UPSTREAM = """
	server {{
		listen 127.0.0.1:{port} backlog=1024;
		location / {{
			default_type application/json;
			return 200 '{answer}';
		}}
	}}
"""

EDGE = """
	upstream service {{
		server 127.0.0.1:{upstream};
		keepalive 128;
		keepalive_requests 1000000000;
	}}
	server {{
		listen 127.0.0.1:{port} ssl http2 backlog=1024;
		ssl_certificate {certificate};
		ssl_certificate_key {key};
		ssl_protocols TLSv1.2 TLSv1.3;
		location = /healthz {{
			default_type application/json;
			return 200 '{{"status":"ok"}}';
		}}
		location / {{
			proxy_pass http://service;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			{fields}
		}}
	}}
"""

HAPROXY = """
global
	nbthread {threads}
	maxconn 4000
	ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
	mode http
	timeout connect 5s
	timeout client 60s
	timeout server 60s
	http-reuse always
frontend edge
	bind 127.0.0.1:{port} ssl crt {pem} alpn h2,http/1.1
	http-request set-var(txn.bearer) http_auth_bearer
	http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
	http-request deny deny_status 401 unless {{ var(txn.alg) -m str ES256 }}
	http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify(txn.alg,"{public}") -m int 1 }}
	{fields}
	default_backend service
backend service
	server upstream 127.0.0.1:{upstream}
"""


def wait_for_port(port, child, log):
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if child.poll() is not None:
            break
        time.sleep(0.05)
    text = log.read_text(errors="replace").strip() if log.exists() else ""
    raise Trouble(f"{pathlib.Path(child.args[0]).name} does not serve: {text[-300:]}")


class Server:
    """A child that listens on a port, with a directory of its own that goes with it."""

    def __init__(self, name):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"berth-bench-{name}-"))
        self.port = machine.free_port()
        self.child = None

    def start(self, command, stdin=subprocess.DEVNULL, env=None):
        log = self.dir / "output.log"
        with open(log, "ab") as out:
            self.child = process.start([str(word) for word in command], stdin=stdin, stdout=out, stderr=out, cwd=self.dir, env=env)
        return log

    def ready(self, log):
        try:
            wait_for_port(self.port, self.child, log)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        if self.child:
            process.end(self.child)
        shutil.rmtree(self.dir, ignore_errors=True)


class Nginx(Server):
    def __init__(self, workers, body, name="nginx"):
        super().__init__(name)
        text = NGINX.format(workers=workers, dir=self.dir, body=body(self.port))
        (self.dir / "nginx.conf").write_text(text)
        log = self.start(["nginx", "-p", self.dir, "-e", self.dir / "error.log", "-c", self.dir / "nginx.conf"])
        self.ready(log)


class Upstream(Nginx):
    """The plain local service behind nginx and HAProxy: nginx too, with one worker."""

    def __init__(self, answer):
        super().__init__(1, lambda port: UPSTREAM.format(port=port, answer=answer), "upstream")


class NginxEdge(Nginx):
    def __init__(self, workers, certificate, upstream, fields=()):
        lines = "\n\t\t\t".join(f'add_header {name} "{value}";' for name, value in fields)
        super().__init__(workers, lambda port: EDGE.format(port=port, upstream=upstream.port, certificate=certificate.pem,
                                                           key=certificate.key, fields=lines))


class HaproxyEdge(Server):
    def __init__(self, threads, certificate, upstream, fields, public_key):
        super().__init__("haproxy")
        lines = "\n\t".join(f'http-response set-header {name} "{value}"' for name, value in fields)
        pem = load.private_file(self.dir, "edge.pem", certificate.pem.read_text() + certificate.key.read_text())
        (self.dir / "haproxy.cfg").write_text(HAPROXY.format(
            threads=threads, port=self.port, pem=pem, public=public_key, upstream=upstream.port, fields=lines))
        self.ready(self.start(["haproxy", "-db", "-f", self.dir / "haproxy.cfg"]))


class Certificate:
    """The certificate that both sides show; one is made when there is no suite to take it from."""

    def __init__(self, pem, key, authority):
        self.pem, self.key, self.authority = pathlib.Path(pem), pathlib.Path(key), pathlib.Path(authority)

    @classmethod
    def make(cls, directory):
        pem, key = pathlib.Path(directory) / "edge.pem", pathlib.Path(directory) / "edge.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", pem,
                "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        return cls(pem, key, pem)


def openssl(*words, stdin=None):
    outcome = subprocess.run(["openssl", *map(str, words)], input=stdin, capture_output=True, check=False)
    if outcome.returncode:
        raise Trouble(f"openssl {words[0]}: {outcome.stderr.decode().strip()[-200:]}")
    return outcome.stdout


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw_signature(der):
    """r and s of an ECDSA-Sig-Value (RFC 3279 section 2.2.3), 32 bytes each (RFC 7518 section 3.4)."""
    numbers, place = [], 2
    for _ in range(2):
        length = der[place + 1]
        numbers.append(int.from_bytes(der[place + 2:place + 2 + length], "big").to_bytes(32, "big"))
        place += 2 + length
    return b"".join(numbers)


class Es256:
    """A key, and a token of the size of ours that it signed."""

    def __init__(self, directory):
        key, self.public = pathlib.Path(directory) / "es256.key", pathlib.Path(directory) / "es256.pub"
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        self.public.write_bytes(openssl("pkey", "-in", key, "-pubout"))
        now = int(time.time())
        claims = {"iss": "https://localhost", "aud": "berth", "sub": secrets.token_hex(16), "client_id": secrets.token_hex(16),
                  "jti": secrets.token_hex(16), "iat": now, "exp": now + 86400, "scope": "openid berth"}
        text = ".".join(b64url(json.dumps(part).encode()) for part in ({"alg": "ES256", "typ": "at+jwt", "kid": "bench"}, claims))
        self.token = text + "." + b64url(raw_signature(openssl("dgst", "-sha256", "-sign", key, stdin=text.encode())))
        key.unlink()


class OidcProvider(Server):
    """npm's oidc-provider: one process, since its in-memory store cannot be shared."""

    def __init__(self, refresh_tokens):
        super().__init__("oidc")
        home = machine.npm_install()
        self.client_id, self.secret = "bench", secrets.token_hex(24)
        wanted = load.private_file(self.dir, "wanted.json", json.dumps({
            "port": self.port, "client_id": self.client_id, "client_secret": self.secret, "refresh_tokens": refresh_tokens}))
        with open(wanted, "rb") as stdin:
            log = self.start(["node", "--import", (ROOT / "tests" / "lib" / "older_node.mjs").as_uri(), home / "server.mjs"], stdin, dict(os.environ, NODE_ENV="production"))
        wanted.unlink()
        self.ready(log)
        self.refresh_tokens = self.said(log)["refresh_tokens"]
        self.url = f"http://127.0.0.1:{self.port}/token"

    def said(self, log):
        """Its line of JSON, which may come a little after it has begun to listen."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            for line in log.read_text().splitlines(keepends=True):
                if line.startswith("{") and line.endswith("\n"):
                    return json.loads(line)
            time.sleep(0.05)
        self.stop()
        raise Trouble("oidc-provider did not say that it serves")

    def headers(self):
        return token_headers(self.client_id, self.secret)


def token_headers(client_id, secret):
    pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}


def fields_within(head, room):
    """Those fields of our answer, in bytes together no more than `room`, that an edge is told to add: those that it does not make itself."""
    kept = []
    for line in head.decode().split("\r\n")[1:]:
        name, value = line.split(": ", 1)
        if name.lower() not in MADE_BY_EDGES and len(line) + 2 <= room:
            kept.append((name, value))
            room -= len(line) + 2
    return kept


class Edges:
    """nginx and HAProxy before one upstream. They add the fields that our answers have, until theirs are as large."""

    def __init__(self, certificate, head, answer, es256):
        self.servers = []
        try:
            self.begin(certificate, head, answer, es256)
        except BaseException:
            self.stop()
            raise

    def begin(self, certificate, head, answer, es256):
        self.authority = certificate.authority
        wanted = len(head) + 4 + len(answer)
        upstream = self.keep(Upstream(answer))
        bare = self.keep(NginxEdge(1, certificate, upstream))
        fields = fields_within(head, wanted - self.size_of(bare))
        self.nginx = {workers: self.keep(NginxEdge(workers, certificate, upstream, fields)) for workers in (1, 2)}
        self.haproxy = {threads: self.keep(HaproxyEdge(threads, certificate, upstream, fields, es256.public)) for threads in (1, 2)}
        size = self.size_of(self.nginx[1])
        if not SIZE_LEAST * wanted <= size <= wanted:
            raise Trouble(f"nginx answers {size} bytes beside our {wanted}")

    def keep(self, server):
        self.servers.append(server)
        return server

    @staticmethod
    def size_of(edge):
        status, head, body = load.fetch(edge.port, "GET", "/v1/whoami", {})
        if status != 200:
            raise Trouble(f"nginx answered {status}")
        return len(head) + 4 + len(body)

    def stop(self):
        for server in reversed(self.servers):
            server.stop()
        self.servers = []


class Argon2:
    """What libsodium alone checks with the service's parameters and as many at once, compiled here from bare.c."""

    def __init__(self):
        source, program = ROOT / "tests" / "bench" / "argon2" / "bare.c", machine.BUILD / "argon2"
        program.parent.mkdir(parents=True, exist_ok=True)
        outcome = process.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source, "-lsodium", "-lpthread"], 60)
        if outcome.code:
            raise Trouble(f"{source.name} could not be compiled: {outcome.text.strip()[-300:]}")
        header = (ROOT / "authsvc" / "hasher.h").read_text()
        self.command = [program, str(ARGON2_THREADS)]
        self.limits = [re.search(r"#define HASHER_OPSLIMIT (\d+)U", header)[1],
                       str(1024 * int(re.search(r"#define HASHER_MEMLIMIT \((\d+)U \* 1024U\)", header)[1]))]

    def run(self, seconds):
        seconds = max(1, seconds)
        outcome = process.run([*self.command, str(seconds), *self.limits], seconds + load.GRACE_S)
        if outcome.code:
            raise Trouble(f"the bare Argon2id ended with {outcome.code}: {outcome.text.strip()[-300:]}")
        checks, failures = outcome.text.split()
        return load.Sample(int(checks) / seconds, int(checks), f"{failures} failed" if failures != "0" else "")


class PgPeer:
    """The smallest equivalent of a booking in a database of its own, on the suite's own cluster."""

    DATABASE = "berth_bench_peer"
    SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "pgbench"

    def __init__(self, host, user):
        self.host, self.user = host, user
        self.first = 0
        self.psql("postgres", f"drop database if exists {self.DATABASE} with (force)")
        self.psql("postgres", f"create database {self.DATABASE}")
        self.psql(self.DATABASE, (self.SCRIPT / "schema.sql").read_text())

    def psql(self, database, text):
        return psql(self.host, self.user, database, text)

    def run(self, tenants, seconds):
        """Its bookings never collide either: a client books its own spots, slot after slot, never one of an earlier run."""
        before = int(self.psql(self.DATABASE, "select count(*) from booking"))
        sample = load.pgbench(self.host, self.DATABASE, self.user, self.SCRIPT / "booking.sql",
                              {"n": self.first, "tenants": tenants}, seconds)
        self.first += 10_000_000
        made, events = self.psql(self.DATABASE, "select (select count(*) from booking), (select count(*) from outbox)").split("|")
        if int(made) - before != sample.answers or made != events:
            sample.wrong = sample.wrong or f"{int(made) - before} bookings and {events} events after {sample.answers} transactions"
        return sample

    def stop(self):
        self.psql("postgres", f"drop database if exists {self.DATABASE} with (force)")


def psql(host, user, database, text):
    """The answer of statements, unaligned and without headings."""
    outcome = subprocess.run(
        [str(machine.PG_BIN / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(host), "-U", user, "-d", database],
        input=text, capture_output=True, text=True, timeout=120, check=False)
    if outcome.returncode:
        raise Trouble(f"psql: {outcome.stderr.strip()[-300:]}")
    return outcome.stdout.strip()
