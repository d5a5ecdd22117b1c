# SPDX-License-Identifier: Apache-2.0
"""Makes the Nth allocation or system call of running processes fail (tests/faults/fault.c, loaded into them and commanded by a signal)."""
import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

KINDS = {"alloc": 1, "call": 2, "interrupt": 3}
COMMAND = signal.SIGRTMIN + 4
TOLD = re.compile(r"^fault: (\w+) \d+ (\w+) (\S+)$", re.M)
_libc = ctypes.CDLL(None, use_errno=True)


def command(kind, nth, more=0):
    """The one number that fault.h describes."""
    return KINDS[kind] << 28 | more << 20 | nth if nth else 0


def library(suite):
    """Where the processes can read it: they may be another user's."""
    built = pathlib.Path(os.environ["BERTH_BUILD_DIR"]) / "test" / "fault.so"
    if not built.exists():
        subprocess.run(["cmake", "--build", str(built.parents[1]), "--target", "fault"], check=True, capture_output=True)
    place = suite.state / "opt" / "lib" / "fault.so"
    if not place.exists():      # never written to again: processes have it mapped
        place.parent.mkdir(exist_ok=True)
        fresh = place.with_suffix(".new")
        shutil.copy(built, fresh)
        fresh.chmod(0o755)
        fresh.rename(place)
    return place


def settings(suite):
    """What a process that is to fail is told besides."""
    return [f"LD_PRELOAD={library(suite)}", "ASAN_OPTIONS=verify_asan_link_order=0"]


@contextlib.contextmanager
def loaded(suite, *names):
    """Inside, the named processes can be made to fail; afterwards they run as before. That they end without a leak is asserted."""
    paths = {name: suite.state / "etc" / f"{name}.local.env" for name in names}
    kept = {name: path.read_text() if path.exists() else None for name, path in paths.items()}
    lines = settings(suite)
    for name, path in paths.items():
        path.write_text((kept[name] or "") + "".join(f"{line}\n" for line in lines))
        path.chmod(0o644)
    try:
        suite.ctl("restart", *names)
        suite.reload()
        yield
    finally:
        for name, path in paths.items():
            if kept[name] is None:
                path.unlink()
            else:
                path.write_text(kept[name])
        suite.ctl("stop", *names)
        suite.ctl("start", *names)
        suite.reload()


class Faults:
    """Of one running process."""

    def __init__(self, suite, name):
        self.pid = suite.pid(name)
        self.log = pathlib.Path(suite.info["logs"]) / f"{name}.log"
        self.seen = self.log.stat().st_size

    def arm(self, kind, nth, more=0):
        """The nth call of the kind from now on fails, and `more` after it; nth 0: none any more."""
        if nth:
            self.seen = self.log.stat().st_size
        if _libc.sigqueue(self.pid, COMMAND, ctypes.c_void_p(command(kind, nth, more))):
            raise ProcessLookupError(ctypes.get_errno(), f"no process {self.pid}")

    def descriptors(self):
        """What it holds open; None to whoever may not look."""
        try:
            return len(os.listdir(f"/proc/{self.pid}/fd"))
        except PermissionError:
            return None

    def told(self):
        """[(kind, name of the call, caller)] of the failures since it was armed."""
        with open(self.log, "rb") as log:
            log.seek(self.seen)
            return TOLD.findall(log.read().decode("utf-8", "replace"))


def start_failing(suite, name, kind, nth, patience_s=30):
    """Starts the process by hand with its Nth call failing, lets it come to serving or end, and ends it: (exit code or minus the
    signal, whether it served, output)."""
    env = suite.environment(name)
    env.update(line.split("=", 1) for line in settings(suite))
    env["BERTH_FAULT"] = str(command(kind, nth))
    binary = suite.state / "opt" / "bin" / name
    owner = (suite.state / "sock").stat()
    user = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    child = subprocess.Popen([str(binary)], env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, **user)
    os.set_blocking(child.stdout.fileno(), False)
    text, end = b"", time.monotonic() + patience_s
    while child.poll() is None and b'"serving"' not in text and time.monotonic() < end:
        text += child.stdout.read() or b""
        time.sleep(0.02)
    served = b'"serving"' in text
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    os.set_blocking(child.stdout.fileno(), True)
    try:
        rest, _ = child.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        child.kill()
        rest, _ = child.communicate()
    return child.returncode, served, (text + rest).decode("utf-8", "replace")
