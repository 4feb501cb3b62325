"""One request and its answer under the rules of PEP 3333, whatever the protocol on the wire."""

import re
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Protocol
from wsgiref.types import WSGIApplication, WSGIEnvironment

from gevent import GreenletExit

from webpy_gateway import answers, errors, log, requestid, streams
from webpy_gateway.connection import Connection, GoneError

# a small answer goes out in one write together with its head
JOINED_BYTES = 64 * 1024
# of the connection between this gateway and its proxy: not the application's to set (PEP 3333, "Other HTTP Features")
# ("Status" is how CGI says the status: wsgiref's validator forbids it too)
OF_THE_CONNECTION = frozenset(
    {"connection", "keep-alive", "proxy-connection", "status", "te", "trailer", "transfer-encoding", "upgrade"}
)
# one that the application chose would hide the request from who looks for it in the log
DROPPED = OF_THE_CONNECTION | {"x-request-id"}
WITHOUT_BODY = (b"204", b"304")

_STATUS = re.compile(r"[2-5][0-9]{2} [\t -~\x80-\xff]*")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Framing(Protocol):
    """How a protocol puts an answer on the wire. `keep`: whether another answer may follow it, known with its head."""

    keep: bool

    def head(self, status: bytes, fields: bytes, first: bytes, *, sized: bool) -> bytes:
        """The head and the first bytes of the body, perhaps none.

        `fields`: complete `Name: value` lines. Not `sized`: the end of the body must be marked.
        """

    def parts(self, data: bytes) -> list[bytes | memoryview]:
        """The next bytes of the body, never empty, and what goes with them, in the order in which they are sent."""

    def end(self) -> bytes:
        """What marks the end of a complete answer, with or without a body."""


class BrokenAnswerError(Exception):
    """The application's answer contradicts itself."""


def run(application: WSGIApplication, environ: WSGIEnvironment, framing: Framing, connection: Connection) -> bool:
    """Answers one request, by its id. False: the answer could not be completed, so the connection must be cut."""
    identity = requestid.give(environ)
    exchange = _Exchange(framing, connection, identity, head_only=environ["REQUEST_METHOD"] == "HEAD")
    result: Iterable[bytes] | None = None
    try:
        try:
            result = application(environ, exchange.start_response)
            exchange.answer(result)
        finally:
            if type(result) is not list:
                streams.close(result)
    except (GoneError, GreenletExit):
        return False
    except BaseException as error:
        if not environ.get(errors.REPORTED):
            log.exception("uncaught exception of the gateway", error, environ)
        return exchange.complete or _give_up(exchange, environ)
    return exchange.complete


def _give_up(exchange: "_Exchange", environ: WSGIEnvironment) -> bool:
    """Answers the exception that is being handled, where nothing is out yet."""
    if exchange.out:
        return False
    code, text = HTTPStatus.INTERNAL_SERVER_ERROR, "internal server error"
    try:
        answer = answers.refuse(environ, exchange.start_response, code, text, exc_info=sys.exc_info())
        exchange.answer(answer)
    except GoneError:
        return False
    return True


class _Exchange:
    """What is known of one answer, and what of it is out."""

    __slots__ = (
        "_bodiless",
        "_connection",
        "_fields",
        "_framing",
        "_head_only",
        "_identity",
        "_left",
        "_status",
        "complete",
        "out",
    )

    def __init__(self, framing: Framing, connection: Connection, identity: str, *, head_only: bool) -> None:
        self._framing = framing
        self._connection = connection
        self._identity = identity
        self._head_only = head_only
        self._bodiless = head_only
        self._status = b""
        self._fields = b""
        # bytes that the declared length still promises; None: no length is declared
        self._left: int | None = None
        self.out = False
        self.complete = False

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        """Takes the answer's head, which goes out with the first bytes. Raises what PEP 3333 forbids."""
        if exc_info:
            if self.out:
                raise exc_info[1].with_traceback(exc_info[2])
        elif self._status:
            raise AssertionError("start_response was called a second time without exc_info")
        line = _status_line(status)
        without_body = line[:3] in WITHOUT_BODY
        lines = [f"X-Request-Id: {self._identity}\r\n"]
        length = None
        for name, value in headers:
            known = _known(name)
            if known in DROPPED or (known == "content-length" and without_body):
                continue
            if _FORBIDDEN.search(value):
                raise ValueError(f"forbidden characters in the value of {name}")
            if known == "content-length":
                if length is not None or not (value.isascii() and value.isdigit()):
                    raise ValueError(f"bad or repeated Content-Length: {value[:100]!r}")
                length = int(value)
            lines.append(f"{name}: {value}\r\n")
        self._fields = "".join(lines).encode("latin-1")
        self._status, self._left = line, length
        self._bodiless = self._head_only or without_body
        return self.write

    def write(self, data: bytes) -> None:
        """Sends the next bytes, with the head before the first ones."""
        self._check(data)
        if not data or (self._bodiless and self.out):
            return
        kept = data if self._left is None or self._bodiless else data[: self._left]
        if not self.out:
            self._send_head(b"" if self._bodiless else kept)
        elif kept:
            self._connection.send_parts(self._framing.parts(kept))
        if self._left is not None and not self._bodiless:
            self._left -= len(kept)
            if len(kept) < len(data):
                raise BrokenAnswerError("the application gave more bytes than its Content-Length")

    def answer(self, result: Iterable[bytes]) -> None:
        """Sends what the application returned: a list at once, anything else as it comes."""
        if (type(result) is list or type(result) is tuple) and not self.out:
            self._send_whole(result[0] if len(result) == 1 else b"".join(result))
            return
        for chunk in result:
            self.write(chunk)
            if self.out and self._bodiless:
                break  # its first bytes showed that the answer is no error; nobody wants the others
        if self.out:
            self._finish()
        else:
            self._send_whole(b"")

    def _check(self, data: object) -> None:
        if type(data) is not bytes:
            raise TypeError(f"the application gave {type(data).__name__} instead of bytes")
        if not self._status:
            raise AssertionError("the application did not call start_response")

    def _send_whole(self, data: bytes) -> None:
        self._check(data)
        if self._left is None and (data or not self._head_only) and self._status[:3] not in WITHOUT_BODY:
            self._fields += b"Content-Length: %d\r\n" % len(data)
            self._left = len(data)
        if self._bodiless:
            data = b""
        elif self._left != len(data):
            raise BrokenAnswerError(f"the application gave {len(data)} bytes with a Content-Length of {self._left}")
        self._send_head(data, self._framing.end(), whole=True)
        self.complete = True

    def _send_head(self, data: bytes, end: bytes = b"", *, whole: bool = False) -> None:
        self.out = True
        sized = self._bodiless or self._left is not None
        joined = len(data) <= JOINED_BYTES
        head = self._framing.head(self._status, self._fields, data if joined else b"", sized=sized)
        if joined:
            self._connection.send(head + end, last=whole and not self._framing.keep)
        else:
            self._connection.send_parts([head, *self._framing.parts(data), end])

    def _finish(self) -> None:
        if self._left and not self._bodiless:
            raise BrokenAnswerError(f"the application gave {self._left} bytes fewer than its Content-Length")
        if end := self._framing.end():
            self._connection.send(end)
        self.complete = True


@lru_cache(64)
def _status_line(status: str) -> bytes:
    """The status as it is sent. An answer to a request is no interim one (RFC 9110, section 15.2)."""
    if not _STATUS.fullmatch(status):
        raise ValueError(f"bad status: {status[:100]!r}")
    return status.encode("latin-1")


@lru_cache(1024)
def _known(name: str) -> str:
    """The name in lower case. Raises ValueError where it is no token (RFC 9110, section 5.6.2)."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"bad header name: {name[:100]!r}")
    return name.lower()
