"""Another host: it reaches the web server and nothing else, and cannot pass for somebody else."""

from collections.abc import Iterator

import pytest
import testinfra
from hosttests.gateway import Gateway, address_of
from hosttests.site import Header
from testinfra.host import Host

FORGED = "203.0.113.66"
REDIRECTED = 8480


@pytest.fixture(scope="module")
def stranger(host: Host) -> Host:
    """Return the other host."""
    backend = host.backend
    return testinfra.get_host(f"ansible://stranger?ansible_inventory={backend.ansible_inventory}")


@pytest.mark.parametrize(
    "claim",
    [
        [],
        [("X-Forwarded-For", FORGED)],
        [("x-forwarded-for", "127.0.0.1"), ("X-FORWARDED-FOR", FORGED)],
        [("X-Forwarded-For", FORGED), ("Connection", "X-Forwarded-For")],
        [("Forwarded", f"for={FORGED}")],
        [("X-Real-IP", FORGED)],
    ],
    ids=lambda claim: "+".join(name for name, _ in claim) or "none",
)
def test_its_real_address_is_seen(gateway: Gateway, stranger: Host, claim: list[Header]) -> None:
    site = gateway.site(through=stranger.ansible.get_variables(), at=gateway.address)
    got = site.get("echo", *claim).json()
    assert got["client"] == address_of(stranger)
    assert FORGED not in str(got)


def test_host_that_it_names_is_seen(gateway: Gateway, stranger: Host) -> None:
    variables = stranger.ansible.get_variables()
    site = gateway.site("portal.example.org", variables, gateway.address)
    assert site.get("echo", ("X-Forwarded-Host", "forged.example")).json()["host"] == "portal.example.org"


@pytest.fixture
def redirection(gateway: Gateway) -> Iterator[int]:
    """Let the host pass a port of its own address on to the gateway's, as a careless administrator would."""
    port = gateway["port"]
    chain = f"type nat hook prerouting priority -100; tcp dport {REDIRECTED} dnat to 127.0.0.1:{port};"
    gateway.output("sysctl -w net.ipv4.conf.all.route_localnet=1")
    gateway.output("nft %s", f"table ip careless {{ chain careless {{ {chain} }}; }}")
    yield REDIRECTED
    gateway.output("nft delete table ip careless")
    gateway.output("sysctl -w net.ipv4.conf.all.route_localnet=0")


def test_it_does_not_reach_the_gateway(gateway: Gateway, stranger: Host, redirection: int) -> None:
    ports = gateway["port"], redirection
    found = gateway.attempts([("root", [gateway.address, port]) for port in ports], on=stranger)
    assert found == ["refused to connect: Connection refused"] * 2
    listeners = gateway.output("ss --no-header --listening --tcp --numeric 'sport = %s'", str(gateway["port"]))
    assert "127.0.0.1%lo:" in listeners
