"""HTTP/1.1 and HTTP/1.0 on one connection (RFC 9112): what the standard forbids is refused, never guessed."""

from webpy_gateway.connection import Connection
from webpy_gateway.service import Service


def serve(connection: Connection, service: Service) -> None:
    """One connection, from the first byte to the last."""
    raise NotImplementedError
