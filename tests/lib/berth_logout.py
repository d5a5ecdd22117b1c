# SPDX-License-Identifier: Apache-2.0
"""A client that is told of sign-outs (OpenID Connect Back-Channel Logout 1.0), and what the suite needs to reach it. Authlib judges the tokens."""
import contextlib
import urllib.parse

from authlib.jose import JsonWebKey, JsonWebToken

from berth_flow import header
from berth_http import OwnServer
from berth_suite import wait_for

EVENT = "http://schemas.openid.net/event/backchannel-logout"
PROCESSES = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")


def judged(suite, compact, audience, alg="ES256"):
    """The claims of a logout token, as section 2.6 wants them looked at."""
    keys = JsonWebKey.import_key_set(suite.api().get("/oauth2/jwks").expect(200).body)
    claims = JsonWebToken([alg]).decode(compact, keys, claims_options={
        "iss": {"essential": True, "value": suite.url}, "aud": {"essential": True, "value": audience},
        **{name: {"essential": True} for name in ("iat", "exp", "jti", "sub", "sid", "events")}})
    claims.validate()
    assert header(compact)["typ"] == "logout+jwt" and claims["events"] == {EVENT: {}}
    assert "nonce" not in claims and set(claims) == {"iss", "aud", "iat", "exp", "jti", "sub", "sid", "events"}
    assert 0 < claims["exp"] - claims["iat"] <= 120
    return claims


class LogoutReceiver(OwnServer):
    """`uri` on the loopback; `tokens` as they came. Answers `status`."""

    def __init__(self, path="/signed-out"):
        self.tokens, self.faults, self.status, self.where = [], [], 200, None
        self.path = path
        super().__init__()
        self.uri = f"http://127.0.0.1:{self.port}{path}"

    def answer(self, method, path, fields, text):
        form = urllib.parse.parse_qs(text, strict_parsing=True, keep_blank_values=True) if method == "POST" else {}
        if path != self.path or fields["Content-Type"] != "application/x-www-form-urlencoded" or list(form) != ["logout_token"] or "Cookie" in fields or "Authorization" in fields:
            self.faults.append((method, path, text[:80]))
        self.tokens += form.get("logout_token", [])
        return self.status, {"Cache-Control": "no-store", **({"Location": self.where} if self.where else {})}, ""

    def __exit__(self, *_):
        self.close()
        assert not self.faults, self.faults[:3]


@contextlib.contextmanager
def reachable(suite, *destinations, lines=()):
    """authsvc may send what ends to these `host:port` while inside; `lines` it is told besides."""
    local = suite.state / "etc" / "authsvc.local.env"
    before = local.read_text() if local.exists() else None
    allow = suite.state / "etc" / f"test-allow-{destinations[0].rpartition(':')[2]}"
    listed = (suite.state / "etc" / "egress-allow").read_text()
    allow.write_text(listed + "".join(f"{destination} logout\n" for destination in destinations))
    allow.chmod(0o644)
    local.write_text((before or "") + "".join(f"{line}\n" for line in [f"BERTH_EGRESS_ALLOW_FILE={allow}", *lines]))
    local.chmod(0o644)
    try:
        restart(suite)
        yield
    finally:
        if before is None:
            local.unlink()
        else:
            local.write_text(before)
        restart(suite)
        allow.unlink()


def restart(suite):
    suite.ctl("restart", "authsvc")
    settled(suite)


def settled(suite):
    suite.reload()
    for process in PROCESSES:
        wait_for(lambda name=process: suite.ready(name), 60, f"the readiness of {process}")
        wait_for(lambda name=process: suite.links_up(name), 60, f"the links of {process}")


def waiting(suite, session_id):
    """How many clients are still to be told of the session."""
    return suite.sql("select count(*) from auth.logout_notice where session_id = %s", session_id)[0][0]
