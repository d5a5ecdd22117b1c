# SPDX-License-Identifier: Apache-2.0
"""What other people thought of when they tested such parsers: the texts and bytes in the tests of Python's own library, which Debian packs
(libpython3.11-testsuite). They are taken from the package each time, not kept here, and each goes through our target, as it is and changed."""
import ast
import fcntl
import os
import pathlib
import shutil

from . import process
from .build import BUILDS, ROOT, tree
from .report import FAILED, PASSED

PACKAGE = "libpython3.11-testsuite"
SECONDS, RUNS = 20, 50000
LONGEST = 65536
WEB = ("test_httplib.py", "test_httpservers.py", "test_wsgiref.py", "test_urllib2.py", "test_cgi.py")
MAIL = ("test_email", "test_smtplib.py", "test_mailbox.py")
BYTES = ("test_struct.py", "pickletester.py", "test_pickle.py", "test_bytes.py")
TEXT = ("test_codecs.py", "test_unicodedata.py", "string_tests.py", "test_strtod.py")
TOKENS = ("test_json", "test_base64.py", "test_hmac.py")
# Our target, and those tests that are of its kind.
OF_KIND = {
    "json": ("test_json",), "json_codec": ("test_json",), "http": WEB, "h2": WEB, "gateway_fields": WEB,
    "router": ("test_urlparse.py", "test_urllib.py"), "query": ("test_urlparse.py", "test_urllib.py", "test_cgi.py"),
    "encode": ("test_base64.py", "test_binascii.py", "test_urlparse.py"), "auth_rules_web": ("test_http_cookies.py", "test_http_cookiejar.py"),
    "auth_rules_oauth": ("test_urlparse.py", "test_urllib2.py"), "id": ("test_uuid.py",), "clock": ("datetimetester.py",), "str": TEXT, "plate": TEXT,
    "mail": MAIL, "egress_address": MAIL, "egress_allow": ("test_ipaddress.py", "test_urlparse.py"), "ports": ("test_ipaddress.py", "test_urlparse.py"),
    "config": ("test_configparser.py", "test_netrc.py"), "gateway_limit_file": ("test_configparser.py",),
    "jws": TOKENS, "token": TOKENS, "assertion": TOKENS, "keyset": TOKENS, "auth_webauthn_client": TOKENS,
    "binary": BYTES, "envelope": BYTES, "buf": BYTES, "link_frame": BYTES, "auth_webauthn": BYTES}


def unpacked():
    """The folder of their tests: fetched once, and not installed."""
    folder = BUILDS / "foreign"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not list(folder.glob("usr/lib/python3*/test")):
            for command in (["apt-get", "download", "-q", PACKAGE], ["sh", "-c", f"dpkg-deb -x {PACKAGE}_*.deb ."]):
                outcome = process.run(command, 300, cwd=folder)
                if outcome.code:
                    raise RuntimeError(f"{command}: {outcome.text}")
    return next(iter(folder.glob("usr/lib/python3*/test")))


def constants(text):
    """Every text and every run of bytes that stands in a program."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            yield node.value if isinstance(node.value, bytes) else node.value.encode("utf-8", "surrogatepass")


def seeds(names):
    tests, found = unpacked(), set()
    for name in names:
        path = tests / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix == ".py":
                found.update(constants(file.read_text(encoding="utf-8")))
            elif file.is_file():
                found.add(file.read_bytes())
    return [seed for seed in sorted(found) if len(seed) <= LONGEST]


def run_foreign(report, test):
    folder = BUILDS / "foreign-seeds" / test.short
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "in").mkdir(parents=True)
    (folder / "crashes").mkdir()
    try:
        found = seeds(OF_KIND[test.short])
    except (OSError, RuntimeError, SyntaxError, StopIteration) as error:
        report.add(FAILED, test.name, 0, f"there are no seeds: {error!r}")
        return
    for number, seed in enumerate(found):
        (folder / "in" / str(number)).write_bytes(seed)
    command = [str(tree("fuzz") / "fuzz" / f"fuzz_{test.short}"), f"-runs={RUNS + len(found)}", f"-max_total_time={SECONDS}", "-timeout=10",
               f"-artifact_prefix={folder}/crashes/", "-verbosity=1", str(folder / "in")]
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", UBSAN_OPTIONS="print_stacktrace=1")
    outcome = process.run(command, SECONDS + 120, cwd=ROOT, env=env)
    text = outcome.text + "".join(f"\nkeep this input: cp {pathlib.Path(path).relative_to(ROOT)} tests/fuzz/{test.short}/\n"
                                  for path in (folder / "crashes").iterdir())
    good = outcome.code == 0 and len(found) > 20
    if good:
        report.note(f"{test.name}: {len(found)} seeds")
    report.add(PASSED if good else FAILED, test.name, outcome.seconds, text)
