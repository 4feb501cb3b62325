"""What an application may answer and may not (PEP 3333, RFC 9110), as bytes from a real server."""

import contextlib
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from gateway_kit import Gateways, Server, connect, wait_for
from wire_cases import END, GET
from wire_kit import ask, exchange
from wire_replies import Reply, read, receive_all


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Gateways(tmp_path_factory.mktemp("answers"))
    yield made.serve(application="wire:application", request_timeout=5)
    made.stop()


def request(path: str, method: str = "GET", *, keep: bool = False, **query: object) -> bytes:
    target = f"/api/{path}?{urlencode(query, doseq=True)}"
    return f"{method} {target} HTTP/1.1\r\nHost: a\r\n".encode() + (b"\r\n" if keep else END)


def answer(server: Server, path: str = "answer", **query: object) -> Reply:
    return ask(server.address, request(path, **query))


@pytest.mark.parametrize("how", ["list", "tuple"])
@pytest.mark.parametrize("chunks", [[], [""], ["a"], ["a", "", "bc"]])
def test_a_whole_answer_gets_a_length(server: Server, how: str, chunks: list[str]) -> None:
    reply = answer(server, how=how, chunk=chunks)
    body = "".join(chunks).encode()
    assert (reply.body, reply.all("content-length"), reply.all("transfer-encoding")) == (body, [str(len(body))], [])
    assert len(reply.all("date")) == len(reply.all("x-request-id")) == 1


def test_an_id_of_the_application_does_not_hide_the_request_in_the_log(server: Server) -> None:
    (identity,) = answer(server, chunk="a", header=["x-request-id:own", "X-Request-Id:own"]).all("x-request-id")
    assert len(identity) == 16


@pytest.mark.parametrize("how", ["generator", "write", "both"])
def test_pieces_are_sent_as_chunks(server: Server, how: str) -> None:
    reply = answer(server, how=how, chunk=["a", "", "bc"])
    assert (reply.body, reply.complete, reply.all("transfer-encoding")) == (b"abc", True, ["chunked"])


@pytest.mark.parametrize("how", ["list", "generator", "write", "both"])
@pytest.mark.parametrize(
    ("declared", "sent", "complete"), [(3, ["a", "bc"], True), (2, ["a", "bc"], False), (4, ["a", "bc"], False)]
)
def test_a_declared_length_is_kept_or_the_connection_ends(
    server: Server, how: str, declared: int, sent: list[str], complete: bool
) -> None:
    header = f"Content-Length:{declared}"
    data = request("answer", keep=True, how=how, chunk=sent, header=header) + GET + END
    replies = exchange(server.address, data)
    first = replies[0]
    if complete:
        assert (first.body, first.complete, len(replies)) == (b"abc", True, 2)
    elif how == "list":
        assert (first.status, first.json()["error"], len(replies)) == (500, "internal server error", 2)
    else:
        assert (first.body, first.all("content-length")) == (b"abc"[:declared], [str(declared)])
        assert (len(replies), first.complete) == (1, declared < 4)
    if not complete:
        assert "bytes" in server.log()


@pytest.mark.parametrize("how", ["list", "generator", "write"])
def test_head_has_the_head_only(server: Server, how: str) -> None:
    for query in ({}, {"header": "Content-Length:3"}, {"header": "Content-Length:99"}):
        data = request("answer", "HEAD", keep=True, how=how, chunk=["a", "bc"], **query) + GET + END
        first, second = exchange(server.address, data, "HEAD")
        assert (first.status, first.all("transfer-encoding"), second.status) == (200, [], 200)
        expected = [query["header"].partition(":")[2]] if query else ["3"] if how == "list" else []
        assert first.all("content-length") == expected


@pytest.mark.parametrize("how", ["list", "generator", "write"])
@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_some_answers_have_no_body_whatever_the_application_gives(server: Server, status: str, how: str) -> None:
    data = request("answer", keep=True, how=how, status=status, chunk=["a", "b"], header="Content-Length:2")
    first, second = exchange(server.address, data + GET + END)
    assert (f"{first.status}", second.status) == (status[:3], 200)
    assert first.all("content-length") == first.all("transfer-encoding") == []


@pytest.mark.parametrize(
    "query",
    [
        {"status": "200 OK\r\nX-Evil: 1"},
        {"status": "200 OK\nX-Evil: 1"},
        {"status": "200 O\0K"},
        {"status": "200"},
        {"status": "20 OK"},
        {"status": "2000 OK"},
        {"status": "abc OK"},
        {"status": "101 Switching Protocols"},
        {"status": "100 Continue"},
        {"status": ""},
        {"header": "X-A:b\r\nX-Evil: 1"},
        {"header": "X-A:b\nX-Evil: 1"},
        {"header": "X-A:b\rX-Evil: 1"},
        {"header": "X-A:b\0c"},
        {"header": "X-A:b\x7f"},
        {"header": "X-A:\u20ac"},
        {"header": "X A:b"},
        {"header": "X-A\r\nX-Evil:1"},
        {"header": ":b"},
        {"header": "X-\u00e4:b"},
        {"header": "Content-Length:1x"},
        {"header": "Content-Length:-1"},
        {"header": "Content-Length: 1"},
        {"header": "Content-Length:\u0661"},
        {"header": ["Content-Length:1", "content-length:1"]},
    ],
)
def test_what_would_break_the_head_becomes_500(server: Server, query: dict[str, str]) -> None:
    reply = answer(server, chunk="a", **query)
    assert (reply.status, reply.json()["error"]) == (500, "internal server error")
    assert reply.all("x-evil") == []
    assert f"{reply.json()['request_id']}| " in server.log()


def test_what_belongs_to_the_connection_is_not_the_applications(server: Server) -> None:
    names = ["Connection", "Transfer-Encoding", "keep-alive", "Upgrade", "TE", "Trailer", "Proxy-Connection"]
    data = request("answer", keep=True, chunk="a", header=[f"{name}:close" for name in names]) + GET + END
    first, second = exchange(server.address, data)
    assert (first.body, second.status) == (b"a", 200)
    assert not {name.lower() for name in names} & {name.lower() for name, _ in first.headers}


def test_a_date_of_the_application_stays(server: Server) -> None:
    assert answer(server, chunk="a", header="date:yesterday").all("date") == ["yesterday"]


@pytest.mark.parametrize("kind", ["twice", "never", "text", "status bytes", "value int", "none"])
def test_what_pep_3333_forbids_becomes_500(server: Server, kind: str) -> None:
    assert answer(server, "wrong", kind=kind).status == 500


@pytest.mark.parametrize("kind", ["value", "exit", "keyboard"])
@pytest.mark.parametrize("when", ["before", "early", "late"])
def test_no_error_takes_the_worker_down(server: Server, kind: str, when: str) -> None:
    before = server.log().count("Traceback")
    reply = answer(server, "fail", kind=kind, when=when)
    assert (reply.status, reply.complete) == ((200, False) if when == "late" else (500, True))
    assert answer(server, "lazy").body == b"lazy"
    wait_for(lambda: server.log().count("Traceback") == before + 1)


@pytest.mark.parametrize(("when", "status"), [("before", 503), ("early", 503), ("late", 200)])
def test_an_application_that_ends_its_greenlet(server: Server, when: str, status: int) -> None:
    reply = answer(server, "fail", kind="greenlet", when=when)
    assert (reply.status, reply.complete) == (status, when != "late")
    assert answer(server, "lazy").body == b"lazy"


def test_exc_info_replaces_what_is_not_out_yet(server: Server) -> None:
    reply = answer(server, "restart")
    assert (reply.status, reply.body, reply.all("x-first")) == (418, b"second", [])
    late = answer(server, "restart", late=1)
    assert (late.status, late.body, late.complete) == (200, b"first", False)


def test_every_iterable_is_closed_once(server: Server) -> None:
    queries = {
        "whole": {"chunk": ["a", "b"]},
        "empty": {},
        "HEAD": {"chunk": ["a"]},
        "short": {"chunk": ["a"], "header": "Content-Length:2"},
        "long": {"chunk": ["a", "b"], "header": "Content-Length:1"},
        "bodiless": {"chunk": ["a", "b"], "status": "204 No Content"},
        "left": {"chunk": ["x" * 4000] * 1},
    }
    for name, query in queries.items():
        data = request("answer", "HEAD" if name == "HEAD" else "GET", how="tracked", name=name, **query)
        with connect(server.address) as connection:
            connection.sendall(data)
            if name != "left":
                receive_all(connection)
    closed = wait_for(lambda: len(found := answer(server, "tell_closed").json()) >= len(queries) and found)
    assert sorted(closed) == sorted(queries)


def test_a_reader_that_takes_nothing_is_cut_off(gateways: Gateways) -> None:
    server = gateways.serve(application="wire:application", request_timeout=0.5)
    with connect(server.address) as connection:
        connection.sendall(request("flood", n=1000))
        wait_for(lambda: b"flood" in ask(server.address, request("tell_closed")).body, 3)
        assert not read(receive_all(connection))[0].complete
    assert "Traceback" not in server.log()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", None),
        (b"GET /api/mi", 408),
        (GET, 408),
        (b"POST /api/mirror HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhel", 408),
        (b"POST /api/mirror HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nh", 408),
    ],
)
def test_a_sender_that_stops_is_cut_off(gateways: Gateways, sent: bytes, status: int | None) -> None:
    server = gateways.serve(application="wire:application", request_timeout=0.3)
    began = time.monotonic()
    with connect(server.address) as connection:
        connection.sendall(sent)
        replies = read(receive_all(connection))
    assert [reply.status for reply in replies] == ([status] if status else [])
    assert 0.25 < time.monotonic() - began < 1.5


def test_a_slow_head_is_cut_off_however_it_drips(gateways: Gateways) -> None:
    server = gateways.serve(application="wire:application", request_timeout=0.3)
    began = time.monotonic()
    with connect(server.address) as connection:
        with contextlib.suppress(OSError):
            for byte in GET + b"A: " + b"b" * 1000:
                connection.send(bytes([byte]))
                time.sleep(0.01)
        (reply,) = read(receive_all(connection))
    assert reply.status == 408
    assert time.monotonic() - began < 4


def test_an_idle_connection_is_closed_in_silence(gateways: Gateways) -> None:
    server = gateways.serve(application="wire:application", request_timeout=0.3)
    with connect(server.address) as connection:
        connection.sendall(request("lazy", keep=True))
        (reply,) = read(receive_all(connection))
    assert (reply.body, reply.complete) == (b"lazy", True)
