"""FastCGI 1.0 on one connection, as a responder: what the protocol forbids is refused, never guessed."""

import io
from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from webpy_gateway import answers, exchange, fastcgi_environ, log
from webpy_gateway import fastcgi_records as records
from webpy_gateway.connection import PIECE_BYTES, Connection, GoneError
from webpy_gateway.fastcgi_body import Stdin
from webpy_gateway.fastcgi_records import Content, Kind, MalformedError, Status
from webpy_gateway.fastcgi_requests import AbortedError, Requests, report
from webpy_gateway.http1_head import RefusedError
from webpy_gateway.service import Service

LONGEST_LENGTH_DIGITS = 18
STDOUT = int(Kind.STDOUT)
# what a record of a body holds: lighttpd hands it on when all of it is there, so on a narrowed connection it has to fit
# into what the kernel takes at once
NARROW_CONTENT_BYTES = PIECE_BYTES - records.HEADER_BYTES
CONTENT_BYTES = 64 * 1024 - records.HEADER_BYTES

_bad_requests = log.Limited()


def serve(connection: Connection, service: Service) -> None:
    """One connection, from the first byte to the last."""
    requests = Requests(connection, service)
    try:
        while requests.begin():
            if not _answer(requests, connection, service):
                return
            if not requests.keep or service.draining:
                if not requests.over:
                    connection.linger()
                return
            connection.silent = True
    except MalformedError as error:
        report(error)
    except GoneError:
        pass  # nobody to tell


def _answer(requests: Requests, connection: Connection, service: Service) -> bool:
    """Answers the request that has begun. False: the answer could not be completed, so the connection must be cut."""
    framing = Answer(requests.active, connection, keep=requests.keep and not service.draining)
    environ = service.environ.copy()
    environ["REMOTE_ADDR"] = connection.peer
    try:
        fastcgi_environ.fill(environ, requests.params())
        environ["wsgi.input"] = _body(requests, environ.get("CONTENT_LENGTH", ""))
    except AbortedError:
        connection.send(records.end_request(requests.active, Status.REQUEST_COMPLETE))
        return True
    except RefusedError as refused:
        return _refuse(refused, framing, connection)
    connection.silent = False
    return exchange.run(service.application, environ, framing, connection)


def _body(requests: Requests, declared: str) -> io.IOBase:
    """The body as a file. One that is not announced must not be there."""
    if declared and not (declared.isascii() and declared.isdigit()):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "bad CONTENT_LENGTH")
    if len(declared) > LONGEST_LENGTH_DIGITS:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "far too large")
    length = int(declared or 0)
    if length:
        return Stdin(requests.body(length), length)
    if requests.stdin():
        raise RefusedError(HTTPStatus.BAD_REQUEST, "STDIN is longer than CONTENT_LENGTH")
    return io.BytesIO()


def _refuse(refused: RefusedError, framing: "Answer", connection: Connection) -> bool:
    """Answers and logs without a word of the request itself, which may hold a secret."""
    _bad_requests.event("refused a malformed request", reason=refused.reason)

    def refusal(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return answers.refuse(environ, start_response, refused.code, refused.code.phrase.lower())

    environ: dict[str, Any] = {"REQUEST_METHOD": "GET"}
    return exchange.run(refusal, environ, framing, connection)


class Answer:
    """An answer as CGI has it, in records. `keep`: whether another one may follow it on the connection."""

    __slots__ = ("_connection", "_content_bytes", "_number", "keep")

    def __init__(self, number: int, connection: Connection, *, keep: bool) -> None:
        self._number = number
        self._connection = connection
        self._content_bytes = 0
        self.keep = keep

    def head(self, status: bytes, fields: bytes, first: bytes, *, sized: bool) -> bytes:
        """The head and what goes with it. The end of the body is marked in any case."""
        return records.stream(STDOUT, self._number, b"Status: %b\r\n%b\r\n%b" % (status, fields, first))

    def parts(self, data: bytes) -> list[Content]:
        """The next bytes of the body."""
        if not self._content_bytes:
            # lighttpd keeps 64 KiB of a body in memory, and writes to a file what it finds waiting beyond that
            self._content_bytes = NARROW_CONTENT_BYTES if self._connection.narrow() else CONTENT_BYTES
        return records.parts(STDOUT, self._number, data, self._content_bytes)

    def end(self) -> bytes:
        """The end. An answer that is cut off has none, which is how lighttpd can tell."""
        return _end(self._number)


@lru_cache(64)
def _end(number: int) -> bytes:
    return records.record(STDOUT, number) + records.end_request(number, Status.REQUEST_COMPLETE)
