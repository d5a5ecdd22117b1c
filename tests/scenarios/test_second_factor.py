# SPDX-License-Identifier: Apache-2.0
"""What a tenant demands: who needs a second factor, where, and how the answer says so. A tenant that says nothing demands it of staff."""
import collections
import html
import re
import time

import pytest

from berth_factor import app_code, claims, enrol, show
from berth_flow import Authorization, token_request
from berth_suite import wait_for
from test_access import call, operations

ORDER = 47


@pytest.fixture(scope="module")
def slug(suite):
    """Demands what a tenant demands that says nothing."""
    return suite.new_tenant("strict", second_factor=None)


@pytest.fixture(scope="module")
def boss(suite, slug):
    return suite.person(slug, "Admin")


@pytest.fixture(scope="module")
def weak(suite, boss):
    """A token of the Admin from before there was a factor."""
    return suite.sign_in_person(boss)


@pytest.fixture(scope="module")
def strong(suite, slug, boss, weak):
    """The same with one."""
    suite.give_factor(boss)
    return suite.token(slug, "Admin")


def flagged(suite, flag):
    """Names of the operations that the API's description says it of."""
    paths = suite.api().get("/openapi.json").expect(200).body["paths"]
    return {operation["operationId"] for methods in paths.values() for operation in methods.values() if operation.get(flag)}


def staff_operations(suite):
    return flagged(suite, "x-berth-second-factor")


def test_a_tenant_that_says_nothing_demands_it_of_staff(suite, weak):
    assert claims(weak)["mfa"] == "staff" and claims(weak)["acr"] == "1fa"
    demo = suite.token(suite.tenant(0)["slug"], "Admin")
    assert claims(demo)["mfa"] == "optional", "the demo is entered by passwords"
    suite.api(demo).get("/v1/people").expect(200)


def test_staff_are_told_where_a_factor_is_set_up_and_everybody_goes_on_with_what_is_their_own(suite, weak):
    staff, dangerous, asked, own = staff_operations(suite), flagged(suite, "x-berth-step-up"), 0, 0
    assert {"person_list", "tenant_update", "client_create", "event_list", "site_create"} <= staff
    for name, method, path, permission in operations(suite):
        if permission in (None, "public") or (path.startswith("/v1/me") and method == "DELETE"):
            continue        # which would end the token
        reply = call(suite.api(weak), method, path)
        if name in dangerous & staff and permission in claims_of_role(suite):
            assert reply.problem(401, "insufficient_user_authentication", reason=permission).body["enrol_at"] == "/account/factors", name
        elif name in staff and permission in claims_of_role(suite):
            problem = reply.problem(403, "second_factor_required", reason=permission).body
            assert problem["enrol_at"] == "/account/factors", name
            asked += 1
        else:
            code = (reply.body or {}).get("code")
            assert code not in ("unauthenticated", "second_factor_required"), f"{name}: {reply.text[:200]}"
            own += 1
    assert asked > 20 and own > 15


def claims_of_role(suite):
    """What an Admin is granted, as the demo's says."""
    roles = suite.as_role(suite.tenant(0)["slug"], "Admin").get("/v1/roles").expect(200).body["items"]
    return next(set(role["permissions"]) for role in roles if role["name"] == "Admin")


def test_what_is_open_to_all_is_not_widened_by_a_right_for_staff(suite, slug, weak, strong):
    area = suite.new_area(slug)
    person = suite.new_person(slug)
    theirs = suite.api(suite.sign_in_person(person))
    booking = theirs.book(spot_id=area["spots"][0], **suite.slot()).expect(201).body["id"]
    assert "booking.read_all" not in suite.api(weak).get("/v1/whoami").expect(200).body["permissions"]
    assert suite.api(weak).get(f"/v1/bookings/{booking}").status in (403, 404)
    assert booking not in suite.api(weak).get("/v1/bookings", params={"person_id": person["id"]}).text
    suite.api(strong).get(f"/v1/bookings/{booking}").expect(200)
    assert "booking.read_all" in suite.api(strong).get("/v1/whoami").expect(200).body["permissions"]


def test_with_a_factor_staff_do_their_work(suite, strong):
    staff = staff_operations(suite)
    assert claims(strong)["acr"] == "2fa"
    for name, method, path, permission in operations(suite):
        if name in staff and method == "GET":
            reply = call(suite.api(strong), method, path)
            assert reply.status not in (401, 403) or permission not in claims_of_role(suite), f"{name}: {reply.text[:200]}"


def test_a_client_that_acts_for_itself_is_no_person(suite, slug):
    client = suite.tenants[slug]["client"]
    token = token_request(suite.info, client, {"grant_type": "client_credentials"}).json()["access_token"]
    assert not {"acr", "mfa", "amr", "auth_time"} & set(claims(token))
    suite.api(token).get("/v1/audit/events").expect(200)


def set_demand(suite, token, value):
    api = suite.api(token)
    return api.patch("/v1/tenant", {"second_factor": value}, if_match=api.get("/v1/tenant").expect(200).etag)


def test_the_demand_is_changed_by_staff_told_and_in_force_at_once(suite):
    slug = suite.new_tenant("changing", second_factor=None)
    boss = suite.person(slug, "Admin")
    set_demand(suite, suite.sign_in_person(boss), "optional").problem(401, "insufficient_user_authentication", reason="tenant.manage")
    suite.give_factor(boss)
    strong = suite.token(slug, "Admin")
    person = suite.new_person(slug)
    plain = suite.sign_in_person(person)
    suite.api(plain).get("/v1/bookings").expect(200)

    assert set_demand(suite, strong, "all").expect(200).body["second_factor"] == "all"
    wait_for(lambda: suite.api(plain).get("/v1/bookings").status == 401, 2, "the end of a token that says what was demanded before")
    plain = suite.sign_in_person(person)
    assert claims(plain)["mfa"] == "all"
    suite.api(plain).get("/v1/bookings").problem(403, "second_factor_required", reason="booking.read")
    suite.api(plain).get("/v1/whoami").expect(200)
    suite.give_factor(person)
    suite.api(suite.sign_in_again(person)["access_token"]).get("/v1/bookings").expect(200)

    strong = suite.sign_in_again(boss)["access_token"]
    set_demand(suite, strong, "none").problem(400, "bad_field", field="second_factor")
    assert set_demand(suite, strong, "optional").expect(200).body["second_factor"] == "optional"
    strong = suite.sign_in_again(boss)["access_token"]

    def told():
        events = suite.api(strong).get("/v1/audit/events", params={"object_id": suite.tenants[slug]["id"]}).expect(200).body["items"]
        return [(event["before"]["second_factor"], event["after"]["second_factor"]) for event in events if event["action"] == "tenant.update"]
    wait_for(lambda: sorted(told()) == [("all", "optional"), ("staff", "all")], 15, "the events")
    desk = suite.new_person(slug, "Reception", by=suite.api(strong))
    suite.api(suite.sign_in_person(desk)).get("/v1/people").expect(200)


def sign_in_browser(suite, slug, person):
    """A browser signed in by the password."""
    flow = Authorization(suite.info, suite.tenants[slug]["client"])
    flow.follow(flow.submit(flow.login_page(flow.begin()), person["email"], person["password"]))
    return flow.browser


def age(suite, person, minutes):
    """As if the sign-ins had been that long ago."""
    suite.sql("update auth.session s set auth_at = s.auth_at - make_interval(mins => %s), created_at = s.created_at - make_interval(mins => %s) "
              "from auth.person p where p.tenant_id = s.tenant_id and p.id = s.person_id and p.public_id = %s", minutes, minutes, person["id"])


def test_what_is_dangerous_needs_a_fresh_factor_and_the_answer_says_so(suite, slug, boss, strong):
    assert strong
    age(suite, boss, 20)
    stale = suite.sign_in_again(boss)["access_token"]
    assert claims(stale)["acr"] == "2fa"
    granted, tried = claims_of_role(suite), set()
    for name, method, path, permission in operations(suite):
        if name not in flagged(suite, "x-berth-step-up") & staff_operations(suite) or permission not in granted:
            continue
        refused = call(suite.api(stale), method, path).problem(401, "insufficient_user_authentication", reason=permission)
        challenge = refused.headers["www-authenticate"]
        assert 'error="insufficient_user_authentication", acr_values="2fa", max_age="900"' in challenge, name
        tried.add(name)
    assert {"person_erase", "client_create", "client_delete", "person_factors_reset", "tenant_update", "person_update"} <= tried
    assert {"role_create", "role_update", "role_delete", "role_grant_create", "role_grant_revoke", "role_grant_approve", "role_grant_refuse",
            "group_create", "group_update", "group_delete", "ownership_transfer", "access_review_create", "access_review_certify",
            "access_review_close", "person_sessions_delete"} <= tried, "whoever steals a session gives nobody rights, and throws nobody out"
    suite.api(stale).get("/v1/people").expect(200)


def test_who_steals_a_session_neither_erases_its_person_nor_takes_all_of_theirs_out(suite):
    """Where a factor is demanded of everybody; elsewhere a person may have none to show."""
    slug = suite.new_tenant("everybody", second_factor="all")
    person = suite.person(slug, "Admin")
    suite.give_factor(person)
    age(suite, person, 20)
    stale = suite.api(suite.sign_in_again(person)["access_token"])
    stale.get("/v1/me").expect(200)
    stale.get("/v1/me/export").problem(401, "insufficient_user_authentication", reason="profile.read")
    stale.delete("/v1/me").problem(401, "insufficient_user_authentication", reason="profile.change")
    assert {"me_erase", "me_export"} <= flagged(suite, "x-berth-step-up")
    age(suite, person, -20)
    fresh = suite.api(suite.sign_in_again(person)["access_token"])
    fresh.get("/v1/me/export").expect(200)
    fresh.delete("/v1/me").problem(409, "conflict", reason="last_admin")


def test_the_client_comes_back_from_the_factor_with_a_fresh_token(suite, slug, strong):
    assert strong
    person = suite.new_person(slug, "Admin", by=suite.api(fresh_admin(suite, slug)))
    browser = sign_in_browser(suite, slug, person)
    secret, codes, *_ = enrol(browser)
    age(suite, person, 20)
    client = suite.tenants[slug]["client"]
    quiet = Authorization(suite.info, client, browser=browser, acr_values="2fa", max_age="900", prompt="none")
    assert quiet.follow(quiet.begin())["error"] == "login_required"
    flow = Authorization(suite.info, client, browser=browser, acr_values="2fa", max_age="900")
    asked = flow.begin()
    assert asked.status == 303 and asked.location.startswith("/login/factor?resume="), "the password is not asked again"
    token = flow.exchange(flow.follow(show(flow, asked, app_code(secret)))["code"]).json()["access_token"]
    assert claims(token)["acr"] == "2fa" and time.time() - claims(token)["auth_time"] < 60
    call(suite.api(token), "DELETE", "/v1/clients/{id}").problem(404, "not_found")


def fresh_admin(suite, slug):
    """A token good for what is dangerous: the Admin's session as if it had just begun."""
    boss = suite.person(slug, "Admin")
    suite.sql("update auth.session s set auth_at = now() from auth.person p "
              "where p.tenant_id = s.tenant_id and p.id = s.person_id and p.public_id = %s", boss["id"])
    return suite.sign_in_again(boss)["access_token"]


def test_who_has_no_factor_is_led_to_set_one_up_and_then_on_to_the_client(suite, slug, strong):
    assert strong
    person = suite.new_person(slug, "User", by=suite.api(fresh_admin(suite, slug)))
    client = suite.tenants[slug]["client"]
    flow = Authorization(suite.info, client, acr_values="phr 2fa")
    led = flow.submit(flow.login_page(flow.begin()), person["email"], person["password"])
    assert led.status == 303 and led.location.startswith("/account/factors?resume="), led.location
    quiet = Authorization(suite.info, client, browser=flow.browser, acr_values="2fa", prompt="none")
    assert quiet.follow(quiet.begin())["error"] == "unmet_authentication_requirements"
    shown = flow.browser.get(led.location)
    begun = flow.browser.post("/account/factors", {**shown.page().hidden, "action": "start"})
    secret = re.search(r"\b([A-Z2-7]{32})\b", begun.text)[1]
    done = flow.browser.post("/account/factors", {**begun.page().hidden, "code": app_code(secret)})
    onward = html.unescape(re.search(r'href="(/login/factor\?resume=[^"]+)"', done.text)[1])
    token = flow.exchange(flow.follow(flow.browser.get(onward))["code"]).json()["access_token"]
    assert claims(token)["acr"] == "2fa"
    assert flow.browser.get(onward).status == 200, "the request is spent: the link asks for a factor, and leads nowhere"


def verdicts(suite, api, path):
    """operationId -> what "why denied" says of it, and what the gateway does when it is tried."""
    for name, method, template, permission in operations(suite):
        if permission not in (None, "public", "self") and not template.startswith("/v1/me"):
            yield name, api.get(path, params={"operation": name}).expect(200).body, call(api, method, template)


def test_why_denied_names_the_factor_that_is_missing_not_shown_or_stale(suite, slug, strong):
    """Of oneself what the gateway says of this very sign-in; of others what their sign-ins will have to show."""
    assert strong
    boss = suite.api(fresh_admin(suite, slug))
    person = suite.new_person(slug, "Admin", by=boss)
    weak = suite.api(suite.sign_in_person(person))
    granted, seen = claims_of_role(suite), collections.Counter()

    def compare(api, rule, of_shown, of_fresh):
        for name, verdict, reply in verdicts(suite, api, "/v1/me/access"):
            code = (reply.body or {}).get("code") if reply.status >= 400 else None
            wanted = verdict.get("second_factor")
            if verdict["permission"] not in granted:
                assert verdict["rule"] == "permission_missing", name
            elif verdict.get("rule") == rule:
                assert code == {"shown": of_shown, "fresh": of_fresh}[wanted], f"{name}: {verdict}, {reply.text[:200]}"
                seen[rule, wanted] += 1
            else:
                assert verdict["allowed"] and code not in ("second_factor_required", "insufficient_user_authentication"), f"{name}: {verdict}"

    refused = ("second_factor_required", "insufficient_user_authentication")
    compare(weak, "second_factor_missing", *refused)
    path = f"/v1/people/{person['id']}/access"
    assert boss.get(path, params={"operation": "person_list"}).expect(200).body["rule"] == "second_factor_missing"
    assert "second_factor" not in boss.get(path, params={"operation": "booking_create"}).expect(200).body
    suite.give_factor(person)
    compare(weak, "second_factor_not_shown", *refused)
    of_others = boss.get(path, params={"operation": "client_create"}).expect(200).body
    assert of_others["allowed"] and of_others["second_factor"] == "fresh", "what the next sign-in has to show"
    age(suite, person, 20)
    compare(suite.api(suite.sign_in_again(person)["access_token"]), "second_factor_stale", None, refused[1])
    assert {("second_factor_missing", "shown"), ("second_factor_missing", "fresh"), ("second_factor_not_shown", "shown"),
            ("second_factor_not_shown", "fresh"), ("second_factor_stale", "fresh")} == set(seen), seen


def test_why_denied_takes_the_way_that_needs_no_factor(suite, slug, strong):
    """Bookings of others: a right for staff takes a factor, being somebody's assistant takes none."""
    assert strong
    boss = suite.api(fresh_admin(suite, slug))
    person, principal = suite.new_person(slug, ["User", "Reception"], by=boss), suite.new_person(slug, by=boss)
    path, about = f"/v1/people/{person['id']}/access", {"operation": "booking_create", "for_person_id": principal["id"]}
    verdict = boss.get(path, params=about).expect(200).body
    assert (verdict["rule"], verdict["permission"]) == ("second_factor_missing", "booking.manage"), verdict
    boss.post("/v1/grants", {"person_id": person["id"], "role": "Assistant", "scope": "principal", "scope_id": principal["id"], "reason": "leave"}).expect(201)
    verdict = boss.get(path, params=about).expect(200).body
    assert verdict["allowed"] and verdict["permission"] == "booking.act_for" and "second_factor" not in verdict, verdict
