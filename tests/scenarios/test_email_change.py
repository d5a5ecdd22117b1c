# SPDX-License-Identifier: Apache-2.0
"""Another e-mail address: both confirm it by mailed links, the old one can stop it, and nobody learns whose an address is."""
import concurrent.futures
import secrets

import pytest

from berth_flow import Authorization, Browser, FlowError
from berth_suite import wait_for
from test_factors import enrolled
from test_passwords import actions, ask as ask_for_password, choose, link_for, mails_with, tokens_of

ORDER = 48


def fresh(slug):
    return f"moved.{secrets.token_hex(5)}@{slug}.example"


def wish(flow, address, password):
    page = flow.browser.get("/account/email").page()
    return flow.browser.post("/account/email", {**page.hidden, "email": address, "current": password})


def links(suite, client, person, address):
    """Asked for: the flow, and the tokens of the mails to the old address and the new one."""
    flow, _ = tokens_of(suite, client, person)
    reply = wish(flow, address, person["password"])
    assert reply.status == 200 and "both mailboxes" in reply.text, reply.text[:400]
    return flow, suite.link_in_mail(person["email"], "email/confirm"), suite.link_in_mail(address, "email/confirm")


def answer(suite, link, action="confirm", browser=None):
    browser = browser or Browser(suite.info)
    page = browser.get(f"/email/confirm?token={link}").page()
    return browser.post("/email/confirm", {"token": link, **page.hidden, "action": action})


def address_of(suite, person):
    return suite.as_role(person["slug"], "Admin").get(f"/v1/people/{person['id']}").expect(200).body


def refused(suite, person, address):
    with pytest.raises(FlowError):
        suite.sign_in(person["slug"], address, person["password"])


@pytest.mark.parametrize("first", [0, 1], ids=["the old one first", "the new one first"])
def test_the_address_changes_once_both_have_confirmed(suite, client, person, first):
    address = fresh(person["slug"])
    version = address_of(suite, person)["version"]
    _, *both = links(suite, client, person, address)
    half = answer(suite, both[first])
    assert half.status == 200 and "other address must confirm too" in half.text
    assert address_of(suite, person)["email"] == person["email"]
    refused(suite, person, address)
    assert answer(suite, both[first]).status == 410, "a link is good once"
    done = answer(suite, both[1 - first])
    assert done.status == 200 and "address is changed" in done.text
    after = address_of(suite, person)
    assert after["email"] == address and after["email_verified"] is True and after["version"] > version
    refused(suite, person, person["email"])
    suite.sign_in(person["slug"], address, person["password"])
    admin = suite.as_role(person["slug"], "Admin")
    assert admin.get("/v1/people", params={"email": person["email"]}).body["items"] == []
    assert [item["id"] for item in admin.get("/v1/people", params={"email": address}).body["items"]] == [person["id"]]
    for link in both:
        assert answer(suite, link).status == 410
    for mailbox in (person["email"], address):
        wait_for(lambda mailbox=mailbox: mails_with(suite, mailbox, "was changed, as both addresses confirmed"), 20, "the mail that tells of it")
    wait_for(lambda: {"person.email_request", "person.email_confirm", "person.email_change"} <= set(actions(suite, person)), 20, "the events")


def test_the_old_address_stops_it_and_the_new_one_cannot(suite, client, person):
    address = fresh(person["slug"])
    _, old, new = links(suite, client, person, address)
    assert "Stop the change" not in Browser(suite.info).get(f"/email/confirm?token={new}").text
    assert answer(suite, new, "cancel").status == 400
    assert answer(suite, new).status == 200
    assert "was stopped" in answer(suite, old, "cancel").text
    for link in (old, new):
        assert answer(suite, link).status == 410
    assert address_of(suite, person)["email"] == person["email"]
    wait_for(lambda: "person.email_cancel" in actions(suite, person), 20, "the event")


def test_many_at_once_confirm_once(suite, client, person):
    address = fresh(person["slug"])
    _, old, new = links(suite, client, person, address)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda number: answer(suite, (old, new)[number % 2]).status, range(12)))
    assert sorted(statuses) == [200, 200] + [410] * 10, statuses
    assert address_of(suite, person)["email"] == address
    assert suite.sql("select count(*) from auth.email_change c join auth.person p on p.tenant_id = c.tenant_id and p.id = c.person_id where p.public_id = %s",
                     person["id"])[0][0] == 0


def test_an_address_that_is_somebodys_is_not_told_and_comes_to_nothing(suite, client, person):
    other = suite.new_person(person["slug"])
    flow, _ = tokens_of(suite, client, person)
    free = wish(flow, fresh(person["slug"]), person["password"])
    taken = wish(flow, other["email"], person["password"])
    assert (taken.status, taken.text) == (free.status, free.text) and taken.status == 200
    told = wait_for(lambda: mails_with(suite, other["email"], "it is yours already"), 20, "the mail")[0]
    assert "token=" not in told and person["email"] not in told
    old = suite.link_in_mail(person["email"], "email/confirm")
    answer(suite, old)
    assert address_of(suite, person)["email"] == person["email"] and address_of(suite, other)["email"] == other["email"]


def test_a_new_password_ends_a_change_that_is_under_way(suite, client, person):
    """Whoever asked for it need not be the one who chose the password."""
    _, old, new = links(suite, client, person, fresh(person["slug"]))
    assert choose(suite, link_for(suite, person))[1].status == 303
    assert [answer(suite, link).status for link in (old, new)] == [410, 410]


def test_an_address_that_became_somebodys_meanwhile_is_not_taken_over(suite, client, person):
    address = fresh(person["slug"])
    _, old, new = links(suite, client, person, address)
    assert answer(suite, old).status == 200
    other = suite.new_person(person["slug"], email=address)
    assert answer(suite, new).status == 410
    assert address_of(suite, person)["email"] == person["email"] and address_of(suite, other)["email"] == address


def test_it_takes_the_password_and_the_factor(suite, client, person):
    flow, _ = tokens_of(suite, client, person)
    assert wish(flow, fresh(person["slug"]), "not the password").status == 403
    assert wish(flow, "no address", person["password"]).status == 422
    assert flow.browser.post("/account/email", {"csrf": "x" * 43, "email": fresh(person["slug"]), "current": person["password"]}).status == 403
    assert Browser(suite.info).get("/account/email").location == "/login"
    enrolled(suite, client, person)
    assert flow.browser.get("/account/email").location == "/login/factor"
    assert suite.sql("select count(*) from auth.email_change c join auth.person p on p.tenant_id = c.tenant_id and p.id = c.person_id where p.public_id = %s",
                     person["id"])[0][0] == 0


def test_a_newer_wish_voids_the_older_and_mails_are_few(suite, client, person):
    flow, old, new = links(suite, client, person, fresh(person["slug"]))
    second = fresh(person["slug"])
    assert wish(flow, second, person["password"]).status == 200
    for link in (old, new):
        assert answer(suite, link).status == 410
    statuses = [wish(flow, fresh(person["slug"]), person["password"]).status for _ in range(3)]
    assert 429 in statuses, statuses


def test_what_was_mailed_to_the_old_address_opens_nothing_afterwards(suite, client, person):
    assert ask_for_password(suite, person["slug"], person["email"]).status == 200
    reset = suite.link_in_mail(person["email"], "password/reset")
    _, old, new = links(suite, client, person, fresh(person["slug"]))
    answer(suite, old)
    assert Browser(suite.info).get(f"/password/reset?token={reset}").status == 200
    answer(suite, new)
    assert Browser(suite.info).get(f"/password/reset?token={reset}").status == 410


def test_the_new_address_is_sealed_exported_and_erased(suite, client, person):
    address = fresh(person["slug"])
    links(suite, client, person, address)
    held = suite.sql("select c.email from auth.email_change c join auth.person p on p.tenant_id = c.tenant_id and p.id = c.person_id where p.public_id = %s", person["id"])
    assert len(held) == 1 and address.encode() not in bytes(held[0][0])
    api = suite.api(suite.sign_in_person(person))
    assert address in api.get("/v1/me/export").expect(200).text
    suite.as_role(person["slug"], "Admin").delete(f"/v1/people/{person['id']}").expect(200, 202)
    wait_for(lambda: suite.sql("select count(*) from auth.email_change c join auth.person p on p.tenant_id = c.tenant_id and p.id = c.person_id where p.public_id = %s",
                               person["id"])[0][0] == 0, 30, "the erasure")


def test_forms_of_others_change_nothing(suite, client, person):
    _, old, new = links(suite, client, person, fresh(person["slug"]))
    for link in (old, new):
        hidden = Browser(suite.info).get(f"/email/confirm?token={link}").page().hidden
        assert Browser(suite.info).post("/email/confirm", {**hidden, "action": "confirm"}).status == 403
    assert address_of(suite, person)["email"] == person["email"]


@pytest.mark.parametrize("language, words", [("fr", "Changer l’adresse e\u2011mail"), ("nl", "E\u2011mailadres wijzigen"), ("en", "Change the e\u2011mail address")])
def test_the_page_stands_in_three_languages(suite, client, person, language, words):
    flow, _ = tokens_of(suite, client, person)
    reply = flow.browser.get("/account/email", headers={"Accept-Language": language})
    assert words in reply.text and "<script" not in reply.text
