# SPDX-License-Identifier: Apache-2.0
"""One connection of one client: HTTP/1.1 over TLS on asyncio streams. Cheap, so that the machine's time goes to the suite."""
import asyncio
import json
import ssl

CALL_SECONDS = 9       # over the gateway's own deadlines
HEAD_MAX = 65536


class Lost(Exception):
    """No answer came: nobody knows whether the request was executed."""


def context_of(ca_file):
    context = ssl.create_default_context(cafile=ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Reply:
    __slots__ = ("status", "headers", "body")

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body) if self.body else None


class Wire:
    def __init__(self, host, port, context):
        self.place = host, port
        self.context = context
        self.reader = self.writer = None

    def close(self):
        if self.writer is not None:
            self.writer.transport.abort()
        self.reader = self.writer = None

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(*self.place, ssl=self.context, limit=HEAD_MAX)

    async def call(self, method, path, headers, body=b"", seconds=CALL_SECONDS):
        """(reply, sent): Lost when there is none; its `sent` is false when the request certainly never left."""
        sent = False
        try:
            async with asyncio.timeout(seconds):
                if self.writer is None or self.writer.transport.is_closing():
                    await self.open()
                lines = [f"{method} {path} HTTP/1.1", f"Host: {self.place[0]}", *headers]
                if body or method in ("POST", "PATCH"):
                    lines.append(f"Content-Length: {len(body)}")
                sent = True
                self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
                return await self.read()
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            self.close()
            lost = Lost(type(error).__name__)
            lost.sent = sent
            raise lost from error

    async def read(self):
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        status = int(first.split(" ", 2)[1])
        length = int(headers.get("content-length", 0))
        body = await self.reader.readexactly(length) if length else b""
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Reply(status, headers, body)
