# SPDX-License-Identifier: Apache-2.0
"""One line for each test as it ends, the output of what failed, and the last line."""
import sys
import threading

PASSED, FAILED, SKIPPED = "ok", "FAILED", "skipped"
TAIL_LINES = 80


class Report:
    def __init__(self):
        self.counts = {PASSED: 0, FAILED: 0, SKIPPED: 0}
        self.failed_names = []
        self._lock = threading.Lock()

    def add(self, status, name, seconds, text=""):
        """`text`: why it was skipped, or the output of what failed."""
        with self._lock:
            self.counts[status] += 1
            line = f"{status:<8}{seconds:7.1f} s  {name}"
            if status == SKIPPED:
                line += f"  ({text.strip() or 'no reason given'})"
            print(line, flush=True)
            if status == FAILED:
                self.failed_names.append(name)
                lines = text.rstrip().splitlines()
                if len(lines) > TAIL_LINES:
                    print(f"    | … {len(lines) - TAIL_LINES} lines before")
                for text_line in lines[-TAIL_LINES:]:
                    print(f"    | {text_line}")
                sys.stdout.flush()

    def note(self, text):
        with self._lock:
            print(f"-- {text}", flush=True)

    def finish(self):
        """Prints the summary; true when nothing failed and something ran."""
        for name in self.failed_names:
            print(f"failed: {name}")
        line = f"{self.counts[PASSED]} passed, {self.counts[FAILED]} failed"
        if self.counts[SKIPPED]:
            line += f", {self.counts[SKIPPED]} skipped"
        print(line, flush=True)
        return self.counts[FAILED] == 0 and self.counts[PASSED] > 0
