"""Fixtures of all scenarios; a pytest plugin."""

from collections.abc import Iterator

import pytest
from testinfra.host import Host

from hosttests.gateway import Gateway
from hosttests.site import Site

_gateways: dict[str, Gateway] = {}


@pytest.fixture(scope="module")
def gateway(host: Host) -> Gateway:
    """Return the host under test; its tunnels stay open until the end of all tests."""
    name = host.backend.get_pytest_id()
    if name not in _gateways:
        _gateways[name] = Gateway(host)
    return _gateways[name]


@pytest.fixture(scope="module")
def site(gateway: Gateway) -> Site:
    """Return the web site as a client on the host itself sees it."""
    return gateway.site()


@pytest.fixture(scope="session", autouse=True)
def _tunnels() -> Iterator[None]:
    yield
    for gateway in _gateways.values():
        gateway.close()


@pytest.fixture
def newcomer(gateway: Gateway) -> Iterator[str]:
    """Return the name of an ordinary user who was made a moment ago."""
    name = "newcomer"
    gateway.output("useradd --create-home --shell /bin/sh %s", name)
    yield name
    gateway.output("userdel --remove --force %s 2>/dev/null || ! id %s", name, name)


@pytest.fixture
def stopped(gateway: Gateway) -> Iterator[None]:
    """Stop the gateway for the time of a test; lighttpd answers again at the end of it."""
    gateway.output("systemctl stop %s", f"{gateway.name}.target")
    gateway.wait_for_site(503)  # the target is stopped a moment before the listener is gone
    yield
    gateway.output("systemctl start %s", f"{gateway.name}.target")
    gateway.wait_for_workers()
    gateway.wait_for_site(200)
