"""Layer that holds at most so many requests at once and refuses more at once, instead of slowing down for all."""

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from webpy_gateway import answers, log

RETRY_AFTER_SECONDS = "1"


def layer(most: int) -> Callable[[WSGIApplication], WSGIApplication]:
    """Answers 503 with Retry-After while `most` requests are held; a stream is held until it is closed."""

    def wrap(application: WSGIApplication) -> WSGIApplication:
        held = 0
        full = log.Limited()

        def release() -> None:
            nonlocal held
            held -= 1

        def limited(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            nonlocal held
            if held >= most:
                full.event("too many requests at once: answered 503", max_concurrency=most)
                headers = [("Retry-After", RETRY_AFTER_SECONDS)]
                return answers.refuse(environ, start_response, HTTPStatus.SERVICE_UNAVAILABLE, "too busy", headers)
            held += 1
            try:
                result = application(environ, start_response)
                if type(result) is not list and type(result) is not tuple:
                    return _Held(result, release)
            except BaseException:
                held -= 1
                raise
            held -= 1
            return result

        return limited

    return wrap


class _Held:
    """An iterable that gives its place back when it is closed."""

    def __init__(self, inner: Iterable[bytes], release: Callable[[], None]) -> None:
        self._inner: Iterable[bytes] | None = inner
        self._chunks = iter(inner)
        self._release = release

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Closes the inner iterable and gives the place back, once."""
        inner, self._inner = self._inner, None
        if inner is None:
            return
        try:
            close = getattr(inner, "close", None)
            if close is not None:
                close()
        finally:
            self._release()
