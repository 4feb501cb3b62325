"""Takes connections from a listener that siblings share: as many as there is room for, and never in a busy loop."""

from _socket import socket
from collections.abc import Callable, Sized
from typing import Any

import gevent

from webpy_gateway import log
from webpy_gateway.connection import READ
from webpy_gateway.room import Room

# connections above the limit that are taken where no sibling has room, so that they get their 503 instead of waiting
REFUSABLE = 256
# connections that are taken in a row; each runs until it waits, so none is taken that a sibling could serve sooner
BATCH = 16
# seconds until a full worker looks again whether those that wait are left to it
COURTESY_PAUSE = 0.01
# seconds without accepting when it failed, most likely for want of descriptors
EXHAUSTED_PAUSE = 0.2


class Acceptor:
    """Calls `begin` with each new connection and its peer's address, as accept(2) gives them, in the hub.

    `running` are the connections that are being served.  With `most` of them this worker is full: it leaves further
    ones to siblings that have room, and takes them, within bounds, only where none has.
    """

    def __init__(self, listener: Any, most: int, running: Sized, begin: Callable[[socket, Any], None]) -> None:
        self._most = most
        self._running = running
        self._begin = begin
        self._exhausted = log.Limited()
        # the same descriptor without gevent's methods, which may not wait in the hub
        self._socket = socket(listener.family, listener.type, listener.proto, fileno=listener.fileno())
        self._room = Room(self._socket.fileno())
        self._watcher = gevent.get_hub().loop.io(self._socket.fileno(), READ)
        self._pause: Any = None
        self._closed = False

    def start(self) -> None:
        """Begins to accept, or goes on."""
        if self._pause is not None:
            self._pause.close()
            self._pause = None
        self._room.say(not self._full())
        self._watcher.start(self._on_waiting)

    def ended(self) -> None:
        """A connection has ended."""
        if self._closed:
            return
        self._room.say(not self._full())
        if not self._watcher.active and self._pause is None:
            self.start()

    def close(self) -> None:
        """Stops accepting at once; the descriptor stays open, since it is the listener's."""
        self._closed = True
        self._room.say(False)
        self._watcher.close()
        if self._pause is not None:
            self._pause.close()
        self._socket.detach()

    def _full(self) -> bool:
        return len(self._running) >= self._most

    def _on_waiting(self) -> None:
        own = self._socket
        for _ in range(BATCH):
            if self._full() and not self._may_refuse():
                return
            try:
                descriptor, address = own._accept()  # type: ignore[attr-defined]  # of socket.accept
            except (BlockingIOError, InterruptedError):
                return  # a sibling was faster
            except ConnectionAbortedError:
                continue  # the client left while it waited
            except OSError as error:
                self._exhausted.event("cannot accept: trying again soon", error=error)
                # those that wait stay readable, so without a pause this would be a busy loop
                self._rest(EXHAUSTED_PAUSE)
                return
            self._begin(socket(own.family, own.type, own.proto, fileno=descriptor), address)
            self._room.say(not self._full())

    def _may_refuse(self) -> bool:
        """Whether the next connection is this full worker's; if not, something else wakes it."""
        if len(self._running) >= self._most + REFUSABLE:
            self._watcher.stop()  # until a connection has ended
            return False
        if self._room.elsewhere():
            self._rest(COURTESY_PAUSE)
            return False
        return True

    def _rest(self, seconds: float) -> None:
        self._watcher.stop()
        self._pause = gevent.get_hub().loop.timer(seconds)
        self._pause.start(self.start)
