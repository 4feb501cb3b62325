"""Keeps small what waits for the other side of a TCP connection to be read, where that side is on this host.

A sender's buffer does not bound that: TCP acknowledges what has arrived, not what was read.
"""

import time
from _socket import socket

import gevent

from webpy_gateway.diag import Diag

# while few of a worker's answers wait, the other side is about to read: ask again after what else there is to do, and
# only then, or where many wait, after a nap
FEW = 4
SOON = 64  # times
NAP = 0.001  # seconds

_diag = Diag()
_waiting: set["Pace"] = set()


class Pace:
    """How much of an answer may be sent. `most`: of bytes that wait to be read."""

    __slots__ = ("_most", "_own", "_peer", "_room")

    def __init__(self, connection: socket, most: int) -> None:
        self._peer, self._own = connection.getpeername()[:2], connection.getsockname()[:2]
        self._most = most
        self._room = 0

    def take(self, wanted: int, seconds: float) -> int:
        """How many bytes of those may be sent now. 0: for so long the other side has not read what it got before."""
        worth = min(wanted, self._most // 2)
        if self._room < worth:
            self._room = self._wait(worth, seconds)
        taken = min(wanted, self._room)
        self._room -= taken
        return taken

    def _wait(self, worth: int, seconds: float) -> int:
        asked, end = 0, time.monotonic() + seconds
        _waiting.add(self)
        try:
            while (room := self._most - self._unread()) < worth:
                if time.monotonic() > end:
                    return 0
                gevent.sleep(0 if asked < SOON and len(_waiting) <= FEW else NAP)
                asked += 1
        finally:
            _waiting.discard(self)
        return room

    def _unread(self) -> int:
        try:
            end = _diag.other_end(self._peer, self._own)
        except OSError:
            return 0  # it cannot be told: the kernel's own bounds have to do
        return end[0] if end else 0
