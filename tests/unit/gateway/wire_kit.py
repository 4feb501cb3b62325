"""Requests as bytes, answers read strictly, and a server process that gets a request in two parts, split anywhere."""

import contextlib
import time
from collections.abc import Sequence

from gateway_kit import connect
from wire_replies import Reply, read, receive_all


def ask(address: str, data: bytes) -> Reply:
    """The only answer to a request."""
    (reply,) = exchange(address, data)
    return reply


def exchange(address: str, data: bytes, *methods: str) -> list[Reply]:
    """All answers until the server closes."""
    with connect(address) as connection:
        connection.sendall(data)
        return read(receive_all(connection), *methods)


def split_anywhere(address: str, data: bytes, step: int = 1) -> list[list[Reply]]:
    """The answers to the same bytes in two parts, once for each place to split them."""
    places: Sequence[int] = range(1, len(data), step)
    connections = [connect(address) for _ in places]
    for place, connection in zip(places, connections, strict=True):
        connection.sendall(data[:place])
    time.sleep(0.03)
    replies = []
    for place, connection in zip(places, connections, strict=True):
        with connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it was refused before its end
                connection.sendall(data[place:])
            replies.append(read(receive_all(connection)))
    return replies
