# SPDX-License-Identifier: Apache-2.0
"""Our side: a release suite of its own, with people and places that collide with nobody."""
import http.client
import json
import os
import re
import secrets
import ssl
import subprocess
import sys
import time
import urllib.parse

from runner import process

from . import load, machine
from .machine import ROOT, Trouble
from .peers import psql, token_headers

sys.path.insert(0, str(ROOT / "deploy" / "demo"))

import api  # noqa: E402
import berth_flow  # noqa: E402
import invitation  # noqa: E402

RUN_DIR = ROOT / ".run-bench"
UP_S = 900
SCOPE = "openid berth"
ONE, MANY = "bench-one", "bench-many"
PEOPLE = 64
SESSION = "__Host-berth_session"
TENANTS = 32
SPOTS_OF_MANY = 4
WINDOW_DAYS = 730
TOKEN_LEAST_S = 240
DRAIN_S = 120
# The whole table comes from one address and one client.
LIMITS = "".join(f"BERTH_LIMIT_{who}_PER_S=0\n" for who in ("ADDRESS", "PERSON", "CLIENT", "TENANT", "OPERATION", "SIGN_IN"))


def environment(port=None):
    env = dict(os.environ, BERTH_RUN_DIR=str(RUN_DIR))
    env.pop("BERTH_PORT", None)
    if port:
        env["BERTH_PORT"] = str(port)
    return env


def deploy(words, seconds, port=None):
    """A command of deploy/; what it said is told only when it fails."""
    outcome = process.run([str(ROOT / "deploy" / words[0]), *words[1:]], seconds, cwd=ROOT, env=environment(port))
    if outcome.code:
        raise Trouble(f"./deploy/{' '.join(words)} ended with {outcome.code}: {outcome.text.strip()[-600:]}")
    return outcome.text


def stores():
    """Only PostgreSQL and Redis, for peers without a suite: where its socket is."""
    deploy(["berthctl", "stores"], UP_S)
    return str((RUN_DIR / "sock").resolve())


def stop():
    if RUN_DIR.is_dir():
        deploy(["down"], 180)


class Person:
    """Somebody who signs in as a person does, once; further tokens come from the session."""

    def __init__(self, suite, tenant, known):
        self.suite, self.tenant, self.known = suite, tenant, known
        self.browser = berth_flow.Browser(suite.info)
        self.answer, self.until = None, 0
        self.signed_in = False

    def authorize(self):
        """A token response (RFC 6749 section 5.1) with a family of its own."""
        flow = berth_flow.Authorization(self.suite.info, self.tenant["client"], SCOPE, self.browser)
        try:
            if self.signed_in:
                code = flow.follow(flow.begin())
            else:
                code = flow.code(self.known["email"], self.known["password"])
                self.signed_in = True
            reply = flow.exchange(code["code"])
        except berth_flow.FlowError as error:
            raise Trouble(f"a person of {self.tenant['slug']} could not sign in: {error}") from error
        if reply.status != 200:
            raise Trouble(f"the token endpoint answered {reply.status}: {reply.text[:200]}")
        return reply.json()

    def token(self):
        if time.monotonic() > self.until:
            self.answer = self.authorize()
            self.until = time.monotonic() + self.answer["expires_in"] - TOKEN_LEAST_S
        return self.answer["access_token"]


class Known:
    """A browser that somebody has signed in with before, and has signed out of."""

    def __init__(self, suite, tenant, known):
        self.suite, self.tenant, self.known = suite, tenant, known
        self.browser = berth_flow.Browser(suite.info)
        page = self.browser.get("/login").page()
        reply = self.browser.post("/login", self.form(page))
        if reply.status != 303:
            raise Trouble(f"a person of {tenant['slug']} could not sign in: {reply.status}")
        self.browser.cookies.pop(SESSION, None)

    def form(self, page):
        return {**page.hidden, "tenant": self.tenant["slug"], "email": self.known["email"], "password": self.known["password"]}

    def line(self):
        """For turns.lua."""
        form = self.form(self.browser.get("/login").page())
        cookies = "; ".join(f"{name}={value}" for name, value in self.browser.cookies.items())
        return f"{cookies}\t{urllib.parse.urlencode(form)}"


class Suite:
    def __init__(self, keep):
        self.keep = keep
        self.state_file = RUN_DIR / "bench.json"
        if keep and self.state_file.exists():
            deploy(["up", "--no-demo"], UP_S)
            self.read()
            self.tenants = json.loads(self.state_file.read_text())
        else:
            self.state_file.unlink(missing_ok=True)
            stop()
            deploy(["up", "--fresh", "--no-demo"], UP_S, machine.free_port())
            (RUN_DIR / "etc" / "gateway.local.env").write_text(LIMITS + f"BERTH_GATEWAY_LOOPS={len(os.sched_getaffinity(0))}\n")
            deploy(["berthctl", "restart", "gateway"], 120)
            self.read()
            self.make_tenants()
        self.people = [Person(self, self.tenants["one"], known) for known in self.tenants["one"]["people"]]
        self.known = []
        self.admins = [Person(self, tenant, tenant["admin"]) for tenant in self.tenants["many"]]

    def read(self):
        self.info = json.loads((RUN_DIR / "suite.json").read_text())
        self.url = self.info["url"]
        self.port = urllib.parse.urlsplit(self.url).port
        self.pids = {one["name"]: one["pid"] for one in self.info["processes"]}
        self.pki = (RUN_DIR / "pki").resolve()

    def close(self):
        if self.keep:
            api.write_private(str(self.state_file), self.tenants)
        else:
            stop()

    # -- tenants

    def make_tenants(self):
        redirect_uri = f"{self.url}/bench/callback"
        tenants = [{"slug": slug, "admin": {"email": f"admin@{slug}.example", "password": secrets.token_urlsafe(18)},
                    "client": {"redirect_uri": redirect_uri}} for slug in [ONE, *(f"{MANY}-{n:02}" for n in range(1, TENANTS + 1))]]
        document = {"tenants": [{
            "slug": tenant["slug"], "name": tenant["slug"], "second_factor": "optional",
            "admin": {**tenant["admin"], "given_name": "Bench", "family_name": "Admin", "locale": "en"},
            "client": {"name": "Bench", "redirect_uris": [redirect_uri]}} for tenant in tenants]}
        outcome = subprocess.run([str(ROOT / "tests" / "bench" / "bootstrap")], input=json.dumps(document), text=True,
                                 capture_output=True, env=environment(), timeout=120, check=False)
        if outcome.returncode:
            raise Trouble(f"authsvc --bootstrap ended with {outcome.returncode}: {outcome.stderr.strip()[-300:]}")
        made = {tenant["slug"]: tenant for tenant in json.loads(outcome.stdout)["tenants"]}
        for tenant in tenants:
            tenant["id"] = made[tenant["slug"]]["id"]
            tenant["client"].update(made[tenant["slug"]]["client"])
        try:
            self.furnish(tenants[0], PEOPLE)
            self.make_people(tenants[0], PEOPLE)
            for tenant in tenants[1:]:
                self.furnish(tenant, SPOTS_OF_MANY)
        except api.Failure as failure:
            raise Trouble(str(failure)) from failure
        midnight = time.time() // 86400 * 86400
        self.tenants = {"one": tenants[0], "many": tenants[1:], "slot": 0, "base": midnight + 86400}

    def admin_api(self, tenant):
        return api.Api(self.info, Person(self, tenant, tenant["admin"]).token())

    def furnish(self, tenant, spots):
        admin = self.admin_api(tenant)
        site = admin.post("/v1/sites", {"name": "Bench", "time_zone": "Europe/Brussels"})["id"]
        area = admin.post("/v1/areas", {"site_id": site, "name": "Bench", "window_days": WINDOW_DAYS})["id"]
        tenant["spots"] = [admin.post("/v1/spots", {"area_id": area, "name": f"{n:03}"})["id"] for n in range(spots)]

    def make_people(self, tenant, count):
        admin = self.admin_api(tenant)
        tenant["people"] = []
        for n in range(count):
            person = {"email": f"person-{n:03}@{tenant['slug']}.example", "given_name": "Bench", "family_name": f"Person {n}",
                      "locale": "en", "password": secrets.token_urlsafe(18)}
            invitation.invite(admin, person, "User")
            invitation.accept(self.info, person["email"], person["password"])
            tenant["people"].append({"email": person["email"], "password": person["password"]})

    # -- requests

    def bearer(self):
        return {"Authorization": f"Bearer {self.people[0].token()}"}

    def whoami(self):
        """(head of the answer, its body); Trouble when it is not the answer to this token."""
        status, head, body = load.fetch(self.port, "GET", "/v1/whoami", self.bearer())
        if status != 200 or json.loads(body).get("tenant_id") != self.tenants["one"]["id"]:
            raise Trouble(f"GET /v1/whoami answered {status}: {body[:200]}")
        return head, body.decode()

    def client_headers(self):
        client = self.tenants["one"]["client"]
        return token_headers(client["id"], client["secret"])

    def lanes(self, many):
        """Lines for bookings.lua: who books, and the spots that nobody else books."""
        if many:
            return [" ".join([admin.token(), *tenant["spots"]]) for admin, tenant in zip(self.admins, self.tenants["many"])]
        return [f"{person.token()} {spot}" for person, spot in zip(self.people, self.tenants["one"]["spots"])]

    def slots_used(self, bookings, lanes):
        """Threads may run ahead of each other, so there is room for twice as many."""
        self.tenants["slot"] += 2 * bookings // lanes + 10
        if self.tenants["slot"] > (WINDOW_DAYS - 10) * 1440:
            raise Trouble("the planning window is full: start over without --keep")

    def sign_in_forms(self):
        if not self.known:
            self.known = [Known(self, self.tenants["one"], known) for known in self.tenants["one"]["people"]]
        return [one.line() for one in self.known]

    # -- stores, processes

    def psql(self, text):
        pg = self.info["pg"]
        return psql(pg["host"], pg["superuser"], pg["dbname"], text)

    def count(self, what):
        return int(self.psql(f"select count(*) from {what}"))

    def drain(self):
        """Waits until no event waits in an outbox; the seconds that it took."""
        begun = time.monotonic()
        while self.psql("select (select count(*) from booking.outbox) + (select count(*) from auth.outbox)") != "0":
            if time.monotonic() - begun > DRAIN_S:
                raise Trouble(f"events still wait in an outbox after {DRAIN_S} s")
            time.sleep(0.05)
        return time.monotonic() - begun

    def settle(self):
        """Nothing of what was measured before goes on in the background."""
        self.drain()
        self.psql("checkpoint")
        time.sleep(0.3)

    def metrics(self, name="gateway"):
        """{series: value}, by the operators' certificate."""
        url = next(one["admin_url"] for one in self.info["processes"] if one["name"] == name)
        context = ssl.create_default_context(cafile=self.info["ca"])
        context.load_cert_chain(self.pki / "ops-client.pem", self.pki / "ops-client.key")
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=10, context=context)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        return {key: float(value) for key, value in re.findall(r"^([^#\s]\S*(?: \S+)*) (\S+)$", text, re.M)}

    def memory(self):
        """(proportional, resident) megabytes of the five processes together."""
        sizes = [machine.memory_mb(pid) for pid in self.pids.values()]
        return sum(size[0] for size in sizes), sum(size[1] for size in sizes)
