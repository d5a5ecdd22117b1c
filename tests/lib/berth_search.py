# SPDX-License-Identifier: Apache-2.0
"""Looks for words in everything that the suite keeps: dumps of each schema, data files and WAL, logs, Redis."""
import base64
import os
import pathlib
import subprocess

import redis

from berth_suite import SCHEMAS

PG_BIN = "/usr/lib/postgresql/15/bin"


def spellings(word):
    """The bytes under which a word could stand somewhere: as it is, in hex (how dumps show bytea), in base64 at each offset."""
    forms = set()
    for text in {word, word.lower(), word.upper()}:
        data = text.encode()
        forms |= {data, data.hex().encode(), text.encode("utf-16-le")}
        for lead in range(3):
            coded = base64.b64encode(b"\0" * lead + data)
            # Characters that mix with neighbours are left out.
            forms.add(coded[(0, 2, 3)[lead]:].rstrip(b"=")[:-1])
    return {form for form in forms if len(form) >= 4}


def found_in(data, words):
    return sorted({word for word in words if any(form in data for form in spellings(word))})


def schema_dump(suite, schema):
    command = [f"{PG_BIN}/pg_dump", "-h", suite.info["pg"]["host"], "-U", suite.info["pg"]["superuser"], "--schema", schema,
               "--inserts", suite.info["pg"]["dbname"]]
    return subprocess.run(command, capture_output=True, check=True).stdout


def redis_dump(suite):
    """Every key and value, whatever its type."""
    client = redis.Redis(unix_socket_path=suite.info["redis"])
    parts = []
    for key in client.scan_iter(count=500):
        parts.append(key)
        kind = client.type(key)
        if kind == b"string":
            parts.append(client.get(key) or b"")
        elif kind == b"hash":
            parts += [part for pair in client.hgetall(key).items() for part in pair]
        elif kind in (b"set", b"list", b"zset", b"stream"):
            parts.append(client.dump(key) or b"")
    return b"\n".join(parts)


def files_under(folder):
    for base, _, names in os.walk(folder):
        for name in names:
            path = pathlib.Path(base) / name
            if path.is_file() and not path.is_symlink():
                yield path


def search_everywhere(suite, words, data_files=True):
    """[(place, word)] wherever a word occurs. Mails are not searched: they have left the suite."""
    found = []
    for schema in SCHEMAS:
        found += [(f"dump of schema {schema}", word) for word in found_in(schema_dump(suite, schema), words)]
    found += [("Redis", word) for word in found_in(redis_dump(suite), words)]
    state = pathlib.Path(suite.info["logs"]).parent
    places = [pathlib.Path(suite.info["logs"]), state / "redis"]
    if data_files:
        suite.sql("checkpoint")
        places.append(state / "pg")
    for place in places:
        for path in files_under(place):
            found += [(str(path.relative_to(state)), word) for word in found_in(path.read_bytes(), words)]
    return found
