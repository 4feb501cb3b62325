"""What the kernel knows of the other end of a TCP connection, where that is on this host (sock_diag(7))."""

import struct
from _socket import AF_INET, AF_INET6, AF_NETLINK, IPPROTO_TCP, SOCK_RAW, socket
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
# struct nlmsghdr; then inet_diag_req_v2 up to its socket id, which begins with the ports (linux/inet_diag.h)
HEADER = struct.Struct("=IHHII")
REQUEST = struct.Struct("=BBBBI")
PORTS = struct.Struct("!HH")
NO_INTERFACE_NO_COOKIE = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
# of the answer: its kind; then, of struct inet_diag_msg, the ports, uid and inode
ANSWER = struct.Struct("=4xH14x4s56xII")
ANSWER_BYTES = 512
ALL_STATES = 0xFFFFFFFF


class Diag:
    """Asks.  Never waits, since the kernel answers within the call; so it may be used in the hub."""

    __slots__ = ("_answer", "_socket")

    def __init__(self) -> None:
        self._socket: socket | None = None
        self._answer = bytearray(ANSWER_BYTES)

    def other_end(self, peer: tuple[str, int], own: tuple[str, int]) -> tuple[int, int] | None:
        """User and inode of that end; None: it is not here. Raises OSError."""
        try:
            return self._ask(peer, own)
        except OSError:
            # a netlink socket that failed once may hold a late answer to an old question
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            raise

    def _ask(self, peer: tuple[str, int], own: tuple[str, int]) -> tuple[int, int] | None:
        before, after = _question(peer[0], own[0])
        ports = PORTS.pack(peer[1], own[1])
        if self._socket is None:
            # not gevent's: there is nothing to wait for and no one to mix with
            self._socket = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG)
            self._socket.setblocking(False)
        self._socket.send(before + ports + after)
        if self._socket.recv_into(self._answer) < ANSWER.size:
            return None
        kind, answered, uid, inode = ANSWER.unpack_from(self._answer)
        return (uid, inode) if kind == SOCK_DIAG_BY_FAMILY and answered == ports else None


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
