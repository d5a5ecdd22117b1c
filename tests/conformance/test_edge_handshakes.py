# SPDX-License-Identifier: Apache-2.0
"""Handshakes as no client should make them, to the gateway and to nginx with the same certificate over the same OpenSSL: the same bytes, and
the gateway refuses whatever nginx refuses, serves what it serves, and holds nobody past its deadline."""
import asyncio
import collections
import concurrent.futures
import contextlib
import pathlib
import shutil
import socket
import ssl
import subprocess
import time

import pytest


import tls_live
from berth_suite import wait_for
from own_gateway import free_ports
from tls_craft import ALERT, HANDSHAKE, records
from tls_table import HELLOS

ORDER = 45
DEADLINE_S, LATE_S = 5, 3
CLIENTS = 64

pytestmark = pytest.mark.seconds(200)


def port_of(gateway):
    return int(gateway.url.rpartition(":")[2])


@pytest.fixture(scope="module")
def nginx(suite, tmp_path_factory):
    """The port of an nginx that says 200 to everything, with our certificates, versions, suites and deadlines."""
    assert shutil.which("nginx"), "nginx is missing: run through ./tests/run"
    folder, pki, port = tmp_path_factory.mktemp("nginx"), pathlib.Path(suite.state) / "pki", free_ports(1)[0]
    (folder / "conf").write_text(f"""daemon off; master_process off; worker_rlimit_nofile 4096; pid {folder}/pid; error_log {folder}/error crit;
events {{ worker_connections 2000; }}
http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} ssl http2; server_name localhost; client_header_timeout {DEADLINE_S}s; ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {pki}/edge-ecdsa.pem; ssl_certificate_key {pki}/edge-ecdsa.key; ssl_certificate {pki}/edge-rsa.pem; ssl_certificate_key {pki}/edge-rsa.key;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384;
    ssl_ecdh_curve X25519:P-256:P-384; location / {{ return 200 "ok"; }} }} }}
""")
    process = subprocess.Popen(["nginx", "-e", str(folder / "error"), "-c", str(folder / "conf")], stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, 20, "nginx")
        yield port
    finally:
        process.terminate()
        process.wait(20)


# What is judged in another way, and why.
OTHERWISE = {"an empty change of ciphers first": "nginx takes its first byte for a request in the clear; OpenSSL passes over a record of no length"}

Verdict = collections.namedtuple("Verdict", "end seconds detail")


def verdict_of(data, seconds, open_still):
    """refused: an alert or an end, and no ServerHello. ended: after a ServerHello, at once. waited: it let the time run out. open: not even that."""
    found, _ = records(data)
    alerts = [payload.hex() for kind, _, payload in found if kind == ALERT]
    went_on = any(kind == HANDSHAKE and payload[:1] == b"\2" for kind, _, payload in found)
    end = "open" if open_still else "refused" if not went_on else "ended" if seconds < DEADLINE_S - 1.5 else "waited"
    return Verdict(end, round(seconds, 1), f"alerts {alerts}, {len(data)} bytes")


async def say(port, parts):
    """Sends the parts and waits until the server ends it; this side never does."""
    got, open_still = b"", False
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    begun = time.monotonic()

    async def send():
        with contextlib.suppress(OSError):      # it has heard enough
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
    sending = asyncio.create_task(send())
    try:
        while part := await asyncio.wait_for(reader.read(65536), DEADLINE_S + LATE_S):
            got += part
    except asyncio.TimeoutError:
        open_still = True
    except OSError:
        pass
    seconds = time.monotonic() - begun
    sending.cancel()
    writer.transport.abort()
    return verdict_of(got, seconds, open_still)


async def say_all(names, ports):
    """{name: (verdict at each port)}: all at once, for most of the time nothing happens."""
    told = await asyncio.gather(*[say(port, HELLOS[name]) for name in names for port in ports])
    return dict(zip(names, zip(*[iter(told)] * len(ports))))


def differ(name, ours, theirs):
    return (ours.end != theirs.end and name not in OTHERWISE) or ours.end == "open"


def test_a_hello_is_judged_as_nginx_judges_it(gateway, nginx):
    ports = [port_of(gateway), nginx]
    verdicts = asyncio.run(say_all(list(HELLOS), ports))
    # Once more with less company, for a crowded machine may take seconds for what is done at once.
    verdicts |= asyncio.run(say_all([name for name, pair in verdicts.items() if differ(name, *pair)], ports))
    wrong = [f"{name}: {ours}, nginx {theirs}" for name, (ours, theirs) in verdicts.items() if differ(name, ours, theirs)]
    assert not wrong, "\n".join(wrong)
    assert {ours.end for ours, _ in verdicts.values()} == {"refused", "ended", "waited"}


def outcomes(ports, folder, cases):
    """{case: [what came of it at each port]}; a case is (version, what becomes of the flight, what is said under the keys)."""
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        waiting = {(name, port): pool.submit(tls_live.outcome, port, version, folder / f"{number}-{port}", change, sealed)
                   for number, (name, (version, change, sealed)) in enumerate(cases.items()) for port in ports}
        return {name: [waiting[name, port].result() for port in ports] for name in cases}


FLIGHTS = {f"{version.name}: {name}": (version, lambda flight, change=change: change(*flight), None)
           for version, rows in tls_live.FLIGHTS.items() for name, change in rows.items()}
SEALED = {name: (ssl.TLSVersion.TLSv1_3, lambda flight: flight, said) for name, said in tls_live.SEALED.items()}


@pytest.mark.parametrize("cases", [FLIGHTS, SEALED], ids=["before it is made", "under its keys"])
def test_a_handshake_that_goes_astray_ends_as_with_nginx(gateway, nginx, tmp_path, cases):
    found = outcomes([port_of(gateway), nginx], tmp_path, cases)
    wrong = [f"{name}: {ours}, nginx {theirs}" for name, (ours, theirs) in found.items() if ours != theirs or ours == "open"]
    assert not wrong, "\n".join(wrong)
    assert {ours for ours, _ in found.values()} == {"served", "refused"}
