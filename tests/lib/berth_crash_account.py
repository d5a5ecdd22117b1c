# SPDX-License-Identifier: Apache-2.0
"""The changes of one's own account that have crash points; as in berth_crash."""
import secrets

import berth_factor
import berth_flow
from berth_suite import wait_for


def moving(tokens_of, confirm):
    """Another address: the wish, or the second of the two links."""
    def wish(work):
        page = work.flow.browser.get("/account/email").page()
        return work.flow.browser.post("/account/email", {**page.hidden, "email": work.address, "current": work.somebody["password"]})

    def follow(work, link):
        browser = berth_flow.Browser(work.suite.info)
        page = browser.get(f"/email/confirm?token={link}").page()
        return browser.post("/email/confirm", {"token": link, **page.hidden, "action": "confirm"})

    def prepare(work):
        work.person()
        work.tokens = tokens_of(work)
        work.address = f"moved@{work.mark}.example"
        if confirm:
            wish(work)
            assert follow(work, work.suite.link_in_mail(work.somebody["email"], "email/confirm")).status == 200
            work.link = work.suite.link_in_mail(work.address, "email/confirm")

    def check(work):
        if not confirm:
            assert wish(work).status == 200
            # The link of a wish that was done before the crash is dead: the newer one comes.
            wait_for(lambda: follow(work, work.suite.link_in_mail(work.somebody["email"], "email/confirm")).status == 200, 20, "the newer link")
            work.link = work.suite.link_in_mail(work.address, "email/confirm")
        assert follow(work, work.link).status in (200, 410)
        work.suite.sign_in(work.slug, work.address, work.somebody["password"])
    return prepare, (lambda work: follow(work, work.link)) if confirm else wish, check


def ending_sessions(tokens_of, who, path):
    def prepare(work):
        work.person()
        work.tokens = tokens_of(work)
        listed = work.suite.api(work.tokens["access_token"]).get("/v1/me/sessions").expect(200).body["items"]
        work.session = listed[0]["id"]

    def ask(work):
        return who(work).delete(path(work))

    def check(work):
        ask(work).expect(204, 401, 404)
        wait_for(lambda: work.suite.api(work.tokens["access_token"]).get("/v1/me").status == 401, 10, "the revocation")
        assert work.flow.browser.get("/account/sessions").location == "/login"
    return prepare, ask, check


def telling(tokens_of):
    """A client that the allow-list does not name is to be told of a sign-out, which is given up."""
    def prepare(work):
        work.person()
        uris = {"redirect_uris": [work.client["redirect_uri"]], "backchannel_logout_uri": "https://rp.invalid/signed-out"}
        own = {**work.admin.post("/v1/clients", {"name": "Told", "kind": "confidential", **uris}).expect(201).body, "redirect_uri": work.client["redirect_uri"]}
        work.client, kept = own, work.client
        work.tokens = tokens_of(work)
        work.client, work.session = kept, berth_flow.claims(work.tokens["id_token"])["sid"]

    def ask(work):
        return work.suite.api(work.tokens["access_token"]).delete(f"/v1/me/sessions/{work.session}")

    def check(work):
        ask(work).expect(204, 401, 404)
        wait_for(lambda: work.suite.sql("select count(*) from auth.logout_notice where session_id = %s", work.session) == [(0,)], 60, "the end of the notice")
        wait_for(lambda: [event["action"] for event in work.suite.events(work.slug, object_id=work.session)].count("logout.give_up") == 1, 20, "the event")
        work.objects.append(work.session)
    return prepare, ask, check


def asking_for_a_password(follow_link):
    """The mail for a new password, or the new password by its link."""
    def request(work):
        browser = berth_flow.Browser(work.suite.info)
        page = browser.get("/password/forgotten").page()
        return browser.post("/password/forgotten", {**page.hidden, "tenant": work.slug, "email": work.somebody["email"]})

    def follow(work):
        browser = berth_flow.Browser(work.suite.info)
        page = browser.get(f"/password/reset?token={work.link}").page()
        return browser.post("/password/reset", {**page.hidden, "token": work.link, "password": work.password, "password_again": work.password})

    def prepare(work):
        work.person()
        work.password = secrets.token_urlsafe(18)
        if follow_link:
            request(work)
            work.link = work.suite.link_in_mail(work.somebody["email"], "password/reset")

    def check(work):
        if not follow_link:
            request(work)
            work.link = work.suite.link_in_mail(work.somebody["email"], "password/reset")
        assert follow(work).status in (303, 410, 422)
        work.somebody["password"] = work.password
        work.suite.api(work.suite.sign_in_person(work.somebody)).get("/v1/me").expect(200)
    return prepare, follow if follow_link else request, check


def changing_the_password(tokens_of):
    def prepare(work):
        work.person()
        work.password = secrets.token_urlsafe(18)
        work.tokens = tokens_of(work)

    def ask(work):
        page = work.flow.browser.get("/account/password").page()
        return work.flow.browser.post("/account/password", {**page.hidden, "current": work.somebody["password"], "password": work.password, "password_again": work.password})

    def check(work):
        # Cut off before or after: one of the two is the password, and with the old one it can be asked again.
        for password in (work.password, work.somebody["password"]):
            try:
                work.suite.sign_in(work.slug, work.somebody["email"], password)
                return
            except berth_flow.FlowError:
                pass
        raise AssertionError("neither the old password nor the new one is right")
    return prepare, ask, check


def enter(work):
    """Signs in, whether a factor is asked for or not."""
    flow = berth_flow.Authorization(work.suite.info, work.client)
    reply = flow.submit(flow.login_page(flow.begin()), work.somebody["email"], work.somebody["password"])
    if reply.location.startswith("/login/factor"):
        code = work.codes.pop() if getattr(work, "codes", None) else berth_factor.app_code(work.secret)
        reply = berth_factor.show(flow, reply, code)
    answer = flow.exchange(flow.follow(reply)["code"])
    assert answer.status == 200, answer.text
    return flow.browser, work.suite.api(answer.json()["access_token"])


def factors_of(api):
    return api.get("/v1/me/factors").expect(200).body["items"]


def setting_up(tokens_of, confirm):
    """An app is begun, or its first code is shown: afterwards there is one, or it can be set up."""
    def prepare(work):
        work.person()
        work.tokens = tokens_of(work)
        work.browser = work.flow.browser
        if confirm:
            shown = berth_factor.act(work.browser, action="start")
            work.page, work.secret = shown.page(), berth_factor.secret_in(shown.text)

    def ask(work):
        if not confirm:
            return berth_factor.act(work.browser, action="start")
        return work.browser.post("/account/factors", {**work.page.hidden, "code": berth_factor.app_code(work.secret, -30)})

    def check(work):
        browser, api = enter(work)
        if not factors_of(api):
            assert work.first is None or work.first.status >= 500 or not confirm, "an acknowledged factor is lost"
            work.secret, *_ = berth_factor.enrol(browser)
            _, api = enter(work)
        assert len(factors_of(api)) == 1
        work.objects.append(work.somebody["id"])
    return prepare, ask, check


def changing_factors(tokens_of, ask, rest):
    """Something is done to a factor that there is; `rest` is what must hold."""
    def prepare(work):
        work.person()
        work.tokens = tokens_of(work)
        work.browser = work.flow.browser
        work.secret, work.codes, *_ = berth_factor.enrol(work.browser)
        work.api = work.suite.api(berth_factor.tokens_of(work.suite, work.client, work.browser)["access_token"])
        work.factor = factors_of(work.api)[0]["id"]

    def check(work):
        rest(work)
        work.objects.append(work.somebody["id"])
    return prepare, ask, check


def codes_are_new(work):
    """Cut off before or after: the old codes or none of them; new ones are made and good."""
    browser, _ = enter(type("Now", (), {"suite": work.suite, "client": work.client, "somebody": work.somebody, "secret": work.secret}))
    work.codes = berth_factor.codes_in(berth_factor.act(browser, action="codes").text)
    assert len(set(work.codes)) == 10
    enter(work)


def without_factor(again):
    def rest(work):
        again(work)
        assert work.suite.api(work.suite.sign_in_person(work.somebody)).get("/v1/me/factors").expect(200).body["items"] == []
    return rest


def remove_on_page(work):
    return berth_factor.act(work.browser, action="remove", factor=work.factor)


def remove_again(work):
    browser, api = enter(work)
    if factors_of(api):
        assert berth_factor.act(browser, action="remove", factor=work.factor).status == 303


def delete_again(work):
    _, api = enter(work)
    api.delete(f"/v1/me/factors/{work.factor}").expect(204, 401, 404)


def reset(work):
    return work.admin.delete(f"/v1/people/{work.somebody['id']}/factors")


def reset_again(work):
    """Unless it is done: each reset is an event of its own."""
    flow = berth_flow.Authorization(work.suite.info, work.client)
    reply = flow.submit(flow.login_page(flow.begin()), work.somebody["email"], work.somebody["password"])
    if reply.location.startswith("/login/factor"):
        reset(work).expect(204)


def actions(tokens_of):
    """By the names of their crash points; `tokens_of` signs the person of a Work in."""
    return {
        "logout_notice": telling(tokens_of),
        "logout_give_up": telling(tokens_of),
        "factor_start": setting_up(tokens_of, False),
        "factor_confirm": setting_up(tokens_of, True),
        "factor_codes": changing_factors(tokens_of, lambda work: berth_factor.act(work.browser, action="codes"), codes_are_new),
        "factor_remove": changing_factors(tokens_of, remove_on_page, without_factor(remove_again)),
        "me_factor_delete": changing_factors(tokens_of, lambda work: work.api.delete(f"/v1/me/factors/{work.factor}"), without_factor(delete_again)),
        "person_factors_reset": changing_factors(tokens_of, reset, without_factor(reset_again)),
        "password_request": asking_for_a_password(False),
        "password_reset": asking_for_a_password(True),
        "password_change": changing_the_password(tokens_of),
        "email_request": moving(tokens_of, False),
        "email_confirm": moving(tokens_of, True),
        "session_end": ending_sessions(tokens_of, lambda work: work.suite.api(work.tokens["access_token"]), lambda work: f"/v1/me/sessions/{work.session}"),
        "session_end_all": ending_sessions(tokens_of, lambda work: work.admin, lambda work: f"/v1/people/{work.somebody['id']}/sessions"),
    }
