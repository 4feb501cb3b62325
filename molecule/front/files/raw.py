"""Runs on a host: send bytes to a listener, and say what came back.

    raw.py ADDRESS PORT SECONDS CASES

CASES: base64 of the deflated JSON list of texts (latin-1), one a connection, all at once.  Number n comes from the
address 127.1.a.b, n = 256 a + b, by which a record of the other side tells them apart.  Prints a JSON list: [what came
(latin-1), whether the other side closed within SECONDS].
"""

import base64
import contextlib
import json
import socket
import sys
import threading
import time
import zlib

CONNECT = 10.0


def exchange(to: tuple[str, int], seconds: float, number: int, data: bytes, found: list[object]) -> None:
    """Send all bytes, whatever comes in between; put what came at its place in `found`."""
    began = time.monotonic()
    came, closed = b"", False
    with socket.socket() as connection:
        connection.bind((f"127.1.{number // 256}.{number % 256}", 0))
        connection.settimeout(CONNECT)
        connection.connect(to)
        sender = threading.Thread(target=send, args=(connection, data))
        sender.start()
        while (left := began + seconds - time.monotonic()) > 0:
            connection.settimeout(left)
            try:
                block = connection.recv(65536)
            except TimeoutError:
                break
            except ConnectionResetError:
                block = b""
            came += block
            if not block:
                closed = True
                break
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        sender.join()
    found[number - 1] = [came.decode("latin-1"), closed]


def send(connection: socket.socket, data: bytes) -> None:
    """Send all bytes, unless the other side has had enough."""
    with contextlib.suppress(OSError):
        connection.sendall(data)


def main() -> None:
    """Run all cases and print what came of them."""
    address, port, seconds, packed = sys.argv[1:]
    cases = json.loads(zlib.decompress(base64.b64decode(packed)))
    found: list[object] = [None] * len(cases)
    threads = [
        threading.Thread(
            target=exchange, args=((address, int(port)), float(seconds), number, text.encode("latin-1"), found)
        )
        for number, text in enumerate(cases, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(found))


main()
