"""The guard of the TCP port holds when somebody tampers with it."""

import pytest
from hosttests.gateway import Gateway

LIGHTTPD_ACCEPTED = ["answered HTTP/1.1 200 OK"]
REFUSED = ["refused to connect: Connection refused"]


def everybody(gateway: Gateway, seconds: float) -> list[set[str]]:
    """Return what came of attempts by others and by lighttpd's user, repeated for so long."""
    to = gateway.listener
    others, lighttpd = gateway.attempts([("nobody", to), ("www-data", to)], seconds=seconds)
    return [set(others), set(lighttpd)]


@pytest.mark.parametrize(
    "tampering",
    [
        "nft flush ruleset",
        "nft -f /etc/nftables.conf",
        "nft delete table inet {name}-keeper",
        "nft flush chain inet {name}-keeper client",
        "systemctl restart nftables.service",
        "systemctl stop nftables.service",
    ],
)
def test_guard_survives(gateway: Gateway, tampering: str) -> None:
    gateway.host.run(tampering.format(name=gateway.name))
    assert everybody(gateway, 0.3) == [set(REFUSED), set(LIGHTTPD_ACCEPTED)]


@pytest.mark.parametrize("attempt", ["delete table", "flush table"])
def test_table_is_nobody_elses(gateway: Gateway, attempt: str) -> None:
    assert "not permitted" in gateway.host.run(f"nft {attempt} inet {gateway.name}-keeper").stderr


def test_table_outlives_its_keeper(gateway: Gateway) -> None:
    kill = f"systemctl kill --signal=SIGKILL {gateway.name}-firewall.service"
    watch = f"for _ in $(seq 40); do nft list tables | grep --count 'inet {gateway.name}'; sleep 0.02; done"
    assert "0" not in gateway.host.run(f"{kill}; {watch}").stdout.split()
    gateway.wait_for_workers()


def test_death_of_the_keeper_opens_nothing(gateway: Gateway) -> None:
    unit = f"{gateway.name}-firewall.service"
    before = gateway.output("systemctl show --value --property MainPID %s", unit)
    gateway.output("systemd-run --quiet --on-active=0.5 systemctl kill --signal=SIGKILL %s", unit)
    others, _ = everybody(gateway, 3)
    assert others == set(REFUSED)
    gateway.wait_for_workers()
    assert gateway.output("systemctl show --value --property MainPID %s", unit) != before
    assert gateway.attempts([("www-data", gateway.listener)]) == LIGHTTPD_ACCEPTED
    assert gateway.site().get("_health").status == 200
    assert gateway.output("nft list tables") == f"table inet {gateway.name}-keeper"


@pytest.mark.usefixtures("stopped")
def test_nobody_can_take_the_place_of_a_stopped_gateway(gateway: Gateway, newcomer: str) -> None:
    assert gateway.attempts([("www-data", gateway.listener)]) == REFUSED
    bind = f"import socket; socket.create_server(('127.0.0.1', {gateway['port']}))"
    tried = gateway.host.run("su %s -c %s", newcomer, f'python3 -c "{bind}"')
    assert "PermissionError" in tried.stderr


def test_tables_of_others_are_left_alone(gateway: Gateway) -> None:
    gateway.output("nft add table inet of-somebody-else")
    gateway.output("systemctl reload %s", f"{gateway.name}-firewall.service")
    assert "table inet of-somebody-else" in gateway.output("nft list tables")
    gateway.output("nft delete table inet of-somebody-else")
