# SPDX-License-Identifier: Apache-2.0
import pytest

from own_gateway import NO_LIMITS, OwnGateway


@pytest.fixture(scope="module")
def gateway(suite):
    """For tables whose rows come faster than any client may ask; a file whose gateway is to be another says so itself."""
    with OwnGateway(suite, **NO_LIMITS) as own:
        yield own
