# SPDX-License-Identifier: Apache-2.0
"""The picture of an app's key, read by a program that had no part in drawing it, and followed by another one."""
import json
import pathlib
import re
import subprocess
import urllib.parse

import pytest

from berth_factor import act, app_code, secret_in
from berth_flow import Authorization
from counterparts import npm_install

ORDER = 47

READER = pathlib.Path(__file__).resolve().parent / "qr_reader" / "read.mjs"
SCALE = 4       # pixels of a module, as a camera may see it


@pytest.fixture(scope="module")
def reader():
    return npm_install("qr_reader") / "node_modules"


def drawn(page):
    """The picture's side and its dark pixels, from the path of the page."""
    svg = re.search(r'<svg [^>]*viewBox="0 0 (\d+) \1"[^>]*shape-rendering="crispEdges">.*?fill="#000" d="([^"]*)"', page, re.S)
    assert svg, "no picture"
    modules = [(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", svg[2])]
    assert "".join(f"M{x} {y}h1v1h-1z" for x, y in modules) == svg[2], "nothing else is drawn"
    pixels = [(x * SCALE + i, y * SCALE + j) for x, y in modules for i in range(SCALE) for j in range(SCALE)]
    return int(svg[1]) * SCALE, pixels


def read(reader, page):
    side, dark = drawn(page)
    outcome = subprocess.run(["node", str(READER), str(reader)], input=json.dumps({"side": side, "dark": dark}), capture_output=True, text=True, timeout=60)
    assert outcome.returncode == 0, outcome.stderr
    return json.loads(outcome.stdout)


def begun(suite, slug, **fields):
    person = suite.new_person(slug, **fields)
    flow = Authorization(suite.info, suite.tenants[slug]["client"])
    flow.follow(flow.submit(flow.login_page(flow.begin()), person["email"], person["password"]))
    return person, flow.browser, act(flow.browser, action="start")


def test_an_app_that_reads_the_picture_has_the_key_and_shows_the_right_code(suite, slug, reader):
    person, browser, page = begun(suite, slug)
    uri = read(reader, page.text)
    parts, query = urllib.parse.urlsplit(uri), dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(uri).query, strict_parsing=True))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert urllib.parse.unquote(parts.path) == f"/Berth:{person['email']}"
    assert query == {"secret": secret_in(page.text), "issuer": "Berth", "algorithm": "SHA1", "digits": "6", "period": "30"}
    done = browser.post("/account/factors", {**page.page().hidden, "code": app_code(query["secret"], -30)})
    assert done.status == 200, "what the app of the picture shows is taken"


def test_each_picture_is_of_a_key_of_its_own(suite, slug, reader):
    _, browser, first = begun(suite, slug)
    again = act(browser, action="start")
    assert read(reader, first.text) != read(reader, again.text)
    old = browser.post("/account/factors", {**first.page().hidden, "code": app_code(secret_in(first.text))})
    assert old.status in (403, 404), "what was begun before is forgotten"


def test_the_reader_finds_nothing_where_a_code_is_spoilt(suite, slug, reader):
    """So that a picture that is read is one that is right."""
    _, _, page = begun(suite, slug)
    side, dark = drawn(page.text)
    spoilt = [(x, y) for x, y in dark if y > side // 3]
    outcome = subprocess.run(["node", str(READER), str(reader)], input=json.dumps({"side": side, "dark": spoilt}), capture_output=True, text=True, timeout=60)
    assert outcome.returncode == 0 and json.loads(outcome.stdout) is None
