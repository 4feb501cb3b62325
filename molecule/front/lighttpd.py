"""Processes of lighttpd on a host: one, or several below a parent that serves nobody."""

import re
import time

from hosttests.gateway import Gateway

PATIENCE = 20.0


def processes(gateway: Gateway) -> set[str]:
    """Return all that live, those that only finish what they began, too."""
    rows = gateway.output("ps -C lighttpd -o pid=,stat=").splitlines()
    return {row.split()[0] for row in rows if "Z" not in row}


def main_process(gateway: Gateway) -> str:
    """Return the one that systemd knows."""
    return gateway.output("systemctl show --value --property=MainPID lighttpd")


def listening(gateway: Gateway) -> set[str]:
    """Return those of the latest generation: the others have given up the port."""
    return set(re.findall(r'"lighttpd",pid=(\d+)', gateway.output(f"ss -Hltnp sport = {gateway['http_port']}")))


def until_only_the_latest(gateway: Gateway) -> None:
    """Wait until there are as many as the variable asks for: those before have finished what they began."""
    number = int(gateway["lighttpd_workers"])
    wanted, end = number + (number > 1), time.monotonic() + PATIENCE
    while len(found := processes(gateway)) != wanted:
        assert time.monotonic() < end, found
        time.sleep(0.1)
