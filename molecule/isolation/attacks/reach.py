"""Ways to reach a listener: each returns the first line of its answer, or raises OSError."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import users

TIMEOUT = 3.0
IPPROTO_MPTCP = 262
IP_TRANSPARENT = 19


def address(to: str) -> tuple[int, str | tuple[str, int]]:
    """Return family and address of "/path" or "HOST:PORT"."""
    if to.startswith("/"):
        return socket.AF_UNIX, to
    host, port = to.rsplit(":", 1)
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host.strip("[]"), int(port))


def first_line(connection: socket.socket, request: str) -> str:
    """Ask over a connection that stands."""
    connection.sendall(request.encode())
    answer = connection.recv(4096)
    if not answer:
        raise ConnectionResetError("closed without an answer")
    return answer.decode("latin-1").splitlines()[0]


def plain(to: str, request: str, protocol: str = "") -> str:
    """Connect as every program does; `protocol`: mptcp."""
    family, where = address(to)
    with socket.socket(family, socket.SOCK_STREAM, IPPROTO_MPTCP if protocol == "mptcp" else 0) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect(where)
        return first_line(connection, request)


def fast_open(to: str, request: str) -> str:
    """Send the request along with the first packet."""
    family, where = address(to)
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        # blocking, as a call with this flag connects and sends in one
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            connection.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(TIMEOUT), 0))
        connection.sendto(request.encode(), socket.MSG_FASTOPEN, where)
        return first_line(connection, "")


def bound(to: str, request: str, source: str, port: str = "0", option: str = "") -> str:
    """Connect from an address and port of choice; `option`: transparent, or a device."""
    family, where = address(to)
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT)
        if option == "transparent":
            connection.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        elif option:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, option.encode())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind((source, int(port)))
        connection.connect(where)
        return first_line(connection, request)


@contextmanager
def socket_of(user: str, family: int) -> Iterator[socket.socket]:
    """Hand over a socket that a process of the user has made (SCM_RIGHTS)."""
    here, there = socket.socketpair()

    def make() -> str:
        with socket.socket(family, socket.SOCK_STREAM) as made:
            socket.send_fds(there, [b"socket"], [made.fileno()])
        return "made"

    users.run(make, user)
    _, descriptors, _, _ = socket.recv_fds(here, 16, 1)
    with here, there, socket.socket(fileno=descriptors[0]) as received:
        received.settimeout(TIMEOUT)
        yield received


def handed_over(to: str, request: str, maker: str, user: str) -> str:
    """Let one user make the socket and another connect it."""
    family, where = address(to)
    with socket_of(maker, family) as connection:

        def use() -> str:
            connection.connect(where)
            return first_line(connection, request)

        return users.run(use, user)


def opened_before(to: str, request: str, maker: str, event: str) -> str:
    """Let a user make a socket, then let something happen, then connect it."""
    family, where = address(to)
    with socket_of(maker, family) as connection:
        subprocess.run(event, shell=True, check=False, capture_output=True)

        def use() -> str:
            connection.connect(where)
            return first_line(connection, request)

        return users.run(use, maker)


def by_descriptor(to: str, request: str) -> str:
    """Connect to a unix socket by a descriptor of its file, not by its path."""
    file = os.open(to, os.O_PATH)
    try:
        return plain(f"/proc/self/fd/{file}", request)
    finally:
        os.close(file)


def by_other_name(to: str, request: str, name: str) -> str:
    """Connect to a unix socket by a second name."""
    os.link(to, name)
    try:
        return plain(name, request)
    finally:
        os.unlink(name)


def by_link(to: str, request: str, name: str) -> str:
    """Connect to a unix socket by a symbolic link of one's own."""
    os.symlink(to, name)
    try:
        return plain(name, request)
    finally:
        os.unlink(name)


WAYS: dict[str, Callable[..., str]] = {
    "reach": plain,
    "fast_open": fast_open,
    "bound": bound,
    "handed_over": handed_over,
    "opened_before": opened_before,
    "by_descriptor": by_descriptor,
    "by_other_name": by_other_name,
    "by_link": by_link,
}
