"""What a reload and a restart of lighttpd end: nothing that was begun, and nobody is refused."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator, Sequence

import pytest
import slowness
from hosttests.gateway import Gateway
from wire_cases import END, GET
from wire_replies import read, receive_all

PATIENCE = 20.0
SECONDS = 4  # of a slow request; less than a restart grants
WHOLE = [b"true", b"[true,true]"]


@pytest.fixture(scope="module", autouse=True)
def unharmed() -> None:
    """Not the same processes at the end as in other modules: it is about those that come and go."""


@pytest.fixture(autouse=True)
def alone(gateway: Gateway) -> Iterator[None]:
    """Begin and end with one process."""
    until_alone(gateway)
    yield
    until_alone(gateway)


def until_alone(gateway: Gateway) -> None:
    """Wait until those before it have finished what they began."""
    end = time.monotonic() + PATIENCE
    while len(found := processes(gateway)) != 1:
        assert time.monotonic() < end, found
        time.sleep(0.1)


def processes(gateway: Gateway) -> set[str]:
    """Return all of lighttpd's that live, those that only finish what they began, too."""
    rows = gateway.output("ps -C lighttpd -o pid=,stat=").splitlines()
    return {row.split()[0] for row in rows if "Z" not in row}


def main_process(gateway: Gateway) -> str:
    """Return the one that systemd knows."""
    return gateway.output("systemctl show --value --property=MainPID lighttpd")


@contextlib.contextmanager
def begun(gateway: Gateway) -> Iterator[Sequence[socket.socket]]:
    """Begin two slow requests, one without and one with a part of its answer."""
    site = gateway.site()
    with site.connect() as late, site.connect() as halting:
        for connection, name in ((late, b"late"), (halting, b"halting")):
            connection.sendall(GET.replace(b"mirror", b"%b?%d" % (name, SECONDS)) + END)
        assert halting.recv(1, socket.MSG_PEEK)
        yield late, halting


def reload(gateway: Gateway) -> None:
    """Reload lighttpd, and wait for the fork that finishes what was begun."""
    before, main = processes(gateway), main_process(gateway)
    gateway.output("systemctl reload lighttpd")
    end = time.monotonic() + PATIENCE
    while not processes(gateway) - before:
        assert time.monotonic() < end, before
        time.sleep(0.1)
    assert main_process(gateway) == main == gateway.output("cat /run/lighttpd.pid")


def bodies(connections: Sequence[socket.socket]) -> list[bytes]:
    """Return of all answers those that came whole."""
    replies = [read(receive_all(connection)) for connection in connections]
    return [reply.body for found in replies for reply in found if reply.complete]


@pytest.mark.parametrize("times", [1, 2])
def test_a_reload_ends_nothing_that_was_begun(gateway: Gateway, times: int) -> None:
    with begun(gateway) as connections:
        for _ in range(times):
            reload(gateway)
        assert [gateway.site().get("fast").status for _ in range(20)] == [200] * 20
        assert bodies(connections) == WHOLE


def test_a_restart_waits_for_what_was_begun(gateway: Gateway) -> None:
    main = main_process(gateway)
    with begun(gateway) as connections:
        gateway.output("systemctl restart lighttpd")
        assert bodies(connections) == WHOLE
    assert main_process(gateway) != main
    gateway.wait_for_site(200)


def test_a_restart_refuses_nobody(gateway: Gateway) -> None:
    words = gateway["http_port"], f"{gateway.prefix}fast", "systemctl", "restart", "lighttpd"
    seen = json.loads(gateway.output(slowness.python("during.py", *words)))
    assert seen["lost"] == []
    assert seen["asked"] > 100
