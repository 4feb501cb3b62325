"""FastCGI's rules, shown by raw records sent to a real server process."""

import fcntl
import itertools
import socket
import struct
import termios
import time
from collections.abc import Iterator

import pytest
from fastcgi_kit import FastCgiServer, begin, params, records, replies, request, stdin, variables
from gateway_kit import Gateways, Server, connect, read_all, wait_for
from webpy_gateway import fastcgi_records as fcgi
from webpy_gateway.connection import PIECE_BYTES
from webpy_gateway.fastcgi_records import Kind, Status

HELLO = request("GET", "/api/echo")
BODY = bytes(range(256)) * 3
POST = request("POST", "/api/echo", BODY)
# bytes of an answer that may wait to be read over a unix socket, and its head
MOST_UNREAD = 64 * 1024 + 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do not stop it."""
    made = Gateways(tmp_path_factory.mktemp("shared"))
    yield made.serve(request_timeout=3, max_body_bytes=300_000)
    made.stop()


def ask(server: Server, *parts: bytes, pause: float = 0.0) -> bytes:
    """Everything that comes back for these parts, sent one by one."""
    with connect(server.address) as connection:
        for part in filter(None, parts):
            connection.sendall(part)
            if pause:
                time.sleep(pause)
        return read_all(connection)


def status_of(data: bytes) -> int:
    (reply,) = replies(data).values()
    return reply.answer().status


def body_of(data: bytes) -> bytes:
    (reply,) = replies(data).values()
    answer = reply.answer()
    assert answer.status == 200
    return answer.body


# Records in any shape


@pytest.mark.parametrize("cut", range(1, len(HELLO)))
def test_request_split_at_any_byte(server: Server, cut: int) -> None:
    with connect(server.address) as connection:
        if not cut % 50:  # now and then so slowly that the parts certainly arrive apart
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
        connection.sendall(HELLO[:cut])
        if not cut % 50:
            time.sleep(0.01)
        connection.sendall(HELLO[cut:])
        assert body_of(read_all(connection)) == b"hello"


@pytest.mark.parametrize("whole", [HELLO, POST], ids=["GET", "POST"])
def test_request_byte_by_byte(server: Server, whole: bytes) -> None:
    with connect(server.address) as connection:
        for at in range(len(whole)):
            connection.send(whole[at : at + 1])
        assert body_of(read_all(connection)) == (b"hello" if whole is HELLO else BODY)


def padded(data: bytes, padding: int) -> bytes:
    """The same records, with padding."""
    return b"".join(
        fcgi.HEADER.pack(1, kind, number, len(content), padding) + content + b"\xff" * padding
        for kind, number, content in records(data)
    )


@pytest.mark.parametrize("padding", [1, 7, 255])
def test_padding_is_skipped(server: Server, padding: int) -> None:
    assert body_of(ask(server, padded(POST, padding))) == BODY


@pytest.mark.parametrize("size", [1, 2, 127, 128])
def test_parameters_and_body_in_many_records(server: Server, size: int) -> None:
    pairs = fcgi.pairs(variables("POST", "/api/echo", {}, len(BODY)))
    pieces = [
        b"".join(fcgi.record(kind, 1, data[at : at + size]) for at in range(0, len(data), size)) + fcgi.record(kind, 1)
        for kind, data in ((Kind.PARAMS, pairs), (Kind.STDIN, BODY))
    ]
    assert body_of(ask(server, begin(), *pieces)) == BODY


@pytest.mark.parametrize("number", [1, 2, 255, 256, 65_535])
def test_any_request_id(server: Server, number: int) -> None:
    assert list(replies(ask(server, request("GET", "/api/echo", number=number)))) == [number]


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 5000])
def test_values_of_any_length(server: Server, length: int) -> None:
    name, value = "X-" + "N" * min(length, 200), "v" * length
    (reply,) = replies(ask(server, request("GET", "/api/environ", headers={name: value}))).values()
    environ = reply.answer().json()["environ"]
    assert environ["HTTP_" + name.replace("-", "_")] == value


def test_small_answer_is_one_write(server: Server) -> None:
    with connect(server.address) as connection:
        connection.sendall(HELLO)
        assert body_of(connection.recv(65_536)) == b"hello"


def test_small_answer_is_one_record(server: Server) -> None:
    (reply,) = replies(ask(server, HELLO)).values()
    assert reply.sizes == [len(reply.stdout), 0]


def test_large_answer_is_cut_into_records(gateways: Gateways, listener: socket.socket) -> None:
    """Which the kernel takes at once: over a unix socket half of what may wait there, less 64 bytes."""
    server = gateways.serve(listener=listener)
    (reply,) = replies(ask(server, request("GET", "/api/large"))).values()
    assert len(reply.answer().body) > 2 * 65_535
    assert max(reply.sizes) == (PIECE_BYTES if listener.family == socket.AF_UNIX else 65_536) - 8


@pytest.mark.parametrize("listener", ["unix"], indirect=True)
def test_no_more_of_an_answer_waits_than_may(gateways: Gateways, listener: socket.socket) -> None:
    server = gateways.serve(listener=listener)
    with connect(server.address) as connection:
        connection.sendall(request("GET", "/api/large"))
        wait_for(lambda: waiting(connection) > PIECE_BYTES)
        time.sleep(0.1)
        assert waiting(connection) <= MOST_UNREAD
        (reply,) = replies(read_all(connection)).values()
    assert len(reply.answer().body) > 2 * 65_535


def test_answer_that_nobody_reads_is_given_up(gateways: Gateways, listener: socket.socket) -> None:
    """As soon as the kernel has taken what it does, which over TCP is some megabytes."""
    server = gateways.serve(listener=listener, request_timeout=1)
    with connect(server.address) as connection:
        connection.sendall(request("GET", "/api/large?n=20000000"))
        time.sleep(2.5)
        assert 0 < len(read_all(connection)) <= (MOST_UNREAD if listener.family == socket.AF_UNIX else 10_000_000)
    assert body_of(ask(server, HELLO)) == b"hello"


def waiting(connection: socket.socket) -> int:
    """Bytes that the kernel holds for who reads next (unix(7) and tcp(7), SIOCINQ)."""
    return int(struct.unpack("i", fcntl.ioctl(connection, termios.FIONREAD, bytes(4)))[0])


def test_stream_comes_as_it_is_made(server: Server) -> None:
    with connect(server.address) as connection:
        connection.sendall(request("GET", "/api/stream?n=3&s=0.2"))
        began, arrived, data = time.monotonic(), [], b""
        while block := connection.recv(65_536):
            arrived.append(time.monotonic() - began)
            data += block
    assert body_of(data) == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    assert arrived[0] < 0.15
    assert arrived[-1] > 0.35


# Answers of every kind


@pytest.mark.parametrize("path", ["/api/echo", "/api/stream", "/api/large", "/api/_health"])
def test_head_has_no_body(server: Server, path: str) -> None:
    (reply,) = replies(ask(server, request("HEAD", path))).values()
    answer = reply.answer()
    assert (answer.status, answer.body) == (200, b"")


def test_answer_without_content_has_none(server: Server) -> None:
    (reply,) = replies(ask(server, request("DELETE", "/api/empty"))).values()
    answer = reply.answer()
    assert (answer.status, answer.body) == (204, b"")
    assert "content-length" not in answer.headers


def test_answer_that_breaks_off_is_not_ended(server: Server) -> None:
    (reply,) = replies(ask(server, request("GET", "/api/late", keep=True))).values()
    assert reply.stdout.endswith(b"\r\n\r\nfirst")
    assert reply.ended is None


def test_error_before_the_first_byte_is_answered_and_ended(server: Server) -> None:
    for path in ("/api/early", "/api/boom"):
        (reply,) = replies(ask(server, request("GET", path))).values()
        assert reply.answer().json()["error"] == "internal server error"


def test_application_cannot_say_a_status_in_a_header(gateways: Gateways) -> None:
    release = gateways.folder / "own"
    (release / "app").mkdir(parents=True)
    (release / "release.json").write_text('{"id": "own"}')
    (release / "app" / "own.py").write_text(
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [('Status', '500 x'), ('sTATUS', '404 y')])\n"
        "    return [b'fine']\n"
    )
    server = gateways.serve(application="own:application", release=release)
    assert body_of(ask(server, request("GET", "/api/"))) == b"fine"


# Keeping the connection


def test_connection_is_closed_unless_it_is_to_be_kept(server: Server) -> None:
    assert body_of(ask(server, HELLO)) == b"hello"  # read_all ends
    with connect(server.address) as connection:
        for number in (1, 2, 1):
            connection.sendall(request("GET", "/api/echo", keep=True, number=number))
            data = connection.recv(65_536)
            assert list(replies(data)) == [number]
            assert body_of(data) == b"hello"
        connection.sendall(HELLO)
        assert body_of(read_all(connection)) == b"hello"


def test_requests_one_after_the_other_in_one_segment(server: Server) -> None:
    three = [request("POST", "/api/echo", str(n).encode(), number=n, keep=n < 3) for n in (1, 2, 3)]
    found = replies(ask(server, b"".join(three)))
    assert [found[n].answer().body for n in (1, 2, 3)] == [b"1", b"2", b"3"]


def test_body_that_nobody_read_does_not_become_the_next_request(server: Server) -> None:
    before = len(server.log())
    inner = request("GET", "/api/boom", keep=True)
    outer = request("POST", "/api/echo", b"x" * 300_001 + inner, keep=True)
    found = replies(ask(server, outer, request("GET", "/api/echo", number=2)))
    assert found[1].answer().status == 413
    assert found[2].answer().body == b"hello"
    assert server.log()[before:] == ""


def test_kept_connection_is_not_kept_for_ever(server: Server) -> None:
    with connect(server.address) as connection:
        connection.sendall(request("GET", "/api/echo", keep=True))
        began = time.monotonic()
        assert body_of(read_all(connection)) == b"hello"
        assert 2 < time.monotonic() - began < 8


# Management, roles and other requests


def test_values_may_be_asked_for(server: Server) -> None:
    asked = [("FCGI_MAX_CONNS", ""), ("FCGI_MAX_REQS", ""), ("FCGI_MPXS_CONNS", ""), ("OTHER", "")]
    (answer,) = records(ask(server, fcgi.record(Kind.GET_VALUES, 0, fcgi.pairs(asked)) + HELLO))[:1]
    assert answer[:2] == (Kind.GET_VALUES_RESULT, 0)
    assert fcgi.parse_pairs(answer[2]) == {"FCGI_MPXS_CONNS": "0"}


def test_values_may_be_asked_for_within_a_request(server: Server) -> None:
    asking = fcgi.record(Kind.GET_VALUES, 0, fcgi.pairs([("FCGI_MPXS_CONNS", "")]))
    said = variables("POST", "/api/echo", {}, len(BODY))
    data = ask(server, begin() + asking + params(said) + asking + stdin(BODY))
    assert [record[0] for record in records(data)].count(Kind.GET_VALUES_RESULT) == 2
    assert body_of(data) == BODY


@pytest.mark.parametrize("kind", [0, 12, 255])
def test_unknown_management_record(server: Server, kind: int) -> None:
    data = ask(server, fcgi.HEADER.pack(1, kind, 0, 3, 0) + b"abc" + HELLO)
    assert records(data)[0] == (Kind.UNKNOWN_TYPE, 0, bytes((kind, 0, 0, 0, 0, 0, 0, 0)))
    assert body_of(data) == b"hello"


@pytest.mark.parametrize("role", [0, 2, 3, 65_535])
def test_other_roles(server: Server, role: int) -> None:
    refused = begin(4, role=role) + HELLO[16:]
    (reply,) = replies(ask(server, refused)).values()
    assert (reply.stdout, reply.ended) == (b"", (0, Status.UNKNOWN_ROLE))
    kept = begin(4, role=role, flags=1) + params([("A", "B")], 4) + stdin(b"xyz", 4) + HELLO
    found = replies(ask(server, kept))
    assert found[4].ended == (0, Status.UNKNOWN_ROLE)
    assert found[1].answer().body == b"hello"


def test_second_request_at_once(server: Server) -> None:
    said = variables("POST", "/api/echo", {}, len(BODY))
    other = request("GET", "/api/boom", b"xyz", number=2)
    parts = (begin(), params(said), fcgi.stream(Kind.STDIN, 1, BODY), fcgi.record(Kind.STDIN, 1))
    for place in range(1, len(parts)):
        found = replies(ask(server, *parts[:place], other, *parts[place:]))
        assert found[2].ended == (0, Status.CANT_MPX_CONN)
        assert found[2].stdout == b""
        assert found[1].answer().body == BODY


def test_records_of_no_request_are_ignored(server: Server) -> None:
    stray = stdin(b"xyz", 9) + params([("A", "B")], 9) + fcgi.record(Kind.ABORT_REQUEST, 9)
    parts = (begin(), params(variables("GET", "/api/echo", {}, 0)), stdin())
    for place in range(len(parts)):
        assert body_of(ask(server, *parts[:place], stray, *parts[place:])) == b"hello"


# Aborts, and clients that leave


@pytest.mark.parametrize("keep", [False, True])
def test_abort_before_the_request_is_complete(server: Server, keep: bool) -> None:
    abort = fcgi.record(Kind.ABORT_REQUEST, 1)
    said = params(variables("POST", "/api/echo", {}, 5))
    for before in (b"", said[:-8], said, said + fcgi.stream(Kind.STDIN, 1, b"he")):
        more = request("GET", "/api/echo", number=2) if keep else b""
        found = replies(ask(server, begin(flags=int(keep)) + before + abort + more))
        assert found[1].ended == (0, Status.REQUEST_COMPLETE)
        assert b"200 OK" not in found[1].stdout
        assert not keep or found[2].answer().body == b"hello"


def test_abort_of_an_answered_request_is_ignored(server: Server) -> None:
    first = request("GET", "/api/echo", keep=True)
    found = replies(ask(server, first + fcgi.record(Kind.ABORT_REQUEST, 1) + request("GET", "/api/echo", number=2)))
    assert [found[n].answer().body for n in (1, 2)] == [b"hello"] * 2


@pytest.mark.parametrize("whole", [HELLO, POST], ids=["GET", "POST"])
def test_client_that_leaves_in_the_middle(server: Server, whole: bytes) -> None:
    before = server.log().count("Traceback")
    for cut in range(1, len(whole), 23):
        with connect(server.address) as connection:
            connection.sendall(whole[:cut])
    assert body_of(ask(server, HELLO)) == b"hello"
    assert server.log().count("Traceback") == before


def test_stream_that_is_left_is_closed(server: Server) -> None:
    with connect(server.address) as connection:
        connection.sendall(request("POST", "/api/closed"))
        assert connection.recv(1000)
    wait_for(lambda: body_of(ask(server, request("GET", "/api/closed"))) == b"stream")


# Heads and bodies


def head_of(size: int, count: int = 1) -> dict[str, str]:
    return {f"X-{number}": "v" * size for number in range(count)}


@pytest.mark.parametrize(
    ("headers", "status"),
    [(head_of(30_000), 200), (head_of(33_000), 431), (head_of(10, 90), 200), (head_of(10, 101), 431),
     (head_of(200_000), 431), (head_of(1000, 1000), 431)],
    ids=["long", "too long", "many", "too many", "far too long", "far too many"],
)  # fmt: skip
def test_head_within_bounds(server: Server, headers: dict[str, str], status: int) -> None:
    assert status_of(ask(server, request("GET", "/api/echo", headers=headers))) == status


def test_target_within_bounds(server: Server) -> None:
    assert status_of(ask(server, request("GET", "/api/echo?" + "q" * 8000))) == 200
    assert status_of(ask(server, request("GET", "/api/echo?" + "q" * 9000))) == 414


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 299_999, 300_000])
def test_body_of_any_size(server: Server, size: int) -> None:
    body = (BODY * (size // len(BODY) + 1))[:size]
    assert body_of(ask(server, request("POST", "/api/echo", body))) == body


def test_body_beyond_the_limit(server: Server) -> None:
    assert status_of(ask(server, request("POST", "/api/echo", b"x" * 300_001))) == 413
    assert status_of(ask(server, request("POST", "/api/echo", b"x", CONTENT_LENGTH="9" * 30))) == 413


@pytest.mark.parametrize(
    "declared", ["0", "", "00", "1", "766", "767", "769", "1000", "-768", "+768", "7_68", "x", "٣"]
)
@pytest.mark.parametrize("keep", [False, True])
def test_declared_and_real_length_must_agree(server: Server, declared: str, keep: bool) -> None:
    said = [pair for pair in variables("POST", "/api/echo", {}, 0) if pair[0] != "CONTENT_LENGTH"]
    raw = fcgi.pairs(said) + b"\x0e" + bytes((len(declared.encode()),)) + b"CONTENT_LENGTH" + declared.encode()
    whole = begin(flags=int(keep)) + fcgi.record(Kind.PARAMS, 1, raw) + fcgi.record(Kind.PARAMS, 1) + stdin(BODY)
    found = replies(ask(server, whole, request("GET", "/api/echo", number=2) if keep else b""))
    assert found[1].answer().status == 400
    assert not keep or found[2].answer().body == b"hello"


def test_body_without_a_length(server: Server) -> None:
    said = [pair for pair in variables("POST", "/api/echo", {}, 0) if pair[0] != "CONTENT_LENGTH"]
    assert status_of(ask(server, begin() + params(said) + stdin(BODY))) == 400
    assert body_of(ask(server, begin() + params(said) + stdin())) == b""


# Slow peers


def test_slow_head(server: Server) -> None:
    began = time.monotonic()
    assert status_of(ask(server, HELLO[:100])) == 408
    assert 2.5 < time.monotonic() - began < 8


def test_silent_connection_is_closed(server: Server) -> None:
    for silent in (b"", HELLO[:1], HELLO[:7]):
        assert ask(server, silent) == b""


def test_slow_body(server: Server) -> None:
    began = time.monotonic()
    assert status_of(ask(server, POST[:-20])) == 408
    assert 2.5 < time.monotonic() - began < 8


@pytest.mark.parametrize("cut", [3, 40, 600, len(POST) - 300, len(POST) - 12])
def test_kept_connection_stays_in_step_after_a_slow_request(server: Server, cut: int) -> None:
    whole = request("POST", "/api/echo", BODY, keep=True)
    with connect(server.address) as connection:
        connection.sendall(request("GET", "/api/echo", number=3, keep=True))
        assert replies(connection.recv(65_536))[3].answer().body == b"hello"
        connection.sendall(whole[:cut])
        if cut > 16:  # the request has begun
            assert replies(connection.recv(65_536))[1].answer().status == 408
            connection.sendall(whole[cut:] + request("GET", "/api/echo", number=2))
            assert replies(read_all(connection))[2].answer().body == b"hello"
        else:
            assert read_all(connection) == b""


# What is no FastCGI


BROKEN = {
    "version": b"\x01" + begin()[1:] + b"\x02" + params([])[1:],
    "begin of another size": fcgi.record(Kind.BEGIN_REQUEST, 1, b"\0\1\0"),
    "begun twice": begin() + begin(),
    "body before parameters": begin() + stdin(b"x"),
    "parameters after parameters": begin() + params(variables("POST", "/api/echo", {}, 0)) + params([]),
    "data of a filter": begin() + fcgi.record(Kind.DATA, 1),
    "answer from the wrong side": begin() + fcgi.record(Kind.STDOUT, 1, b"x"),
    "unknown kind in a request": begin() + fcgi.HEADER.pack(1, 77, 1, 0, 0),
    "request zero": begin(0),
    "parameters of request zero": fcgi.record(Kind.PARAMS, 0),
    "result from the wrong side": fcgi.record(Kind.GET_VALUES_RESULT, 0),
    "cut pair": begin() + fcgi.record(Kind.PARAMS, 1, b"\x05\x05abc") + params([]),
    "endless pair": begin() + fcgi.record(Kind.PARAMS, 1, b"\xff\xff\xff\xff\xff\xff\xff\xff") + params([]),
    "end within a record": begin()[:-1] + HELLO[16:],
    "cut values": fcgi.record(Kind.GET_VALUES, 0, b"\x05"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_malformed_is_closed_and_logged(gateways: Gateways, name: str) -> None:
    server = gateways.serve()
    data = ask(server, BROKEN[name] + request("GET", "/api/boom", number=1))
    assert b"Status: 200" not in data
    assert "refused a malformed FastCGI connection reason=" in server.log()
    assert "path=/api/boom" not in server.log()
    assert "Traceback" not in server.log()
    assert body_of(ask(server, HELLO)) == b"hello"


def test_malformed_in_a_body(gateways: Gateways) -> None:
    server = gateways.serve()
    for place in (0, 100):
        broken = begin(flags=1) + params(variables("POST", "/api/echo", {}, len(BODY))) + (
            fcgi.record(Kind.STDIN, 1, BODY[:place]) if place else b""
        )  # fmt: skip
        data = ask(server, broken + fcgi.record(Kind.PARAMS, 1), request("GET", "/api/boom", number=2))
        assert status_of(data) == 400
    assert "refused a malformed FastCGI connection reason=" in server.log()
    assert "path=/api/boom" not in server.log()
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("method", ["", "get", "GE T", "GET\r\nX: y", "é"])
def test_bad_method(server: Server, method: str) -> None:
    assert status_of(ask(server, request("GET", "/api/echo", REQUEST_METHOD=method))) in (400, 405)


@pytest.mark.parametrize("target", ["", "api/echo", "/api/ec ho", "/api/\xe9", "/api/\x00", "/api/echo#x"])
def test_bad_target(server: Server, target: str) -> None:
    assert status_of(ask(server, request("GET", target))) == 400


@pytest.mark.parametrize("value", ["a\nb", "a\r\nX: y", "a\0b", "\x7f"])
def test_forbidden_characters(server: Server, value: str) -> None:
    assert status_of(ask(server, request("GET", "/api/echo", headers={"X-Value": value}))) == 400


def test_worker_speaks_both_protocols_at_once(server: Server) -> None:
    for client in itertools.islice(
        itertools.cycle((server, FastCgiServer(server.process, server.address, server.log_file))), 6
    ):
        assert client.get("/api/echo").body == b"hello"
