# SPDX-License-Identifier: Apache-2.0
"""Requests of OAuth that are refused: why stands in the log, the client's tenant is told in measure, and nothing is stored."""
import json
import pathlib
import secrets

import pytest

from berth_flow import Authorization, Browser, basic, pkce, token_request
from berth_jose import P256
from berth_suite import wait_for
from test_dpop import call, proof
from test_oauth import near_misses

ORDER = 49
REDIRECT = "https://app.example/callback"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture
def admin_made(suite, slug):
    def make(**about):
        fields = {"name": "Refused", "kind": "confidential", "redirect_uris": [REDIRECT], "grants": ["authorization_code", "refresh_token"], **about}
        return {**suite.as_role(slug, "Admin").post("/v1/clients", fields).expect(201).body, "redirect_uri": REDIRECT}
    return make


def lines(suite, name, **wanted):
    """What the log of a process says with these values."""
    found = []
    with open(pathlib.Path(suite.info["logs"]) / f"{name}.log", encoding="utf-8", errors="replace") as log:
        for line in log:
            if all(json.dumps(value) in line for value in wanted.values()):
                entry = json.loads(line)
                if all(entry.get(key) == value for key, value in wanted.items()):
                    found.append(entry)
    return found


def told(suite, slug, client):
    """Reason by reason, how often the tenant was told of the client."""
    found = {}
    for event in suite.events(slug, object_id=client["id"], action="client.refuse"):
        why = tuple(event["after"][part] for part in ("error", "operation", "reason"))
        found[why] = found.get(why, 0) + 1
    return found


def stored(suite, client):
    """What there is of the client, but itself."""
    return [suite.sql(f"select count(*) from auth.{table} t join auth.client c on c.tenant_id = t.tenant_id and c.id = t.client_id where c.public_id = %s",
                      client["id"])[0][0] for table in ("authorization_request", "authorization_code", "grant_family", "device_grant", "client_assertion")]


def begun(suite, client, **change):
    return Authorization(suite.info, client, **change).begin()


def pushed(suite, client, **change):
    return Browser(suite.info).post("/oauth2/par", {**Authorization(suite.info, client).query, **change}, headers=basic(client))


def asked(suite, client, **form):
    return token_request(suite.info, client, {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code_verifier": pkce()[0], **form})


CASES = {
    "another redirect URI": (lambda suite, client: begun(suite, client, redirect_uri="https://evil.example/"), 400,
                             ("invalid_request", "authorize", "redirect_uri is not one that is registered")),
    "no PKCE": (lambda suite, client: begun(suite, client, code_challenge=None, code_challenge_method=None), 303,
                ("invalid_request", "authorize", "PKCE with S256 is required (RFC 7636)")),
    "plain PKCE": (lambda suite, client: begun(suite, client, code_challenge_method="plain"), 303,
                   ("invalid_request", "authorize", "PKCE with S256 is required (RFC 7636)")),
    "the implicit grant": (lambda suite, client: begun(suite, client, response_type="token"), 303,
                           ("unsupported_response_type", "authorize", "response_type must be code")),
    "a request_uri of nobody's": (lambda suite, client: begun(suite, client, request_uri=f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(60)}"), 400,
                                  ("invalid_request", "authorize", "request_uri is none that waits, or another client's")),
    "no PKCE, pushed": (lambda suite, client: pushed(suite, client, code_challenge_method="plain"), 400,
                        ("invalid_request", "par_push", "PKCE with S256 is required (RFC 7636)")),
    "another redirect URI, pushed": (lambda suite, client: pushed(suite, client, redirect_uri="https://evil.example/"), 400,
                                     ("invalid_request", "par_push", "redirect_uri is not one that is registered")),
    "a wrong secret": (lambda suite, client: asked(suite, {**client, "secret": "x" * 43}, code="x"), 401,
                       ("invalid_client", "token_issue", "client authentication failed")),
    "an assertion of nobody's": (lambda suite, client: Browser(suite.info).post("/oauth2/token", {
        "grant_type": "client_credentials", "client_id": client["id"], "client_assertion_type": ASSERTION, "client_assertion": "a.b.c"}), 401,
                                 ("invalid_client", "token_issue", "client authentication failed")),
    "a grant that it has not": (lambda suite, client: token_request(suite.info, client, {"grant_type": "client_credentials"}), 400,
                                ("unauthorized_client", "token_issue", "the client may not use this grant")),
    "the password grant": (lambda suite, client: token_request(suite.info, client, {"grant_type": "password", "username": "x", "password": "y"}), 400, None),
    "a code that is none": (lambda suite, client: asked(suite, client, code="x" * 43), 400,
                            ("invalid_grant", "token_issue", "the code or token is unknown, used, expired or another client's")),
    "a proof that is none": (lambda suite, client: Browser(suite.info).post("/oauth2/token", {"grant_type": "refresh_token", "refresh_token": "x"},
                                                                            headers={**basic(client), "DPoP": "a.b.c"}), 400, None),
    "a device of a client that has none": (lambda suite, client: Browser(suite.info).post("/oauth2/device_authorization", {"scope": "openid"}, headers=basic(client)), 400,
                                           ("unauthorized_client", "device_authorize", "the client may not use this grant")),
}


@pytest.mark.parametrize("case", CASES)
def test_a_refused_request_is_told_once_and_stores_nothing(suite, slug, admin_made, case):
    send, status, expected = CASES[case]
    client = admin_made()
    for _ in range(3):
        reply = send(suite, client)
        assert reply.status == status, f"{reply.status} {reply.text[:200]}"
    events = wait_for(lambda: told(suite, slug, client), 20, "the event")
    assert list(events.values()) == [1], events
    error, operation, reason = next(iter(events))
    assert expected is None or (error, operation, reason) == expected
    said = wait_for(lambda: (found := lines(suite, "authsvc", event="client_refused", client_id=client["id"])) and len(found) == 3 and found, 20, "three lines")
    assert {(line["error"], line["operation"], line["reason"]) for line in said} == {(error, operation, reason)}
    assert stored(suite, client) == [0] * 5


def test_however_many_near_misses_make_one_event(suite, slug, admin_made):
    client = admin_made()
    for uri in near_misses(REDIRECT):
        if uri != REDIRECT:
            assert begun(suite, client, redirect_uri=uri).status == 400
    events = wait_for(lambda: told(suite, slug, client), 20, "the event")
    assert list(events.values()) == [1]


def test_what_was_wrong_with_a_code_is_told_to_the_tenant_alone(suite, slug, admin_made, person):
    client, other = admin_made(), admin_made()
    flow = Authorization(suite.info, client)
    code = flow.code(person["email"], person["password"])["code"]
    for asker, form, reason in ((client, {"code_verifier": pkce()[0]}, "code_verifier does not fit the challenge"),
                                (client, {"redirect_uri": REDIRECT + "x"}, "redirect_uri is not that of the code"),
                                (other, {}, "the code is another client's")):
        reply = token_request(suite.info, asker, {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code_verifier": flow.verifier, "code": code, **form})
        assert reply.status == 400 and reply.json()["error_description"] == "the code or token is unknown, used, expired or another client's", reply.text
        wait_for(lambda asker=asker, reason=reason: ("invalid_grant", "token_issue", reason) in told(suite, slug, asker), 20, reason)
    assert flow.exchange(code).status == 200, "none of it spent the code"
    assert flow.exchange(code).status == 400
    wait_for(lambda: {"grant.revoke"} <= {event["action"] for event in suite.events(slug, action="grant.revoke")}, 20, "the replay's event")


def test_who_waits_for_a_person_is_not_refused(suite, slug, admin_made):
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    client = admin_made(redirect_uris=[], grants=[grant])
    asked_for = Browser(suite.info).post("/oauth2/device_authorization", {"scope": "openid"}, headers=basic(client)).json()
    reply = token_request(suite.info, client, {"grant_type": grant, "device_code": asked_for["device_code"]})
    assert reply.json()["error"] == "authorization_pending"
    assert token_request(suite.info, client, {"grant_type": grant, "device_code": "x"}).json()["error"] == "invalid_grant"
    events = wait_for(lambda: told(suite, slug, client), 20, "the event")
    assert [error for error, _, _ in events] == ["invalid_grant"]


def test_of_a_client_that_there_is_not_only_the_log_tells(suite):
    before = len(lines(suite, "authsvc", event="client_refused", reason="there is no such client"))
    reply = Authorization(suite.info, {"id": "01900000-0000-7000-8000-000000000000", "redirect_uri": REDIRECT}).begin()
    assert reply.status == 400
    wait_for(lambda: len(lines(suite, "authsvc", event="client_refused", reason="there is no such client")) > before, 20, "the line")


def test_the_edge_says_why_a_token_or_a_proof_is_none(suite, slug, admin_made):
    client = admin_made(redirect_uris=[], grants=["client_credentials"], permissions=["site.read"])
    key, url = P256("ec"), f"{suite.url}/v1/whoami"
    reply = Browser(suite.info).post("/oauth2/token", {"grant_type": "client_credentials"}, headers={**basic(client), "DPoP": proof(key, "POST", f"{suite.url}/oauth2/token")})
    token = reply.json()["access_token"]
    used = proof(key, "GET", url, token)
    assert call(suite, token, used).status_code == 200
    for given, scheme, text in ((used, "DPoP", token), (None, "Bearer", token), (proof(key, "POST", url, token), "DPoP", token), (None, "Bearer", "a.b.c"),
                                (None, "Bearer", token[:-6] + "AAAAAA")):
        answer = call(suite, text, given, scheme=scheme)
        assert answer.status_code == 401
        request_id = answer.headers["x-request-id"]
        said = wait_for(lambda request_id=request_id: lines(suite, "gateway", request_id=request_id, event="request"), 20, "the line")[0]
        assert len(said["reason"]) > 10, said
        assert given is not used or said["reason"] == "the proof was used before"
