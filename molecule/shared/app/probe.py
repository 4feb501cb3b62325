"""The example application, and a probe of the place that it runs in: tells and tries what a test asks for."""
# ruff: noqa: N802  (web.py calls the method that is named like the HTTP method)

import contextlib
import errno
import json
import os
import socket
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import app
import iniconfig
import kernel
import web
from gevent import monkey

TIMEOUT = 0.5
# not gevent's: the child has nothing to do with the server
FORK, WAIT, CLOSE = monkey.get_original("os", ["fork", "waitpid", "close"])


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


def write(path: str, text: str = "probe", mode: int = 0o666) -> int:
    """Write a file anew, or into what is there."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT, mode)
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        return stream.write(text)


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
    child = FORK()
    if child == 0:
        try:
            attempt(*arguments)
            os.write(sender, b"0")
        except OSError as error:
            os.write(sender, str(error.errno or errno.EIO).encode())
        finally:
            os._exit(0)
    CLOSE(sender)
    with os.fdopen(receiver) as pipe:
        number = int(pipe.read() or errno.ECHILD)
    WAIT(child, 0)
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


class Place:
    """Where and as whom the application runs."""

    def GET(self) -> bytes:
        """Return user, folders, environment and packages."""
        place = {
            "user": os.getuid(),
            "folder": str(Path.cwd()),
            "environment": dict(os.environ),
            "packages": {"iniconfig": version(iniconfig.__name__)},
            "debug": bool(web.config.debug),
        }
        return app.ok(place)


class Attempt:
    """Something that may be forbidden."""

    def POST(self) -> bytes:
        """Try `[NAME, ARGUMENT...]` of ATTEMPTS, environment variables expanded; return its result, or the error."""
        name, *arguments = json.loads(web.data())
        words = [os.path.expandvars(word) if isinstance(word, str) else word for word in arguments]
        try:
            return app.ok({"result": ATTEMPTS[name](*words)})
        except OSError as error:
            return app.ok({"error": type(error).__name__, "reason": error.strerror or str(error)})


class Crash:
    """A mistake of the programmer."""

    def GET(self) -> bytes:
        """Raise what nobody catches."""
        raise RuntimeError("a private detail of the application")


probe = web.application(("/place", Place, "/attempt", Attempt, "/crash", Crash))
application = web.application(("/probe", probe, "", app.application))
