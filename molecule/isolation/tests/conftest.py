"""The hosts under attack, all of them at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import testinfra
from attacking.battle import Battle
from testinfra.host import Host

Everywhere = Callable[[Callable[[Battle], object]], dict[str, object]]
_battles: dict[str, Battle] = {}


@pytest.fixture(scope="session")
def battles(request: pytest.FixtureRequest) -> dict[str, Battle]:
    """Return every host under attack, by name."""
    inventory = request.config.option.ansible_inventory
    hosts = testinfra.get_hosts(["ansible://webpy_gateway"], ansible_inventory=inventory)
    return {host.backend.host: Battle(host) for host in hosts}
