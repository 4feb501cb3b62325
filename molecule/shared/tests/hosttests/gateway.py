"""One host with the gateway: its settings, its web site, its listener."""

import json
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from testinfra.host import Host

from hosttests.site import Site
from hosttests.tunnel import Tunnel

ROOT = Path(__file__).resolve().parents[4]
ROLE = ROOT / "roles/webpy_gateway"
ATTEMPT = Path(__file__).with_name("attempt.py")
LOOPBACK = "127.0.0.1"
PATIENCE = 30  # seconds that a host has to recover

To = str | Sequence[object]


class Gateway:
    """What the role was told to put on a host, and ways to see whether it is there."""

    def __init__(self, host: Host) -> None:
        """Take the expected values from the scenario's variables, and from the role's defaults what it does not set."""
        self.host = host
        self.variables: Mapping[str, Any] = host.ansible.get_variables()
        defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
        self._settings = {name: self.variables.get(name, value) for name, value in defaults.items()}
        self.name: str = self["name"]
        self.prefix: str = self["url_prefix"]
        self._tunnels: dict[tuple[str, str], Tunnel] = {}

    def __getitem__(self, setting: str) -> Any:
        """Return the effective value of the role's variable webpy_gateway_SETTING."""
        return self._settings[f"webpy_gateway_{setting}"]

    @cached_property
    def workers(self) -> int:
        """Number of worker processes."""
        return int(self.output("nproc") if self["workers"] == "auto" else self["workers"])

    @property
    def worker_units(self) -> list[str]:
        """Units of the worker processes."""
        return [f"{self.name}@{number}.service" for number in range(1, self.workers + 1)]

    @property
    def release(self) -> str:
        """Identifier of the release that is live."""
        return Path(self.output(f"readlink /opt/{self.name}/current")).name

    @cached_property
    def address(self) -> str:
        """The host's own address in the network of all hosts."""
        return address_of(self.host)

    def output(self, command: str, *arguments: str) -> str:
        """Run a command that must not fail; return what it prints."""
        return str(self.host.check_output(command, *arguments))

    def wait_for(self, condition: str) -> None:
        """Wait until a shell command succeeds; fail after PATIENCE seconds."""
        self.output("timeout %s sh -c %s", str(PATIENCE), f"until {condition}; do sleep 0.1; done")

    def wait_for_workers(self) -> None:
        """Wait until every worker is active."""
        self.wait_for(" && ".join(f"systemctl is-active --quiet {unit}" for unit in self.worker_units))

    def wait_for_site(self, status: int) -> None:
        """Wait for this answer of lighttpd: it leaves a listener that refused it alone for a second or two."""
        end = time.monotonic() + PATIENCE
        while (answer := self.site().get("_health")).status != status:
            assert time.monotonic() < end, answer
            time.sleep(0.1)

    def site(
        self, name: str = "", through: Mapping[str, Any] | None = None, at: str = LOOPBACK, port: int | None = None
    ) -> Site:
        """Return the web site as the host itself, or the host with these connection variables, sees it at an address.

        `name` and `port`: other ones than the site's own.
        """
        port = port or int(self["http_port"])
        via = through or self.variables
        key = (via["inventory_hostname"], f"{at}:{port}")
        if key not in self._tunnels:
            self._tunnels[key] = Tunnel(via, f"{at}:{port}")
        name = name or (self["server_names"] or ["localhost"])[0]
        return Site(self._tunnels[key].path, name, port, self.prefix)

    def close(self) -> None:
        """End the tunnels."""
        for tunnel in self._tunnels.values():
            tunnel.close()

    @property
    def listener(self) -> To:
        """Where lighttpd reaches the gateway."""
        return f"/run/{self.name}/http.socket" if self["bind"] == "unix" else [LOOPBACK, self["port"]]

    def attempts(self, pairs: Sequence[tuple[str, To]], on: Host | None = None, seconds: float = 0.0) -> list[Any]:
        """Ask for health past lighttpd, at `to` as the user, for every pair; return what came of it (attempt.py)."""
        request = f"GET {self.prefix}_health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        attempts = [{"user": user, "to": to, "send": request} for user, to in pairs]
        more = [str(seconds)] if seconds else []
        command = "python3 -I -c %s %s" + " %s" * len(more)
        found = (on or self.host).check_output(command, ATTEMPT.read_text(), json.dumps(attempts), *more)
        return list(json.loads(found))


def address_of(host: Host) -> str:
    """Return the address of a host in the network of all hosts."""
    return str(host.check_output("hostname -I").split()[0])


def names(of: str) -> list[str]:
    """Return the role's private list __webpy_gateway_OF."""
    return list(yaml.safe_load((ROLE / "vars/main/names.yml").read_text())[f"__webpy_gateway_{of}"])
