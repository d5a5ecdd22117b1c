# SPDX-License-Identifier: Apache-2.0
"""Web servers of a test's own, on the loopback."""
import http.server
import threading


class OwnServer:
    """Serves while inside `with`, each request by `answer`: a subclass's. `port` is known before; `tls` is the context of a server."""

    def __init__(self, tls=None):
        own = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answered(self):
                given = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
                status, fields, text = own.answer(self.command, self.path, self.headers, given)
                self.send_response(status)
                for name, value in {**fields, "Content-Length": str(len(text.encode()))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())
            do_GET = do_POST = answered     # noqa: N815

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, method, path, fields, text):
        """(status, fields, text)"""
        raise NotImplementedError

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
