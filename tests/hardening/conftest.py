# SPDX-License-Identifier: Apache-2.0
"""A suite of its own, of the binaries as they are released: what is judged here is what is shipped. `processes` loads into it what
tries the sandbox from inside (reach.c)."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess

import pytest

import berth_suite

ROOT = berth_suite.ROOT
RELEASE = ROOT / ".build" / "release"
PROCESSES = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")
UP_SECONDS = 400


def run(*command, env=None, seconds=UP_SECONDS):
    outcome = subprocess.run(
        [str(word) for word in command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=seconds)
    assert outcome.returncode == 0, f"{command}: {outcome.stdout[-3000:]}{outcome.stderr[-3000:]}"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="session")
def released():
    run("cmake", "--preset", "release")
    run("cmake", "--build", RELEASE, "--target", "reach", *PROCESSES)
    # The name is a pid, so that ./tests/run takes it away when this one could not.
    run_dir = ROOT / ".run-tests" / str(os.getpid())
    run_dir.parent.mkdir(exist_ok=True)
    env = dict(os.environ, BERTH_RUN_DIR=str(run_dir), BERTH_PORT=str(free_port()), BERTH_BUILD_DIR=str(RELEASE))
    env.pop("BERTH_REPORT_FD", None)
    try:
        run(ROOT / "deploy" / "up", env=env)
        yield berth_suite.Suite(run_dir)
    finally:
        run(ROOT / "deploy" / "down", env=env)
        if (run_dir / "state").is_symlink():
            shutil.rmtree((run_dir / "state").resolve(), ignore_errors=True)
        shutil.rmtree(run_dir, ignore_errors=True)
        with contextlib.suppress(OSError):
            run_dir.parent.rmdir()


@pytest.fixture(scope="session")
def owner(released):
    """What Popen needs to run something as the user of the processes."""
    status = (released.state / "sock").stat()
    return {"user": status.st_uid, "group": status.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}


@pytest.fixture(scope="session")
def reach(released):
    """The library, where the processes can read it."""
    place = pathlib.Path(released.state) / "opt" / "lib" / "reach.so"
    place.parent.mkdir(exist_ok=True)
    shutil.copy(RELEASE / "test" / "reach.so", place)
    place.chmod(0o755)
    return place
