# SPDX-License-Identifier: Apache-2.0
"""The audit log verified from its rows: leaves without gaps, each hash that of its row, each signed head that of its leaves
(RFC 9162 section 2.1.1; auditsvc/README.md describes leaf and head)."""
import base64
import hashlib
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NIL = bytes(16)
BEFORE, AFTER, ERASED = 1, 2, 4


def text(word):
    data = word.encode()
    length, head = len(data), b""
    while length >= 0x80:
        head += bytes([length & 0x7F | 0x80])
        length >>= 7
    return head + bytes([length]) + data


def leaf_hash(event):
    before, after = event["before_digest"], event["after_digest"]
    flags = (BEFORE if before is not None else 0) | (AFTER if after is not None else 0) | (ERASED if event["erased"] else 0)
    ids = [event[name] for name in ("actor_id", "client_id", "on_behalf_id", "subject_id", "request_id")]
    leaf = b"".join([
        b"\x01", event["tenant_id"].bytes, event["id"].bytes, event["at"].to_bytes(8, "big"), text(event["service"]),
        text(event["action"]), text(event["object_type"]), event["object_id"].bytes, event["version"].to_bytes(8, "big"),
        *(one.bytes if one is not None else NIL for one in ids), bytes([flags]), before or b"", after or b""])
    return hashlib.sha256(b"\0" + leaf).digest()


class Tree:
    """The roots of the complete subtrees, largest first: [(leaves, hash)]."""

    def __init__(self):
        self.peaks = []

    def append(self, leaf):
        size = 1
        while self.peaks and self.peaks[-1][0] == size:
            leaf = hashlib.sha256(b"\1" + self.peaks.pop()[1] + leaf).digest()
            size *= 2
        self.peaks.append((size, leaf))

    def root(self):
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        *rest, (_, root) = self.peaks
        for _, peak in reversed(rest):
            root = hashlib.sha256(b"\1" + peak + root).digest()
        return root


def instant(us):
    fraction = f"{us % 10**6:06d}".rstrip("0")
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(us // 10**6)) + (f".{fraction}" if fraction else "") + "Z"


def check_head(head, root, keys):
    if head["root_hash"] != root:
        yield f"the signed head of {head['size']} leaves has another root than the leaves"
    note = f"{head['origin']}\n{head['size']}\n{base64.b64encode(bytes(head['root_hash'])).decode()}\n{instant(head['signed'])}\n"
    keys.add(head["public_key"])
    try:
        Ed25519PublicKey.from_public_bytes(head["public_key"]).verify(head["signature"], note.encode())
    except InvalidSignature:
        yield f"the signature of the head of {head['size']} leaves does not verify"


def check(final):
    """Yields what is wrong, in words."""
    tree, keys = Tree(), set()
    heads = {head["size"]: head for head in final.heads}
    for place, event in enumerate(final.events):
        if event["leaf"] != place:
            yield f"leaf {place} is missing: the next one is {event['leaf']}"
            return
        if leaf_hash(event) != event["leaf_hash"]:
            yield f"leaf {place} has another hash than its row"
        tree.append(event["leaf_hash"])
        if place + 1 in heads:
            yield from check_head(heads[place + 1], tree.root(), keys)
    if len(keys) > 1:
        yield f"heads are signed with {len(keys)} keys"
    if not final.heads or final.heads[-1]["size"] != len(final.events):
        yield f"no signed head covers all {len(final.events)} leaves"
