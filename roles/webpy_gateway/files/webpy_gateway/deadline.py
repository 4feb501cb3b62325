"""Layer that answers 504 when the application has not started its answer in time."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from webpy_gateway import answers, log, streams
from webpy_gateway.deadlines import Deadlines


def layer(seconds: float) -> Callable[[WSGIApplication], WSGIApplication]:
    """Ends the application's call `seconds` after it began, unless start_response was called; streams go on."""

    deadlines = Deadlines(seconds)

    def wrap(application: WSGIApplication) -> WSGIApplication:
        def timed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            started = False

            def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
                nonlocal started
                if not started and not deadlines.end(late):
                    raise late  # a bare `except:` caught it: too late all the same
                started = True
                return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

            result: Iterable[bytes] | None = None
            late = deadlines.begin()
            try:
                result = application(environ, start)
                # a generator that starts its answer with its first bytes is within the same time
                return result if started else streams.begun(result)
            except BaseException as error:
                streams.close(result)
                if error is not late:
                    raise
                message = f"no answer in time: answered 504 {log.request(environ)}"
                log.event(message, seconds=seconds, at=log.place(error))
                return answers.refuse(environ, start_response, HTTPStatus.GATEWAY_TIMEOUT, "no answer in time")
            finally:
                deadlines.end(late)

        return timed

    return wrap
