"""What reloads and restarts end, of lighttpd in one process (bookworm) and in several (trixie); nobody is refused."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator, Sequence

import pytest
import slowness
from hosttests.gateway import Gateway
from lighttpd import PATIENCE, listening, main_process, processes
from wire_cases import END, GET
from wire_replies import read, receive_all

pytestmark = pytest.mark.usefixtures("only_the_latest")
SECONDS = 4  # of a slow request; less than a restart grants
HELD = 0.6  # seconds of a connection that says no more
FORGIVEN = 2.2  # after so many seconds every process of lighttpd asks again who refused it
WHOLE = [b"true", b"[true,true]"]


@pytest.fixture(scope="module", autouse=True)
def unharmed() -> None:
    """Not the same processes at the end as in other modules: it is about those that come and go."""


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
    """Reload lighttpd; at the end only the new generation takes requests."""
    before, main = processes(gateway), main_process(gateway)
    gateway.output("systemctl reload lighttpd")
    end = time.monotonic() + PATIENCE
    # the main process stays: of one, a fork finishes what was begun; of several, it starts new ones
    while not (processes(gateway) - before and listening(gateway) & before <= {main}):
        assert time.monotonic() < end, (before, processes(gateway), listening(gateway))
        time.sleep(0.1)
    assert main_process(gateway) == main == gateway.output("cat /run/lighttpd.pid")


def bodies(connections: Sequence[socket.socket]) -> list[bytes]:
    """Return of all answers those that came whole."""
    replies = [read(receive_all(connection)) for connection in connections]
    return [reply.body for found in replies for reply in found if reply.complete]


@pytest.mark.parametrize("times", [1, 2])
def test_a_reload_ends_nothing_that_was_begun(gateway: Gateway, times: int) -> None:
    # of several processes, those that finish what they began before a reload are signalled by the next one, too
    cut = times > 1 and int(gateway["lighttpd_workers"]) > 1
    with begun(gateway) as connections:
        for _ in range(times):
            reload(gateway)
        assert [gateway.site().get("fast").status for _ in range(20)] == [200] * 20
        assert bodies(connections) == ([] if cut else WHOLE)


@pytest.mark.parametrize("reloads", [0, 1])
def test_a_restart_waits_for_what_was_begun(gateway: Gateway, reloads: int) -> None:
    main = main_process(gateway)
    cut = reloads > 0 and int(gateway["lighttpd_workers"]) > 1
    with begun(gateway) as connections:
        for _ in range(reloads):
            reload(gateway)
        gateway.output("systemctl restart lighttpd")
        assert bodies(connections) == ([] if cut else WHOLE)
    assert main_process(gateway) != main
    gateway.wait_for_site(200)


def restarts(gateway: Gateway, meanwhile: str) -> list[float]:
    """Return the seconds of three restarts; each begins when HELD / 2 are over."""
    took = []
    for _ in range(3):
        began = time.monotonic()
        gateway.output(f"{meanwhile} & sleep {HELD / 2}; systemctl reset-failed lighttpd; systemctl restart lighttpd")
        took.append(time.monotonic() - began)
    gateway.wait_for_site(200)
    return took


def test_a_restart_ends_with_the_last_connection(gateway: Gateway) -> None:
    held = f"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{gateway['http_port']}; printf GET >&3; sleep {HELD}'"
    free, took = restarts(gateway, "true"), restarts(gateway, held)
    # by itself lighttpd looks whether it may end when a connection does something, and else once a second
    assert HELD <= min(took) < min(free) + HELD / 2 + 0.5, (free, took)


@pytest.mark.parametrize("units", ["lighttpd.service", "webpy-gateway@*"])
def test_a_restart_refuses_nobody(gateway: Gateway, units: str) -> None:
    words = gateway["http_port"], f"{gateway.prefix}fast", "systemctl", "try-restart", units
    seen = json.loads(gateway.output(slowness.python("during.py", *words)))
    assert seen["lost"] == []
    assert seen["asked"] > 100


def test_a_stop_is_sure_whoever_still_waits(gateway: Gateway) -> None:
    name = gateway.name
    script = f"systemctl stop {name}.target; sleep 1; systemctl is-active --quiet {name}.socket '{name}@*' && exit 1"
    script += f"; systemctl start {name}.target; sleep 1"
    words = gateway["http_port"], f"{gateway.prefix}fast", "sh", "-c", script
    seen = json.loads(gateway.output(slowness.python("during.py", *words)))
    assert seen["asked"] > len(seen["lost"]) > 0
    time.sleep(FORGIVEN)
    gateway.wait_for_site(200)
