# SPDX-License-Identifier: Apache-2.0
"""The admin port of each process: bare status for anyone, detail and metrics for who holds the ops certificate."""
import re
import socket
import ssl

import httpx
import pytest

ORDER = 45
PROCESSES = ("gateway", "authsvc", "bookingsvc", "auditsvc", "gdprsvc")


@pytest.mark.parametrize("name", PROCESSES)
def test_anyone_gets_a_bare_status(suite, name):
    for path in ("/livez", "/readyz"):
        reply = suite.admin_get(name, path, certificate=False)
        assert reply.status_code == 200
        assert len(reply.content) <= 16 and b"{" not in reply.content


@pytest.mark.parametrize("name", PROCESSES)
def test_detail_and_metrics_need_the_certificate(suite, name):
    for path in ("/livez?verbose", "/readyz?verbose", "/readyz?verbose=1", "/readyz?x&verbose", "/metrics"):
        refused = suite.admin_get(name, path, certificate=False)
        assert refused.status_code in (401, 403) and b'"up"' not in refused.content
        shown = suite.admin_get(name, path)
        assert shown.status_code == 200
        assert path == "/metrics" or set(shown.json().values()) == {"up"}, shown.text


@pytest.mark.parametrize("name", PROCESSES)
def test_metrics_are_prometheus_text_with_a_histogram_per_operation(suite, user, name):
    user.get("/v1/whoami").expect(200)
    text = suite.admin_get(name, "/metrics").text
    for line in text.splitlines():
        assert re.fullmatch(r"#.*|[a-z_][a-z0-9_]*(\{[^}]*\})? [-+0-9.einfNa]+", line), line
    if name in ("gateway", "bookingsvc"):
        buckets = [line for line in text.splitlines() if "_bucket{" in line and 'operation="whoami_read"' in line]
        assert buckets and any('le="+Inf"' in line for line in buckets)


@pytest.mark.parametrize("name", PROCESSES)
def test_metrics_and_detail_hold_no_personal_data(suite, slug, name):
    text = suite.admin_get(name, "/metrics").text + suite.admin_get(name, "/readyz?verbose").text
    for person in suite.tenants[slug]["people"]:
        assert person["email"] not in text and person["id"] not in text


@pytest.mark.parametrize("name", PROCESSES)
def test_plaintext_gets_no_answer(suite, name):
    host, port = suite.admin_url(name).removeprefix("https://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as plain:
        plain.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        plain.settimeout(5)
        try:
            assert b"HTTP/" not in plain.recv(200)
        except (ConnectionError, TimeoutError):
            pass


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(suite, name, version):
    old_tls_is_refused(suite, *suite.admin_url(name).removeprefix("https://").split(":"), version)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused_at_the_edge(suite, version):
    old_tls_is_refused(suite, *suite.url.removeprefix("https://").split(":"), version)


def old_tls_is_refused(suite, host, port, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(suite.info["ca"])
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection((host, int(port)), timeout=5) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize("name", PROCESSES)
def test_unknown_paths_and_methods_are_refused(suite, name):
    assert suite.admin_get(name, "/nothing").status_code == 404
    assert suite.admin_get(name, "/..%2f..%2fetc/passwd").status_code in (400, 404)
    reply = httpx.post(suite.admin_url(name) + "/metrics", verify=suite.info["ca"], timeout=5, trust_env=False)
    assert reply.status_code in (400, 403, 404, 405, 501)
