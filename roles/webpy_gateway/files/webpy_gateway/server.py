"""Admits connections, has them served by warm greenlets, and drains."""

import contextlib
import resource
import signal
from _socket import socket
from typing import Any
from wsgiref.types import WSGIApplication

import gevent
from gevent import GreenletExit
from gevent.event import Event

from webpy_gateway import garbage, log, mark, protocols, watchdog, webpy
from webpy_gateway.accepting import REFUSABLE, Acceptor
from webpy_gateway.config import Config
from webpy_gateway.connection import Connection
from webpy_gateway.listener import Listener
from webpy_gateway.peer import Peers
from webpy_gateway.service import Service
from webpy_gateway.systemd import Notifier
from webpy_gateway.workers import Workers

# seconds for a request's head to arrive; for the next request on a kept connection; and for a connection that is
# still silent when the drain begins
HEAD_TIMEOUT = 10.0
IDLE_TIMEOUT = 5.0
SILENT_GRACE = 0.5
SPARE_FDS = 256


class Server:
    """One worker process: a listener, perhaps shared with siblings, and all connections accepted from it."""

    def __init__(self, listener: Listener, service: Service, config: Config) -> None:
        self._listener = listener
        self._service = service
        self._patience = config.request_timeout
        if config.peer_mark and listener.address:
            mark.keep(listener.socket)
        self._peers = Peers(config.peer_uids, listener.address, config.peer_mark)
        self._finished = Event()
        self._workers = Workers(service, protocols.recognize, self._on_finished, webpy.warm_up)
        self._acceptor = Acceptor(listener.socket, config.max_concurrency, self._workers.busy, self._begin)

    @property
    def running(self) -> int:
        """Connections being served."""
        return len(self._workers.busy)

    def start(self) -> None:
        """Begins to accept."""
        self._acceptor.start()

    def drain(self, seconds: float) -> int:
        """Stops accepting at once and waits for what runs. Returns the number of requests it had to cut off."""
        self._service.draining = True
        self._acceptor.close()
        self._listener.close()
        impatient = gevent.spawn_later(min(SILENT_GRACE, seconds), self._end, silent_only=True)
        self._wait(seconds)
        impatient.kill()
        cut_off = self.running
        self._end(silent_only=False)
        self._wait(1)
        return cut_off

    def _begin(self, accepted: socket, address: Any) -> None:
        """A peer that is not admitted is not even read."""
        if self._peers.admits(accepted, address):
            peer = address[0] if isinstance(address, tuple) else ""  # a unix socket's has no address
            self._workers.start(Connection(accepted, self._patience, peer))
        else:
            accepted.close()

    def _on_finished(self) -> None:
        if self._service.draining:
            self._finished.set()
        else:
            self._acceptor.ended()

    def _wait(self, seconds: float) -> None:
        with gevent.Timeout(seconds, False):
            while self.running:
                self._finished.clear()
                self._finished.wait()

    def _end(self, *, silent_only: bool) -> None:
        loop = gevent.get_hub().loop
        for worker, connection in list(self._workers.busy.items()):
            if connection.silent or not silent_only:
                loop.run_callback(worker.throw, GreenletExit)


def run(application: WSGIApplication, listener: Listener, config: Config, status: str) -> None:
    """Serves until SIGTERM or SIGINT, then drains; a second signal ends the drain."""
    _raise_fd_limit(config.max_concurrency + REFUSABLE + SPARE_FDS)
    notifier = Notifier()
    service = Service(
        application=application,
        head_timeout=min(HEAD_TIMEOUT, config.request_timeout),
        idle_timeout=min(IDLE_TIMEOUT, config.request_timeout),
    )
    server = Server(listener, service, config)
    stop, now = Event(), Event()

    def on_signal() -> None:
        (now if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, on_signal)
    garbage.begin(lambda: server.running)
    server.start()
    log.event("ready:", listen=listener, status=status)
    notifier.ready(status)
    watchdog.start(notifier)
    stop.wait()
    notifier.stopping("finishing running requests")
    log.event("stopping: finishing running requests", running=server.running, at_most_seconds=config.drain_timeout)
    drain = gevent.spawn(server.drain, config.drain_timeout)
    gevent.wait([drain, now], count=1)
    log.event("stopped", cut_off=drain.value if drain.ready() else server.running)


def _raise_fd_limit(wanted: int) -> None:
    """As many descriptors as requests may be held, as far as the hard limit goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return
    reachable = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if reachable > soft:
        with contextlib.suppress(OSError):  # a sandbox may forbid it
            resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < wanted:
        log.event("max_concurrency may need more file descriptors: raise LimitNOFILE=", limit=reachable, wanted=wanted)
