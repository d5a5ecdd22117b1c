# SPDX-License-Identifier: Apache-2.0
"""What RFC 9700 wants of pages and redirects: no frame holds them, no address of theirs is told on, a form with a password is answered by 303, and nothing that a stranger
writes decides where a browser goes."""
import secrets
import urllib.parse

import pytest

from berth_flow import Authorization, Browser

ORDER = 46
EVIL = "https://evil.example/"
OPEN_PAGES = ["/login", "/device", "/password/forgotten", "/password/reset?token=x", "/invitation?token=x", "/verification?token=x", "/email/confirm?token=x",
              "/oauth2/authorize?client_id=x", "/oauth2/logout?client_id=x", "/login?resume=x"]
OWN_PAGES = ["/account/factors", "/account/sessions", "/account/consents", "/account/password", "/account/email", "/oauth2/logout", "/login"]


@pytest.fixture
def flow(suite, slug, client):
    person = suite.new_person(slug)
    made = Authorization(suite.info, client)
    made.person = person
    made.code(person["email"], person["password"])
    return made


def is_closed(reply, where):
    head = reply.headers
    policy = {name: value for name, _, value in (part.strip().partition(" ") for part in head["Content-Security-Policy"].split(";"))}
    assert policy["frame-ancestors"] == "'none'" and policy["default-src"] == "'none'" and policy.get("base-uri") == "'none'", f"{where}: {policy}"
    assert head["X-Frame-Options"].upper() == "DENY", where
    assert head["Referrer-Policy"] in ("no-referrer", "same-origin"), f"{where}: {head['Referrer-Policy']}"
    assert "no-store" in head["Cache-Control"] and head["X-Content-Type-Options"] == "nosniff", where
    assert head["Content-Type"].startswith("text/html"), where


@pytest.mark.parametrize("path", OPEN_PAGES)
def test_no_page_can_be_framed_or_tells_its_address(suite, path):
    reply = Browser(suite.info).get(path)
    assert reply.status != 303, f"{path} sends on to {reply.location}"
    is_closed(reply, path)


def test_nor_can_those_of_somebody_who_is_signed_in(flow):
    for path in OWN_PAGES:
        reply = flow.browser.get(path)
        assert reply.status == 200, f"{path}: {reply.status}"
        is_closed(reply, path)


def test_a_form_with_a_password_is_answered_by_303(suite, client, flow):
    again = Authorization(suite.info, client)
    reply = again.submit(again.login_page(again.begin()), flow.person["email"], flow.person["password"])
    assert reply.status == 303 and again.is_back(reply), "307 would carry the password on"
    assert reply.headers["Referrer-Policy"] in ("no-referrer", "same-origin") and "no-store" in reply.headers["Cache-Control"]
    wrong = Authorization(suite.info, client)
    reply = wrong.submit(wrong.login_page(wrong.begin()), flow.person["email"], "not the password at all")
    assert reply.status not in (301, 302, 307, 308)


@pytest.mark.parametrize("name", ["resume", "next", "return_to", "redirect_uri", "continue", "url", "post_logout_redirect_uri", "target_link_uri", "rd"])
def test_nothing_of_a_strangers_decides_where_a_browser_goes(suite, flow, name):
    for value in (EVIL, "//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)", "/login%0d%0aLocation:%20" + EVIL):
        for path in ("/login", "/logout", "/device", "/oauth2/logout", "/account/sessions", "/password/forgotten"):
            reply = flow.browser.get(f"{path}?" + urllib.parse.urlencode({name: value}))
            assert "evil" not in (reply.location or "") and "javascript" not in (reply.location or ""), f"{path}?{name}={value}: {reply.location}"
    fresh = Browser(suite.info)
    page = fresh.get("/login").page()
    form = {**page.hidden, "tenant": flow.person["slug"], "email": flow.person["email"], "password": flow.person["password"], name: EVIL}
    reply = fresh.post("/login", form)
    assert "evil" not in (reply.location or ""), f"{name}: {reply.location}"


def test_state_is_handed_back_and_never_understood(suite, client, flow):
    for state in (EVIL, "a&code=x", "a#b", "a\r\nLocation: " + EVIL, "é", secrets.token_hex(400)):
        again = Authorization(suite.info, client, browser=flow.browser, state=state)
        reply = again.begin()
        assert reply.status == 303 and again.is_back(reply)
        answer = urllib.parse.parse_qs(urllib.parse.urlsplit(reply.location).query, strict_parsing=True)
        assert answer["state"] == [state] and len(answer["code"]) == 1 and set(answer) == {"code", "state", "iss"}
