# SPDX-License-Identifier: Apache-2.0
"""Forgotten and changed passwords: the mailed link, what it ends, what it never does, and who is told."""
import concurrent.futures
import re
import secrets
import threading
import time

import psycopg2
import pytest

from berth_flow import Authorization, Browser, FlowError, basic, token_request
from berth_suite import wait_for
from test_factors import app_code, claims, enrolled, password_only, show

ORDER = 46
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def other_network():
    """An address that no other test of this run comes from, most likely."""
    return f"127.{secrets.randbelow(250) + 2}.{secrets.randbelow(250) + 2}.{secrets.randbelow(250) + 2}"


def ask(suite, slug, address, browser=None, **more):
    browser = browser or Browser(suite.info, other_network())
    page = browser.get("/password/forgotten").page()
    return browser.post("/password/forgotten", {**page.hidden, "tenant": slug, "email": address}, **more)


def link_for(suite, person):
    assert ask(suite, person["slug"], person["email"]).status == 200
    return suite.link_in_mail(person["email"], "password/reset")


def choose(suite, link, password=None, browser=None):
    password = password or secrets.token_urlsafe(18)
    browser = browser or Browser(suite.info)
    page = browser.get(f"/password/reset?token={link}").page()
    form = {"token": link, **page.hidden, "password": password, "password_again": password}
    return password, browser.post("/password/reset", form)


def tokens_of(suite, client, person, browser=None):
    flow = Authorization(suite.info, client, browser=browser)
    reply = flow.exchange(flow.code(person["email"], person["password"])["code"])
    assert reply.status == 200, reply.text
    return flow, reply.json()


def refused(suite, person, password):
    with pytest.raises(FlowError):
        suite.sign_in(person["slug"], person["email"], password)


def actions(suite, person):
    return [event["action"] for event in suite.events(person["slug"], object_id=person["id"])]


def mails_with(suite, address, words):
    """What they say, newest first."""
    return [text for mail in suite.mails(address) if words in (text := mail.get_body().get_content())]


def mail_about(suite, person, words):
    return wait_for(lambda: mails_with(suite, person["email"], words), 20, f"a mail with {words!r}")[0]


def test_a_mailed_link_sets_a_new_password_once(suite, client, person):
    link = link_for(suite, person)
    password, reply = choose(suite, link)
    assert reply.status == 303 and reply.location.startswith("/login?resume="), reply.text[:300]
    refused(suite, person, person["password"])
    suite.sign_in(person["slug"], person["email"], password)
    for again in (choose(suite, link)[1], Browser(suite.info).get(f"/password/reset?token={link}")):
        assert again.status == 410
    suite.sign_in(person["slug"], person["email"], password)
    wait_for(lambda: {"password.request", "password.reset"} <= set(actions(suite, person)), 20, "the events")
    told = mail_about(suite, person, "A new password was chosen")
    assert link not in told and password not in told and "token=" not in told


def test_of_many_links_one_is_used_and_ends_the_others(suite, person):
    first = link_for(suite, person)
    ask(suite, person["slug"], person["email"])
    second = wait_for(lambda: (link := suite.link_in_mail(person["email"], "password/reset")) != first and link, 20, "a second link")
    assert Browser(suite.info).get(f"/password/reset?token={first}").status == 200, "a stranger who asks again takes no link away"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda number: choose(suite, (first, second)[number % 2]), range(8)))
    good = [password for password, reply in outcomes if reply.status == 303]
    assert len(good) == 1, [reply.status for _, reply in outcomes]
    suite.sign_in(person["slug"], person["email"], good[0])
    for link in (first, second):
        assert Browser(suite.info).get(f"/password/reset?token={link}").status == 410


def test_a_link_lives_half_an_hour_and_only_its_hash_is_kept(suite, person):
    link = link_for(suite, person)
    rows = suite.sql("select extract(epoch from l.expires_at - l.created_at), encode(l.token_hash, 'hex') from auth.mail_link l "
                     "join auth.person p on p.tenant_id = l.tenant_id and p.id = l.person_id where p.public_id = %s and l.kind = 'reset'", person["id"])
    assert len(rows) == 1 and 0 < rows[0][0] <= 1800 and link not in rows[0][1]
    suite.sql("update auth.mail_link l set expires_at = now() from auth.person p where p.tenant_id = l.tenant_id and p.id = l.person_id "
              "and p.public_id = %s and l.kind = 'reset'", person["id"])
    assert choose(suite, link)[1].status == 410
    suite.sign_in(person["slug"], person["email"], person["password"])


def test_a_reset_ends_all_that_is_open_within_a_second(suite, client, person):
    flow, tokens = tokens_of(suite, client, person)
    assert suite.api(tokens["access_token"]).get("/v1/whoami").status == 200
    link = link_for(suite, person)
    _, reply = choose(suite, link)
    assert reply.status == 303
    begun = time.monotonic()
    wait_for(lambda: suite.api(tokens["access_token"]).get("/v1/whoami").status == 401, 5, "the revocation")
    assert time.monotonic() - begun < 1.2, "effective within a second"
    assert token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}).json()["error"] == "invalid_grant"
    again = Authorization(suite.info, client, browser=flow.browser)
    assert again.login_page(again.begin()).action is not None, "the session has ended"


def test_a_reset_never_skips_the_second_factor(suite, client, person):
    _, secret, _ = enrolled(suite, client, person)
    waiting, pending = password_only(suite, client, person)
    assert pending.location.startswith("/login/factor")
    browser = Browser(suite.info)
    password, reply = choose(suite, link_for(suite, person), browser=browser)
    assert reply.status == 303 and "__Host-berth_session" not in browser.cookies
    page = browser.get(reply.location).page()
    reply = browser.post("/login", {**page.hidden, "email": person["email"], "password": password})
    assert reply.status == 303 and reply.location.startswith("/login/factor") and "__Host-berth_session" not in browser.cookies
    assert waiting.browser.get(pending.location).location == "/login", "a sign-in that waited for its factor is over"
    flow, reply = password_only(suite, client, {**person, "password": password})
    token = claims(flow.exchange(flow.follow(show(flow, reply, app_code(secret, 30)))["code"]).json()["access_token"])
    assert token["acr"] == "2fa", "the factor is still there"


def test_the_answer_is_the_same_whether_there_is_an_account(suite, slug, other_slug, person):
    def told(tenant, address):
        reply = ask(suite, tenant, address)
        return reply.status, reply.text, sorted(name for name in reply.headers if name.lower() not in ("date", "x-request-id"))
    known = told(slug, person["email"])
    invited = suite.invite(slug)
    for tenant, address in ((slug, f"nobody.{secrets.token_hex(4)}@{slug}.example"), (other_slug, person["email"]), ("no-such-tenant", person["email"]),
                            (slug, invited["email"]), (slug, "no address at all"), (slug, "")):
        assert told(tenant, address) == known, (tenant, address)
    assert known[0] == 200
    assert suite.sql("select count(*) from auth.mail_link l join auth.person p on p.tenant_id = l.tenant_id and p.id = l.person_id "
                     "where p.public_id = %s and l.kind = 'reset'", invited["id"])[0][0] == 0, "whoever never had a password gets no such mail"


def test_how_long_the_answer_takes_does_not_tell(suite, slug, person):
    """Known and unknown in turns: the answer waits until the same moment."""
    times = {True: [], False: []}
    for _ in range(12):
        for known in (True, False):
            browser = Browser(suite.info, other_network())
            page = browser.get("/password/forgotten").page()
            address = person["email"] if known else f"nobody.{secrets.token_hex(4)}@{slug}.example"
            begun = time.monotonic()
            assert browser.post("/password/forgotten", {**page.hidden, "tenant": slug, "email": address}).status == 200
            times[known].append(time.monotonic() - begun)
    assert min(times[True] + times[False]) >= 0.2, "each takes the time that was set aside"


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-URL", "Origin"])
def test_links_come_from_the_configuration_alone(suite, person, header):
    value = {"Forwarded": "host=evil.example;proto=http", "X-Forwarded-Proto": "http", "Origin": suite.url}.get(header, "evil.example")
    reply = ask(suite, person["slug"], person["email"], headers={header: value})
    if reply.status != 200:
        assert header == "Host" and 400 <= reply.status < 500, reply.status
        return
    link = suite.link_in_mail(person["email"], "password/reset")
    text = mails_with(suite, person["email"], link)[0]
    assert f"{suite.url}/password/reset?token={link}" in text and "evil" not in text


def statuses_of(asking, until, limit):
    """What `asking` is answered, until one answer is `until` or there were `limit`; and how often there was no room, which says when to come again."""
    found, busy = [], 0
    while len(found) < limit and until not in found:
        reply = asking(len(found) + busy)
        if reply.status != 503:
            found.append(reply.status)
            continue
        busy += 1
        assert busy < 20 and int(reply.headers["Retry-After"]) > 0, f"no room for the {busy}th time"
        time.sleep(int(reply.headers["Retry-After"]))
    return found, busy


def test_asking_is_slowed_by_network_and_mails_by_account(suite, slug, person):
    browser = Browser(suite.info, other_network())
    statuses, busy = statuses_of(lambda number: ask(suite, slug, f"nobody.{number}@{slug}.example", browser), until=429, limit=40)
    # Pauses begin behind thirty; where there was no room it may have counted all the same. On a slow machine the first pauses are over by themselves.
    assert set(statuses) == {200, 429} and statuses.index(429) >= 30 - busy, (statuses, busy)
    answers, busy = statuses_of(lambda _: ask(suite, slug, person["email"]), until=None, limit=6)
    assert set(answers) == {200}, "the account's limit is not told"
    links = suite.sql("select count(*) from auth.mail_link l join auth.person p on p.tenant_id = l.tenant_id and p.id = l.person_id "
                      "where p.public_id = %s and l.kind = 'reset'", person["id"])[0][0]
    assert 3 - busy <= links <= 3, (links, busy)
    suite.sign_in(slug, person["email"], person["password"])


def test_forms_of_others_change_nothing(suite, client, person):
    link = link_for(suite, person)
    theirs = Browser(suite.info).get(f"/password/reset?token={link}").page()
    password = secrets.token_urlsafe(18)
    for browser, form in ((Browser(suite.info), theirs.hidden), (Browser(suite.info), {"token": link, "csrf": "x" * 43})):
        reply = browser.post("/password/reset", {**form, "password": password, "password_again": password})
        assert reply.status == 403
    flow, _ = tokens_of(suite, client, person)
    reply = flow.browser.post("/account/password", {"csrf": "x" * 43, "current": person["password"], "password": password, "password_again": password})
    assert reply.status == 403
    assert Browser(suite.info).post("/account/password", {"csrf": "x" * 43}).location == "/login"
    suite.sign_in(person["slug"], person["email"], person["password"])


@pytest.mark.parametrize("password, again, words", [
    ("short", None, "use at least 15"), ("password1234567", None, "too easy"), ("a" * 1025, None, "password is too long"), ("a" * 400 + "bcd", "x" * 403, "not the same")],
    ids=["short", "easy", "long", "different"])
def test_a_bad_password_is_not_taken(suite, person, password, again, words):
    link = link_for(suite, person)
    browser = Browser(suite.info)
    page = browser.get(f"/password/reset?token={link}").page()
    reply = browser.post("/password/reset", {**page.hidden, "password": password, "password_again": again or password})
    assert reply.status == 422 and words in reply.text, reply.text[:500]
    assert choose(suite, link)[1].status == 303, "the link is not spent by that"


def test_a_suspended_person_gets_no_new_password(suite, slug, admin, person):
    link = link_for(suite, person)
    etag = admin.get(f"/v1/people/{person['id']}").etag
    admin.patch(f"/v1/people/{person['id']}", {"status": "suspended"}, if_match=etag).expect(200)
    assert choose(suite, link)[1].status == 410
    assert ask(suite, slug, person["email"]).status == 200
    assert suite.sql("select count(*) from auth.mail_link l join auth.person p on p.tenant_id = l.tenant_id and p.id = l.person_id "
                     "where p.public_id = %s and l.kind = 'reset'", person["id"])[0][0] == 1


def change(flow, current, password):
    page = flow.browser.get("/account/password").page()
    return flow.browser.post("/account/password", {**page.hidden, "current": current, "password": password, "password_again": password})


def test_changing_ones_password_needs_the_current_one_and_ends_everything_else(suite, client, person):
    flow, tokens = tokens_of(suite, client, person)
    elsewhere, _ = tokens_of(suite, client, person)
    handle = flow.browser.cookies["__Host-berth_session"]
    password = secrets.token_urlsafe(18)
    assert change(flow, "not the current password", password).status == 403
    assert flow.browser.cookies["__Host-berth_session"] == handle
    assert suite.api(tokens["access_token"]).get("/v1/whoami").status == 200
    reply = change(flow, person["password"], password)
    assert reply.status == 200 and "password is changed" in reply.text, reply.text[:400]
    wait_for(lambda: suite.api(tokens["access_token"]).get("/v1/whoami").status == 401, 2, "the revocation")
    assert token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}).json()["error"] == "invalid_grant"
    assert elsewhere.browser.get("/account/password").location == "/login", "another browser is signed out"
    assert flow.browser.cookies["__Host-berth_session"] != handle
    again = Authorization(suite.info, client, browser=flow.browser)
    assert "code" in again.follow(again.begin()), "this browser stays signed in"
    refused(suite, person, person["password"])
    suite.sign_in(person["slug"], person["email"], password)
    mail_about(suite, person, "The password of your account was changed")
    wait_for(lambda: {"password.refuse", "password.change"} <= set(actions(suite, person)), 20, "the events")


def test_with_a_factor_the_password_is_changed_only_by_who_has_shown_it(suite, client, person):
    old, _ = tokens_of(suite, client, person)
    enrolled(suite, client, person)
    assert old.browser.get("/account/password").location == "/login/factor"
    assert old.browser.post("/account/password", {"csrf": "x"}).location == "/login/factor"


def test_guessing_the_current_password_is_slowed(suite, client, person):
    flow, _ = tokens_of(suite, client, person)
    statuses = [change(flow, f"a guess of number {number}", secrets.token_urlsafe(18)).status for number in range(8)]
    assert 429 in statuses and statuses[0] == 403, statuses
    # The owner's next sign-in from here waits its second, and then is let in.
    wait_for(lambda: suite_lets_in(suite, person), 30, "the sign-in")


def suite_lets_in(suite, person):
    try:
        return suite.sign_in(person["slug"], person["email"], person["password"])
    except FlowError:
        return None


def test_a_code_is_worth_nothing_once_its_session_ended_while_it_was_exchanged(suite, client, person):
    """The exchange waits for whoever holds the person, and then sees what was done."""
    flow = Authorization(suite.info, client)
    code = flow.code(person["email"], person["password"])["code"]
    pg = suite.info["pg"]
    connection = psycopg2.connect(host=pg["host"], dbname=pg["dbname"], user=pg["superuser"])
    replies = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("select id from auth.person where public_id = %s for update", (person["id"],))
            row_id = cursor.fetchone()[0]
            worker = threading.Thread(target=lambda: replies.append(flow.exchange(code)))
            worker.start()
            wait_for(lambda: suite.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%%for key share%%'")[0][0], 10, "the exchange in line")
            cursor.execute("update auth.session s set ended_at = now() from auth.person p where p.tenant_id = s.tenant_id and p.id = s.person_id and p.public_id = %s and p.id = %s",
                           (person["id"], row_id))
        connection.commit()
        worker.join(20)
    finally:
        connection.close()
    assert replies and replies[0].status == 400 and replies[0].json()["error"] == "invalid_grant", replies and replies[0].text


def in_line(suite, connection, person, ask, also):
    """The person is held, as by whoever ends all they have open; then `ask` gets in line, and `also` must not have to wait for it."""
    replies = []
    with connection.cursor() as cursor:
        cursor.execute("select id from auth.person where public_id = %s for update", (person["id"],))
        row_id = cursor.fetchone()[0]
        worker = threading.Thread(target=lambda: replies.append(ask()))
        worker.start()
        wait_for(lambda: suite.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%%for key share%%'")[0][0], 10, "it in line")
        cursor.execute("set local lock_timeout = '2s'")
        cursor.execute(also, (row_id,))
        assert cursor.rowcount == 1
    connection.rollback()
    worker.join(20)
    assert replies and replies[0].status == 200, replies and replies[0].text


def test_an_exchange_and_an_erasure_do_not_lock_each_other_out(suite, client, person, admin):
    """Both take the person first: the erasure finds codes and devices free, and the exchange goes on when it is not to be."""
    pg = suite.info["pg"]
    connection = psycopg2.connect(host=pg["host"], dbname=pg["dbname"], user=pg["superuser"])
    try:
        flow = Authorization(suite.info, client)
        code = flow.code(person["email"], person["password"])["code"]
        in_line(suite, connection, person, lambda: flow.exchange(code), "delete from auth.authorization_code where person_id = %s")
        device = admin.post("/v1/clients", {"name": "Device", "kind": "confidential", "grants": [DEVICE_GRANT]}).expect(201).body
        asked = Browser(suite.info).post("/oauth2/device_authorization", {"scope": "openid"}, headers=basic(device)).json()
        page = flow.browser.get(f"/device?user_code={asked['user_code']}").page()
        reply = flow.browser.post("/device", {**page.hidden, "user_code": asked["user_code"]})
        page = flow.browser.get(reply.location).page()
        assert flow.browser.post("/consent", {**page.hidden, "decision": "allow"}).status == 200
        form = {"grant_type": DEVICE_GRANT, "device_code": asked["device_code"]}
        in_line(suite, connection, person, lambda: token_request(suite.info, device, form), "delete from auth.device_grant where person_id = %s")
    finally:
        connection.close()


@pytest.mark.parametrize("language, words", [("fr", "Mot de passe oublié"), ("nl", "Wachtwoord vergeten"), ("en", "Forgotten your password")])
def test_pages_stand_without_script_in_three_languages(suite, language, words):
    reply = Browser(suite.info).get("/password/forgotten", headers={"Accept-Language": language})
    assert words in reply.text and "<script" not in reply.text
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"] and "no-store" in reply.headers["Cache-Control"]
    assert re.search(rf'<html lang="{language}"', reply.text)
    assert "/password/forgotten" in Browser(suite.info).get("/login", headers={"Accept-Language": language}).text
