"""Which user's process is at the other end of a connection, asked of the kernel."""

import socket
import struct
from _socket import AF_UNIX, IPPROTO_TCP, SO_PEERCRED, SOL_SOCKET, TCP_INFO, SocketType
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from gevent import monkey

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
UID_AND_INODE = struct.Struct("=II")
UID_OFFSET = HEADER.size + 4 + 48 + 12
ALL_STATES = 0xFFFFFFFF
TCP_ESTABLISHED = 1


class Peers:
    """Decides who may connect."""

    def __init__(self, uids: tuple[int, ...]) -> None:
        self._uids = frozenset(uids)
        self._refused = log.Limited()
        self._diag: socket.socket | None = None

    def admits(self, connection: SocketType) -> bool:
        """Whether a process of an allowed user made the connection; what cannot be told is refused."""
        if not self._uids:
            return True
        try:
            uid = self.uid(connection)
        except OSError as error:
            if not _left(connection):
                self._refused.event("refused a connection: its user cannot be told", error=error)
            return False
        if uid in self._uids:
            return True
        if uid is not None or not _left(connection):
            self._refused.event("refused a connection of a user that is not in peer_uids", uid=uid)
        return False

    def uid(self, connection: SocketType) -> int | None:
        """The user who holds the other end; None when nobody on this host does. Raises OSError."""
        if connection.family == AF_UNIX:
            credentials = connection.getsockopt(SOL_SOCKET, SO_PEERCRED, CREDENTIALS.size)
            return int(CREDENTIALS.unpack(credentials)[1])
        try:
            return self._diagnose(connection)
        except OSError:
            # a netlink socket that failed once may hold a late answer to an old question
            if self._diag is not None:
                self._diag.close()
                self._diag = None
            raise

    def _diagnose(self, connection: SocketType) -> int | None:
        (peer, peer_port), (own, own_port) = connection.getpeername()[:2], connection.getsockname()[:2]
        before, after = _question(peer, own)
        ports = PORTS.pack(peer_port, own_port)
        if self._diag is None:
            # not gevent's: the kernel answers within the call, so there is nothing to wait for and no one to mix with
            self._diag = monkey.get_original("socket", "socket")(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
            self._diag.setblocking(False)
        self._diag.send(before + ports + after)
        reply = self._diag.recv(8192)
        kind = HEADER.unpack_from(reply)[1]
        if kind != SOCK_DIAG_BY_FAMILY or reply[HEADER.size + 4 : HEADER.size + 4 + PORTS.size] != ports:
            return None
        uid, inode = UID_AND_INODE.unpack_from(reply, UID_OFFSET)
        # a socket that no process holds any more is reported with uid 0: that is not root
        return int(uid) if inode else None


def _left(connection: SocketType) -> bool:
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
    family = socket.AF_INET if plain[0].version == 4 else socket.AF_INET6
    return family, plain[0].packed.ljust(16, b"\0") + plain[1].packed.ljust(16, b"\0")
