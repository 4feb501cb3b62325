"""The gateway's own listener: for lighttpd, and for nobody else."""

import pytest
from hosttests.gateway import Gateway, To

REFUSED = {
    "tcp": dict.fromkeys(("root", "nobody", "service", "newcomer"), "refused to connect: Connection refused"),
    "unix": dict.fromkeys(("nobody", "service", "newcomer"), "refused to connect: Permission denied")
    | {"root": "refused when connected: "},  # the gateway hangs up; how that looks depends on who is faster
}


def ways(gateway: Gateway) -> list[To]:
    """Return every way to write the listener's address."""
    if gateway["bind"] == "unix":
        return [gateway.listener, f"/proc/1/root{gateway.listener}"]
    addresses = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.0.0.2", "0.0.0.0", gateway.address]
    return [[address, gateway["port"]] for address in addresses]


@pytest.mark.parametrize("who", ["root", "nobody", "service", "newcomer"])
def test_others_are_refused(gateway: Gateway, newcomer: str, who: str) -> None:
    user = {"service": gateway.name, "newcomer": newcomer}.get(who, who)
    reachable = ways(gateway)[: 1 if gateway["bind"] == "unix" and who != "root" else None]
    found = gateway.attempts([(user, to) for to in reachable])
    assert [outcome for outcome in found if not outcome.startswith(REFUSED[gateway["bind"]][who])] == []


def test_lighttpd_is_accepted(gateway: Gateway) -> None:
    assert gateway.attempts([("www-data", gateway.listener)]) == ["answered HTTP/1.1 200 OK"]


def test_nothing_of_the_service_listens_elsewhere(gateway: Gateway) -> None:
    """Whatever the service or systemd hold open for it is the one listener."""
    held = gateway.output("ss --no-header --listening --tcp --udp --processes --numeric")
    mine = [line.split()[4] for line in held.splitlines() if "python" in line or f":{gateway['port']} " in line]
    assert mine == ([] if gateway["bind"] == "unix" else [f"127.0.0.1%lo:{gateway['port']}"])
