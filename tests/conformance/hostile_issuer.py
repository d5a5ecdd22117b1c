# SPDX-License-Identifier: Apache-2.0
"""An issuer that wants other issuers' codes: a small OpenID provider over TLS whose authorization endpoint sends people on to another one.

Whoever asks it for authorization is redirected to the honest issuer with the client's identifier there, and the client's own state and challenge
(the mix-up attack of RFC 9700 section 4.4). It keeps what its token endpoint was given.
"""
import http.server
import json
import ssl
import threading
import urllib.parse


class HostileIssuer:
    """`victim`: {"id", "redirect_uri"} of the client at the honest issuer; without it, codes of its own are sent back."""

    def __init__(self, suite, victim=None):
        self.victim, self.honest = victim, suite.url
        self.stolen = []        # bodies of token requests
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(suite.state / "pki" / "edge-ecdsa.pem", suite.state / "pki" / "edge-ecdsa.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

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

    def handler(self):
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def reply(self, status, document=None, **headers):
                body = json.dumps(document or {}).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                parts = urllib.parse.urlsplit(self.path)
                if parts.path == "/.well-known/openid-configuration":
                    self.reply(200, issuer.metadata())
                elif parts.path == "/authorize":
                    self.reply(302, Location=issuer.sent_on(dict(urllib.parse.parse_qsl(parts.query))))
                else:
                    self.reply(200, {"keys": []})

            def do_POST(self):
                issuer.stolen.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.reply(400, {"error": "invalid_grant"})

        return Handler
