"""Records at random, cut at random: the worker answers well-formed records or hangs up, and lives."""

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from fastcgi_kit import begin, params, records, request, stdin, variables
from gateway_kit import Gateways, Server, connect
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from webpy_gateway import fastcgi_records as fcgi
from webpy_gateway.fastcgi_records import Kind

SECONDS = 8.0
IDS = st.sampled_from([0, 1, 1, 1, 2, 65_535])
BYTES = st.binary(max_size=60)
WHOLE = st.builds(
    lambda method, body, number, keep: request(method, "/api/echo", body, number=number, keep=keep),
    st.sampled_from(["GET", "POST", "HEAD", "PUT"]),
    BYTES,
    IDS,
    st.booleans(),
)
SAID = st.dictionaries(
    st.sampled_from(["REQUEST_METHOD", "REQUEST_URI", "CONTENT_LENGTH", "HTTP_HOST", "HTTP_COOKIE", "CONTENT_TYPE"]),
    st.sampled_from(["POST", "GET", "/api/echo", "/api/stream?n=1", "0", "5", "60", "a", "", "-1", "\0", "x" * 200]),
)
SENSIBLE = st.one_of(
    st.builds(lambda number, flags: begin(number, flags=flags), IDS, st.integers(0, 1)),
    st.builds(lambda said, number: params(said.items(), number), SAID, IDS),
    st.builds(lambda number, size: params(variables("POST", "/api/echo", {}, size), number), IDS, st.integers(0, 60)),
    st.builds(stdin, BYTES, IDS),
)
ANY = st.builds(
    lambda kind, number, content, padding: (
        fcgi.HEADER.pack(1, kind, number, len(content), padding) + content + bytes(padding)
    ),
    st.one_of(st.integers(1, 11), st.integers(0, 255)),
    IDS,
    BYTES,
    st.integers(0, 255),
)
PIECES = st.lists(st.one_of(WHOLE, SENSIBLE, SENSIBLE, ANY, BYTES), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Gateways(tmp_path_factory.mktemp("shared"))
    yield made.serve(request_timeout=1)
    made.stop()


def check(answer: bytes) -> None:
    """Complete records; whatever is begun for a request is ended once."""
    begun: set[int] = set()
    for kind, number, content in records(answer):
        if kind == Kind.STDOUT:
            assert (number in begun) or content.startswith(b"Status: ")
            begun.add(number)
        elif kind == Kind.END_REQUEST:
            begun.discard(number)
        else:
            assert (kind, number) in ((Kind.GET_VALUES_RESULT, 0), (Kind.UNKNOWN_TYPE, 0))
    assert not begun


def test_any_records(server: Server) -> None:
    end = time.monotonic() + SECONDS

    @given(pieces=PIECES, cuts=st.lists(st.integers(0, 400), max_size=4))
    @settings(
        max_examples=1500,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    def fuzz(pieces: list[bytes], cuts: list[int]) -> None:
        if time.monotonic() > end:
            return
        data = b"\x01" + b"".join(pieces)[1:]
        places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
        with connect(server.address) as connection:
            answer = b""
            try:
                for start, stop in pairwise(places):
                    connection.sendall(data[start:stop])
                connection.shutdown(1)
                while block := connection.recv(65_536):
                    answer += block
            except (BrokenPipeError, ConnectionResetError):
                pass
        check(answer)

    fuzz()
    log = server.log()
    assert "Traceback" not in log
    assert "uncaught" not in log
    assert server.get("/api/echo").body == b"hello"
