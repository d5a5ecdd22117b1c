# SPDX-License-Identifier: Apache-2.0
"""Child processes: each in its own group, remembered while it lives, ended by that group and never by name."""
import os
import signal
import subprocess
import threading
import time

_alive = {}
_lock = threading.Lock()


class Outcome:
    def __init__(self, code, text, seconds, timed_out=False):
        self.code = code
        self.text = text
        self.seconds = seconds
        self.timed_out = timed_out


def start(command, **options):
    """A child in a group of its own."""
    with _lock:
        child = subprocess.Popen(command, start_new_session=True, **options)
        _alive[child.pid] = child
    return child


def forget(child):
    with _lock:
        _alive.pop(child.pid, None)


def end(child, grace_s=5):
    """Asks the group to stop, and then insists."""
    for number, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 5)):
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            break
        try:
            child.wait(wait_s)
            break
        except subprocess.TimeoutExpired:
            continue
    # Whatever the leader left behind in its group.
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    forget(child)


def end_all():
    with _lock:
        children = list(_alive.values())
    for child in children:
        end(child)


def run(command, timeout_s, cwd=None, env=None):
    """Runs to the end with output captured; after timeout_s the whole group is ended."""
    begun = time.monotonic()
    child = start(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    timed_out = False
    try:
        output, _ = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        timed_out = True
        end(child)
        output, _ = child.communicate()
    forget(child)
    text = output.decode("utf-8", "replace")
    if timed_out:
        text += f"\nended after {timeout_s:g} s: too slow\n"
    return Outcome(child.returncode, text, time.monotonic() - begun, timed_out)
