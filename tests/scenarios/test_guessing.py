# SPDX-License-Identifier: Apache-2.0
"""Guessing passwords: no race beats the limit, no stranger keeps an owner out, no answer and no time tells what exists, and the log hears
of it in measure."""
import base64
import concurrent.futures
import contextlib
import ctypes
import hashlib
import math
import random
import re
import secrets
import sys
import time

import pytest
import redis

from berth_flow import Authorization, Browser, FlowError
from berth_suite import ROOT, wait_for
from test_crash_points import usable
from test_passwords import choose, link_for, other_network, tokens_of

sys.path.insert(0, str(ROOT / "tests" / "conformance"))

from own_gateway import NO_LIMITS, OwnGateway  # noqa: E402

ORDER = 49
DEVICE = "__Host-berth_device"
PAUSE = re.compile(r"in (\d+) s\b")
FREE = 10           # attempts on one account, from anywhere, before the first pause


@pytest.fixture(scope="module")
def open_gateway(suite):
    """Without limits of its own: what slows here is authsvc."""
    with OwnGateway(suite, **NO_LIMITS) as own:
        yield {**suite.info, "url": own.url}


def attempt(info, slug, address, password, source=None, browser=None):
    """POST /login: the answer, and the seconds that it took."""
    browser = browser or Browser(info, source)
    form = browser.get("/login").page().hidden
    begun = time.perf_counter()
    reply = browser.post("/login", {**form, "tenant": slug, "email": address, "password": password})
    return reply, time.perf_counter() - begun


def hammer(info, slug, address, rounds=4 * FREE):
    """Strangers, each from a network of their own, until the account makes them wait."""
    for _ in range(rounds):
        if attempt(info, slug, address, "a guess of a stranger", other_network())[0].status == 429:
            return True
    return False


def forget(suite):
    """Every counter of attempts."""
    store = redis.Redis(unix_socket_path=suite.info["redis"])
    for key in store.scan_iter("berth:attempts:*"):
        store.delete(key)


def test_a_race_of_two_hundred_cannot_beat_the_limit(suite, slug, person, open_gateway):
    begun = time.monotonic()
    forms = []
    for _ in range(200):
        browser = Browser(open_gateway, other_network())
        forms.append((browser, browser.get("/login").page().hidden))

    def guess(pair):
        browser, form = pair
        return browser.post("/login", {**form, "tenant": slug, "email": person["email"], "password": f"guess {secrets.token_hex(8)}"}).status
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(guess, forms))
    elapsed = time.monotonic() - begun
    # 503: there was no room to hash in time, so nothing was tried.
    assert set(statuses) <= {403, 429, 503}, sorted(statuses)
    tried = statuses.count(403)
    # After the free ones the pauses double from a second: so many more fit into the time that it took.
    assert tried <= FREE + 1 + math.log2(elapsed + 2), f"{tried} in {elapsed:.1f} s: {sorted(set(statuses))}"
    assert tried and 429 in statuses, sorted(statuses)


def test_strangers_cannot_keep_an_owner_out_whose_browser_is_known(suite, slug, client, person):
    flow, _ = tokens_of(suite, client, person)
    assert DEVICE in flow.browser.cookies
    known = {DEVICE: flow.browser.cookies[DEVICE]}
    assert hammer(suite.info, slug, person["email"])
    fresh = attempt(suite.info, slug, person["email"], person["password"], other_network())[0]
    assert fresh.status == 429, "whoever brings nothing waits, with the right password too"
    travelling = Browser(suite.info, other_network())
    travelling.cookies.update(known)
    reply = attempt(suite.info, slug, person["email"], person["password"], browser=travelling)[0]
    assert reply.status == 303, f"the owner, from elsewhere, with a browser that is known: {reply.status}"
    assert travelling.cookies[DEVICE] != known[DEVICE], "a sign-in gives a new one"


def test_a_known_browser_guesses_no_faster(suite, slug, client, person):
    flow, _ = tokens_of(suite, client, person)
    thief = Browser(suite.info, other_network())
    thief.cookies[DEVICE] = flow.browser.cookies[DEVICE]
    statuses = [attempt(suite.info, slug, person["email"], f"guess {number}", browser=thief)[0].status for number in range(8)]
    assert statuses[:5] == [403] * 5 and 429 in statuses[5:], statuses
    # The owner, without it and from another network, is not held up by that thief.
    assert attempt(suite.info, slug, person["email"], person["password"], other_network())[0].status == 303


@pytest.mark.parametrize("bend", ["another account's", "changed", "cut short", "none of ours"])
def test_a_cookie_that_is_not_this_accounts_changes_nothing(suite, slug, client, person, bend):
    flow, _ = tokens_of(suite, client, suite.new_person(slug) if bend == "another account's" else person)
    value = flow.browser.cookies[DEVICE]
    value = {"another account's": value, "changed": value[:-2] + ("AA" if value[-2:] != "AA" else "BB"), "cut short": value[:-4], "none of ours": "A" * 96}[bend]
    assert hammer(suite.info, slug, person["email"])
    browser = Browser(suite.info, other_network())
    browser.cookies[DEVICE] = value
    assert attempt(suite.info, slug, person["email"], person["password"], browser=browser)[0].status == 429


def test_the_cookie_is_locked_and_says_nothing_of_the_person(suite, client, person):
    flow = Authorization(suite.info, client)
    reply = flow.submit(flow.login_page(flow.begin()), person["email"], person["password"])
    line = next(line for line in reply.headers.get_all("Set-Cookie") if line.startswith(DEVICE))
    low = line.lower()
    for word in ("secure", "httponly", "samesite=lax", "path=/", "max-age=15552000"):
        assert word in low, line
    assert "domain" not in low and person["id"] not in line and person["email"] not in line
    again = Authorization(suite.info, client)
    other = again.submit(again.login_page(again.begin()), person["email"], person["password"])
    assert line not in other.headers.get_all("Set-Cookie"), "each browser has one of its own"


def events(suite, slug, person, action):
    return [event for event in suite.events(slug, object_id=person["id"]) if event["action"] == action]


def test_attempts_that_wait_are_told_once(suite, slug, person):
    assert hammer(suite.info, slug, person["email"])
    for _ in range(20):
        assert attempt(suite.info, slug, person["email"], "a guess of a stranger", other_network())[0].status == 429
    wait_for(lambda: events(suite, slug, person, "session.delay"), 20, "the event")
    assert len(events(suite, slug, person, "session.delay")) == 1
    wait_for(lambda: events(suite, slug, person, "session.refuse"), 20, "those that were tried, each")


# -- times

def rank_sum(first, second):
    """Mann and Whitney's U of two samples: how often one of the first is above one of the second, and how many deviations that is from half."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    above = sum(place for place, (_, which) in enumerate(ranked, 1) if which == 0) - len(first) * (len(first) + 1) / 2
    pairs = len(first) * len(second)
    return above / pairs, (above - pairs / 2) / math.sqrt(pairs * (len(first) + len(second) + 1) / 12)


def compared(suite, info, count, one, other):
    """Both in turns, in an order that chance decides, so that whatever else runs here falls on both alike."""
    times = {0: [], 1: []}
    for _ in range(count):
        for which in random.sample((0, 1), 2):
            forget(suite)
            slug, address = (one, other)[which]()
            reply, seconds = attempt(info, slug, address, "not the password at all")
            assert reply.status == 403, reply.status
            times[which].append(seconds)
    return rank_sum(times[0], times[1])


def told_apart(suite, info, count, one, other):
    """Whether the times differ by more than chance, twice: a difference that is there is there again."""
    for _ in range(2):
        share, deviations = compared(suite, info, count, one, other)
        if abs(deviations) < 3.5 or abs(share - 0.5) < 0.08:
            return None
    return f"{share:.3f} of the pairs, {deviations:.1f} deviations"


def test_the_rank_test_finds_a_difference_that_is_there():
    same = [[random.gauss(50, 10) for _ in range(500)] for _ in range(2)]
    assert abs(rank_sum(*same)[1]) < 5 and abs(rank_sum(*same)[0] - 0.5) < 0.1
    share, deviations = rank_sum([value + 5 for value in same[0]], same[1])
    assert deviations > 5 and share > 0.58


PAIRS = {
    "an unknown person": lambda slug, person: (slug, f"nobody.{secrets.token_hex(5)}@{slug}.example"),
    "an unknown tenant": lambda slug, person: (f"no-{secrets.token_hex(5)}", person["email"]),
}


@pytest.mark.seconds(300)
@pytest.mark.parametrize("unknown", PAIRS.values(), ids=PAIRS.keys())
def test_the_time_of_an_answer_does_not_tell(suite, slug, person, open_gateway, unknown):
    assert not (found := told_apart(suite, open_gateway, 60, lambda: (slug, person["email"]), lambda: unknown(slug, person))), found


@pytest.mark.long
@pytest.mark.seconds(1200)
@pytest.mark.parametrize("unknown", PAIRS.values(), ids=PAIRS.keys())
def test_the_times_of_five_hundred_answers_do_not_tell(suite, slug, person, open_gateway, unknown):
    assert not (found := told_apart(suite, open_gateway, 500, lambda: (slug, person["email"]), lambda: unknown(slug, person))), found


def test_unknown_tenants_get_the_same_answer_and_the_same_pauses(suite, slug, person, open_gateway):
    def course(tenant, address):
        browser = Browser(open_gateway, other_network())
        pages, pauses = [], []
        for _ in range(6):
            reply = attempt(open_gateway, tenant, address, "not the password at all", browser=browser)[0]
            pauses += map(int, PAUSE.findall(reply.text))
            text = PAUSE.sub("a pause", reply.text)
            # The longest first: a language may stand by chance in what was drawn.
            for value in sorted([*filter(None, reply.page().hidden.values()), address, tenant], key=len, reverse=True):
                text = text.replace(value, "")
            pages.append((reply.status, text))
        return pages, pauses
    (pages, pauses), (theirs, their_pauses) = course(slug, f"nobody.{secrets.token_hex(5)}@{slug}.example"), course(f"no-{secrets.token_hex(5)}", person["email"])
    assert pages == theirs and len(pauses) == len(their_pauses) > 0
    # What is left of a pause is told in whole seconds, some of which may be over by then.
    assert all(abs(one - other) <= 1 for one, other in zip(pauses, their_pauses)), f"{pauses} {their_pauses}"


# -- many at once, and keys that change

def test_fifty_sign_ins_at_once_stay_within_what_is_set_aside(suite, slug, open_gateway):
    """Never more hashes at once than slots, never more waiting than the queue; the rest is told to come again."""
    people = [f"nobody.{secrets.token_hex(5)}@{slug}.example" for _ in range(50)]
    browsers = [Browser(open_gateway, other_network()) for _ in people]
    forms = [browser.get("/login").page().hidden for browser in browsers]
    peaks, done = [], []

    def watch():
        while not done:
            metrics = suite.metrics("authsvc")
            peaks.append((metrics["berth_auth_password_hashes_running"], metrics["berth_auth_password_hashes_waiting"]))

    def storm(number):
        reply = browsers[number].post("/login", {**forms[number], "tenant": slug, "email": people[number], "password": "not the password at all"})
        return reply.status, reply.headers["Retry-After"]
    with concurrent.futures.ThreadPoolExecutor(51) as pool:
        watcher = pool.submit(watch)
        answers = list(pool.map(storm, range(50)))
        done.append(True)
        watcher.result()
    statuses = [status for status, _ in answers]
    assert set(statuses) <= {403, 503} and statuses.count(403) >= 2, statuses
    assert all(retry for status, retry in answers if status == 503), "503 says when to come again"
    assert max(running for running, _ in peaks) <= 2 and max(waiting for _, waiting in peaks) <= 16, peaks


@contextlib.contextmanager
def with_pepper(suite, line):
    """A new first line in the file of peppers, as an operator rotates it; the old file afterwards, behind it."""
    path = suite.state / "secrets" / "authsvc" / "peppers"
    before = path.read_bytes()
    mode = path.stat()
    path.write_bytes(line.encode() + b"\n" + before)
    try:
        suite.ctl("restart", "authsvc")
        suite.reload()
        wait_for(lambda: usable(suite, "authsvc", suite.tenant(0)["slug"]), 30, "authsvc with the new pepper")
        yield before
    finally:
        # What was hashed under the new one needs it: it stays, as it would.
        assert path.stat().st_mode == mode.st_mode


def credential(suite, person):
    return suite.sql("select c.pepper_epoch, c.encoded from auth.credential c join auth.person p on p.tenant_id = c.tenant_id and p.id = c.person_id where p.public_id = %s", person["id"])[0]


def test_a_password_moves_to_the_newest_pepper_at_its_next_sign_in(suite, person):
    first, encoded = credential(suite, person)
    waiting = suite.new_person(person["slug"])
    with with_pepper(suite, f"{first + 1} {secrets.token_hex(32)}"):
        assert credential(suite, person) == (first, encoded)
        suite.sign_in_person(person)
        epoch, again = credential(suite, person)
        assert epoch == first + 1 and again != encoded, "hashed anew under the new pepper"
        suite.sign_in_person(person)
        assert credential(suite, person) == (epoch, again), "and once only"
        assert credential(suite, waiting)[0] == first, "whoever did not sign in stays where they were"
        assert suite.new_person(person["slug"]) and credential(suite, suite.new_person(person["slug"]))[0] == first + 1


# -- what is kept of a password

KEPT = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")


def parameters(encoded):
    """m, t, p, and the bytes of salt and hash."""
    m, t, p, salt, digest = KEPT.fullmatch(encoded).groups()
    return int(m), int(t), int(p), base64.b64decode(salt + "==="), base64.b64decode(digest + "===")


def test_every_password_is_kept_by_argon2id_as_strong_as_is_recommended(suite, slug, person):
    """Whatever way it came: the bootstrap's, an invitation's, a reset's."""
    password, reply = choose(suite, link_for(suite, person))
    assert reply.status == 303 and suite.sign_in(slug, person["email"], password)
    kept = [parameters(encoded) for encoded, in suite.sql("select encoded from auth.credential")]
    assert len(kept) >= 3
    for m, t, p, salt, digest in kept:
        assert (m, t, p) == (19456, 2, 1), "OWASP's, of which none is weaker"
        assert len(salt) == 16 and len(digest) == 32
    assert len({salt for _, _, _, salt, _ in kept}) == len(kept), "each has a salt of its own"


def weak_hash(suite, password, epoch):
    """By libsodium, with less memory and one turn, as an older release might have had it; under the pepper of that epoch."""
    lines = (suite.state / "secrets" / "authsvc" / "peppers").read_text().split("\n")
    pepper = next(bytes.fromhex(line.split()[1]) for line in lines if line.split()[:1] == [str(epoch)])
    keyed = hashlib.blake2b(password.encode(), key=pepper, person=b"password", digest_size=64).digest()
    sodium, out = ctypes.CDLL("libsodium.so.23"), ctypes.create_string_buffer(128)
    assert sodium.sodium_init() >= 0
    assert sodium.crypto_pwhash_str_alg(out, keyed, ctypes.c_ulonglong(64), ctypes.c_ulonglong(1), ctypes.c_size_t(8192 * 1024), 2) == 0
    return out.value.decode()


def test_a_password_kept_by_weaker_parameters_is_hashed_anew_at_its_next_sign_in(suite, slug, person):
    epoch, _ = credential(suite, person)
    weak = weak_hash(suite, person["password"], epoch)
    assert parameters(weak)[:3] == (8192, 1, 1)
    suite.sql("update auth.credential c set encoded = %s from auth.person p where p.tenant_id = c.tenant_id and p.id = c.person_id and p.public_id = %s",
              weak, person["id"])
    assert attempt(suite.info, slug, person["email"], person["password"] + "x", other_network())[0].status == 403
    assert credential(suite, person) == (epoch, weak), "a wrong one changes nothing"
    suite.sign_in_person(person)
    again = credential(suite, person)
    assert parameters(again[1])[:3] == (19456, 2, 1) and again[0] == epoch
    suite.sign_in_person(person)
    assert credential(suite, person) == again, "once only"
