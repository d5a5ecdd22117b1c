# SPDX-License-Identifier: Apache-2.0
"""An issuer that wants other issuers' codes: a small OpenID provider over TLS whose authorization endpoint sends people on to another one.

Whoever asks it for authorization is redirected to the honest issuer with the client's identifier there, and the client's own state and challenge
(the mix-up attack of RFC 9700 section 4.4). It keeps what its token endpoint was given.
"""
import json
import ssl
import urllib.parse

from berth_http import OwnServer


class HostileIssuer(OwnServer):
    """`victim`: {"id", "redirect_uri"} of the client at the honest issuer; without it, codes of its own are sent back."""

    def __init__(self, suite, victim=None):
        self.victim, self.honest = victim, suite.url
        self.stolen = []        # bodies of token requests
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(suite.state / "pki" / "edge-ecdsa.pem", suite.state / "pki" / "edge-ecdsa.key")
        super().__init__(context)
        self.url = f"https://localhost:{self.port}"

    def metadata(self):
        return {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"], "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"], "authorization_response_iss_parameter_supported": True}

    def sent_on(self, query):
        """Where it sends the browser that asks for authorization."""
        if self.victim:
            query.update(client_id=self.victim["id"], redirect_uri=self.victim["redirect_uris"][0])
            return f"{self.honest}/oauth2/authorize?{urllib.parse.urlencode(query)}"
        answer = {"code": "of-its-own", "state": query["state"], "iss": self.url}
        return f"{query['redirect_uri']}?{urllib.parse.urlencode(answer)}"

    def answer(self, method, path, fields, text):
        parts = urllib.parse.urlsplit(path)
        if method == "POST":
            self.stolen.append(text)
            status, document, more = 400, {"error": "invalid_grant"}, {}
        elif parts.path == "/authorize":
            status, document, more = 302, {}, {"Location": self.sent_on(dict(urllib.parse.parse_qsl(parts.query)))}
        else:
            status, document, more = 200, self.metadata() if parts.path == "/.well-known/openid-configuration" else {"keys": []}, {}
        return status, {"Content-Type": "application/json", **more}, json.dumps(document)
