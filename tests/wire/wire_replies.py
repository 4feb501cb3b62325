"""Answers read strictly from bytes."""

import contextlib
import json
import socket
from dataclasses import dataclass
from typing import Any


@dataclass
class Reply:
    """One answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    complete: bool

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    def json(self) -> Any:
        return json.loads(self.body)


def read(data: bytes, *methods: str, versions: tuple[str, ...] = ("HTTP/1.1",)) -> list[Reply]:
    """All answers in the bytes, which must be nothing else; `methods`: those of the requests, GET where left out."""
    replies: list[Reply] = []
    while data:
        method = methods[len(replies)] if len(replies) < len(methods) else "GET"
        head, end, data = data.partition(b"\r\n\r\n")
        assert end, head
        first, *lines = head.decode("latin-1").split("\r\n")
        version, code, _ = first.split(" ", 2)
        assert version in versions, first
        reply = Reply(int(code), [tuple(line.split(": ", 1)) for line in lines], b"", True)  # type: ignore[misc]
        lengths, codings = reply.all("content-length"), reply.all("transfer-encoding")
        assert len(lengths) + len(codings) <= 1, head
        if method == "HEAD" or reply.status in (100, 204, 304):
            pass
        elif lengths:
            length = int(lengths[0])
            reply.body, data = data[:length], data[length:]
            reply.complete = len(reply.body) == length
        elif codings:
            assert codings == ["chunked"]
            data = _read_chunks(reply, data)
        else:
            assert reply.all("connection") == ["close"]
            reply.body, data = data, b""
        replies.append(reply)
    return replies


def _read_chunks(reply: Reply, data: bytes) -> bytes:
    while True:
        line, end, data = data.partition(b"\r\n")
        if not end:
            reply.complete = False
            return b""
        size = int(line, 16)
        reply.body += data[:size]
        assert data[size : size + 2] in (b"\r\n", b"") or len(data) < size
        data = data[size + 2 :]
        if not size:
            return data


def receive_all(connection: socket.socket) -> bytes:
    """Everything up to the end, also where the end is a reset."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while block := connection.recv(65536):
            data += block
    return data
