"""Server-sent events: how many devices there are and when the last one was written, again and again."""
# ruff: noqa: N802  (web.py calls the method that is named like the HTTP method)

import json
import time
from collections.abc import Iterator

import web

from . import store
from .json_http import query_integer, query_number


class Events:
    """A stream of events."""

    def GET(self) -> Iterator[bytes]:
        """Stream `count` events, at most 600, one every `interval` seconds, at most 10."""
        count, interval = query_integer("count", 10, 1, 600), query_number("interval", 1.0, 0, 10)
        self.HEAD()
        return stream(count, interval)

    def HEAD(self) -> bytes:
        """Set the headers; web.py would stream for HEAD as for GET."""
        web.header("Content-Type", "text/event-stream")
        web.header("Cache-Control", "no-cache")
        return b""


def stream(count: int, interval: float) -> Iterator[bytes]:
    """Yield each event when it is due: what a generator yields goes to the client at once."""
    for number in range(1, count + 1):
        if number > 1:
            time.sleep(interval)
        devices, changed = store.summary()
        event = {"number": number, "time": store.now(), "devices": devices, "changed": changed}
        yield f"event: inventory\ndata: {json.dumps(event)}\n\n".encode()
