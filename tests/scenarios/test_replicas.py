# SPDX-License-Identifier: Apache-2.0
"""Two replicas of bookingsvc behind one gateway: one that is stopped, slowed or killed is left for the other, and gets its share again
when it is well."""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import time

import httpx
import pytest

from berth_load import Load, reading
from berth_suite import wait_for

ORDER = 93
NAME = "bookingsvc"
LEFT_S = 6          # in which whoever asks may still meet the one that was stopped

pytestmark = pytest.mark.seconds(300)


def free_port():
    """One that neither a suite nor an outgoing connection takes."""
    while True:
        port = random.randrange(14000, 19000)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def environment(suite):
    """What the second one is told: the same as the first, at addresses of its own."""
    settings = suite.environment(NAME)
    for key in settings:
        if key.startswith("BERTH_LISTEN_"):
            settings[key] = f"tls+tcp://127.0.0.1:{free_port()}"
    settings["BERTH_ADMIN_LISTEN"] = f"127.0.0.1:{free_port()}"
    return settings


def is_ready(suite, settings):
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"https://{settings['BERTH_ADMIN_LISTEN']}/readyz", verify=suite.info["ca"], timeout=5, trust_env=False).status_code == 200
    return False


@contextlib.contextmanager
def second(suite, log):
    """The second process; ends with the test, whatever it was made to do."""
    settings = environment(suite)
    user = ["setpriv", "--reuid=berth", "--regid=berth", "--init-groups", "--no-new-privs", "--"] if os.geteuid() == 0 else []
    command = [*user, "env", "-i", *(f"{key}={value}" for key, value in settings.items()), str(suite.state / "opt" / "bin" / NAME)]
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    try:
        wait_for(lambda: is_ready(suite, settings) or process.poll() is not None, 60, "the second replica")
        assert process.poll() is None, pathlib.Path(log).read_text()[-2000:]
        yield process, settings
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def told(suite, settings):
    """The gateway dials both."""
    local = suite.state / "etc" / "gateway.local.env"
    kept = local.with_suffix(".kept")
    first = suite.environment("gateway")
    lines = [f"BERTH_DIAL_BOOKINGSVC_{lane}={first[f'BERTH_DIAL_BOOKINGSVC_{lane}']},{settings[f'BERTH_LISTEN_GATEWAY_{lane}']}"
             for lane in ("FAST", "SLOW")]
    if local.exists():
        shutil.copy(local, kept)
    with open(local, "a", encoding="utf-8") as out:
        out.write("\n" + "\n".join(lines) + "\n")
    shutil.copymode(suite.state / "etc" / "gateway.env", local)
    try:
        suite.ctl("restart", "gateway", seconds=200)
        yield
    finally:
        if kept.exists():
            os.replace(kept, local)
        else:
            local.unlink()
        suite.ctl("restart", "gateway", seconds=200)
        suite.reload()


def number(suite, name, replica):
    return suite.metrics("gateway")[f'{name}{{callee="{NAME}",lane="FAST",replica="{replica}"}}']


def connects(suite):
    return number(suite, "berth_edge_link_connects_total", 1)


def test_a_replica_that_is_stopped_or_killed_is_left_for_the_other(suite, slug, tmp_path):
    with second(suite, tmp_path / "second.log") as (process, settings), told(suite, settings):
        wait_for(lambda: connects(suite) >= 1, 20, "the second connection")
        with Load(suite, reading(suite, slug, "/v1/whoami")) as load:
            before = connects(suite)
            stopped_at = time.monotonic()
            os.kill(process.pid, signal.SIGSTOP)
            wait_for(lambda: time.monotonic() > stopped_at + LEFT_S, LEFT_S + 5)
            early, load.failures = load.failures, []
            load.goes_on(100)
            assert load.failures == [], "it is still asked"
            assert len(early) < 200, f"{len(early)} failures: {early[:3]}"
            os.kill(process.pid, signal.SIGCONT)
            wait_for(lambda: connects(suite) > before, 30, "the connection after SIGCONT")
            load.goes_on(100)
            assert load.failures == [], "after SIGCONT"
            process.kill()
            process.wait()
            load.goes_on(100)
        assert load.failures == [], "what changes nothing goes to the other"
    suite.as_role(slug, "User").get("/v1/whoami").expect(200)
