"""A host by its name, where a test is for that one alone."""

import pytest
import testinfra
from testinfra.host import Host


def named(request: pytest.FixtureRequest, name: str) -> Host:
    """Return the host of that name."""
    inventory = request.config.getoption("ansible_inventory")
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={inventory}")
