# SPDX-License-Identifier: Apache-2.0
"""A collector: takes OTLP over HTTP in its JSON encoding, strictly, and keeps the spans."""
import http.server
import json
import re
import threading

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


class Receiver:
    """`port` on the loopback; `spans` as they came; `faults` what was no export."""

    def __init__(self):
        self.spans, self.faults, self.texts = [], [], []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                try:
                    assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
                    receiver.spans += list(spans_of(json.loads(text)))
                    receiver.texts.append(text)
                except Exception as error:  # pylint: disable=broad-exception-caught
                    receiver.faults.append(repr(error))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def of(self, trace):
        return [span for span in list(self.spans) if span.trace == trace]
