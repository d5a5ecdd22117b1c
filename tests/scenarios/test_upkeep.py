# SPDX-License-Identifier: Apache-2.0
"""What the services do by themselves: signing keys rotate, and what has outlived its purpose is swept."""
import base64
import concurrent.futures
import json
import os
import pathlib
import secrets
import signal
import subprocess
import time
import uuid

import pytest

from berth_flow import Browser, token_request
from berth_jose import P256
from berth_suite import wait_for
from test_passwords import other_network

ORDER = 50


def header(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def published(suite):
    return {key["kid"]: key["alg"] for key in suite.api().get("/oauth2/jwks").expect(200).body["keys"]}


def test_signing_keys_rotate_and_tokens_of_the_old_ones_stay_good(suite, slug):
    person = suite.new_person(slug)
    before = published(suite)
    old = suite.sign_in_person(person)
    rotate = [str(suite.state / "opt" / "bin" / "authsvc"), "--rotate-keys"]
    subprocess.run(rotate, env=suite.environment("authsvc"), check=True, capture_output=True, timeout=60)
    # The key that was published as the next one signs now, and another next one is published.
    new = wait_for(lambda: (token := suite.sign_in_person(person)) and header(token)["kid"] != header(old)["kid"] and token,
                   30, "a token under the next key")
    assert header(new)["kid"] in before, "a key signed before it was published"
    after = wait_for(lambda: (keys := published(suite)) and set(keys) - set(before) and keys, 30, "the new keys")
    assert sorted(alg for kid, alg in after.items() if kid not in before) == ["ES256", "EdDSA", "RS256"]
    assert header(old)["kid"] in after, "tokens of the retired key could no longer be checked"
    for path in ("/v1/whoami", "/v1/me", "/v1/erasures"):        # checked at the edge, and again by each service
        wait_for(lambda path=path: suite.api(new).get(path).status in (200, 403), 30, f"{path} under the next key")
        assert suite.api(old).get(path).status in (200, 403), path
    retired = suite.sql("select state, private_key from auth.signing_key where kid = %s", header(old)["kid"])
    assert [(state, kept) for state, kept in retired] == [("retired", None)], "a retired key could still sign"


def rotation(suite):
    """`authsvc --rotate-keys`, begun."""
    program = [str(suite.state / "opt" / "bin" / "authsvc"), "--rotate-keys"]
    return subprocess.Popen(program, env=suite.environment("authsvc"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.seconds(240)
def test_keys_that_rotate_twice_in_a_row_sign_nothing_that_is_not_taken(suite, slug):
    """A key signs only when every process knows it: no token is refused meanwhile, however new its key."""
    machine = suite.as_role(slug, "Admin").post("/v1/clients", {
        "name": "Rotation", "kind": "confidential", "grants": ["client_credentials"], "permissions": ["site.read"]}).expect(201).body
    seen = []
    for _ in range(2):
        command = rotation(suite)
        until = None
        while until is None or time.monotonic() < until:
            token = token_request(suite.info, machine, {"grant_type": "client_credentials"}).json()["access_token"]
            seen.append(header(token)["kid"])
            assert suite.api(token).get("/v1/sites").status == 200, f"a token of key {seen[-1]} is refused"
            time.sleep(0.05)
            if until is None and command.poll() is not None:
                until = time.monotonic() + 7        # until authsvc has looked again
        assert command.returncode == 0, command.stderr.read()
    assert len(set(seen)) == 3, "the keys did not rotate twice"


def test_too_many_rotations_are_refused_in_words_and_stop_nothing(suite, slug):
    """As many retired keys as processes hold, and more: the signing ones are among those that are read."""
    kids = [f"retired-{number}-{secrets.token_hex(4)}" for number in range(40)]
    try:
        for kid in kids:
            jwk = json.dumps(P256(kid).jwk())
            suite.sql("insert into auth.signing_key (tenant_id, public_id, kid, alg, state, jwk, created_at, activated_at, retired_at) values "
                      "('ffffffff-ffff-7fff-bfff-ffffffffffff', %s, %s, 'ES256', 'retired', %s, now(), now(), now() - interval '10 minutes') returning 1", str(uuid.uuid4()), kid, jwk)
        before = suite.sql("select kid from auth.signing_key where state = 'active' order by 1")
        command = rotation(suite)
        _, said = command.communicate(timeout=90)
        assert command.returncode == 1 and "rotated so often" in said and "there is room again at 20" in said, said
        assert suite.sql("select kid from auth.signing_key where state = 'active' order by 1") == before
        suite.ctl("restart", "authsvc")
        suite.reload()
        wait_for(lambda: suite.ready("authsvc"), 30, "authsvc with too many keys")
        wait_for(lambda: suite.links_up("gateway"), 30, "its links")
        suite.api(suite.sign_in_person(suite.new_person(slug))).get("/v1/me").expect(200)
    finally:
        suite.sql("delete from auth.signing_key where kid = any(%s) returning 1", kids)


def test_what_has_run_out_is_swept_and_the_heartbeat_tells(suite, slug):
    series = 'berth_retention_last_success_timestamp_seconds{service="%s"}'
    begun = time.time()
    person = suite.new_person(slug)
    suite.sign_in_person(person)
    held = "select count(*) from auth.session s join auth.person p on p.id = s.person_id where p.public_id = %s"
    assert suite.sql(held, person["id"])[0][0] == 1
    suite.sql("update auth.session s set expires_at = now() - interval '1 year' from auth.person p "
                  "where p.id = s.person_id and p.public_id = %s", person["id"])
    suite.sql("update gdpr.retention_run set last_run_at = now() - interval '1 year', retry_at = null, claimed_until = null")
    for service in ("authsvc", "bookingsvc", "auditsvc"):
        wait_for(lambda service=service: suite.metrics("gdprsvc").get(series % service, 0) >= begun - 1, 60, f"the sweep of {service}")
    assert suite.sql(held, person["id"])[0][0] == 0
    assert suite.api(suite.sign_in_person(person)).get("/v1/me").status == 200, "more was swept than had run out"


WORKERS = {"FAST": 2, "SLOW": 4}    # of authsvc for the gateway; for any other caller there is one


def test_workers_are_connected_before_they_are_asked(suite):
    """What comes first to a worker does not wait for its connections, and is not refused when they take long on a busy machine."""
    listens = [key.removeprefix("BERTH_LISTEN_").split("_") for key in suite.environment("authsvc") if key.startswith("BERTH_LISTEN_")]
    workers = sum(WORKERS[lane] if caller == "GATEWAY" else 1 for caller, lane in listens)
    assert workers >= 6
    begun = suite.sql("select now()")[0][0]
    suite.ctl("restart", "authsvc")
    suite.reload()

    def connected(role):
        return suite.sql("select count(*) from pg_stat_activity where usename = %s and backend_start > %s", role, begun)[0][0]
    for role in ("authsvc_app", "authsvc_jobs"):
        wait_for(lambda role=role: connected(role) >= workers, 15, f"{workers} connections of {role}")
    # From here on nobody gets a new one.
    first_line = pathlib.Path(suite.sql("show data_directory")[0][0], "postmaster.pid").read_text().partition("\n")[0]
    os.kill(int(first_line), signal.SIGSTOP)
    try:
        forms = [(browser := Browser(suite.info, other_network()), browser.get("/login").page().hidden) for _ in range(8)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda given: given[0].post("/login", {**given[1], "tenant": "no-such-tenant", "email": "nobody@nowhere.example",
                                                                           "password": "not the password at all"}), forms))
        assert {reply.status for reply in replies} <= {403, 429}, [reply.status for reply in replies]
    finally:
        os.kill(int(first_line), signal.SIGCONT)
