"""Layer that reads the request's body before the application runs: bounded, complete and rewindable."""

import io
import tempfile
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import IO
from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

from webpy_gateway import answers
from webpy_gateway.deadlines import Deadlines, LateError
from webpy_gateway.request_body import BLOCK_BYTES, Block, RequestBody

# A body up to this size is held in memory.  One up to the next is, too, where what all requests of a worker share for
# that has room.  Any other is in a temporary file, to be written and read once more: a fifth fewer requests a second.
IN_MEMORY_BYTES = 256 * 1024
LARGEST_SHARING_BYTES = 1024 * 1024
SHARED_BYTES = 32 * 1024 * 1024
LONGEST_LENGTH_DIGITS = 18
SMALL_BYTES = 4 * 1024


class _BodyError(Exception):
    def __init__(self, code: HTTPStatus, error: str) -> None:
        super().__init__(error)
        self.code = code


def layer(most: int, seconds: float) -> Callable[[WSGIApplication], WSGIApplication]:
    """Answers 413 above `most` bytes, 400 for a broken body and 408 for one that takes longer than `seconds`.

    lighttpd has the whole body before it connects, so waiting for it costs nothing, and no application is left
    half-way when a client goes away. Large bodies are held in temporary files where many are held at once.
    """

    deadlines = Deadlines(seconds)

    def wrap(application: WSGIApplication) -> WSGIApplication:
        shared = SHARED_BYTES

        def bounded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            nonlocal shared
            length = environ.get("CONTENT_LENGTH") or ""
            coding = environ.get("HTTP_TRANSFER_ENCODING", "")
            if not coding and length in ("", "0"):
                environ["wsgi.input"] = io.BytesIO()
                return application(environ, start_response)
            taken = 0
            try:
                size = _demanded_size(length, coding, most)
                if size is not None and IN_MEMORY_BYTES < size <= min(LARGEST_SHARING_BYTES, shared):
                    taken = size
                    shared -= taken
                _receive(environ, size, most, deadlines, max(taken, IN_MEMORY_BYTES))
                return application(environ, start_response)
            except _BodyError as refused:
                return answers.refuse(environ, start_response, refused.code, str(refused))
            finally:
                shared += taken

        return bounded

    return wrap


def _demanded_size(length: str, coding: str, most: int) -> int | None:
    """The size that the body must have; None where only its end tells."""
    if not coding:
        return _content_length(length, most)
    if coding.lower() != "chunked":
        raise _BodyError(HTTPStatus.NOT_IMPLEMENTED, "unknown transfer coding")
    return None


def _receive(environ: WSGIEnvironment, size: int | None, most: int, deadlines: Deadlines, in_memory: int) -> None:
    deadline = deadlines.begin()
    try:
        body, received = _read(environ["wsgi.input"], size, most, in_memory)
    except LateError as late:
        if late is not deadline:
            raise
        raise _BodyError(HTTPStatus.REQUEST_TIMEOUT, "the request body did not arrive in time") from None
    finally:
        deadlines.end(deadline)
    environ["wsgi.input"] = body
    environ["CONTENT_LENGTH"] = str(received)
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _content_length(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _BodyError(HTTPStatus.BAD_REQUEST, "bad Content-Length header")
    if len(text) > LONGEST_LENGTH_DIGITS or int(text) > most:
        raise _too_large(most)
    return int(text)


def _too_large(most: int) -> _BodyError:
    return _BodyError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request body is larger than {most} bytes")


def _gather(blocks: list[Block | bytearray], small: Block) -> None:
    """Adds a small block to others, since one by itself takes more memory than it has bytes."""
    if blocks and isinstance(last := blocks[-1], bytearray):
        last += small
    else:
        blocks.append(bytearray(small))


def _read(stream: InputStream, exact: int | None, most: int, in_memory: int) -> tuple[IO[bytes], int]:
    """All of the stream, rewound, and its size, which must be the `exact` one where there is one.

    `in_memory`: what is larger goes to a file.
    """
    # joined in the end: a file in memory would be copied again and again while it grows, and once more to be read
    blocks: list[Block | bytearray] = []
    file = None if exact is not None and exact <= in_memory else tempfile.SpooledTemporaryFile(in_memory)  # noqa: SIM115
    size = 0
    # as the bytes come, where it is our own: to wait for full blocks would be to copy them together
    take = stream.block if isinstance(stream, RequestBody) else stream.read
    # one byte more than allowed is enough to see that a body of unknown length is too large
    limit = most + 1 if exact is None else exact
    while size < limit:
        try:
            block = take(min(BLOCK_BYTES, limit - size))
        except TimeoutError as error:
            raise _BodyError(HTTPStatus.REQUEST_TIMEOUT, "the request body did not arrive in time") from error
        except OSError as error:
            raise _BodyError(HTTPStatus.BAD_REQUEST, "the request body is broken or incomplete") from error
        if not block:
            break
        if file is not None:
            file.write(block)
        elif len(block) < SMALL_BYTES:
            _gather(blocks, block)
        else:
            blocks.append(block)
        size += len(block)
    if size > most:
        raise _too_large(most)
    if exact is not None and size < exact:
        raise _BodyError(HTTPStatus.BAD_REQUEST, "the request body is broken or incomplete")
    if file is None:
        return io.BytesIO(b"".join(blocks)), size
    file.seek(0)
    return file, size
