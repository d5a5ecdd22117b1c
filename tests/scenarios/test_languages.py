# SPDX-License-Identifier: Apache-2.0
"""A page that was asked for in a language answers in that language, mistakes too, whatever the browser prefers."""
import re

import pytest

from berth_factor import enrol
from berth_flow import Authorization, Browser

ORDER = 45

FRENCH = {"Accept-Language": "fr"}


def language(reply):
    return re.search(r'<html lang="([a-z]+)"', reply.text)[1]


@pytest.fixture(scope="module")
def client(suite, slug):
    return suite.tenants[slug]["client"]


@pytest.fixture(scope="module")
def signed_in(suite, slug, client):
    person = suite.new_person(slug)
    flow = Authorization(suite.info, client)
    assert "code" in flow.follow(flow.submit(flow.login_page(flow.begin()), person["email"], person["password"]))
    return flow.browser, person


def in_dutch(browser, path):
    """The page, asked for in Dutch by a browser that prefers French."""
    reply = browser.get(path + ("&" if "?" in path else "?") + "ui_locales=nl", headers=FRENCH)
    assert reply.status == 200 and language(reply) == "nl", f"{path}: {reply.status} {reply.text[:200]}"
    return reply.page()


def answers_in_dutch(browser, page, fields, status):
    reply = browser.post(page.action, {**page.hidden, **fields}, headers=FRENCH)
    assert (reply.status, language(reply)) == (status, "nl"), f"{page.action} {fields}: {reply.status} {language(reply)}"
    return reply


@pytest.mark.parametrize("path", ["/login", "/password/forgotten", "/device"])
def test_a_form_that_expired_is_told_in_the_language_that_was_asked_for(suite, path):
    browser = Browser(suite.info)
    again = answers_in_dutch(browser, in_dutch(browser, path), {"csrf": "x" * 43}, 403)
    answers_in_dutch(browser, again.page(), {"csrf": "x" * 43}, 403)


def test_so_is_a_wrong_password(suite, slug):
    browser = Browser(suite.info)
    wrong = {"tenant": slug, "email": "nobody@nowhere.example", "password": "wrong horse battery"}
    answers_in_dutch(browser, in_dutch(browser, "/login"), wrong, 403)


def test_so_is_a_request_that_expired(suite):
    browser = Browser(suite.info)
    answers_in_dutch(browser, in_dutch(browser, "/login"), {"resume": "gone"}, 400)


def test_so_are_mistakes_on_the_pages_of_an_account(signed_in):
    browser, person = signed_in
    new = {"password": "too short", "password_again": "too short"}
    answers_in_dutch(browser, in_dutch(browser, "/account/password"), {"current": person["password"], **new}, 422)
    answers_in_dutch(browser, in_dutch(browser, "/account/email"), {"email": "x@localhost", "current": person["password"]}, 422)
    answers_in_dutch(browser, in_dutch(browser, "/account/sessions"), {"csrf": "x" * 43}, 403)
    answers_in_dutch(browser, in_dutch(browser, "/account/factors"), {"csrf": "x" * 43}, 403)
    begun = answers_in_dutch(browser, in_dutch(browser, "/account/factors"), {"action": "start"}, 200)
    answers_in_dutch(browser, begun.page(), {"code": "000000"}, 403)


def test_so_is_a_wrong_code_and_a_passkey_that_is_none(suite, slug, client):
    person = suite.new_person(slug)
    flow = Authorization(suite.info, client)
    flow.follow(flow.submit(flow.login_page(flow.begin()), person["email"], person["password"]))
    enrol(flow.browser)
    browser = Browser(suite.info)
    page = in_dutch(browser, "/login")
    asked = browser.post(page.action, {**page.hidden, "tenant": slug, "email": person["email"], "password": person["password"]})
    assert asked.location == "/login/factor"
    answers_in_dutch(browser, in_dutch(browser, asked.location), {"code": "000000"}, 403)
    stranger = Browser(suite.info)
    sent = stranger.post("/login/passkey", {**in_dutch(stranger, "/login").hidden, "credential": "AA"}, headers=FRENCH)
    assert (sent.status, language(sent)) == (403, "nl")


def test_so_is_what_a_mailed_link_leads_to(suite, slug):
    invited = suite.invite(slug)
    browser = Browser(suite.info)
    link = suite.link_in_mail(invited["email"], "invitation")
    bad = {"password": "too short", "password_again": "too short"}
    answers_in_dutch(browser, in_dutch(browser, f"/invitation?token={link}"), bad, 422)
    answers_in_dutch(browser, in_dutch(browser, f"/invitation?token={link}"), {"csrf": "x" * 43}, 403)


def test_so_is_a_question_about_a_client(suite, slug, client, signed_in):
    browser, _ = signed_in
    made = suite.as_role(slug, "Admin").post("/v1/clients", {"name": "Foreign", "kind": "confidential", "third_party": True,
                                                             "redirect_uris": [client["redirect_uri"]]}).expect(201).body
    flow = Authorization(suite.info, {**made, "redirect_uri": client["redirect_uri"]}, browser=browser)
    asked = flow.begin()
    assert asked.location.startswith("/consent"), asked.location
    answers_in_dutch(browser, in_dutch(browser, asked.location), {"csrf": "x" * 43, "decision": "allow"}, 403)
