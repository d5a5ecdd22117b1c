# SPDX-License-Identifier: Apache-2.0
"""A client of several issuers, one of them hostile (RFC 9207, RFC 9700 sections 4.4, 4.5 and 4.7): openid-client with the suite and two of npm's oidc-provider.
No code of ours reaches another token endpoint, and none that somebody smuggled in becomes a sign-in."""
import contextlib
import types
import urllib.parse

import pytest

import counterpart_openid_client
from berth_flow import b64url
from counterparts import Bench, query_of
from foreign_provider import ForeignProvider, new_browser, registered, walk

ORDER = 48
CALLBACK = counterpart_openid_client.CALLBACK
ISSUERS = ("ours", "honest", "hostile")
TOKENS_ASKED = 'berth_edge_requests_total{operation="token_issue"'


@pytest.fixture(scope="module")
def ground(suite, slug, tmp_path_factory):
    """The client's names for its issuers are ISSUERS; `victim of` one is its name at the hostile issuer that is sent on to that one."""
    folder, bench = tmp_path_factory.mktemp("issuers"), Bench(suite, slug)
    client = bench.client(CALLBACK)
    with contextlib.ExitStack() as inside:
        honest = inside.enter_context(ForeignProvider(suite, folder, [registered("at-honest", CALLBACK)]))
        hostile = inside.enter_context(ForeignProvider(
            suite, folder, [registered(name, CALLBACK) for name in ("at-hostile", "ours", "honest")], pretends=suite.url,
            sends_on={"ours": {"authorize": f"{suite.url}/oauth2/authorize", "client_id": client["id"]}, "honest": {"authorize": f"{honest.url}/auth", "client_id": "at-honest"}}))
        peer = counterpart_openid_client.Counterpart(bench, folder)
        inside.callback(peer.close)
        peer.discover("ours", client)
        for name, provider, known in (("honest", honest, "at-honest"), ("hostile", hostile, "at-hostile"), ("victim of ours", hostile, "ours"), ("victim of honest", hostile, "honest")):
            peer.discover(name, {"id": known, "secret": registered(known)["client_secret"]}, issuer=provider.url, metadata={"id_token_signed_response_alg": "RS256"})
        yield types.SimpleNamespace(suite=suite, peer=peer, bench=bench, client=client, honest=honest, hostile=hostile,
                                    urls={"ours": suite.url, "honest": honest.url, "hostile": hostile.url})


def asked(ground):
    """How often each token endpoint was."""
    ours = sum(value for series, value in ground.suite.metrics("gateway").items() if series.startswith(TOKENS_ASKED))
    return {"ours": ours, "honest": len(ground.honest.exchanges()), "hostile": len(ground.hostile.exchanges())}


def answer(ground, begun, browser=None):
    """Where the person's browser is sent back to."""
    with browser or new_browser(ground.bench.ca) as sender:
        return walk(sender, begun["url"], CALLBACK, ground.bench.person)


def finish(ground, name, begun, url):
    return ground.peer.do("finish", name, begun=begun, url=url)


def refused(ground, name, begun, url):
    return ground.peer.refused("finish", name, begun=begun, url=url)


@pytest.mark.parametrize("issuer", ISSUERS)
def test_each_issuer_serves_the_client_that_means_it(ground, issuer):
    """So a code that went wrong would be seen."""
    begun, before = ground.peer.do("begin", issuer, parameters={"scope": "openid"}), asked(ground)
    tokens = finish(ground, issuer, begun, answer(ground, begun))
    assert tokens["claims"]["iss"] == ground.urls[issuer]
    after = asked(ground)
    assert {name: after[name] - before[name] for name in ISSUERS} == {name: int(name == issuer) for name in ISSUERS}


@pytest.mark.parametrize("victim", ["ours", "honest"])
def test_a_hostile_issuer_that_sends_people_on_gets_no_code(ground, victim):
    begun, before = ground.peer.do("begin", f"victim of {victim}", parameters={"scope": "openid"}), asked(ground)
    assert begun["url"].startswith(ground.hostile.url)
    url = answer(ground, begun)
    got = query_of(url)
    assert got["code"] and got["state"] == begun["state"] and got["iss"] == ground.urls[victim], "the code is another issuer's, and nothing but iss says so"
    assert '"iss"' in refused(ground, f"victim of {victim}", begun, url).message
    assert asked(ground) == before and got["code"] not in ground.hostile.exchanges()


def test_without_iss_the_code_would_have_gone_there(ground):
    """What stops it is iss alone: the same answer to a client that finds a name in it which it takes for right."""
    begun = ground.peer.do("begin", "victim of ours", parameters={"scope": "openid"})
    got = query_of(answer(ground, begun))
    url = f"{CALLBACK}?{urllib.parse.urlencode({**got, 'iss': ground.hostile.url})}"
    refused(ground, "victim of ours", begun, url)
    assert ground.hostile.exchanges()[-1] == got["code"]


@pytest.mark.parametrize("meant, other", [(a, b) for a in ISSUERS for b in ISSUERS if a != b])
def test_an_answer_of_another_issuer_is_refused(ground, meant, other):
    begun = ground.peer.do("begin", meant, parameters={"scope": "openid"})
    theirs = ground.peer.do("begin", other, parameters={"scope": "openid", "state": begun["state"], "nonce": begun["nonce"]})
    url, before = answer(ground, theirs), asked(ground)
    assert query_of(url)["iss"] == ground.urls[other]
    assert '"iss"' in refused(ground, meant, begun, url).message
    assert asked(ground) == before


def test_a_code_under_our_name_is_worth_nothing_with_us(ground):
    begun = ground.peer.do("begin", "ours", parameters={"scope": "openid"})
    theirs = ground.peer.do("begin", "hostile", parameters={"scope": "openid", "state": begun["state"]})
    url = f"{CALLBACK}?{urllib.parse.urlencode({**query_of(answer(ground, theirs)), 'iss': ground.suite.url})}"
    before = asked(ground)
    assert refused(ground, "ours", begun, url).error == "invalid_grant"
    assert asked(ground) == {**before, "ours": before["ours"] + 1}


def test_metadata_under_our_name_are_refused(ground):
    """An issuer that says it is the suite, with a token endpoint of its own."""
    refusal = ground.peer.refused("discover", "liar", issuer=f"{ground.hostile.url}/lies", id=ground.client["id"], secret=ground.client["secret"], method="client_secret_basic", redirect_uri=CALLBACK)
    assert "issuer" in refusal.message


# -- somebody else's answer in one's own browser, and the other way round

def test_an_answer_that_was_not_asked_for_is_refused(ground):
    """The attacker's own code, brought to somebody else's browser: signed in as the attacker they would give away what they write."""
    attackers = ground.peer.do("begin", "ours", parameters={"scope": "openid"})
    url, before = answer(ground, attackers), asked(ground)
    victims = ground.peer.do("begin", "ours", parameters={"scope": "openid"})
    bare = {name: value for name, value in query_of(url).items() if name != "state"}
    for what in (url, f"{CALLBACK}?{urllib.parse.urlencode(bare)}", f"{CALLBACK}?{urllib.parse.urlencode({**bare, 'state': ''})}"):
        assert "state" in refused(ground, "ours", victims, what).message
    assert asked(ground) == before
    assert finish(ground, "ours", attackers, url)["claims"]["iss"] == ground.suite.url, "where it was asked for it is good"


def test_a_stolen_code_is_worth_nothing_in_another_session(ground):
    """The victim's code in the attacker's own session with the same client: its state and nonce are right, the verifier is not the one that the code is bound to."""
    victims = ground.peer.do("begin", "ours", parameters={"scope": "openid"})
    stolen = query_of(answer(ground, victims))["code"]
    attackers = ground.peer.do("begin", "ours", parameters={"scope": "openid"})
    url = f"{CALLBACK}?{urllib.parse.urlencode({**query_of(answer(ground, attackers)), 'code': stolen})}"
    assert refused(ground, "ours", attackers, url).error == "invalid_grant"
    # Even with the challenge of the victim's request known, what it is made of is not.
    guessed = {**attackers, "verifier": b64url(b"x" * 32)}
    assert refused(ground, "ours", guessed, url).error == "invalid_grant"


def test_nor_with_another_client(ground):
    second = ground.peer.discover("second", ground.bench.client(CALLBACK, id_token_alg="RS256"), metadata={"id_token_signed_response_alg": "RS256"})
    victims = ground.peer.do("begin", "ours", parameters={"scope": "openid"})
    got = query_of(answer(ground, victims))
    assert refused(ground, second, victims, f"{CALLBACK}?{urllib.parse.urlencode(got)}").error == "invalid_grant"


def test_a_secret_of_one_issuer_is_none_of_anothers(ground):
    """The client authenticates to each as it was told there; what the hostile one learned so is no client here."""
    begun = ground.peer.do("begin", "hostile", parameters={"scope": "openid"})
    finish(ground, "hostile", begun, answer(ground, begun))
    posing = {"id": ground.client["id"], "secret": registered("at-hostile")["client_secret"]}
    name = ground.peer.discover("posing", posing)
    begun = ground.peer.do("begin", name, parameters={"scope": "openid"})
    assert refused(ground, name, begun, answer(ground, begun)).status == 401
