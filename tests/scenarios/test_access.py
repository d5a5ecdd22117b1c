# SPDX-License-Identifier: Apache-2.0
"""Who may what: no token, bad tokens, unverified people, roles and operations, and the borders between tenants."""
import base64
import json
import re
import secrets
import uuid

import httpx
import pytest

from berth_flow import Browser
from berth_suite import BUILT_IN, wait_for

ORDER = 30
UNKNOWN = "0192a3b4-c5d6-7e8f-8a9b-0c1d2e3f4a5b"


def b64(document):
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def part(token, place):
    text = token.split(".")[place]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def with_part(token, place, document):
    parts = token.split(".")
    parts[place] = b64(document)
    return ".".join(parts)


def operations(suite):
    """(name, method, path, permission or None) of each operation, from the description that the gateway serves."""
    document = suite.api().get("/openapi.json").expect(200).body
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "patch", "delete", "put"):
                yield operation["operationId"], method.upper(), path, operation.get("x-berth-permission")


def call(api, method, path):
    """The operation on ids that do not exist, with a body that would do nothing."""
    more = {"json_body": {}} if method in ("POST", "PATCH") else {}
    return api.call(method, re.sub(r"\{\w+\}", UNKNOWN, path), if_match='"1"' if method in ("PATCH", "DELETE") else None, **more)


def test_without_a_token_every_operation_but_the_public_ones_is_401(suite):
    tried = 0
    for name, method, path, permission in operations(suite):
        if permission in (None, "public"):
            continue
        tried += 1
        reply = call(suite.api(), method, path)
        assert reply.status == 401, f"{name}: {reply.status}"
        assert reply.headers["www-authenticate"].startswith("Bearer"), name
    assert tried >= 40


@pytest.mark.seconds(300)
@pytest.mark.parametrize("role", [*BUILT_IN, None])
def test_each_role_may_what_its_permissions_say_and_nothing_else(suite, slug, role):
    """The matrix role × operation: a right that is missing is named in a 403; with it the answer is any other. Without a role
    everything is denied that does not say otherwise."""
    # A person of one's own: the operations on oneself really happen.
    person = suite.newcomer(slug, role)
    granted = set(suite.api(suite.sign_in_person(person)).get("/v1/whoami").expect(200).body["permissions"])
    api = suite.api(suite.sign_in_person(person))
    refused, passed = [], []
    for name, method, path, permission in operations(suite):
        if permission in (None, "public") or (path in ("/v1/me", "/v1/me/sessions") and method == "DELETE"):
            continue
        reply = call(api, method, path)
        if permission != "self" and permission not in granted:
            assert reply.status == 403, f"{role} {name}: {reply.status} {reply.text[:200]}"
            assert reply.body["code"] == "forbidden" and reply.body["reason"] == permission, f"{name}: {reply.text}"
            refused.append(name)
        else:
            stepped = reply.status == 401 and reply.body["code"] == "insufficient_user_authentication"
            assert stepped or reply.status not in (401, 500, 502), f"{role} {name}: {reply.status} {reply.text[:200]}"
            assert reply.status != 403 or reply.body["reason"] != permission, f"{role} {name}: {reply.text}"
            passed.append(name)
    assert passed and refused
    assert role is not None or set(passed) == {name for name, _, _, permission in operations(suite) if permission == "self"}


def test_what_a_role_grants_is_what_the_token_holds(suite, slug, admin):
    roles = {role["name"]: set(role["permissions"]) for role in admin.get("/v1/roles").expect(200).body["items"]}
    assert set(BUILT_IN) <= set(roles)
    for role in BUILT_IN:
        api = suite.api(suite.sign_in_person(suite.newcomer(slug, role)))
        assert set(api.get("/v1/whoami").expect(200).body["permissions"]) == roles[role]


BAD_TOKENS = {
    "no JWT": lambda token: "abc",
    "two parts": lambda token: ".".join(token.split(".")[:2]),
    "four parts": lambda token: token + ".x",
    "a changed signature": lambda token: token[:-6] + ("AAAAAA" if not token.endswith("AAAAAA") else "BBBBBB"),
    "no signature": lambda token: ".".join(token.split(".")[:2]) + ".",
    "algorithm none": lambda token: ".".join([b64({**part(token, 0), "alg": "none"}), token.split(".")[1], ""]),
    "algorithm NoNe": lambda token: ".".join([b64({**part(token, 0), "alg": "NoNe"}), token.split(".")[1], ""]),
    "algorithm HS256": lambda token: with_part(token, 0, {**part(token, 0), "alg": "HS256"}),
    "another key id": lambda token: with_part(token, 0, {**part(token, 0), "kid": "nobody"}),
    "a key id with a path": lambda token: with_part(token, 0, {**part(token, 0), "kid": "../../../dev/null"}),
    "a key id with SQL": lambda token: with_part(token, 0, {**part(token, 0), "kid": "x' or '1'='1"}),
    "an embedded key": lambda token: with_part(token, 0, {**part(token, 0), "jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}}),
    "a key's address": lambda token: with_part(token, 0, {**part(token, 0), "jku": "https://localhost/keys"}),
    "another type": lambda token: with_part(token, 0, {**part(token, 0), "typ": "JWT"}),
    "an unknown critical header": lambda token: with_part(token, 0, {**part(token, 0), "crit": ["x"], "x": 1}),
    "another tenant": lambda token: with_part(token, 1, {**part(token, 1), "tid": str(uuid.uuid4())}),
    "another audience": lambda token: with_part(token, 1, {**part(token, 1), "aud": "https://elsewhere.example"}),
    "another issuer": lambda token: with_part(token, 1, {**part(token, 1), "iss": "https://elsewhere.example"}),
    "another environment": lambda token: with_part(token, 1, {**part(token, 1), "env": "production"}),
    "a later expiry": lambda token: with_part(token, 1, {**part(token, 1), "exp": part(token, 1)["exp"] + 86400}),
    "padding": lambda token: token + "=",
    "a blank inside": lambda token: token.replace(".", ". ", 1),
    "very long": lambda token: token + "A" * 6000,
}


@pytest.mark.parametrize("bend", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
def test_a_bad_token_is_401(suite, slug, bend):
    token = suite.token(slug, "Admin")
    reply = suite.api().get("/v1/whoami", headers={"Authorization": f"Bearer {bend(token)}"})
    assert reply.status in (400, 401, 431), reply.text
    if reply.status == 401:
        assert reply.body["code"] == "unauthenticated"
    suite.api(token).get("/v1/whoami").expect(200)


@pytest.mark.parametrize("value", ["Basic abc", "bearer", "Token abc", "Bearer a b", "Bearer", "Bearer ", "Bearer  ", ""])
def test_another_authorization_scheme_is_401(suite, value):
    assert Browser(suite.info).get("/v1/whoami", headers={"Authorization": value}).status == 401


def test_a_token_in_the_query_is_not_read(suite, slug):
    reply = suite.api().get(f"/v1/whoami?access_token={suite.token(slug, 'User')}")
    assert reply.status in (400, 401)


def test_identity_headers_of_a_client_are_not_believed(suite, slug, other_slug):
    token = suite.token(slug, "User")
    head = {name: suite.tenants[other_slug]["id"] for name in ("X-Tenant", "X-Tenant-Id", "X_Tenant", "X-User", "Berth-Tenant")}
    head |= {"Forwarded": "for=127.0.0.1", "X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"}
    me = suite.api(token).get("/v1/whoami", headers=head).expect(200).body
    assert me["tenant_id"] == suite.tenants[slug]["id"]


def test_an_invited_person_cannot_sign_in_before_accepting(suite, slug):
    person = suite.invite(slug)
    for password in ("", "x" * 20, person["email"]):
        with pytest.raises(Exception):
            suite.sign_in(slug, person["email"], password)


def test_an_unverified_person_gets_403_on_every_operation(suite, slug, admin):
    """Registered, signed in, but the address was never proved."""
    tenant = admin.get("/v1/tenant").expect(200)
    domain = f"{secrets.token_hex(4)}.example"
    admin.patch("/v1/tenant", {"registration_domain": domain}, if_match=tenant.etag).expect(200)
    person = {"email": f"new@{domain}", "password": secrets.token_urlsafe(18), "given_name": "New", "family_name": "Comer"}
    suite.api().post("/v1/registrations", {"tenant": slug, **person}).expect(202)
    token = suite.sign_in(slug, person["email"], person["password"])["access_token"]
    api = suite.api(token)
    tried = 0
    for name, method, path, permission in operations(suite):
        if permission in (None, "public") or not path.startswith("/v1/"):
            continue
        reply = call(api, method, path)
        assert reply.status == 403 and reply.body["code"] == "email_unverified", f"{name}: {reply.status} {reply.text[:200]}"
        tried += 1
    assert tried >= 40
    # Once proved, the same person may.
    link = suite.link_in_mail(person["email"], "verification")
    suite.api().post("/v1/verifications/confirm", {"token": link, "password": "x" * 20}).problem(400, "bad_field", "password")
    suite.api().post("/v1/verifications/confirm", {"token": link, "password": person["password"]}).expect(200)
    suite.api(suite.sign_in(slug, person["email"], person["password"])["access_token"]).get("/v1/me").expect(200)


def test_an_address_is_never_confirmed_under_a_password_that_its_owner_did_not_choose(suite, slug, admin):
    """Somebody registers the address of another, who then opens the link of the mail, on the page and by the API."""
    tenant = admin.get("/v1/tenant").expect(200)
    domain = f"{secrets.token_hex(4)}.example"
    admin.patch("/v1/tenant", {"registration_domain": domain}, if_match=tenant.etag).expect(200)
    address, theirs, own = f"owner@{domain}", secrets.token_urlsafe(18), secrets.token_urlsafe(18)
    names = {"tenant": slug, "email": address, "given_name": "New", "family_name": "Comer"}
    suite.api().post("/v1/registrations", {**names, "password": theirs}).expect(202)
    link = suite.link_in_mail(address, "verification")
    with httpx.Client(base_url=suite.url, verify=suite.info["ca"]) as browser:
        page = browser.get("/verification", params={"token": link})
        for password, status in (("", 422), (own, 422)):
            form = dict(re.findall(r'name="(token|csrf)" value="([^"]*)"', page.text))
            page = browser.post("/verification", data={**form, "password": password})
            assert page.status_code == status and 'type="password"' in page.text, page.text
    # The owner registers too: the newest password counts, with the newest link.
    suite.api().post("/v1/registrations", {**names, "password": own}).expect(202)
    newest = wait_for(lambda: (found := suite.link_in_mail(address, "verification")) != link and found, 20, "the second mail")
    suite.api().post("/v1/verifications/confirm", {"token": link, "password": theirs}).expect(410)
    suite.api().post("/v1/verifications/confirm", {"token": newest, "password": theirs}).problem(400, "bad_field", "password")
    suite.api().post("/v1/verifications/confirm", {"token": newest, "password": own}).expect(200)
    suite.api(suite.sign_in(slug, address, own)["access_token"]).get("/v1/me").expect(200)


def test_a_suspended_person_is_out_within_a_second(suite, slug, admin):
    person = suite.new_person(slug)
    api = suite.api(suite.sign_in_person(person))
    api.get("/v1/me").expect(200)
    record = admin.get(f"/v1/people/{person['id']}").expect(200)
    admin.patch(f"/v1/people/{person['id']}", {"status": "suspended"}, if_match=record.etag).expect(200)
    wait_for(lambda: api.get("/v1/whoami").status == 401, 1.5, "the refusal of the suspended person's token")
    with pytest.raises(Exception):
        suite.sign_in_person(person)


def objects_next_door(suite, other_slug):
    """Paths of things that exist, in the other tenant."""
    admin = suite.as_role(other_slug, "Admin")
    area = suite.new_area(other_slug)
    booking = suite.as_role(other_slug, "User").book(spot_id=area["spots"][0], **suite.slot()).expect(201)
    vehicle = suite.as_role(other_slug, "User").post(
        "/v1/vehicles", {"plate": f"T{secrets.token_hex(2).upper()}X", "country": "NL"}).expect(201)
    event = wait_for(lambda: suite.events(other_slug, object_id=booking.body["id"]), 20, "the event")[0]
    del admin
    return {
        "a site": f"/v1/sites/{suite.tenants[other_slug]['site_id']}", "an area": f"/v1/areas/{area['id']}",
        "a spot": f"/v1/spots/{area['spots'][0]}", "a booking": f"/v1/bookings/{booking.body['id']}",
        "a vehicle": f"/v1/vehicles/{vehicle.body['id']}", "a person": f"/v1/people/{suite.person(other_slug, 'User')['id']}",
        "an event": f"/v1/audit/events/{event['id']}"}


def comparable(reply):
    """What a stranger could tell apart: all but the request's id and the date."""
    head = {name: value for name, value in reply.headers.items() if name not in ("date", "x-request-id", "traceparent")
            and not name.startswith("ratelimit")}
    body = {name: value for name, value in (reply.body or {}).items() if name not in ("request_id", "instance")}
    return reply.status, head, body


def test_the_other_tenants_objects_are_404_exactly_like_absent_ones(suite, slug, other_slug):
    for what, path in objects_next_door(suite, other_slug).items():
        api = suite.as_role(slug, "User" if what in ("a vehicle",) else "Admin")
        there = api.get(path)
        absent = api.get(path.rsplit("/", 1)[0] + "/" + UNKNOWN)
        assert there.status == 404, f"{what}: {there.status}"
        assert comparable(there) == comparable(absent), what
        for method in ("PATCH", "DELETE"):
            reply = api.call(method, path, {} if method == "PATCH" else None, if_match='"1"')
            assert reply.status in (400, 404, 405), f"{method} {what}: {reply.status} {reply.text[:200]}"


def test_the_other_tenants_ids_in_a_body_are_404(suite, slug, other_slug):
    area = suite.new_area(other_slug)
    slot = suite.slot()
    user, admin = suite.as_role(slug, "User"), suite.as_role(slug, "Admin")
    stranger = suite.person(other_slug, "User")["id"]
    mine = suite.new_area(slug)
    for reply in (
            user.book(spot_id=area["spots"][0], **slot), user.book(area_id=area["id"], **slot),
            admin.book(spot_id=mine["spots"][0], for_person_id=stranger, **slot),
            admin.post("/v1/areas", {"site_id": suite.tenants[other_slug]["site_id"], "name": "x"}),
            admin.post("/v1/spots", {"area_id": area["id"], "name": "x"}),
            admin.post("/v1/delegations", {"assistant_id": stranger, "principal_id": suite.person(slug, "User")["id"]}),
            user.get("/v1/availability", params={"site_id": suite.tenants[other_slug]["site_id"], **slot})):
        assert reply.status == 404, f"{reply.response.request.url.path}: {reply.status} {reply.text[:300]}"


def test_lists_hold_nothing_of_the_other_tenant(suite, slug, other_slug):
    suite.as_role(other_slug, "User").book(spot_id=suite.new_area(other_slug)["spots"][0], **suite.slot()).expect(201)
    admin, other = suite.as_role(slug, "Admin"), suite.as_role(other_slug, "Admin")
    for path in ("/v1/sites", "/v1/areas", "/v1/spots", "/v1/people", "/v1/bookings?everyone=true", "/v1/audit/events", "/v1/erasures"):
        join = "&" if "?" in path else "?"
        here = {item["id"] for item in admin.get(f"{path}{join}limit=200").expect(200).body["items"]}
        there = {item["id"] for item in other.get(f"{path}{join}limit=200").expect(200).body["items"]}
        assert there or path == "/v1/erasures"
        assert not here & there, path
