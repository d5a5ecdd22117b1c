# SPDX-License-Identifier: Apache-2.0
"""What a public grader would say of the edge's TLS: SSL Labs' rating guide 2009r, over what an independent scanner finds offered."""
import datetime
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import xml.etree.ElementTree

import httpx
import pytest

from berth_suite import wait_for
from edge import TWO_YEARS_S, Edge, bearer, head
from own_gateway import NO_LIMITS, OwnGateway, free_ports

ORDER = 43
HALF_A_YEAR_S = 15552000

# -- the guide: each part from 0 to 100, 30 % protocols, 30 % key exchange, 40 % ciphers

PROTOCOL_SCORES = {"SSLv2": 0, "SSLv3": 80, "TLSv1.0": 90, "TLSv1.1": 95, "TLSv1.2": 100, "TLSv1.3": 100}
KEY_SCORES = ((512, 20), (1024, 40), (2048, 80), (4096, 90), (1 << 30, 100))
CIPHER_SCORES = ((1, 0), (128, 20), (256, 80), (1 << 30, 100))
# NIST SP 800-57 part 1, table 2: bits of security, and the RSA key that has as many.
RSA_OF_STRENGTH = {80: 1024, 112: 2048, 128: 3072, 192: 7680, 256: 15360}
RANKS = ("A+", "A", "A-", "B", "C", "F", "T")


def rsa_of(strength):
    return RSA_OF_STRENGTH[max(known for known in RSA_OF_STRENGTH if known <= strength)]


def score_below(table, bits):
    return next(score for bound, score in table if bits < bound)


def parts_of(found):
    protocols = [PROTOCOL_SCORES[name] for name in found["protocols"]]
    ciphers = [score_below(CIPHER_SCORES, bits) for _, bits in found["ciphers"]]
    key = min([key["rsa_bits"] for key in found["keys"]] + [rsa_of(bits) for bits in found["group_strengths"]])
    return {"protocols": (max(protocols) + min(protocols)) / 2, "key exchange": score_below(KEY_SCORES, key),
            "ciphers": (max(ciphers) + min(ciphers)) / 2}


def caps_of(found):
    """(rank, reason) of everything that lowers the grade whatever the score."""
    names = [name for name, _ in found["ciphers"]]
    rules = (
        ("T", not found["trusted"], "the chain is not trusted, or the name does not match"),
        ("F", "SSLv2" in found["protocols"] or "SSLv3" in found["protocols"], "a protocol of SSL"),
        ("F", any("EXP" in name or "NULL" in name or name.startswith(("ADH", "AECDH")) for name in names), "no real encryption"),
        ("F", found["heartbleed"], "Heartbleed"),
        ("B", bool({"TLSv1.0", "TLSv1.1"} & set(found["protocols"])), "TLS 1.0 or 1.1"),
        ("C", "TLSv1.2" not in found["protocols"] and "TLSv1.3" not in found["protocols"], "no TLS 1.2"),
        ("C", any("RC4" in name or "DES" in name for name in names), "RC4 or 3DES"),
        ("C", found["compression"], "compression"),
        ("B", any(not name.startswith(("ECDHE", "DHE", "TLS_")) for name in names), "no forward secrecy"),
        ("B", any(not re.search("GCM|CHACHA20|CCM", name) for name in names), "no AEAD"),
        ("A-", "TLSv1.3" not in found["protocols"], "no TLS 1.3"),
        ("A-", not found["secure_renegotiation"], "no secure renegotiation"),
        ("A", found["hsts_s"] < HALF_A_YEAR_S, "HSTS under 180 days"),
    )
    return [(rank, reason) for rank, holds, reason in rules if holds]


def grade(found):
    parts = parts_of(found)
    total = 0.3 * parts["protocols"] + 0.3 * parts["key exchange"] + 0.4 * parts["ciphers"]
    scored = "A+" if total >= 80 else "B" if total >= 65 else "C" if total >= 50 else "F"
    ranks = [scored] + [rank for rank, _ in caps_of(found)]
    return max(ranks, key=RANKS.index), parts


# -- what is offered

def run(*words, given=b"", seconds=60):
    outcome = subprocess.run(words, input=given, capture_output=True, timeout=seconds, check=False)
    return (outcome.stdout + outcome.stderr).decode(errors="replace")


def rsa_bits(pem):
    """The key of a certificate as the RSA key of its strength."""
    text = run("openssl", "x509", "-noout", "-text", given=pem.encode())
    bits = int(re.search(r"Public-Key: \((\d+) bit\)", text)[1])
    return rsa_of(bits // 2) if "id-ecPublicKey" in text else bits


def certificates(port):
    found = []
    for name in ("ECDSA+SHA256", "RSA-PSS+SHA256:RSA+SHA256"):
        text = run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", "-sigalgs", name)
        match = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.S)
        if match:
            found.append({"rsa_bits": rsa_bits(match[0]), "text": run("openssl", "x509", "-noout", "-text", given=match[0].encode())})
    return found


def is_trusted(port, ca):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            with ssl.create_default_context(cafile=ca).wrap_socket(raw, server_hostname="localhost"):
                return True
    except ssl.SSLError:
        return False


def hsts_s(port):
    try:
        answer = httpx.get(f"https://127.0.0.1:{port}/healthz", verify=False, timeout=10, trust_env=False)
    except httpx.HTTPError:
        return 0
    match = re.search(r"max-age=(\d+)", answer.headers.get("strict-transport-security", ""))
    return int(match[1]) if match else 0


def survey(port, ca):
    """By sslscan, which shares no code with the gateway, and s_client for what it does not tell."""
    text = subprocess.run(["sslscan", "--xml=-", f"127.0.0.1:{port}"], capture_output=True, timeout=120, check=True).stdout
    test = xml.etree.ElementTree.fromstring(text).find("ssltest")
    told = run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2")
    return {
        "protocols": [{"ssl": "SSLv", "tls": "TLSv"}[one.get("type")] + one.get("version")
                      for one in test.findall("protocol") if one.get("enabled") == "1"],
        "ciphers": [(one.get("cipher"), int(one.get("bits"))) for one in test.findall("cipher")],
        "group_strengths": [int(one.get("bits")) for one in test.findall("group")],
        "heartbleed": any(one.get("vulnerable") == "1" for one in test.findall("heartbleed")),
        "compression": "Compression: NONE" not in told, "secure_renegotiation": "Secure Renegotiation IS supported" in told,
        "keys": certificates(port), "trusted": is_trusted(port, ca), "hsts_s": hsts_s(port)}


def port_of(suite):
    return int(suite.url.rpartition(":")[2])


def test_the_edge_is_graded_a_plus(suite):
    found = survey(port_of(suite), suite.info["ca"])
    assert set(found["protocols"]) == {"TLSv1.2", "TLSv1.3"} and len(found["keys"]) == 2, found
    assert caps_of(found) == []
    rank, parts = grade(found)
    assert rank == "A+" and min(parts.values()) >= 80, (rank, parts)
    for one in found["keys"]:
        until = datetime.datetime.strptime(re.search(r"Not After : (.*) GMT", one["text"])[1], "%b %d %H:%M:%S %Y")
        since = datetime.datetime.strptime(re.search(r"Not Before: (.*) GMT", one["text"])[1], "%b %d %H:%M:%S %Y")
        assert until - since <= datetime.timedelta(days=90) and "sha1" not in one["text"].lower().split("x509v3")[0]


def test_a_worse_server_gets_a_worse_grade(tmp_path):
    """OpenSSL's own server with its old ciphers: else the grade above would say nothing."""
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem"))
    port, = free_ports(1)
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(tmp_path / "cert.pem"), "-key", str(tmp_path / "key.pem"),
         "-tls1_2", "-cipher", "AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256", "-www"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_listening(port), 20, "a server to scan")
        found = survey(port, str(tmp_path / "cert.pem"))
    finally:
        server.kill()
        server.wait()
    reasons = {reason for _, reason in caps_of(found)}
    assert {"no forward secrecy", "no AEAD", "no TLS 1.3", "HSTS under 180 days"} <= reasons, reasons
    assert grade(found)[0] in ("B", "T")


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# A private authority has no public log, no revocation address and no DNS; the client's own OpenSSL has no GOST.
ALLOWED = re.compile(r"engine_problem|cert_chain_of_trust|cert_revocation|DNS_CAArecord|cert_trust|cipher_order|scanTime")


@pytest.mark.long
@pytest.mark.seconds(600)
def test_testssl_finds_nothing_else(suite, tmp_path):
    testssl = shutil.which("testssl")
    assert testssl, "testssl is missing: run through ./tests/run --long"
    report = tmp_path / "report.json"
    run(testssl, "--quiet", "--warnings", "batch", "--color", "0", "--ip", "127.0.0.1", "--jsonfile", str(report),
        "-p", "-s", "-f", "-S", "-h", "-U", f"localhost:{port_of(suite)}", seconds=500)
    lines = json.loads(report.read_text())
    assert len(lines) > 80, "testssl did not finish"
    bad = [f"{one['id']}: {one['severity']} {one['finding']}" for one in lines
           if one["severity"] not in ("OK", "INFO") and not ALLOWED.match(one["id"])]
    assert not bad, bad


# -- HSTS where it takes a situation of its own

def test_strict_transport_security_stands_on_a_redirection(suite):
    client = suite.tenant()["client"]
    query = httpx.QueryParams({
        "response_type": "code", "client_id": client["id"], "redirect_uri": client["redirect_uri"], "scope": "openid", "state": "x",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256", "prompt": "none"})
    with Edge(suite) as edge:
        answer = edge.ask(head(start=f"GET /oauth2/authorize?{query} HTTP/1.1"))
        assert answer.status == 303 and answer.policy_s() >= TWO_YEARS_S


def test_strict_transport_security_stands_on_429(suite):
    with OwnGateway(suite, BERTH_LIMIT_ADDRESS_PER_S="1", BERTH_LIMIT_ADDRESS_BURST="1") as gateway, Edge(gateway) as edge:
        answers = [edge.ask(head()) for _ in range(20)]
        assert 429 in {answer.status for answer in answers}
        assert all(answer.policy_s() >= TWO_YEARS_S for answer in answers)


def test_strict_transport_security_stands_on_503(suite, tmp_path):
    """A gateway that cannot know the revocations in force."""
    with OwnGateway(suite, ready=False, BERTH_REDIS_SOCKET=str(tmp_path / "none.sock"), **NO_LIMITS) as gateway:
        wait_for(lambda: is_listening(port_of(gateway)), 30, "a gateway without Redis")
        with Edge(gateway) as edge:
            answer = edge.ask(head(bearer("x.y.z"), start="GET /v1/whoami HTTP/1.1"))
            assert answer.status == 503 and answer.policy_s() >= TWO_YEARS_S


# -- certificates that run out

def certificate(folder, days):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(days),
        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(folder / "new.key"), "-out", str(folder / "new.pem"))
    for end in ("key", "pem"):
        os.replace(folder / f"new.{end}", folder / f"live.{end}")


def days_left(gateway):
    return gateway.metrics()['berth_edge_certificate_days_left{place="1"}']


def test_a_certificate_that_ends_soon_is_an_alarm_until_it_is_renewed(suite, tmp_path):
    certificate(tmp_path, 13)
    with OwnGateway(suite, BERTH_GATEWAY_CERT_FILES=str(tmp_path / "live.pem"), BERTH_GATEWAY_KEY_FILES=str(tmp_path / "live.key"),
                    **NO_LIMITS) as gateway:
        assert days_left(gateway) in (12, 13), "whole days, and the first second is over or not"
        wait_for(lambda: '"event":"certificate_ends_soon"' in gateway.log_text(), 20, "the alarm in the log")
        assert "certificate" in gateway.admin_get("/readyz?verbose").text
        certificate(tmp_path, 60)
        wait_for(lambda: days_left(gateway) in (59, 60), 20, "the renewed certificate")
        assert "certificate" not in gateway.admin_get("/readyz?verbose").text


def test_every_connection_made_or_failed_its_handshake(suite):
    """Whoever goes away in the middle counts as failed, however it went."""
    with OwnGateway(suite, **NO_LIMITS) as gateway:
        for number in range(60):
            edge = Edge(gateway, shake=number % 3 == 0)
            if number % 3 == 0:
                edge.ask(head())
            elif number % 3 == 1:
                edge.raw_send(bytes.fromhex("16030100c5010000c10303"))
            edge.reset()
        wait_for(lambda: gateway.edge("connections") == 0, 20, "the end of all connections")
        assert gateway.edge("handshakes_total") == 20 and gateway.edge("handshake_failures_total") == 40
