"""Thousands of slow clients: they wait at lighttpd, and nobody waits for them."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

import pytest
from hosttests.gateway import Gateway
from hosttests.named import named
from testinfra.host import Host

FILES = Path(__file__).parents[1] / "files"
EACH = 2000  # of the three kinds
ROUNDS = 3
SECONDS = 2.5  # of ordinary requests a round, quiet and not
MOST = 0.1  # seconds of p99: a slow client that occupied a worker would keep others waiting for seconds
UNIT = "slow-clients"
REPORT = f"/run/{UNIT}.json"
READY = 30  # seconds
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


@contextmanager
def slow_clients(stranger: Host, gateway: Gateway) -> Iterator[None]:
    """Hold all slow connections; at the end all must still be open."""
    script = (FILES / "slow.py").read_text()
    run = f"systemd-run --quiet --collect --unit={UNIT} --property=LimitNOFILE=20000 python3 -I -c %s %s %s %s %s"
    stranger.check_output(f"rm -f {REPORT}")
    stranger.check_output(run, script, gateway.address, str(gateway["http_port"]), str(EACH), REPORT)
    try:
        stranger.check_output(f"timeout {READY} sh -c 'until [ -e {REPORT} ]; do sleep 0.1; done'")
        yield
    finally:
        stranger.check_output(f"systemctl stop {UNIT}")
    assert json.loads(stranger.check_output(f"cat {REPORT}")) == {"held": 3 * EACH, "lost": 0}


def p99(neighbour: Host, gateway: Gateway) -> float:
    """Return the seconds that 99 % of ordinary requests stay below."""
    script = (FILES / "ordinary.py").read_text()
    to = gateway.address, str(gateway["http_port"]), f"{gateway.prefix}fast", str(SECONDS)
    took = json.loads(neighbour.check_output("python3 -I -c %s %s %s %s %s", script, *to))
    return quantiles(took, n=100)[98]


def established(port: int) -> str:
    """Return a command that counts the connections to a port of the host."""
    return f"ss -Htn state established '( sport = :{port} )' | wc -l"


def test_ordinary_requests_are_as_fast_as_ever(
    gateway: Gateway, stranger: Host, neighbour: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet, slow = [], []
    for _ in range(ROUNDS):
        quiet.append(p99(neighbour, gateway))
        with slow_clients(stranger, gateway):
            # all have arrived, and what the workers had to say is with lighttpd
            gateway.wait_for(f"[ $({established(gateway['http_port'])}) -ge {3 * EACH} ]")
            gateway.wait_for(f"[ $({established(gateway['port'])}) = 0 ]")
            slow.append(p99(neighbour, gateway))
            assert int(gateway.output(established(gateway["http_port"]))) >= 3 * EACH
            assert [gateway.output(established(gateway["port"])) for _ in range(10)] == ["0"] * 10
    figures = [
        f"{what} {' '.join(f'{1000 * one:.1f}' for one in many)}" for what, many in (("quiet", quiet), ("slow", slow))
    ]
    with capsys.disabled():
        print(f"\np99 in ms with {3 * EACH} slow clients: {'; '.join(figures)}")
    # the ratio is for quiet machines to tell: what else a machine does may double either
    assert min(slow) <= MOST


def test_slowhttptest_finds_the_service_available(gateway: Gateway, stranger: Host) -> None:
    url = f"http://{gateway.address}:{gateway['http_port']}{gateway.prefix}"
    common = "slowhttptest -c 1000 -r 500 -l 10 -p 3 -g"
    targets = {mode: url + ("large" if mode == "read" else "fast") for mode in MODES}
    runs = [f"{common} {MODES[mode]} -u {targets[mode]} -o /run/{mode} >/run/{mode}.log 2>&1 &" for mode in MODES]
    stranger.check_output(" ".join(["ulimit -n 20000;", *runs, "wait"]))
    for mode in MODES:
        rows = list(csv.DictReader(stranger.check_output(f"cat /run/{mode}.csv").splitlines()))
        assert len(rows) > 2, mode
        assert {row["Service Available"] for row in rows} == {"1000"}, mode
