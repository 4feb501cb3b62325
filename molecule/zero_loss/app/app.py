"""The application under load: every answer says which version gave it, and can be checked to the last byte."""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

from version import VERSION

Answer = dict[str, object] | Iterator[bytes]


def echo(environ: WSGIEnvironment, query: dict[str, str]) -> Answer:
    """Answer after `seconds`, with the number that was asked for."""
    time.sleep(float(query.get("seconds", 0)))
    return {"number": query["number"]}


def upload(environ: WSGIEnvironment, query: dict[str, str]) -> Answer:
    """Tell length and digest of the body that arrived."""
    digest, length = hashlib.sha256(), 0
    while block := environ["wsgi.input"].read(65536):
        digest.update(block)
        length += len(block)
    return {"number": query["number"], "length": length, "sha256": digest.hexdigest()}


def stream(environ: WSGIEnvironment, query: dict[str, str]) -> Answer:
    """Send `chunks` lines, `seconds` in all; each is numbered, and names the version that the stream began with."""

    def lines() -> Iterator[bytes]:
        chunks = int(query["chunks"])
        for chunk in range(chunks):
            yield f"{VERSION} {query['number']} {chunk} of {chunks}\n".encode()
            time.sleep(float(query["seconds"]) / chunks)

    return lines()


def spin(environ: WSGIEnvironment, query: dict[str, str]) -> Answer:
    """Compute for so many seconds, and let no other request of this worker go on meanwhile."""
    end = time.monotonic() + float(query["seconds"])
    while time.monotonic() < end:
        pass
    return {"number": query["number"]}


PATHS = {"/webpy_api/echo": echo, "/webpy_api/upload": upload, "/webpy_api/stream": stream, "/webpy_api/spin": spin}


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Plain WSGI; PATHS says what there is."""
    answer = PATHS[environ["PATH_INFO"]](environ, dict(parse_qsl(environ["QUERY_STRING"])))
    if isinstance(answer, Iterator):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return answer
    body = json.dumps(answer | {"version": VERSION}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
