"""Ways into a worker from outside: each returns what was got, or raises OSError."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

PTRACE_SEIZE = 0x4206
LISTENER = 3  # the descriptor that systemd passes on

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(answer: int) -> int:
    if answer == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer


def read(path: str) -> str:
    """Read a file."""
    return f"{len(Path(path).read_bytes())} bytes"


def listed(path: str) -> str:
    """List a folder."""
    return f"{len(os.listdir(path))} entries"


def signalled(pid: str) -> str:
    """Send a signal that does nothing."""
    os.kill(int(pid), 0)
    return "signalled"


def stopped(pid: str) -> str:
    """Stop a process, and let it go on."""
    os.kill(int(pid), signal.SIGSTOP)
    os.kill(int(pid), signal.SIGCONT)
    return "stopped"


def traced(pid: str) -> str:
    """Become the debugger of a process."""
    _checked(_libc.ptrace(PTRACE_SEIZE, int(pid), None, None))
    return "traced"


def memory(pid: str) -> str:
    """Open the memory of a process."""
    with open(f"/proc/{pid}/mem", "rb"):
        return "opened"


def listener(pid: str) -> str:
    """Copy the listening socket out of a process (pidfd_getfd), which would mean to accept in its place."""
    process = os.pidfd_open(int(pid))
    copy = _checked(_libc.syscall(438, process, LISTENER, 0))
    with socket.socket(fileno=copy) as stolen:
        return f"a listener at {stolen.getsockname()}"


WAYS: dict[str, Callable[..., str]] = {
    "read": read,
    "list": listed,
    "signal": signalled,
    "stop": stopped,
    "trace": traced,
    "memory": memory,
    "steal_listener": listener,
}
