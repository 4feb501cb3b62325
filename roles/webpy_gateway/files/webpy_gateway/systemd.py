"""What systemd and a service say to each other: the sockets it passes on and how the service is doing."""

import os
import socket

from webpy_gateway import log
from webpy_gateway.problem import Problem, SetupError

FIRST_FD = 3


def passed_listener() -> socket.socket | None:
    """The listening socket that systemd passed to this very process, or None. See sd_listen_fds(3).

    The open file description is shared with systemd and the other workers: never shut it down.
    """
    mine = os.environ.get("LISTEN_PID") == str(os.getpid())
    count = os.environ.get("LISTEN_FDS", "0")
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)  # they are not meant for processes that the application starts
    if not mine:
        return None
    if count != "1":
        raise SetupError(Problem("LISTEN_FDS", count, "not one socket", "give the socket unit one ListenStream="))
    os.set_inheritable(FIRST_FD, False)
    try:
        listener = socket.socket(fileno=FIRST_FD)
        listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise SetupError(Problem("LISTEN_FDS", count, f"not a socket: {error}", "pass a listening socket")) from error
    if not listening or listener.type != socket.SOCK_STREAM:
        raise SetupError(
            Problem("LISTEN_FDS", count, "not a listening stream socket", "use ListenStream= and Accept=no")
        )
    return listener


class Notifier:
    """Sends the state of this service to systemd, where there is one. See sd_notify(3)."""

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")

    def ready(self, status: str) -> None:
        """The service accepts requests."""
        self._send(f"READY=1\nSTATUS={status}")

    def stopping(self, status: str) -> None:
        """The service finishes what it has begun."""
        self._send(f"STOPPING=1\nSTATUS={status}")

    def alive(self) -> None:
        """The service still does its work; what WatchdogSec= waits for."""
        self._send("WATCHDOG=1")

    def status(self, status: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={status}")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(message.encode(), address)
        except OSError as error:
            log.event("systemd could not be notified", error=error)
