# SPDX-License-Identifier: Apache-2.0
"""Chromium, driven over WebDriver (W3C), with WebDriver's virtual authenticators (WebAuthn Level 3 section 11)."""
import base64
import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.parse

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import serialization

WAIT_S = 20
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def key_pin(url, ca):
    """The hash of the public key that the suite shows, once its certificate has been verified here."""
    parts = urllib.parse.urlsplit(url)
    context = ssl.create_default_context(cafile=ca)
    with socket.create_connection((parts.hostname, parts.port), timeout=WAIT_S) as plain:
        with context.wrap_socket(plain, server_hostname=parts.hostname) as connection:
            leaf = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))
    key = leaf.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Chromium:
    """A browser with a profile of its own; use as a context. `logs`: it keeps what `log` reads."""

    def __init__(self, suite, logs=False):
        self.pin = key_pin(suite.url, suite.info["ca"])
        self.logs = {"browser": "ALL", "performance": "ALL"} if logs else {}

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="berth-chromium-")
        port = free_port()
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       env={**os.environ, "HOME": self.profile})
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
        try:
            self.wait(self.is_up, "chromedriver")
            options = {"args": [*ARGUMENTS, f"--user-data-dir={self.profile}", f"--ignore-certificate-errors-spki-list={self.pin}"]}
            made = self.http.post("/session", json={"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": options, "goog:loggingPrefs": self.logs}}}).json()["value"]
            assert "sessionId" in made, made
            self.path = f"/session/{made['sessionId']}"
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.http.delete(self.path)
        self.stop()

    def stop(self):
        self.driver.terminate()
        self.driver.wait(WAIT_S)
        shutil.rmtree(self.profile, ignore_errors=True)

    def is_up(self):
        try:
            return self.http.get("/status").json()["value"]["ready"]
        except httpx.HTTPError:
            return False

    def wait(self, probe, what):
        end = time.monotonic() + WAIT_S
        while True:
            value = probe()
            if value:
                return value
            assert time.monotonic() < end, f"{what} did not come within {WAIT_S} s"
            time.sleep(0.1)

    def ask(self, method, path, **body):
        reply = self.http.request(method, self.path + path, json=body if method == "POST" else None).json()["value"]
        assert not (isinstance(reply, dict) and "error" in reply), f"{path}: {reply}"
        return reply

    def open(self, url):
        self.ask("POST", "/url", url=url)

    @property
    def url(self):
        return self.ask("GET", "/url")

    @property
    def source(self):
        return self.ask("GET", "/source")

    def forget(self):
        """All cookies of the site."""
        self.ask("DELETE", "/cookie")

    def find(self, selector):
        return self.ask("POST", "/element", using="css selector", value=selector)[ELEMENT]

    def type(self, selector, text):
        self.ask("POST", f"/element/{self.find(selector)}/value", text=text)

    def click(self, selector):
        element = self.find(selector)
        self.wait(lambda: self.ask("GET", f"/element/{element}/displayed"), selector)
        self.ask("POST", f"/element/{element}/click")

    def run(self, script, *args):
        return self.ask("POST", "/execute/sync", script=script, args=list(args))

    def devtools(self, command, **parameters):
        """A command of Chromium's DevTools protocol, and its answer."""
        return self.ask("POST", "/goog/cdp/execute", cmd=command, params=parameters)

    def log(self, kind):
        """What came since it was last read: of the console ("browser"), of the network and the page ("performance")."""
        return self.ask("POST", "/se/log", type=kind)

    def arrive(self, text):
        """Waits until the address holds `text`."""
        return self.wait(lambda: text in self.url and self.url, f"an address with {text}, after {self.url}")

    # -- authenticators

    def add_authenticator(self, **about):
        return self.ask("POST", "/webauthn/authenticator", **{
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserConsenting": True,
            "isUserVerified": True, **about})

    def credentials(self, authenticator):
        return self.ask("GET", f"/webauthn/authenticator/{authenticator}/credentials")
