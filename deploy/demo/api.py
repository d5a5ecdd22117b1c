# SPDX-License-Identifier: Apache-2.0
"""A person with a browser, and a client of the API: all that the demo needs, over the public URL only."""

import base64
import hashlib
import html.parser
import http.client
import http.cookies
import json
import os
import secrets
import ssl
import sys
import time
import urllib.parse

CALL_SECONDS = 30
REDIRECTS_MAX = 10


class Failure(Exception):
    """What went wrong, in words for the person who runs the demo."""


def say(text):
    print(f"    {text}", flush=True)


def poll(seconds, what, probe):
    """The first true result of probe(); Failure when the time is over."""
    end = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise Failure(f"{what} did not happen within {seconds} s")
        time.sleep(0.1)


def write_private(path, document):
    """Replaces path in one step, readable by its owner only."""
    temporary = f"{path}.tmp.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(document, out, indent=2)
        out.write("\n")
    os.rename(temporary, path)


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Form(html.parser.HTMLParser):
    """The first form of a page: where it goes and what it holds already."""

    def __init__(self, page):
        super().__init__()
        self.action = None
        self.fields = {}
        self.feed(page)
        if self.action is None:
            raise Failure("the sign-in page has no form")

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form" and self.action is None:
            self.action = attributes.get("action", "")
        elif tag == "input" and "name" in attributes:
            self.fields.setdefault(attributes["name"], attributes.get("value", ""))


class Reply:
    def __init__(self, response, url):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        self.url = url

    def json(self):
        return json.loads(self.body) if self.body else None

    def location(self):
        return urllib.parse.urljoin(self.url, self.headers["Location"])

    def complaint(self):
        try:
            problem = self.json()
            words = [problem.get(name) for name in ("code", "error", "title", "detail", "error_description")]
            return f"{self.status} {': '.join(word for word in words if word)}"
        except (ValueError, AttributeError):
            return f"{self.status} {self.body[:200]!r}"


class Browser:
    """Requests with cookies and without following redirects."""

    def __init__(self, suite):
        self.base = suite["url"]
        self.context = ssl.create_default_context(cafile=suite["ca"])
        self.cookies = {}

    def send(self, method, url, headers=None, body=None):
        url = urllib.parse.urljoin(self.base, url)
        parts = urllib.parse.urlsplit(url)
        headers = dict(headers or {})
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=CALL_SECONDS, context=self.context)
        try:
            connection.request(method, urllib.parse.urlunsplit(("", "", parts.path, parts.query, "")), body, headers)
            reply = Reply(connection.getresponse(), url)
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"{method} {parts.path}: {error}") from error
        finally:
            connection.close()
        self.keep_cookies(reply)
        return reply

    def keep_cookies(self, reply):
        for line in reply.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value

    def send_form(self, url, fields, headers=None):
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.base, **(headers or {})}
        return self.send("POST", url, headers, urllib.parse.urlencode(fields))


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def authorize(browser, client, email, password, scope):
    """The authorization code flow (RFC 6749 section 4.1 with RFC 7636): gives the code and its verifier."""
    verifier, state = b64url(secrets.token_bytes(32)), b64url(secrets.token_bytes(16))
    query = urllib.parse.urlencode({
        "response_type": "code", "client_id": client["id"], "redirect_uri": client["redirect_uri"], "scope": scope,
        "state": state, "nonce": b64url(secrets.token_bytes(16)), "code_challenge_method": "S256",
        "code_challenge": b64url(hashlib.sha256(verifier.encode()).digest())})
    reply = browser.send("GET", f"/oauth2/authorize?{query}")
    signed_in = False
    for _ in range(REDIRECTS_MAX):
        if reply.status in (302, 303):
            location = reply.location()
            if location.split("?")[0] == client["redirect_uri"]:
                answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))
                if answer.get("state") != state or "code" not in answer:
                    raise Failure(f"the authorization of {email} came back without its code: {answer}")
                return answer["code"], verifier
            reply = browser.send("GET", location)
        elif reply.status == 200 and not signed_in:
            form = Form(reply.body.decode())
            form.fields.update(email=email, password=password)
            reply = browser.send_form(urllib.parse.urljoin(reply.url, form.action), form.fields)
            signed_in = True
        else:
            break
    raise Failure(f"the sign-in of {email} ended at {urllib.parse.urlsplit(reply.url).path}: {reply.complaint()}")


def sign_in(suite, client, email, password, scope="openid berth"):
    """An access token of the person, by the client."""
    browser = Browser(suite)
    code, verifier = authorize(browser, client, email, password, scope)
    basic = base64.b64encode(f"{client['id']}:{client['secret']}".encode()).decode()
    reply = browser.send_form("/oauth2/token", {
        "grant_type": "authorization_code", "code": code, "redirect_uri": client["redirect_uri"],
        "code_verifier": verifier}, {"Authorization": f"Basic {basic}"})
    if reply.status != 200:
        raise Failure(f"the token endpoint refused the code of {email}: {reply.complaint()}")
    return reply.json()["access_token"]


class Api:
    """The API as one person sees it."""

    def __init__(self, suite, token=None):
        self.browser = Browser(suite)
        self.token = token

    def call(self, method, path, body=None, expect=(200, 201, 202, 204), if_match=None):
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if if_match:
            headers["If-Match"] = if_match
        if method == "POST":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        reply = self.browser.send(method, path, headers, body)
        if reply.status not in expect:
            raise Failure(f"{method} {path}: {reply.complaint()}")
        return reply

    def get(self, path, **query):
        return self.call("GET", f"{path}?{urllib.parse.urlencode(query)}" if query else path).json()

    def post(self, path, body=None):
        return self.call("POST", path, body).json()


def run(main):
    """main(run_dir, suite), with failures said in words."""
    run_dir = sys.argv[1]
    try:
        main(run_dir, read_json(os.path.join(run_dir, "suite.json")))
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        print(f"  do: read the logs in {run_dir}/logs (the request id stands in each line)", file=sys.stderr)
        sys.exit(1)
