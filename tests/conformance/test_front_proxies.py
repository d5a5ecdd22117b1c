# SPDX-License-Identifier: Apache-2.0
"""Other people's proxies in front of the gateway: what each of them means by what it forwards is what the gateway understands.

Each proxy gets the corpus, good and hostile, in the clear on loopback, and forwards to a relay that writes down the bytes and passes them on to
a gateway over TLS. None of them sends a request before the last one is answered, so what lies between two answers is what the proxy meant as
one message. The gateway must have taken it for one message, whole, or have refused it; and a good request must arrive as it was sent.
"""
import itertools
import os
import pathlib
import re
import select
import shutil
import socket
import ssl
import subprocess
import threading
import urllib.parse

import pytest

from berth_probe import probe, side_by_side
from berth_suite import wait_for
from edge import bearer, context, head
from http1_table import CLOSE, KEEP, ROWS
from own_gateway import free_ports

ORDER = 97
ANSWER_S = 4
QUIET_S = 0.5
CLIENTS = 16
FINAL = re.compile(rb"HTTP/1\.[01] ([2-5]\d\d) [A-Z]")

pytestmark = pytest.mark.seconds(300)


class Relay(threading.Thread):
    """Between a proxy and the gateway: passes bytes, both ways, and keeps what each connection carried, in order."""

    def __init__(self, suite, gateway):
        super().__init__(daemon=True)
        self.port_there = int(gateway.url.rpartition(":")[2])
        self.tls = context(suite)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.order = itertools.count()
        self.carried = []       # of each connection: [message], see Message

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            messages = []
            self.carried.append(messages)
            threading.Thread(target=self.pass_on, args=(client, messages), daemon=True).start()

    def pass_on(self, client, messages):
        try:
            with socket.create_connection(("127.0.0.1", self.port_there), timeout=20) as plain, self.tls.wrap_socket(plain, server_hostname="localhost") as server, client:
                client.settimeout(20)
                while True:
                    ready = [server] if server.pending() else select.select([client, server], [], [], 20)[0]
                    if not ready or server in ready and not self.back(server, client, messages):
                        return
                    if client in ready and not self.there(server, client, messages):
                        return
        except (OSError, ssl.SSLError):
            pass

    def there(self, server, client, messages):
        part = client.recv(65536)
        # A further message begins behind a final answer.
        if part and (not messages or FINAL.search(messages[-1].answer)):
            messages.append(Message(next(self.order)))
        if part:
            messages[-1].given += part
            server.sendall(part)
        return bool(part)

    def back(self, server, client, messages):
        part = server.recv(65536)
        if part and not messages:
            messages.append(Message(next(self.order)))
        if part:
            messages[-1].answer += part
            client.sendall(part)
        return bool(part)

    def stop(self):
        self.listener.close()


class Message:
    """What a proxy sent before it had a final answer, and that answer."""

    def __init__(self, place):
        self.place, self.given, self.answer = place, bytearray(), bytearray()


# -- the proxies

def nginx(folder, port, backend):
    (folder / "conf").write_text(f"""daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error warn;
events {{ worker_connections 256; }}
http {{ log_format meant '$request_method $request_uri $status'; access_log {folder}/log meant; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; keepalive_requests 10000;
  upstream gateway {{ server 127.0.0.1:{backend}; keepalive 4; }}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://gateway; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host localhost; proxy_request_buffering off; }} }} }}
""")
    return ["nginx", "-e", str(folder / "error"), "-c", str(folder / "conf")]


def haproxy(folder, port, backend):
    (folder / "conf").write_text(f"""global
  stats timeout 5s
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend front
  bind 127.0.0.1:{port}
  default_backend gateway
backend gateway
  http-reuse always
  server one 127.0.0.1:{backend}
""")
    return ["haproxy", "-db", "-f", str(folder / "conf")]


def apache2(folder, port, backend):
    modules = "/usr/lib/apache2/modules"
    (folder / "conf").write_text(f"""ServerRoot {folder}
PidFile {folder}/pid
ServerName localhost
Listen 127.0.0.1:{port}
{"".join(f"LoadModule {name}_module {modules}/mod_{name}.so{chr(10)}" for name in ("mpm_event", "authz_core", "proxy", "proxy_http"))}
User nobody
Group nogroup
ErrorLog {folder}/error
LogFormat "%m %U%q %>s" meant
CustomLog {folder}/log meant
KeepAlive On
MaxKeepAliveRequests 0
ProxyPass / http://127.0.0.1:{backend}/ nocanon
ProxyPreserveHost On
AllowEncodedSlashes NoDecode
Mutex posixsem
""")
    return ["apache2", "-X", "-f", str(folder / "conf")]


def nghttpx(folder, port, backend):
    return ["nghttpx", "--conf=/dev/null", f"--frontend=127.0.0.1,{port};no-tls", f"--backend=127.0.0.1,{backend}", "--workers=1", f"--accesslog-file={folder}/log",
            '--accesslog-format=$method $path $status', f"--errorlog-file={folder}/error", "--no-server-push", f"--pid-file={folder}/pid"]


def varnish(folder, port, backend):
    (folder / "vcl").write_text(f"""vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{backend}"; }}
sub vcl_recv {{ return (pass); }}
""")
    return ["varnishd", "-F", "-a", f"127.0.0.1:{port}", "-f", str(folder / "vcl"), "-n", str(folder / "work"), "-s", "malloc,16m", "-j", "none"]


PROXIES = {"nginx": (nginx, "nginx"), "HAProxy": (haproxy, "haproxy"), "Apache": (apache2, "apache2"), "nghttpx": (nghttpx, "nghttpx"), "Varnish": (varnish, "varnishd")}


class Proxy:
    """One running proxy, with `forwarded` relay behind it."""

    def __init__(self, name, folder, relay):
        make, program = PROXIES[name]
        found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if not found:
            pytest.skip(f"{program} is not installed")
        self.folder = pathlib.Path(folder)
        os.chmod(self.folder, 0o777)
        self.port = free_ports(1)[0]
        self.relay = relay
        command = make(self.folder, self.port, relay.port)
        with open(self.folder / "output", "wb") as output:
            self.process = subprocess.Popen([found, *command[1:]], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder)
        wait_for(self.listens, 30, f"the start of {name}")

    def listens(self):
        assert self.process.poll() is None, (self.folder / "output").read_text(errors="replace")[-1000:]
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=2).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def say(self, given, wanted):
        """Until so many answers have come, or the end; where none is wanted, until nothing more comes."""
        got = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=15) as client:
            try:
                client.sendall(given)
                while not wanted or len(FINAL.findall(got)) < wanted:
                    if not select.select([client], [], [], ANSWER_S if wanted else QUIET_S)[0]:
                        break
                    part = client.recv(65536)
                    if not part:
                        break
                    got += part
            except ConnectionError:
                pass


# -- the corpus

def marked(given, number):
    return given.replace(b"Host: localhost\r\n", b"Host: localhost\r\nX-Row: %d\r\n" % number)


def corpus(token, long):
    """(number, bytes, the requests that it means or None)"""
    auth = bearer(token).encode()
    rows = [(number, row) for number, row in enumerate(ROWS) if len(row[2]) < 3000]
    good = [(number, row) for number, row in rows if row[4] in (KEEP, CLOSE) and row[3] and row[2].count(b"Host: localhost\r\n") >= len(row[3])]
    bad = [(number, row) for number, row in rows if row[4] not in (KEEP, CLOSE)]
    assert len(good) > 60 and len(bad) > 300
    for number, (_, _, given, requests, _) in good if long else good[::4]:
        yield number, marked(given.replace(b"@AUTH@", auth), number), requests
    for number, (_, _, given, _, _) in bad if long else bad[::23]:
        yield number, given.replace(b"@AUTH@", auth) + head(start="GET /docs HTTP/1.1"), None


def check_connection(messages):
    """Says what is wrong with how the gateway took one connection of a proxy."""
    closed = False
    for message in messages:
        answers = FINAL.findall(bytes(message.answer))
        if closed:
            if answers:
                return f"an answer on a connection that was closed, to {bytes(message.given)[:300]!r}"
            continue
        judged = probe("http1", given=bytes(message.given))
        said = len(judged["requests"]) + (judged["status"] is not None)
        if len(answers) > 1 or said > 1:
            return f"one message of the proxy is {len(answers)} answers and {said} messages to us: {bytes(message.given)!r}"
        if answers and judged["requests"] and judged["error"]:
            return f"a message of the proxy is longer than ours: {bytes(message.given)!r}"
        if judged["status"] and answers and int(answers[0]) != judged["status"]:
            return f"{answers} where the probe says {judged['status']}: {bytes(message.given)!r}"
        if answers and judged["error"] == "incomplete" and int(answers[0]) < 400:
            return f"{answers} to half a message: {bytes(message.given)!r}"
        closed = b"\r\nConnection: close\r\n" in message.answer
    return None


def arrived(relay):
    """{number of the row: [(method, target, bytes of content)]} as the gateway understood them."""
    found = {}
    messages = sorted((message for connection in relay.carried for message in connection), key=lambda message: message.place)
    for message, judged in zip(messages, side_by_side(lambda message: probe("http1", given=bytes(message.given)), messages)):
        for request in judged["requests"]:
            number = next((value for name, value in request["headers"] if name.lower() == "x-row"), None)
            if number:
                found.setdefault(int(number), []).append((request["method"], request["target"], request["body_len"]))
    return found


def resource(target):
    """What a target names, however a proxy writes it: as a path, with one slash for two, no empty query, plain letters plain."""
    path, _, query = re.sub(r"^https?://[^/?]*", "", target, flags=re.IGNORECASE).partition("?")
    return re.sub(r"//+", "/", urllib.parse.unquote(path, "latin-1")) or "/", query


@pytest.mark.parametrize("name", PROXIES)
def test_what_a_proxy_means_is_what_the_gateway_understands(suite, slug, gateway, tmp_path_factory, pytestconfig, name):
    relay = Relay(suite, gateway)
    relay.start()
    proxy = Proxy(name, tmp_path_factory.mktemp("front"), relay)
    rows = list(corpus(suite.token(slug, "User"), pytestconfig.getoption("--long")))
    try:
        side_by_side(lambda row: proxy.say(row[1], len(row[2] or ())), rows, CLIENTS)
    finally:
        proxy.stop()
        relay.stop()
    wrong = [said for said in side_by_side(check_connection, relay.carried) if said]
    assert not wrong, "\n".join(wrong[:20])
    found, whole = arrived(relay), 0
    wanted = {number: requests for number, _, requests in rows if requests}
    for number, requests in wanted.items():
        got = [(method, resource(target), length) for method, target, length in found.get(number, [])]
        meant = [(method, resource(target), length) for method, target, length in requests]
        assert got == meant[:len(got)], f"{ROWS[number][:2]}: {got} instead of {meant}"
        whole += got == meant
    assert whole >= 3, f"only {whole} of {len(wanted)} good connections came through {name}"
    assert gateway.process.poll() is None
