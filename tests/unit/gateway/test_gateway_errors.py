"""What becomes of exceptions (PEP 3333), and the ids of requests, by which they are found in the log."""

from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gateway_wsgi import (
    TEXT,
    App,
    Chunks,
    Exchange,
    failing,
    generator_failing_first,
    started_then_failing,
)
from webpy_gateway import concurrency, deadline, errors, requestid


def test_every_request_gets_an_id_of_its_own() -> None:
    environs: list[dict[str, Any]] = [{"HTTP_X_REQUEST_ID": "forged"} for _ in range(2)]
    first, second = map(requestid.give, environs)
    assert len(first) == 16
    assert first != second
    assert [set(environ.values()) for environ in environs] == [{first}, {second}]


def never_starting(_environ: Any, _start_response: Any) -> Iterator[bytes]:
    return iter(())


def listing(*chunks: Any) -> App:
    def app(_environ: Any, start_response: Any) -> list[Any]:
        start_response("200 OK", list(TEXT))
        return list(chunks)

    return app


@pytest.mark.parametrize(
    "app",
    [
        failing(ValueError("boom")),
        failing(SystemExit(1)),
        failing(KeyboardInterrupt()),
        failing(SystemError()),
        failing(gevent.Timeout()),
        started_then_failing,
        generator_failing_first,
        Chunks(b"", b"", ValueError("boom")).app,
        Chunks("text").app,  # type: ignore[arg-type]
        listing("text"),
        listing(b"x", None),
        never_starting,
        lambda _environ, _start_response: [],
        lambda _environ, _start_response: [b"x"],
        lambda _environ, _start_response: None,
    ],
)
def test_exception_before_the_first_byte_becomes_json(app: App, capfd: pytest.CaptureFixture[str]) -> None:
    exchange = Exchange(errors.layer(app))
    assert exchange.status == 500
    identity = exchange.environ[requestid.KEY]
    assert exchange.sent.decode() == f'{{"error": "internal server error", "request_id": "{identity}"}}\n'
    assert exchange.header("Content-Type") == "application/json"
    assert exchange.header("Content-Length") == str(len(exchange.sent))
    logged = capfd.readouterr().err
    assert logged.startswith(f"uncaught exception of the application request_id={identity} method=GET path=/\n")
    assert logged.count("Traceback") == 1


def test_exception_after_the_first_byte_is_logged_and_raised(capfd: pytest.CaptureFixture[str]) -> None:
    chunks = Chunks(b"first", ValueError("boom"), b"never")
    with pytest.raises(ValueError, match="boom"):
        Exchange(errors.layer(chunks.app))
    assert chunks.closed == 1
    assert capfd.readouterr().err.count("ValueError: boom") == 1


def test_exception_after_write_is_raised() -> None:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", list(TEXT))(b"written")
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        Exchange(errors.layer(app))


def test_broken_connection_in_write_is_no_error_of_the_application(capfd: pytest.CaptureFixture[str]) -> None:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", list(TEXT))(b"written")
        return []

    class Broken(Exchange):
        def _write(self, data: bytes) -> None:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        Broken(errors.layer(app))
    assert capfd.readouterr().err == ""


def test_write_exc_info_and_second_start_pass() -> None:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", list(TEXT))
        try:
            raise ValueError
        except ValueError as error:
            write = start_response("400 Bad", list(TEXT), (ValueError, error, error.__traceback__))
        write(b"written ")
        return [b"returned"]

    exchange = Exchange(errors.layer(deadline.layer(1)(app)))
    assert (exchange.starts, exchange.sent) == (["200 OK", "400 Bad"], b"written returned")


def test_iterable_is_closed_once_whatever_happens() -> None:
    for chunks in (Chunks(b"a", b"b"), Chunks(), Chunks(ValueError()), Chunks(b"", ValueError())):
        Exchange(concurrency.layer(1)(errors.layer(deadline.layer(1)(chunks.app))))
        assert chunks.closed == 1


def test_exception_in_close_is_only_logged(capfd: pytest.CaptureFixture[str]) -> None:
    exchange = Exchange(errors.layer(Chunks(b"all", on_close=ValueError("in close")).app))
    assert (exchange.status, exchange.sent) == (200, b"all")
    assert "exception while the application closed its answer" in capfd.readouterr().err


def test_request_that_is_cut_off_before_its_first_byte_is_told_so(capfd: pytest.CaptureFixture[str]) -> None:
    exchange = Exchange(errors.layer(failing(gevent.GreenletExit())))
    assert (exchange.status, exchange.header("Retry-After")) == (503, "1")
    with pytest.raises(gevent.GreenletExit):
        Exchange(errors.layer(Chunks(b"a", gevent.GreenletExit()).app))
    assert capfd.readouterr().err == ""


def test_log_cannot_be_forged(capfd: pytest.CaptureFixture[str]) -> None:
    app = errors.layer(failing(ValueError("x\nready: forged\x1b[31m\u2028\ud800")))
    exchange = Exchange(app, method="G\nT", path="/a\r\nready: forged" + "x" * 10_000)
    head, *rest = capfd.readouterr().err.splitlines()
    assert "method='G\\nT' path='/a\\r\\nready: forged" in head
    assert len(head) < 400
    assert all(line.startswith(f"  {exchange.environ[requestid.KEY]}| ") for line in rest)
    assert not any(character in "".join(rest) for character in "\x1b\u2028")


def test_query_is_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    Exchange(errors.layer(failing(ValueError())), QUERY_STRING="token=hidden")
    assert "hidden" not in capfd.readouterr().err
