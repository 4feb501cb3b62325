"""Makes the attacks of the table on a host, as deployed and without protections."""

import json
from collections.abc import Callable, Set
from functools import cached_property
from typing import Any

import testinfra
from hosttests.gateway import Gateway, address_of
from testinfra.host import Host

from attacking import table

PLACE = "/usr/local/lib/attacks"

Found = dict[str, tuple[bool, str]]


class Battle:
    """One host under attack, and the other host that attacks it, too."""

    def __init__(self, host: Host) -> None:
        self.gateway = Gateway(host)
        self.bind: str = self.gateway["bind"]
        inventory = host.backend.ansible_inventory
        self.stranger = testinfra.get_host(f"ansible://stranger?ansible_inventory={inventory}")

    @cached_property
    def facts(self) -> dict[str, str]:
        """What the table leaves open; the worker's process differs from time to time."""
        gateway, site = self.gateway, f"127.0.0.1:{self.gateway['http_port']}"
        listener = gateway.listener
        return {
            "name": gateway.name,
            "port": str(gateway["port"]),
            "listener": listener if isinstance(listener, str) else ":".join(map(str, listener)),
            "request": f"GET {gateway.prefix}_health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            "api": f"{site}{gateway.prefix}",
            "mark": gateway.output("sed --quiet 's/^peer_mark = //p' /etc/%s/gateway.toml", gateway.name),
            "site": f"{site}{gateway.prefix}_health",
            "address": gateway.address,
            "address6": gateway.output("ip -6 -o address show dev eth0 scope global").split()[3].split("/")[0],
            "mallory": gateway.output("id -u mallory"),
            "router": gateway.output("ip -4 route show default").split()[2],
            "other": address_of(self.stranger),
        }

    def attack(self, group: str, removed: Set[str] = frozenset()) -> Found:
        """Make all attacks of a group; return for each whether it succeeded, and what came of it."""
        if removed:
            self._protections("remove", group, removed)
        try:
            return self._attack(group, removed)
        finally:
            if removed:
                self._protections("restore", group, removed)

    def _attack(self, group: str, removed: Set[str]) -> Found:
        if group == "look":
            self.gateway.wait_for_workers()
        worker = self.gateway.output("systemctl show --value --property MainPID %s", self.gateway.worker_units[0])
        facts = {**self.facts, "pid": worker}
        found: Found = {}
        cases = table.cases(group, self.bind)
        if removed and group in table.CONFINED:
            # each runs in a process of its own: what is gone matters to no other
            cases = [case for case in cases if removed & (case.stopped_by | case.or_by)]
        for host, origin in ((self.gateway.host, "the host"), (self.stranger, "stranger")):
            orders = [case.order(facts) for case in cases if case.origin == origin]
            if orders:
                answer = host.check_output("python3 %s %s", f"{PLACE}/attack.py", json.dumps(orders))
                found |= {id_: (succeeded, text) for id_, (succeeded, text) in json.loads(answer).items()}
        return found

    def _protections(self, verb: str, group: str, names: Set[str]) -> None:
        everything = table.protections()
        request = {
            "name": self.gateway.name,
            "workers": [] if group in table.CONFINED else self.gateway.worker_units,
            "protections": [_resolved(everything[name], self.facts) for name in sorted(names)],
        }
        self.gateway.output("python3 %s %s %s", f"{PLACE}/protections.py", verb, json.dumps(request))


def _resolved(value: Any, facts: dict[str, str]) -> Any:
    """Return the value with the host's facts in its texts."""
    if isinstance(value, dict):
        return {key: _resolved(entry, facts) for key, entry in value.items()}
    if isinstance(value, list):
        return [_resolved(entry, facts) for entry in value]
    return value.format(**facts)


Campaign = Callable[[Callable[[Battle], Any]], dict[str, Any]]
