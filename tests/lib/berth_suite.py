# SPDX-License-Identifier: Apache-2.0
"""The running suite as scenarios see it: addresses, people, tokens, the API, stores, mails, and the way to stop parts of it."""
import email
import email.policy
import json
import os
import pathlib
import re
import secrets
import signal
import subprocess
import time
from datetime import datetime, timedelta, timezone

import httpx
import psycopg2

import berth_factor
import berth_flow

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = {"auth": "authsvc", "booking": "bookingsvc", "audit": "auditsvc", "gdpr": "gdprsvc"}
AREAS_AT_A_SITE = 100
SLOT_HOURS = 3
SLOTS = 350 * 24 // SLOT_HOURS      # within the window of a year
ROLES = ("Admin", "Reception", "Security", "Assistant", "User")     # of the demo people
BUILT_IN = (*ROLES, "Visitor", "Owner", "Auditor", "DPO", "Operator")


def wait_for(probe, seconds=15, what="it"):
    """The first true value of probe(), asked again and again; the test fails when the time is over."""
    end = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        time.sleep(0.1)


def instant(moment):
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_left(pid):
    """Whether one of its threads is neither gone nor a zombie."""
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            if task.read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX":
                return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False


class Suite:
    def __init__(self, run_dir):
        self.run_dir = pathlib.Path(run_dir)
        self.reload()
        self.demo = json.loads((self.run_dir / "demo.json").read_text())
        self.tenants = {tenant["slug"]: tenant for tenant in self.demo["tenants"]}
        self._tokens = {}
        self._sites = {}
        # Remembered beside the suite, so that one that is used twice has room.
        self._slots_used = self.run_dir / "test-slots"
        self._kept = self.run_dir / "test-people"
        self._first_slot = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=3)

    def reload(self):
        """Pids change when a process is started again."""
        self.info = json.loads((self.run_dir / "suite.json").read_text())
        self.url = self.info["url"]

    def pid(self, name):
        self.reload()
        return next(process["pid"] for process in self.info["processes"] if process["name"] == name)

    def kill(self, name):
        """SIGKILL; when this returns the last thread has let go of the ports."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not is_left(pid), 60, f"the end of {name}")

    def admin_url(self, name):
        return next(process["admin_url"] for process in self.info["processes"] if process["name"] == name)

    def ctl(self, *words, seconds=90):
        """./deploy/berthctl for this suite."""
        env = dict(os.environ, BERTH_RUN_DIR=str(self.run_dir))
        env.pop("BERTH_REPORT_FD", None)
        outcome = subprocess.run(
            [str(ROOT / "deploy" / "berthctl"), *words], env=env, capture_output=True, text=True, timeout=seconds)
        assert outcome.returncode == 0, f"berthctl {' '.join(words)}: {outcome.stdout}{outcome.stderr}"
        return outcome.stdout

    def environment(self, name):
        """What the process is told, for another beside it; without the place where that one would take over from it."""
        lines = self.ctl("env", name).splitlines()
        settings = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        settings.pop("BERTH_HANDOVER_SOCKET", None)
        return settings

    @property
    def state(self):
        """Where certificates, sockets and logs are: the run directory, or what it links to."""
        return pathlib.Path(self.info["logs"]).parent

    def admin_get(self, name, path, certificate=True):
        """GET on the admin port of a process, with or without the ops client's certificate."""
        pki = self.state / "pki"
        cert = (str(pki / "ops-client.pem"), str(pki / "ops-client.key")) if certificate else None
        return httpx.get(self.admin_url(name) + path, verify=self.info["ca"], cert=cert, timeout=5, trust_env=False)

    def metrics(self, name):
        """{series: value} of a process."""
        values = {}
        for line in self.admin_get(name, "/metrics").text.splitlines():
            if line and not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                values[series] = float(value)
        return values

    def ready(self, name):
        try:
            return self.admin_get(name, "/readyz", certificate=False).status_code == 200
        except httpx.HTTPError:
            return False

    def links_up(self, name):
        """Whether the process has a connection to each replica that it calls."""
        return all(value == 1 for series, value in self.metrics(name).items() if series.startswith("berth_link_up{"))

    # -- people and tokens

    def tenant(self, which=0):
        """By place or slug."""
        return self.demo["tenants"][which] if isinstance(which, int) else self.tenants[which]

    def person(self, slug, role):
        return next(person for person in self.tenants[slug]["people"] if person["role"] == role)

    def sign_in(self, slug, address, password, scope="openid berth"):
        return berth_flow.sign_in(self.info, self.tenants[slug]["client"], address, password, scope)

    def token(self, slug, role):
        """An access token of the demo person with that role; kept while it has a few minutes to live."""
        token, until = self._tokens.get((slug, role), (None, 0))
        if time.monotonic() > until:
            person = self.person(slug, role)
            answer = self.sign_in_again(person) if "browser" in person else self.sign_in(slug, person["email"], person["password"])
            token, until = answer["access_token"], time.monotonic() + max(answer["expires_in"] - 120, 30)
            self._tokens[slug, role] = token, until
        return token

    def api(self, token=None):
        return Api(self, token)

    def as_role(self, slug, role):
        return self.api(self.token(slug, role))

    def invite(self, slug, role="User", by=None, **about):
        """A new person of the tenant who has been invited only, by its Admin or `by`; names and address are words that occur
        nowhere else. Without a role (None) they may do nothing."""
        mark = secrets.token_hex(5)
        person = {"given_name": f"Given{mark}", "family_name": f"Family{mark}", "email": f"person.{mark}@{slug}.example", **about}
        roles = [role] if isinstance(role, str) else list(role or [])
        reply = (by or self.as_role(slug, "Admin")).post("/v1/people", {**person, "roles": roles, "locale": "en"}).expect(201)
        return {**person, "id": reply.body["id"], "role": role, "slug": slug}

    def new_person(self, slug, role="User", by=None, **about):
        """A new person who accepted the invitation of the mail; with `password`."""
        person = self.invite(slug, role, by, **about)
        person["password"] = secrets.token_urlsafe(18)
        link = self.link_in_mail(person["email"], "invitation")
        self.api().post("/v1/invitations/accept", {"token": link, "password": person["password"]}).expect(200)
        return person

    def sign_in_person(self, person):
        return self.sign_in(person["slug"], person["email"], person["password"])["access_token"]

    def new_tenant(self, mark="tenant", second_factor="optional", operator=False):
        """A tenant of one's own, made as the demo's are: its slug. `second_factor` None: what a tenant has that says nothing.
        `operator`: its Admin runs the deployment too."""
        slug = f"{mark}-{secrets.token_hex(4)}"
        admin = {"email": f"admin@{slug}.example", "password": secrets.token_urlsafe(18)}
        redirect_uri = f"{self.url}/demo/callback"
        wanted = {"slug": slug, "name": slug, "client": {"name": "Test", "redirect_uris": [redirect_uri]},
                  "admin": {**admin, "given_name": "First", "family_name": "Admin", "locale": "en", "operator": operator}}
        if second_factor is not None:
            wanted["second_factor"] = second_factor
        document = self.run_dir / f"test-{slug}.json"
        document.touch(0o600)
        document.write_text(json.dumps({"tenants": [wanted]}))
        outcome = subprocess.run([str(self.state / "opt" / "bin" / "authsvc"), "--bootstrap", str(document)],
                                 env=self.environment("authsvc"), capture_output=True, text=True, timeout=60)
        document.unlink()
        assert outcome.returncode == 0, outcome.stderr
        made = json.loads(outcome.stdout)["tenants"][0]
        self.tenants[slug] = {"slug": slug, "id": made["id"], "client": {**made["client"], "redirect_uri": redirect_uri},
                              "people": [{"id": made["admin_id"], "role": "Admin", "slug": slug, **admin}]}
        return slug

    def give_factor(self, person):
        """Sets up an app; from then on `token` and `sign_in_again` go by the person's browser, which has shown it."""
        person["browser"] = berth_factor.enrolled_browser(self, self.tenants[person["slug"]]["client"], person)
        self._tokens.pop((person["slug"], person["role"]), None)

    def sign_in_again(self, person):
        """Tokens for the browser in which the person is signed in."""
        return berth_factor.tokens_of(self, self.tenants[person["slug"]]["client"], person["browser"])

    def kept(self, name, make):
        """Somebody who is made once for this suite, with the tenant if it is no demo one."""
        known = json.loads(self._kept.read_text()) if self._kept.exists() else {}
        if name not in known:
            person = make()
            known[name] = {"person": person, "tenant": self.tenants[person["slug"]]}
            self._kept.touch(0o600)
            self._kept.write_text(json.dumps(known))
        self.tenants.setdefault(known[name]["person"]["slug"], known[name]["tenant"])
        return known[name]["person"]

    def owner(self, slug):
        """The Owner of the tenant: whoever the Admin made it when nobody was."""
        def make():
            person = self.new_person(slug)
            self.as_role(slug, "Admin").post("/v1/tenant/ownership", {"person_id": person["id"]}).expect(200)
            return person
        return self.kept(f"owner of {slug}", make)

    def operator(self):
        """Who runs the deployment, and is the Admin of a tenant of their own."""
        return self.kept("operator", lambda: self.person(self.new_tenant("platform", operator=True), "Admin"))

    def newcomer(self, slug, role):
        """A new person with that built-in role, invited by who may give it; an Operator is in the platform's own tenant."""
        if role == "Owner":
            return self.new_person(slug, role, self.api(self.sign_in_person(self.owner(slug))))
        if role == "Operator":
            boss = self.operator()
            return self.new_person(boss["slug"], role, self.api(self.sign_in_person(boss)))
        return self.new_person(slug, role)

    # -- places and times

    def slot(self, hours=1):
        """An interval that no other test of this run uses."""
        used = int(self._slots_used.read_text()) if self._slots_used.exists() else 0
        self._slots_used.write_text(str((used + 1) % SLOTS))
        start = self._first_slot + timedelta(hours=SLOT_HOURS * used)
        return {"starts_at": instant(start), "ends_at": instant(start + timedelta(hours=hours))}

    def new_site(self, slug):
        return self.as_role(slug, "Admin").post(
            "/v1/sites", {"name": f"Site {secrets.token_hex(4)}", "time_zone": "Europe/Paris"}).expect(201).body["id"]

    def new_area(self, slug, spots=1, **fields):
        """An area of one's own, with its spots: {"id", "site_id", "spots": [ids]}."""
        site, areas = self._sites.get(slug, (None, AREAS_AT_A_SITE))
        if areas >= AREAS_AT_A_SITE:
            site, areas = self.new_site(slug), 0
        self._sites[slug] = site, areas + 1
        admin = self.as_role(slug, "Admin")
        area = admin.post("/v1/areas", {"site_id": site, "name": f"Area {secrets.token_hex(4)}", **fields}).expect(201).body
        ids = [admin.post("/v1/spots", {"area_id": area["id"], "name": f"S{n}"}).expect(201).body["id"] for n in range(spots)]
        return {"id": area["id"], "site_id": site, "spots": ids}

    def events(self, slug, **query):
        return self.as_role(slug, "Admin").get("/v1/audit/events", params=query).expect(200).body["items"]

    # -- stores

    def sql(self, text, *values, role=None):
        """Rows, as the superuser; with `role` as that role (which then is held to row security)."""
        connection = psycopg2.connect(host=self.info["pg"]["host"], dbname=self.info["pg"]["dbname"], user=self.info["pg"]["superuser"])
        try:
            connection.autocommit = role is None
            with connection.cursor() as cursor:
                if role:
                    cursor.execute(f'set local role "{role}"')
                cursor.execute(text, values or None)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    # -- mails

    def mails(self, address):
        """Messages filed for the address, newest first."""
        found = []
        for path in sorted(pathlib.Path(self.info["mail"]).glob("*.eml"), reverse=True):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if address.lower() in [str(to).lower() for to in message.get_all("Delivered-To", [])]:
                found.append(message)
        return found

    def link_in_mail(self, address, page):
        """The token of the link to /<page>?token=… in the newest mail that has one."""
        pattern = re.compile(rf"/{page}\?(?:[^\s\"'<>]*&)?token=([A-Za-z0-9_.~-]+)")

        def find():
            for message in self.mails(address):
                for part in message.walk():
                    match = part.get_content_maintype() == "text" and pattern.search(part.get_content())
                    if match:
                        return match[1]
            return None
        return wait_for(find, 20, f"a mail to {address} with a link to /{page}")


class Answer:
    """A reply of the API, with the checks that tests need again and again."""

    def __init__(self, response):
        self.response = response
        self.status = response.status_code
        self.headers = response.headers
        self.text = response.text
        kind = response.headers.get("content-type", "")
        self.body = response.json() if "json" in kind and response.content else None

    def expect(self, *statuses):
        assert self.status in statuses, f"{self.response.request.method} {self.response.request.url.path}: {self.status} {self.text[:400]}"
        return self

    def problem(self, status, code, field=None, reason=None):
        """Is a problem document (RFC 9457) with that stable code, and nothing else."""
        where = f"{self.response.request.method} {self.response.request.url.path}"
        assert self.status == status, f"{where}: {self.status} instead of {status}: {self.text[:400]}"
        kind = self.headers.get("content-type", "").split(";")[0]
        assert kind == "application/problem+json", f"{where}: content type {kind}"
        assert self.body.get("code") == code, f"{where}: code {self.body.get('code')} instead of {code}: {self.text[:400]}"
        assert self.body.get("status") == status, f"{where}: status member {self.body.get('status')}"
        if field is not None:
            assert self.body.get("field") == field, f"{where}: field {self.body.get('field')!r} instead of {field!r}"
        if reason is not None:
            assert self.body.get("reason") == reason, f"{where}: reason {self.body.get('reason')!r} instead of {reason!r}"
        return self

    @property
    def etag(self):
        return self.headers["etag"]


class Api:
    """The public API as one holder of a token sees it. POST gets an Idempotency-Key unless the test gives one (None: none)."""

    _client = {}

    def __init__(self, suite, token=None):
        self.suite = suite
        self.token = token

    @classmethod
    def client(cls, suite):
        key = suite.info["ca"]
        if key not in cls._client:
            cls._client[key] = httpx.Client(verify=suite.info["ca"], timeout=30, follow_redirects=False, trust_env=False)
        return cls._client[key]

    @classmethod
    def hang_up(cls):
        """The next call connects anew."""
        while cls._client:
            cls._client.popitem()[1].close()

    def call(self, method, path, json_body=None, key="", if_match=None, headers=None, **more):
        head = {"Accept": "application/json"}
        if self.token:
            head["Authorization"] = f"Bearer {self.token}"
        if method == "POST" and key is not None:
            head["Idempotency-Key"] = key or secrets.token_hex(12)
        if if_match is not None:
            head["If-Match"] = if_match
        if json_body is not None:
            more["content"] = json.dumps(json_body).encode()
            head["Content-Type"] = "application/json"
        head.update(headers or {})
        return Answer(self.client(self.suite).request(method, self.suite.url + path, headers=head, **more))

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def patch(self, path, body=None, **more):
        return self.call("PATCH", path, body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    def book(self, **fields):
        return self.post("/v1/bookings", fields)
