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
from collections.abc import Callable, Sequence
from typing import Any

import gevent
from gevent import getcurrent

READ, WRITE = 1, 2
# what nobody wanted is read and dropped so far: closing at once would reset the client before it has the answer
DISCARDED_BYTES = 1024 * 1024
DISCARDED_SECONDS = 2.0
BLOCK_BYTES = 64 * 1024
# of a narrowed connection: what the kernel holds of it at most, and the pieces in which it does (it doubles SO_SNDBUF,
# socket(7), and a unix socket takes half of that at a time, less 64 bytes)
UNREAD_BYTES = 64 * 1024
PIECE_BYTES = UNREAD_BYTES // 2 - 64
# of an answer, in one call: more would not be taken at once, and be offered again
PARTS_AT_ONCE = 6
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

    __slots__ = ("_ended", "_unread", "_watchers", "patience", "peer", "silent", "socket")

    def __init__(self, sock: socket, patience: float, peer: str = "") -> None:
        self.socket = sock
        self._watchers: dict[int, Any] = {}
        self._unread = b""
        self._ended = False
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
        while (sent := self._when_taken(self.socket.send, rest, flags)) < len(rest):
            rest = memoryview(rest)[sent:]
            self._wait(WRITE, self.patience)  # it took what it has room for: it would hardly take more at once

    def send_parts(self, parts: Sequence[bytes | memoryview]) -> None:
        """All of the bytes of all parts, which are not copied together first; else as `send`."""
        at, begun = 0, 0
        while at < len(parts):
            some = [memoryview(parts[at])[begun:], *parts[at + 1 : at + PARTS_AT_ONCE]]
            sent = self._when_taken(self.socket.sendmsg, some, (), MSG_DONTWAIT | MSG_NOSIGNAL)
            if sent < sum(map(len, some)):
                self._wait(WRITE, self.patience)  # as in send
            sent += begun
            while at < len(parts) and sent >= len(parts[at]):
                sent -= len(parts[at])
                at += 1
            begun = sent

    def narrow(self) -> bool:
        """Lets little wait for the other side from now on.

        False: that cannot be told to the kernel, as over TCP, where it acknowledges what has arrived, read or not.
        """
        if self.socket.family != AF_UNIX:
            return False
        self.socket.setsockopt(SOL_SOCKET, SO_SNDBUF, UNREAD_BYTES // 2)
        return True

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

    def _when_taken(self, call: Callable[..., int], *arguments: Any) -> int:
        """What the call returns once the kernel takes at least a byte. Raises GoneError."""
        while True:
            try:
                return call(*arguments)
            except BlockingIOError:
                self._wait(WRITE, self.patience)
            except OSError as error:
                raise GoneError(*error.args) from error

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
