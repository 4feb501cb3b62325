"""Which protocol a connection speaks: its first byte tells, so that both are served at all times.

FastCGI's records begin with the byte 1, which no HTTP request can begin with. A change of lighttpd's configuration
needs no change of the workers' then, and a lighttpd that still runs with the old one is served as well.
"""

from webpy_gateway import fastcgi, http1
from webpy_gateway.connection import Connection, GoneError
from webpy_gateway.fastcgi_records import VERSION
from webpy_gateway.service import Serve, Service

RECEIVED_BYTES = 16 * 1024


def recognize(connection: Connection, service: Service) -> Serve | None:
    """Waits for the first bytes. None where there are none."""
    try:
        begun = connection.receive(RECEIVED_BYTES, service.head_timeout)
    except GoneError:
        return None
    if not begun:
        return None
    connection.unread(begun)
    return fastcgi.serve if begun[0] == VERSION else http1.serve
