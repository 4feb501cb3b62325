"""Services: what runs, as whom, and what starts with the host."""

import os
import re

import pytest
from hosttests.gateway import Gateway

MOST_EXPOSED = 2.0  # systemd's measure of a service without any sandbox is 9.6


def properties(gateway: Gateway, unit: str, *names: str) -> list[str]:
    """Return properties of a unit as systemd knows them."""
    return [gateway.output("systemctl show --value --property %s %s", name, unit) for name in names]


def test_host_is_well(gateway: Gateway) -> None:
    assert gateway.output("systemctl is-system-running") == "running"
    assert gateway.output("systemctl list-units --failed --plain --no-legend") == ""


@pytest.mark.parametrize("unit", ["{name}.target", "lighttpd.service"])
def test_unit_starts_with_the_host(gateway: Gateway, unit: str) -> None:
    assert properties(gateway, unit.format(name=gateway.name), "UnitFileState", "ActiveState") == ["enabled", "active"]


def test_workers_are_processes_of_their_own(gateway: Gateway) -> None:
    pids = {properties(gateway, unit, "MainPID")[0] for unit in gateway.worker_units}
    assert len(pids) == gateway.workers
    assert "0" not in pids
    users = {gateway.output("stat --format %%U /proc/%s", pid) for pid in pids}
    assert users == {gateway.name}


def test_workers_do_not_interrupt_lighttpd(gateway: Gateway) -> None:
    pids = [properties(gateway, unit, "MainPID")[0] for unit in gateway.worker_units]
    policy = "import os, sys; print(*{os.sched_getscheduler(int(pid)) for pid in sys.argv[1:]})"
    assert gateway.output("python3 -c %s" + " %s" * len(pids), policy, *pids) == str(os.SCHED_BATCH)


def test_there_are_no_other_workers(gateway: Gateway) -> None:
    listed = gateway.output("systemctl list-units --all --plain --no-legend %s", f"{gateway.name}@*")
    assert sorted(line.split()[0] for line in listed.splitlines()) == sorted(gateway.worker_units)


def test_worker_is_sandboxed(gateway: Gateway) -> None:
    report = gateway.output("systemd-analyze security --no-pager %s", gateway.worker_units[0])
    measured = re.search(r"Overall exposure level for \S+: ([0-9.]+)", report)
    assert measured
    assert float(measured[1]) <= MOST_EXPOSED


def test_systemd_understands_every_directive(gateway: Gateway) -> None:
    units = [f"{gateway.name}.target", f"{gateway.name}.socket", *gateway.worker_units[:1], "lighttpd.service"]
    report = gateway.host.run("systemd-analyze verify " + " ".join(units))
    assert [line for line in report.stderr.splitlines() if gateway.name in line] == []


def test_listener_survives_its_workers(gateway: Gateway) -> None:
    """A worker that dies is replaced, and no request is refused meanwhile."""
    unit = gateway.worker_units[0]
    before = properties(gateway, unit, "MainPID")
    gateway.output("systemctl kill --signal=SIGKILL %s", unit)
    site = gateway.site()
    assert [site.get("devices").status for _ in range(20)] == [200] * 20
    gateway.wait_for_workers()
    assert properties(gateway, unit, "MainPID") != before


def test_files_of_the_distribution_are_untouched(gateway: Gateway) -> None:
    assert gateway.host.run("dpkg --verify lighttpd nftables systemd").stdout == ""


@pytest.mark.parametrize("folder", ["/opt/{name}", "/etc/{name}"])
def test_service_can_change_neither_code_nor_configuration(gateway: Gateway, folder: str) -> None:
    writable = "find %s -xdev ! -type l ( -user %s -o -perm /022 )".replace("(", r"\(").replace(")", r"\)")
    assert gateway.output(writable, folder.format(name=gateway.name), gateway.name) == ""


def test_ordinary_user_reads_neither_application_nor_data(gateway: Gateway, newcomer: str) -> None:
    for folder in (f"/opt/{gateway.name}/current/app", f"/var/lib/{gateway.name}", f"/etc/{gateway.name}/secrets"):
        gateway.output("ls %s", folder)
        assert gateway.host.run("su %s -c %s", newcomer, f"ls {folder}").rc != 0, folder
    for file in (f"/etc/{gateway.name}/environment", f"/etc/{gateway.name}/gateway.toml"):
        gateway.output("cat %s", file)
        assert gateway.host.run("su %s -c %s", newcomer, f"cat {file}").rc != 0, file
