"""What FastCGI's parameters say of a request, as the WSGI environ that the same request has over HTTP."""

import re
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from webpy_gateway.fastcgi_records import RepeatedError, parse_pairs
from webpy_gateway.forwarded import IDENTITY
from webpy_gateway.http1_head import LONGEST_HEAD, LONGEST_REQUEST_LINE, MOST_HEADERS, RefusedError, set_target

# a parameter of their own says it, or it is of the client's connection, which HTTP does not pass on either
NOT_PASSED = IDENTITY | {"HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_SET_COOKIE", "HTTP_TRANSFER_ENCODING"}

_METHOD = re.compile(r"[A-Z-]+")
_TARGET = re.compile(r"[!\"$-~]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def fill(environ: dict[str, Any], params: bytes) -> None:
    """Fills the environ, but for the body. Raises RefusedError, MalformedError.

    What else a web server says (RFC 3875, section 4.1) is left out: it is about its files, not about the request.
    """
    try:
        given = parse_pairs(params)
    except RepeatedError:
        # lighttpd joins what a client repeats, so these are X-Name and X_Name, which CGI cannot tell apart
        raise RefusedError(HTTPStatus.BAD_REQUEST, "header names that CGI cannot tell apart") from None
    headers = {name: given[name] for name in _headers(tuple(given))}
    if len(params) > LONGEST_HEAD and sum(len(name) + len(value) for name, value in headers.items()) > LONGEST_HEAD:
        raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too large")
    values = "".join(given.values())
    # what is printable has no controls, and is told faster
    if not values.isprintable() and _CONTROLS.search(values):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "forbidden characters")
    method, target = given.get("REQUEST_METHOD", ""), given.get("REDIRECT_URI") or given.get("REQUEST_URI", "")
    if not _METHOD.fullmatch(method) or not _TARGET.fullmatch(target):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "bad method or target")
    if len(target) > LONGEST_REQUEST_LINE:
        raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG, "the target is too long")
    environ.update(headers)
    environ["REQUEST_METHOD"] = method
    # the version that lighttpd speaks to an HTTP backend, whatever the client's
    environ["SERVER_PROTOCOL"] = "HTTP/1.1" if "HTTP_HOST" in headers else "HTTP/1.0"
    set_target(target, environ)
    if "CONTENT_TYPE" in given:
        environ["CONTENT_TYPE"] = given["CONTENT_TYPE"]
    length = given.get("CONTENT_LENGTH", "")
    # lighttpd says 0 also of requests that say nothing
    if length and (length != "0" or "HTTP_CONTENT_LENGTH" in given or method not in ("GET", "HEAD")):
        environ["CONTENT_LENGTH"] = length
    # in the words of an HTTP proxy, for whom the layer `forwarded` is made
    environ["HTTP_X_FORWARDED_FOR"] = given.get("REMOTE_ADDR", "")
    environ["HTTP_X_FORWARDED_PROTO"] = given.get("REQUEST_SCHEME", "")


@lru_cache(64)
def _headers(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are a request's own header fields. Raises RefusedError."""
    headers = tuple(name for name in names if name[:5] == "HTTP_" and name not in NOT_PASSED)
    joined = "".join(headers)
    if headers and not (joined.isascii() and joined.isupper() and joined.isidentifier()):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "a header name that is none of CGI")
    if len(headers) > MOST_HEADERS:
        raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too many headers")
    return headers
