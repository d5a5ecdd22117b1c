# SPDX-License-Identifier: Apache-2.0
"""Apache with mod_auth_openidc before a page: each site below has a client of its own at the suite, and people come to it by a browser."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

import pytest

import berth_flow
from berth_browser import Chromium
from berth_flow import Browser, FlowError
from berth_logout import reachable, waiting
from berth_suite import wait_for
from counterparts import debian_version, header_of, query_of, stop
from hostile_issuer import HostileIssuer
from own_gateway import free_ports

NAME = "mod_auth_openidc"
MODULES = ("mpm_event", "authn_core", "authz_core", "authz_user", "dir", "headers", "socache_shmcb", "ssl", "auth_openidc")
SITES = ("main", "rs256", "public", "third", "post", "told", "thief", "plain")
# What a request for these pages adds to the authorization request.
PAGES = {"recent": "max_age=600", "fresh": "max_age=0", "silent": "prompt=none", "again": "prompt=login", "proved": "acr_values=1fa%202fa",
         "narrow": "resource={encoded}%2Foauth2%2Fuserinfo"}
SITE = """Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
  ServerName localhost:{port}
  DocumentRoot {folder}/pages
  SSLEngine on
  SSLCertificateFile {pki}/edge-ecdsa.pem
  SSLCertificateKeyFile {pki}/edge-ecdsa.key
  OIDCCABundlePath {folder}/ca
  OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
  OIDCClientID {id}
  {secret}
  OIDCRedirectURI https://localhost:{port}/callback
  OIDCCryptoPassphrase {passphrase}
  OIDCPKCEMethod S256
  OIDCScope "openid profile email"
  OIDCInfoHook access_token id_token userinfo refresh_token session
  OIDCPassIDTokenAs claims serialized
  <Location />
    AuthType openid-connect
    Require valid-user
    Header always set X-Id-Token "expr=%{{reqenv:OIDC_id_token}}"
  </Location>
{pages}{more}</VirtualHost>
"""
PAGE = """  <Location /{name}/>
    OIDCPathAuthRequestParams {parameters}
  </Location>
"""
RESOURCE = """  OIDCOAuthIntrospectionEndpoint {issuer}/oauth2/introspect
  OIDCOAuthIntrospectionEndpointAuth client_secret_basic
  OIDCOAuthClientID {id}
  OIDCOAuthClientSecret {own_secret}
  <Location /api/>
    AuthType oauth20
    OIDCOAuthTokenIntrospectionInterval -1
    Require claim client_id:{id}
  </Location>
"""


def version():
    said = subprocess.run([program(), "-v"], capture_output=True, text=True, check=True).stdout
    return f"{debian_version('libapache2-mod-auth-openidc')} (Debian), Apache {re.search('Apache/([0-9.]+)', said)[1]}"


def program():
    found = shutil.which("apache2", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found or not debian_version("libapache2-mod-auth-openidc"):
        pytest.skip("Apache with mod_auth_openidc is not installed")
    return found


class Counterpart:
    def __init__(self, bench, _folder):
        found = program()
        # Not below pytest's folder, which nobody but its owner may enter.
        self.home = tempfile.TemporaryDirectory(prefix="berth-apache-")
        self.bench, self.folder = bench, pathlib.Path(self.home.name)
        os.chmod(self.folder, 0o755)
        shutil.copy(bench.ca, self.folder / "ca")
        os.chmod(self.folder / "ca", 0o644)
        self.ports = dict(zip(SITES, free_ports(len(SITES))))
        fields = {"rs256": {"id_token_alg": "RS256"}, "public": {"kind": "public"}, "third": {"third_party": True},
                  "told": {"backchannel_logout_uri": f"{self.callback('told')}?logout=backchannel", "post_logout_redirect_uris": [f"{self.url('told')}/bye"]}}
        self.clients = {name: bench.client(self.callback(name), **fields.get(name, {})) for name in SITES}
        self.thief = HostileIssuer(bench.suite, self.clients["thief"])
        self.plain = HostileIssuer(bench.suite)
        descriptor = os.open(self.folder / "conf", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self.configuration())
        for page in ("", "api", *PAGES):
            made = self.folder / "pages" / page
            made.mkdir()
            (made / "index.html").write_text("the page\n")
            for path, mode in ((made, 0o755), (made / "index.html", 0o644)):     # whatever the umask is
                os.chmod(path, mode)
        with open(self.folder / "output", "wb") as output:
            self.process = subprocess.Popen([found, "-X", "-f", str(self.folder / "conf")], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            wait_for(self.listens, 30, "the start of Apache")
        except BaseException:
            self.close()
            raise

    def close(self):
        stop(self.process)
        self.thief.close()
        self.plain.close()
        self.home.cleanup()

    def listens(self):
        assert self.process.poll() is None, (self.folder / "output").read_text() + self.log()
        try:
            socket.create_connection(("127.0.0.1", self.ports["main"]), timeout=2).close()
            return True
        except OSError:
            return False

    def log(self):
        path = self.folder / "error"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def url(self, site):
        return f"https://localhost:{self.ports[site]}"

    def callback(self, site):
        return f"{self.url(site)}/callback"

    def configuration(self):
        loads = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in MODULES)
        head = f"ServerRoot {self.folder}\nPidFile {self.folder}/pid\nServerName localhost\nErrorLog {self.folder}/error\nLogLevel warn\n"
        owner = "User nobody\nGroup nogroup\n" if os.geteuid() == 0 else ""
        rest = "Mutex posixsem\nOIDCCacheType shm\nDirectoryIndex index.html\n<Directory />\n  AllowOverride None\n</Directory>\n"
        pages = "".join(PAGE.format(name=name, parameters=parameters.format(encoded=urllib.parse.quote(self.bench.url, safe=""))) for name, parameters in PAGES.items())
        issuers = {"thief": self.thief.url, "plain": self.plain.url}
        sites = []
        for site, client in self.clients.items():
            issuer, own = issuers.get(site, self.bench.url), client.get("secret")
            # The public client says so; that of RS256 posts its secret; the others send it in the header.
            method = {"public": "none", "rs256": "client_secret_post"}.get(site, "client_secret_basic")
            secret = (f"OIDCClientSecret {own}\n  " if own else "") + f"OIDCProviderTokenEndpointAuth {method}"
            more = {"main": RESOURCE.format(issuer=issuer, id=client["id"], own_secret=own), "post": "  OIDCProviderAuthRequestMethod POST\n"}.get(site, "")
            sites.append(SITE.format(port=self.ports[site], folder=self.folder, pki=self.bench.suite.state / "pki", issuer=issuer, id=client["id"],
                                     secret=secret, passphrase=berth_flow.b64url(os.urandom(24)), pages=pages, more=more))
        return head + loads + owner + rest + "".join(sites)

    def visit(self, site="main"):
        return Visit(self, site)

    def sign_in(self, site="main", page="/"):
        visit = self.visit(site)
        visit.arrive(self.bench.consent(visit.leave(page), self.callback(site)))
        return visit


class Visit:
    """A browser at one site."""

    def __init__(self, peer, site):
        self.peer, self.site = peer, site
        self.browser = Browser({"url": peer.url(site), "ca": peer.bench.ca})

    def get(self, url, **headers):
        return self.browser.get(url, headers={"Accept": "text/html", **headers})

    def leave(self, page="/"):
        """Asks for the page: where the site sends the browser."""
        reply = self.get(page)
        assert reply.status == 302, f"{reply.status} {reply.text[:300]} {self.peer.log()}"
        return reply.location

    def arrive(self, answer):
        """Comes back with the answer of the suite; then the page is there."""
        reply = self.get(answer)
        if reply.status != 302:
            raise FlowError(f"{reply.status} {self.peer.log()}", reply)
        self.page = self.get(reply.location)
        assert self.page.status == 200 and self.page.text == "the page\n", self.peer.log()

    def info(self):
        reply = self.get("/callback?info=json")
        return reply.json() if reply.status == 200 else None


def discovery(peer):
    sent = peer.visit().leave()
    assert sent.startswith(peer.bench.metadata["authorization_endpoint"] + "?")


def code(peer):
    sent = query_of(peer.visit().leave())
    assert sent["code_challenge_method"] == "S256" and sent["nonce"] and sent["state"]
    visit = peer.sign_in()
    claims = visit.info()["id_token"]
    assert (claims["sub"], claims["aud"], claims["iss"]) == (peer.bench.person["id"], peer.clients["main"]["id"], peer.bench.url)
    assert header(visit)["alg"] == "ES256"


def header(visit):
    """Of the ID token that the site holds."""
    return header_of(visit.page.headers["X-Id-Token"])


def rs256(peer):
    assert header(peer.sign_in("rs256"))["alg"] == "RS256"


def public(peer):
    assert peer.sign_in("public").info()["id_token"]["sub"] == peer.bench.person["id"]


def refused(visit, answer):
    """The site does not take the answer, and nobody is signed in there."""
    with pytest.raises(FlowError):
        visit.arrive(answer)
    assert visit.info() is None


def nonce_and_state(peer):
    visit = peer.visit()
    answer = peer.bench.consent(visit.leave(), peer.callback("main"))
    refused(visit, answer.replace("state=", "state=x"))
    refused(peer.visit(), answer)       # another browser, without the cookie of the state
    other = peer.visit()
    sent = other.leave()
    swapped = sent.replace(f"nonce={query_of(sent)['nonce']}", "nonce=another")
    refused(other, peer.bench.consent(swapped, peer.callback("main")))
    visit.arrive(answer)


def iss(peer):
    visit = peer.visit()
    answer = peer.bench.consent(visit.leave(), peer.callback("main"))
    assert query_of(answer)["iss"] == peer.bench.url
    refused(visit, answer.partition("&iss=")[0] + "&iss=https%3A%2F%2Fevil.example")
    peer.sign_in()


def userinfo(peer):
    said, person = peer.sign_in().info()["userinfo"], peer.bench.person
    assert (said["sub"], said["email"], said["given_name"]) == (person["id"], person["email"], person["given_name"])


def refresh(peer):
    visit = peer.sign_in()
    seen = [visit.info()]
    for _ in range(2):
        query = urllib.parse.urlencode({"refresh": peer.url("main") + "/", "access_token": seen[-1]["access_token"]})
        reply = visit.get(f"/callback?{query}")
        assert reply.status == 302 and "error_code" not in reply.location, f"{reply.location} {peer.log()}"
        seen.append(visit.info())
    assert len({info["access_token"] for info in seen}) == len({info["refresh_token"] for info in seen}) == 3


def secret_basic(peer):
    assert peer.sign_in("main").info()["refresh_token"]


def secret_post(peer):
    assert peer.sign_in("rs256").info()["refresh_token"]


def introspection(peer):
    """As a resource server: it lets in whoever brings a token that the suite calls active, and nobody else."""
    token = peer.sign_in().info()["access_token"]
    for given, status in ((token, 200), (token[:-4] + "AAAA", 401), (None, 401)):
        headers = {"Authorization": f"Bearer {given}"} if given else {}
        reply = peer.visit().get("/api/", **headers)
        assert reply.status == status, f"{reply.status} {peer.log()}"
    ended = berth_flow.Browser(peer.bench.suite.info).post("/oauth2/revoke", {"token": token}, headers=berth_flow.basic(peer.clients["main"]))
    assert ended.status == 200 and peer.visit().get("/api/", Authorization=f"Bearer {token}").status == 401


def is_active(peer, token):
    client = peer.clients["main"]
    return Browser(peer.bench.suite.info).post("/oauth2/introspect", {"token": token}, headers=berth_flow.basic(client)).json()["active"]


def revocation(peer):
    """A sign-out at the site revokes what it held."""
    visit = peer.sign_in()
    tokens = [visit.info()[kind] for kind in ("access_token", "refresh_token")]
    assert all(is_active(peer, token) for token in tokens)
    visit.get("/callback?" + urllib.parse.urlencode({"logout": peer.url("main") + "/"}))
    assert visit.info() is None and not any(is_active(peer, token) for token in tokens)


def rotation(peer):
    before = peer.sign_in()
    peer.bench.rotate_keys()
    after = peer.sign_in()
    assert header(after)["kid"] != header(before)["kid"]
    assert before.info()["userinfo"]["sub"] == after.info()["userinfo"]["sub"]


def max_age(peer):
    peer.sign_in()
    assert time.time() - peer.sign_in(page="/recent/").info()["id_token"]["auth_time"] < 600
    assert peer.bench.asks_for_password(peer.visit().leave("/fresh/"))


def prompt(peer):
    peer.sign_in()
    peer.sign_in(page="/silent/")
    visit = peer.visit()
    answer = peer.bench.consent(visit.leave("/silent/"), peer.callback("main"), peer.bench.stranger())
    assert query_of(answer)["error"] == "login_required"
    refused(visit, answer)
    assert peer.bench.asks_for_password(peer.visit().leave("/again/"))


def acr(peer):
    assert peer.sign_in(page="/proved/").info()["id_token"]["acr"] == "1fa"


def consent(peer):
    before = peer.bench.agreed
    for _ in range(2):      # remembered
        assert peer.sign_in("third").info() and peer.bench.agreed == before + 1


def resource(peer):
    info = peer.sign_in(page="/narrow/").info()
    assert info["userinfo"]["sub"] == peer.bench.person["id"]
    assert berth_flow.claims(info["access_token"])["aud"] == f"{peer.bench.url}/oauth2/userinfo"
    assert peer.bench.suite.api(info["access_token"]).get("/v1/whoami").status == 401


def post(peer):
    """The site answers with a page whose form its script sends off."""
    peer.sign_in()
    visit = peer.visit("post")
    page = visit.get("/").page()
    assert page.method == "post" and page.action == peer.bench.metadata["authorization_endpoint"] and page.hidden["code_challenge"]
    visit.arrive(peer.bench.consent(page.action, peer.callback("post"), form=page.hidden, origin=peer.url("post")))


def left(peer, browser):
    """Nobody is signed in at the suite in that browser."""
    return query_of(peer.bench.consent(peer.visit().leave("/silent/"), peer.callback("main"), browser)).get("error") == "login_required"


def arrived(peer, browser, site="told"):
    visit = peer.visit(site)
    visit.arrive(peer.bench.consent(visit.leave(), peer.callback(site), browser))
    return visit


def sign_out(peer):
    """The site ends its own session, and sends the browser to the suite with the ID token, which sends it back to where it was registered for."""
    browser, bye = peer.bench.stranger(), peer.url("told") + "/bye"
    visit = arrived(peer, browser)
    sent = visit.get("/callback?" + urllib.parse.urlencode({"logout": bye})).location
    assert sent.startswith(peer.bench.metadata["end_session_endpoint"] + "?") and query_of(sent)["id_token_hint"], sent
    assert visit.info() is None
    reply = browser.get(sent)
    assert reply.status == 303 and reply.location.split("?")[0] == bye, f"{reply.status} {reply.location}"
    assert left(peer, browser)


def backchannel(peer):
    """The suite tells the site, without a browser, that one session is over; the other one of the same person goes on."""
    with reachable(peer.bench.suite, f"localhost:{peer.ports['told']}", lines=[f"BERTH_SMTP_CA_FILE={peer.folder / 'ca'}"]):
        browser, other = peer.bench.stranger(), peer.bench.stranger()
        visit, goes_on = arrived(peer, browser), arrived(peer, other)
        assert visit.info() and goes_on.info()
        reply = browser.get("/oauth2/logout?" + urllib.parse.urlencode({"id_token_hint": visit.page.headers["X-Id-Token"]}))
        assert reply.status == 200 and left(peer, browser)
        wait_for(lambda: visit.info() is None, 20, "the end of the session at the site")
        wait_for(lambda: not waiting(peer.bench.suite, berth_flow.claims(visit.page.headers["X-Id-Token"])["sid"]), 10, "the site's answer")
        assert goes_on.info()


def chromium(peer):
    """Under the pages' own policies: what a script posts, a form that is answered by a redirect to another origin, and the question of consent."""
    person = peer.bench.suite.new_person(peer.bench.slug)
    with Chromium(peer.bench.suite) as browser:
        browser.open(peer.url("post"))
        browser.arrive("/login?")
        browser.type("input[name=email]", person["email"])
        browser.type("input[name=password]", person["password"])
        browser.click("form:not([data-passkey]) button")
        browser.arrive(peer.url("post"))
        assert "the page" in browser.source
        browser.open(peer.url("third"))
        browser.arrive("/consent?")
        browser.click("button[value=allow]")
        browser.arrive(peer.url("third"))
        assert "the page" in browser.source
        browser.open(peer.url("main"))      # nothing is asked
        assert browser.url == peer.url("main") + "/" and "the page" in browser.source


def mix_up(peer):
    """The person means a site of the hostile issuer, which sends the browser to the suite: the suite's code goes to no other token endpoint."""
    visit = peer.visit("plain")         # what a site of its own brings reaches it: the test would see a theft
    refused(visit, Browser({"url": peer.plain.url, "ca": peer.bench.ca}).get(visit.leave()).location)
    assert len(peer.plain.stolen) == 1 and "code=of-its-own" in peer.plain.stolen[0]
    visit = peer.visit("thief")
    sent = Browser({"url": peer.thief.url, "ca": peer.bench.ca}).get(visit.leave()).location
    answer = peer.bench.consent(sent, peer.callback("thief"))
    assert query_of(answer)["code"]
    refused(visit, answer)
    assert "does not match the issuer provided in the response" in peer.log() and not peer.thief.stolen


CELLS = {
    "discovery": discovery, "code with PKCE, ID token by ES256": code, "ID token by RS256": rs256, "a public client": public,
    "nonce and state": nonce_and_state, "iss in the response": iss, "userinfo": userinfo, "refresh with rotation": refresh,
    "client_secret_basic": secret_basic, "client_secret_post": secret_post, "introspection": introspection, "revocation": revocation,
    "signing keys rotate": rotation, "max_age": max_age, "prompt": prompt, "acr_values": acr,
    "consent is asked for": consent, "resource indicators": resource, "request by POST": post,
    "sign-out begun by the client": sign_out, "back-channel logout": backchannel, "people by Chromium": chromium, "two issuers, one hostile": mix_up}
LACKS = {
    "client_credentials": "the module is no client on its own behalf",
    "private_key_jwt": "its assertions name the token endpoint as audience, which is refused (decision 0131)",
    "access tokens read by keys": "the module cannot read EdDSA; it asks by introspection",
    "id_token_hint": "the module sends none",
    "PAR": "the module knows no pushed requests in this version",
    "device grant": "the module serves browsers",
    "DPoP": "the module knows no proofs in this version"}
