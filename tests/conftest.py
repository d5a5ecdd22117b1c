# SPDX-License-Identifier: Apache-2.0
"""Fixtures of scenarios and refusal tests. They talk to the suite of BERTH_RUN_DIR (./tests/run starts one and says where).

A file's ORDER (default 50) says when it runs: the main job first, tests that break parts of the suite last.
"""
import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))

import berth_suite  # noqa: E402

TEST_SECONDS = 120


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the long ones too")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes; only with --long")
    config.addinivalue_line("markers", "seconds(n): may take n seconds instead of 120")
    config.addinivalue_line("markers", "last: ends what the others of its file look at")


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: (getattr(item.module, "ORDER", 50), item.get_closest_marker("last") is not None))
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="long: run with --long"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """A test that hangs fails."""
    marker = item.get_closest_marker("seconds")
    limit = marker.args[0] if marker else TEST_SECONDS

    def too_slow(_number, _frame):
        raise TimeoutError(f"took over {limit} s")
    signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(limit)
    yield
    signal.alarm(0)


@pytest.fixture(scope="session")
def suite():
    run_dir = pathlib.Path(os.environ.get("BERTH_RUN_DIR") or berth_suite.ROOT / ".run")
    if not (run_dir / "suite.json").exists():
        pytest.exit(f"there is no suite in {run_dir}: ./deploy/up, or run by ./tests/run", 4)
    return berth_suite.Suite(run_dir)


@pytest.fixture(scope="session")
def slug(suite):
    """The tenant that tests live in."""
    return suite.tenant(0)["slug"]


@pytest.fixture(scope="session")
def other_slug(suite):
    """The tenant next door."""
    return suite.tenant(1)["slug"]


@pytest.fixture
def admin(suite, slug):
    return suite.as_role(slug, "Admin")


@pytest.fixture
def user(suite, slug):
    return suite.as_role(slug, "User")


@pytest.fixture
def person(suite, slug):
    """Somebody new, with a password."""
    return suite.new_person(slug)


@pytest.fixture
def client(suite, slug):
    """The client that the demo tenant came with."""
    return suite.tenants[slug]["client"]


@pytest.fixture
def area(suite, slug):
    """A new area with two spots."""
    return suite.new_area(slug, spots=2)


@pytest.fixture
def booking(suite, user, area):
    """A confirmed booking of the demo User: the answer that made it."""
    return user.book(spot_id=area["spots"][0], **suite.slot()).expect(201)
