"""The socket that requests arrive on: systemd's, or one of our own in tests and development."""

import contextlib
import socket
import stat
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from webpy_gateway import rules, systemd
from webpy_gateway.problem import Problem, SetupError

BACKLOG = 1048576  # more than any host needs: the kernel cuts it down to net.core.somaxconn


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket; a shared one belongs to systemd and outlives this process."""

    socket: socket.socket
    shared: bool
    path: Path | None = None

    def close(self) -> None:
        """Gives up the address where it is ours."""
        if self.shared:
            return
        self.socket.close()
        if self.path:
            with contextlib.suppress(OSError):
                self.path.unlink()

    @property
    def address(self) -> tuple[str, int] | None:
        """Address and port that every connection comes in at; None where they differ, and for a unix socket."""
        if self.socket.family == socket.AF_UNIX:
            return None
        host, port = self.socket.getsockname()[:2]
        return None if ip_address(host).is_unspecified else (host, port)

    def __str__(self) -> str:
        address = self.socket.getsockname()
        if self.socket.family == socket.AF_UNIX:
            return str(address)
        return f"[{address[0]}]:{address[1]}" if self.socket.family == socket.AF_INET6 else f"{address[0]}:{address[1]}"


def obtain(listen: str) -> Listener:
    """The socket that systemd passed if it did, else one bound to `listen`. Raises SetupError."""
    passed = systemd.passed_listener()
    if passed is not None:
        return _prepared(Listener(passed, shared=True))
    if not listen:
        reason = "empty, and systemd passed no socket"
        raise SetupError(Problem("listen", listen, reason, "start the socket unit, or set an address for tests"))
    try:
        return _prepared(_bound(listen))
    except OSError as error:
        reason = f"cannot be bound: {error.strerror or error}"
        raise SetupError(Problem("listen", listen, reason, "choose another address, or stop who holds it")) from error


def _bound(listen: str) -> Listener:
    if listen.startswith("/"):
        path = Path(listen)
        _remove_stale(path)
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(listen)
        path.chmod(0o660)
        return Listener(bound, shared=False, path=path)
    host, port = rules.split_address(listen)
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return Listener(bound, shared=False)


def _remove_stale(path: Path) -> None:
    """Removes a socket file that nobody listens on; anything else stays and makes bind fail."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            return
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
    except ConnectionRefusedError:
        path.unlink()
    except FileNotFoundError:
        pass


def _prepared(listener: Listener) -> Listener:
    # systemd's socket too: net.core.somaxconn may have been raised since it began to listen
    listener.socket.listen(BACKLOG)
    listener.socket.setblocking(False)
    if listener.socket.family != socket.AF_UNIX:
        # accepted connections inherit it; without it the last packet of an answer may wait 40 ms for an ACK
        listener.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # nor is there anything to pace between two processes of one host, as BBR would where the host uses it
        listener.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    return listener
