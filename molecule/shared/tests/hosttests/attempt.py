"""Runs on a host: try to reach a listener as other users, and say what came of it.

    attempt.py '[{"user": NAME, "to": "/path" or [ADDRESS, PORT], "send": REQUEST}, ...]'

Prints a JSON list of texts: "answered ...", the first line, or "refused ...", and why.  All attempts run at once, each
in a process that belongs to its user alone.  `seconds`, as second argument: try all of it again and again for so long,
and print the set of texts that came up.
"""

import json
import os
import pwd
import socket
import sys
import time
from typing import Any

TIMEOUT = 3.0


def try_once(to: str | list[Any], send: str) -> str:
    """Return what one connection came to."""
    family = socket.AF_UNIX if isinstance(to, str) else socket.AF_INET6 if ":" in to[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT)
        try:
            connection.connect(to if isinstance(to, str) else tuple(to))
        except OSError as error:
            return f"refused to connect: {error.strerror or error}"
        try:
            connection.sendall(send.encode("latin-1"))
            answer = connection.recv(65536)
        except OSError as error:
            return f"refused when connected: {error.strerror or error}"
    return f"answered {answer.decode('latin-1').splitlines()[0]}" if answer else "refused when connected: closed"


def start(attempt: dict[str, Any], end: float) -> tuple[int, int]:
    """Begin an attempt in a child; return its number and the pipe that the outcomes come from."""
    receiver, sender = os.pipe()
    child = os.fork()
    if child:
        os.close(sender)
        return child, receiver
    try:
        account = pwd.getpwnam(attempt["user"])
        os.initgroups(account.pw_name, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
        outcomes = {try_once(attempt["to"], attempt["send"])}
        while time.monotonic() < end:
            outcomes.add(try_once(attempt["to"], attempt["send"]))
            time.sleep(0.002)
        os.write(sender, json.dumps(sorted(outcomes)).encode())
    finally:
        os._exit(0)


def main() -> None:
    """Run all attempts and print their outcomes."""
    end = time.monotonic() + float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    children = [start(attempt, end) for attempt in json.loads(sys.argv[1])]
    found: list[Any] = []
    for child, receiver in children:
        with os.fdopen(receiver) as pipe:
            outcomes = json.loads(pipe.read() or '["the attempt itself failed"]')
        os.waitpid(child, 0)
        found.append(outcomes if end else outcomes[0])
    print(json.dumps(found))


main()
