"""What every connection of a worker is served with, whatever the protocol on the wire."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import WSGIApplication

from webpy_gateway.connection import Connection


def _environ() -> dict[str, Any]:
    """What is the same for all requests (PEP 3333). The Host header of each replaces the server's name."""
    return {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_SOFTWARE": "webpy_gateway",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }


@dataclass(slots=True, kw_only=True)
class Service:
    """The application, the environ that all requests begin with, and how long to wait (seconds)."""

    application: WSGIApplication
    # for a request's head, from its connection's or its own first byte on
    head_timeout: float
    # for the next request on a connection that is kept
    idle_timeout: float
    environ: dict[str, Any] = field(default_factory=_environ)
    # no further request is taken from a connection
    draining: bool = False


# one connection, from the first byte to the last; who calls it closes the connection
Serve = Callable[[Connection, Service], None]
