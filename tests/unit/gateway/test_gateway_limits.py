"""Limits of concurrency, body and time."""

import contextlib
import io
import tempfile
import tracemalloc
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gateway_wsgi import (
    TEXT,
    App,
    Chunks,
    Exchange,
    echo,
    failing,
    hello,
    sleeping,
)
from webpy_gateway import body, concurrency, deadline, errors, requestid
from webpy_gateway.request_body import RequestBody


def test_full_means_503_and_streams_count_until_closed() -> None:
    chunks = Chunks(b"a")
    app = concurrency.layer(1)(
        lambda environ, start: chunks.app(environ, start) if environ["PATH_INFO"] == "/s" else hello(environ, start)
    )
    held = app({"PATH_INFO": "/s"}, lambda *_: None)
    refused = Exchange(app)
    assert (refused.status, refused.header("Retry-After")) == (503, "1")
    held.close()  # type: ignore[attr-defined]
    held.close()  # type: ignore[attr-defined]
    assert chunks.closed == 1
    for _ in range(3):
        assert Exchange(app).status == 200
    again = app({"PATH_INFO": "/s"}, lambda *_: None)
    assert Exchange(app).status == 503
    again.close()  # type: ignore[attr-defined]


def test_a_failed_request_gives_its_place_back() -> None:
    app = errors.layer(concurrency.layer(1)(failing(ValueError())))
    assert [Exchange(app).status for _ in range(3)] == [500] * 3


def test_a_failing_close_gives_its_place_back() -> None:
    app = concurrency.layer(1)(lambda e, s: Chunks(b"", on_close=ValueError()).app(e, s))
    assert [Exchange(errors.layer(app)).status for _ in range(3)] == [200] * 3


@pytest.mark.parametrize(
    ("most", "size", "status"),
    [
        (10, 0, 200),
        (10, 1, 200),
        (10, 10, 200),
        (10, 11, 413),
        (2**20, 2**20, 200),
        (2**20, 2**20 + 1, 413),
        (300_000, 299_999, 200),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_border_of_the_body(most: int, size: int, status: int, chunked: bool) -> None:
    data = bytes(range(256)) * (size // 256) + b"y" * (size % 256)
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""} if chunked else {}
    exchange = Exchange(body.layer(most, 1)(echo), method="POST", data=data, **environ)
    assert exchange.status == status
    if status == 200:
        assert exchange.sent == data
        assert "HTTP_TRANSFER_ENCODING" not in exchange.environ


class Pieces(RequestBody):
    """A body that comes two bytes at a time."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.rest = memoryview(data)

    def block(self, most: int) -> memoryview:
        block, self.rest = self.rest[:2], self.rest[2:]
        return block


@pytest.mark.parametrize("size", [200_000, 1_000_001])
def test_a_body_in_tiny_pieces_takes_the_memory_of_its_bytes(size: int) -> None:
    data = bytes(size)
    tracemalloc.start()
    try:
        exchange = Exchange(body.layer(size, 9)(echo), "POST", data=data, **{"wsgi.input": Pieces(data)})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert exchange.sent == data
    # the pieces, the whole of them and what is sent, and some more while they grow
    assert peak < 4.5 * size


def test_large_bodies_share_memory_and_go_to_files_beyond() -> None:
    held: list[gevent.Greenlet[Any]] = []
    seen: list[type] = []

    def keeping(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(type(environ["wsgi.input"]))
        gevent.sleep(60)
        return hello(environ, start_response)

    def kinds(app: App, *sizes: int) -> list[type]:
        seen.clear()
        for size in sizes:
            held.append(gevent.spawn(Exchange, app, method="POST", data=bytes(size)))
            gevent.sleep(0)
        return list(seen)

    memory, file = io.BytesIO, tempfile.SpooledTemporaryFile
    app = body.layer(2**21, 60)(keeping)
    assert kinds(app, 2**20 + 1, 1, 2**18) == [file, memory, memory]
    assert kinds(app, *[2**20] * 31) == [memory] * 31
    assert kinds(app, 2**20 - 1, 2**20, 2**18, 2**18 + 1) == [memory, file, memory, file]
    gevent.killall(held)
    assert kinds(app, *[2**20] * 33) == [memory] * 32 + [file]
    gevent.killall(held)


def test_a_refused_body_gives_its_share_of_memory_back() -> None:
    seen: list[type] = []

    def looking(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(type(environ["wsgi.input"]))
        return hello(environ, start_response)

    app = body.layer(2**20, 1)(looking)
    for _ in range(40):
        assert Exchange(app, method="POST", data=b"short", CONTENT_LENGTH=str(2**20)).status == 400
    assert Exchange(app, method="POST", data=bytes(2**20)).status == 200
    assert seen == [io.BytesIO]


@pytest.mark.parametrize(
    ("length", "coding", "status"),
    [
        ("-1", "", 400),
        ("1_0", "", 400),
        ("+5", "", 400),
        ("5 ", "", 400),
        ("\u0665", "", 400),
        ("5,5", "", 400),
        ("9" * 5000, "", 413),
        ("6", "", 400),
        ("", "gzip", 501),
        ("", "gzip, chunked", 501),
        ("", "Chunked", 200),
    ],
)
def test_broken_lengths(length: str, coding: str, status: int) -> None:
    app = body.layer(10, 1)(echo)
    environ = {"HTTP_TRANSFER_ENCODING": coding} if coding else {}
    exchange = Exchange(app, method="POST", data=b"12345", **(environ | {"CONTENT_LENGTH": length}))
    assert exchange.status == status


def test_client_that_vanishes_never_reaches_the_application() -> None:
    class Vanishing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise ConnectionResetError

    environ = {"CONTENT_LENGTH": "5", "wsgi.input": Vanishing()}
    assert Exchange(body.layer(10, 1)(failing(AssertionError())), method="POST", **environ).status == 400


def test_body_that_does_not_come() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            gevent.sleep(5)
            return b""

    environ = {"CONTENT_LENGTH": "5", "wsgi.input": Slow()}
    assert Exchange(body.layer(10, 0.01)(failing(AssertionError())), method="POST", **environ).status == 408


def sleeping_generator(_environ: Any, start_response: Any) -> Iterator[bytes]:
    gevent.sleep(5)
    start_response("200 OK", list(TEXT))
    yield b"never"


def catching_exceptions(environ: Any, start_response: Any) -> list[bytes]:
    try:
        return sleeping(environ, start_response)
    except Exception as error:
        raise AssertionError from error


def catching_everything(environ: Any, start_response: Any) -> list[bytes]:
    with contextlib.suppress(BaseException):
        gevent.sleep(5)
    return hello(environ, start_response)


@pytest.mark.parametrize("app", [sleeping, sleeping_generator, catching_exceptions, catching_everything])
def test_no_answer_in_time(app: App, capfd: pytest.CaptureFixture[str]) -> None:
    exchange = Exchange(errors.layer(deadline.layer(0.02)(app)))
    assert (exchange.starts, b'"error": "no answer in time"' in exchange.sent) == (["504 Gateway Timeout"], True)
    (line,) = capfd.readouterr().err.splitlines()
    identity = exchange.environ[requestid.KEY]
    assert line.startswith(f"no answer in time: answered 504 request_id={identity} method=GET path=/ seconds=0.02 at=")


def test_a_stream_may_go_on() -> None:
    def lazy(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", list(TEXT))
        for _ in range(3):
            yield b"x"
            gevent.sleep(0.03)

    def eager(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", list(TEXT))
        gevent.sleep(0.04)
        return iter([b"xxx"])

    for app in (lazy, eager):
        assert Exchange(deadline.layer(0.02)(app)).sent == b"xxx"


def test_a_timeout_of_the_application_is_not_taken_for_the_deadline() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        with gevent.Timeout(0.01):
            return sleeping(environ, start_response)

    assert Exchange(errors.layer(deadline.layer(1)(app))).status == 500


def test_closing_a_stream_that_was_begun_early() -> None:
    chunks = Chunks(b"a", b"b")

    def app(_environ: Any, start_response: Any) -> Chunks:
        class Lazy(Chunks):
            def __next__(self) -> bytes:
                if len(self._chunks) == 2:
                    start_response("200 OK", list(TEXT))
                return super().__next__()

        nonlocal chunks
        chunks = Lazy(b"a", b"b")
        return chunks

    assert Exchange(deadline.layer(1)(app)).sent == b"ab"
    assert chunks.closed == 1
