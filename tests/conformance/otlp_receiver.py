# SPDX-License-Identifier: Apache-2.0
"""A collector: takes OTLP over HTTP in its JSON encoding, strictly, and keeps the spans."""
import json
import re

from berth_http import OwnServer

HEX = re.compile(r"[0-9a-f]+")
ATTRIBUTE_KINDS = {"stringValue": str, "intValue": str}


def value_of(attribute):
    assert set(attribute) == {"key", "value"} and len(attribute["value"]) == 1, attribute
    kind, value = next(iter(attribute["value"].items()))
    assert isinstance(value, ATTRIBUTE_KINDS[kind]), attribute
    return value if kind == "stringValue" else int(value)


class Span:
    def __init__(self, process, given):
        unknown = set(given) - {"traceId", "spanId", "parentSpanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "attributes", "status"}
        assert not unknown, f"no fields of a span: {unknown}"
        self.process = process
        self.trace, self.id, self.parent = given["traceId"], given["spanId"], given.get("parentSpanId")
        assert len(self.trace) == 32 and HEX.fullmatch(self.trace) and len(self.id) == 16 and HEX.fullmatch(self.id), given
        assert self.parent is None or (len(self.parent) == 16 and HEX.fullmatch(self.parent)), given
        self.name, self.kind = given["name"], given["kind"]
        assert self.kind in range(1, 6), given
        self.start, self.end = int(given["startTimeUnixNano"]), int(given["endTimeUnixNano"])
        assert 0 < self.start <= self.end, given
        self.attributes = {attribute["key"]: value_of(attribute) for attribute in given["attributes"]}
        self.failed = given["status"].get("code") == 2

    def __repr__(self):
        return f"<{self.process} {self.name} {self.id} below {self.parent}>"


def spans_of(document):
    for resource in document["resourceSpans"]:
        about = {attribute["key"]: value_of(attribute) for attribute in resource["resource"]["attributes"]}
        assert about["service.namespace"] == "berth"
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield Span(about["service.name"], span)


class Receiver(OwnServer):
    """`port` on the loopback; `spans` as they came; `faults` what was no export."""

    def __init__(self):
        self.spans, self.faults, self.texts = [], [], []
        super().__init__()

    def answer(self, method, path, fields, text):
        try:
            assert (method, path, fields["Content-Type"]) == ("POST", "/v1/traces", "application/json")
            self.spans += list(spans_of(json.loads(text)))
            self.texts.append(text)
        except Exception as error:  # pylint: disable=broad-exception-caught
            self.faults.append(repr(error))
        return 200, {"Content-Type": "application/json"}, "{}"

    def of(self, trace):
        return [span for span in list(self.spans) if span.trace == trace]
