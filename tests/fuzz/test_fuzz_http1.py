"""Requests made by rule, broken by rule and cut anywhere: the gateway must read them as the reference does."""

import os
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
import reference
from gateway_kit import Gateways, Server, connect
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webpy_gateway import http1, log, pipeline
from webpy_gateway.config import Config
from webpy_gateway.connection import Connection, GoneError
from webpy_gateway.service import Service
from wire_cases import GET
from wire_kit import ask
from wire_replies import Reply, read, receive_all

# FUZZ=100 looks a hundred times longer than a test run does
EFFORT = int(os.environ.get("FUZZ", "1"))
NAMES = ["A", "X-Long-Name", "Cookie", "Content-Type", "Accept", "Connection", "Expect", "Upgrade", "X_A"]
VALUES = [b"", b"a", b"b c", b"close", b"keep-alive", b"x, close", b"100-continue", b"upgrade", b"\xc3\xa4\t!", b"1"]
# what parsers disagree about
PIECES = [
    *(b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b"\0", b"\x0b", b":", b";", b",", b'"', b"\\", b"#"),
    *(b"*", b"@", b"\xff", b"0", b"5", b"-", b"+", b"0x", b"_", b"0\r\n\r\n", b"5\r\nhello\r\n", b"HTTP/1.0"),
    *(b"Content-Length: 3\r\n", b"Content-Length: 0\r\n", b"Content-Length : 3\r\n", b" Content-Length: 3\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"transfer-encoding:chunked\r\n", b"Transfer-Encoding: gzip\r\n"),
    *(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"Host: b\r\n", b"http://a/", b"HTTP/1.1", b"HTTP/2.0"),
]  # fmt: skip


class Segments(Connection):
    """A client whose bytes arrive in these pieces, and then no more."""

    __slots__ = ("ended", "pieces", "sent")

    def __init__(self, pieces: list[bytes]) -> None:
        self.peer, self.silent, self.sent, self.ended = "", True, b"", False
        self.pieces = [piece for piece in pieces if piece]

    def receive(self, most: int, seconds: float | None = None) -> bytes:
        if not self.pieces:
            return b""
        piece = self.pieces.pop(0)
        if len(piece) > most:
            self.pieces.insert(0, piece[most:])
        return piece[:most]

    def send(self, data: bytes, *, last: bool = False) -> None:
        if not data or self.ended:
            raise GoneError("an empty send means nothing, and nothing may follow the last one")
        self.sent += data
        self.ended = last

    def linger(self) -> None:
        self.pieces = []


def serve(pieces: list[bytes]) -> tuple[list[tuple[str, str, str, bytes]], bytes]:
    """What the application sees of these pieces, and all that is sent back."""
    seen = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"], body))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"seen"]

    chain = pipeline.build(Config(name="a", application="a:a", url_prefix="/"), "abc", "1", application)
    connection = Segments(pieces)
    http1.serve(connection, Service(application=chain, head_timeout=5, idle_timeout=5))
    return seen, connection.sent


def expected(data: bytes) -> tuple[list[tuple[str, str, str, bytes]], list[reference.Message], bool]:
    """What the reference makes of the bytes."""
    found, refused = reference.messages(data)
    seen = [
        (m.method.decode(), unquote_to_bytes(m.path).decode("latin-1"), m.query.decode(), m.body)
        for m in found
        if m.seen
    ]
    return seen, found, refused


@st.composite
def requests(draw: Any) -> bytes:
    """One good request."""
    method = draw(st.sampled_from([b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"DELETE"]))
    target = draw(st.sampled_from([b"/", b"/a?b=%20", b"/%41//..", b"http://a/x?y", b"/?" + b"q" * 50]))
    fields = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=4))
    head = b"%b %b HTTP/1.%d\r\nHost: a\r\n" % (method, target, draw(st.sampled_from([1, 1, 1, 0])))
    head += b"".join(
        name.encode() + draw(st.sampled_from([b":", b": ", b":\t"])) + value + b"\r\n" for name, value in fields
    )
    body = draw(st.binary(max_size=40) | st.sampled_from([GET + b"\r\n", b"0\r\n\r\n"]))
    match draw(st.sampled_from(["none", "length", "chunks"])):
        case "none":
            return head + b"\r\n"
        case "length":
            return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    places = sorted(draw(st.sets(st.integers(1, 40), max_size=3)))
    pieces = [body[a:b] for a, b in zip([0, *places], [*places, None], strict=True)]
    extension = draw(st.sampled_from([b"", b";a", b';a="b;\\""', b";a=b;c"]))
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces if piece)
    return (
        head
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + chunks
        + b"0\r\n"
        + draw(st.sampled_from([b"", b"A: b\r\n"]))
        + b"\r\n"
    )


@st.composite
def broken(draw: Any) -> bytes:
    """Good requests in a row, changed in up to three places."""
    data: bytes = b"".join(draw(st.lists(requests(), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(0, 3))):
        # where lines end and begin more is decided than anywhere else
        borders = [found.end() for found in re.finditer(rb"\n|(?=\r)|:|[0-9]", data)]
        place = draw(st.sampled_from(borders) | st.integers(0, len(data)))
        cut = draw(st.sampled_from([0, 0, 1, 2, 5]))
        data = data[:place] + draw(st.sampled_from(PIECES) | st.just(b"")) + data[place + cut :]
    return data


def cut(data: bytes, places: set[int] | int) -> list[bytes]:
    every = range(places, len(data), places) if isinstance(places, int) else places
    ends = sorted(place for place in every if place < len(data))
    return [data[a:b] for a, b in zip([0, *ends], [*ends, None], strict=True)]


def check(data: bytes, places: set[int] | int) -> None:
    """The application sees what the reference does, whatever the pieces, and each request gets one answer."""
    wanted, found, refused = expected(data)
    seen, sent = serve(cut(data, places))
    assert seen == wanted
    # an interim answer is no answer; what ends too early gets none, or a refusal of its incomplete body
    methods = [m.method.decode() for m in found]
    replies = [reply for reply in _read(sent, methods) if reply.status != 100]
    assert [reply.status == 200 for reply in replies[: len(found)]] == [m.seen for m in found]
    assert [reply.status for reply in replies[len(found) :]] in ([], [400], [417], [501])
    if refused:
        assert len(replies) == len(found) + 1


def _read(sent: bytes, methods: list[str]) -> list[Reply]:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    return read(sent.replace(interim, b""), *methods)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "event", lambda *_, **__: None)


# places; a step instead: everywhere, so far apart
CUTS = st.sets(st.integers(1, 400), max_size=6) | st.sampled_from([1, 2, 3, 7])
OFTEN = settings(
    database=None, deadline=None, max_examples=200 * EFFORT, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@OFTEN
@given(st.lists(requests(), min_size=1, max_size=4).map(b"".join), CUTS)
def test_good_requests_are_read_as_they_were_made(data: bytes, places: set[int] | int) -> None:
    check(data, places)


@settings(OFTEN, max_examples=600 * EFFORT)
@given(broken(), CUTS)
def test_broken_requests_are_read_as_the_rules_say(data: bytes, places: set[int] | int) -> None:
    check(data, places)


@OFTEN
@given(st.binary(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join), CUTS)
def test_noise_is_no_request(data: bytes, places: set[int] | int) -> None:
    check(data, places)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Gateways(tmp_path_factory.mktemp("fuzz"))
    yield made.serve(application="wire:application", request_timeout=2)
    made.stop()


@settings(OFTEN, max_examples=100 * EFFORT)
@given(broken(), st.integers(1, 200))
def test_a_real_server_answers_at_once_and_lives_on(server: Server, data: bytes, place: int) -> None:
    began = time.monotonic()
    with connect(server.address) as connection:
        try:
            connection.sendall(data[:place])
            connection.sendall(data[place:])
            connection.shutdown(1)
        except (BrokenPipeError, OSError):
            pass
        receive_all(connection)
    assert time.monotonic() - began < 1
    assert ask(server.address, GET + b"Connection: close\r\n\r\n").status == 200
    assert "Traceback" not in server.log()
