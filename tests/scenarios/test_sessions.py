# SPDX-License-Identifier: Apache-2.0
"""Where a person is signed in: what of it is shown, and ending one or all of it, by its owner or by an Admin."""
import secrets
import threading
import time

import psycopg2
import pytest

from berth_flow import Authorization, Browser, token_request
from berth_suite import wait_for
from test_passwords import mail_about, tokens_of

ORDER = 47
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
UNKNOWN = "0192a3b4-c5d6-7e8f-8a9b-0c1d2e3f4a5b"


class Named(Browser):
    """A browser that says what it is."""

    def __init__(self, suite, agent):
        super().__init__(suite)
        self.agent = agent

    def request(self, method, url, form=None, headers=None):
        return super().request(method, url, form, {**(headers or {}), "User-Agent": self.agent})


def sessions(suite, tokens):
    return suite.api(tokens["access_token"]).get("/v1/me/sessions").expect(200).body["items"]


def is_dead(suite, client, flow, tokens):
    """Within a second: its token, its grant, its browser."""
    begun = time.monotonic()
    wait_for(lambda: suite.api(tokens["access_token"]).get("/v1/whoami").status == 401, 5, "the revocation")
    assert time.monotonic() - begun < 1.2, "effective within a second"
    refused = token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})
    assert refused.status == 400 and refused.json()["error"] == "invalid_grant"
    again = Authorization(suite.info, client, browser=flow.browser)
    return again.login_page(again.begin()).action is not None


def is_alive(suite, client, flow, tokens):
    suite.api(tokens["access_token"]).get("/v1/whoami").expect(200)
    again = Authorization(suite.info, client, browser=flow.browser)
    return "code" in again.follow(again.begin())


def test_sessions_show_coarse_facts_and_which_one_is_ones_own(suite, client, person):
    _, first = tokens_of(suite, client, person, Named(suite.info, FIREFOX))
    _, second = tokens_of(suite, client, person, Named(suite.info, f"{secrets.token_hex(8)}/1.0"))
    listed = sessions(suite, second)
    assert [item["browser"] for item in listed] == ["other", "firefox"], listed
    assert [item["current"] for item in listed] == [True, False]
    assert set(listed[0]) == {"id", "created_at", "last_used_at", "browser", "amr", "current"}, "nothing else is told"
    assert listed[0]["amr"] == ["pwd"]
    assert [item["current"] for item in sessions(suite, first)] == [False, True]
    held = suite.sql("select s.browser from auth.session s join auth.person p on p.tenant_id = s.tenant_id and p.id = s.person_id where p.public_id = %s", person["id"])
    assert len(held) == 2 and all(b"firefox" not in bytes(row[0]) and b"other" not in bytes(row[0]) for row in held), "sealed"
    export = suite.api(second["access_token"]).get("/v1/me/export").expect(200).text
    assert '"browser":"firefox"' in export.replace(" ", "")


def test_one_session_is_ended_and_the_others_go_on(suite, client, person):
    lost, lost_tokens = tokens_of(suite, client, person)
    kept, kept_tokens = tokens_of(suite, client, person)
    identity = next(item["id"] for item in sessions(suite, kept_tokens) if not item["current"])
    api = suite.api(kept_tokens["access_token"])
    api.delete(f"/v1/me/sessions/{identity}").expect(204)
    assert is_dead(suite, client, lost, lost_tokens)
    assert is_alive(suite, client, kept, kept_tokens)
    api.delete(f"/v1/me/sessions/{identity}").problem(404, "not_found")
    wait_for(lambda: [event for event in suite.events(person["slug"], object_id=identity) if event["action"] == "session.end"], 20, "the event")


def test_nobody_ends_the_sessions_of_others(suite, slug, other_slug, client, person):
    flow, tokens = tokens_of(suite, client, person)
    theirs = sessions(suite, tokens)[0]["id"]
    for stranger in (suite.new_person(slug), suite.new_person(other_slug)):
        api = suite.api(suite.sign_in_person(stranger))
        assert theirs not in api.get("/v1/me/sessions").expect(200).text
        absent = api.delete(f"/v1/me/sessions/{UNKNOWN}").problem(404, "not_found").body
        there = api.delete(f"/v1/me/sessions/{theirs}").problem(404, "not_found").body
        assert {**absent, "request_id": 0, "instance": 0} == {**there, "request_id": 0, "instance": 0}
    assert is_alive(suite, client, flow, tokens)


def test_signing_out_everywhere_leaves_nothing_open(suite, client, person):
    both = [tokens_of(suite, client, person) for _ in range(2)]
    suite.api(both[0][1]["access_token"]).delete("/v1/me/sessions").expect(204)
    for flow, tokens in both:
        assert is_dead(suite, client, flow, tokens)
    assert is_alive(suite, client, *tokens_of(suite, client, person)), "and one can sign in again"
    wait_for(lambda: [event for event in suite.events(person["slug"], object_id=person["id"]) if event["action"] == "session.end_all"], 20, "the event")


def test_an_admin_signs_a_person_out_who_is_told(suite, slug, client, admin, person):
    flow, tokens = tokens_of(suite, client, person)
    admin.delete(f"/v1/people/{person['id']}/sessions").expect(204)
    assert is_dead(suite, client, flow, tokens)
    mail_about(suite, person, "An administrator signed you out everywhere")
    for role in ("User", "Reception"):
        suite.as_role(slug, role).delete(f"/v1/people/{person['id']}/sessions").problem(403, "forbidden", reason="person.manage")


def form(browser, **more):
    return browser.post("/account/sessions", {"csrf": browser.get("/account/sessions").page().hidden["csrf"], **more})


def test_the_page_ends_one_or_all(suite, client, person):
    lost, lost_tokens = tokens_of(suite, client, person, Named(suite.info, FIREFOX))
    kept, kept_tokens = tokens_of(suite, client, person)
    shown = kept.browser.get("/account/sessions")
    assert shown.status == 200 and "Firefox" in shown.text and "This browser" in shown.text and "<script" not in shown.text
    assert kept.browser.post("/account/sessions", {"csrf": "x" * 43}).status == 403
    assert is_alive(suite, client, lost, lost_tokens)
    identity = shown.page().hidden["session"]
    assert form(kept.browser, session=identity).location == "/account/sessions"
    assert is_dead(suite, client, lost, lost_tokens)
    assert form(kept.browser, session=identity).location == "/account/sessions", "asked again it is done already"
    assert is_alive(suite, client, kept, kept_tokens)
    assert form(kept.browser).location == "/login" and "__Host-berth_session" not in kept.browser.cookies
    assert is_dead(suite, client, kept, kept_tokens)
    assert Browser(suite.info).get("/account/sessions").location == "/login"


def test_ended_and_idle_sessions_are_not_shown(suite, client, person):
    _, tokens = tokens_of(suite, client, person)
    other, _ = tokens_of(suite, client, person)
    assert len(sessions(suite, tokens)) == 2
    other.browser.post("/logout", other.browser.get("/login").page().hidden)
    assert [item["current"] for item in sessions(suite, tokens)] == [True]
    suite.sql("update auth.session s set seen_at = now() - interval '3 hours' from auth.person p where p.tenant_id = s.tenant_id and p.id = s.person_id and p.public_id = %s", person["id"])
    assert sessions(suite, tokens) == []


def test_ending_everything_and_a_refresh_at_once_do_not_wait_for_each_other(suite, client, person):
    """Whoever ends all that a person has open holds the person, then the grants; so does a refresh."""
    _, tokens = tokens_of(suite, client, person)
    pg = suite.info["pg"]
    connection = psycopg2.connect(host=pg["host"], dbname=pg["dbname"], user=pg["superuser"])
    replies = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("select tenant_id, id from auth.person where public_id = %s for update", (person["id"],))
            tenant, row = cursor.fetchone()
            worker = threading.Thread(target=lambda: replies.append(token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})))
            worker.start()
            wait_for(lambda: suite.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%%key share%%'")[0][0], 10, "the refresh in line")
            cursor.execute("set local lock_timeout = '500ms'; update auth.grant_family set revoked_at = now(), revoked_for = 'test' where tenant_id = %s and person_id = %s", (tenant, row))
        connection.commit()
        worker.join(20)
    finally:
        connection.close()
    assert replies and replies[0].status == 400 and replies[0].json()["error"] == "invalid_grant", replies and replies[0].text


@pytest.mark.parametrize("language, words", [("fr", "Où vous êtes connecté"), ("nl", "Waar u bent aangemeld"), ("en", "Where you are signed in")])
def test_the_page_stands_in_three_languages(suite, client, person, language, words):
    flow, _ = tokens_of(suite, client, person)
    assert words in flow.browser.get("/account/sessions", headers={"Accept-Language": language}).text
