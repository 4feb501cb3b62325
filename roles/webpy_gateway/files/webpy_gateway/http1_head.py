"""The head of an HTTP/1 request: received within bounds, parsed by llhttp, made a WSGI environ (RFC 9112)."""

import re
import time
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from webpy_gateway.connection import StalledError
from webpy_gateway.http1_body import Source
from webpy_gateway.service import Service

LONGEST_REQUEST_LINE = 8 * 1024
LONGEST_HEAD = 32 * 1024
MOST_HEADERS = 100
RECEIVED_BYTES = 16 * 1024

# llhttp knows more versions and protocols than are served here
_REQUEST_LINE = re.compile(rb"(?:\r\n)?([A-Z-]+) ([!\"$-~]+) HTTP/1\.([01])\r\n")
_ABSOLUTE = re.compile(r"https?://([^/?@]+)(.*)", re.IGNORECASE)
# no complete head can begin with it: seen at once, not when the time is over
_BROKEN = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|\0")
_OWN_NAMES = {"CONTENT-TYPE": "CONTENT_TYPE", "CONTENT-LENGTH": "CONTENT_LENGTH"}


class RefusedError(Exception):
    """A request that cannot be served: the answer to it, and why."""

    def __init__(self, code: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def receive(source: Source, service: Service, seconds: float) -> bytes | None:
    """The next head, or None where the connection ends or stays silent for so long. Raises RefusedError, GoneError."""
    data, source.data = source.data, b""
    checked, until = 0, 0.0
    while (end := data.find(b"\r\n\r\n", max(0, checked - 2))) < 0:
        if data:
            _refuse_early(data, checked)
            checked = len(data) - 1
            now = time.monotonic()
            until = until or now + service.head_timeout
            seconds = until - now
        try:
            block = source.connection.receive(RECEIVED_BYTES, seconds)
        except StalledError:
            if not data:
                return None
            raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, "the head did not arrive in time") from None
        if not block:
            return None
        data += block
    end += 4
    source.data = data[end:]
    return data[:end]


def _refuse_early(data: bytes, checked: int) -> None:
    """Refuses what cannot become a good head any more, without waiting for its end."""
    if _BROKEN.search(data, checked):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "bare CR, bare LF or NUL")
    _demand_bounds(data)


def _demand_bounds(head: bytes) -> None:
    if head.find(b"\r\n", 2, LONGEST_REQUEST_LINE) < 0 and len(head) >= LONGEST_REQUEST_LINE:
        raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG, "the request line is too long")
    if len(head) > LONGEST_HEAD or head.count(b"\n") > MOST_HEADERS + 2:
        raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too large")


def parse(head: bytes, environ: dict[str, Any]) -> bool:
    """Fills the environ from a complete head; says whether the protocol is HTTP/1.1. Raises RefusedError."""
    _demand_bounds(head)
    line = _REQUEST_LINE.match(head)
    if not line:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "bad request line")
    fields = _Fields(environ)
    try:
        HttpRequestParser(fields).feed_data(head)
    except HttpParserUpgrade:
        pass  # HTTP is all that is spoken here, and a server may ignore the wish (RFC 9110, section 7.8)
    except HttpParserError as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, _reason(error)) from None
    method, target, minor = line.groups()
    modern = minor == b"1"
    environ["REQUEST_METHOD"] = method.decode()
    environ["SERVER_PROTOCOL"] = "HTTP/1.1" if modern else "HTTP/1.0"
    _demand_framing(fields, environ, modern=modern)
    set_target(target.decode(), environ)
    return modern


def set_target(target: str, environ: dict[str, Any]) -> None:
    """Sets path and query. Raises RefusedError."""
    path, _, environ["QUERY_STRING"] = _origin_form(target, environ).partition("?")
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1") if "%" in path else path


class _Fields:
    """Takes the header fields from llhttp into the environ."""

    __slots__ = ("_environ", "complete", "repeated_host")

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ
        self.repeated_host = False
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        key = _key(name)
        text = value.decode("latin-1").rstrip(" \t")
        if key not in self._environ:
            self._environ[key] = text
        elif key == "HTTP_HOST":
            self.repeated_host = True
        elif key:
            self._environ[key] += ("; " if key == "HTTP_COOKIE" else ",") + text

    def on_headers_complete(self) -> None:
        self.complete = True


@lru_cache(1024)
def _key(name: bytes) -> str:
    """The environ's key for a field, "" for one that is dropped: `X_A` would be mistaken for `X-A` (CGI, RFC 3875)."""
    upper = name.decode("latin-1").upper()
    return "" if "_" in upper else _OWN_NAMES.get(upper) or "HTTP_" + upper.replace("-", "_")


def _demand_framing(fields: _Fields, environ: dict[str, Any], *, modern: bool) -> None:
    """What RFC 9112 demands beyond llhttp (sections 3.2 and 6.1)."""
    if not fields.complete:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "not HTTP/1")
    if fields.repeated_host or (modern and not environ.get("HTTP_HOST")):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "not one Host header")
    if "HTTP_TRANSFER_ENCODING" in environ and not (modern and environ["HTTP_TRANSFER_ENCODING"].lower() == "chunked"):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "bad Transfer-Encoding header")
    if environ["REQUEST_METHOD"] == "CONNECT":
        raise RefusedError(HTTPStatus.NOT_IMPLEMENTED, "this is no tunnel")


def _origin_form(target: str, environ: dict[str, Any]) -> str:
    """Path and query of the target, whatever its form (RFC 9112, section 3.2)."""
    if target.startswith("/") or (target == "*" and environ["REQUEST_METHOD"] == "OPTIONS"):
        return target
    absolute = _ABSOLUTE.fullmatch(target)
    if not absolute:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "bad request target")
    host, path = str(absolute[1]), str(absolute[2])
    if str(environ.setdefault("HTTP_HOST", host)).lower() != host.lower():
        raise RefusedError(HTTPStatus.BAD_REQUEST, "two different hosts")
    return path if path.startswith("/") else "/" + path


def _reason(error: HttpParserError) -> str:
    # the words of llhttp itself: they name the rule and quote nothing of the request
    return str(error) or type(error).__name__
