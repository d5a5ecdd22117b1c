# SPDX-License-Identifier: Apache-2.0
"""Passkeys in a real browser: Chromium with a virtual authenticator runs the pages and their script under their own policy."""
import re
import urllib.parse

import pytest

from berth_browser import Chromium
from berth_factor import RECOVERY, claims
from berth_flow import Authorization

ORDER = 46
ADD = "form[data-passkey=create] button"
USE = "form[data-passkey=get] button"


@pytest.fixture(scope="module")
def chromium(suite):
    with Chromium(suite) as browser:
        yield browser


def begin(chromium, suite, client):
    """Opens the authorization endpoint: the flow whose code will come back."""
    flow = Authorization(suite.info, client)
    chromium.open(suite.url + "/oauth2/authorize?" + urllib.parse.urlencode(flow.query))
    return flow


def send_password(chromium, person):
    chromium.type("input[name=email]", person["email"])
    chromium.type("input[name=password]", person["password"])
    chromium.click("form:not([data-passkey]) button")


def finish(chromium, flow):
    """The token of the code that came back to the client."""
    back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(chromium.arrive("/demo/callback?")).query))
    assert back["state"] == flow.state
    return claims(flow.exchange(back["code"]).json()["access_token"])


@pytest.mark.seconds(300)
@pytest.mark.parametrize("kind", ["a platform's, discoverable", "a security key without user verification"])
def test_a_passkey_is_set_up_and_used_in_a_real_browser(suite, slug, chromium, kind):
    client, person = suite.tenants[slug]["client"], suite.new_person(slug)
    weak = kind.startswith("a security key")
    about = {"transport": "usb", "hasResidentKey": False, "hasUserVerification": False, "isUserVerified": False} if weak else {}
    chromium.forget()
    authenticator = chromium.add_authenticator(**about)

    flow = begin(chromium, suite, client)
    send_password(chromium, person)
    assert finish(chromium, flow)["acr"] == "1fa"
    chromium.open(suite.url + "/account/factors")
    chromium.type("input[name=name]", "browser")
    chromium.click(ADD)
    chromium.wait(lambda: len(set(re.findall(RECOVERY, chromium.source))) == 10, "the recovery codes")
    kept = chromium.credentials(authenticator)
    assert len(kept) == 1 and kept[0]["rpId"] == urllib.parse.urlsplit(suite.url).hostname
    chromium.open(suite.url + "/account/factors")
    assert "browser" in chromium.source
    chromium.type("input[name=name]", "twice")
    chromium.click(ADD)
    chromium.wait(lambda: chromium.run("return !document.querySelector('form[data-passkey] [role=alert]').hidden"), "the refusal of a second one")

    chromium.forget()
    flow = begin(chromium, suite, client)
    send_password(chromium, person)
    chromium.arrive("/login/factor")
    chromium.click(USE)
    behind = finish(chromium, flow)
    assert behind["sub"] == person["id"] and behind["acr"] == "phr" and behind["amr"][0] == "pwd"

    if not weak:
        chromium.forget()
        flow = begin(chromium, suite, client)
        chromium.click(USE)
        alone = finish(chromium, flow)
        assert alone["sub"] == person["id"] and alone["acr"] == "phr" and "pwd" not in alone["amr"]
    chromium.ask("DELETE", f"/webauthn/authenticator/{authenticator}")


def test_without_a_passkey_the_page_says_so_and_goes_on_by_password(suite, slug, chromium):
    client, person = suite.tenants[slug]["client"], suite.new_person(slug)
    chromium.forget()
    authenticator = chromium.add_authenticator()
    flow = begin(chromium, suite, client)
    chromium.click(USE)
    chromium.wait(lambda: chromium.run("return !document.querySelector('form[data-passkey] [role=alert]').hidden"), "the sentence of the page")
    send_password(chromium, person)
    assert finish(chromium, flow)["acr"] == "1fa"
    chromium.ask("DELETE", f"/webauthn/authenticator/{authenticator}")
