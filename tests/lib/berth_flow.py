# SPDX-License-Identifier: Apache-2.0
"""A browser and the authorization code flow with PKCE, on the standard library alone (tests/token uses it too)."""
import base64
import hashlib
import html.parser
import http.client
import http.cookies
import json
import secrets
import ssl
import urllib.parse

TIMEOUT_S = 30
STEPS_MAX = 8


class FlowError(Exception):
    """A sign-in that did not end as it should; `reply` is the answer that it ended with, if any."""

    def __init__(self, text, reply=None):
        super().__init__(text)
        self.reply = reply


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def pkce():
    """A verifier and its S256 challenge (RFC 7636 section 4)."""
    verifier = b64url(secrets.token_bytes(32))
    return verifier, b64url(hashlib.sha256(verifier.encode()).digest())


class Page(html.parser.HTMLParser):
    """The first form of a page: its target, its hidden fields, and the names of what a person fills in."""

    def __init__(self, text):
        super().__init__()
        self.action = None
        self.method = "get"
        self.hidden = {}
        self.inputs = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = attrs.get("action", "")
            self.method = attrs.get("method", "get").lower()
        elif tag == "input" and attrs.get("name"):
            if attrs.get("type") == "hidden":
                self.hidden[attrs["name"]] = attrs.get("value", "")
            else:
                self.inputs.append(attrs["name"])


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def location(self):
        return self.headers["Location"]

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    def page(self):
        return Page(self.text)


class Browser:
    """Keeps cookies, follows nothing by itself; `source`: another address to come from, as 127.0.0.9."""

    def __init__(self, suite, source=None):
        self.source = source
        self.origin = suite["url"]
        self.context = ssl.create_default_context(cafile=suite["ca"])
        self.cookies = {}

    def request(self, method, url, form=None, headers=None):
        url = urllib.parse.urljoin(self.origin + "/", url)
        parts = urllib.parse.urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != self.origin:
            raise FlowError(f"sent to a foreign origin: {parts.scheme}://{parts.netloc}")
        head = dict(headers or {})
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            head.setdefault("Content-Type", "application/x-www-form-urlencoded")
            head.setdefault("Origin", self.origin)
        if self.cookies:
            head["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=TIMEOUT_S, context=self.context,
                                                 source_address=(self.source, 0) if self.source else None)
        try:
            connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, head)
            reply = Reply(connection.getresponse())
        finally:
            connection.close()
        for line in reply.headers.get_all("Set-Cookie") or []:
            self.take_cookie(line)
        return reply

    def take_cookie(self, line):
        for name, morsel in http.cookies.SimpleCookie(line).items():
            if morsel["max-age"] == "0" or not morsel.value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value

    def get(self, url, **more):
        return self.request("GET", url, **more)

    def post(self, url, form, **more):
        return self.request("POST", url, form=form, **more)


class Authorization:
    """One run of the code flow; each step may be bent by the test that uses it."""

    def __init__(self, suite, client, scope="openid berth", browser=None, **parameters):
        self.suite = suite
        self.client = client
        self.browser = browser or Browser(suite)
        self.verifier, challenge = pkce()
        self.state, self.nonce = b64url(secrets.token_bytes(16)), b64url(secrets.token_bytes(16))
        self.query = {
            "response_type": "code", "client_id": client["id"], "redirect_uri": client["redirect_uri"], "scope": scope,
            "state": self.state, "nonce": self.nonce, "code_challenge": challenge, "code_challenge_method": "S256"}
        self.query.update(parameters)
        self.query = {name: value for name, value in self.query.items() if value is not None}

    def begin(self):
        """GET /oauth2/authorize: the first answer, unfollowed."""
        return self.browser.get("/oauth2/authorize?" + urllib.parse.urlencode(self.query))

    def login_page(self, reply):
        """Follows to the page with the form."""
        if reply.status not in (302, 303) or self.is_back(reply):
            raise FlowError(f"/oauth2/authorize did not ask for a sign-in: {reply.status} {reply.text[:200]}", reply)
        reply = self.browser.get(reply.location)
        if reply.status != 200:
            raise FlowError(f"the sign-in page answered {reply.status}: {reply.text[:200]}", reply)
        return reply.page()

    def submit(self, page, email, password):
        form = {**page.hidden, "email": email, "password": password}
        return self.browser.post(page.action or "/login", form)

    def is_back(self, reply):
        return bool(reply.location) and reply.location.startswith(self.client["redirect_uri"] + "?")

    def follow(self, reply):
        """Follows redirects inside the suite until one leads back to the client: its parameters."""
        for _ in range(STEPS_MAX):
            if reply.status not in (302, 303):
                raise FlowError(f"the sign-in ended with {reply.status}", reply)
            if self.is_back(reply):
                return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(reply.location).query))
            reply = self.browser.get(reply.location)
        raise FlowError("the sign-in goes in circles", reply)

    def code(self, email, password):
        """All steps up to the code: the parameters that came back to the client."""
        page = self.login_page(self.begin())
        answer = self.follow(self.submit(page, email, password))
        if answer.get("state") != self.state:
            raise FlowError(f"the state came back changed: {answer}")
        if "code" not in answer:
            raise FlowError(f"no code came back: {answer.get('error')} {answer.get('error_description', '')}")
        return answer

    def exchange(self, code, **changes):
        """POST /oauth2/token with the client's secret in the Authorization header: the answer, whatever it is."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.client["redirect_uri"],
            "code_verifier": self.verifier}
        form.update(changes)
        form = {name: value for name, value in form.items() if value is not None}
        return token_request(self.suite, self.client, form)


def part_of(token, index):
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def header(token):
    return part_of(token, 0)


def claims(token):
    return part_of(token, 1)


def basic(client):
    pair = ":".join(urllib.parse.quote(client[part], safe="") for part in ("id", "secret"))
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def token_request(suite, client, form):
    return Browser(suite).post("/oauth2/token", form, headers=basic(client))


def sign_in(suite, client, email, password, scope="openid berth"):
    """The token response (RFC 6749 section 5.1) of a person's sign-in."""
    flow = Authorization(suite, client, scope)
    reply = flow.exchange(flow.code(email, password)["code"])
    if reply.status != 200:
        raise FlowError(f"the token endpoint answered {reply.status}: {reply.text[:200]}", reply)
    return reply.json()
