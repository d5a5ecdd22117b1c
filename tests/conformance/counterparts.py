# SPDX-License-Identifier: Apache-2.0
"""What other people's OAuth and OpenID Connect software needs to meet the suite: clients registered by an Admin, a person at a browser, npm
packages, and the matrix of who did what."""
import base64
import json
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import urllib.parse

import pytest

from berth_flow import Browser, FlowError, token_request
from berth_suite import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
# With what Debian 12's has not.
NODE = ("node", "--import", (ROOT / "tests" / "lib" / "older_node.mjs").as_uri())
STEPS_MAX = 12

FLOWS = (
    "discovery", "code with PKCE, ID token by ES256", "ID token by RS256", "a public client", "nonce and state", "iss in the response", "userinfo",
    "refresh with rotation", "client_credentials", "client_secret_basic", "client_secret_post", "private_key_jwt", "introspection", "revocation",
    "access tokens read by keys", "signing keys rotate", "max_age", "prompt", "acr_values", "id_token_hint",
    "consent is asked for", "resource indicators", "request by POST", "PAR", "device grant", "DPoP",
    "sign-out begun by the client", "back-channel logout", "people by Chromium", "two issuers, one hostile")


class Bench:
    """The suite for one counterpart: a person of its own, who signs in once, and clients as its cells want them."""

    def __init__(self, suite, slug):
        self.suite, self.slug = suite, slug
        self.url, self.ca = suite.url, suite.info["ca"]
        self.person = suite.new_person(slug)
        self.browser = Browser(suite.info)
        self.metadata = suite.api().get("/.well-known/openid-configuration").expect(200).body
        self.agreed = 0         # pages that asked for consent
        self._clients = {}

    def client(self, *redirect_uris, **fields):
        """Registered once for each combination; {"id", "secret", …}."""
        fields = {"kind": "confidential", "redirect_uris": list(redirect_uris), **fields}
        key = repr(sorted(fields.items()))
        if key not in self._clients:
            admin = self.suite.as_role(self.slug, "Admin")
            self._clients[key] = admin.post("/v1/clients", {"name": f"Counterpart {secrets.token_hex(3)}", **fields}).expect(201).body
        return self._clients[key]

    def consent(self, url, redirect_uri, browser=None, form=None, origin=None):
        """What the person does with an authorization request: the address that the browser is sent back to, at the client. `form`: it comes by POST,
        from a page of `origin`."""
        browser = browser or self.browser
        reply = browser.post(url, form, headers={"Origin": origin}) if form else browser.get(url)
        for _ in range(STEPS_MAX):
            if reply.status in (302, 303):
                if reply.location.startswith(redirect_uri + "?"):
                    return reply.location
                reply = browser.get(reply.location)
            elif reply.status == 200 and "password" in reply.page().inputs:
                page = reply.page()
                form = {**page.hidden, "email": self.person["email"], "password": self.person["password"]}
                reply = browser.post(page.action or "/login", form)
            elif reply.status == 200 and reply.page().action == "/consent":
                self.agreed += 1
                reply = browser.post("/consent", {**reply.page().hidden, "decision": "allow"})
            else:
                raise FlowError(f"the authorization ended with {reply.status}: {reply.text[:200]}", reply)
        raise FlowError("the authorization goes in circles", reply)

    def asks_for_password(self, url):
        """Whether the request, from the browser that has a session, leads to the form."""
        reply = self.browser.get(url)
        for _ in range(STEPS_MAX):
            if reply.status == 200:
                return "password" in reply.page().inputs
            if not reply.location.startswith(self.url) and not reply.location.startswith("/"):
                return False
            reply = self.browser.get(reply.location)
        raise FlowError("the authorization goes in circles", reply)

    def let_in(self, url):
        """What the person does with a device's address: sees its code, signs in, agrees."""
        browser, reply = self.browser, self.browser.get(url)
        for _ in range(STEPS_MAX):
            page = reply.page() if reply.status == 200 else None
            if page is None:
                reply = browser.get(reply.location)
            elif page.action == "/device":
                reply = browser.post("/device", {**page.hidden, "user_code": query_of(url)["user_code"]})
            elif page.action == "/consent":
                return browser.post("/consent", {**page.hidden, "decision": "allow"})
            else:
                reply = browser.post(page.action or "/login", {**page.hidden, "email": self.person["email"], "password": self.person["password"]})
        raise FlowError("the device is not let in", reply)

    def stranger(self):
        """A browser without a session."""
        return Browser(self.suite.info)

    def rotate_keys(self):
        """As an operator does; until the suite signs by the next keys and takes what they signed."""
        program = [str(self.suite.state / "opt" / "bin" / "authsvc"), "--rotate-keys"]
        before = header_of(self.machine_token())["kid"]
        subprocess.run(program, env=self.suite.environment("authsvc"), check=True, capture_output=True, timeout=60)
        token = wait_for(lambda: (token := self.machine_token()) and header_of(token)["kid"] != before and token, 30, "a token under the next key")
        wait_for(lambda: self.suite.api(token).get("/v1/sites").status == 200, 30, "the next key at the edge")

    def machine_token(self):
        client = self.client(grants=["client_credentials"], permissions=["site.read"])
        return token_request(self.suite.info, client, {"grant_type": "client_credentials"}).json()["access_token"]


def header_of(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def query_of(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query, keep_blank_values=True))


def npm_install(folder):
    """The packages that the folder's package-lock.json pins, below .build; no script of a package runs."""
    source, target = ROOT / "tests" / "conformance" / folder, ROOT / ".build" / "counterparts" / folder
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("there is no npm here to install it with")
    wanted, stamp = (source / "package-lock.json").read_text(), target / "installed.json"
    target.mkdir(parents=True, exist_ok=True)
    if not stamp.exists() or stamp.read_text() != wanted:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, target / name)
        outcome = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=target, capture_output=True, text=True, timeout=100)
        if outcome.returncode:
            pytest.skip(f"npm could not install it: {outcome.stderr.strip().splitlines()[-1:]}")
        stamp.write_text(wanted)
    return target


def stop(process):
    """Ends a program that this test started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def debian_version(package):
    outcome = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    return outcome.stdout if outcome.returncode == 0 else None


class Matrix:
    """counterpart × flow: `ok`, `FAILED`, or `-` with a reason, printed when the last of them has been."""

    def __init__(self):
        self.columns = {}       # counterpart: (its version, {flow: word or reason})

    def column(self, name, version, reasons):
        return self.columns.setdefault(name, (version, {flow: f"- {why}" for flow, why in reasons.items()}))[1]

    def text(self):
        width = max(map(len, FLOWS)) + 2
        reasons, lines = [], ["OAuth and OpenID Connect with the software of others"]
        lines += [f"{name}: {version}" for name, (version, _) in self.columns.items()]
        lines.append(" " * width + "".join(f"{name:<20}" for name in self.columns))
        for flow in FLOWS:
            words = [(name, column.get(flow, "not run")) for name, (_, column) in self.columns.items()]
            lines.append(f"{flow:<{width}}" + "".join(f"{'-' if word.startswith('-') else word:<20}" for _, word in words))
            reasons += [f"{flow}, {name}: {word}" for name, word in words if word.startswith("-")]
        return "\n".join(lines + reasons)


def say(text):
    """To the runner, which prints it among its results; or to whoever looks when there is none."""
    report = sys.modules.get("berth_report")
    if report:
        report.note(text)
    else:
        print(text)
