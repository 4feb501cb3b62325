"""WSGI without a server: one exchange under the rules of PEP 3333, and applications to try it on."""

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

import gevent
from webpy_gateway import requestid

App = Callable[..., Iterable[bytes]]
TEXT = [("Content-Type", "text/plain")]


class Exchange:
    """One request to a WSGI application, the way a server makes it: headers go out with the first bytes."""

    def __init__(self, app: Any, /, method: str = "GET", path: str = "/", data: bytes = b"", **environ: Any) -> None:
        self.environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SCRIPT_NAME": "",
            "QUERY_STRING": "",
        }
        setup_testing_defaults(self.environ)
        if data:
            self.environ["CONTENT_LENGTH"] = str(len(data))
        self.environ["wsgi.input"] = io.BytesIO(data)
        requestid.give(self.environ)
        self.environ.update(environ)
        self.starts: list[str] = []
        self.headers: list[tuple[str, str]] = []
        self.sent = b""
        result = app(self.environ, self.start_response)
        try:
            for chunk in result:
                self._write(chunk)
        finally:
            if hasattr(result, "close"):
                result.close()
        assert self.starts

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        if exc_info is not None and self.sent:
            raise exc_info[1].with_traceback(exc_info[2])
        assert exc_info is not None or not self.starts, "second start_response without exc_info"
        self.starts.append(status)
        self.headers = headers
        return self._write

    def _write(self, data: bytes) -> None:
        assert self.starts
        self.sent += data

    @property
    def status(self) -> int:
        return int(self.starts[-1].split()[0])

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1
        return values[0] if values else None


def hello(_environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", list(TEXT))
    return [b"hello"]


class Chunks:
    """An iterable that remembers whether it was closed, and raises what it is told to."""

    def __init__(self, *chunks: bytes | BaseException, on_close: BaseException | None = None) -> None:
        self._chunks = list(chunks)
        self._on_close = on_close
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._chunks:
            raise StopIteration
        chunk = self._chunks.pop(0)
        if isinstance(chunk, BaseException):
            raise chunk
        return chunk

    def close(self) -> None:
        self.closed += 1
        if self._on_close:
            raise self._on_close

    def app(self, _environ: Any, start_response: Any) -> "Chunks":
        start_response("200 OK", list(TEXT))
        return self


def failing(error: BaseException) -> App:
    def app(_environ: Any, _start_response: Any) -> list[bytes]:
        raise error

    return app


def started_then_failing(_environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", list(TEXT))
    raise ValueError("boom")


def generator_failing_first(_environ: Any, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", list(TEXT))
    if start_response:
        raise ValueError("boom")
    yield b""


def sleeping(_environ: Any, start_response: Any) -> list[bytes]:
    gevent.sleep(5)
    return hello(_environ, start_response)


def echo(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", list(TEXT))
    first = environ["wsgi.input"].read()
    environ["wsgi.input"].seek(0)
    assert environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) == first
    return [first]


def environ_after(layer: Any, **environ: str) -> dict[str, Any]:
    return Exchange(layer(hello), **environ).environ
