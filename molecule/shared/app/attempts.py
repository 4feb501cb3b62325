"""What may be forbidden to a process: each call returns what came of it, or raises OSError where it is refused."""

import contextlib
import errno
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

# not those of os, which gevent replaces: the child has nothing to do with the server
from posix import close, fork, waitpid

import kernel

TIMEOUT = 0.5


def connect(address: str, port: int) -> str:
    """Connect over TCP."""
    with socket.create_connection((address, port), TIMEOUT):
        return "connected"


def bind(address: str, port: int) -> str:
    """Listen on TCP."""
    with socket.create_server((address, port)):
        return "bound"


def read(path: str) -> str:
    """Read a file; systemd puts empty ones in the place of those that are hidden."""
    text = Path(path).read_text(encoding="utf-8")
    if not text:
        raise FileNotFoundError(f"nothing in {path}")
    return text


def write(path: str, text: object = "probe", mode: int = 0o666) -> int:
    """Write a file anew, or into what is there."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT, mode)
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        return stream.write(str(text))


def ask(to: str, request: str) -> str:
    """Send a request to "/path" or "ADDRESS:PORT"; return the first line of the answer."""
    host, _, port = to.rpartition(":")
    with socket.socket(socket.AF_INET if host else socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect((host, int(port)) if host else to)
        connection.sendall(request.encode())
        answer = connection.recv(4096)
    if not answer:
        raise ConnectionResetError("closed without an answer")
    return answer.decode("latin-1").splitlines()[0]


def new_file(path: str) -> str:
    """Write a new file that others may read."""
    write(path)
    mode = os.stat(path).st_mode
    os.unlink(path)
    if not mode & 0o004:
        raise PermissionError("closed to others")
    return "open to others"


def datagram(address: str, port: int) -> str:
    """Send a UDP packet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"probe", (address, port))
    return "sent"


def run_own(path: str) -> str:
    """Write a program, and run it."""
    Path(path).write_text("#!/bin/sh\necho done\n", encoding="utf-8")
    os.chmod(path, 0o700)
    return subprocess.run([path], capture_output=True, text=True, check=True).stdout


def suid(path: str) -> str:
    """Write a file that others would run as this user."""
    Path(path).write_text("", encoding="utf-8")
    os.chmod(path, 0o4755)
    return "done"


def foreign_processes() -> list[int]:
    """Return the processes of other users that can be seen."""
    own = os.getuid()
    seen = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(FileNotFoundError):  # it has ended
            if os.stat(f"/proc/{name}").st_uid != own:
                seen.append(int(name))
    if not seen:
        raise PermissionError("nobody else to be seen")
    return seen


def folder(path: str) -> str:
    """Make a folder and take it away again."""
    os.mkdir(path)
    os.rmdir(path)
    return "made"


def packets() -> None:
    """Open a socket that sees all that passes the host's interfaces."""
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()


def in_child(attempt: Callable[..., object], *arguments: object) -> object:
    """Try in a child, which takes the change along when it goes."""
    receiver, sender = os.pipe()
    child = fork()
    if child == 0:
        try:
            attempt(*arguments)
            os.write(sender, b"0")
        except OSError as error:
            os.write(sender, str(error.errno or errno.EIO).encode())
        finally:
            os._exit(0)
    close(sender)
    with os.fdopen(receiver) as pipe:
        number = int(pipe.read() or errno.ECHILD)
    waitpid(child, 0)
    if number:
        raise OSError(number, os.strerror(number))
    return "done"


def aside(attempt: Callable[..., object]) -> Callable[..., object]:
    """Return the attempt as one that is made in a child."""
    return lambda *arguments: in_child(attempt, *arguments)


ATTEMPTS: dict[str, Callable[..., object]] = {
    "read": read,
    "list": lambda path: sorted(os.listdir(path)),
    "write": write,
    "folder": folder,
    "give": lambda path: os.chown(path, -1, os.getgid()),
    "exists": lambda path: os.stat(path).st_mode,
    "run": lambda *words: subprocess.run(words, capture_output=True, text=True, check=True).stdout,
    "kill": lambda pid: os.kill(pid, 0),
    "become": aside(os.setuid),
    "join": aside(os.setgid),
    "run_own": run_own,
    "suid": suid,
    "connect": connect,
    "datagram": datagram,
    "ask": ask,
    "bind": bind,
    "raw": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close(),
    "packets": packets,
    "family": lambda number: socket.socket(number, socket.SOCK_DGRAM).close(),
    "new_file": new_file,
    "foreign_processes": foreign_processes,
    "machine_code": kernel.machine_code,
    "namespace": aside(kernel.new_user_namespace),
    "traced": aside(kernel.let_parent_trace),
    "lock_memory": aside(kernel.lock_memory),
    "personality": aside(kernel.change_personality),
    "affinity": aside(lambda: os.sched_setaffinity(0, os.sched_getaffinity(0))),
    "host_name": aside(lambda: socket.sethostname(socket.gethostname())),
    "clock": kernel.steering_of_the_clock,
    "shared_memory": kernel.foreign_shared_memory,
}
