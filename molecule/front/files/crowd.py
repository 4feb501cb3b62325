"""Runs on a host: open as many connections as a server takes, ask on one more, and again when the others are gone.

    crowd.py ADDRESS PORT PATH LIMIT

Prints JSON: the first line of the answer before, beyond the limit ("nothing" within PATIENCE), and after.
"""

import json
import socket
import sys

PATIENCE = 1.5


def first_line(connection: socket.socket, seconds: float) -> str:
    """Return what came."""
    connection.settimeout(seconds)
    try:
        return connection.recv(65536).decode("latin-1").partition("\r\n")[0]
    except TimeoutError:
        return "nothing"


def main() -> None:
    """Fill the server, and tell."""
    address, port, path, limit = sys.argv[1:]
    to, request = (address, int(port)), f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    crowd = [socket.create_connection(to) for _ in range(int(limit) - 1)]
    found = {}
    with socket.create_connection(to) as last:
        last.sendall(request)
        found["before"] = first_line(last, 10 * PATIENCE)
        with socket.create_connection(to) as beyond:
            beyond.sendall(request)
            found["beyond"] = first_line(beyond, PATIENCE)
            for one in crowd:
                one.close()
            found["after"] = first_line(beyond, 10 * PATIENCE)
    print(json.dumps(found))


main()
