# SPDX-License-Identifier: Apache-2.0
"""Client certificates at the edge: asked of nobody unless operations of the deployment want one; then who has none reaches those operations
by no version of TLS or HTTP and no resumed session, and a certificate that does not hold is no connection."""
import datetime
import json
import os
import signal
import socket
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from berth_suite import wait_for
from edge import Closed, Edge, bearer, context, head
from h2edge import H2, request
from own_gateway import NO_LIMITS, OwnGateway

ORDER = 43
WHOAMI = "GET /v1/whoami HTTP/1.1"
ME = "GET /v1/me HTTP/1.1"
TOKEN = "POST /oauth2/token HTTP/1.1"
ASKING = "whoami_read,token_issue"
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
SHORT_S = 8


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


class Authority:
    """Files of certificates under one folder, and the revocation list; `above` is the authority that vouches for this one, else nobody."""

    def __init__(self, folder, name="Clients", above=None):
        self.folder, self.serial = folder, 1000
        folder.mkdir()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        maker = above or self
        builder = maker.builder(self.name, self.key, now() - datetime.timedelta(days=1), now() + datetime.timedelta(days=9))
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
        self.pem = builder.sign(maker.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        self.file = self.put("ca.pem", self.pem)

    def put(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o644)
        return path

    def replace(self, *parts):
        """What the gateway reads, at one blow."""
        os.replace(self.put("fresh", b"".join(parts)), self.file)

    def builder(self, subject, key, begins, ends):
        self.serial += 1
        return x509.CertificateBuilder(
            issuer_name=self.name, subject_name=subject, public_key=key.public_key(), serial_number=self.serial, not_valid_before=begins,
            not_valid_after=ends)

    def issue(self, name, begins_s=-3600, ends_s=3600, use=ExtendedKeyUsageOID.CLIENT_AUTH, signer=None, between=b""):
        """The path of a file with certificate and key; `between` goes along with it."""
        key = ec.generate_private_key(ec.SECP256R1())
        times = [now() + datetime.timedelta(seconds=s) for s in (begins_s, ends_s)]
        builder = self.builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, *times)
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        made = builder.sign(signer or self.key, hashes.SHA256())
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return self.put(f"{name}.pem", made.public_bytes(serialization.Encoding.PEM) + between + private)

    def revoked(self, *files, ends_s=86400):
        """The list that names these, in PEM."""
        builder = x509.CertificateRevocationListBuilder(issuer_name=self.name, last_update=now() - datetime.timedelta(hours=1),
                                                        next_update=now() + datetime.timedelta(seconds=ends_s))
        for path in files:
            serial = x509.load_pem_x509_certificate(path.read_bytes()).serial_number
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder(serial_number=serial, revocation_date=now() - datetime.timedelta(minutes=5)).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("clients") / "ca")


def asking(suite, authority, **changes):
    return OwnGateway(suite, BERTH_GATEWAY_CLIENT_CA_FILE=str(authority.file), BERTH_GATEWAY_CERTIFIED_OPERATIONS=ASKING, **NO_LIMITS, **changes)


@pytest.fixture(scope="module")
def gateway(suite, authority):
    with asking(suite, authority) as own:
        yield own


@pytest.fixture
def token(suite, slug):
    return suite.token(slug, "User")


def client(suite, file=None, version=None):
    tls = context(suite, version)
    if file:
        tls.load_cert_chain(file)
    return tls


def ask(gateway, tls, *lines, start=WHOAMI):
    with Edge(gateway, tls=tls) as edge:
        return edge.ask(head(*lines, start=start))


def refused(answer):
    assert answer.status == 403, answer
    document = json.loads(answer.body)
    assert document.get("code") == "client_certificate_required" or document["error"] == "access_denied", answer


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_an_operation_that_asks_for_one_is_not_reached_without(suite, gateway, authority, token, version):
    without, own = client(suite, version=version), client(suite, authority.issue("mine"), version)
    handed_on = gateway.edge("forwarded_total")
    refused(ask(gateway, without, bearer(token)))
    refused(ask(gateway, without))      # and nobody learns whether a token would have done
    refused(ask(gateway, without, "Content-Length: 0", start=TOKEN))
    assert gateway.edge("forwarded_total") == handed_on
    assert ask(gateway, without, bearer(token), start=ME).status == 200, "an operation that asks for none"
    assert ask(gateway, own, bearer(token)).status == 200
    assert ask(gateway, own).status == 401, "a certificate is no token"
    assert ask(gateway, own, bearer(token), start=ME).status == 200


def test_a_field_that_says_so_is_no_certificate(suite, gateway, authority, token):
    text = authority.issue("told").read_text().partition("-----BEGIN PRIVATE")[0].replace("\n", "%0A")
    for name in ("X-SSL-Client-Cert", "X-SSL-Client-Verify", "Client-Cert", "X-Forwarded-Client-Cert"):
        refused(ask(gateway, client(suite), bearer(token), f"{name}: {text if 'Verify' not in name else 'SUCCESS'}"))


def test_streams_are_held_to_it_too(suite, gateway, authority, token):
    asked = request(("authorization", f"Bearer {token}"), path="/v1/whoami")
    with H2(gateway) as h2:
        refused(h2.ask(asked))
        assert h2.alive()
    with H2(gateway, certificate=authority.issue("streams")) as h2:
        assert h2.ask(asked).status == 200


@pytest.fixture(scope="module")
def wrong(authority, tmp_path_factory):
    """Files that are to be refused, by what is wrong with them."""
    foreign = Authority(tmp_path_factory.mktemp("foreign") / "ca")      # of the same name
    return {"of another authority": foreign.issue("foreign"), "expired": authority.issue("expired", -7200, -3600),
            "not good yet": authority.issue("early", 3600, 7200), "for servers": authority.issue("server", use=ExtendedKeyUsageOID.SERVER_AUTH),
            "signed by nobody": authority.issue("nobody", signer=ec.generate_private_key(ec.SECP256R1()))}


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("fault", ["of another authority", "expired", "not good yet", "for servers", "signed by nobody"])
def test_one_that_does_not_hold_is_no_connection(suite, gateway, token, wrong, fault, version):
    with pytest.raises((ssl.SSLError, ConnectionError, Closed)):
        # In TLS 1.3 the client hears of it with what would have been its answer.
        ask(gateway, client(suite, wrong[fault], version), bearer(token), start=ME)


def test_one_that_runs_out_while_its_connection_stands_opens_nothing_more(suite, gateway, authority, token):
    tls = client(suite, authority.issue("short", ends_s=SHORT_S))
    with Edge(gateway, tls=tls) as edge:
        assert edge.ask(head(bearer(token), start=WHOAMI)).status == 200
        wait_for(lambda: edge.ask(head(bearer(token), start=WHOAMI)).status == 403, SHORT_S + 10, "the end of the certificate")
        assert edge.ask(head(bearer(token), start=ME)).status == 200
        session = edge.socket.session
    with socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2])), timeout=8) as raw:
        with tls.wrap_socket(raw, server_hostname="localhost", session=session) as again:
            again.sendall(head(bearer(token), start=WHOAMI))
            assert not again.recv(65536).startswith(b"HTTP/1.1 200"), "a resumed session outlives the certificate"


def resumed(gateway, tls, session, given):
    """Whether the session was resumed, and what came; (False, b"") when there was no connection."""
    try:
        with socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2])), timeout=8) as raw:
            with tls.wrap_socket(raw, server_hostname="localhost", session=session) as again:
                again.sendall(given)
                return again.session_reused, again.recv(65536)
    except (ssl.SSLError, ConnectionError):
        return False, b""


def reloaded(gateway, times=1):
    wait_for(lambda: gateway.log_text().count('"event":"certificates_reloaded"') >= times, 20, "the new file")


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("change", ["another authority", "a revocation"])
def test_what_is_taken_back_resumes_no_session(suite, tmp_path, token, version, change):
    """By SIGHUP or by the file alone; other clients stay."""
    authority = Authority(tmp_path / "ca")
    mine, other = authority.issue("mine"), authority.issue("other")
    other_authority = Authority(tmp_path / "other")
    given = head(bearer(token), start=WHOAMI)
    with asking(suite, authority) as gateway:
        tls = client(suite, mine, version)
        with Edge(gateway, tls=tls) as edge:
            assert edge.ask(given).status == 200
            session = edge.socket.session
        reused, answer = resumed(gateway, tls, session, given)
        assert reused and answer.startswith(b"HTTP/1.1 200"), "a session brings its certificate along"
        authority.replace(*([other_authority.pem] if change == "another authority" else [authority.pem, authority.revoked(mine)]))
        if version == ssl.TLSVersion.TLSv1_2:
            os.kill(gateway.pid, signal.SIGHUP)
        reloaded(gateway)
        reused, answer = resumed(gateway, tls, session, given)
        assert not reused and not answer.startswith(b"HTTP/1.1 200"), answer[:100]
        kept = other if change == "a revocation" else other_authority.issue("theirs")
        assert ask(gateway, client(suite, kept, version), bearer(token)).status == 200


class Standing:
    """A connection of one version of HTTP, over which one operation that asks for a certificate is asked for again and again."""

    def __init__(self, suite, gateway, token, file, version, http):
        if http == 2:
            self.h2, self.edge = H2(gateway, certificate=file), None
        else:
            self.edge = Edge(gateway, tls=client(suite, file, version))
        self.http, self.token = http, token

    def ask(self, path="/v1/whoami"):
        if self.http == 2:
            return self.h2.ask(request(("authorization", f"Bearer {self.token}"), path=path))
        return self.edge.ask(head(bearer(self.token), start=f"GET {path} HTTP/1.1"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        (self.edge or self.h2.edge).close()


WAYS = [(ssl.TLSVersion.TLSv1_2, 1), (ssl.TLSVersion.TLSv1_3, 1), (ssl.TLSVersion.TLSv1_3, 2)]


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0].name} HTTP/{way[1]}")
def standing(suite, token, request):  # pylint: disable=redefined-outer-name
    """Makes connections of one way."""
    return lambda gateway, file: Standing(suite, gateway, token, file, *request.param)


def test_what_is_taken_back_opens_nothing_on_connections_that_stand(suite, tmp_path, standing):
    """And opens again what it did once it is given back: each request is judged by what is loaded then."""
    authority, strange = Authority(tmp_path / "ca"), Authority(tmp_path / "other", "Others")
    mine, other = authority.issue("mine"), authority.issue("other")
    with asking(suite, authority) as gateway, standing(gateway, mine) as one, standing(gateway, other) as two:
        assert one.ask().status == 200 and two.ask().status == 200
        authority.replace(authority.pem, authority.revoked(mine))
        reloaded(gateway)
        refused(one.ask())
        refused(one.ask())
        assert one.ask("/v1/me").status == 200, "the connection itself stays"
        assert two.ask().status == 200, "who is not named in the list"
        authority.replace(authority.pem, authority.revoked())
        reloaded(gateway, 2)
        assert one.ask().status == 200 and two.ask().status == 200
        authority.replace(strange.pem)
        reloaded(gateway, 3)
        refused(one.ask())
        refused(two.ask())
        authority.replace(strange.pem, authority.pem)
        reloaded(gateway, 4)
        assert one.ask().status == 200 and two.ask().status == 200


def test_a_connection_that_had_asked_for_nothing_yet_is_judged_by_what_is_loaded_then(suite, tmp_path, standing):
    authority = Authority(tmp_path / "ca")
    mine = authority.issue("mine")
    with asking(suite, authority) as gateway, standing(gateway, mine) as one:
        assert one.ask("/v1/me").status == 200
        authority.replace(authority.pem, authority.revoked(mine))
        reloaded(gateway)
        refused(one.ask())


def test_a_list_that_runs_out_vouches_for_nobody_until_there_is_a_new_one(suite, tmp_path, standing):
    authority = Authority(tmp_path / "ca")
    mine = authority.issue("mine")
    authority.replace(authority.pem, authority.revoked(ends_s=SHORT_S))
    with asking(suite, authority) as gateway, standing(gateway, mine) as one:
        assert one.ask().status == 200
        wait_for(lambda: one.ask().status == 403, SHORT_S + 10, "the end of the list")
        authority.replace(authority.pem, authority.revoked())
        reloaded(gateway)
        assert one.ask().status == 200


def test_who_has_an_authority_between_is_judged_with_it(suite, tmp_path, token, standing):
    """It may be revoked too, and its client makes a whole handshake each time, for a ticket has no room for it."""
    authority = Authority(tmp_path / "ca")
    between = Authority(tmp_path / "between", "Between", above=authority)
    mine = between.issue("mine", between=between.pem)
    with asking(suite, authority) as gateway, standing(gateway, mine) as one:
        assert one.ask().status == 200
        tls = client(suite, mine)
        with Edge(gateway, tls=tls) as edge:
            assert edge.ask(head(bearer(token), start=WHOAMI)).status == 200
            session = edge.socket.session
        assert session is None or not session.has_ticket, "a ticket without what it takes to judge it"
        authority.replace(authority.pem, authority.revoked(), between.revoked())
        reloaded(gateway)
        assert one.ask().status == 200
        authority.replace(authority.pem, authority.revoked(between.file), between.revoked())
        reloaded(gateway, 2)
        refused(one.ask())
        with pytest.raises((ssl.SSLError, ConnectionError, Closed)):
            ask(gateway, client(suite, mine), bearer(token))


def test_a_certificate_that_runs_out_opens_nothing_on_a_connection_that_had_asked_for_nothing(suite, gateway, authority, standing):
    file = authority.issue(f"late-{os.urandom(4).hex()}", ends_s=SHORT_S)
    with standing(gateway, file) as one:
        wait_for(lambda: one.ask("/v1/me").status == 200 and x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after < now(),
                 SHORT_S + 10, "the end of the certificate")
        refused(one.ask())


def test_a_file_that_is_none_leaves_the_authorities(suite, tmp_path, token):
    authority = Authority(tmp_path / "ca")
    mine = client(suite, authority.issue("mine"))
    with asking(suite, authority) as gateway:
        authority.file.write_bytes(b"no certificate")
        wait_for(lambda: '"event":"certificates_kept"' in gateway.log_text(), 20, "the refusal of the file")
        assert ask(gateway, mine, bearer(token)).status == 200
        refused(ask(gateway, client(suite), bearer(token)))


def test_nobody_is_asked_unless_an_operation_asks(suite, gateway):
    def named(url):
        port = url.rpartition(":")[2]
        return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}"], input=b"", capture_output=True, timeout=20, check=False).stdout
    assert b"No client certificate CA names sent" in named(suite.url)
    assert b"Acceptable client certificate CA names\nCN = Clients\n" in named(gateway.url), "browsers look for one of these authorities"


STARTS = {
    "operations without authorities": {"BERTH_GATEWAY_CERTIFIED_OPERATIONS": ASKING},
    "authorities without operations": {"BERTH_GATEWAY_CLIENT_CA_FILE": "{ca}"},
    "an operation that is none": {"BERTH_GATEWAY_CLIENT_CA_FILE": "{ca}", "BERTH_GATEWAY_CERTIFIED_OPERATIONS": "whoami"},
    "a file that is not there": {"BERTH_GATEWAY_CLIENT_CA_FILE": "{ca}.gone", "BERTH_GATEWAY_CERTIFIED_OPERATIONS": ASKING},
    "a file of something else": {"BERTH_GATEWAY_CLIENT_CA_FILE": "/etc/hosts", "BERTH_GATEWAY_CERTIFIED_OPERATIONS": ASKING},
}


@pytest.mark.parametrize("settings", STARTS.values(), ids=STARTS.keys())
def test_half_a_barrier_is_no_start(suite, authority, settings):
    own = OwnGateway(suite, ready=False, **{key: value.format(ca=authority.file) for key, value in settings.items()})
    try:
        assert own.process.wait(30) != 0
        assert '"event":"certified_' in own.log_text() or '"event":"client_authorities_unreadable"' in own.log_text()
    finally:
        own.stop(quiet=True)
