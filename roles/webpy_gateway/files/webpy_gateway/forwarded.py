"""Step that turns what the proxy says about the client into the environ, with one address: the true one."""

import re
import socket
from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment

from webpy_gateway import answers

# other spellings of client, host or proxy: lighttpd drops them from what a client sends; but a client may still say
# X_Name, which is the same in FastCGI
IDENTITY = frozenset(
    {
        "HTTP_CF_CONNECTING_IP",
        "HTTP_CLIENT_IP",
        "HTTP_FORWARDED",
        "HTTP_FRONT_END_HTTPS",
        "HTTP_PROXY",
        "HTTP_REMOTE_USER",
        "HTTP_SCRIPT_NAME",
        "HTTP_TRUE_CLIENT_IP",
        "HTTP_X_CLIENT_IP",
        "HTTP_X_CLUSTER_CLIENT_IP",
        "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_HOST",
        "HTTP_X_FORWARDED_PORT",
        "HTTP_X_FORWARDED_PREFIX",
        "HTTP_X_FORWARDED_PROTO",
        "HTTP_X_FORWARDED_SCHEME",
        "HTTP_X_FORWARDED_SERVER",
        "HTTP_X_FORWARDED_SSL",
        "HTTP_X_FORWARDED_USER",
        "HTTP_X_HOST",
        "HTTP_X_HTTP_METHOD_OVERRIDE",
        "HTTP_X_ORIGINAL_HOST",
        "HTTP_X_ORIGINAL_URL",
        "HTTP_X_REAL_IP",
        "HTTP_X_REMOTE_USER",
        "HTTP_X_REWRITE_URL",
        "HTTP_X_SCRIPT_NAME",
        "HTTP_X_URL_SCHEME",
    }
)
# about the connection between two neighbours, not about the request
CONNECTION = ("REMOTE_PORT", "HTTP_CONNECTION", "HTTP_KEEP_ALIVE", "HTTP_TE", "HTTP_UPGRADE", "HTTP_PROXY_CONNECTION")
HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(?::([0-9]{1,5}))?")
DEFAULT_PORTS = {"http": "80", "https": "443"}


def step(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
    """Sets REMOTE_ADDR, wsgi.url_scheme, HTTPS, SERVER_NAME and SERVER_PORT; removes the headers they came from."""
    # lighttpd drops the client's own header and appends last: only the last member is lighttpd's word
    address = _last(environ.get("HTTP_X_FORWARDED_FOR", ""))
    if _is_address(address):
        environ["REMOTE_ADDR"] = address
    environ.setdefault("REMOTE_ADDR", "")  # a unix socket has none
    scheme = "https" if _last(environ.get("HTTP_X_FORWARDED_PROTO", "")).lower() == "https" else "http"
    environ["wsgi.url_scheme"] = scheme
    environ.pop("HTTPS", None)
    if scheme == "https":
        environ["HTTPS"] = "on"
    for key in _not_for_the_application(tuple(environ)):
        del environ[key]
    host = environ.get("HTTP_HOST")
    if host:
        name, port = _split(host)
        if not name:
            return answers.refuse(environ, start_response, HTTPStatus.BAD_REQUEST, "bad Host header")
        environ["SERVER_NAME"] = name
        environ["SERVER_PORT"] = port or DEFAULT_PORTS[scheme]
    return None


@lru_cache(64)  # most clients send the same fields in the same order
def _not_for_the_application(keys: tuple[str, ...]) -> list[str]:
    return [key for key in keys if key in IDENTITY or key in CONNECTION or key.startswith("HTTP_X_FORWARDED_")]


@lru_cache(256)
def _split(host: str) -> tuple[str, str | None]:
    """Name and port, where there is one; an empty name where the header is malformed."""
    match = HOST.fullmatch(host)
    return (match[1], match[2]) if match else ("", None)


def _last(value: str) -> str:
    return value.rpartition(",")[2].strip()


@lru_cache(1024)
def _is_address(text: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except (OSError, ValueError):
            continue
        return True
    return False
