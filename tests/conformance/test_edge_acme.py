# SPDX-License-Identifier: Apache-2.0
"""The life of a certificate from an ACME authority (RFC 8555): issued, served, renewed under load, and an alarm when it was not."""
import contextlib
import functools
import http.server
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading

import httpx
import pytest

from berth_suite import ROOT, wait_for
from edge import Edge, context, head
from own_gateway import NO_LIMITS, OwnGateway, free_ports

ORDER = 44
TOOLS = ("pebble", "dehydrated", "h2load", "faketime")
LIFE_DAYS = 90
KINDS = {"ecdsa": ("prime256v1", "ECDHE-ECDSA-AES128-GCM-SHA256"), "rsa": ("rsa", "ECDHE-RSA-AES128-GCM-SHA256")}
LEFT_DAYS = 10      # under the two weeks at which the gateway tells


def run(*words, seconds=60, **more):
    outcome = subprocess.run(words, capture_output=True, timeout=seconds, text=True, check=False, **more)
    assert outcome.returncode == 0, f"{words}: {outcome.stdout}{outcome.stderr}"
    return outcome.stdout


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


@contextlib.contextmanager
def challenges(folder, port):
    """Answers http-01 challenges, as whatever listens on port 80 would."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Authority:
    """Pebble, Let's Encrypt's ACME server for tests, and dehydrated as its client, all under one folder."""

    def __init__(self, folder):
        self.folder, self.live = folder, folder / "live"
        self.port, self.admin_port, self.challenge_port, tls_port = free_ports(4)
        (folder / "well" / ".well-known" / "acme-challenge").mkdir(parents=True)
        self.live.mkdir()
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", str(folder / "acme.key"), "-out", str(folder / "acme.pem"))
        (folder / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.admin_port}",
            "certificate": str(folder / "acme.pem"), "privateKey": str(folder / "acme.key"), "httpPort": self.challenge_port,
            "tlsPort": tls_port, "certificateValidityPeriod": LIFE_DAYS * 86400}}))
        env = dict(os.environ, PEBBLE_VA_NOSLEEP="1", PEBBLE_WFE_NONCEREJECT="0", PEBBLE_AUTHZREUSE="0")
        self.log = open(folder / "pebble.log", "wb")
        self.process = subprocess.Popen(["pebble", "-config", str(folder / "pebble.json")], env=env, stdout=self.log, stderr=self.log)
        wait_for(self.listens, 20, "an ACME server")
        self.root = folder / "root.pem"
        self.root.write_text(httpx.get(f"https://localhost:{self.admin_port}/roots/0", verify=str(folder / "acme.pem"), trust_env=False).text)
        for kind, (algorithm, _) in KINDS.items():
            (folder / kind).mkdir()
            (folder / kind / "config").write_text(
                f"CA=https://localhost:{self.port}/dir\nBASEDIR={folder / kind}\nWELLKNOWN={folder}/well/.well-known/acme-challenge\n"
                f"ACCOUNT_KEY_ALGO=prime256v1\nKEY_ALGO={algorithm}\nKEYSIZE=2048\nHOOK={ROOT}/deploy/pki/acme-hook\n")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.admin_port)) == 0

    def client(self, kind, *words):
        env = dict(os.environ, CURL_CA_BUNDLE=str(self.folder / "acme.pem"), BERTH_CERT_DIR=str(self.live))
        return run("dehydrated", "-f", str(self.folder / kind / "config"), *words, env=env)

    def each_kind(self, *words):
        """What both clients say, side by side."""
        said = {}
        threads = [threading.Thread(target=lambda kind=kind: said.update({kind: self.client(kind, *words)})) for kind in KINDS]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert set(said) == set(KINDS), said
        return said

    def end(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    assert not missing, f"{missing} missing: run through ./tests/run"
    acme = Authority(tmp_path_factory.mktemp("acme"))
    try:
        with challenges(acme.folder / "well", acme.challenge_port):
            acme.each_kind("--register", "--accept-terms")
            acme.each_kind("--cron", "--domain", "localhost")
            yield acme
    finally:
        acme.end()


def served_by(suite, authority, **changes):
    files = {f"BERTH_GATEWAY_{what}_FILES": ",".join(str(authority.live / f"{kind}.{end}") for kind in KINDS)
             for what, end in (("CERT", "pem"), ("KEY", "key"))}
    return OwnGateway(suite, **files, **NO_LIMITS, **changes)


class Trusting:
    """The same gateway, for a client that trusts the ACME authority alone."""

    def __init__(self, gateway, authority):
        self.url, self.info = gateway.url, {"ca": str(authority.root)}


def serials(gateway, authority):
    """{kind: serial number of what is served}, to a client that checks chain and name."""
    found = {}
    for kind, (_, cipher) in KINDS.items():
        tls = context(Trusting(gateway, authority), ssl.TLSVersion.TLSv1_2)
        tls.set_ciphers(cipher)
        with Edge(gateway, tls=tls) as edge:
            assert edge.ask(head()).status == 200
            found[kind] = edge.socket.getpeercert()["serialNumber"]
    return found


def days_left(gateway):
    found = [value for series, value in gateway.metrics().items() if series.startswith("berth_edge_certificate_days_left{")]
    assert len(found) == len(KINDS)
    return found


class Load:
    """h2load again and again until it is told to stop: each time with new connections."""

    def __init__(self, gateway):
        self.url, self.stop, self.succeeded, self.failures = gateway.url + "/healthz", False, 0, []
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop:
            text = subprocess.run(["h2load", "-c", "20", "-n", "600", "-m", "4", self.url], capture_output=True, text=True, timeout=60, check=False).stdout
            counts = re.search(r"(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", text)
            answers = re.search(r"status codes: (\d+) 2xx", text)
            if not counts or counts.groups() != ("600", "600", "0", "0", "0") or not answers or answers[1] != "600":
                self.failures.append(text)
            self.succeeded += int(counts[2]) if counts else 0

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.thread.join(60)


def test_certificates_from_an_acme_authority_are_renewed_under_load_without_a_failed_request(suite, authority):
    with served_by(suite, authority) as gateway:
        first = serials(gateway, authority)
        assert set(days_left(gateway)) <= {LIFE_DAYS - 1, LIFE_DAYS}
        with Edge(gateway, tls=context(Trusting(gateway, authority))) as standing, Load(gateway) as load:
            wait_for(lambda: load.succeeded, 30, "the first of the load")
            said = authority.each_kind("--cron", "--force", "--domain", "localhost")
            assert all("Creating fullchain.pem" in text for text in said.values()), said
            wait_for(lambda: not set(serials(gateway, authority).values()) & set(first.values()), 15, "both renewed certificates")
            before = load.succeeded
            wait_for(lambda: load.succeeded > before + 600 or load.failures, 30, "load over the renewed certificates")
            assert standing.ask(head()).status == 200, "a connection that stood is not touched"
        assert not load.failures, load.failures[0]


def faketime_library():
    """What `faketime` puts before a program."""
    return run("faketime", "-f", "+1d", "/bin/sh", "-c", 'printf %s "$LD_PRELOAD"').strip()


def test_a_certificate_that_nobody_renewed_raises_the_alarm_in_time(suite, authority):
    """By a clock that is eighty days on."""
    with served_by(suite, authority) as fresh:
        assert "certificate" not in fresh.admin_get("/readyz?verbose").text
    # The sanitizer's runtime minds that another library is loaded before it.
    with served_by(suite, authority, ready=False, ASAN_OPTIONS="verify_asan_link_order=0", FAKETIME=f"+{LIFE_DAYS - LEFT_DAYS}d",
                   LD_PRELOAD=faketime_library()) as late:
        wait_for(lambda: '"event":"certificate_ends_soon"' in late.log_text(), 30, "the alarm in the log")
        assert set(days_left(late)) <= {LEFT_DAYS - 1, LEFT_DAYS}
        assert "certificate" in late.admin_get("/readyz?verbose").text
