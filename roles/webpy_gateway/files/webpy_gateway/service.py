"""What every connection of a worker is served with, whatever the protocol on the wire."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import WSGIApplication

from webpy_gateway.connection import Connection


@dataclass(slots=True, kw_only=True)
class Service:
    """The application, the environ that all requests begin with, and how long to wait (seconds)."""

    application: WSGIApplication
    # for a request's head, from its connection's or its own first byte on
    head_timeout: float
    # for the next request on a connection that is kept
    idle_timeout: float
    environ: dict[str, Any] = field(default_factory=dict)
    # no further request is taken from a connection
    draining: bool = False


# one connection, from the first byte to the last; who calls it closes the connection
Serve = Callable[[Connection, Service], None]
