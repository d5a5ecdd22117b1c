# SPDX-License-Identifier: Apache-2.0
"""Passwords that others know are refused: the list in the program, a larger one of the operator's, and a file that is damaged."""
import contextlib
import json
import pathlib
import secrets
import subprocess
import sys

import pytest

from berth_flow import Browser
from berth_suite import ROOT, wait_for
from test_crash_points import usable

sys.path.insert(0, str(ROOT / "tests" / "conformance"))

from edge import Edge  # noqa: E402
from own_gateway import NO_LIMITS, OwnGateway, free_ports  # noqa: E402

ORDER = 94
JOHN = pathlib.Path("/usr/share/john/password.lst")
SHORTEST = 15


def common():
    """What people take most, from a list that is not ours."""
    return [line for line in JOHN.read_text().splitlines() if line and not line.startswith("#!comment:")]


def refusals(suite, slug, passwords):
    """{password: reason} of setting each by one invitation."""
    link = suite.link_in_mail(suite.invite(slug)["email"], "invitation")
    reasons = {}
    with OwnGateway(suite, **NO_LIMITS) as own, Edge(own, seconds=100) as edge:
        for password in passwords:
            body = json.dumps({"token": link, "password": password}).encode()
            answer = edge.ask(b"POST /v1/invitations/accept HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                              + f"Idempotency-Key: {secrets.token_hex(8)}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            reasons[password] = json.loads(answer.body).get("reason") if answer.status == 400 else answer.status
    return reasons


def dressed(word):
    """As people make a word long enough, and think it better."""
    return ("-".join(word.title()) + "!" * SHORTEST)[:max(SHORTEST, 2 * len(word))] + str(secrets.randbelow(9000) + 1000)


@contextlib.contextmanager
def told(suite, path):
    """authsvc with that list; as before afterwards."""
    local = suite.state / "etc" / "authsvc.local.env"
    before = local.read_text() if local.exists() else ""
    local.write_text(f"{before}BERTH_BREACHED_PASSWORDS_FILE={path}\n")
    local.chmod(0o644)
    try:
        yield
    finally:
        local.write_text(before)
        suite.ctl("restart", "authsvc")
        suite.reload()
        wait_for(lambda: usable(suite, "authsvc", suite.tenant(0)["slug"]), 30, "authsvc as it was")


@pytest.fixture(scope="module")
def large(suite):
    """The list as a file, as an operator makes it."""
    words, out = suite.state / "etc" / "words.txt", suite.state / "etc" / "words.filter"
    words.write_text("".join(f"{word.lower()}\n" for word in common()))
    made = subprocess.run([str(suite.state / "opt" / "bin" / "authsvc"), "--build-password-filter", "text", str(words), str(out)], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return out


def test_what_many_people_take_is_refused(suite, slug):
    reasons = refusals(suite, slug, common())
    assert len(reasons) > 3000
    assert set(reasons.values()) <= {"password_short", "password_trivial", "password_breached"}, {word: why for word, why in reasons.items() if not str(why).startswith("password_")}


def test_what_many_people_think_of_when_it_must_be_long_is_refused_and_told_why(suite, slug):
    phrases = ["correct horse battery staple", "Correct-Horse-Battery-Staple-2026!", "Je t'aime pour toujours", "ik hou van jou voor altijd"]
    assert set(refusals(suite, slug, phrases).values()) == {"password_breached"}
    person = suite.invite(slug)
    link = suite.link_in_mail(person["email"], "invitation")
    browser = Browser(suite.info)
    form = {**browser.get(f"/invitation?token={link}").page().hidden, "password": phrases[0], "password_again": phrases[0]}
    reply = browser.post("/invitation", form)
    assert reply.status == 422 and "known to others" in reply.text, reply.text[:400]


def test_a_larger_list_is_asked_too(suite, slug, large):
    words = [word for word in common() if len(word) >= 7 and word.isalpha()][::25]
    assert len(words) >= 20
    long_enough = [dressed(word) for word in words]
    before = refusals(suite, slug, long_enough)
    assert list(before.values())[0] == 200, "none of them stands on the list in the program: the first is taken"
    with told(suite, large):
        suite.ctl("restart", "authsvc")
        suite.reload()
        wait_for(lambda: usable(suite, "authsvc", slug), 30, "authsvc with the list")
        reasons = refusals(suite, slug, long_enough)
        assert set(reasons.values()) <= {"password_breached", "password_trivial"} and "password_breached" in reasons.values(), reasons
        suite.new_person(slug)


@pytest.mark.parametrize("damage", ["a bit", "its end", "all of it", "it is not there"])
def test_a_damaged_list_stops_the_start_and_says_so(suite, large, damage):
    path = large.with_suffix(".damaged")
    whole = bytearray(large.read_bytes())
    if damage == "a bit":
        whole[len(whole) // 2] ^= 1
    path.write_bytes(b"" if damage == "all of it" else whole[:-100] if damage == "its end" else whole)
    env = {**suite.environment("authsvc"), "BERTH_BREACHED_PASSWORDS_FILE": str(path) if damage != "it is not there" else f"{path}.gone"}
    listens = [key for key in env if key.startswith("BERTH_LISTEN_")]
    admin, *ports = free_ports(len(listens) + 1)
    env.update({"BERTH_ADMIN_LISTEN": f"127.0.0.1:{admin}", **{key: f"tls+tcp://127.0.0.1:{port}" for key, port in zip(listens, ports)}})
    ended = subprocess.run([str(suite.state / "opt" / "bin" / "authsvc")], env=env, capture_output=True, text=True, timeout=60)
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0 and "BERTH_BREACHED_PASSWORDS_FILE" in said, said[-2000:]
    assert damage == "it is not there" or "breached_passwords_refused" in said, said[-2000:]
