# SPDX-License-Identifier: Apache-2.0
"""Clients that ask all the time while a test does something to the suite, and what they were answered."""
import http.client
import ssl
import threading
import time
import urllib.parse

from berth_suite import wait_for

PATIENCE_S = 60
IDLE_S = 0.5        # the edge may end a connection that says nothing for a second while it drains


class Load:
    """Clients that ask again and again: half with a new connection each time, half on connections that they keep."""

    def __init__(self, suite, ask, clients=6, pause_s=0.02):
        self.address = urllib.parse.urlsplit(suite.url)
        self.context = ssl.create_default_context(cafile=suite.info["ca"])
        self.ask, self.pause_s = ask, pause_s
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.done, self.failures = 0, []
        self.threads = [threading.Thread(target=self.run, args=(number % 2 == 0,), daemon=True) for number in range(clients)]

    def connect(self):
        return http.client.HTTPSConnection(self.address.hostname, self.address.port, timeout=30, context=self.context)

    def run(self, keep):
        connection, used_at = None, 0
        while not self.stop.is_set():
            if connection is None or not keep or time.monotonic() - used_at > IDLE_S:
                if connection is not None:
                    connection.close()
                connection = self.connect()
            try:
                method, path, body, headers = self.ask()
                connection.request(method, path, body, headers)
                reply = connection.getresponse()
                text = reply.read()
                failure = None if reply.status in (200, 201) else f"{method} {path}: {reply.status} {text[:200]}"
                if reply.getheader("connection", "").lower() == "close":
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                failure, connection = f"{method} {path} ({'kept' if keep else 'new'} connection): {error!r}", None
            used_at = time.monotonic()
            with self.lock:
                self.done += failure is None
                if failure:
                    self.failures.append(failure)
            time.sleep(self.pause_s)

    def goes_on(self, requests=40):
        """So many more requests have been answered."""
        before = self.done
        wait_for(lambda: self.done >= before + requests or self.failures, PATIENCE_S, f"{requests} more requests")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.goes_on()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)


def reading(suite, slug, path):
    token = suite.token(slug, "Admin")
    return lambda: ("GET", path, None, {"Authorization": f"Bearer {token}"})
