# SPDX-License-Identifier: Apache-2.0
"""Invites a person and accepts for them, as they would: with the token of the link in the mail."""

import email
import email.policy
import os
import re
import urllib.parse

from api import Api, Failure, poll

MAIL_SECONDS = 20
LINK_TOKEN = re.compile(r"/invitation\?(?:[^\s\"'<>]*&)?token=([^\s&\"'<>]+)")


def mails_to(suite, address):
    """The messages filed for the address, newest first."""
    found = []
    for name in sorted(os.listdir(suite["mail"]), reverse=True):
        if name.endswith(".eml"):
            with open(os.path.join(suite["mail"], name), "rb") as file:
                message = email.message_from_binary_file(file, policy=email.policy.default)
            if address.lower() in [to.strip().lower() for to in message.get_all("Delivered-To", [])]:
                found.append(message)
    return found


def token_in(message):
    for part in message.walk():
        if part.get_content_maintype() == "text":
            match = LINK_TOKEN.search(part.get_content())
            if match:
                return urllib.parse.unquote(match.group(1))
    return None


def invitation_token(suite, address):
    return next(filter(None, map(token_in, mails_to(suite, address))), None)


def invite(admin, person, role):
    return admin.post("/v1/people", {
        "email": person["email"], "given_name": person["given_name"], "family_name": person["family_name"],
        "locale": person["locale"], "roles": [role]})


def accept(suite, address, password):
    token = poll(MAIL_SECONDS, f"the invitation mail to {address}", lambda: invitation_token(suite, address))
    Api(suite).post("/v1/invitations/accept", {"token": token, "password": password})


def find(admin, address):
    """The person with that address, or None."""
    items = admin.get("/v1/people", email=address)["items"]
    if len(items) > 1:
        raise Failure(f"{len(items)} people have the address {address}")
    return items[0] if items else None
