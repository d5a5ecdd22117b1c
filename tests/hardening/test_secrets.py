# SPDX-License-Identifier: Apache-2.0
"""What a copy of a live process's memory, its arguments and its environment hold: a password is gone after the sign-in, a key stands
only where it is used, and nobody but the superuser may look. On the released binaries."""
import os
import pathlib
import re
import secrets
import urllib.parse

import pytest

from berth_suite import wait_for
from test_confinement import PROCESSES

ORDER = 97

pytestmark = pytest.mark.seconds(240)
PIECE = 1 << 20
RESERVED = 1 << 20

# Secrets as files, and the processes that hold them. Roles' passwords of PostgreSQL are held by whoever connects with them.
OWN = ("pg-app", "pg-jobs", "master-keys", "index-key")


def holders(suite):
    """[(name of the secret, its bytes as they stand in memory, {processes that may hold it})]"""
    rows = []
    for path in sorted((suite.state / "secrets").glob("*/*")):
        folder, text = path.parent.name, path.read_text().strip()
        if folder not in PROCESSES or len(text) < 16:
            continue
        for word in re.findall(r"[0-9A-Za-z+/=_-]{16,}", text):
            rows.append((f"{folder}/{path.name}", word.encode(), {folder}))
            if re.fullmatch(r"[0-9a-f]{64}", word):
                rows.append((f"{folder}/{path.name} in binary", bytes.fromhex(word), {folder}))
    for path in sorted((suite.state / "secrets" / "owner").glob("*")):
        rows.append((f"owner/{path.name}", path.read_text().strip().encode(), set()))
    # The same password stands in the files of every process that uses it.
    merged = {}
    for name, value, may in rows:
        before = merged.setdefault(value, (name, set()))
        before[1].update(may)
    return [(name, value, may) for value, (name, may) in merged.items()]


def found_in(pid, needles):
    """The needles that stand in what a process may write to, whether it may read it just now or not."""
    pattern = re.compile(b"|".join(re.escape(needle) for needle in sorted(needles)))
    overlap = max(map(len, needles)) - 1
    found = set()
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        regions = [line.split(maxsplit=5) for line in maps]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for place, access, _, _, inode, *_ in regions:
            # Code and constants of files hold no secret; reserved and never used addresses are skipped, guarded secrets are not.
            start, end = (int(word, 16) for word in place.split("-"))
            if start >> 63 or (inode != "0" and "w" not in access) or (access.startswith("---") and end - start > RESERVED):
                continue
            at, tail = start, b""
            while at < end:
                try:
                    memory.seek(at)
                    piece = memory.read(min(PIECE, end - at))
                except OSError:
                    break
                if not piece:
                    break
                if piece.count(0) < len(piece):
                    found |= set(pattern.findall(tail + piece))
                tail = piece[-overlap:]
                at += len(piece)
    return found


def superuser():
    if os.geteuid() != 0:
        pytest.skip("only the superuser may read the memory of the released processes, as the next test shows")


def test_a_password_is_gone_after_the_sign_in(released):
    superuser()
    slug = released.tenant(0)["slug"]
    person = released.invite(slug)
    # Of every process, in the forms in which it travels; not one byte of it needs escaping.
    person["password"] = f"Canary{secrets.token_hex(16)}"
    link = released.link_in_mail(person["email"], "invitation")
    released.api().post("/v1/invitations/accept", {"token": link, "password": person["password"]}).expect(200)
    released.sign_in_person(person)
    needles = [person["password"].encode()]
    assert urllib.parse.quote(person["password"]) == person["password"]
    # The test can see: this very process still has it.
    assert found_in(os.getpid(), needles)
    for name in PROCESSES:
        wait_for(lambda name=name: not found_in(released.pid(name), needles), 20, f"the end of the password in {name}")


def test_a_key_stands_only_where_it_is_used(released):
    superuser()
    rows = holders(released)
    assert len(rows) > 10
    needles = [value for _, value, _ in rows]
    seen = {name: found_in(released.pid(name), needles) for name in PROCESSES}
    for name, value, may in rows:
        where = {process for process in PROCESSES if value in seen[process]}
        assert where <= may, f"{name} stands in {sorted(where - may)}"
    # Not vacuous: whoever needs a key has it.
    held = {process for process in PROCESSES for _, value, may in rows if process in may and value in seen[process]}
    assert held >= {"authsvc", "bookingsvc", "auditsvc", "gdprsvc"}


@pytest.mark.parametrize("name", PROCESSES)
def test_no_secret_is_an_argument_or_in_the_environment(released, name):
    pid = released.pid(name)
    environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes() if os.geteuid() == 0 else b""
    arguments = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    assert b"BERTH_ENV=" in environment or os.geteuid() != 0
    for secret, value, _ in holders(released):
        assert value not in environment + arguments, secret


@pytest.mark.parametrize("name", PROCESSES)
def test_no_core_is_ever_written_and_nobody_else_may_look(released, name, owner):
    pid = released.pid(name)
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.M), limits
    # Another process of the same user: the process is not dumpable, so its memory is the superuser's alone.
    child = os.fork()
    if child == 0:
        os._exit(look(pid, owner))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 13     # EACCES


def look(pid, owner):
    if owner:
        os.setgroups([])
        os.setgid(owner["group"])
        os.setuid(owner["user"])
    try:
        with open(f"/proc/{pid}/mem", "rb"):
            return 0
    except OSError as error:
        return error.errno
