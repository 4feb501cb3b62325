"""Greenlets that serve one connection after the other: a warm one saves a web.py application half of its time."""

import contextlib
from collections.abc import Callable
from sys import getrefcount
from typing import Any

import gevent
from gevent import GreenletExit
from greenlet import greenlet

from webpy_gateway import log
from webpy_gateway.connection import Connection
from webpy_gateway.service import Serve, Service

# warm greenlets that are kept for the next connections; each holds some 10 KiB
MOST_PARKED = 1024

# how to serve a connection, as its first bytes tell; None where there are none
Recognize = Callable[[Connection, Service], Serve | None]


class Worker(greenlet):  # type: ignore[misc]  # greenlet has no types here
    """A greenlet that serves one connection after the other. To the application each looks like a fresh one."""

    def __init__(self, workers: "Workers") -> None:
        super().__init__(self._work, gevent.get_hub())
        self._workers = workers
        self._links: list[Callable[[greenlet], object]] = []

    def rawlink(self, callback: Callable[[greenlet], object]) -> None:
        """As gevent.Greenlet's: calls back when this greenlet ends, to all appearances: gevent.local relies on it."""
        self._links.append(callback)

    def unlink(self, callback: Callable[[greenlet], object]) -> None:
        """Takes a link back."""
        with contextlib.suppress(ValueError):
            self._links.remove(callback)

    def throw(self, *error: Any) -> object:
        """As gevent.Greenlet's: too late for one that ended; a bare greenlet would raise it in the caller."""
        return None if self.dead else super().throw(*error)

    def renew(self) -> None:
        """What the application left in this greenlet goes: to the next request it is a new one."""
        while self._links:
            self._links.pop()(self)
        self.gr_context = None

    def _work(self) -> None:
        workers = self._workers
        workers.warm_up()
        # what that linked ends with this greenlet, not with a request
        own, self._links = self._links, []
        try:
            while connection := self._next():
                try:
                    # called from here: each frame in between would cost every request that is held its memory
                    if serve := workers.recognize(connection, workers.service):
                        serve(connection, workers.service)
                except GreenletExit:
                    pass  # the server is stopping, or the application ended its own greenlet
                except BaseException as error:
                    log.exception("uncaught exception of the gateway", error, {})
                if not self._finish(connection):
                    return
                del connection
        finally:
            self._links += own
            self.renew()

    def _next(self) -> Connection | None:
        """Waits for a connection; none where somebody else wakes this greenlet, so that it has to end."""
        try:
            connection = self.parent.switch()
        except BaseException:
            connection = None
        if type(connection) is Connection:
            return connection
        self._workers.forget(self)  # whoever that was knows this greenlet from an earlier request
        return None

    def _finish(self, connection: Connection) -> bool:
        """Ends the connection; whether another one may follow."""
        # in this order: who sees the end of the connection finds its place free
        self._workers.finish(self)
        connection.close()
        self.renew()
        return self._workers.park(self)


def renew() -> None:
    """Between two requests of one connection: makes the current greenlet look new."""
    worker = gevent.getcurrent()
    if isinstance(worker, Worker):
        worker.renew()


class Workers:
    """All greenlets that serve, or wait to. `busy`: those that serve, each with its connection.

    `warm_up` is called once in each greenlet: what it leaves there (in a gevent.local) stays for all its requests.
    """

    def __init__(
        self,
        service: Service,
        recognize: Recognize,
        on_finished: Callable[[], None],
        warm_up: Callable[[], object],
    ) -> None:
        self.service = service
        self.recognize = recognize
        self.warm_up = warm_up
        self.busy: dict[Worker, Connection] = {}
        self._on_finished = on_finished
        self._parked: list[Worker] = []
        self._references = 0

    def start(self, connection: Connection) -> None:
        """Serves the connection up to where it has to wait for the first time. Call it in the hub."""
        worker = self._warm() or self._fresh()
        self.busy[worker] = connection
        worker.switch(connection)

    def finish(self, worker: Worker) -> None:
        """The worker's connection is done, but for its end."""
        del self.busy[worker]
        self._on_finished()

    def park(self, worker: Worker) -> bool:
        """Whether the worker is to wait for another connection."""
        if len(self._parked) >= MOST_PARKED:
            return False
        self._parked.append(worker)
        return True

    def forget(self, worker: Worker) -> None:
        """The worker ended while it waited."""
        with contextlib.suppress(ValueError):
            self._parked.remove(worker)

    def _fresh(self) -> Worker:
        worker = Worker(self)
        worker.switch()
        self._references = _references(worker)
        return worker

    def _warm(self) -> Worker | None:
        """A worker that nobody else knows: a Timeout that an application left running would hit another request."""
        while self._parked:
            worker = self._parked.pop()
            if _references(worker) == self._references:
                return worker
            worker.throw(GreenletExit)
        return None


def _references(worker: Worker) -> int:
    return getrefcount(worker)
