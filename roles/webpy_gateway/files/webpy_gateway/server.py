"""Serves WSGI over HTTP/1.1 with gevent: accepts, admits, and drains. One request a connection, as lighttpd does it."""

import contextlib
import resource
import signal
import socket
from wsgiref.types import WSGIApplication

import gevent
from gevent import Timeout
from gevent.event import Event
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer

from webpy_gateway import log
from webpy_gateway.config import Config
from webpy_gateway.handler import Handler
from webpy_gateway.listener import Listener
from webpy_gateway.peer import Peers
from webpy_gateway.systemd import Notifier

# seconds for a request's head to arrive; and for a connection that is still silent when the drain begins
HEAD_TIMEOUT = 10.0
SILENT_GRACE = 0.5
# connections above max_concurrency that are accepted, so that they get their 503 instead of waiting
REFUSABLE = 256
SPARE_FDS = 256


class Server(WSGIServer):  # type: ignore[misc]  # gevent has no types
    """gevent's WSGI server with an adopted listener, a peer check and a drain that leaves the listener to others."""

    def __init__(self, listener: Listener, application: WSGIApplication, config: Config) -> None:
        # a name is set so that gevent does not ask DNS for one; the Host header of each request replaces it
        environ = {
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_SOFTWARE": "webpy_gateway",
            "wsgi.multithread": True,
            # gevent then accepts one connection at a time and leaves the next to the other processes on this listener
            "wsgi.multiprocess": True,
        }
        pool = Pool(config.max_concurrency + REFUSABLE)
        super().__init__(listener.socket, application, spawn=pool, log=None, handler_class=Handler, environ=environ)
        self._listener = listener
        self._peers = Peers(config.peer_uids)
        self._silent: set[gevent.Greenlet] = set()

    def handle(self, sock: socket.socket, address: object) -> None:
        """One connection, from the first byte to the last. A peer that is not admitted is not even read."""
        if not self._peers.admits(sock):
            return
        me = gevent.getcurrent()
        self._silent.add(me)
        timer = Timeout(HEAD_TIMEOUT)

        def on_head() -> None:
            timer.close()
            self._silent.discard(me)

        try:
            timer.start()
            Handler(sock, address, self, on_head).handle()
        except Timeout as timeout:
            if timeout is not timer:
                raise
        except OSError:
            pass  # the connection broke outside of a request: nobody to tell
        finally:
            on_head()

    def drain(self, seconds: float) -> int:
        """Stops accepting at once and waits for what runs. Returns the number of requests it had to cut off."""
        self._stop_event.set()  # else a finished connection would make gevent accept again
        self.stop_accepting()
        self._listener.close()
        impatient = gevent.spawn_later(min(SILENT_GRACE, seconds), self._drop_silent)
        self.pool.join(timeout=seconds)
        impatient.kill()
        cut_off = len(self.pool)
        self.pool.kill(timeout=1)
        return cut_off

    def _drop_silent(self) -> None:
        gevent.killall(list(self._silent), block=False)


def run(application: WSGIApplication, listener: Listener, config: Config, status: str) -> None:
    """Serves until SIGTERM or SIGINT, then drains; a second signal ends the drain."""
    _raise_fd_limit(config.max_concurrency + REFUSABLE + SPARE_FDS)
    notifier = Notifier()
    server = Server(listener, application, config)
    stop, now = Event(), Event()

    def on_signal() -> None:
        (now if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, on_signal)
    server.start()
    log.event("ready:", listen=listener, status=status)
    notifier.ready(status)
    stop.wait()
    notifier.stopping("finishing running requests")
    log.event("stopping: finishing running requests", running=len(server.pool), at_most_seconds=config.drain_timeout)
    drain = gevent.spawn(server.drain, config.drain_timeout)
    gevent.wait([drain, now], count=1)
    log.event("stopped", cut_off=drain.value if drain.ready() else len(server.pool))


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
