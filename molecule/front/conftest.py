"""What the application wrote down, and processes that must outlive whatever a test does to them."""

import time
from collections.abc import Iterator

import pytest
from hosttests.gateway import Gateway
from hosttests.named import named
from hosttests.record import Record
from lighttpd import until_only_the_latest
from testinfra.host import Host

PATIENCE = 20.0


@pytest.fixture(scope="module")
def stranger(request: pytest.FixtureRequest) -> Host:
    """Return the host of the clients."""
    return named(request, "stranger")


@pytest.fixture(scope="module")
def record(gateway: Gateway) -> Record:
    """Return what the application wrote down."""
    return Record(gateway.site())


@pytest.fixture(scope="module", autouse=True)
def unharmed(gateway: Gateway) -> Iterator[None]:
    """Expect the same processes after all tests of a module as before, and an answer from each worker."""
    before = main_processes(gateway)
    yield
    assert main_processes(gateway) == before
    silent, end = {str(number) for number in range(1, gateway.workers + 1)}, time.monotonic() + PATIENCE
    # whichever worker is faster takes a request that comes alone
    while silent and time.monotonic() < end:
        silent.discard(gateway.site().get("_health").json()["worker"])
    assert not silent


@pytest.fixture
def only_the_latest(gateway: Gateway) -> Iterator[None]:
    """Begin and end a test without processes of lighttpd that only finish what they began."""
    until_only_the_latest(gateway)
    yield
    until_only_the_latest(gateway)


def main_processes(gateway: Gateway) -> list[str]:
    """Return number and restarts of the main process of lighttpd and of every worker; all of them must run."""
    units = " ".join(["lighttpd.service", *gateway.worker_units])
    found = gateway.output(f"systemctl show --property=MainPID,NRestarts {units}").split()
    assert "MainPID=0" not in found
    return found
