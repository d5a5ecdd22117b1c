# SPDX-License-Identifier: Apache-2.0
"""A suite of its own, of the binaries as they are released: what is judged here is what is shipped. `processes` loads into it what
tries the sandbox from inside (reach.c)."""
import os
import pathlib
import shutil
import socket

import pytest

from berth_own_suite import own_suite, run
from berth_suite import ROOT

RELEASE = ROOT / ".build" / "release"
PROCESSES = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="session")
def released():
    run("cmake", "--preset", "release")
    run("cmake", "--build", RELEASE, "--target", "reach", *PROCESSES)
    with own_suite(BERTH_PORT=str(free_port()), BERTH_BUILD_DIR=str(RELEASE)) as suite:
        yield suite


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
