# SPDX-License-Identifier: Apache-2.0
"""Unmodified OAuth and OpenID Connect software of others against the suite, each flow a test of its own; printed as a matrix.

A flow that a counterpart or the suite does not have is no test: the matrix says `-`, and why.
"""
import pytest

import counterpart_authlib
import counterpart_mod_auth_openidc
import counterpart_openid_client
from counterparts import FLOWS, Bench, Matrix, say

ORDER = 48
# Member of the suite's metadata that says it has the flow.
SAID_BY = {
    "device grant": "device_authorization_endpoint",
    "DPoP": "dpop_signing_alg_values_supported", "sign-out begun by the client": "end_session_endpoint", "back-channel logout": "backchannel_logout_supported"}


def reasons(counterpart, metadata):
    assert set(counterpart.CELLS) | set(counterpart.LACKS) <= set(FLOWS) and not set(counterpart.CELLS) & set(counterpart.LACKS)
    ours = {flow: "not tried" if SAID_BY.get(flow) in metadata else "the suite does not have it" for flow in FLOWS}
    return {flow: counterpart.LACKS.get(flow, ours[flow]) for flow in FLOWS if flow not in counterpart.CELLS}


@pytest.fixture(scope="module")
def matrix():
    made = Matrix()
    yield made
    say(made.text())


@pytest.fixture(scope="module")
def authlib(suite, slug, matrix, tmp_path_factory):
    yield from counterpart_of(counterpart_authlib, suite, slug, matrix, tmp_path_factory)


@pytest.fixture(scope="module")
def openid_client(suite, slug, matrix, tmp_path_factory):
    yield from counterpart_of(counterpart_openid_client, suite, slug, matrix, tmp_path_factory)


@pytest.fixture(scope="module")
def mod_auth_openidc(suite, slug, matrix, tmp_path_factory):
    yield from counterpart_of(counterpart_mod_auth_openidc, suite, slug, matrix, tmp_path_factory)


def counterpart_of(module, suite, slug, matrix, tmp_path_factory):
    peer = module.Counterpart(Bench(suite, slug), tmp_path_factory.mktemp("counterpart"))
    peer.column = matrix.column(module.NAME, module.version(), reasons(module, peer.bench.metadata))
    yield peer
    peer.close()


def cell(module, peer, flow):
    peer.column[flow] = "FAILED"
    module.CELLS[flow](peer)
    peer.column[flow] = "ok"


@pytest.mark.parametrize("flow", counterpart_authlib.CELLS)
def test_authlib(authlib, flow):
    cell(counterpart_authlib, authlib, flow)


@pytest.mark.parametrize("flow", counterpart_openid_client.CELLS)
def test_openid_client(openid_client, flow):
    cell(counterpart_openid_client, openid_client, flow)


@pytest.mark.parametrize("flow", counterpart_mod_auth_openidc.CELLS)
def test_mod_auth_openidc(mod_auth_openidc, flow):
    cell(counterpart_mod_auth_openidc, mod_auth_openidc, flow)
