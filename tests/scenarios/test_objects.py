# SPDX-License-Identifier: Apache-2.0
"""Who reaches which object: every route with an id, by every role, on one's own, a peer's, another tenant's and no object.

Routes, permissions and shapes come from the description that the gateway serves; a new route without a row here fails.
"""
import json
import re
import secrets
import sys
import uuid

import pytest

from berth_suite import BUILT_IN, ROLES, ROOT, wait_for

sys.path.insert(0, str(ROOT / "tests" / "conformance"))

from edge import Edge, bearer  # noqa: E402
from own_gateway import NO_LIMITS, OwnGateway  # noqa: E402

ORDER = 33
ABSENT = "0192a3b4-c5d6-7e8f-8a9b-0c1d2e3f4a5b"
STALE = 'If-Match: "987654321"'

# Which kind of object a path names.
KINDS = {"people": "person", "clients": "client", "sites": "site", "areas": "area", "spots": "spot", "vehicles": "vehicle", "delegations": "delegation", "bookings": "booking",
         "events": "event", "erasures": "erasure", "roles": "role", "groups": "group", "grants": "grant", "reviews": "review"}
# What belongs to a person: a peer's is none to who has none of these permissions. The rest belongs to the tenant.
PEERS = {"booking_read": {"booking.read_all", "booking.manage"}, "booking_update": {"booking.manage"}, "booking_cancel": {"booking.manage"}, "booking_check_in": {"booking.manage"},
         "booking_check_out": {"booking.manage"}, "vehicle_read": set(), "vehicle_delete": set()}
# Would end what it is tried on, with no version to stop it: tried on one's own and a peer's only where it is to be refused.
ENDS = {"person_erase", "person_factors_reset", "person_sessions_delete", "client_delete", "vehicle_delete", "delegation_delete", "access_review_close"}


class Route:
    def __init__(self, method, path, operation, schemas):
        self.method, self.path, self.name = method.upper(), path, operation["operationId"]
        self.permission = operation["x-berth-permission"]
        self.query = {parameter["name"] for parameter in operation.get("parameters", []) if parameter.get("in") == "query"}
        content = operation.get("requestBody", {}).get("content", {})
        self.form = "application/x-www-form-urlencoded" in content
        self.cap = operation.get("requestBody", {}).get("x-berth-max-bytes", 0)
        self.shape = self.resolve(content.get("application/json", {}).get("schema"), schemas)
        good = [reply for status, reply in operation["responses"].items() if status.startswith("2")]
        self.reply = self.resolve((good[0] if good else {}).get("content", {}).get("application/json", {}).get("schema"), schemas)
        self.versioned = any("if_match" in parameter.get("$ref", "") for parameter in operation.get("parameters", []))

    @staticmethod
    def resolve(schema, schemas):
        return schemas[schema["$ref"].rpartition("/")[2]] if schema and "$ref" in schema else schema

    def bytes(self, token, path, body=None, stale=True):
        lines = [f"{self.method} {path} HTTP/1.1", "Host: localhost", bearer(token)]
        if self.versioned:
            lines.append(STALE if stale else 'If-Match: "1"')
        if self.method == "POST":
            lines.append(f"Idempotency-Key: {secrets.token_hex(8)}")
        text = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(text)}"]
        return "\r\n".join([*lines, "", ""]).encode() + text


def sample(schema):
    """A value of the shape; nothing that exists."""
    kind = schema.get("type")
    kind = next(one for one in kind if one != "null") if isinstance(kind, list) else kind
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object":
        return {name: sample(schema["properties"][name]) for name in schema.get("required", [])}
    if kind == "array":
        return []
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return False
    if schema.get("format") == "uuid":
        return ABSENT
    if schema.get("format") == "date-time":
        return "2031-01-01T08:00:00Z"
    return "x" * max(schema.get("minLength", 1), 1)


def change_of(route):
    """A body that changes one plain text; what replaces the whole gets all of it."""
    if not route.shape:
        return None
    if route.method != "PATCH":
        return sample(route.shape)
    plain = [name for name, field in route.shape["properties"].items() if field.get("maxLength") and not field.get("format") and "enum" not in field]
    return {plain[0]: "Changed"} if plain else {}


@pytest.fixture(scope="module")
def routes(suite):
    document = suite.api().get("/openapi.json").expect(200).body
    schemas = document["components"]["schemas"]
    found = [Route(method, path, operation, schemas) for path, methods in document["paths"].items() for method, operation in methods.items()
             if method in ("get", "post", "put", "patch", "delete")]
    assert len(found) >= 60
    return found


@pytest.fixture(scope="module")
def gateway(suite):
    with OwnGateway(suite, **NO_LIMITS) as own:
        yield own


def kind_of(route):
    for part in route.path.split("/"):
        if part in KINDS:
            return KINDS[part]
    raise AssertionError(f"{route.method} {route.path} names no kind of object: give it a row in KINDS")


def book(suite, api, slug, **more):
    return api.book(spot_id=suite.new_area(slug)["spots"][0], **suite.slot(), **more).expect(201).body["id"]


def register(api):
    return api.post("/v1/vehicles", {"plate": f"T{secrets.token_hex(2).upper()}X", "country": "NL"}).expect(201).body["id"]


def of_the_tenant(suite, slug):
    """One object of each kind that belongs to a tenant."""
    admin = suite.as_role(slug, "Admin")
    area = suite.new_area(slug)
    user, assistant = suite.person(slug, "User")["id"], suite.new_person(slug, "Assistant")["id"]
    client = admin.post("/v1/clients", {"name": f"Client {secrets.token_hex(4)}", "kind": "confidential", "redirect_uris": ["https://app.example/callback"]}).expect(201).body["id"]
    gone = suite.new_person(slug)
    erasure = admin.delete(f"/v1/people/{gone['id']}").expect(200, 202).body["id"]
    event = wait_for(lambda: suite.events(slug, object_id=area["id"]), 60, "an event")[0]["id"]
    delegation = admin.post("/v1/delegations", {"assistant_id": assistant, "principal_id": user}).expect(201).body["id"]
    role = admin.post("/v1/roles", {"name": f"Role-{secrets.token_hex(4)}", "permissions": ["site.read"]}).expect(201).body["id"]
    group = admin.post("/v1/groups", {"name": f"Group {secrets.token_hex(4)}"}).expect(201).body["id"]
    grant = admin.post("/v1/grants", {"person_id": user, "role": "Visitor", "reason": "a test"}).expect(201).body["id"]
    review = admin.post("/v1/reviews", {"roles": ["Visitor"]}).expect(201).body["id"]
    return {"review": review, "role": role, "group": group, "grant": grant, "site": area["site_id"], "area": area["id"], "spot": area["spots"][0], "client": client, "erasure": erasure, "event": event, "delegation": delegation}


def of_a_person(suite, slug, person, token):
    """What is theirs; who may not book or register has what others booked for them, and no vehicle."""
    api, granted = suite.api(token), granted_to(suite, token)
    mine = {"person": person["id"]}
    if "booking.create" in granted:
        mine["booking"] = book(suite, api, slug)
    elif person["slug"] == slug:
        mine["booking"] = book(suite, suite.as_role(slug, "Admin"), slug, for_person_id=person["id"])
    if "vehicle.manage" in granted:
        mine["vehicle"] = register(api)
    return mine


def member(suite, slug, role):
    if role in ROLES:
        return {**suite.person(slug, role), "slug": slug}
    return suite.newcomer(slug, role)


@pytest.fixture(scope="module")
def world(suite, slug, other_slug):
    """Objects of every kind: {"own": {role: …}, "peer": …, "other": …}, and who acts."""
    peer = suite.new_person(slug)
    here = of_the_tenant(suite, slug)
    theirs = {**here, **of_a_person(suite, slug, peer, suite.sign_in_person(peer))}
    people = {role: member(suite, slug, role) for role in BUILT_IN}
    tokens = {role: suite.token(slug, role) if role in ROLES else suite.sign_in_person(people[role]) for role in BUILT_IN}
    own = {role: {**theirs, **of_a_person(suite, slug, people[role], tokens[role])} for role in BUILT_IN}
    stranger = suite.new_person(other_slug)
    return {"tokens": tokens, "own": own, "peer": theirs,
            "other": {**of_the_tenant(suite, other_slug), **of_a_person(suite, other_slug, stranger, suite.sign_in_person(stranger))}}


VARIES = re.compile(rb'"request_id":"[0-9a-f-]{36}"')


def told(answer):
    """All that a stranger could compare, byte for byte, but the request's id, the date and what is left of a rate."""
    fields = [(name, value) for name, value in answer.fields if name not in ("date", "x-request-id", "ratelimit")]
    return answer.status, fields, VARIES.sub(b"", answer.body)


def granted_to(suite, token):
    return set(suite.api(token).get("/v1/whoami").expect(200).body["permissions"])


def ask(edge, route, token, identity, stale=True):
    path = route.path.replace("{id}", identity)
    return edge.ask(route.bytes(token, path, change_of(route), stale))


def with_an_id(routes):
    # Below /v1/me there is nothing of a peer's to name; test_factors tries those.
    found = [route for route in routes if "{id}" in route.path and not route.path.startswith("/v1/me/")]
    assert len(found) >= 20 and {kind_of(route) for route in found} == set(KINDS.values())
    return found


@pytest.mark.seconds(300)
def test_every_route_by_every_role_on_every_kind_of_object(suite, routes, gateway, world):
    outcomes = {"allowed": 0, "no permission": 0, "as if absent": 0}
    for role in BUILT_IN:
        token = world["tokens"][role]
        granted = granted_to(suite, token)
        with Edge(gateway, seconds=60) as edge:
            for route in with_an_id(routes):
                kind = kind_of(route)
                absent = told(ask(edge, route, token, ABSENT))
                where = f"{role} {route.method} {route.path}"
                relations = {"own": world["own"][role][kind], "peer": world["peer"][kind], "other": world["other"][kind]}
                if route.permission not in granted:
                    outcomes["no permission"] += 1
                    assert absent[0] == 403 and f'"reason":"{route.permission}"'.encode() in absent[2], f"{where}: {absent}"
                    for relation, identity in relations.items():
                        assert told(ask(edge, route, token, identity)) == absent, f"{where} on {relation}: a missing permission shows what exists"
                    continue
                assert absent[0] == 404, f"{where} on nothing: {absent}"
                there = told(ask(edge, route, token, relations["other"]))
                assert there == absent, f"{where} on another tenant's: {there} is not {absent}"
                outcomes["as if absent"] += 1
                hidden = route.name in PEERS and not granted & PEERS[route.name]
                for relation in ("own", "peer"):
                    if relation == "peer" and hidden:
                        answer = told(ask(edge, route, token, relations["peer"]))
                        if kind == "booking" and "booking.read_all" in granted:
                            # Who may see it is told what is missing to change it.
                            outcomes["no permission"] += 1
                            assert answer[0] == 403 and b'"reason":"booking.manage"' in answer[2], f"{where} on a peer's: {answer}"
                        else:
                            outcomes["as if absent"] += 1
                            assert answer == absent, f"{where} on a peer's"
                    elif route.name not in ENDS:
                        outcomes["allowed"] += 1
                        answer = ask(edge, route, token, relations[relation])
                        assert answer.status in (200, 409, 412, 422), f"{where} on {relation}: {answer} {answer.body[:300]}"
    assert outcomes["allowed"] > 60 and outcomes["no permission"] > 30 and outcomes["as if absent"] > 60, outcomes


def seen_next_door(suite, other_slug, world):
    admin = suite.as_role(other_slug, "Admin")
    there = world["other"]
    paths = {"site": "/v1/sites/", "area": "/v1/areas/", "spot": "/v1/spots/", "person": "/v1/people/", "client": "/v1/clients/", "booking": "/v1/bookings/", "event": "/v1/audit/events/",
             "erasure": "/v1/erasures/", "role": "/v1/roles/",
             "group": "/v1/groups/", "grant": "/v1/grants/",
             "review": "/v1/reviews/"}
    return {kind: admin.get(path + there[kind]).expect(200).text for kind, path in paths.items()}


@pytest.mark.parametrize("stale", [True, False], ids=["with a stale version", "with the version that it has"])
def test_nothing_next_door_moves_whatever_is_tried(suite, slug, other_slug, routes, gateway, world, stale):
    """Every writing route by the most powerful of another tenant, also with a version that fits."""
    before = seen_next_door(suite, other_slug, world)
    token = suite.token(slug, "Admin")
    with Edge(gateway, seconds=60) as edge:
        for route in with_an_id(routes):
            if route.method != "GET":
                answer = ask(edge, route, token, world["other"][kind_of(route)], stale)
                assert answer.status == 404, f"{route.method} {route.path}: {answer}"
    assert seen_next_door(suite, other_slug, world) == before


def test_what_lists_show_of_others_needs_a_permission(suite, slug, world):
    peer = world["peer"]["person"]
    for role in ROLES:
        api = suite.api(world["tokens"][role])
        granted = granted_to(suite, world["tokens"][role])
        everyone = granted & {"booking.read_all", "booking.manage"}
        for query in ({"everyone": "true"}, {"person_id": peer}):
            reply = api.get("/v1/bookings", params=query)
            assert reply.status == 200 if everyone else reply.status in (403, 404), f"{role} {query}: {reply.status} {reply.text[:200]}"
        own = api.get("/v1/bookings").expect(200).body["items"]
        assert {item["person_id"] for item in own} <= {suite.person(slug, role)["id"]}
        reply = api.get("/v1/vehicles", params={"plate": "ZZ-99-ZZ", "country": "NL"})
        assert reply.status == (200 if "vehicle.read_all" in granted else 403), f"{role}: {reply.status} {reply.text[:200]}"
        assert {item["person_id"] for item in api.get("/v1/vehicles").expect(200).body["items"]} <= {suite.person(slug, role)["id"]}
        reply = api.book(spot_id=suite.new_area(slug)["spots"][0], for_person_id=peer, **suite.slot())
        assert reply.status == 201 if "booking.manage" in granted else reply.status in (403, 404), f"{role} books for a peer: {reply.status} {reply.text[:200]}"


# -- fields that nobody may set

SERVERS = {"id": ABSENT, "tenant_id": ABSENT, "tenant": "other", "version": 7, "created_at": "2020-01-01T00:00:00Z", "created_by_id": ABSENT, "person_id": ABSENT, "status": "active",
           "email_verified": True, "roles": ["Admin"], "role": "Admin", "permissions": ["tenant.manage"], "is_admin": True, "policy_version": 1, "secret": "x", "password_hash": "x",
           "checked_in_at": "2020-01-01T00:00:00Z", "reason": "x", "erased": True, "__proto__": {"x": 1}, "constructor": {"prototype": {}}, "": 1, "client_id": ABSENT, "sub": ABSENT}
COUNTED = ("auth.tenant", "auth.person", "auth.client", "booking.site", "booking.area", "booking.spot", "booking.vehicle", "booking.delegation", "booking.booking", "gdpr.erasure")


def rows_of(suite):
    held = {f"{schema}.{name}" for schema, name in suite.sql("select schemaname, tablename from pg_tables where schemaname in ('auth', 'booking', 'gdpr')")}
    counted = sorted(held & set(COUNTED)) + sorted(name for name in held if name.endswith("idempotency"))
    assert len(counted) > 8, held
    return {name: suite.sql(f"select count(*) from {name}")[0][0] for name in counted}


def writers(routes):
    found = [route for route in routes if route.shape and route.method in ("POST", "PUT", "PATCH")]
    assert len(found) >= 14
    return found


def shown(name):
    """A stranger's name is shown only as far as it is one."""
    return re.sub(r"[^A-Za-z0-9_.-]", "?", name) or None


def refusal(answer, field):
    document = json.loads(answer.body)
    assert answer.status == 400 and answer.field("content-type") == "application/problem+json", answer
    assert document["code"] == "bad_field" and document.get("field") == field and document.get("reason") == "unknown", document


def test_no_body_takes_a_field_that_is_not_its_own(suite, slug, routes, gateway):
    """Each field that only the server sets, or that a reply of the operation has, in front of a body that is whole and behind it."""
    before, tried = rows_of(suite), 0
    token = suite.token(slug, "Admin")
    with Edge(gateway, seconds=60) as edge:
        for route in writers(routes):
            known = set(route.shape["properties"])
            replied = {name: sample(field) for name, field in (route.reply or {}).get("properties", {}).items()}
            spelled = {spelling(name): "x" for name in known for spelling in (str.upper, str.capitalize, lambda text: text + " ", lambda text: text.replace("_", "-") + "-")}
            path = route.path.replace("{id}", ABSENT)
            for name, value in {**SERVERS, **replied, **spelled}.items():
                if name in known:
                    continue
                body = {name: value, **sample(route.shape)}
                # In front it is the first fault; behind, whatever else is wrong may be named before it.
                for document in (body, dict(reversed(body.items()))):
                    tried += 1
                    answer = edge.ask(route.bytes(token, path, document))
                    try:
                        if list(document)[0] == name:
                            refusal(answer, shown(name))
                        assert answer.status == 400 and json.loads(answer.body)["code"] == "bad_field"
                    except AssertionError as error:
                        raise AssertionError(f"{route.method} {route.path} with {name!r}: {error}") from error
    assert tried > 300 and rows_of(suite) == before


def test_no_query_takes_a_parameter_that_is_not_its_own(suite, slug, routes, gateway):
    admin, operator = suite.token(slug, "Admin"), suite.sign_in_person(suite.operator())
    before, granted = rows_of(suite), granted_to(suite, admin)
    with Edge(gateway, seconds=60) as edge:
        for route in routes:
            token = admin if route.permission in granted else operator
            if route.form or not route.path.startswith("/v1/") or route.permission == "public" or route.path in ("/v1/me", "/v1/me/sessions") and route.method == "DELETE":
                continue
            for name in ("tenant_id", "role", "access_token", "debug", "limit" if "limit" not in route.query else "Limit"):
                answer = edge.ask(route.bytes(token, f"{route.path.replace('{id}', ABSENT)}?{name}=1", sample(route.shape) if route.shape else None))
                try:
                    refusal(answer, name)
                except AssertionError as error:
                    raise AssertionError(f"{route.method} {route.path}?{name}: {error}") from error
    assert rows_of(suite) == before


def test_every_body_has_its_cap(suite, slug, routes, gateway):
    """As described: a byte more is 413 before anything else is looked at, a byte less is judged."""
    before = rows_of(suite)
    token = suite.token(slug, "Admin")
    with Edge(gateway, seconds=60) as edge:
        for route in writers(routes):
            assert route.cap >= 1024, route.name
            path = route.path.replace("{id}", ABSENT)
            for more in (0, 1):
                body = b'{"x":"' + b"x" * (route.cap + more - 8) + b'"}'
                assert len(body) == route.cap + more
                answer = edge.ask(route.bytes(token, path, body))
                code = json.loads(answer.body)["code"]
                assert (answer.status, code) == ((413, "too_large") if more else (400, "bad_field")), f"{route.name}: {answer}"
                if answer.field("connection") == "close":
                    edge.close()
                    edge = Edge(gateway, seconds=60)        # noqa: PLW2901
    assert rows_of(suite) == before


def test_the_absent_id_is_absent(suite, slug):
    assert uuid.UUID(ABSENT).version == 7
    suite.as_role(slug, "Admin").get(f"/v1/sites/{ABSENT}").problem(404, "not_found")


def test_every_list_is_a_page(suite, slug, routes):
    """Short lists that are always whole too, so that who reads one reads all."""
    lists = [route for route in routes if route.method == "GET" and "{" not in route.path and route.permission != "platform.operate" and "items" in ((route.reply or {}).get("properties") or {})]
    assert len(lists) >= 14
    admin = suite.as_role(slug, "Admin")
    for route in lists:
        page = admin.get(route.path).expect(200).body
        assert isinstance(page["items"], list) and (page["next_cursor"] is None or isinstance(page["next_cursor"], str)), route.path
