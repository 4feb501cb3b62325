"""Thousands of slow clients: they wait at lighttpd, and nobody waits for them."""

import csv
from collections.abc import Iterator

import pytest
import slowness
from hosttests.gateway import Gateway
from hosttests.named import named
from testinfra.host import Host

SLOW = 6000  # of the three kinds together
ROUNDS = 3
SECONDS = 2.5  # of ordinary requests a round, quiet and not
MOST = 0.1  # seconds of p99: a slow client that occupied a worker would keep others waiting for seconds
MODES = {
    "headers": "-H -i 3",
    "bodies": "-B -i 3 -s 100000",
    "range": "-R -b 500",
    "read": "-X -w 512 -y 1024 -n 3 -z 64",
}


@pytest.fixture(scope="module")
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """Return the one host that has room for them."""
    found = Gateway(named(request, "bookworm"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def neighbour(request: pytest.FixtureRequest) -> Host:
    """Return the host of ordinary clients: their system has no slow connections to look after."""
    return named(request, "trixie")


def test_ordinary_requests_are_as_fast_as_ever(
    gateway: Gateway, stranger: Host, neighbour: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet, slow = [], []
    web, own = int(gateway["http_port"]), int(gateway["port"])
    to, path = (gateway.address, web), f"{gateway.prefix}fast"
    for _ in range(ROUNDS):
        with slowness.explained(gateway.output, web, own):
            quiet.append(slowness.p99(neighbour.check_output, to, path, SECONDS))
        with slowness.slow_clients(stranger.check_output, to, SLOW):
            slowness.settle(gateway.output, web, own, SLOW)
            with slowness.explained(gateway.output, web, own):
                slow.append(slowness.p99(neighbour.check_output, to, path, SECONDS))
            assert int(gateway.output(slowness.established(web))) >= SLOW
            assert [gateway.output(slowness.established(own)) for _ in range(10)] == ["0"] * 10
    figures = [
        f"{what} {' '.join(f'{1000 * one:.1f}' for one in many)}" for what, many in (("quiet", quiet), ("slow", slow))
    ]
    with capsys.disabled():
        print(f"\np99 in ms with {SLOW} slow clients: {'; '.join(figures)}")
    # the ratio is for benchmarks/slow to tell on a quiet machine: what else a machine does may double either
    assert min(slow) <= MOST


@pytest.mark.parametrize("mode", MODES)
def test_slowhttptest_finds_the_service_available(gateway: Gateway, stranger: Host, mode: str) -> None:
    target = f"http://{gateway.address}:{gateway['http_port']}{gateway.prefix}{'large' if mode == 'read' else 'fast'}"
    words = f"-c 1000 -r 500 -l 10 -p 3 -g {MODES[mode]} -u {target} -o /run/{mode}"
    stranger.check_output(f"ulimit -n 20000; slowhttptest {words} >/run/{mode}.log 2>&1")
    record = stranger.check_output(f"cat /run/{mode}.csv")
    rows = list(csv.DictReader(record.splitlines()))
    assert len(rows) > 2
    assert {row["Service Available"] for row in rows} == {"1000"}, record
