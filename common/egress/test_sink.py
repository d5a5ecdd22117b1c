#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An SMTP hop for test_egress: files each message as JSON, parsed by Python's own e-mail package.

test_sink.py DIR plain|starttls|smtps [auth]: writes DIR/port once it listens, DIR/ca.pem when it speaks TLS, and
DIR/1.json, DIR/2.json…; ends when its standard input does. Recipients at reject.example are refused for good, those at
busy.example for now."""
import asyncio
import email
import email.policy
import json
import os
import pathlib
import ssl
import subprocess
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.endswith("@reject.example"):
            return "550 5.1.1 no such mailbox"
        if address.endswith("@busy.example"):
            return "451 4.7.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = message.get_body(("plain",))
        parts = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
        self.count += 1
        filed = {
            "helo": session.host_name,
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "user": getattr(session, "login", None),
            "mail_from": envelope.mail_from,
            "rcpt_to": envelope.rcpt_tos,
            "from": str(message["From"]),
            "to": str(message["To"]),
            "subject": str(message["Subject"]),
            "text": body.get_content().replace("\r\n", "\n"),
            "calendar": parts[0].get_content() if parts else None,
            "defects": [str(defect) for part in message.walk() for defect in part.defects],
        }
        (self.folder / "filing").write_text(json.dumps(filed))
        os.rename(self.folder / "filing", self.folder / f"{self.count}.json")
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    session.login = data.login.decode()
    return AuthResult(success=(data.login, data.password) == (b"berth", b"secret"), handled=False)


def certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=sink", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", folder / "key.pem", "-out", folder / "ca.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context


async def serve(folder, mode, auth):
    context = certificate(folder) if mode != "plain" else None
    handler = Handler(folder)
    loop = asyncio.get_running_loop()

    def factory():
        return SMTP(
            handler, tls_context=context if mode == "starttls" else None, require_starttls=mode == "starttls",
            auth_required=auth, authenticator=authenticate if auth else None)

    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=context if mode == "smtps" else None)
    (folder / "port.new").write_text(str(server.sockets[0].getsockname()[1]))
    os.rename(folder / "port.new", folder / "port")
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(serve(pathlib.Path(sys.argv[1]), sys.argv[2], "auth" in sys.argv[3:]))
