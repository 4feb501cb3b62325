"""lighttpd in one process (bookworm) and in several (trixie): who serves, and who replaces one that dies."""

from collections.abc import Iterator

import pytest
from hosttests.gateway import Gateway
from hosttests.named import named
from lighttpd import main_process, processes, until_only_the_latest

pytestmark = pytest.mark.usefixtures("only_the_latest")
several = pytest.mark.parametrize("gateway", ["trixie"], indirect=True)


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """Return a host."""
    found = Gateway(named(request, request.param))
    yield found
    found.close()


def serving(gateway: Gateway) -> set[str]:
    """Return the workers of several."""
    return processes(gateway) - {main_process(gateway)}


def test_all_of_them_are_confined(gateway: Gateway) -> None:
    for pid in processes(gateway):
        status = dict(line.split(":\t", 1) for line in gateway.output(f"cat /proc/{pid}/status").splitlines())
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert gateway.output(f"ps -o user= -p {pid}") == "www-data"


@several
def test_each_of_several_answers(gateway: Gateway) -> None:
    for worker in serving(gateway):
        others = " ".join(serving(gateway) - {worker})
        gateway.output(f"kill -STOP {others}")
        try:
            assert [gateway.site().get("fast").status for _ in range(3)] == [200] * 3
        finally:
            gateway.output(f"kill -CONT {others}")


@several
def test_one_of_several_that_dies_is_replaced(gateway: Gateway) -> None:
    for worker in serving(gateway):
        gateway.output(f"kill -KILL {worker}")
        assert [gateway.site().get("fast").status for _ in range(20)] == [200] * 20
        until_only_the_latest(gateway)
        assert worker not in processes(gateway)
