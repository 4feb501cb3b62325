"""In no moment is an outsider answered, and the users of lighttpd hardly notice."""

import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, NamedTuple

import pytest
import testinfra
from hosttests.gateway import Gateway
from testinfra.host import Host
from watching.gaps import Polling, polling

NEVER, SHORT = 0.0, 3.0  # seconds without service
RATE = 1000  # polls a second, at least and on average
# of the time may be gaps: a virtual machine may stand still as a whole, the kernel may keep all processors, and askers
# without real-time scheduling wait for ordinary processes too
MOST_LATE = {True: 0.05, False: 0.25}
# of the time ordinary processes may run in gaps: where the machine stops those who are asking it looks like that
MOST_IDLE = {True: 0.01, False: 0.25}
SETTLED = 1.5  # seconds that are watched afterwards
POLL = "/usr/bin/python3 -I /usr/local/lib/poll.py"
RESTART = "systemctl restart webpy-gateway-firewall"

# what happens, and how long the users of lighttpd may be without service
MOMENTS: dict[str, tuple[str, float]] = {
    "flush ruleset": ("nft flush ruleset", NEVER),
    "start of nftables": ("systemctl start nftables", NEVER),
    "reload of nftables": ("systemctl reload nftables", NEVER),
    "restart of nftables": ("systemctl restart nftables", NEVER),
    "stop of nftables": ("systemctl stop nftables", NEVER),
    "ufw enable": ("ufw allow 22/tcp && ufw allow 80/tcp && ufw --force enable", NEVER),
    "ufw reload": ("ufw reload", NEVER),
    "ufw reset": ("ufw --force reset", NEVER),
    "ufw disable": ("ufw disable", NEVER),
    "firewalld start": ("systemctl start firewalld", SHORT),
    "firewalld reload": ("firewall-cmd --reload", SHORT),
    "firewalld stop": ("systemctl stop firewalld", SHORT),
    "docker start": ("systemctl start docker", SHORT),
    "docker stop": ("systemctl stop docker docker.socket containerd", SHORT),
    "delete of the table, refused": ("! nft delete table inet webpy-gateway-keeper", NEVER),
    "kill of the keeper": ("systemctl kill --signal=SIGKILL webpy-gateway-firewall", SHORT),
    "restart of the keeper": (RESTART, SHORT),
    "six restarts of the keeper": (f"for _ in 1 2 3 4 5 6; do {RESTART}; done", 6 * SHORT),
    "upgrade of nftables": ("DEBIAN_FRONTEND=noninteractive apt-get -qq install --reinstall nftables", SHORT),
    "upgrade of lighttpd": ("DEBIAN_FRONTEND=noninteractive apt-get -qq install --reinstall lighttpd", SHORT),
}
RULES = "/etc/nftables.conf /etc/webpy-gateway/firewall.rules"
# two hosts in the kernel at once leave the askers no processor
ONE_AT_A_TIME = Lock()
REBOOTS = ("reboot", "reboot with broken rules", "repair of the rules")


class Seen(NamedTuple):
    """What the askers saw in one moment."""

    output: str
    code: int
    answered: list[str]
    polled: dict[str, Polling]  # of each listener, by those without rights
    away: dict[str, float]  # seconds without service, by instance


def without_service(entries: list[Any], reboot: bool) -> float:
    """Return the seconds from each answer that was not 200 to the next that was."""
    total, bad = 0.0, 0.0
    for entry in entries:
        failed = entry["status"] != "200" and (entry["status"] == "503" or not reboot)
        if failed and not bad:
            bad = entry["t"]
        elif entry["status"] == "200" and bad:
            total, bad = total + entry["t"] - bad, 0.0
    return total + (entries[-1]["t"] - bad if bad else 0.0)


class Watch:
    """One host in all moments."""

    def __init__(self, host: Host) -> None:
        self.gateway = Gateway(host)
        self.seen: dict[str, Seen] = {}

    def settle(self) -> None:
        """Wait until both instances serve again, and a little longer."""
        units = ["webpy-gateway@1", "webpy-gateway@2", "second@1", "second@2", "lighttpd", "poll"]
        self.gateway.wait_for(" && ".join(f"systemctl is-active --quiet {unit}" for unit in units))
        time.sleep(SETTLED)

    def clock(self) -> float:
        """Return the host's wall clock."""
        return float(self.gateway.output("date +%s.%N"))

    def observe(self, begin: float, output: str, code: int, reboot: bool = False) -> Seen:
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
            away[name] = without_service(mine, reboot)
        answered = [f"{entry['who']}: {entry['answered']}" for entry in entries if "answered" in entry]
        polled = {who: polling(found) for who, found in askers.items()}
        return Seen(output, code, answered, polled, away)

    def live_through(self) -> None:
        """Let all moments come, one after the other."""
        for moment, (command, _) in MOMENTS.items():
            begin = self.clock()
            with ONE_AT_A_TIME:
                done = self.gateway.host.run(command)
            self.settle()
            self.seen[moment] = self.observe(begin, done.stdout + done.stderr, done.rc)
        self.reboot("reboot", "")
        broken = f"printf 'no rule at all' | tee -a {RULES}"
        self.reboot(
            "reboot with broken rules",
            f"cp {RULES} /root; {broken}",
        )
        begin = self.clock()
        self.gateway.output(f"for file in {RULES}; do cp /root/${{file##*/}} $file; done")
        self.settle()
        self.seen["repair of the rules"] = self.observe(begin, "", 0)

    def reboot(self, moment: str, before: str) -> None:
        """Reboot the host; wait until it is up, for good or in part."""
        gateway = self.gateway
        boot = gateway.output("cat /proc/sys/kernel/random/boot_id")
        begin = self.clock()
        gateway.output("sh -c %s", before or "true")
        gateway.host.run("systemd-run --quiet --on-active=0.2 systemctl reboot")
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(RuntimeError):  # nobody takes the connection
                if gateway.output("cat /proc/sys/kernel/random/boot_id") != boot:
                    break
            time.sleep(0.3)
        state = gateway.host.run("timeout 40 systemctl is-system-running --wait").stdout.strip()
        if before:
            time.sleep(SETTLED)
            keeper = gateway.host.run("systemctl is-active webpy-gateway-firewall").stdout.strip()
            listening = gateway.output("ss --no-header --listening --tcp --numeric 'sport = 480'")
            second = gateway.output("systemctl is-active second@1").strip()
            site = gateway.host.run("systemctl is-active lighttpd").stdout.strip()
            state = f"{state}; keeper {keeper}; listening {listening!r}; second {second}; lighttpd {site}"
        else:
            self.settle()
        self.seen[moment] = self.observe(begin, state, 0, reboot=True)


@pytest.fixture(scope="session")
def watches(request: pytest.FixtureRequest) -> dict[str, Watch]:
    """Return what was seen on every host; all hosts live through their moments at once."""
    inventory = request.config.option.ansible_inventory
    hosts = testinfra.get_hosts(["ansible://webpy_gateway"], ansible_inventory=inventory)
    found = {host.backend.host: Watch(host) for host in hosts}
    with ThreadPoolExecutor(len(found)) as threads:
        list(threads.map(Watch.live_through, found.values()))
    return found


@pytest.mark.parametrize("moment", [*MOMENTS, *REBOOTS])
def test_no_outsider_is_answered(watches: dict[str, Watch], moment: str) -> None:
    answered = {name: watch.seen[moment].answered for name, watch in watches.items()}
    assert not any(answered.values()), answered


def test_an_answer_would_be_seen(gateway: Gateway) -> None:
    """The same askers as lighttpd's user, who is answered."""
    gateway.output("sh -c %s", f"timeout 2 {POLL} /run/answers www-data; test $? = 124")
    entries = [json.loads(line) for line in gateway.output("cat /run/answers").splitlines() if line.endswith("}")]
    assert len({entry["who"] for entry in entries if "200" in entry.get("answered", "")}) == 2


def test_a_gap_is_one_of_all_askers() -> None:
    one = {"asker": 0, "polls": 1000, "late": [[1.0, 1.01, 1.2, 1.3], [1.5, 1.5, 1.6, 1.6]]}
    other = {"asker": 1, "polls": 500, "late": [[0.9, 0.9, 1.1, 1.1], [1.2, 1.22, 1.22, 1.4], [1.6, 1.7, 1.7, 1.7]]}
    polled = polling([entry | {"askers": 2, "realtime": True} for entry in (one, other)])
    assert polled[:3] == (True, 1.0, 1500)
    assert [(gap.long, gap.still, gap.idle) for gap in polled.gaps] == [
        pytest.approx((0.1, 0.09, 0.01)),
        pytest.approx((0.1, 0, 0.02)),
    ]
    assert (polled.late, polled.idle) == pytest.approx((0.2, 0.03))


def test_an_absence_would_be_seen(watches: dict[str, Watch]) -> None:
    assert all(watch.seen["kill of the keeper"].away["webpy_api"] > 0 for watch in watches.values())


@pytest.mark.parametrize("moment", [*MOMENTS, *REBOOTS])
def test_outsiders_ask_often_enough(watches: dict[str, Watch], moment: str, capsys: pytest.CaptureFixture[str]) -> None:
    polled = [(name, *each) for name, watch in watches.items() for each in watch.seen[moment].polled.items()]
    with capsys.disabled():
        for name, who, found in polled:
            print(f"\n{moment}: {name}: {who}: {found}", end="")
    for _, _, found in polled:
        assert found.rate >= RATE
        assert found.late <= MOST_LATE[found.realtime]
        assert found.idle <= MOST_IDLE[found.realtime]


@pytest.mark.parametrize("moment", MOMENTS)
def test_users_hardly_notice(watches: dict[str, Watch], moment: str) -> None:
    limit = MOMENTS[moment][1]
    away = {name: watch.seen[moment].away for name, watch in watches.items()}
    assert max(seconds for found in away.values() for seconds in found.values()) <= limit, away


@pytest.mark.parametrize("moment", MOMENTS)
def test_it_did_happen(watches: dict[str, Watch], moment: str) -> None:
    failed = {name: watch.seen[moment].output for name, watch in watches.items() if watch.seen[moment].code}
    assert failed == {}


def test_users_hardly_notice_a_reboot(watches: dict[str, Watch]) -> None:
    """Once lighttpd is there again: the listener is there first, and requests wait."""
    away = {name: watch.seen["reboot"].away for name, watch in watches.items()}
    assert max(seconds for found in away.values() for seconds in found.values()) == NEVER, away


def test_broken_rules_close_the_listener_and_nothing_else(watches: dict[str, Watch]) -> None:
    for watch in watches.values():
        state, keeper, listening, second, site = watch.seen["reboot with broken rules"].output.split("; ")
        assert state in ("running", "degraded")
        assert keeper in ("keeper activating", "keeper failed")
        assert (listening, second, site) == ("listening ''", "second active", "lighttpd active")
