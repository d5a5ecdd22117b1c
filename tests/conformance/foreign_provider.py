# SPDX-License-Identifier: Apache-2.0
"""npm's oidc-provider over TLS beside the suite, honest or not (oidc_provider/provider.mjs), and a person who gets through the pages of either."""
import json
import os
import re
import subprocess
import urllib.parse

import httpx

from berth_flow import FlowError, Page
from berth_suite import wait_for
from counterparts import NODE, ROOT, npm_install, stop
from own_gateway import free_ports

STEPS_MAX = 16
SCRIPT = ROOT / "tests" / "conformance" / "oidc_provider" / "provider.mjs"


def registered(name, *redirect_uris):
    """A client as oidc-provider is told of it."""
    return {"client_id": name, "client_secret": f"the secret of {name}", "redirect_uris": list(redirect_uris), "grant_types": ["authorization_code", "refresh_token"]}


class ForeignProvider:
    """`url`; `sends_on` and `pretends` are for a hostile one."""

    def __init__(self, suite, folder, clients, **more):
        home, port = npm_install("oidc_provider"), free_ports(1)[0]
        (home / "provider.mjs").write_text(SCRIPT.read_text())
        self.url, self.ca, self.said = f"https://localhost:{port}", suite.info["ca"], folder / f"provider-{port}"
        self.errors = folder / f"provider-{port}.errors"
        pki = suite.state / "pki"
        told = {"port": port, "cert": str(pki / "edge-ecdsa.pem"), "key": str(pki / "edge-ecdsa.key"), "clients": clients, **more}
        with open(self.said, "wb") as said, open(self.errors, "wb") as errors:
            self.process = subprocess.Popen([*NODE, str(home / "provider.mjs")], env={"PATH": os.environ["PATH"], "HOME": str(folder)},
                                            stdin=subprocess.PIPE, stdout=said, stderr=errors, text=True)
        self.process.stdin.write(json.dumps(told))
        self.process.stdin.close()

    def __enter__(self):
        try:
            wait_for(self.serves, 60, "the start of oidc-provider")
        except BaseException:
            stop(self.process)
            raise
        return self

    def __exit__(self, *_):
        stop(self.process)

    def serves(self):
        assert self.process.poll() is None, self.errors.read_text()[-2000:]
        try:
            return httpx.get(self.url + "/.well-known/openid-configuration", verify=self.ca, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def exchanges(self):
        """The codes that its token endpoint was asked for, in order."""
        return [json.loads(line)["code"] for line in self.said.read_text().splitlines() if line.startswith('{"code"')]


def new_browser(ca):
    return httpx.Client(verify=ca, timeout=30, trust_env=False, follow_redirects=False)


def walk(browser, url, redirect_uri, person):
    """The address that the browser is sent back to, once the person has signed in and agreed on whatever pages there are."""
    reply = browser.get(url)
    for _ in range(STEPS_MAX):
        where = reply.headers.get("location", "")
        if where.startswith(redirect_uri + "?"):
            return where
        if where:
            reply = browser.get(urllib.parse.urljoin(str(reply.url), where))
            continue
        if reply.status_code != 200 or "<form" not in reply.text:
            break
        page = Page(reply.text)
        form = {**page.hidden, **{name: person.get(name, "somebody") for name in page.inputs if name in ("login", "email", "password")}}
        target = urllib.parse.urljoin(str(reply.url), page.action or re.search(r'action="([^"]+)"', reply.text)[1])
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(target))
        reply = browser.post(target, data=form, headers={"Origin": origin})
    raise FlowError(f"nobody is sent back: {reply.status_code} {reply.text[:300]}")
