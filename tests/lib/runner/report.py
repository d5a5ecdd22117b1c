# SPDX-License-Identifier: Apache-2.0
"""One line for each test as it ends, the output of what failed, and the last line."""
import re
import sys
import threading

PASSED, FAILED, SKIPPED = "ok", "FAILED", "skipped"
TAIL_LINES = 80
# What tells why, in the output of pytest, cmocka, a sanitizer or a gate: said again beside the name at the end, where a log that was cut still has it.
TELLING = re.compile(r"^E  |\[  FAILED|\[  ERROR|error:|ERROR:|WARNING: ThreadSanitizer|runtime error|Assertion|violation|ended by signal|did not end")
TELLING_LINES = 8


class Report:
    def __init__(self):
        self.counts = {PASSED: 0, FAILED: 0, SKIPPED: 0}
        self.failed = []
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
                lines = text.rstrip().splitlines()
                self.failed.append((name, [found for found in lines if TELLING.search(found)][:TELLING_LINES]))
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
        for name, telling in self.failed:
            print(f"failed: {name}")
            for text_line in telling:
                print(f"    | {text_line}")
        line = f"{self.counts[PASSED]} passed, {self.counts[FAILED]} failed"
        if self.counts[SKIPPED]:
            line += f", {self.counts[SKIPPED]} skipped"
        print(line, flush=True)
        return self.counts[FAILED] == 0 and self.counts[PASSED] > 0
