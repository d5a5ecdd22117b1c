# SPDX-License-Identifier: Apache-2.0
"""What a gateway finds on its Redis' socket when somebody else sits there: it answers each command as it likes."""
import os
import pathlib
import shutil
import socketserver
import tempfile
import threading


def text(given):
    given = given if isinstance(given, bytes) else given.encode()
    return b"$%d\r\n%s\r\n" % (len(given), given)


def array(*parts):
    return b"*%d\r\n%s" % (len(parts), b"".join(parts))


def fields(**named):
    return array(*(text(part) for pair in named.items() for part in pair))


def stream(*entries):
    """The answer to XREAD."""
    return array(array(text("berth:revocations"), array(*entries)))


class Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            while line := self.rfile.readline():
                words = []
                for _ in range(int(line[1:])):
                    size = int(self.rfile.readline()[1:])
                    words.append(self.rfile.read(size + 2)[:-2])
                self.wfile.write(self.server.rogue.answer(words))
        except (OSError, ValueError):
            pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


class RogueRedis:
    """`reads` answers XREAD: bytes, or a call with the id that was read from, which may wait."""

    def __init__(self, reads):
        self.reads, self.asked = reads, 0
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-rogue-"))
        self.socket = str(self.folder / "redis.sock")

    def __enter__(self):
        self.server = Server(self.socket, Conversation)
        self.server.rogue = self
        os.chmod(self.folder, 0o755)
        os.chmod(self.socket, 0o777)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.folder)

    def answer(self, words):
        command = words[0].upper()
        if command == b"XREAD":
            self.asked += 1
            return self.reads(words[-1].decode()) if callable(self.reads) else self.reads
        return {b"AUTH": b"+OK\r\n", b"EXISTS": b":1\r\n"}.get(command, b"-ERR not today\r\n")
