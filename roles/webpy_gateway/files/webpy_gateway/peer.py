"""Which user's process is at the other end of a connection: the firewall's mark says it, or the kernel is asked."""

import struct
from _socket import AF_UNIX, IPPROTO_TCP, SO_PEERCRED, SOL_SOCKET, TCP_INFO, socket
from typing import Any

from webpy_gateway import log
from webpy_gateway.diag import Diag
from webpy_gateway.mark import Mark

# struct ucred: pid, uid, gid
CREDENTIALS = struct.Struct("=iII")
TCP_ESTABLISHED = 1


class Peers:
    """Decides who may connect. `own`: where all connections come in, where that is known.

    `marked`: the mark that the firewall gives to connections of these users, 0 where there is none.
    """

    def __init__(self, uids: tuple[int, ...], own: tuple[str, int] | None = None, marked: int = 0) -> None:
        self._uids = frozenset(uids)
        self._own = own
        self._mark = Mark(marked, own[0]) if marked and own else None
        self._refused = log.Limited()
        self._diag = Diag()

    def admits(self, connection: socket, address: Any) -> bool:
        """Whether a process of an allowed user made the connection, from that address, as accept(2) gives it.

        What cannot be told is refused.  It never waits, so it may be called in the hub.
        """
        if not self._uids:
            return True
        try:
            if self._mark and self._mark.on(connection):
                return True
            uid = self.uid(connection, address)
        except OSError as error:
            if not _left(connection):
                self._refused.event("refused a connection: its user cannot be told", error=error)
            return False
        if uid in self._uids:
            return True
        if uid is not None or not _left(connection):
            self._refused.event("refused a connection of a user that is not in peer_uids", uid=uid)
        return False

    def uid(self, connection: socket, address: Any) -> int | None:
        """The user who holds the other end; None when nobody on this host does. Raises OSError."""
        if connection.family == AF_UNIX:
            credentials = connection.getsockopt(SOL_SOCKET, SO_PEERCRED, CREDENTIALS.size)
            return int(CREDENTIALS.unpack(credentials)[1])
        end = self._diag.other_end(address[:2], self._own or connection.getsockname()[:2])
        # a socket that no process holds any more is reported with uid 0: that is not root
        return end[0] if end and end[1] else None


def _left(connection: socket) -> bool:
    """Whether the other end closed meanwhile: no alarm, since lighttpd does so whenever its own client goes away."""
    return connection.family != AF_UNIX and connection.getsockopt(IPPROTO_TCP, TCP_INFO, 1)[0] != TCP_ESTABLISHED
