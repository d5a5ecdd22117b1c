# SPDX-License-Identifier: Apache-2.0
"""Every page that people see, in each of its states, as a person comes to it in Chromium: `walk` goes there and stops at each."""
import re
import secrets
import threading
import urllib.parse
from dataclasses import dataclass

import berth_flow
from berth_browser import Chromium
from berth_factor import RECOVERY, app_code
from berth_flow import Authorization, Browser
from berth_suite import wait_for

ORDINARY = "form:not([data-passkey])"
SCOPE = "openid profile offline_access booking.read"
NO_LANGUAGE = ("docs", "form too long")
# Its settings: walks of several languages change them one after the other.
TENANT = threading.Lock()
AFTER = "https://app.example/bye"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class Stop:
    """A page in one state. `fault`: it tells of a mistake, in this field, or in none of them ("")."""
    name: str
    fault: str | None = None


class Walker:
    """One browser in one language, and a person of its own."""

    def __init__(self, suite, slug, chromium: Chromium, language, scripts=True):
        self.suite, self.slug, self.chromium, self.language, self.scripts = suite, slug, chromium, language, scripts
        self.admin = suite.as_role(slug, "Admin")
        self.own = suite.tenants[slug]["client"]
        self.person = suite.new_person(slug, given_name="Maximiliane", family_name="van der Bergh")
        self.third = self.register("Foreign Parking & Co", redirect_uris=[self.own["redirect_uri"]], third_party=True,
                                   post_logout_redirect_uris=[AFTER])
        self.kiosk = self.register("Kiosk", grants=[DEVICE_GRANT, "refresh_token"])
        agent = chromium.run("return navigator.userAgent")
        chromium.devtools("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)
        chromium.open(suite.url + "/login")
        chromium.forget()
        self.run_scripts(scripts)

    def register(self, name, **fields):
        made = self.admin.post("/v1/clients", {"name": name, "kind": "confidential", **fields}).expect(201).body
        return {**made, "redirect_uri": self.own["redirect_uri"]}

    def run_scripts(self, wanted):
        """Those of the pages; WebDriver's run anyway."""
        self.chromium.devtools("Emulation.setScriptExecutionDisabled", value=not wanted)
        self.scripts = wanted

    def page_language(self, stop):
        """The API's own description is in English alone; what the edge says on its own, in all three."""
        return "en" if stop.name in NO_LANGUAGE else self.language

    # -- what the person does

    def open(self, path, **query):
        self.chromium.open(self.suite.url + path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def type(self, **fields):
        for name, text in fields.items():
            self.chromium.run("document.getElementsByName(arguments[0])[0].value = ''", name)
            self.chromium.type(f"input[name={name}]:not([type=hidden])", text)

    def press(self, button=f"{ORDINARY} button", arrives=None):
        """Clicks, and waits for the document after this one."""
        self.chromium.run("window.isBefore = true")
        self.chromium.click(button)
        self.settle()
        if arrives:
            self.chromium.arrive(arrives)

    def settle(self):
        self.chromium.wait(lambda: self.chromium.run("return !window.isBefore && document.readyState === 'complete'"), "the next page")

    def bend(self, **hidden):
        """Hidden fields of the page, as somebody else would send them."""
        for name, value in hidden.items():
            self.chromium.run("for (const one of document.getElementsByName(arguments[0])) one.value = arguments[1]", name, value)

    def authorize(self, client, **more):
        flow = Authorization(self.suite.info, client, **more)
        self.open("/oauth2/authorize", **flow.query)
        return flow

    def sign_in(self, arrives="/login"):
        self.chromium.forget()
        self.open("/login")
        self.type(tenant=self.slug, email=self.person["email"], password=self.person["password"])
        self.press(arrives=arrives)

    def mailed(self, page, not_this=None):
        """The newest link in the person's mails; `not_this` came earlier, and the next is still on its way."""
        return wait_for(lambda: (link := self.suite.link_in_mail(self.person["email"], page)) != not_this and link, 20, f"another link to /{page}")


def sign_in(at):
    at.open("/login")
    yield Stop("sign-in by organisation")
    at.type(tenant=at.slug, email=at.person["email"], password="wrong horse battery")
    at.press()
    yield Stop("sign-in by organisation, refused", "password")
    at.authorize(at.own)
    yield Stop("sign-in for a client")
    at.type(email=at.person["email"], password="wrong horse battery")
    at.press()
    yield Stop("sign-in for a client, refused", "password")
    at.bend(csrf="x" * 43)
    at.type(password="wrong horse battery")
    at.press()
    yield Stop("sign-in, form expired", "")
    for _ in range(8):
        at.type(email="nobody@nowhere.example", password="wrong horse battery")
        at.press()
        if at.chromium.run("return document.querySelector('[role=alert]').textContent.match(/[0-9]/)"):
            break
    yield Stop("sign-in, too often", "")
    at.open("/login", resume="gone")
    yield Stop("sign-in, request expired")
    at.open("/oauth2/authorize", client_id="nobody")
    yield Stop("authorization refused")


def forgotten(at):
    at.open("/password/forgotten")
    yield Stop("password forgotten")
    at.bend(csrf="x" * 43)
    at.type(tenant=at.slug, email=at.person["email"])
    at.press()
    yield Stop("password forgotten, form expired", "")
    at.press()
    yield Stop("password forgotten, mail sent")
    link = at.mailed("password/reset")
    at.open("/password/reset", token=link)
    yield Stop("new password")
    at.type(password="too short", password_again="too short")
    at.press()
    yield Stop("new password, too short", "password")
    at.type(password="correct horse battery staple", password_again="another horse battery staple")
    at.press()
    yield Stop("new password, not twice the same", "password_again")
    at.person["password"] = secrets.token_urlsafe(18)
    at.type(password=at.person["password"], password_again=at.person["password"])
    at.press(arrives="/login")
    at.open("/password/reset", token=link)
    yield Stop("new password, link gone")


def invitation(at):
    invited = at.suite.invite(at.slug)
    link = at.suite.link_in_mail(invited["email"], "invitation")
    at.open("/invitation", token=link)
    yield Stop("invitation")
    at.type(password="aaaaaaaaaaaaaaaaaaaa", password_again="aaaaaaaaaaaaaaaaaaaa")
    at.press()
    yield Stop("invitation, easy password", "password")
    password = secrets.token_urlsafe(18)
    at.type(password=password, password_again=password)
    at.press()
    at.open("/invitation", token=link)
    yield Stop("invitation, link gone")


def register(at, password):
    """Somebody new, by the domain of their address."""
    domain = f"{secrets.token_hex(4)}.example"
    about = {"tenant": at.slug, "email": f"new@{domain}", "password": password, "given_name": "New", "family_name": "Comer"}
    with TENANT:
        tenant = at.admin.get("/v1/tenant").expect(200)
        at.admin.patch("/v1/tenant", {"registration_domain": domain}, if_match=tenant.etag).expect(200)
        at.suite.api().post("/v1/registrations", about).expect(202)
    return about["email"]


def verification(at):
    password = secrets.token_urlsafe(18)
    address = register(at, password)
    at.open("/verification", token=at.suite.link_in_mail(address, "verification"))
    yield Stop("verification")
    at.type(password="wrong horse battery")
    at.press()
    yield Stop("verification, wrong password", "password")
    at.type(password=password)
    at.press()
    yield Stop("verification done")


def account(at):
    at.sign_in()
    yield Stop("signed in")
    at.open("/account/password")
    yield Stop("password change")
    new = secrets.token_urlsafe(18)
    at.type(current="wrong horse battery", password=new, password_again=new)
    at.press()
    yield Stop("password change, wrong password", "current")
    at.type(current=at.person["password"], password="too short", password_again="too short")
    at.press()
    yield Stop("password change, too short", "password")
    old, at.person["password"] = at.person["password"], secrets.token_urlsafe(18)
    at.type(current=old, password=at.person["password"], password_again=at.person["password"])
    at.press()
    yield Stop("password change done")


def sessions(at):
    Authorization(at.suite.info, at.own).code(at.person["email"], at.person["password"])
    at.open("/account/sessions")
    yield Stop("sessions, two")
    at.bend(csrf="x" * 43)
    at.press()
    yield Stop("sessions, form expired", "")
    at.press()
    yield Stop("sessions, one")


def address(at):
    new = f"moved.{secrets.token_hex(5)}@{at.slug}.example"
    at.open("/account/email")
    yield Stop("address change")
    at.type(email="somebody@localhost", current=at.person["password"])
    at.press()
    yield Stop("address change, no address", "email")
    at.type(email=new, current="wrong horse battery")
    at.press()
    yield Stop("address change, wrong password", "current")
    at.type(email=new, current=at.person["password"])
    at.press()
    yield Stop("address change, mails sent")
    first = at.suite.link_in_mail(new, "email/confirm")
    at.open("/email/confirm", token=first)
    yield Stop("address change, the new one's link")
    at.press()
    yield Stop("address change, half confirmed")
    at.open("/email/confirm", token=at.mailed("email/confirm"))
    yield Stop("address change, the old one's link")
    at.press()
    yield Stop("address change done")
    old, at.person["email"] = at.person["email"], new
    at.sign_in()
    at.open("/account/email")
    at.type(email=old, current=at.person["password"])
    at.press()
    at.open("/email/confirm", token=at.mailed("email/confirm", not_this=first))
    at.press("form:last-of-type button")
    yield Stop("address change stopped")


def consents(at):
    at.open("/account/consents")
    yield Stop("consents, none")
    at.authorize(at.third, scope=SCOPE)
    yield Stop("consent")
    at.bend(csrf="x" * 43)
    at.press("button[value=allow]")
    yield Stop("consent, form expired", "")
    at.press("button[value=allow]", arrives="/demo/callback")
    at.open("/account/consents")
    yield Stop("consents, one")
    at.press(arrives="/account/consents")
    at.open("/consent", resume="gone")
    yield Stop("consent, request expired")
    flow = Authorization(at.suite.info, at.third, scope=SCOPE)
    post_from_elsewhere(at, "/oauth2/authorize", flow.query)
    at.chromium.arrive("/consent")
    at.press("button[value=deny]", arrives="/demo/callback")


def post_from_elsewhere(at, path, fields):
    """As a client's own page does."""
    inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
    form = f'<form method="post" action="{at.suite.url}{path}">{inputs}<button>x</button></form>'
    at.chromium.open("data:text/html," + urllib.parse.quote(form))
    at.press()


def device(at):
    def code():
        reply = Browser(at.suite.info).post(
            "/oauth2/device_authorization", {"scope": "openid booking.read"}, headers=berth_flow.basic(at.kiosk))
        return reply.json()["user_code"]
    at.open("/device")
    yield Stop("device")
    at.type(user_code="BCDF-GHJK")
    at.press()
    yield Stop("device, wrong code", "user_code")
    at.open("/device", user_code=code())
    yield Stop("device, code filled in")
    at.press(arrives="/consent")
    yield Stop("device, consent")
    at.press("button[value=allow]")
    yield Stop("device let in")
    at.open("/device", user_code=code())
    at.press(arrives="/consent")
    at.press("button[value=deny]")
    yield Stop("device refused")


def factors(at):
    authenticator = at.chromium.add_authenticator()
    at.open("/account/factors")
    yield Stop("factors, none")
    at.press()
    yield Stop("app set up")
    at.type(code="000000")
    at.press()
    yield Stop("app set up, wrong code", "code")
    secret = re.search(r"\b([A-Z2-7]{32})\b", at.chromium.source)[1]
    at.type(code=app_code(secret, -30))
    at.press()
    yield Stop("recovery codes")
    codes = re.findall(RECOVERY, at.chromium.source)
    at.sign_in(arrives="/login/factor")
    yield Stop("second factor, app")
    at.type(code=app_code(secret))
    at.press(arrives="/login")
    scripts = at.scripts
    at.run_scripts(True)
    at.open("/account/factors")
    at.type(name="Télé 📱")
    at.press("form[data-passkey] button")
    yield Stop("factors, app and passkey")
    at.type(name="again")
    at.chromium.click("form[data-passkey] button")
    at.chromium.wait(lambda: at.chromium.run("return !document.querySelector('form[data-passkey] [role=alert]').hidden"), "the refusal")
    yield Stop("factors, passkey refused", "")
    at.sign_in(arrives="/login/factor")
    yield Stop("second factor, app or passkey")
    at.type(code="000000")
    at.press()
    yield Stop("second factor, wrong code", "code")
    at.type(code=codes[0])
    at.press(arrives="/login")
    set_back(at)
    at.open("/account/factors")
    yield Stop("factors, sign-in too old")
    at.sign_in(arrives="/login/factor")
    at.press("form[data-passkey] button")
    at.open("/account/factors")
    at.press()
    yield Stop("factors, passkey alone")
    at.suite.sql("delete from auth.recovery_code c using auth.person p where p.tenant_id = c.tenant_id and p.id = c.person_id "
                 "and p.public_id = %s", at.person["id"])
    at.sign_in(arrives="/login/factor")
    yield Stop("second factor, passkey alone")
    at.chromium.forget()
    at.open("/login")
    at.press("form[data-passkey] button")
    at.open("/account/factors")
    at.press()
    at.chromium.ask("DELETE", f"/webauthn/authenticator/{authenticator}")
    at.run_scripts(scripts)


def set_back(at):
    """An hour passes for the session."""
    at.suite.sql("update auth.session s set auth_at = s.auth_at - interval '1 hour', created_at = s.created_at - interval '1 hour' "
                 "from auth.person p where p.tenant_id = s.tenant_id and p.id = s.person_id and p.public_id = %s", at.person["id"])


def sign_out(at):
    at.sign_in()
    at.open("/oauth2/logout")
    yield Stop("sign-out asked for")
    at.press()
    yield Stop("signed out")
    at.open("/oauth2/logout", post_logout_redirect_uri="https://elsewhere.example/")
    yield Stop("sign-out refused")
    at.sign_in()
    at.press()
    at.chromium.arrive("/login")


def documents(at):
    at.open("/docs")
    yield Stop("docs")
    at.open("/device")
    at.bend(csrf="x" * 5000)
    at.type(user_code="BCDF-GHJK")
    at.press()
    yield Stop("form too long")


PARTS = (sign_in, forgotten, invitation, verification, account, sessions, address, consents, device, factors, sign_out, documents)


def walk(at, parts=PARTS):
    for part in parts:
        yield from part(at)
