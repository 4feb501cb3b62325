"""The application behind every path that is measured: what it does itself costs next to nothing.

`application` is for webpy_gateway_app_object; `wsgi` is the same as a WSGI callable, for gunicorn and uWSGI.
"""

# ruff: noqa: N802 -- web.py looks for methods of these names

import json
import time
from typing import Any

import web

web.config.debug = False

MEBIBYTE = b"x" * 2**20

urls = (
    "/webpy_api/fast", "Fast",
    "/webpy_api/orders", "Orders",
    "/webpy_api/upload", "Upload",
    "/webpy_api/download", "Download",
    "/webpy_api/wait/([0-9]+)", "Wait",
)  # fmt: skip


def as_json(content: Any) -> str:
    """Marks the answer as JSON and returns it."""
    web.header("Content-Type", "application/json")
    return json.dumps(content)


class Fast:
    """The least that an API answers."""

    def GET(self) -> str:
        """Returns a constant."""
        return as_json({"ok": True})


class Orders:
    """A typical small JSON request."""

    def POST(self) -> str:
        """Returns the sum of the order that was posted."""
        lines = json.loads(web.data())["lines"]
        return as_json({"lines": len(lines), "total": sum(line["pieces"] * line["price"] for line in lines)})


class Upload:
    """A large request."""

    def POST(self) -> str:
        """Returns the number of bytes that arrived."""
        return as_json({"bytes": len(web.data())})


class Download:
    """A large answer."""

    def GET(self) -> bytes:
        """Returns one MiB."""
        web.header("Content-Type", "application/octet-stream")
        return MEBIBYTE


class Wait:
    """An application that waits for something else, as most do."""

    def GET(self, milliseconds: str) -> str:
        """Returns after so many milliseconds."""
        time.sleep(int(milliseconds) / 1000)
        return as_json({"ok": True})


application = web.application(urls, globals(), autoreload=False)
wsgi = application.wsgifunc()
