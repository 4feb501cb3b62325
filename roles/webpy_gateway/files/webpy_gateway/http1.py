"""HTTP/1.1 and HTTP/1.0 on one connection (RFC 9112): what the standard forbids is refused, never guessed."""

import io
import json
import time
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from wsgiref.handlers import format_date_time

from webpy_gateway import exchange, http1_head, log, requestid, workers
from webpy_gateway.connection import Connection, GoneError
from webpy_gateway.http1_body import Body, ChunkedBody, SizedBody, Source
from webpy_gateway.http1_head import RefusedError
from webpy_gateway.service import Service

_bad_requests = log.Limited()


def serve(connection: Connection, service: Service) -> None:
    """One connection, from the first byte to the last."""
    source = Source(connection)
    seconds = service.head_timeout
    while True:
        try:
            request = _next_request(source, service, seconds)
        except RefusedError as refused:
            _refuse(connection, refused)
            return
        except GoneError:
            return
        if request is None:
            return
        environ, body, answer = request
        connection.silent = False
        complete = exchange.run(service.application, environ, answer, connection)
        if not complete:
            return
        if not answer.keep:
            if source.data or (body and not body.complete):
                connection.linger()
            return
        del request, environ, body, answer
        workers.renew()
        connection.silent = True
        seconds = service.idle_timeout


def _next_request(
    source: Source, service: Service, seconds: float
) -> "tuple[dict[str, Any], Body | None, Answer] | None":
    head = http1_head.receive(source, service, seconds)
    if head is None:
        return None
    environ = service.environ.copy()
    environ["REMOTE_ADDR"] = source.connection.peer
    modern = http1_head.parse(head, environ)
    body = _body(source, environ, modern=modern)
    environ["wsgi.input"] = io.BytesIO() if body is None else body
    options = environ.get("HTTP_CONNECTION", "")
    keep = modern and not (options and "close" in map(str.strip, options.lower().split(",")))
    return environ, body, Answer(service, body, modern=modern, keep=keep)


def _body(source: Source, environ: dict[str, Any], *, modern: bool) -> Body | None:
    expectation = environ.get("HTTP_EXPECT", "").lower() if modern else ""
    if expectation not in ("", "100-continue"):
        raise RefusedError(HTTPStatus.EXPECTATION_FAILED, "unknown expectation")
    if "HTTP_TRANSFER_ENCODING" in environ:
        return ChunkedBody(source, expected=bool(expectation))
    length = int(environ.get("CONTENT_LENGTH", 0))
    return SizedBody(source, length, expected=bool(expectation)) if length else None


class Answer:
    """How one answer is framed (RFC 9112, sections 6 and 9). `keep`: whether another request may follow it."""

    __slots__ = ("_body", "_chunked", "_modern", "_service", "keep")

    def __init__(self, service: Service, body: Body | None, *, modern: bool, keep: bool) -> None:
        self._service = service
        self._body = body
        self._modern = modern
        self._chunked = False
        self.keep = keep

    def head(self, status: bytes, fields: bytes, first: bytes, *, sized: bool) -> bytes:
        """The head and what goes with it; a body of unknown length is sent in chunks, or up to the connection's end."""
        self._chunked = self._modern and not sized
        unread = False
        if self._body:
            self._body.expected = False  # the answer is here: too late for an interim one
            unread = not self._body.complete
        if unread or self._service.draining or not (sized or self._modern):
            self.keep = False
        return b"HTTP/1.1 %b\r\n%b%b%b%b\r\n%b" % (
            status,
            fields,
            b"" if b"date: " in fields.lower() else _date(int(time.time())),
            b"Transfer-Encoding: chunked\r\n" if self._chunked else b"",
            b"" if self.keep else b"Connection: close\r\n",
            b"".join(self.parts(first)) if first else b"",
        )

    def parts(self, data: bytes) -> list[bytes | memoryview]:
        """The data, as a chunk where there are chunks."""
        return [b"%x\r\n" % len(data), data, b"\r\n"] if self._chunked else [data]

    def end(self) -> bytes:
        """The last chunk where there are chunks."""
        return b"0\r\n\r\n" if self._chunked else b""


@lru_cache(1)
def _date(second: int) -> bytes:
    return b"Date: %b\r\n" % format_date_time(second).encode()


def _refuse(connection: Connection, refused: RefusedError) -> None:
    """Answers and logs without a word of the request itself, which may hold a secret."""
    _bad_requests.event("refused a malformed request", reason=refused.reason)
    identity = requestid.new()
    body = json.dumps({"error": refused.code.phrase.lower(), "request_id": identity}).encode() + b"\n"
    head = (
        f"HTTP/1.1 {refused.code.value} {refused.code.phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nX-Request-Id: {identity}\r\n"
        "Connection: close\r\n\r\n"
    )
    try:
        connection.send(head.encode() + body)
    except GoneError:
        return
    connection.linger()
