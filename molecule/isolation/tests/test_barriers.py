"""What the barriers are made of, read from the running host."""

import re

import pytest
from hosttests.gateway import Gateway

MOST_EXPOSED = {"{name}@1.service": 1.2, "{name}-firewall.service": 1.5, "lighttpd.service": 1.6}

NETLINK_SOCK_DIAG = "4"  # linux/netlink.h

# what each may have at most, by its bounding set
CAPABILITIES = {
    "{name}@1.service": set[str](),
    "{name}-firewall.service": {"cap_net_admin"},
    "lighttpd.service": {"cap_net_bind_service"},
}


@pytest.mark.parametrize("unit", MOST_EXPOSED)
def test_unit_is_exposed_no_more_than_this(gateway: Gateway, unit: str) -> None:
    if gateway["bind"] == "unix" and "firewall" in unit:
        assert "firewall" not in gateway.output("systemctl list-units --all --plain --no-legend %s", f"{gateway.name}*")
        return
    report = gateway.output("systemd-analyze security --no-pager %s", unit.format(name=gateway.name))
    measured = re.search(r"Overall exposure level for \S+: ([0-9.]+)", report)
    assert measured
    assert float(measured[1]) <= MOST_EXPOSED[unit]


@pytest.mark.parametrize(("unit", "capabilities"), CAPABILITIES.items())
def test_process_cannot_gain_rights(gateway: Gateway, unit: str, capabilities: set[str]) -> None:
    """What systemd was told has reached the process: the kernel's own words (proc(5))."""
    if gateway["bind"] == "unix" and "firewall" in unit:
        return
    process = gateway.output("systemctl show --value --property MainPID %s", unit.format(name=gateway.name))
    lines = gateway.output("cat /proc/%s/status", process).splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    bounding = gateway.output("capsh --decode=%s", status["CapBnd"]).partition("=")[2]
    assert set(bounding.split(",")) - {""} == capabilities
    if "@" in unit:
        # secrets are in its memory
        assert re.search(r"^Max core file size +0 +0 ", gateway.output("cat /proc/%s/limits", process), re.MULTILINE)


def test_account_can_only_run_the_service(gateway: Gateway) -> None:
    fields = gateway.output("getent passwd %s", gateway.name).split(":")
    assert fields[5:] == ["/nonexistent", "/usr/sbin/nologin"]
    assert not gateway.host.file("/nonexistent").exists
    assert gateway.output("passwd --status %s", gateway.name).split()[1] == "L"


def test_nobody_shares_its_group(gateway: Gateway) -> None:
    assert gateway.output("id --groups --name %s", gateway.name) == gateway.name
    name, _, number, members = gateway.output("getent group %s", gateway.name).split(":")
    assert members == ""
    users = [line.split(":") for line in gateway.output("getent passwd").splitlines()]
    assert [user[0] for user in users if user[3] == number] == [name]


def test_nothing_of_it_has_an_abstract_address(gateway: Gateway) -> None:
    """Abstract unix sockets know no permissions."""
    assert [line for line in gateway.output("cat /proc/net/unix").splitlines() if f"@{gateway.name}" in line] == []


def test_secrets_are_for_root_and_the_service(gateway: Gateway) -> None:
    stored = f"/etc/{gateway.name}/secrets/token"
    assert gateway.output("stat --format '%%U %%a' %s", stored) == "root 600"
    assert gateway.output("stat --format '%%U %%a' /etc/%s/secrets", gateway.name) == "root 700"


def test_firewall_vouches_for_lighttpd(gateway: Gateway) -> None:
    """Its connections bear the firewall's mark: a worker that served some never asked the kernel (sock_diag(7))."""
    if gateway["bind"] == "unix":
        return
    gateway.output("systemctl restart %s", gateway.worker_units[0])
    gateway.wait_for_workers()
    gateway.wait_for_site(200)
    process = gateway.output("systemctl show --value --property MainPID %s", gateway.worker_units[0])
    sockets = [line.split() for line in gateway.output("cat /proc/net/netlink").splitlines()]
    assert [process, NETLINK_SOCK_DIAG] not in [[fields[2], fields[1]] for fields in sockets]
