"""Layer that answers 504 when the application has not started its answer in time."""

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from itertools import chain
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from gevent import Timeout

from webpy_gateway import answers, log


def layer(seconds: float) -> Callable[[WSGIApplication], WSGIApplication]:
    """Ends the application's call `seconds` after it began, unless start_response was called; streams go on."""

    def wrap(application: WSGIApplication) -> WSGIApplication:
        def timed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            # a BaseException, so that `except Exception` in the application cannot take it for one of its own
            timer = Timeout(seconds)
            started = False

            def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
                nonlocal started
                if not started and not timer.pending:
                    raise timer  # a bare `except:` caught it: too late all the same
                timer.close()
                started = True
                return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

            result: Iterable[bytes] | None = None
            timer.start()
            try:
                result = application(environ, start)
                # a generator that starts its answer with its first bytes is within the same time
                return result if started else _begun(result)
            except BaseException as error:
                _close(result)
                if error is not timer:
                    raise
                message = f"no answer in time: answered 504 {log.request(environ)}"
                log.event(message, seconds=seconds, at=log.place(error))
                return answers.refuse(environ, start_response, HTTPStatus.GATEWAY_TIMEOUT, "no answer in time")
            finally:
                timer.close()

        return timed

    return wrap


def _begun(result: Iterable[bytes]) -> Iterable[bytes]:
    if type(result) is list or type(result) is tuple:
        return result
    chunks = iter(result)
    first = list(_first(chunks))
    return _Begun(chain(first, chunks), result)


def _first(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        return


class _Begun:
    """An iterable whose first chunk was taken already."""

    def __init__(self, chunks: Iterator[bytes], inner: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Closes the iterable it stands for."""
        _close(self._inner)


def _close(result: Iterable[bytes] | None) -> None:
    close = getattr(result, "close", None)
    if close is not None:
        close()
