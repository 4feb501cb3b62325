"""The web site as seen from the host itself, and from another one."""

import pytest
import testinfra
from hosttests.gateway import Gateway
from hosttests.site import Site


@pytest.fixture(scope="module", params=["itself", "stranger"])
def site(request: pytest.FixtureRequest, gateway: Gateway) -> Site:
    """Replace the site of all scenarios: the same tests have to pass from both."""
    if request.param == "itself":
        return gateway.site()
    inventory = gateway.host.backend.ansible_inventory
    stranger = testinfra.get_host(f"ansible://stranger?ansible_inventory={inventory}")
    return gateway.site(through=stranger.ansible.get_variables(), at=gateway.address)
