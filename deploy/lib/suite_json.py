# SPDX-License-Identifier: Apache-2.0
"""Writes suite.json in one step: suite_json.py FILE URL STATE_DIR DBNAME (NAME PID ADMIN_URL)..."""

import json
import os
import sys


def main(path, url, state, dbname, *rows):
    suite = {
        "url": url,
        "ca": f"{state}/pki/trust.pem",
        "pg": {"host": f"{state}/sock", "dbname": dbname, "superuser": "postgres"},
        "redis": f"{state}/sock/redis.sock",
        "logs": f"{state}/logs",
        "mail": f"{state}/mail",
        "processes": [
            {"name": name, "pid": int(pid), "admin_url": admin_url}
            for name, pid, admin_url in zip(rows[0::3], rows[1::3], rows[2::3])
        ],
    }
    temporary = f"{path}.tmp.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as out:
        json.dump(suite, out, indent=2)
        out.write("\n")
    os.chmod(temporary, 0o600)
    os.rename(temporary, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
