"""Limits: all follow from webpy_gateway_max_concurrency, and are in force in what runs."""

import math
import re

import pytest
from hosttests.gateway import Gateway

KERNEL_BACKLOG = 4096


@pytest.fixture
def concurrency(gateway: Gateway) -> int:
    return int(gateway["max_concurrency"])


def open_files(gateway: Gateway, unit: str) -> tuple[int, int]:
    """Return how many files the main process of a unit may open, and how far it may raise that itself."""
    pid = gateway.output("systemctl show --value --property MainPID %s", unit)
    line = re.search(r"Max open files +(\d+) +(\d+)", gateway.output("cat %s", f"/proc/{pid}/limits"))
    assert line
    return int(line[1]), int(line[2])


def machine_files(gateway: Gateway) -> int:
    """Return what the machine allows at all: a container may have less than its services ask for."""
    line = re.search(r"Max open files +\d+ +(\d+)", gateway.output("cat /proc/1/limits"))
    assert line
    return int(line[1])


def test_lighttpd_may_open_two_files_a_request(gateway: Gateway, concurrency: int) -> None:
    soft, _ = open_files(gateway, "lighttpd.service")
    assert soft == min(65535, machine_files(gateway))
    configuration = gateway.output("lighttpd -p -f /etc/lighttpd/lighttpd.conf")
    # all that it can have, whatever the instance: where several name a number, the last one wins
    (connections,) = map(int, re.findall(r"server\.max-connections\s*= (\d+)", configuration))
    assert min(concurrency + 1000, soft // 2 - 256) <= connections <= soft // 2


def test_workers_may_open_two_files_a_request(gateway: Gateway, concurrency: int) -> None:
    wanted = math.ceil(concurrency / gateway.workers) * 2 + 512
    for unit in gateway.worker_units:
        assert gateway.output("systemctl show --value --property LimitNOFILE %s", unit) == str(wanted)
        assert open_files(gateway, unit)[0] == min(wanted, machine_files(gateway))


def test_everything_lighttpd_has_may_wait_at_the_gateway(gateway: Gateway, concurrency: int) -> None:
    # a larger number of before stays until the next boot
    allowed = int(gateway.output("cat /proc/sys/net/core/somaxconn"))
    assert allowed >= max(concurrency + 1000, KERNEL_BACKLOG)
    sockets = gateway.output("ss --no-header --listening --numeric --tcp --unix").splitlines()
    address = f"/run/{gateway.name}/http.socket" if gateway["bind"] == "unix" else f"127.0.0.1%lo:{gateway['port']}"
    assert [int(words[3]) for words in map(str.split, sockets) if words[4] == address] == [allowed]


def test_as_many_clients_may_wait_at_lighttpd(gateway: Gateway, concurrency: int) -> None:
    wanted = max(concurrency + 1000, KERNEL_BACKLOG)
    sockets = gateway.output("ss --no-header --listening --numeric --tcp").splitlines()
    queues = {int(words[2]) for words in map(str.split, sockets) if words[3].endswith(f":{gateway['http_port']}")}
    # a larger number of before stays here, too
    assert min(queues) >= wanted
