"""What RFC 9112 allows, as bytes to a real server: understood however it is split, and answered in order."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from gateway_kit import Gateways, Server, connect
from wire_cases import CHUNKED, END, GET, POST
from wire_kit import ask, exchange, split_anywhere
from wire_replies import read, receive_all

BYTES = bytes(range(256))

# the request, and what the application must see of it
ALLOWED: dict[str, tuple[bytes, dict[str, str]]] = {
    "GET": (GET + END, {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/mirror", "QUERY_STRING": "", "body": ""}),
    "query": (
        b"GET /api/x?a=%20b&c HTTP/1.1\r\nHost: a\r\n" + END,
        {"PATH_INFO": "/api/x", "QUERY_STRING": "a=%20b&c"},
    ),
    "question marks": (b"GET /api/x?a?b HTTP/1.1\r\nHost: a\r\n" + END, {"QUERY_STRING": "a?b"}),
    "quoted path": (b"GET /api/%C3%A4%2Fb%25 HTTP/1.1\r\nHost: a\r\n" + END, {"PATH_INFO": "/api/\xc3\xa4/b%"}),
    "percent alone": (b"GET /api/%zz% HTTP/1.1\r\nHost: a\r\n" + END, {"PATH_INFO": "/api/%zz%"}),
    "HTTP/1.0": (b"GET /api/mirror HTTP/1.0\r\n\r\n", {"SERVER_PROTOCOL": "HTTP/1.0"}),
    "HTTP/1.1": (GET + END, {"SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "a", "SERVER_PORT": "80"}),
    "absolute": (
        b"GET http://a:8/api/x?y HTTP/1.1\r\nHost: a:8\r\n" + END,
        {"PATH_INFO": "/api/x", "SERVER_PORT": "8"},
    ),
    "absolute in HTTP/1.0": (b"GET HTTP://b/api/x HTTP/1.0\r\n\r\n", {"PATH_INFO": "/api/x", "HTTP_HOST": "b"}),
    "OPTIONS": (b"OPTIONS /api/mirror HTTP/1.1\r\nHost: a\r\n" + END, {"REQUEST_METHOD": "OPTIONS"}),
    "PATCH": (b"PATCH /api/mirror HTTP/1.1\r\nHost: a\r\n" + END, {"REQUEST_METHOD": "PATCH"}),
    "one empty line first": (b"\r\n" + GET + END, {"PATH_INFO": "/api/mirror"}),
    "header": (GET + b"X-Some-Name: value\r\n" + END, {"HTTP_X_SOME_NAME": "value"}),
    "white space around a value": (GET + b"A: \t b c \t \r\n" + END, {"HTTP_A": "b c"}),
    "no white space": (GET + b"A:b\r\n" + END, {"HTTP_A": "b"}),
    "empty value": (GET + b"A:\r\nB: \r\n" + END, {"HTTP_A": "", "HTTP_B": ""}),
    "tab in a value": (GET + b"A: b\tc\r\n" + END, {"HTTP_A": "b\tc"}),
    "value beyond ASCII": (GET + b"A: \xc3\xa4\r\n" + END, {"HTTP_A": "\xc3\xa4"}),
    "repeated header": (GET + b"A: b\r\na: c\r\n" + END, {"HTTP_A": "b,c"}),
    "repeated cookie": (GET + b"Cookie: a=b\r\nCookie: c=d\r\n" + END, {"HTTP_COOKIE": "a=b; c=d"}),
    "content type": (POST + b"Content-Type: a/b\r\nContent-Length: 0\r\n" + END, {"CONTENT_TYPE": "a/b"}),
    "Upgrade is ignored": (GET + b"Upgrade: websocket\r\nConnection: upgrade\r\n" + END, {"PATH_INFO": "/api/mirror"}),
    "Upgrade with a body": (
        POST + b"Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 5\r\n" + END + b"hello",
        {"body": "hello"},
    ),
    "length": (POST + b"Content-Length: 5\r\n" + END + b"hello", {"body": "hello", "CONTENT_LENGTH": "5"}),
    "length with zeros": (POST + b"Content-Length: 0005\r\n" + END + b"hello", {"body": "hello"}),
    "length of a GET": (GET + b"Content-Length: 5\r\n" + END + b"hello", {"body": "hello"}),
    "every byte": (POST + b"Content-Length: 256\r\n" + END + BYTES, {"body": BYTES.decode("latin-1")}),
    "body like a request": (POST + b"Content-Length: %d\r\n" % len(GET) + END + GET, {"body": GET.decode()}),
    "chunks": (CHUNKED + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", {"body": "hello world", "CONTENT_LENGTH": "11"}),
    "no chunk": (CHUNKED + b"0\r\n\r\n", {"body": "", "CONTENT_LENGTH": "0"}),
    "chunk sizes": (CHUNKED + b"0005\r\nhello\r\nB\r\nhello world\r\n00\r\n\r\n", {"body": "hellohello world"}),
    "chunk like a chunk": (CHUNKED + b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", {"body": "0\r\n\r\n"}),
    "extensions": (CHUNKED + b'5;a;b=c;d="e\\"f;"\r\nhello\r\n0;a\r\n\r\n', {"body": "hello"}),
    "trailers": (CHUNKED + b"5\r\nhello\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\nHost: evil\r\n\r\n", {"HTTP_HOST": "a"}),
    "coding in capitals": (POST + b"Transfer-Encoding: CHUNKED\r\n" + END + b"1\r\nx\r\n0\r\n\r\n", {"body": "x"}),
}
UNSEEN = {"HTTP_TRANSFER_ENCODING", "HTTP_X_FORWARDED_FOR"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Gateways(tmp_path_factory.mktemp("served"))
    yield made.serve(application="wire:validated", request_timeout=5)
    made.stop()


def check(reply: Any, expected: dict[str, str]) -> None:
    assert (reply.status, reply.complete) == (200, True), reply
    seen = reply.json()
    assert {key: seen.get(key) for key in expected} == expected
    assert not UNSEEN & seen.keys()


@pytest.mark.parametrize("name", ALLOWED)
def test_the_application_sees_what_was_sent(server: Server, name: str) -> None:
    data, expected = ALLOWED[name]
    check(ask(server.address, data), expected)


@pytest.mark.parametrize("name", ALLOWED)
def test_it_sees_the_same_wherever_the_bytes_are_split(server: Server, name: str) -> None:
    data, expected = ALLOWED[name]
    for replies in split_anywhere(server.address, data):
        (reply,) = replies
        check(reply, expected)


def test_bytes_one_by_one(server: Server) -> None:
    data, expected = ALLOWED["extensions"]
    with connect(server.address) as connection:
        for place in range(len(data)):
            connection.send(data[place : place + 1])
            time.sleep(0.001)
        (reply,) = read(receive_all(connection))
    check(reply, expected)


@pytest.mark.parametrize("line", [b"X_Forwarded_For: 6.6.6.6", b"X_Real-IP: 6.6.6.6", b"Content_Length: 5", b"_: 6"])
def test_underscores_in_names_reach_nobody(server: Server, line: bytes) -> None:
    reply = ask(server.address, GET + line + b"\r\nX-Forwarded-For: 192.0.2.1\r\n" + END)
    seen = reply.json()
    assert (reply.status, seen["REMOTE_ADDR"], "CONTENT_LENGTH" in seen) == (200, "192.0.2.1", False)
    assert "6" not in [value for key, value in seen.items() if key.startswith("HTTP_") and "ID" not in key]


PIPELINE = (
    b"GET /api/1 HTTP/1.1\r\nHost: a\r\n\r\n"
    b"POST /api/2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    b"HEAD /api/3 HTTP/1.1\r\nHost: a\r\n\r\n"
    b"POST /api/4 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n"
    b"\r\nGET /api/answer?status=204+x HTTP/1.1\r\nHost: a\r\n\r\n"
    b"GET /api/answer?how=generator&chunk=a&chunk=bc HTTP/1.1\r\nHost: a\r\n\r\n"
    b"GET /api/7 HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n"
    b"GET /api/8 HTTP/1.1\r\nHost: a\r\n\r\n"
)


def check_pipeline(replies: list[Any]) -> None:
    assert [reply.status for reply in replies] == [200, 200, 200, 200, 204, 200, 200]
    paths = [reply.json()["PATH_INFO"] for reply in (replies[0], replies[1], replies[3], replies[6])]
    assert paths == ["/api/1", "/api/2", "/api/4", "/api/7"]
    assert [replies[1].json()["body"], replies[3].json()["body"], replies[5].body] == ["hello", "abc", b"abc"]
    assert [bool(reply.all("connection")) for reply in replies] == [False] * 6 + [True]


def test_pipelined_requests_are_answered_in_order_up_to_a_close(server: Server) -> None:
    check_pipeline(exchange(server.address, PIPELINE, "GET", "POST", "HEAD"))


def test_a_pipeline_split_anywhere(server: Server) -> None:
    for place in range(1, len(PIPELINE), 7):
        with connect(server.address) as connection:
            connection.sendall(PIPELINE[:place])
            time.sleep(0.005)
            with contextlib.suppress(BrokenPipeError):  # the last request comes after a close
                connection.sendall(PIPELINE[place:])
            check_pipeline(read(receive_all(connection), "GET", "POST", "HEAD"))


def test_many_requests_in_a_row_on_one_connection(server: Server) -> None:
    many = b"".join(b"GET /api/%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(300))
    replies = exchange(server.address, many + GET + END)
    assert [reply.json()["PATH_INFO"] for reply in replies] == [*(f"/api/{n}" for n in range(300)), "/api/mirror"]


def test_a_body_that_nobody_read_is_no_request(server: Server) -> None:
    body = GET + b"\r\n"
    with connect(server.address) as connection:
        connection.sendall(b"POST /api/unread HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        connection.sendall(GET + END)
        first, second = read(receive_all(connection))
    assert (first.body, second.json()["PATH_INFO"]) == (b"unread", "/api/mirror")


def test_http_1_0_is_closed_and_never_chunked(server: Server) -> None:
    (reply,) = exchange(
        server.address, b"GET /api/answer?how=generator&chunk=a&chunk=b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    )
    assert (reply.body, reply.all("connection"), reply.all("transfer-encoding")) == (b"ab", ["close"], [])


@pytest.mark.parametrize("length", [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_continue_is_asked_for_once_and_only_when_it_is_waited_for(server: Server, length: bytes) -> None:
    body = b"hello" if b"Length" in length else b"5\r\nhello\r\n0\r\n\r\n"
    head = POST + length + b"Expect: 100-Continue\r\n" + END
    with connect(server.address) as connection:
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        (reply,) = read(receive_all(connection))
    assert reply.json()["body"] == "hello"
    assert [reply.status for reply in exchange(server.address, head + body)] == [200]


def test_continue_is_not_known_in_http_1_0(server: Server) -> None:
    data = b"POST /api/mirror HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    with connect(server.address) as connection:
        connection.sendall(data)
        time.sleep(0.05)
        connection.sendall(b"hello")
        (reply,) = read(receive_all(connection))
    assert reply.json()["body"] == "hello"


@pytest.mark.parametrize("size", [65_535, 65_536, 300_000, 2_000_000])
@pytest.mark.parametrize("chunk", [0, 1000, 70_000])
def test_large_bodies_arrive_whole(server: Server, size: int, chunk: int) -> None:
    body = (BYTES * (size // 256 + 1))[:size]
    if chunk:
        pieces = [body[place : place + chunk] for place in range(0, size, chunk)]
        data = CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    else:
        data = POST + b"Content-Length: %d\r\n" % size + END + body
    seen = ask(server.address, data).json()
    assert (seen["body"].encode("latin-1") == body, seen["CONTENT_LENGTH"]) == (True, str(size))
