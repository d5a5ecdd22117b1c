# SPDX-License-Identifier: Apache-2.0
"""What there is to run. A test's name is kind/name: unit/json, gate/format, scenario/test_main_job::test_x, fuzz/json."""
import ast
import json
import os
import pathlib
import subprocess

from . import foreign
from .build import ROOT, tree

PYTEST_KINDS = {
    "scenario": ROOT / "tests" / "scenarios", "arrow": ROOT / "tests" / "arrows", "conformance": ROOT / "tests" / "conformance"}
# These bring a suite of their own: of released binaries, or in containers.
OWN_SUITE_KINDS = {"hardening": ROOT / "tests" / "hardening", "containers": ROOT / "tests" / "containers"}
PYTEST_FOLDERS = {**PYTEST_KINDS, **OWN_SUITE_KINDS}
# Run once more under ThreadSanitizer: the scenarios whose promise is about things that happen at once. With --long all of them, and what is
# asked of the edge and of the links.
RACES = ("test_main_job", "test_bookings", "test_oauth::test_fifty_exchanges_of_one_code_give_one_token_and_a_replay_revokes_it",
         "test_oauth::test_a_stolen_refresh_token_ends_the_whole_family", "test_access::test_a_suspended_person_is_out_within_a_second",
         "test_faults::test_a_key_survives_a_killed_process", "test_faults::test_stopping_a_process_finishes_what_it_has_begun")
# What is left out then, for it is of another build, or measures what that sanitizer makes large and slow.
NO_RACES = {
    "test_error_paths": "fails calls by a library that is made for the other sanitizers", "test_passkeys_browser": "is about pages in a browser",
    "test_probes": "compares with a program of the other build", "test_http1_table": "the same", "test_json_table": "the same", "test_jose_table": "the same",
    "test_webauthn": "is about a program alone", "test_edge_overload": "measures speed", "test_edge_pressure": "measures memory and speed",
    "test_edge_slow": "measures speed", "test_edge_h2_floods::test_floods_leave_no_memory_behind": "measures memory",
    "test_edge_h2_floods::test_many_connections_hold_little": "the same", "test_edge_h2_floods::test_a_bystander_does_not_wait_for_a_flood": "measures speed",
    "test_edge_tls::test_two_thousand_handshakes_that_stall_do_not_slow_others_down": "the same", "test_tls_grade": "is about what is offered",
    "test_edge_acme": "puts another library before the process",
    "test_edge_tls::test_ticket_keys_change_each_hour_and_open_tickets_for_two": "the same",
    "test_guessing::test_the_time_of_an_answer_does_not_tell": "measures time",
    "test_guessing::test_the_times_of_five_hundred_answers_do_not_tell": "the same", "test_passwords::test_how_long_the_answer_takes_does_not_tell": "the same",
    "test_restarts::test_a_service_is_replaced_under_load": "measures speed: that of a new process's first connections to PostgreSQL",
    "test_faults::test_auditsvc_gone_for_ten_minutes": "takes too long twice", "test_coding_disguises": "is about one thread", "test_front_proxies": "the same",
    "test_edge_h2_peer": "the same",
    "test_edge_handshakes": "the same", "test_counterparts": "the same"}
# tests/chaos/run by its arguments; the second ones with --long.
CHAOS = {"faults": (("--seconds", "180"), ("--seeds", "20", "--seconds", "300")),
         "plants": (("--seconds", "0", "--plants", "all"), ("--seconds", "0", "--plants", "all"))}
KINDS = ("unit", "gate", *PYTEST_FOLDERS, "race", "chaos", "fuzz", "afl", "foreign")


class Test:
    def __init__(self, kind, name, **more):
        self.kind = kind
        self.name = f"{kind}/{name}"
        self.short = name
        self.__dict__.update(more)

    def matches(self, word):
        """Exactly by full or short name, by kind, or by path."""
        path = getattr(self, "path", None)
        names = {self.name, self.kind, self.kind + "s"} | ({self.short} if self.kind != "race" else set())
        if self.kind in PYTEST_FOLDERS or self.kind == "race":
            if self.kind != "race":    # a scenario's name alone means the scenario
                names |= {self.short.split("::")[0], self.short.split("::")[1], str(path), f"{path}::{self.short.split('::')[1]}"}
            names |= {f"{self.kind}/{self.short.split('::')[0]}"}
        elif path:
            names.add(str(path))
        return word.removeprefix("./") in names


def gates():
    folder = ROOT / "tests" / "gates"
    for path in sorted(folder.iterdir()):
        if path.is_file() and os.access(path, os.X_OK):
            yield Test("gate", path.name, path=path.relative_to(ROOT))


def pytests():
    for kind, folder in PYTEST_FOLDERS.items():
        for path in sorted(folder.glob("test_*.py")):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    yield Test(kind, f"{path.stem}::{node.name}", path=path.relative_to(ROOT))


def races(long):
    for test in pytests():
        names = {test.short, test.short.split("::")[0]}
        if test.kind in PYTEST_KINDS and (not names & set(NO_RACES) if long else test.kind == "scenario" and names & set(RACES)):
            yield Test("race", test.short, path=test.path)


def units():
    """As ctest knows them; the tree must have been configured. ctest names a program's command only once that is built."""
    listing = subprocess.run(
        ["ctest", "--test-dir", str(tree("asan-ubsan")), "--show-only=json-v1"], capture_output=True, text=True, check=True)
    for entry in json.loads(listing.stdout)["tests"]:
        program = tree("asan-ubsan") / "test" / f"test_{entry['name']}"
        properties = {item["name"]: item["value"] for item in entry.get("properties", [])}
        yield Test(
            "unit", entry["name"], command=entry.get("command") or [str(program)],
            timeout_s=float(properties.get("TIMEOUT", 120)),
            env=dict(pair.split("=", 1) for pair in properties.get("ENVIRONMENT", [])),
            cwd=properties.get("WORKING_DIRECTORY"), skip_code=properties.get("SKIP_RETURN_CODE"))


def fuzzers(kind="fuzz"):
    """As add_fuzzer() told CMake; the tree must have been configured, and needs no clang for that."""
    for name in (tree("asan-ubsan") / "fuzzers.txt").read_text().split():
        yield Test(kind, name)


def second_fuzzers():
    """The same targets under AFL++, and with seeds of other people's."""
    yield from fuzzers("afl")
    for name in foreign.OF_KIND:
        yield Test("foreign", name)


def chaos(long):
    for name, arguments in CHAOS.items():
        yield Test("chaos", name, path=pathlib.Path("tests/chaos/run"), arguments=arguments[long])


def everything(long=False):
    return [*units(), *gates(), *pytests(), *races(long), *chaos(long), *fuzzers(), *(second_fuzzers() if long else ())]
