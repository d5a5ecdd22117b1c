# SPDX-License-Identifier: Apache-2.0
"""One action for each change that has crash points: what to prepare, the change itself (it may be cut off anywhere), and what must
hold after recovery. A change that takes a key is asked again with the same key; one that takes a version only if it did not happen."""
import collections
import concurrent.futures
import secrets

import httpx

import berth_crash_account
import berth_flow
from berth_suite import wait_for


# Done twice these are two changes of one version, each at its own time.
UNVERSIONED = {"factor.codes"}


class Work:
    """What one crash is tried on."""

    def __init__(self, suite, slug):
        self.suite, self.slug = suite, slug
        self.admin, self.user = suite.as_role(slug, "Admin"), suite.as_role(slug, "User")
        self.security = suite.as_role(slug, "Security")
        self.client = suite.tenants[slug]["client"]
        self.mark, self.key = secrets.token_hex(4), secrets.token_hex(8)
        self.objects = []   # whose events are looked at in the end
        self.first = None

    def person(self):
        self.somebody = self.suite.new_person(self.slug)
        return self.somebody

    def check_events(self):
        """Each object has events, and none twice."""
        for object_id in self.objects:
            events = wait_for(lambda one=object_id: self.suite.events(self.slug, object_id=one, limit=200), 20, f"events of {object_id}")
            seen = collections.Counter((event["action"], event["object_version"], event["action"] in UNVERSIONED and event["at"])
                                       for event in events if event["object_version"])
            assert all(count == 1 for count in seen.values()), f"an event stands there twice: {seen}"
            assert sum(event["before"] is None and not event["erased"] and event["action"].endswith(("create", "invite"))
                       for event in events) <= 1


def nothing(_work):
    pass


def making(path, body, who="admin", prepare=nothing):
    """POST with a key."""
    def ask(work):
        return getattr(work, who).post(path, body(work), key=work.key)

    def check(work):
        again = ask(work).expect(201)
        if work.first is not None and work.first.status == 201:
            assert work.first.body["id"] == again.body["id"], "the retry had a second effect"
        assert ask(work).expect(201).body["id"] == again.body["id"]
        work.objects.append(again.body["id"])
    return prepare, ask, check


def changing(path, body, made, who="admin", method="PATCH"):
    """PATCH or DELETE with a version; `made(work)` makes the object and says its id."""
    def prepare(work):
        work.id = made(work)
        work.before = getattr(work, who).get(path(work)).expect(200)

    def ask(work):
        return getattr(work, who).call(method, path(work), body(work) if body else None, if_match=work.before.etag)

    def check(work):
        api = getattr(work, who)
        now = api.get(path(work))
        if now.status == 200 and now.etag == work.before.etag:
            assert work.first is None or work.first.status != 200, "an acknowledged change is lost"
            ask(work).expect(200, 204)
        elif now.status == 200:
            ask(work).problem(412, "version_stale")
        work.objects.append(work.id)
    return prepare, ask, check


def forgetting(path, made, who="admin"):
    """DELETE without a version: repeating it changes nothing more."""
    def prepare(work):
        work.id = made(work)

    def ask(work):
        return getattr(work, who).delete(path(work))

    def check(work):
        ask(work).expect(204, 404)
        ask(work).expect(204, 404)
        work.objects.append(work.id)
    return prepare, ask, check


def putting(path, body, made, who="admin"):
    """PUT of the whole: repeating it says the same."""
    def prepare(work):
        work.id = made(work)

    def ask(work):
        return getattr(work, who).call("PUT", path(work), body(work))

    def check(work):
        first, again = ask(work).expect(200), ask(work).expect(200)
        assert first.body == again.body and body(work).items() <= again.body.items()
        work.objects.append(work.id)
    return prepare, ask, check


def erasing():
    def ask(work):
        return work.admin.delete(f"/v1/people/{work.somebody['id']}")

    def check(work):
        reply = ask(work).expect(200, 202, 404)

        def done():
            items = work.admin.get("/v1/erasures", params={"limit": 200}).expect(200).body["items"]
            mine = [item for item in items if item["person_id"] == work.somebody["id"]]
            return mine and all(item["status"] == "completed" for item in mine)
        wait_for(done, 60, f"the erasure that was begun ({reply.status})")
        assert work.admin.get("/v1/people", params={"email": work.somebody["email"]}).expect(200).body["items"] == []
        for stay in work.stays:
            now = work.admin.get(f"/v1/bookings/{stay}").expect(200).body
            assert now["status"] == "cancelled" and now["person_id"] is None

    def prepare(work):
        person = work.person()
        api = work.suite.api(work.suite.sign_in_person(person))
        area = work.suite.new_area(work.slug)
        work.stays = [api.book(spot_id=area["spots"][0], **work.suite.slot()).expect(201).body["id"]]
    return prepare, ask, check


def retaining():
    """A stay of last year is made nobody's, by a sweep that nobody asks for."""
    swept = "update gdpr.retention_run set last_run_at = now() - interval '1 year', retry_at = null, claimed_until = null where service = 'bookingsvc'"
    nobodys = "select person_no is null and created_by_no is null and note is null, version from booking.booking where id = %s"

    def prepare(work):
        work.area = work.suite.new_area(work.slug)
        now = work.user.book(spot_id=work.area["spots"][0], note="a note", **work.suite.slot()).expect(201).body["id"]
        work.id = work.suite.sql("""insert into booking.booking (tenant_id, id, site_no, area_no, spot_no, person_no, created_by_no, starts_at, ends_at,
                                    held_until, created_at, policy_version, version, status, note)
                                    select tenant_id, gen_random_uuid(), site_no, area_no, spot_no, person_no, created_by_no, now() - interval '365 days',
                                    now() - interval '364 days', now() - interval '364 days', now() - interval '400 days', policy_version, 1, 1, note
                                    from booking.booking where id = %s returning id::text""", now)[0][0]

    def ask(work):
        work.suite.sql(swept)

    def check(work):
        ask(work)
        wait_for(lambda: work.suite.sql(nobodys, work.id)[0][0], 60, "the sweep")
        assert work.suite.sql("delete from booking.booking where id = %s returning 1", work.id) == [(1,)]
    return prepare, ask, check


def signing_in():
    def prepare(work):
        work.person()

    def ask(work):
        return work.suite.sign_in_person(work.somebody)

    def check(work):
        work.suite.api(ask(work)).get("/v1/me").expect(200)
    return prepare, ask, check


def tokens_of(work):
    flow = berth_flow.Authorization(work.suite.info, work.client, scope="openid offline_access berth")
    work.code = flow.code(work.somebody["email"], work.somebody["password"])["code"]
    work.flow = flow
    reply = flow.exchange(work.code)
    assert reply.status == 200, reply.text
    return reply.json()


def ending_tokens(end):
    """Something that revokes: afterwards, asked again if need be, the access token is dead."""
    def prepare(work):
        work.person()
        work.tokens = tokens_of(work)

    def check(work):
        end(work)
        wait_for(lambda: work.suite.api(work.tokens["access_token"]).get("/v1/whoami").status == 401, 5, "the revocation")
    return prepare, end, check


def refreshing_many():
    """Refreshes that arrive together, of families of one person: who asks again with the same token has the successor."""
    def prepare(work):
        work.person()
        browser = berth_flow.Browser(work.suite.info)
        work.chains = []
        for number in range(MANY):
            flow = berth_flow.Authorization(work.suite.info, work.client, scope="openid offline_access berth", browser=browser)
            code = flow.follow(flow.begin()) if number else flow.code(work.somebody["email"], work.somebody["password"])
            work.chains.append(flow.exchange(code["code"]).json()["refresh_token"])

    def one(work, token):
        try:
            return berth_flow.token_request(work.suite.info, work.client, {"grant_type": "refresh_token", "refresh_token": token})
        except (httpx.HTTPError, OSError):
            return None

    def ask(work):
        with concurrent.futures.ThreadPoolExecutor(MANY) as pool:
            return list(pool.map(lambda token: one(work, token), work.chains))

    def check(work):
        for number, token in enumerate(work.chains):
            before = work.first[number] if work.first else None
            newest = before.json()["refresh_token"] if before is not None and before.status == 200 else token
            again = one(work, newest)
            # Nobody asks again within the seconds in which that is no theft when a process took longer to come back.
            assert again.status == 200 or (newest == token and again.json()["error"] == "invalid_grant"), again.text
    return prepare, ask, check


def replay(work):
    return work.flow.exchange(work.code)


def revoke(work):
    return berth_flow.Browser(work.suite.info).post(
        "/oauth2/revoke", {"token": work.tokens["refresh_token"]}, headers=berth_flow.basic(work.client))


def logging_out():
    def prepare(work):
        work.person()
        work.tokens = tokens_of(work)

    def ask(work):
        page = work.flow.browser.get("/login").page()
        return work.flow.browser.post("/logout", page.hidden)

    def check(work):
        ask(work)
        flow = berth_flow.Authorization(work.suite.info, work.client, browser=work.flow.browser)
        assert flow.login_page(flow.begin()).action is not None
    return prepare, ask, check


def accepting():
    def prepare(work):
        work.somebody = work.suite.invite(work.slug)
        work.somebody["password"] = secrets.token_urlsafe(18)
        work.link = work.suite.link_in_mail(work.somebody["email"], "invitation")

    def ask(work):
        return work.suite.api().post("/v1/invitations/accept", {"token": work.link, "password": work.somebody["password"]})

    def check(work):
        ask(work).expect(200, 410)
        work.suite.api(work.suite.sign_in_person(work.somebody)).get("/v1/me").expect(200)
    return prepare, ask, check


def registering(verify):
    """Registration, or the proof of the address that follows it."""
    def register(work):
        return work.suite.api().post("/v1/registrations", {
            "tenant": work.slug, "email": work.address, "password": work.password, "given_name": "New", "family_name": "Comer"})

    def confirm(work):
        return work.suite.api().post("/v1/verifications/confirm", {"token": work.link, "password": work.password})

    def prepare(work):
        work.address, work.password = f"new@{work.mark}.example", secrets.token_urlsafe(18)
        tenant = work.admin.get("/v1/tenant").expect(200)
        work.admin.patch("/v1/tenant", {"registration_domain": f"{work.mark}.example"}, if_match=tenant.etag).expect(200)
        if verify:
            register(work).expect(202)
            work.link = work.suite.link_in_mail(work.address, "verification")

    def check(work):
        if not verify:
            register(work).expect(202)
            work.link = work.suite.link_in_mail(work.address, "verification")
        confirm(work).expect(200, 410)
        token = work.suite.sign_in(work.slug, work.address, work.password)["access_token"]
        work.suite.api(token).get("/v1/me").expect(200)
        assert len(work.admin.get("/v1/people", params={"email": work.address}).expect(200).body["items"]) == 1
    return prepare, confirm if verify else register, check


def mailing():
    """A mail that was being sent arrives, at least once."""
    def ask(work):
        work.somebody = work.suite.invite(work.slug)
        return None

    def check(work):
        if not hasattr(work, "somebody"):
            ask(work)
        # Whoever died with it held it for two minutes.
        wait_for(lambda: work.suite.mails(work.somebody["email"]), 150, "the mail after recovery")
    return nothing, ask, check


MANY = 24


def booking_many():
    """Bookings that arrive together, so that they are decided as one batch."""
    def prepare(work):
        work.area = work.suite.new_area(work.slug, spots=1)
        work.slots = [work.suite.slot() for _ in range(MANY)]

    def one(work, number):
        body = {"spot_id": work.area["spots"][0], **work.slots[number]}
        try:
            return work.user.post("/v1/bookings", body, key=f"{work.key}-{number}")
        except httpx.HTTPError:
            return None

    def ask(work):
        with concurrent.futures.ThreadPoolExecutor(MANY) as pool:
            return list(pool.map(lambda number: one(work, number), range(MANY)))

    def check(work):
        for number in range(MANY):
            again = one(work, number).expect(201).body
            before = work.first[number] if work.first else None
            if before is not None and before.status == 201:
                assert before.body["id"] == again["id"], "the retry had a second effect"
            work.objects.append(again["id"])
    return prepare, ask, check


def searching():
    def prepare(work):
        work.plate = f"C{secrets.token_hex(3).upper()}"
        work.user.post("/v1/vehicles", {"plate": work.plate, "country": "FR"}).expect(201)

    def ask(work):
        return work.security.get("/v1/vehicles", params={"plate": work.plate, "country": "FR"})

    def check(work):
        assert len(ask(work).expect(200).body["items"]) == 1
    return prepare, ask, check


def made(path, body, who="admin"):
    return lambda work: getattr(work, who).post(path, body(work)).expect(201).body["id"]


def site(work):
    return {"name": f"Site {work.mark}", "time_zone": "Europe/Brussels"}


def area(work):
    if not hasattr(work, "site_id"):
        work.site_id = work.suite.new_site(work.slug)
    return {"name": f"Area {work.mark}", "site_id": work.site_id}


def with_area(work):
    work.area = work.suite.new_area(work.slug, spots=1)
    work.slot = work.suite.slot()


def spot(work):
    if not hasattr(work, "area"):
        with_area(work)
    return {"name": f"Spot {work.mark}", "area_id": work.area["id"]}


def stay(work):
    if not hasattr(work, "area"):
        with_area(work)
    return {"spot_id": work.area["spots"][0], **work.slot}


def vehicle(work):
    return {"plate": f"V{work.mark[:5].upper()}", "country": "FR"}


def client(work):
    return {"name": f"Client {work.mark}", "kind": "public", "redirect_uris": ["https://localhost/back"]}


def origins(work):
    return {"allowed_origins": [f"https://{work.mark}.example"]}


def person(work):
    return {"email": f"crash.{work.mark}@{work.slug}.example", "given_name": "Crash", "family_name": "Point", "roles": ["User"]}


def pair(work):
    if not hasattr(work, "somebody"):
        work.person()
    return {"assistant_id": work.suite.person(work.slug, "Assistant")["id"], "principal_id": work.somebody["id"]}


def renamed(kind):
    return lambda work: {"name": f"{kind} {work.mark} renamed"}


def own_profile(work):
    work.person()
    work.self = work.suite.api(work.suite.sign_in_person(work.somebody))
    return work.somebody["id"]


BOOKING = making("/v1/bookings", stay, "user", with_area)
ACTIONS = {
    "site_create": making("/v1/sites", site),
    "site_update": changing(lambda work: f"/v1/sites/{work.id}", renamed("Site"), made("/v1/sites", site)),
    "area_create": making("/v1/areas", area),
    "area_update": changing(lambda work: f"/v1/areas/{work.id}", renamed("Area"), made("/v1/areas", area)),
    "spot_create": making("/v1/spots", spot, prepare=with_area),
    "spot_update": changing(lambda work: f"/v1/spots/{work.id}", renamed("Spot"), made("/v1/spots", spot)),
    "vehicle_create": making("/v1/vehicles", vehicle, "user"),
    "vehicle_delete": forgetting(lambda work: f"/v1/vehicles/{work.id}", made("/v1/vehicles", vehicle, "user"), "user"),
    "vehicle_list": searching(),
    "delegation_create": making("/v1/delegations", pair, prepare=Work.person),
    "delegation_delete": forgetting(lambda work: f"/v1/delegations/{work.id}", made("/v1/delegations", pair)),
    "booking_create": BOOKING,
    "booking_create_many": booking_many(),
    "booking_change": changing(
        lambda work: f"/v1/bookings/{work.id}", lambda work: {"note": work.mark}, made("/v1/bookings", stay, "user"), "user"),
    "booking_retain": retaining(),
    "audit.append": BOOKING,
    "audit.checkpoint": BOOKING,
    "audit.erase": erasing(),
    "auth_erase": erasing(),
    "booking_erase": erasing(),
    "erasure": erasing(),
    "client_create": making("/v1/clients", client),
    "client_delete": forgetting(lambda work: f"/v1/clients/{work.id}", made("/v1/clients", client)),
    "client_update": changing(lambda work: f"/v1/clients/{work.id}", renamed("Client"), made("/v1/clients", client)),
    "client_origins_replace": putting(lambda work: f"/v1/clients/{work.id}/origins", origins, made("/v1/clients", client)),
    "person_invite": making("/v1/people", person),
    "person_update": changing(
        lambda work: f"/v1/people/{work.id}", lambda work: {"roles": ["Reception"]}, made("/v1/people", person)),
    "me_update": changing(lambda work: "/v1/me", lambda work: {"given_name": f"Given{work.mark}"}, own_profile, "self"),
    "tenant_update": changing(
        lambda work: "/v1/tenant", lambda work: {"name": f"Acme {work.mark}"}, lambda work: work.suite.tenants[work.slug]["id"]),
    "login": signing_in(),
    "token": signing_in(),
    "token_many": refreshing_many(),
    "logout": logging_out(),
    "revoke": ending_tokens(revoke),
    "invitation_accept": accepting(),
    "registration": registering(False),
    "verification": registering(True),
    "mail": mailing(),
}
ACTIONS.update(berth_crash_account.actions(tokens_of))
REPLAY = ending_tokens(replay)
