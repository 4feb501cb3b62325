"""In no moment is an outsider answered, and the users of lighttpd hardly notice."""

import json

import pytest
import testinfra
from hosttests.gateway import Gateway
from watching.gaps import polling
from watching.watch import Moment, Seen, Watch

NEVER, SHORT = 0.0, 3.0  # seconds without service
RATE = 1000  # polls a second, at least and on average
# of the time may be gaps: a virtual machine may stand still as a whole, and askers without real-time scheduling wait
# for ordinary processes too
MOST_LATE = {True: 0.05, False: 0.25}
# of the time ordinary processes may run in gaps: where the machine stops those who are asking it looks like that
MOST_IDLE = {True: 0.01, False: 0.25}
POLL = "/usr/bin/python3 -I /usr/local/lib/poll.py"
RESTART = "systemctl restart webpy-gateway-firewall"
REINSTALL = "DEBIAN_FRONTEND=noninteractive apt-get -qq install --reinstall"
REBOOT = "systemd-run --quiet --on-active=0.2 systemctl reboot"
RULES = "/etc/nftables.conf /etc/webpy-gateway/firewall.rules"

# each ends as it began, so that it can come again
SEQUENCES = (
    {
        "flush ruleset": Moment("nft flush ruleset", NEVER),
        "start of nftables": Moment("systemctl start nftables", NEVER),
        "reload of nftables": Moment("systemctl reload nftables", NEVER),
        "restart of nftables": Moment("systemctl restart nftables", NEVER),
        "stop of nftables": Moment("systemctl stop nftables", NEVER),
    },
    {
        "ufw enable": Moment("ufw allow 22/tcp && ufw allow 80/tcp && ufw --force enable", NEVER),
        "ufw reload": Moment("ufw reload", NEVER),
        "ufw reset": Moment("ufw --force reset", NEVER),
        "ufw disable": Moment("ufw disable", NEVER),
    },
    {
        "firewalld start": Moment("systemctl start firewalld", SHORT),
        "firewalld reload": Moment("firewall-cmd --reload", SHORT),
        "firewalld stop": Moment("systemctl stop firewalld", SHORT),
    },
    {
        "docker start": Moment("systemctl start docker", SHORT),
        "docker stop": Moment("systemctl stop docker docker.socket containerd", SHORT),
    },
    {"delete of the table, refused": Moment("! nft delete table inet webpy-gateway-keeper", NEVER)},
    {"kill of the keeper": Moment("systemctl kill --signal=SIGKILL webpy-gateway-firewall", SHORT)},
    {"restart of the keeper": Moment(RESTART, SHORT)},
    {"six restarts of the keeper": Moment(f"for _ in 1 2 3 4 5 6; do {RESTART}; done", 6 * SHORT)},
    {"upgrade of nftables": Moment(f"{REINSTALL} nftables", SHORT)},
    {"upgrade of lighttpd": Moment(f"{REINSTALL} lighttpd", SHORT)},
    # the listener is there before lighttpd, and requests wait
    {"reboot": Moment(REBOOT, NEVER, reboots=True)},
    {
        "reboot with broken rules": Moment(
            f"cp {RULES} /root && printf 'no rule' | tee -a {RULES} && {REBOOT}", None, reboots=True, serves=False
        ),
        "repair of the rules": Moment(f"for file in {RULES}; do cp /root/${{file##*/}} $file; done", None),
    },
)
MOMENTS = {name: moment for sequence in SEQUENCES for name, moment in sequence.items()}


@pytest.fixture(scope="session")
def watches(request: pytest.FixtureRequest) -> dict[str, Watch]:
    """Return what was seen on every host; one after the other, for two would keep the processors from the askers."""
    inventory = request.config.option.ansible_inventory
    hosts = testinfra.get_hosts(["ansible://webpy_gateway"], ansible_inventory=inventory)
    found = {host.backend.host: Watch(host) for host in hosts}
    for watch in found.values():
        watch.live_through(SEQUENCES)
    return found


@pytest.fixture(params=MOMENTS)
def moment(request: pytest.FixtureRequest) -> str:
    """Return the name of each."""
    return str(request.param)


@pytest.fixture
def seen(watches: dict[str, Watch], moment: str) -> list[tuple[str, Seen]]:
    """Return what was seen each time that the moment came, and on which host."""
    return [(name, seen) for name, watch in watches.items() for seen in watch.seen[moment]]


def test_no_outsider_is_answered(seen: list[tuple[str, Seen]]) -> None:
    assert [(name, each.answered) for name, each in seen if each.answered] == []


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
    for watch in watches.values():
        assert all(seen.away["webpy_api"] > 0 for seen in watch.seen["kill of the keeper"])


def test_outsiders_ask_often_enough(
    seen: list[tuple[str, Seen]], moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [len(each.polled) for _, each in seen] == [2] * len(seen)
    polled = [(name, *each) for name, seen_once in seen for each in seen_once.polled.items()]
    with capsys.disabled():
        for name, who, found in polled:
            print(f"\n{moment}: {name}: {who}: {found}", end="")
    for _, _, found in polled:
        assert found.rate >= RATE
        assert found.late <= MOST_LATE[found.realtime]
        assert found.idle <= MOST_IDLE[found.realtime]


def test_outsiders_ask_every_millisecond(watches: dict[str, Watch], moment: str) -> None:
    """At least once that the moment came."""
    for watch in watches.values():
        assert any(each.whole for each in watch.seen[moment])


@pytest.mark.parametrize("moment", [name for name, moment in MOMENTS.items() if moment.away is not None])
def test_users_hardly_notice(seen: list[tuple[str, Seen]], moment: str) -> None:
    assert max(seconds for _, each in seen for seconds in each.away.values()) <= MOMENTS[moment].away


def test_it_did_happen(seen: list[tuple[str, Seen]]) -> None:
    assert [(name, each.output) for name, each in seen if each.code] == []


def test_broken_rules_close_the_listener_and_nothing_else(watches: dict[str, Watch]) -> None:
    for watch in watches.values():
        for seen in watch.seen["reboot with broken rules"]:
            state, keeper, listening, second, site = seen.output.split("; ")
            assert state in ("running", "degraded")
            assert keeper in ("keeper activating", "keeper failed")
            assert (listening, second, site) == ("listening ''", "second active", "lighttpd active")
