"""The bytes of one connection: tried at once, and waited for, within bounds, only where the kernel says so."""

import contextlib
import time
from _socket import (
    AF_UNIX,
    IPPROTO_TCP,
    MSG_DONTWAIT,
    MSG_MORE,
    MSG_NOSIGNAL,
    SHUT_WR,
    SO_SNDBUF,
    SOL_SOCKET,
    TCP_QUICKACK,
    socket,
)
from typing import Any

import gevent
from gevent import getcurrent

from webpy_gateway.pace import Pace

READ, WRITE = 1, 2
# what nobody wanted is read and dropped so far: closing at once would reset the client before it has the answer
DISCARDED_BYTES = 1024 * 1024
DISCARDED_SECONDS = 2.0
BLOCK_BYTES = 64 * 1024
# of a narrowed connection: what the kernel holds of it at most, and the pieces in which it does (it doubles SO_SNDBUF,
# socket(7), and a unix socket takes half of that at a time, less 64 bytes)
UNREAD_BYTES = 64 * 1024
PIECE_BYTES = UNREAD_BYTES // 2 - 64
# over TCP, where the kernel has to be asked for it, twice as much takes half of the questions
UNREAD_TCP_BYTES = 2 * UNREAD_BYTES
# what a head may arrive in, used by all in turn: a block of its own, cut to size, would leave a hole in memory for each
_buffer = memoryview(bytearray(16 * 1024))
_LATE = object()


class GoneError(OSError):
    """The other side left."""


class StalledError(GoneError, TimeoutError):
    """The other side neither sent nor took anything in time."""


class Connection:
    """A stream socket of the interpreter's own kind; gevent's would wrap each call once more.

    `silent` is true while no request is being served: whoever stops the server may drop the connection then.
    """

    __slots__ = ("_ended", "_pace", "_unread", "_watchers", "patience", "peer", "silent", "socket")

    def __init__(self, sock: socket, patience: float, peer: str = "") -> None:
        self.socket = sock
        self._watchers: dict[int, Any] = {}
        self._unread = b""
        self._ended = False
        self._pace: Pace | None = None
        self.patience = patience
        self.peer = peer
        self.silent = True

    def receive(self, most: int, seconds: float | None = None) -> bytes:
        """The next bytes, at most so many; none at the end. Waits `seconds`, else `patience`. Raises GoneError."""
        if self._unread:
            data, self._unread = self._unread[:most], self._unread[most:]
            return data
        while True:
            try:
                if most > len(_buffer):
                    return self.socket.recv(most, MSG_DONTWAIT)
                return bytes(_buffer[: self.socket.recv_into(_buffer, most, MSG_DONTWAIT)])
            except BlockingIOError:
                if self.socket.family != AF_UNIX:
                    # the last small segment comes when the one before is acknowledged (RFC 896), which is otherwise
                    # put off by 40 ms (RFC 1122, section 4.2.3.2)
                    self.socket.setsockopt(IPPROTO_TCP, TCP_QUICKACK, 1)
                self._wait(READ, self.patience if seconds is None else seconds)
            except OSError as error:
                raise GoneError(*error.args) from error

    def unread(self, data: bytes) -> None:
        """Gives back what was received last: who reads next gets it."""
        self._unread = data

    def send(self, data: bytes, *, last: bool = False) -> None:
        """All of the bytes; waits at most `patience` for the other side to take some. Raises GoneError.

        The `last` ones leave together with the end of the connection, in one segment, so it is to be closed next.
        """
        rest: bytes | memoryview = data
        self._ended = last and self.socket.family != AF_UNIX
        flags = MSG_DONTWAIT | MSG_NOSIGNAL | (MSG_MORE if self._ended else 0)
        while True:
            piece = rest if self._pace is None else self._allowed(rest, self._pace)
            try:
                sent = self.socket.send(piece, flags)
            except BlockingIOError:
                self._wait(WRITE, self.patience)
                continue
            except OSError as error:
                raise GoneError(*error.args) from error
            if sent == len(rest):
                return
            rest = memoryview(rest)[sent:]

    def narrow(self) -> None:
        """Lets only so much wait for the other side from now on, as far as the kernel can tell."""
        if self.socket.family == AF_UNIX:
            self.socket.setsockopt(SOL_SOCKET, SO_SNDBUF, UNREAD_BYTES // 2)
        else:
            self._pace = Pace(self.socket, UNREAD_TCP_BYTES)

    def linger(self) -> None:
        """Says that nothing more will be sent, and drops what still arrives, within bounds."""
        end, left = time.monotonic() + DISCARDED_SECONDS, DISCARDED_BYTES
        with contextlib.suppress(OSError):
            self.socket.shutdown(SHUT_WR)
            while left > 0 and (seconds := end - time.monotonic()) > 0:
                block = self.receive(BLOCK_BYTES, seconds)
                if not block:
                    return
                left -= len(block)

    def close(self) -> None:
        """Gives the descriptor back."""
        for watcher in self._watchers.values():
            watcher.close()
        self._watchers.clear()
        if self._ended:
            # closing alone would throw the last bytes away where the client sent more than was read
            try:  # noqa: SIM105  # suppress() costs every request
                self.socket.shutdown(SHUT_WR)
            except OSError:
                pass
        self.socket.close()

    def _allowed(self, data: bytes | memoryview, pace: Pace) -> memoryview:
        if not (allowed := pace.take(len(data), self.patience)):
            raise StalledError("nothing was read in time")
        return memoryview(data)[:allowed]

    def _wait(self, event: int, seconds: float) -> None:
        hub = gevent.get_hub()
        watcher = self._watchers.get(event)
        if watcher is None:
            watcher = self._watchers[event] = hub.loop.io(self.socket.fileno(), event)
        switch = getcurrent().switch
        timer = hub.loop.timer(max(seconds, 0.0))
        watcher.start(switch)
        timer.start(switch, _LATE)
        try:
            if hub.switch() is _LATE:
                raise StalledError("nothing moved in time")
        finally:
            watcher.stop()
            timer.close()
