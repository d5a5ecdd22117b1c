# SPDX-License-Identifier: Apache-2.0
"""Second factors as a person has them: an authenticator app (oathtool, of another implementation than the server's), its pages."""
import base64
import json
import re
import subprocess
import time

import berth_flow

RECOVERY = r"\b(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}\b"


def claims(token):
    """What a token says, unverified."""
    text = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


STEP_S = 30
ARRIVAL_S = 3


def app_code(secret, offset=0):
    """What the app shows, `offset` seconds from now. In the last moments of a step the next one is awaited: a code of the step before would be two old
    when it arrives, and refused."""
    left = STEP_S - time.time() % STEP_S
    if left < ARRIVAL_S:
        time.sleep(left)
    moment = f"@{int(time.time()) + offset}"
    return subprocess.run(["oathtool", "--totp", "--base32", "--now", moment, secret], capture_output=True, text=True, check=True).stdout.strip()


def act(browser, **form):
    """One button of the page of factors."""
    page = browser.get("/account/factors").page()
    return browser.post("/account/factors", {"csrf": page.hidden["csrf"], **form})


def secret_in(text):
    return re.search(r"\b([A-Z2-7]{32})\b", text)[1]


def codes_in(text):
    return re.findall(RECOVERY, text)


def enrol(browser):
    """Sets up an app in a browser that has just signed in: its secret, the recovery codes, and both answers."""
    shown = act(browser, action="start")
    assert shown.status == 200, shown.text[:300]
    secret = secret_in(shown.text)
    done = browser.post("/account/factors", {**shown.page().hidden, "code": app_code(secret, -30)})
    assert done.status == 200, done.text[:300]
    return secret, codes_in(done.text), shown, done


def show(flow, reply, code):
    """Answers the page that a password led to."""
    page = flow.browser.get(reply.location).page()
    return flow.browser.post("/login/factor", {**page.hidden, "code": code})


def tokens_of(suite, client, browser, **parameters):
    """The token response for a browser that is signed in already."""
    flow = berth_flow.Authorization(suite.info, client, browser=browser, **parameters)
    reply = flow.exchange(flow.follow(flow.begin())["code"])
    assert reply.status == 200, reply.text
    return reply.json()


def enrolled_browser(suite, client, person):
    """A browser in which the person has signed in by password and has just set up an app: it goes on without either."""
    flow = berth_flow.Authorization(suite.info, client)
    flow.follow(flow.submit(flow.login_page(flow.begin()), person["email"], person["password"]))
    enrol(flow.browser)
    return flow.browser
