# SPDX-License-Identifier: Apache-2.0
"""Pytest plugin: sends each result to the runner, one JSON object a line, through the descriptor BERTH_REPORT_FD; and what a test has to tell."""
import json
import os

_out = os.fdopen(int(os.environ["BERTH_REPORT_FD"]), "w", encoding="utf-8")
_spent = {}


def _send(status, node, seconds, text):
    _out.write(json.dumps({"status": status, "node": node, "seconds": seconds, "text": text}) + "\n")
    _out.flush()


def note(text):
    """Printed among the results."""
    _send("note", "", 0, text)


def pytest_runtest_logreport(report):
    _spent[report.nodeid] = _spent.get(report.nodeid, 0) + report.duration
    seconds = _spent[report.nodeid]
    if report.failed:
        captured = "".join(f"\n{title}:\n{text}" for title, text in report.sections)
        when = "" if report.when == "call" else f"in {report.when}:\n"
        _send("FAILED", report.nodeid, seconds, f"{when}{report.longreprtext}{captured}")
    elif report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _send("skipped", report.nodeid, seconds, reason.removeprefix("Skipped: "))
    elif report.when == "call":
        _send("ok", report.nodeid, seconds, "")


def pytest_collectreport(report):
    if report.failed:
        _send("FAILED", report.nodeid or "collection", 0, report.longreprtext)


def pytest_internalerror(excrepr):
    _send("FAILED", "internal error", 0, str(excrepr))
