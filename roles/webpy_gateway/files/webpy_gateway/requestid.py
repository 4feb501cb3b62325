"""Outermost layer: gives every request an id, which is in its answer, in the log and in the environ."""

from collections.abc import Iterable
from random import Random
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

KEY = "webpy_gateway.request_id"

# it names requests and guards nothing: seeded once by the system, so that no request has to ask the kernel
_random = Random()


def new() -> str:
    """A fresh id: 16 hex digits."""
    return f"{_random.getrandbits(64):016x}"


def layer(application: WSGIApplication) -> WSGIApplication:
    """Adds `X-Request-Id` to every answer; an id that the client or the application chose never replaces it."""

    def identified(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        identity = environ[KEY] = environ["HTTP_X_REQUEST_ID"] = new()

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
            marked = [header for header in headers if header[0].lower() != "x-request-id"]
            marked.append(("X-Request-Id", identity))
            return start_response(status, marked, exc_info) if exc_info else start_response(status, marked)

        return application(environ, start)

    return identified
