# SPDX-License-Identifier: Apache-2.0
"""A gateway of one's own beside the suite's, with the same services, Redis and certificates: for what must not happen to others."""
import pathlib
import resource
import signal
import socket
import subprocess
import tempfile

import httpx

from berth_suite import wait_for

# For tables whose rows come faster than any client may ask.
NO_LIMITS = {f"BERTH_LIMIT_{name}_PER_S": "0" for name in ("ADDRESS", "PERSON", "CLIENT", "TENANT", "OPERATION", "SIGN_IN", "BAD_TOKEN")}
COMPLAINTS = ("Sanitizer", "runtime error:", '"event":"invariant_broken"')


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class OwnGateway:
    """`url` and `info` as a Suite's, so that Edge can connect. Given keys change its environment; `files` its descriptors."""

    def __init__(self, suite, files=None, ready=True, log=None, **changes):
        public, admin = free_ports(2)
        env = suite.environment("gateway")
        env.update(BERTH_GATEWAY_LISTEN=f"127.0.0.1:{public}", BERTH_ADMIN_LISTEN=f"127.0.0.1:{admin}")
        env.update(changes)
        self.suite = suite
        self.url = f"https://localhost:{public}"
        self.info = suite.info
        self.admin_url = f"https://127.0.0.1:{admin}"
        self.log = log or tempfile.TemporaryFile()
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None
        # pylint: disable-next=subprocess-popen-preexec-fn
        self.process = subprocess.Popen([str(suite.state / "opt" / "bin" / "gateway")], env=env, preexec_fn=limit,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.pid = self.process.pid
        if ready:
            wait_for(self.ready, 30, "the readiness of a gateway")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stop(quiet=kind is not None)

    def stop(self, quiet=False, seconds=40):
        """It ends by itself, cleanly, and no sanitizer has complained."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = "it did not end"
        text = self.log_text()
        if not quiet:
            assert code == 0 and not any(complaint in text for complaint in COMPLAINTS), f"{code}: {text[-4000:]}"

    def log_text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def admin_get(self, path, certificate=True):
        pki = pathlib.Path(self.suite.state) / "pki"
        cert = (str(pki / "ops-client.pem"), str(pki / "ops-client.key")) if certificate else None
        return httpx.get(self.admin_url + path, verify=self.info["ca"], cert=cert, timeout=5, trust_env=False)

    def ready(self):
        try:
            return self.admin_get("/readyz", certificate=False).status_code == 200
        except httpx.HTTPError:
            return False

    def metrics(self):
        values = {}
        for line in self.admin_get("/metrics").text.splitlines():
            if line and not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                values[series] = float(value)
        return values

    def edge(self, name):
        """One of the edge's own counters and gauges."""
        return self.metrics()[f"berth_edge_{name}"]

    def processor_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def resident_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
