"""Runs on another host: ask for PATH again and again for so long, one connection a request; print seconds of each.

    ordinary.py ADDRESS PORT PATH SECONDS

Prints a JSON list of seconds, from the first byte sent to the last received.  Any answer but 200 is an error.
"""

import json
import socket
import sys
import time

TIMEOUT = 10.0


def ask(to: tuple[str, int], request: bytes) -> float:
    """Return the seconds that one request takes."""
    began = time.perf_counter()
    answer = b""
    with socket.create_connection(to, TIMEOUT) as connection:
        connection.sendall(request)
        while block := connection.recv(65536):
            answer += block
    seconds = time.perf_counter() - began
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(f"no answer but {answer[:200]!r}")
    return seconds


def main() -> None:
    """Ask and print."""
    address, port, path, seconds = sys.argv[1:]
    request = f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
    end = time.monotonic() + float(seconds)
    took = []
    while time.monotonic() < end:
        took.append(ask((address, int(port)), request))
    print(json.dumps(took))


main()
