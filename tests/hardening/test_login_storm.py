# SPDX-License-Identifier: Apache-2.0
"""A storm of sign-ins takes no more memory than is set aside for hashes. On the released binaries."""
import concurrent.futures
import pathlib
import secrets

import pytest

from berth_flow import Browser

ORDER = 97
MIB = 1 << 20
SLOTS, EACH = 2, 19 * MIB       # BERTH_ARGON2_PARALLEL, and Argon2id's m
SLACK = 16 * MIB                # arenas and buffers of four workers


def peak(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def sign_in(released, slug):
    browser = Browser(released.info, f"127.{secrets.randbelow(200) + 2}.{secrets.randbelow(200) + 2}.{secrets.randbelow(200) + 2}")
    form = browser.get("/login").page().hidden
    return browser, {**form, "tenant": slug, "email": f"nobody.{secrets.token_hex(5)}@{slug}.example", "password": "not the password at all"}


@pytest.mark.seconds(240)
def test_fifty_sign_ins_at_once_stay_within_the_memory_set_aside(released):
    slug, pid = released.tenant(0)["slug"], released.pid("authsvc")
    ready = [sign_in(released, slug) for _ in range(50)]
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")     # the peak from now on
    before = peak(pid)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(lambda one: one[0].post("/login", one[1]).status, ready))
    assert set(statuses) <= {403, 429, 503} and statuses.count(403) >= SLOTS, sorted(statuses)
    grown = peak(pid) - before
    assert grown <= SLOTS * EACH + SLACK, f"{grown / MIB:.1f} MiB"
    assert released.ready("authsvc")
