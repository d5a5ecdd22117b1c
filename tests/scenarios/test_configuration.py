# SPDX-License-Identifier: Apache-2.0
"""A process that is told too little or something wrong says which key, never its value, and does not start. Migrations go one after the
other, while the service answers."""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import threading

import psycopg2
import pytest

from berth_suite import ROOT, SCHEMAS, wait_for

ORDER = 88
PROCESSES = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")
SECONDS = 30

pytestmark = pytest.mark.seconds(240)


def start(suite, name, settings):
    """Starts the process with these settings where they must not be enough: (exit code, what it says)."""
    child = subprocess.Popen([str(suite.state / "opt" / "bin" / name)], env=settings, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")
    try:
        text, _ = child.communicate(timeout=SECONDS)
        return child.returncode, text
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        text, _ = child.communicate()
        return None, text


def apart(suite, name):
    """The settings of the process with ports of its own, so that it is not refused for those that the suite's holds."""
    settings = suite.environment(name)
    listening = [key for key in settings if key.startswith("BERTH_LISTEN_") or key in ("BERTH_ADMIN_LISTEN", "BERTH_GATEWAY_LISTEN")]
    with contextlib.ExitStack() as held:
        for key in listening:
            place = held.enter_context(socket.socket())
            place.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{place.getsockname()[1]}"
            settings[key] = f"tls+tcp://{address}" if key.startswith("BERTH_LISTEN_") else address
    return settings


def keys(suite, name):
    """As --help tells them: {key: its line}."""
    text = subprocess.run([str(suite.state / "opt" / "bin" / name), "--help"], env={}, capture_output=True, text=True, check=True).stdout
    return {found[1]: found[0] for found in re.finditer(r"^ +(BERTH_\w+)\b.*$", text, re.M)}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_required_key_that_is_missing_is_named(suite, name):
    settings = suite.environment(name)
    told = keys(suite, name)
    required = [key for key, line in told.items() if ", required" in line or re.match(r"BERTH_(LISTEN|DIAL)_", key)]
    assert len(required) > 8 and "BERTH_PUBLIC_URL" in required
    for key in required:
        code, text = start(suite, name, {other: value for other, value in settings.items() if other != key})
        assert code == 2, f"without {key}: {code}, {text[-300:]}"
        assert [line for line in text.splitlines() if key in line and "required" in line], f"without {key} it says: {text[-300:]}"


@pytest.mark.parametrize("name", PROCESSES)
def test_a_value_that_is_wrong_is_named_and_not_repeated(suite, name, tmp_path):
    settings = apart(suite, name)
    told = keys(suite, name)
    wrong = {"BERTH_PUBLIC_URL": "ftp://canary", "BERTH_REGION": "us-canary-1", "BERTH_LOG_LEVEL": "canary", "BERTH_ENV": "canary",
             "BERTH_ADMIN_LISTEN": "canary", "BERTH_TRACE_PER_S": "12canary"}
    assert wrong.keys() <= told.keys()
    wrong |= {key: str(tmp_path / "canary") for key in told if key.endswith("_FILE")}
    wrong |= {key: "canary" for key in told if re.match(r"BERTH_(LISTEN|DIAL)_", key)}
    wrong |= {key: "canary" for key in (
        "BERTH_LINK_CA_DIR", "BERTH_SMTP_URL", "BERTH_MAIL_FROM", "BERTH_TRACE_URL", "BERTH_GATEWAY_LISTEN",
        "BERTH_GATEWAY_CERT_FILES") if key in told}
    wrong.pop("BERTH_LIMITS_FILE", None)     # one that is not there yet is no fault
    for key, value in wrong.items():
        code, text = start(suite, name, {**settings, key: value})
        assert code in (1, 2), f"{key}={value}: {code}, {text[-300:]}"
        assert key in text, f"{key}={value}: {text[-300:]}"
        assert "canary" not in text, f"{key}: its value is repeated"


# Files that a process opens itself; what stands in them is judged before it serves.
JUDGED = ("BERTH_ADMIN_CERT_FILE", "BERTH_ADMIN_KEY_FILE", "BERTH_ADMIN_CA_FILE", "BERTH_LINK_CERT_FILE", "BERTH_LINK_KEY_FILE",
          "BERTH_MASTER_KEYS_FILE", "BERTH_INDEX_KEY_FILE", "BERTH_PEPPERS_FILE", "BERTH_CLIENT_SECRET_KEY_FILE",
          "BERTH_LOG_SIGNING_KEY_FILE", "BERTH_EGRESS_ALLOW_FILE")


@pytest.mark.parametrize("name", PROCESSES)
def test_a_file_that_holds_something_else_is_named_and_not_repeated(suite, name, tmp_path):
    settings = apart(suite, name)
    wrong = tmp_path / "secret"
    wrong.write_text("canary-of-a-secret\n")
    judged = [key for key in JUDGED if key in settings]
    assert len(judged) >= 5
    for key in judged:
        code, text = start(suite, name, {**settings, key: str(wrong)})
        assert code in (1, 2) and key in text and "canary" not in text, f"{key}: {code}, {text[-300:]}"


def waiting(suite):
    return suite.sql("select count(*) from pg_locks where locktype = 'advisory' and not granted")[0][0]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_migration_waits_for_another_and_the_service_goes_on(suite, schema):
    """The lock is held as another migration holds it: the next one waits, and ends well when it is let go."""
    name, outcomes = SCHEMAS[schema], []
    run = threading.Thread(target=lambda: outcomes.append(suite.ctl("migrate", name)))
    held = psycopg2.connect(host=suite.info["pg"]["host"], dbname=suite.info["pg"]["dbname"], user=suite.info["pg"]["superuser"])
    try:
        with held.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(hashtextextended('berth.migrate.' || %s, 0))", (schema,))
            run.start()
            wait_for(lambda: waiting(suite) == 1, SECONDS, "a migration at the lock")
            assert suite.ready(name) and not outcomes
    finally:
        held.close()
    run.join(SECONDS)
    assert len(outcomes) == 1 and suite.ready(name)


def test_a_schema_that_is_behind_keeps_a_service_from_starting(suite):
    """As after a database was put back: the process says what to do and ends, and answers nothing from tables that it does not know."""
    last = suite.sql("select max(number) from gdpr.schema_version")[0][0]
    suite.sql("update gdpr.schema_version set number = -number where number = %s", last)
    try:
        code, text = start(suite, "gdprsvc", apart(suite, "gdprsvc"))
    finally:
        suite.sql("update gdpr.schema_version set number = -number where number = %s", -last)
    assert code not in (0, None) and "--migrate" in text, f"{code}: {text[-400:]}"


def test_a_port_that_is_taken_is_refused_and_not_remembered(suite):
    """So that the next ./deploy/up of that directory may name another."""
    run_dir = suite.run_dir.with_name(f"{suite.run_dir.name}-b")
    environment = dict(os.environ, BERTH_RUN_DIR=str(run_dir), BERTH_PORT=suite.url.rpartition(":")[2])
    try:
        refused = subprocess.run([str(ROOT / "deploy" / "up")], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS * 4)
        assert refused.returncode == 1 and "in use" in refused.stderr, refused.stdout + refused.stderr
        assert not (run_dir / "etc" / "ports").exists() and not (run_dir / "suite.json").exists()
    finally:
        state = run_dir / "state"
        if state.is_symlink():
            shutil.rmtree(state.resolve())
        shutil.rmtree(run_dir, ignore_errors=True)
