# SPDX-License-Identifier: Apache-2.0
"""Second factors: an authenticator app (oathtool stands for it), recovery codes, what a sign-in is worth with and without."""
import concurrent.futures
import re
import uuid

from berth_factor import act, app_code, claims, enrol, show
from berth_flow import Authorization, Browser, token_request
from berth_suite import wait_for

ORDER = 45
WRONG = "AAAA-BBBB-CCCC-DDDD"


def password_only(suite, client, person, **parameters):
    """A sign-in up to where the password has been sent: the flow, and the answer."""
    flow = Authorization(suite.info, client, **parameters)
    reply = flow.submit(flow.login_page(flow.begin()), person["email"], person["password"])
    return flow, reply


def enrolled(suite, client, person):
    flow, reply = password_only(suite, client, person)
    assert "code" in flow.follow(reply)
    secret, codes, *_ = enrol(flow.browser)
    return flow, secret, codes


def test_an_app_is_set_up_and_the_session_rises_under_a_new_handle(suite, client, person):
    flow, reply = password_only(suite, client, person)
    before = claims(flow.exchange(flow.follow(reply)["code"]).json()["access_token"])
    handle = flow.browser.cookies["__Host-berth_session"]
    secret, codes, shown, done = enrol(flow.browser)
    assert before["acr"] == "1fa"
    assert "<svg" in shown.text and "<script" not in shown.text and "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert "no-store" in shown.headers["Cache-Control"] and "no-store" in done.headers["Cache-Control"]
    assert len(set(codes)) == 10
    assert flow.browser.cookies["__Host-berth_session"] != handle, "a rise is a new handle"
    old = Browser(suite.info)
    old.cookies["__Host-berth_session"] = handle
    assert old.get("/account/factors").status == 303, "the old handle opens nothing"
    again = Authorization(suite.info, client, browser=flow.browser)
    risen = claims(again.exchange(again.follow(again.begin())["code"]).json()["access_token"])
    assert risen["acr"] == "2fa" and "otp" in risen["amr"] and "mfa" in risen["amr"]
    for text in (secret, *codes):
        assert text not in flow.browser.get("/account/factors").text, "shown once"
    mail = wait_for(lambda: [m for m in suite.mails(person["email"]) if "second factor" in str(m["Subject"])], 20, "the mail")
    assert not any(text in mail[0].as_string() for text in (secret, *codes))
    events = suite.sql("select count(*) from auth.factor f join auth.person p on p.tenant_id = f.tenant_id and p.id = f.person_id "
                       "where p.public_id = %s and f.data like convert_to(%s, 'utf8')", person["id"], f"%{secret}%")
    assert events[0][0] == 0, "the secret is sealed"


def test_with_a_factor_the_password_alone_opens_nothing(suite, client, person):
    _, secret, _ = enrolled(suite, client, person)
    flow, reply = password_only(suite, client, person)
    assert reply.status == 303 and reply.location.startswith("/login/factor")
    assert "__Host-berth_session" not in flow.browser.cookies
    assert flow.browser.get("/account/factors").status == 303
    wrong = show(flow, reply, "000000" if app_code(secret) != "000000" else "000001")
    assert wrong.status == 403 and "__Host-berth_session" not in flow.browser.cookies
    done = show(flow, reply, app_code(secret))
    token = claims(flow.exchange(flow.follow(done)["code"]).json()["access_token"])
    assert token["acr"] == "2fa"


def test_another_browser_cannot_go_on_with_the_sign_in(suite, client, person):
    enrolled(suite, client, person)
    flow, reply = password_only(suite, client, person)
    page = flow.browser.get(reply.location).page()
    stranger = Browser(suite.info)
    assert stranger.get(reply.location).location == "/login"
    assert stranger.post("/login/factor", {**page.hidden, "code": "123456"}).location == "/login"
    other = suite.new_person(person["slug"])
    theirs, answer = password_only(suite, client, other)
    assert "code" in theirs.follow(answer), "nobody else is asked"


def test_fifty_at_once_with_one_code_give_one_session(suite, client, person):
    _, secret, _ = enrolled(suite, client, person)
    flow, reply = password_only(suite, client, person)
    page = flow.browser.get(reply.location).page()
    code = app_code(secret)

    def once(_):
        browser = Browser(suite.info)
        browser.cookies = dict(flow.browser.cookies)
        return browser.post("/login/factor", {**page.hidden, "code": code}).status
    with concurrent.futures.ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(once, range(50)))
    assert answers.count(303) == 1, answers
    assert set(answers) <= {303, 403, 429}, answers


def test_a_recovery_code_is_good_once_and_new_ones_void_the_old(suite, client, person):
    flow, _, codes = enrolled(suite, client, person)
    for code, status in ((codes[0], 303), (codes[0], 403), (codes[1].lower().replace("-", " "), 303)):
        attempt, reply = password_only(suite, client, person)
        assert show(attempt, reply, code).status == status, code
    fresh = re.findall(r"\b(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}\b", act(flow.browser, action="codes").text)
    assert len(set(fresh)) == 10 and not set(fresh) & set(codes)
    attempt, reply = password_only(suite, client, person)
    assert show(attempt, reply, codes[2]).status == 403
    assert show(attempt, reply, fresh[0]).status == 303


def test_guessing_a_factor_is_slowed_down(suite, client, person):
    enrolled(suite, client, person)
    flow, reply = password_only(suite, client, person)
    answers = [show(flow, reply, WRONG).status for _ in range(12)]
    assert 429 in answers and answers.index(429) >= 3, answers
    assert set(answers[answers.index(429):]) == {429}, "and stays so, whatever is tried"


def test_a_right_password_is_no_success_before_its_factor(suite, client, person):
    _, _, codes = enrolled(suite, client, person)
    for code in codes[:8]:
        flow, reply = password_only(suite, client, person)
        assert show(flow, reply, code).status == 303, "who shows the factor is never slowed"
    answers = [password_only(suite, client, person)[1].status for _ in range(12)]
    assert answers[:5] == [303] * 5 and 429 in answers, answers


def test_the_export_tells_of_recovery_codes_and_when_they_were_used(suite, client, person):
    flow, _, codes = enrolled(suite, client, person)
    attempt, reply = password_only(suite, client, person)
    assert show(attempt, reply, codes[0]).status == 303
    again = Authorization(suite.info, client, browser=flow.browser)
    api = suite.api(again.exchange(again.follow(again.begin())["code"]).json()["access_token"])
    told = api.get("/v1/me/export").expect(200).body["auth"]["recovery_codes"]
    assert len(told) == 10 and sum(code["used_at"] is not None for code in told) == 1
    assert all(set(code) == {"created_at", "used_at"} for code in told)


def test_forms_of_others_change_nothing(suite, client, person):
    flow, _, _ = enrolled(suite, client, person)
    for form in ({}, {"csrf": "x"}, {"csrf": "A" * 43, "action": "codes"}):
        assert flow.browser.post("/account/factors", form).status == 403
    api = suite.api(suite.sign_in_person(suite.new_person(person["slug"])))
    assert api.get("/v1/me/factors").expect(200).body == {"items": [], "recovery_codes_left": 0, "next_cursor": None}


def test_a_factor_is_removed_only_by_who_has_shown_it(suite, client, person):
    flow, reply = password_only(suite, client, person)
    weak = flow.exchange(flow.follow(reply)["code"]).json()["access_token"]
    enrol(flow.browser)
    listed = suite.api(weak).get("/v1/me/factors").expect(200).body
    assert listed["items"][0]["kind"] == "totp" and listed["recovery_codes_left"] == 10
    path = f"/v1/me/factors/{listed['items'][0]['id']}"
    refused = suite.api(weak).delete(path).problem(401, "insufficient_user_authentication")
    challenge = refused.headers["www-authenticate"]
    assert challenge.startswith("Bearer ") and 'error="insufficient_user_authentication"' in challenge
    assert 'acr_values="2fa"' in challenge and 'max_age="900"' in challenge, "RFC 9470 section 3"
    strong = Authorization(suite.info, client, browser=flow.browser)
    tokens = strong.exchange(strong.follow(strong.begin())["code"]).json()
    suite.api(tokens["access_token"]).delete(path.replace(listed["items"][0]["id"], str(uuid.uuid4()))).problem(404, "not_found")
    suite.api(tokens["access_token"]).delete(path).expect(204)
    after = token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}).json()
    assert suite.api(after["access_token"]).get("/v1/me/factors").expect(200).body == {"items": [], "recovery_codes_left": 0, "next_cursor": None}


def test_what_a_factor_proved_ends_with_the_factor(suite, client, person):
    flow, secret, _ = enrolled(suite, client, person)
    risen = Authorization(suite.info, client, browser=flow.browser)
    tokens = risen.exchange(risen.follow(risen.begin())["code"]).json()
    waiting = Authorization(suite.info, client, browser=flow.browser)
    code = waiting.follow(waiting.begin())["code"]
    before, reply = password_only(suite, client, person)
    elsewhere = show(before, reply, app_code(secret))
    theirs = before.exchange(before.follow(elsewhere)["code"]).json()
    assert {claims(one["access_token"])["acr"] for one in (tokens, theirs)} == {"2fa"}
    listed = suite.api(tokens["access_token"]).get("/v1/me/factors").expect(200).body
    suite.api(tokens["access_token"]).delete(f"/v1/me/factors/{listed['items'][0]['id']}").expect(204)
    for one in (tokens, theirs):
        wait_for(lambda one=one: suite.api(one["access_token"]).get("/v1/me").status == 401, 5, "the end of a token that says 2fa")
        again = token_request(suite.info, client, {"grant_type": "refresh_token", "refresh_token": one["refresh_token"]})
        assert claims(again.json()["access_token"])["acr"] == "1fa", "a grant is lowered"
        assert claims(again.json()["access_token"])["amr"] == ["pwd"]
        suite.api(again.json()["access_token"]).get("/v1/me").expect(200)
    assert claims(waiting.exchange(code).json()["access_token"])["acr"] == "1fa", "a code under way too"
    for browser in (flow.browser, before.browser):
        later = Authorization(suite.info, client, browser=browser)
        assert claims(later.exchange(later.follow(later.begin())["code"]).json()["access_token"])["acr"] == "1fa"


def test_an_admin_resets_the_factors_of_who_lost_them(suite, slug, client, admin, person):
    enrolled(suite, client, person)
    suite.as_role(slug, "User").delete(f"/v1/people/{person['id']}/factors").problem(403, "forbidden", reason="person.manage")
    admin.delete(f"/v1/people/{person['id']}/factors").expect(204)
    flow, reply = password_only(suite, client, person)
    assert "code" in flow.follow(reply), "the password is enough until a new factor is set up"
    wait_for(lambda: any(event["action"] == "factor.reset" for event in suite.events(slug, object_id=person["id"])), 15, "the event")


def test_an_erased_person_leaves_no_factor(suite, slug, client, admin, person):
    enrolled(suite, client, person)
    admin.delete(f"/v1/people/{person['id']}").expect(200, 202)
    left = ("select (select count(*) from auth.factor f where f.person_id = p.id and f.tenant_id = p.tenant_id) + "
            "(select count(*) from auth.recovery_code r where r.person_id = p.id and r.tenant_id = p.tenant_id) "
            "from auth.person p where p.public_id = %s")
    wait_for(lambda: suite.sql(left, person["id"])[0][0] == 0, 20, "the erasure")
