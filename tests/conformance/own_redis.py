# SPDX-License-Identifier: Apache-2.0
"""A Redis beside the suite's, with its users and the revocations in force, that a test may stop, start again and flush alone."""
import pathlib
import shutil
import subprocess
import tempfile

import redis

from berth_suite import wait_for

COPIED = "berth:revocation*"


class OwnRedis:
    """`socket` goes to a gateway's BERTH_REDIS_SOCKET."""

    def __init__(self, suite):
        self.suite = suite
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-redis-"))
        self.socket = str(self.folder / "redis.sock")
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def client(self):
        return redis.Redis(unix_socket_path=self.socket)

    def start(self):
        acl = self.suite.state / "etc" / "redis.acl"
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "", "--dir", str(self.folder), "--aclfile", str(acl)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_for(self._answers, 20, "an answer of the Redis")
        self.copy_revocations()

    def copy_revocations(self):
        theirs, ours = redis.Redis(unix_socket_path=self.suite.info["redis"]), self.client
        for key in theirs.scan_iter(COPIED):
            ours.restore(key, 0, theirs.dump(key), replace=True)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def flush(self):
        """Forgets all but the revocations, without which a gateway lets nobody in."""
        self.client.flushall()
        self.copy_revocations()

    def _answers(self):
        try:
            return self.client.ping()
        except redis.RedisError:
            return False
