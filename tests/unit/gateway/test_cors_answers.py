"""Actual answers: who may read them, what the application cannot change about that, and what passes untouched."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from cors_kit import BASE, ORIGIN, PORTAL, ask, granted, layered
from gateway_wsgi import TEXT, Chunks, Exchange, failing, hello, sleeping
from webpy_gateway import config, pipeline, requestid, streams

SPECIFIC = {"allowed_origins": [PORTAL, "https://*.example.net"], "exposed_headers": ["ETag", "X-Total"]}
CREDENTIALS = {**SPECIFIC, "allow_credentials": True}
EVERYONE = {"allowed_origins": ["*"], "exposed_headers": ["*"]}


def answering(*headers: tuple[str, str], status: str = "200 OK") -> Any:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [*TEXT, *headers])
        return [b"hello"]

    return app


def varies(exchange: Exchange) -> list[str]:
    return [value for name, value in exchange.headers if name.lower() == "vary"]


def test_allowed_origin_gets_the_grant() -> None:
    """Fetch, sections 3.3.3 and 3.3.4."""
    expected = {"Allow-Origin": PORTAL, "Expose-Headers": "ETag, X-Total"}
    assert granted(ask(layered(**SPECIFIC))) == expected
    assert granted(ask(layered(**CREDENTIALS))) == {**expected, "Allow-Credentials": "true"}
    below = ask(layered(**CREDENTIALS), " https://a.example.net\t")
    assert granted(below) == {**expected, "Allow-Origin": "https://a.example.net", "Allow-Credentials": "true"}
    assert granted(ask(layered(allowed_origins=[PORTAL]))) == {"Allow-Origin": PORTAL}


@pytest.mark.parametrize(
    "origin", [None, "", " ", "null", "*", "https://other.example", f"{PORTAL}, {PORTAL}", "https://*.example.net"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_other_origins_get_the_answer_without_grant(origin: str | None, method: str) -> None:
    """CORS is no access control: the application answers, the browser keeps the answer from the script."""
    exchange = ask(layered(**CREDENTIALS), origin, method)
    assert (exchange.status, exchange.sent) == (200, b"hello")
    assert granted(exchange) == {}
    assert varies(exchange) == ["Origin"]


@pytest.mark.parametrize("origin", [None, PORTAL, "null", "https://a.example, https://b.example"])
def test_everyone(origin: str | None) -> None:
    """Fetch, section 3.3.5: `*` with and without an Origin, and nothing that varies."""
    exchange = ask(layered(answering(("Vary", "Accept")), **EVERYONE), origin)
    assert granted(exchange) == {"Allow-Origin": "*", "Expose-Headers": "*"}
    assert varies(exchange) == ["Accept"]


@pytest.mark.parametrize("origin", [None, PORTAL])
def test_off(origin: str | None) -> None:
    app = answering(("Vary", "Accept"), ("vary", "Cookie"), (ORIGIN, "*"))
    exchange = ask(layered(app), origin)
    assert exchange.headers == [*TEXT, ("Vary", "Accept"), ("vary", "Cookie")]


@pytest.mark.parametrize("table", [{}, SPECIFIC, EVERYONE])
@pytest.mark.parametrize("origin", [None, PORTAL, "https://other.example"])
def test_what_the_application_grants_is_removed(table: dict[str, Any], origin: str | None) -> None:
    own = [
        (ORIGIN, "*"),
        ("access-control-allow-origin", "https://evil.example"),
        ("ACCESS-CONTROL-ALLOW-CREDENTIALS", "true"),
        ("Access-Control-Expose-Headers", "X-Own"),
        ("Access-Control-Allow-Private-Network", "true"),
        ("Access-Control-Anything", "x"),
    ]
    exchange = ask(layered(answering(*own), **table), origin)
    assert exchange.headers == ask(layered(answering(), **table), origin).headers
    assert "evil" not in str(exchange.headers)


@pytest.mark.parametrize(
    ("own", "merged"),
    [
        ([], "Origin"),
        (["Accept"], "Accept, Origin"),
        (["Accept,Cookie"], "Accept, Cookie, Origin"),
        (["Accept", "Cookie"], "Accept, Cookie, Origin"),
        (["Accept", "accept"], "accept, Origin"),
        ([" ,Accept\t, ,"], "Accept, Origin"),
        ([""], "Origin"),
        (["Origin"], "Origin"),
        (["origin, Accept"], "Origin, Accept"),
        (["Accept, ORIGIN", "Origin"], "Accept, Origin"),
        (["X-Origin"], "X-Origin, Origin"),
        (["*"], "*"),
        (["Accept, *"], "*"),
    ],
)
@pytest.mark.parametrize("origin", [None, PORTAL, "https://other.example"])
def test_vary_is_merged_once(own: list[str], merged: str, origin: str | None) -> None:
    """RFC 9110, section 12.5.5; Fetch, section 3.3.6: caches must not give one origin's answer to another."""
    app = answering(*(("VARY" if i else "vary", value) for i, value in enumerate(own)))
    assert varies(ask(layered(app, **SPECIFIC), origin)) == [merged]


@pytest.mark.parametrize("status", [*HTTPStatus])
def test_every_status_carries_the_grant(status: HTTPStatus) -> None:
    """Fetch, section 4.9: without it a page cannot tell an error from a wrong origin; redirects are checked too."""
    app = answering(("Location", "https://other.example/"), status=f"{status.value} {status.phrase}")
    exchange = ask(layered(app, **SPECIFIC))
    assert exchange.status == status
    assert exchange.header(ORIGIN) == PORTAL
    assert exchange.header("Location") == "https://other.example/"


def test_other_headers_pass_in_their_order() -> None:
    own = [("Set-Cookie", "a=1"), ("X-Access-Control", "x"), ("Set-Cookie", "b=2"), ("Timing-Allow-Origin", "*")]
    assert ask(layered(answering(*own), **SPECIFIC)).headers == [
        *TEXT,
        *own,
        ("Vary", "Origin"),
        (ORIGIN, PORTAL),
        ("Access-Control-Expose-Headers", "ETag, X-Total"),
    ]


def test_the_application_keeps_its_headers() -> None:
    own = [("Vary", "Accept"), (ORIGIN, "*")]

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", own)
        return []

    ask(layered(app, **SPECIFIC))
    assert own == [("Vary", "Accept"), (ORIGIN, "*")]


def test_grants_do_not_pile_up() -> None:
    for table in (SPECIFIC, CREDENTIALS, EVERYONE):
        app = layered(**table)
        assert ask(app).headers == ask(app).headers
        ask(app, "https://a.example.net")
        assert len(granted(ask(app, "https://b.example.net"))) == len(granted(ask(app)))


def test_exception_before_the_answer_becomes_a_500_with_grant(capfd: pytest.CaptureFixture[str]) -> None:
    exchange = ask(layered(failing(ValueError("secret")), **SPECIFIC))
    identity = exchange.environ[requestid.KEY]
    assert (exchange.starts, exchange.sent.decode()) == (
        ["500 Internal Server Error"],
        f'{{"error": "internal server error", "request_id": "{identity}"}}\n',
    )
    assert granted(exchange)["Allow-Origin"] == PORTAL
    assert varies(exchange) == ["Origin"]
    logged = capfd.readouterr().err
    assert logged.startswith(f"uncaught exception of the gateway request_id={identity} method=GET path=/\n")
    assert "ValueError: secret" in logged


class Lazy(Chunks):
    """An iterable that starts its answer with its first chunk."""

    def app(self, _environ: Any, start_response: Any) -> "Lazy":
        self._start_response = start_response
        return self

    def __next__(self) -> bytes:
        chunk = super().__next__()
        if self._start_response:
            self._start_response("200 OK", list(TEXT))
            self._start_response = None
        return chunk


def test_generator_that_fails_before_its_answer(capfd: pytest.CaptureFixture[str]) -> None:
    lazy = Lazy(ValueError("boom"))
    exchange = ask(layered(lazy.app, **SPECIFIC))
    assert (exchange.status, exchange.header(ORIGIN), lazy.closed) == (500, PORTAL, 1)
    assert "ValueError: boom" in capfd.readouterr().err


def test_generator_that_fails_and_cannot_be_closed(capfd: pytest.CaptureFixture[str]) -> None:
    lazy = Lazy(ValueError("boom"), on_close=RuntimeError("and again"))
    exchange = ask(layered(lazy.app, **SPECIFIC))
    assert (exchange.status, exchange.header(ORIGIN), lazy.closed) == (500, PORTAL, 1)
    assert "ValueError: boom" in capfd.readouterr().err


def test_generator_that_starts_late() -> None:
    lazy = Lazy(b"a", b"b")
    exchange = ask(layered(lazy.app, **SPECIFIC))
    assert (exchange.starts, exchange.sent, exchange.header(ORIGIN), lazy.closed) == (["200 OK"], b"ab", PORTAL, 1)


def test_exception_after_the_answer_began_is_raised(capfd: pytest.CaptureFixture[str]) -> None:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", list(TEXT))
        raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        ask(layered(app, **SPECIFIC))
    lazy = Lazy(b"a", ValueError("later"))
    with pytest.raises(ValueError, match="later"):
        ask(layered(lazy.app, **SPECIFIC))
    assert lazy.closed == 1
    assert capfd.readouterr().err == ""


def test_exception_of_the_server_is_no_answer() -> None:
    """Headers that the server refuses were not sent: there is still something to answer with."""

    class Strict(Exchange):
        def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
            if status.startswith("200"):
                raise ValueError("bad header")
            return super().start_response(status, headers, exc_info)

    assert Strict(layered(hello, **SPECIFIC), HTTP_ORIGIN=PORTAL).status == 500


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_what_ends_a_process_passes(error: BaseException) -> None:
    lazy = Lazy(error)
    for app in (failing(error), lazy.app):
        with pytest.raises(type(error)):
            ask(layered(app, **SPECIFIC))
    assert lazy.closed == 1


def test_exc_info_write_and_close_pass() -> None:
    """PEP 3333: the second start replaces the first, with the grant again; write() is the server's own."""
    chunks = Chunks(b"returned")

    def app(_environ: Any, start_response: Any) -> Chunks:
        start_response("200 OK", [*TEXT, (ORIGIN, "*")])
        try:
            raise ValueError
        except ValueError as error:
            write = start_response("400 Bad", [(ORIGIN, "*")], (ValueError, error, error.__traceback__))
        write(b"written ")
        return chunks

    exchange = ask(layered(app, **SPECIFIC))
    assert (exchange.starts, exchange.sent, chunks.closed) == (["200 OK", "400 Bad"], b"written returned", 1)
    assert exchange.header(ORIGIN) == PORTAL


def test_stream_is_not_touched() -> None:
    seen: list[str] = []

    def app(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", list(TEXT))
        seen.append("first")
        yield b"1"
        seen.append("second")
        yield b"2"

    environ = {"REQUEST_METHOD": "GET", "HTTP_ORIGIN": PORTAL}
    chunks = iter(layered(app, **SPECIFIC)(environ, lambda *_: None))
    assert (next(chunks), seen) == (b"1", ["first"])
    assert (next(chunks), seen) == (b"2", ["first", "second"])
    untouched = Chunks(b"1")
    assert layered(untouched.app, **SPECIFIC)(environ, lambda *_: None) is untouched
    returned = [b"same"]
    list_app = layered(lambda _environ, start: start("200 OK", []) or returned, **SPECIFIC)
    assert list_app(environ, lambda *_: None) is returned


@pytest.mark.parametrize("result", [[b"1", b"2"], (b"1", b"2"), [], ()])
def test_whole_answers_need_no_beginning(result: Any) -> None:
    assert streams.begun(result) is result


def test_a_request_without_origin_header_at_all() -> None:
    exchange = Exchange(layered(**SPECIFIC))
    assert granted(exchange) == {}


CHAIN = {**BASE, "cors": SPECIFIC, "max_body_bytes": 5, "request_timeout": 0.02}


@pytest.mark.parametrize(
    ("app", "path", "more", "status"),
    [
        (hello, "/api/x", {}, 200),
        (hello, "/api/_health", {}, 200),
        (hello, "/elsewhere", {}, 404),
        (hello, "/api/x", {"HTTP_HOST": "a b"}, 400),
        (hello, "/api/x", {"method": "POST", "data": b"123456"}, 413),
        (sleeping, "/api/x", {}, 504),
        (failing(ValueError()), "/api/x", {}, 500),
    ],
)
def test_answers_of_the_gateway_itself_carry_the_grant(app: Any, path: str, more: dict[str, Any], status: int) -> None:
    """A portal can tell an overload or an error from a wrong origin."""
    chain = pipeline.build(config.parse(CHAIN), "abc", "1", app)
    exchange = ask(chain, path=path, **more)
    assert (exchange.status, exchange.header(ORIGIN), varies(exchange)) == (status, PORTAL, ["Origin"])


def test_overload_carries_the_grant() -> None:
    inner: list[Exchange] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        inner.append(ask(chain, path="/api/x"))
        return hello(environ, start_response)

    chain = pipeline.build(config.parse({**CHAIN, "max_concurrency": 1}), "abc", "1", app)
    assert ask(chain, path="/api/x").status == 200
    assert (inner[0].status, inner[0].header(ORIGIN), inner[0].header("Retry-After")) == (503, PORTAL, "1")


def test_preflight_is_answered_by_the_chain() -> None:
    chain = pipeline.build(config.parse(CHAIN), "abc", "1", failing(AssertionError("reached")))
    for path in ("/api/x", "/api/_health", "/elsewhere"):
        exchange = ask(chain, method="OPTIONS", path=path, HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST")
        assert (exchange.status, exchange.header(ORIGIN)) == (204, PORTAL)
