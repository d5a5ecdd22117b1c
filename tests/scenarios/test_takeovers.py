# SPDX-License-Identifier: Apache-2.0
"""Who prepares an account, or comes at the moment of a change, keeps nothing of it: registrations, lock-outs, passwords, invitations."""
import contextlib
import secrets
import threading

import psycopg2
import pytest

from berth_factor import app_code, claims, enrol, tokens_of
from berth_flow import Authorization, Browser, FlowError, token_request
from berth_passkey import Passkey, add
from berth_passkey import sign_in as by_passkey
from berth_suite import wait_for

ORDER = 49


@pytest.fixture
def domain(suite, slug, admin):
    """One whose people may register."""
    name = f"{secrets.token_hex(4)}.example"
    admin.patch("/v1/tenant", {"registration_domain": name}, if_match=admin.get("/v1/tenant").expect(200).etag).expect(200)
    return name


def register(suite, slug, address, password):
    about = {"tenant": slug, "email": address, "password": password, "given_name": "New", "family_name": "Comer"}
    suite.api().post("/v1/registrations", about).expect(202)


def browser_of(suite, client, address, password):
    """A browser in which somebody has signed in by password, and the tokens that came of it."""
    flow = Authorization(suite.info, client)
    reply = flow.exchange(flow.code(address, password)["code"])
    assert reply.status == 200, reply.text
    return flow.browser, reply.json()


def lets_in(suite, client, browser):
    """Whether the browser gets a code without anybody signing in."""
    flow = Authorization(suite.info, client, browser=browser, prompt="none")
    return "code" in flow.follow(flow.begin())


@contextlib.contextmanager
def held(suite, query, *values):
    """The rows of the query are held by somebody else, as by a change under way: what is done by the cursor is in force at the end."""
    pg = suite.info["pg"]
    connection = psycopg2.connect(host=pg["host"], dbname=pg["dbname"], user=pg["superuser"])
    try:
        with connection.cursor() as cursor:
            cursor.execute(query, values)
            yield cursor, cursor.fetchone()
        connection.commit()
    finally:
        connection.close()


def person_held(suite, public_id):
    return held(suite, "select tenant_id, id from auth.person where public_id = %s for update", public_id)


def in_line(suite, change):
    """How many wait for what the cursor's transaction holds, or for one who does."""
    return suite.sql("with recursive line (pid) as (select %s union select a.pid from pg_stat_activity a "
                     "join line l on l.pid = any (pg_blocking_pids(a.pid))) select count(*) - 1 from line", change.connection.get_backend_pid())[0][0]


def meanwhile(suite, change, what, place=1):
    """Starts `what`, and goes on when it stands in line, or is over: a list for its answer, and the thread."""
    answers = []
    worker = threading.Thread(target=lambda: answers.append(what()))
    worker.start()
    wait_for(lambda: in_line(suite, change) >= place or not worker.is_alive(), 20, "the request in line")
    return answers, worker


def test_whoever_registered_an_address_before_its_owner_keeps_nothing_of_the_account(suite, slug, client, domain):
    address, theirs, own = f"owner@{domain}", secrets.token_urlsafe(18), secrets.token_urlsafe(18)
    register(suite, slug, address, theirs)
    browser, tokens = browser_of(suite, client, address, theirs)
    enrol(browser)
    key = Passkey(suite.url)
    assert add(browser, key).status == 303
    first = suite.link_in_mail(address, "verification")

    register(suite, slug, address, own)
    newest = wait_for(lambda: (found := suite.link_in_mail(address, "verification")) != first and found, 20, "the second mail")
    suite.api().post("/v1/verifications/confirm", {"token": newest, "password": own}).expect(200)

    assert not lets_in(suite, client, browser), "a session of before"
    again = token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})
    assert again.status == 400 and again.json()["error"] == "invalid_grant", again.text
    flow = Authorization(suite.info, client)
    reply = by_passkey(flow.browser, key, flow.begin().location)
    assert reply.status == 403, "a passkey of before"
    # The owner is asked for nothing that somebody else has set up.
    token = suite.sign_in(slug, address, own)["access_token"]
    listed = suite.api(token).get("/v1/me/factors").expect(200).body
    assert listed == {"items": [], "recovery_codes_left": 0, "next_cursor": None}


def test_an_address_that_is_proved_just_now_is_not_registered_again(suite, slug, client, domain):
    address, theirs, own = f"owner@{domain}", secrets.token_urlsafe(18), secrets.token_urlsafe(18)
    register(suite, slug, address, own)
    suite.link_in_mail(address, "verification")
    public_id = claims(suite.sign_in(slug, address, own)["access_token"])["sub"]
    with person_held(suite, public_id) as (change, (tenant, row)):
        _, worker = meanwhile(suite, change, lambda: register(suite, slug, address, theirs))
        change.execute("update auth.person set email_verified_at = now(), version = version + 1 where tenant_id = %s and id = %s", (tenant, row))
    worker.join(30)
    suite.api(suite.sign_in(slug, address, own)["access_token"]).get("/v1/me").expect(200)
    with pytest.raises(FlowError):
        suite.sign_in(slug, address, theirs)


def test_somebody_who_accepts_just_now_is_not_invited_again(suite, slug, admin):
    person = suite.invite(slug, "User")
    about = {name: person[name] for name in ("email", "given_name", "family_name")}
    with person_held(suite, person["id"]) as (change, (tenant, row)):
        answers, worker = meanwhile(suite, change, lambda: admin.post("/v1/people", {**about, "roles": ["Reception"]}))
        change.execute("update auth.person set status = 'active', version = version + 1 where tenant_id = %s and id = %s", (tenant, row))
    worker.join(30)
    answers[0].problem(409, "conflict", "email", "email_taken")
    assert admin.get(f"/v1/people/{person['id']}").expect(200).body["roles"] == ["User"]


def end_all(change, tenant, row):
    """What a new password does to sessions."""
    change.execute("update auth.session set ended_at = now() where tenant_id = %s and person_id = %s and ended_at is null", (tenant, row))


def factors_of(suite, person):
    return suite.sql("select count(*) from auth.factor f join auth.person p on p.tenant_id = f.tenant_id and p.id = f.person_id "
                     "where p.public_id = %s", person["id"])[0][0]


def test_a_session_that_ends_just_now_sets_up_no_factor(suite, client, person):
    """A passkey that is set up while a lock-out is under way would open the account for good."""
    browser, _ = browser_of(suite, client, person["email"], person["password"])
    key, before = Passkey(suite.url), browser.cookies["__Host-berth_session"]
    with person_held(suite, person["id"]) as (change, (tenant, row)):
        answers, worker = meanwhile(suite, change, lambda: add(browser, key))
        end_all(change, tenant, row)
    worker.join(30)
    assert answers[0].status == 303 and answers[0].location == "/login", f"{answers[0].status} {answers[0].text[:200]}"
    assert factors_of(suite, person) == 0 and browser.cookies.get("__Host-berth_session") == before, "nor does it begin anew"
    assert not lets_in(suite, client, browser)


def test_of_two_first_factors_at_once_one_is_the_second(suite, client, person):
    """Whoever has only the password sets up no factor any more once there is one."""
    owner, _ = browser_of(suite, client, person["email"], person["password"])
    other, _ = browser_of(suite, client, person["email"], person["password"])
    with person_held(suite, person["id"]) as (change, _):
        answers, worker = meanwhile(suite, change, lambda: add(owner, Passkey(suite.url)))
        more, second = meanwhile(suite, change, lambda: add(other, Passkey(suite.url)), 2)
    worker.join(30)
    second.join(30)
    assert sorted(reply.status for reply in answers + more) == [200, 403] and factors_of(suite, person) == 1


def test_a_session_that_ends_just_now_does_not_rise_by_a_factor(suite, client, person):
    browser, _ = browser_of(suite, client, person["email"], person["password"])
    secret, *_ = enrol(browser)
    page = browser.get("/login/factor").page()
    with held(suite, "select f.tenant_id, f.person_id from auth.factor f join auth.person p on p.tenant_id = f.tenant_id and p.id = f.person_id "
                     "where p.public_id = %s for update of f", person["id"]) as (change, (tenant, row)):
        answers, worker = meanwhile(suite, change, lambda: browser.post("/login/factor", {**page.hidden, "code": app_code(secret)}))
        _, ending = meanwhile(suite, change, lambda: suite.sql(
            "update auth.session set ended_at = now() where tenant_id = %s and person_id = %s and ended_at is null", tenant, row), 2)
    worker.join(30)
    ending.join(30)
    assert answers[0].status == 303 and not lets_in(suite, client, browser), f"{answers[0].status} {answers[0].location}"


def test_a_sign_in_that_waits_for_its_factor_knows_of_a_suspension(suite, slug, client, person):
    browser, _ = browser_of(suite, client, person["email"], person["password"])
    secret, *_ = enrol(browser)
    flow = Authorization(suite.info, client)
    reply = flow.submit(flow.login_page(flow.begin()), person["email"], person["password"])
    page = flow.browser.get(reply.location).page()
    with person_held(suite, person["id"]) as (change, (tenant, row)):
        answers, worker = meanwhile(suite, change, lambda: flow.browser.post("/login/factor", {**page.hidden, "code": app_code(secret)}))
        change.execute("update auth.person set status = 'suspended', version = version + 1 where tenant_id = %s and id = %s", (tenant, row))
    worker.join(30)
    assert answers[0].location == "/login" and "__Host-berth_session" not in flow.browser.cookies, f"{answers[0].status} {answers[0].location}"


def test_a_new_password_makes_no_factor_of_before_fresh(suite, client, person):
    """Whoever has session and password, and not the factor, does nothing by them that wants a fresh one."""
    browser, _ = browser_of(suite, client, person["email"], person["password"])
    enrol(browser)
    assert claims(tokens_of(suite, client, browser)["access_token"])["acr"] == "2fa"
    suite.sql("update auth.session s set auth_at = now() - interval '5 hours' from auth.person p where p.tenant_id = s.tenant_id and p.id = s.person_id "
              "and p.public_id = %s and s.ended_at is null", person["id"])
    password = secrets.token_urlsafe(18)
    page = browser.get("/account/password").page()
    form = {**page.hidden, "current": person["password"], "password": password, "password_again": password}
    assert browser.post("/account/password", form).status == 200
    said = claims(tokens_of(suite, client, browser)["access_token"])
    assert said["acr"] == "1fa" and said["amr"] == ["pwd"], said
    assert not browser.get("/account/factors").page().hidden, "nor does the page of factors offer a change"
    assert browser.get("/account/password").location == "/login/factor"
