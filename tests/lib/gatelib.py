# SPDX-License-Identifier: Apache-2.0
"""What gates share: the files of the tree, the memory of what was found clean, and the way findings are printed."""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

# Another tree may be judged instead (tests/gates/planted plants bugs in one).
ROOT = pathlib.Path(os.environ.get("BERTH_GATE_ROOT") or pathlib.Path(__file__).resolve().parents[2])
MEMORY = ROOT / ".build" / "gates"
SERVICES = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def tree_files(*suffixes):
    """Files that are in git or could be (not ignored), relative to the root, sorted; all when no suffix is given."""
    try:
        listing = subprocess.run(
            ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard", "-z"],
            cwd=ROOT, capture_output=True, check=True).stdout.decode()
        names = [name for name in listing.split("\0") if name]
        if not names:
            raise OSError("git knows no file here")
    except (OSError, subprocess.CalledProcessError):
        # Not a checkout but an unpacked archive: hidden folders are the ones that are made.
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
        names = [name for name in names if not name.startswith((".build/", ".run", ".git/"))]
    paths = [pathlib.Path(name) for name in sorted(set(names)) if not suffixes or name.endswith(suffixes)]
    return [path for path in paths if (ROOT / path).is_file() and not (ROOT / path).is_symlink()]


def c_files():
    return tree_files(".c", ".h")


def read(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def code_only(text):
    """The text with comments and the insides of literals blanked; line numbers stay."""
    def blank(match):
        token = match.group(0)
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        return token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1]
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def main(description, check):
    """`check(arguments)` yields findings, as "path:line: what is wrong"."""
    parser = argparse.ArgumentParser(
        prog=f"./tests/gates/{pathlib.Path(sys.argv[0]).name}", description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    findings = list(check())
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} findings")
    sys.exit(1 if findings else 0)


class Memory:
    """Remembers by content hash what was found clean, so that only what changed is analysed again."""

    def __init__(self, name, *setup):
        """`setup`: whatever else the verdict depends on (versions, configuration)."""
        self.folder = MEMORY / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.setup = "\0".join(setup).encode()

    def key(self, *parts):
        digest = hashlib.sha256(self.setup)
        for part in parts:
            digest.update(b"\0" + (part if isinstance(part, bytes) else str(part).encode()))
        return digest.hexdigest()

    def is_clean(self, key):
        return (self.folder / key).exists()

    def keep(self, key):
        (self.folder / key).touch()


def compile_commands(warnings=False):
    """{path: [arguments]} of every C file of this tree that the sanitizer build compiles, cleaned for other compilers: where to
    look and what is defined, and with `warnings` what is warned of."""
    database = ROOT / ".build" / "asan-ubsan" / "compile_commands.json"
    if not database.exists():
        print("the build tree is missing: cmake --preset asan-ubsan")
        sys.exit(2)
    commands = {}
    for entry in json.loads(database.read_text()):
        path = pathlib.Path(entry["file"])
        if not path.is_relative_to(ROOT) or path.is_relative_to(ROOT / ".build"):
            continue
        words = shlex.split(entry["command"])
        arguments = []
        for place, word in enumerate(words):
            if word == "-isystem":
                arguments += [word, words[place + 1]]
            elif re.match(r"-(D|I|std=)", word) or (warnings and re.match(r"-W(?!l,|error)", word)):
                arguments.append(word)
        commands[path.relative_to(ROOT)] = arguments
    return commands


def dependencies(path, arguments):
    """Bytes of the file and of every header of this tree that it includes, for a content hash."""
    outcome = subprocess.run(["gcc", "-MM", "-MG", *arguments, str(path)], cwd=ROOT, capture_output=True, text=True)
    if outcome.returncode:
        return [(ROOT / path).read_bytes(), os.urandom(16)]  # unknown: never remembered
    words = outcome.stdout.replace("\\\n", " ").split()[1:]
    parts = []
    for word in sorted(set(words)):
        header = ROOT / word
        parts += [word.encode(), header.read_bytes() if header.is_file() else b"absent"]
    return parts


def analyse(name, commands, setup, analyser):
    """Runs analyser(path, arguments) -> [findings] on each file whose content was not found clean before, on all cores."""
    memory = Memory(name, *setup)

    def one(item):
        path, arguments = item
        key = memory.key(path, " ".join(arguments), *dependencies(path, arguments))
        if memory.is_clean(key):
            return []
        findings = analyser(path, arguments)
        if not findings:
            memory.keep(key)
        return findings

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for findings in pool.map(one, sorted(commands.items())):
            yield from findings


def version(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout
