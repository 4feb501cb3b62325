"""Greenlets are used again and again; nothing of one request may reach another."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gateway_kit import Gateways, Server
from gateway_wsgi import hello
from gevent import monkey
from gevent.local import local
from webpy_gateway import workers
from webpy_gateway.connection import Connection
from webpy_gateway.service import Service
from wire_cases import END
from wire_kit import ask, exchange


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Gateways(tmp_path_factory.mktemp("greenlets"))
    yield made.serve(application="wire:application")
    made.stop()


REMEMBER = b"GET /api/remember HTTP/1.1\r\nHost: a\r\n"


def test_local_data_of_a_request_ends_with_it(server: Server) -> None:
    for _ in range(5):
        found, _ = ask(server.address, REMEMBER + END).json()
        assert found == [None, None, None]


def test_local_data_of_a_request_ends_before_the_next_on_the_same_connection(server: Server) -> None:
    replies = exchange(server.address, (REMEMBER + b"\r\n") * 3 + REMEMBER + END)
    assert [reply.json()[0] for reply in replies] == [[None, None, None]] * 4


def test_a_timeout_that_is_left_running_hits_nobody(server: Server) -> None:
    sleeps = b"GET /api/sleep?s=0.2 HTTP/1.1\r\nHost: a\r\n" + END
    for _ in range(3):
        assert ask(server.address, REMEMBER.replace(b"remember", b"remember?timeout=1") + END).status == 200
        assert ask(server.address, sleeps).body == b"slept"
    # it fires while its greenlet waits for the next connection
    assert ask(server.address, REMEMBER.replace(b"remember", b"remember?timeout=1") + END).status == 200
    time.sleep(0.1)
    assert ask(server.address, sleeps).body == b"slept"
    assert "Traceback" not in server.log()


SERVICE = Service(application=hello, head_timeout=1, idle_timeout=1)


class Seen:
    """Workers whose jobs are functions, and the greenlets that did them."""

    def __init__(self, warm_up: Callable[[], object] = lambda: None) -> None:
        self.greenlets: list[int] = []
        self.finished = 0
        self.todo: list[Callable[[], object]] = []
        self.workers = workers.Workers(SERVICE, lambda *_: self._serve, self._on_finished, warm_up)

    def _serve(self, _connection: Connection, _service: Service) -> None:
        self.greenlets.append(id(gevent.getcurrent()))
        self.todo.pop(0)()

    def _on_finished(self) -> None:
        self.finished += 1

    def run(self, *todo: Callable[[], object]) -> None:
        """Does the jobs, each begun in the hub and one after the other."""
        self.todo += todo
        raw: Any = monkey.get_original("socket", "socket")
        loop = gevent.get_hub().loop
        for _ in todo:
            loop.run_callback(self.workers.start, Connection(raw(socket.AF_UNIX), 1))
        gevent.sleep(0.01)


def test_a_greenlet_is_used_again() -> None:
    seen = Seen()
    seen.run(*[lambda: None] * 3)
    assert (len(set(seen.greenlets)), seen.finished, seen.workers.busy) == (1, 3, {})


def test_a_greenlet_that_somebody_holds_is_not_used_again() -> None:
    seen = Seen()
    held: list[object] = []
    seen.run(lambda: held.append(gevent.getcurrent()), lambda: None, lambda: None)
    assert len(set(seen.greenlets[:2])) == 2
    assert len(set(seen.greenlets[1:])) == 1
    held[0].throw(ValueError)  # type: ignore[attr-defined]  # too late: it has ended, and nobody minds


@pytest.mark.parametrize("error", [ValueError("boom"), SystemExit(1), KeyboardInterrupt(), gevent.GreenletExit()])
def test_a_greenlet_outlives_errors(error: BaseException, capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise error

    seen = Seen()
    seen.run(fail, lambda: None)
    assert seen.finished == 2
    assert capfd.readouterr().err.count("Traceback") == (not isinstance(error, gevent.GreenletExit))


def test_no_more_greenlets_wait_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MOST_PARKED", 2)
    seen = Seen()
    seen.run(*[lambda: gevent.sleep(0.001)] * 5)
    assert len(set(seen.greenlets)) == 5
    gevent.sleep(0.02)
    seen.run(*[lambda: None] * 5)
    assert (seen.finished, len(seen.workers._parked)) == (10, 2)


def test_a_greenlet_that_is_ended_while_it_waits_is_forgotten() -> None:
    seen = Seen()
    held: list[Any] = []
    seen.run(lambda: held.append(gevent.getcurrent()))
    gevent.get_hub().loop.run_callback(held[0].throw, ValueError("stray"))
    gevent.sleep(0)
    assert (held[0].dead, seen.workers._parked) == (True, [])
    seen.run(lambda: None)
    assert seen.finished == 2


class Noted:
    """A value that tells when nobody has it any more."""

    def __init__(self, gone: list[str], name: str) -> None:
        self._gone, self._name = gone, name

    def __del__(self) -> None:
        self._gone.append(self._name)


def test_what_warming_up_left_ends_with_the_greenlet_and_all_else_with_the_request() -> None:
    lasting, passing, gone = local(), local(), list[str]()
    seen = Seen(lambda: setattr(lasting, "of", Noted(gone, "greenlet")))
    found: list[bool] = []

    def leave() -> None:
        found.append(hasattr(lasting, "of") and not hasattr(passing, "of"))
        passing.of = Noted(gone, "request")

    held: list[Any] = []
    seen.run(leave, leave, lambda: held.append(gevent.getcurrent()))
    assert (found, gone, len(set(seen.greenlets))) == ([True, True], ["request"] * 2, 1)
    gevent.get_hub().loop.run_callback(held[0].throw, ValueError("stray"))
    gevent.sleep(0)
    assert gone == ["request", "request", "greenlet"]
