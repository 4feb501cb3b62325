"""Which user's process is at the other end of a connection, asked of the kernel."""

import struct
from _socket import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_UNIX,
    IPPROTO_TCP,
    SO_PEERCRED,
    SOCK_RAW,
    SOL_SOCKET,
    TCP_INFO,
    socket,
)
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any

from webpy_gateway import log

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
# struct nlmsghdr; then inet_diag_req_v2 up to its socket id, which begins with the ports (linux/inet_diag.h)
HEADER = struct.Struct("=IHHII")
REQUEST = struct.Struct("=BBBBI")
PORTS = struct.Struct("!HH")
NO_INTERFACE_NO_COOKIE = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
# struct ucred: pid, uid, gid
CREDENTIALS = struct.Struct("=iII")
# of the answer: its kind; then, of struct inet_diag_msg, the ports, uid and inode
ANSWER = struct.Struct("=4xH14x4s56xII")
ANSWER_BYTES = 512
ALL_STATES = 0xFFFFFFFF
TCP_ESTABLISHED = 1


class Peers:
    """Decides who may connect. `own`: where all connections come in, where that is known."""

    def __init__(self, uids: tuple[int, ...], own: tuple[str, int] | None = None) -> None:
        self._uids = frozenset(uids)
        self._own = own
        self._refused = log.Limited()
        self._diag: socket | None = None

    def admits(self, connection: socket, address: Any) -> bool:
        """Whether a process of an allowed user made the connection, from that address, as accept(2) gives it.

        What cannot be told is refused.  It never waits, so it may be called in the hub.
        """
        if not self._uids:
            return True
        try:
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
        try:
            return self._diagnose(address[:2], self._own or connection.getsockname()[:2])
        except OSError:
            # a netlink socket that failed once may hold a late answer to an old question
            if self._diag is not None:
                self._diag.close()
                self._diag = None
            raise

    def _diagnose(self, peer: tuple[str, int], own: tuple[str, int]) -> int | None:
        before, after = _question(peer[0], own[0])
        ports = PORTS.pack(peer[1], own[1])
        if self._diag is None:
            # not gevent's: the kernel answers within the call, so there is nothing to wait for and no one to mix with
            self._diag = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG)
            self._diag.setblocking(False)
        self._diag.send(before + ports + after)
        answer = self._diag.recv(ANSWER_BYTES)
        if len(answer) < ANSWER.size:
            return None
        kind, answered, uid, inode = ANSWER.unpack_from(answer)
        if kind != SOCK_DIAG_BY_FAMILY or answered != ports:
            return None
        # a socket that no process holds any more is reported with uid 0: that is not root
        return int(uid) if inode else None


def _left(connection: socket) -> bool:
    """Whether the other end closed meanwhile: no alarm, since lighttpd does so whenever its own client goes away."""
    return connection.family != AF_UNIX and connection.getsockopt(IPPROTO_TCP, TCP_INFO, 1)[0] != TCP_ESTABLISHED


@lru_cache(64)
def _question(peer: str, own: str) -> tuple[bytes, bytes]:
    """What the kernel is asked about the peer's end between two addresses: the bytes before and after the ports."""
    family, addresses = _addresses(peer, own)
    body = REQUEST.pack(family, IPPROTO_TCP, 0, 0, ALL_STATES)
    rest = addresses + NO_INTERFACE_NO_COOKIE
    length = HEADER.size + len(body) + PORTS.size + len(rest)
    return HEADER.pack(length, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0) + body, rest


def _addresses(peer: str, own: str) -> tuple[int, bytes]:
    """Family and both addresses, padded; an IPv4 connection to an IPv6 listener is IPv4 at the other end."""
    pair = [ip_address(text.partition("%")[0]) for text in (peer, own)]
    plain = [a.ipv4_mapped or a if isinstance(a, IPv6Address) else a for a in pair]
    family = AF_INET if plain[0].version == 4 else AF_INET6
    return family, plain[0].packed.ljust(16, b"\0") + plain[1].packed.ljust(16, b"\0")
