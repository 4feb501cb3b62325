"""Layer that turns an uncaught exception of what lies inside into a logged, plain JSON 500."""

import sys
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from gevent import GreenletExit

from webpy_gateway import answers, log

REPORTED = "webpy_gateway.reported"
_END = object()


def layer(application: WSGIApplication) -> WSGIApplication:
    """Answers exceptions as long as no byte of the answer is out; logs and re-raises them after that (PEP 3333)."""

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        exchange = _Exchange(environ, start_response)
        try:
            result = application(environ, exchange.start)
            if type(result) is list or type(result) is tuple:
                for chunk in result:
                    exchange.check(chunk)
                if not result:
                    exchange.check(b"")
                return result
            return _Guarded(exchange, result)
        except BaseException as error:
            return exchange.fail(error)

    return guarded


class _Exchange:
    """What is known of one answer: whether it was started, whether bytes are out, and who broke it."""

    __slots__ = ("_connection_error", "_environ", "_start_response", "_started", "bytes_out")

    def __init__(self, environ: WSGIEnvironment, start_response: StartResponse) -> None:
        self._environ = environ
        self._start_response = start_response
        self._started = False
        self._connection_error: BaseException | None = None
        self.bytes_out = False

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
        arguments = (status, headers, exc_info) if exc_info else (status, headers)
        write = self._start_response(*arguments)
        self._started = True

        def checked_write(data: bytes) -> object:
            self.check(data)
            try:
                self.bytes_out = self.bytes_out or bool(data)
                return write(data)
            except OSError as error:
                self._connection_error = error
                raise

        return checked_write

    def check(self, chunk: object) -> None:
        """Raises what PEP 3333 forbids, while it can still be told from a broken connection."""
        if type(chunk) is not bytes:
            raise TypeError(f"the application returned {type(chunk).__name__} instead of bytes")
        if not self._started:
            raise AssertionError("the application did not call start_response")

    def fail(self, error: BaseException) -> Iterable[bytes]:
        """Answers the exception that is being handled, or raises it when that is too late."""
        if error is self._connection_error:
            raise error  # nobody is left to answer, and it is no fault of the application
        if isinstance(error, GreenletExit):
            if self.bytes_out:
                raise error
            code, text = HTTPStatus.SERVICE_UNAVAILABLE, "the gateway is stopping"
            return self._refuse(code, text, [("Retry-After", "1")])
        log.exception("uncaught exception of the application", error, self._environ)
        self._environ[REPORTED] = True
        if self.bytes_out:
            raise error
        return self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "internal server error")

    def _refuse(self, code: HTTPStatus, text: str, headers: Iterable[tuple[str, str]] = ()) -> Iterable[bytes]:
        return answers.refuse(self._environ, self._start_response, code, text, headers, exc_info=sys.exc_info())

    def fail_close(self, error: BaseException) -> None:
        """Only logs: the answer is complete or lost already."""
        log.exception("exception while the application closed its answer", error, self._environ)


class _Guarded:
    """The application's iterable, with its exceptions answered and its close() always called."""

    def __init__(self, exchange: _Exchange, inner: Iterable[bytes]) -> None:
        self._exchange = exchange
        self._inner = inner
        self._chunks: Iterator[bytes] = iter(inner)
        self._any = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks, _END)
            if chunk is not _END:
                self._exchange.check(chunk)
            elif not self._any:
                self._exchange.check(b"")
        except BaseException as error:
            self._chunks = iter(self._exchange.fail(error))
            chunk = next(self._chunks)
        if not isinstance(chunk, bytes):
            raise StopIteration
        self._any = True
        self._exchange.bytes_out = self._exchange.bytes_out or bool(chunk)
        return chunk

    def close(self) -> None:
        """Closes the application's iterable; what it raises is logged only."""
        inner, self._inner = self._inner, ()
        close = getattr(inner, "close", None)
        if close is not None:
            try:
                close()
            except GreenletExit:
                raise
            except BaseException as error:
                self._exchange.fail_close(error)
