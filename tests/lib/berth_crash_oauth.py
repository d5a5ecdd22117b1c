# SPDX-License-Identifier: Apache-2.0
"""What people and clients decide between them, where it has crash points; as in berth_crash."""
import urllib.parse

from berth_crash_roles import ACTIONS as OTHERS
from berth_flow import Authorization, Browser, basic, token_request
from berth_suite import wait_for

SCOPE = "openid offline_access booking.read"
AFTER = "https://app.example/bye"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def client_of(work, **about):
    made = work.admin.post("/v1/clients", {
        "name": f"Client {work.mark}", "kind": "confidential", "redirect_uris": [work.client["redirect_uri"]], **about}).expect(201).body
    return {**made, "redirect_uri": work.client["redirect_uri"]}


def acknowledged(work):
    return work.first is not None and work.first.status in (200, 204, 303)


def code_in(reply):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(reply.location or "").query)).get("code")


def allow(work):
    """The form of the page that asks; again and again the same one."""
    return work.browser.post("/consent", {**work.form, "decision": "allow"})


def page_of(browser, reply, person):
    """What the page that asks hides in its form, after a sign-in where that comes first."""
    reply = browser.get(reply.location)
    if reply.status == 303:
        page = browser.get(reply.location).page()
        reply = browser.get(browser.post(page.action, {**page.hidden, "email": person["email"], "password": person["password"]}).location)
    assert reply.status == 200 and reply.page().action == "/consent", f"{reply.status} {reply.text[:200]}"
    return reply.page().hidden


def asked(work):
    """A client of others, and a person before the page."""
    work.foreign = client_of(work, third_party=True)
    work.person()
    work.flow = Authorization(work.suite.info, work.foreign, scope=SCOPE)
    work.browser = work.flow.browser
    reply = work.flow.submit(work.flow.login_page(work.flow.begin()), work.somebody["email"], work.somebody["password"])
    work.form = page_of(work.browser, reply, work.somebody)


def tell_once(work, consent, action):
    """The consent's event of that kind, once."""
    wait_for(lambda: [event["action"] for event in work.suite.events(work.slug, object_id=consent)].count(action) == 1, 20, f"the event {action}")
    work.objects.append(consent)


def consents_of(work):
    return work.suite.api(work.suite.sign_in_person(work.somebody)).get("/v1/me/consents").expect(200).body["items"]


def consenting():
    def check(work):
        if acknowledged(work):
            assert work.flow.exchange(code_in(work.first)).status == 200, "an acknowledged code is lost"
        elif not consents_of(work):
            assert code_in(allow(work)), "the request was lost with the answer"
        later = Authorization(work.suite.info, work.foreign, browser=work.browser, scope=SCOPE)
        code = code_in(later.begin())
        assert code and later.exchange(code).status == 200, "the agreement is not remembered"
        consent, = consents_of(work)
        tell_once(work, consent["id"], "consent.give")
    return asked, allow, check


def withdrawing():
    def prepare(work):
        asked(work)
        reply = work.flow.exchange(code_in(allow(work)))
        assert reply.status == 200, reply.text
        work.tokens = reply.json()
        work.self = work.suite.api(work.suite.sign_in_person(work.somebody))
        consent, = consents_of(work)
        work.id = consent["id"]

    def ask(work):
        return work.self.delete(f"/v1/me/consents/{work.id}")

    def check(work):
        assert ask(work).status in ((404,) if acknowledged(work) else (204, 404))
        wait_for(lambda: work.suite.api(work.tokens["access_token"]).get("/v1/bookings").status == 401, 10, "the revocation")
        reply = token_request(work.suite.info, work.foreign, {"grant_type": "refresh_token", "refresh_token": work.tokens["refresh_token"]})
        assert reply.status == 400 and reply.json()["error"] == "invalid_grant", reply.text
        assert consents_of(work) == []
        tell_once(work, work.id, "consent.withdraw")
    return prepare, ask, check


def letting_in():
    """A device is let in; it gets its tokens once."""
    def prepare(work):
        work.kiosk = work.admin.post("/v1/clients", {"name": f"Kiosk {work.mark}", "kind": "confidential", "grants": [DEVICE, "refresh_token"]}).expect(201).body
        work.person()
        work.browser = Browser(work.suite.info)
        work.device = work.browser.post("/oauth2/device_authorization", {"scope": "openid booking.read"}, headers=basic(work.kiosk)).json()
        page = work.browser.get("/device").page()
        reply = work.browser.post("/device", {**page.hidden, "user_code": work.device["user_code"]})
        work.form = page_of(work.browser, reply, work.somebody)

    def poll(work):
        reply = token_request(work.suite.info, work.kiosk, {"grant_type": DEVICE, "device_code": work.device["device_code"]})
        return None if reply.status == 400 and reply.json()["error"] in ("authorization_pending", "slow_down") else reply

    def check(work):
        if not acknowledged(work) and not consents_of(work):
            assert allow(work).status == 200, "the request was lost with the answer"
        reply = wait_for(lambda: poll(work), 40, "the device's turn")
        assert reply.status == 200, reply.text
        work.suite.api(reply.json()["access_token"]).get("/v1/bookings").expect(200)
        again = wait_for(lambda: poll(work), 40, "the device's second turn")
        assert again.status == 400 and again.json()["error"] == "invalid_grant", again.text
    return prepare, allow, check


def leaving():
    def prepare(work):
        work.leaver = client_of(work, post_logout_redirect_uris=[AFTER])
        work.person()
        work.flow = Authorization(work.suite.info, work.leaver, scope=SCOPE)
        reply = work.flow.exchange(work.flow.code(work.somebody["email"], work.somebody["password"])["code"])
        assert reply.status == 200, reply.text
        work.tokens = reply.json()

    def ask(work):
        query = {"id_token_hint": work.tokens["id_token"], "post_logout_redirect_uri": AFTER}
        return work.flow.browser.get("/oauth2/logout?" + urllib.parse.urlencode(query))

    def check(work):
        for _ in range(2):
            reply = ask(work)
            assert reply.status == 303 and reply.location == AFTER, f"{reply.status} {reply.location}"
        assert not code_in(Authorization(work.suite.info, work.leaver, browser=work.flow.browser, prompt="none").begin())
        wait_for(lambda: work.suite.api(work.tokens["access_token"]).get("/v1/bookings").status == 401, 10, "the revocation")
        reply = token_request(work.suite.info, work.leaver, {"grant_type": "refresh_token", "refresh_token": work.tokens["refresh_token"]})
        assert reply.status == 400 and reply.json()["error"] == "invalid_grant", reply.text
    return prepare, ask, check


ACTIONS = {**OTHERS, "consent": consenting(), "consent_withdraw": withdrawing(), "device": letting_in(), "end_session": leaving()}
