"""Layer that reads the request's body before the application runs: bounded, complete and rewindable."""

import io
import tempfile
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import IO
from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

from webpy_gateway import answers
from webpy_gateway.deadlines import Deadlines, LateError

IN_MEMORY_BYTES = 256 * 1024
BLOCK_BYTES = 64 * 1024
LONGEST_LENGTH_DIGITS = 18


class _BodyError(Exception):
    def __init__(self, code: HTTPStatus, error: str) -> None:
        super().__init__(error)
        self.code = code


def layer(most: int, seconds: float) -> Callable[[WSGIApplication], WSGIApplication]:
    """Answers 413 above `most` bytes, 400 for a broken body and 408 for one that takes longer than `seconds`.

    lighttpd has the whole body before it connects, so waiting for it costs nothing, and no application is left
    half-way when a client goes away. Large bodies are held in a temporary file.
    """

    deadlines = Deadlines(seconds)

    def wrap(application: WSGIApplication) -> WSGIApplication:
        def bounded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            length = environ.get("CONTENT_LENGTH") or ""
            coding = environ.get("HTTP_TRANSFER_ENCODING", "")
            if not coding and length in ("", "0"):
                environ["wsgi.input"] = io.BytesIO()
                return application(environ, start_response)
            try:
                _receive(environ, length, coding, most, deadlines)
            except _BodyError as refused:
                return answers.refuse(environ, start_response, refused.code, str(refused))
            return application(environ, start_response)

        return bounded

    return wrap


def _receive(environ: WSGIEnvironment, length: str, coding: str, most: int, deadlines: Deadlines) -> None:
    expected = None if coding else _content_length(length, most)
    if coding and coding.lower() != "chunked":
        raise _BodyError(HTTPStatus.NOT_IMPLEMENTED, "unknown transfer coding")
    deadline = deadlines.begin()
    try:
        body, size = _read(environ["wsgi.input"], most if expected is None else expected, exact=expected is not None)
    except LateError as late:
        if late is not deadline:
            raise
        raise _BodyError(HTTPStatus.REQUEST_TIMEOUT, "the request body did not arrive in time") from None
    finally:
        deadlines.end(deadline)
    environ["wsgi.input"] = body
    environ["CONTENT_LENGTH"] = str(size)
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _content_length(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _BodyError(HTTPStatus.BAD_REQUEST, "bad Content-Length header")
    if len(text) > LONGEST_LENGTH_DIGITS or int(text) > most:
        raise _too_large(most)
    return int(text)


def _too_large(most: int) -> _BodyError:
    return _BodyError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request body is larger than {most} bytes")


def _read(stream: InputStream, most: int, *, exact: bool) -> tuple[IO[bytes], int]:
    """All of the stream, rewound, and its size. `exact`: it must have `most` bytes; else it may have fewer."""
    small = exact and most <= IN_MEMORY_BYTES
    body: IO[bytes] = io.BytesIO() if small else tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115
    size = 0
    # one byte more than allowed is enough to see that a body of unknown length is too large
    limit = most if exact else most + 1
    while size < limit:
        try:
            block = stream.read(min(BLOCK_BYTES, limit - size))
        except TimeoutError as error:
            raise _BodyError(HTTPStatus.REQUEST_TIMEOUT, "the request body did not arrive in time") from error
        except OSError as error:
            raise _BodyError(HTTPStatus.BAD_REQUEST, "the request body is broken or incomplete") from error
        if not block:
            break
        body.write(block)
        size += len(block)
    if size > most:
        raise _too_large(most)
    if exact and size < most:
        raise _BodyError(HTTPStatus.BAD_REQUEST, "the request body is broken or incomplete")
    body.seek(0)
    return body, size
