"""Runs on another host: hold connections that are slow in every way, until told to stop.

    slow.py ADDRESS PORT COUNT KINDS REPORT

KINDS: "heads" send a head a byte at a time, "bodies" a body, and "readers" read a large answer so; COUNT connections,
as many of each.  The file REPORT says {"held": N, "lost": N}: open connections, and those that the other side closed;
first when all are open, then at SIGTERM.  They take turns: clients who do not know each other are not slow in step.
"""

import json
import os
import signal
import socket
import struct
import sys
import time
from itertools import count, cycle, islice

PAUSE = 3.0  # seconds between two bytes of a connection, far below what lighttpd waits here
READ_BYTES = 512
BEGIN = {
    "heads": b"GET /api/slow HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    "bodies": b"POST /api/slow HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
    "readers": b"GET /api/large HTTP/1.1\r\nHost: a\r\n\r\n",
}


def connect(to: tuple[str, int], begin: bytes, buffer: int = 0) -> socket.socket:
    """Return a connection that has sent what it begins with."""
    connection = socket.socket()
    # the end is a reset, which leaves no port taken for minutes: there are not many times so many
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.connect(to)
    connection.sendall(begin)
    connection.setblocking(False)
    return connection


def step(connection: socket.socket, reads: bool) -> bool:
    """Send or read a little; return whether the connection still stands."""
    try:
        if reads:
            return bool(connection.recv(READ_BYTES))
        connection.send(b"x")
        connection.recv(1)
        return False  # an answer is an end too
    except BlockingIOError:
        return True
    except OSError:
        return False


def report(path: str, slow: list[socket.socket | None]) -> None:
    """Replace the report."""
    lost = slow.count(None)
    with open(f"{path}.new", "w", encoding="ascii") as file:
        json.dump({"held": len(slow) - lost, "lost": lost}, file)
    os.replace(f"{path}.new", path)


def main() -> None:
    """Open, hold, and tell."""
    address, port, number, names, path = sys.argv[1:]
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    kinds = list(islice(cycle(names.split(",")), int(number)))
    slow: list[socket.socket | None] = []
    began = time.monotonic()
    for turn in count():
        time.sleep(max(0.0, began + turn * PAUSE / len(kinds) - time.monotonic()))
        place = turn % len(kinds)
        reads = kinds[place] == "readers"
        if turn < len(kinds):
            slow.append(connect((address, int(port)), BEGIN[kinds[place]], 2304 if reads else 0))
        elif (connection := slow[place]) and not step(connection, reads):
            slow[place] = None
        if turn + 1 == len(kinds):
            report(path, slow)
        if told:
            break
    report(path, slow)


main()
