"""The hosts under attack, all of them at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import testinfra
from attacking.battle import Battle, Campaign


@pytest.fixture(scope="session")
def everywhere(request: pytest.FixtureRequest) -> Iterator[Campaign]:
    """Return a function that does something on every host under attack, and returns what came of it by host."""
    inventory = request.config.option.ansible_inventory
    hosts = testinfra.get_hosts(["ansible://webpy_gateway"], ansible_inventory=inventory)
    battles = {host.backend.host: Battle(host) for host in hosts}

    def do(what: Callable[[Battle], Any]) -> dict[str, Any]:
        with ThreadPoolExecutor(len(battles)) as threads:
            return dict(zip(battles, threads.map(what, battles.values()), strict=True))

    yield do
    for battle in battles.values():
        battle.gateway.close()
