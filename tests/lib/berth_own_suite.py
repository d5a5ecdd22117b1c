# SPDX-License-Identifier: Apache-2.0
"""A suite of a test's own, beside the one that the runner has started."""
import contextlib
import os
import shutil
import subprocess

from berth_suite import ROOT, Suite

UP_SECONDS = 400


def run(*command, env=None):
    outcome = subprocess.run([str(word) for word in command], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=UP_SECONDS)
    assert outcome.returncode == 0, f"{command}: {outcome.stdout[-3000:]}{outcome.stderr[-3000:]}"


@contextlib.contextmanager
def own_suite(**environment):
    """`environment`: what ./deploy/up is told besides."""
    # The name is a pid, so that ./tests/run takes it away when this one could not.
    run_dir = ROOT / ".run-tests" / str(os.getpid())
    run_dir.parent.mkdir(exist_ok=True)
    env = {**os.environ, "BERTH_RUN_DIR": str(run_dir), **environment}
    env.pop("BERTH_REPORT_FD", None)
    try:
        run(ROOT / "deploy" / "up", env=env)
        yield Suite(run_dir)
    finally:
        run(ROOT / "deploy" / "down", env=env)
        if (run_dir / "state").is_symlink():
            shutil.rmtree((run_dir / "state").resolve(), ignore_errors=True)
        shutil.rmtree(run_dir, ignore_errors=True)
        with contextlib.suppress(OSError):
            run_dir.parent.rmdir()
