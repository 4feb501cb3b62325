"""Writes down exactly what reaches it, broken requests too; and has answers of two sizes for those who measure.

    GET /api/seen      all of it, as a JSON list: client, method, path, query, headers, body (latin-1; null: it broke)
    DELETE /api/seen   forgets it
    GET /api/fast      a few bytes
    GET /api/large     LARGE of them
    GET /api/late      a few bytes, after as many seconds as the query says, PAUSE where there is none
    GET /api/halting   a few bytes before such a pause, and a few after it
Everything else is written down and answered with 200.
"""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

LARGE = 128 * 1024
PAUSE = 10.0  # longer than a client may be silent
PAUSING = ("/api/late", "/api/halting")
SEEN = Path(os.environ["STATE_DIRECTORY"], "seen")  # of all workers


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer what the head of this file says."""
    pause = float(environ["QUERY_STRING"] or PAUSE) if environ["PATH_INFO"] in PAUSING else 0
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "GET", "/api/seen":
            body = ("[" + ",".join(SEEN.read_text().splitlines() if SEEN.exists() else []) + "]").encode()
        case "DELETE", "/api/seen":
            SEEN.unlink(missing_ok=True)
            body = b"null"
        case "GET", "/api/fast":
            body = b"true"
        case "GET", "/api/large":
            body = b'"' + b"x" * (LARGE - 2) + b'"'
        case "GET", "/api/late":
            time.sleep(pause)
            body = b"true"
        case "GET", "/api/halting":
            start_response("200 OK", [("Content-Type", "application/json")])
            return halting(pause)
        case _:
            body = record(environ)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]


def halting(pause: float) -> Iterable[bytes]:
    """Yield the halves of an answer."""
    yield b"[true,"
    time.sleep(pause)
    yield b"true]"


def record(environ: WSGIEnvironment) -> bytes:
    """Write a request down. Raises OSError, as the body does, where it is broken."""
    seen = {
        "client": environ["REMOTE_ADDR"],
        "scheme": environ["wsgi.url_scheme"],
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "query": environ["QUERY_STRING"],
        "headers": {key: value for key, value in environ.items() if key.startswith(("HTTP_", "CONTENT_"))},
        "body": None,
    }
    try:
        seen["body"] = environ["wsgi.input"].read().decode("latin-1")
    finally:
        line = json.dumps(seen).encode()
        file = os.open(SEEN, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line + b"\n")  # at once: workers write side by side
        finally:
            os.close(file)
    return line
