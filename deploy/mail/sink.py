# SPDX-License-Identifier: Apache-2.0
"""A mail server that delivers nothing: files each message it is given as one .eml file, whole or not at all.

Usage: sink.py PORT DIRECTORY CERTIFICATE KEY      (listens on 127.0.0.1 only, and speaks TLS from the first byte)

The envelope stands on top of each file as Return-Path and Delivered-To lines, because a blind copy is nowhere else.
"""

import asyncio
import itertools
import os
import signal
import ssl
import sys
import tempfile
from datetime import datetime, timezone

from aiosmtpd.smtp import SMTP

MESSAGE_MAX_BYTES = 5 * 1024 * 1024
MESSAGE_NUMBERS = itertools.count(1)


def one_line(text):
    return "".join(c for c in text if c.isprintable())


class Sink:
    def __init__(self, directory):
        self.directory = directory

    async def handle_DATA(self, _server, _session, envelope):
        head = f"Return-Path: <{one_line(envelope.mail_from or '')}>\r\n"
        head += "".join(f"Delivered-To: {one_line(to)}\r\n" for to in envelope.rcpt_tos)
        try:
            self.file(head.encode() + envelope.content)
        except OSError as error:
            print(f"cannot file a message: {error}", file=sys.stderr, flush=True)
            return "452 4.3.1 cannot file the message"
        return "250 2.0.0 filed"

    def file(self, content):
        stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        name = f"{stamp}-{next(MESSAGE_NUMBERS):06}.eml"
        descriptor, temporary = tempfile.mkstemp(prefix=".incoming-", dir=self.directory)
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(content)
            os.chmod(temporary, 0o640)
            os.rename(temporary, os.path.join(self.directory, name))
        except OSError:
            os.unlink(temporary)
            raise


def tls(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


async def serve(port, directory, certificate, key):
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(
        lambda: SMTP(Sink(directory), data_size_limit=MESSAGE_MAX_BYTES, enable_SMTPUTF8=True, hostname="localhost"),
        host="127.0.0.1", port=port, ssl=tls(certificate, key))
    async with server:
        await stop.wait()


def main():
    if len(sys.argv) != 5 or not sys.argv[1].isdigit():
        print(__doc__, file=sys.stderr)
        return 2
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
