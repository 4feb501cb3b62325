"""One host in all its moments."""

import contextlib
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hosttests.gateway import Gateway
from testinfra.host import Host

from watching.gaps import Polling, polling

TRIES = 6  # times that a sequence comes, until each of its moments was watched without a gap
SETTLED = 1.5  # seconds that are watched afterwards
BOOT = 60.0  # seconds


class Moment(NamedTuple):
    """What happens, and what may come of it."""

    command: str
    away: float | None  # seconds that users of lighttpd may be without service; None: for as long as it takes
    reboots: bool = False
    serves: bool = True  # afterwards


class Seen(NamedTuple):
    """What the askers saw in one moment."""

    output: str
    code: int
    answered: list[str]
    polled: dict[str, Polling]  # of each listener, by those without rights
    away: dict[str, float]  # seconds without service, by instance

    @property
    def whole(self) -> bool:
        """Whether it was watched without a gap, as far as the askers can."""
        return not any(polled.realtime and polled.gaps for polled in self.polled.values())


class Watch:
    """One host: lets moments come, and keeps what the askers see."""

    def __init__(self, host: Host) -> None:
        self.gateway = Gateway(host)
        self.seen: dict[str, list[Seen]] = {}  # each time that a moment came

    def live_through(self, sequences: Iterable[Mapping[str, Moment]]) -> None:
        """Let all moments come, one after the other, while the outsiders ask."""
        self.gateway.output("systemctl start poll")
        for sequence in sequences:
            for _ in range(TRIES):
                for name, moment in sequence.items():
                    self.seen.setdefault(name, []).append(self.happen(moment))
                if all(any(seen.whole for seen in self.seen[name]) for name in sequence):
                    break
        self.gateway.output("systemctl stop poll")

    def happen(self, moment: Moment) -> Seen:
        """Let one moment come, and watch until it is over."""
        begin = self.clock()
        boot = self.boot()
        done = self.gateway.host.run(moment.command)
        output = done.stdout + done.stderr
        if moment.reboots:
            self.wait_for_boot(boot)
        if moment.serves:
            self.settle()
        else:
            time.sleep(SETTLED)
            output = self.state()
        return self.observe(begin, output, done.rc, moment.reboots)

    def clock(self) -> float:
        """Return the host's wall clock."""
        return float(self.gateway.output("date +%s.%N"))

    def boot(self) -> str:
        """Return what tells one boot from another."""
        return self.gateway.output("cat /proc/sys/kernel/random/boot_id")

    def wait_for_boot(self, last: str) -> None:
        """Wait until the host is up after that boot, for good or in part."""
        end = time.monotonic() + BOOT
        while time.monotonic() < end:
            with contextlib.suppress(RuntimeError):  # nobody takes the connection
                if self.boot() != last:
                    break
            time.sleep(0.3)
        else:
            raise TimeoutError(f"{self.gateway.variables['inventory_hostname']} did not come back after a reboot")
        self.gateway.host.run("timeout 40 systemctl is-system-running --wait")

    def settle(self) -> None:
        """Wait until both instances serve again, and a little longer."""
        units = ["webpy-gateway@1", "webpy-gateway@2", "second@1", "second@2", "lighttpd", "poll"]
        self.gateway.wait_for(" && ".join(f"systemctl is-active --quiet {unit}" for unit in units))
        time.sleep(SETTLED)

    def state(self) -> str:
        """Return how the host is, its keeper, who listens on the port, and the others."""
        run = self.gateway.host.run
        host = run("systemctl is-system-running").stdout.strip()
        keeper = run("systemctl is-active webpy-gateway-firewall").stdout.strip()
        listening = self.gateway.output("ss --no-header --listening --tcp --numeric 'sport = 480'")
        second = run("systemctl is-active second@1").stdout.strip()
        site = run("systemctl is-active lighttpd").stdout.strip()
        return f"{host}; keeper {keeper}; listening {listening!r}; second {second}; lighttpd {site}"

    def observe(self, begin: float, output: str, code: int, reboots: bool) -> Seen:
        """Return what the askers have seen since then."""
        text = self.gateway.output("tail -n 60000 /var/log/poll.jsonl")
        entries = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
        entries = [entry for entry in entries if entry["t"] >= begin]
        askers: dict[str, list[Any]] = {}
        for entry in entries:
            if entry.get("who", "").startswith("nobody ") and "polls" in entry:
                askers.setdefault(entry["who"], []).append(entry)
        away = {}
        for name in ("webpy_api", "second"):
            mine = [entry for entry in entries if entry.get("client") == name]
            away[name] = without_service(mine, reboots)
        answered = [f"{entry['who']}: {entry['answered']}" for entry in entries if "answered" in entry]
        polled = {who: polling(found) for who, found in askers.items()}
        return Seen(output, code, answered, polled, away)


def without_service(entries: list[Any], reboot: bool) -> float:
    """Return the seconds from each answer that was not 200 to the next that was; lighttpd itself may be down."""
    total, bad = 0.0, 0.0
    for entry in entries:
        failed = entry["status"] != "200" and (entry["status"] == "503" or not reboot)
        if failed and not bad:
            bad = entry["t"]
        elif entry["status"] == "200" and bad:
            total, bad = total + entry["t"] - bad, 0.0
    return total + (entries[-1]["t"] - bad if bad else 0.0)
