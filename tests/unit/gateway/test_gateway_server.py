"""The server on the wire: real processes, raw bytes, clients that misbehave."""

import json
import socket
import time
from pathlib import Path

import pytest
from gateway_kit import RELEASE, Gateways, Server, connect, read_all, wait_for


def test_health(served: Server) -> None:
    answer = served.get("/api/_health")
    assert (answer.status, answer.json()) == (200, {"status": "ok", "release": RELEASE, "worker": "1"})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"


def test_health_head(shared: Server) -> None:
    raw = shared.raw(b"HEAD /api/_health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"\r\nContent-Length: 59\r\n" in raw
    assert raw.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(("size", "status"), [(300_000, 200), (300_001, 413)])
def test_border_of_the_body(served: Server, size: int, status: int) -> None:
    answer = served.request("POST", "/api/echo", b"x" * size)
    assert answer.status == status
    if status == 413:
        assert answer.json() == {
            "error": "the request body is larger than 300000 bytes",
            "request_id": answer.headers["x-request-id"],
        }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/echo", 200),
        ("GET", "/api/_health", 200),
        ("GET", "/elsewhere", 404),
        ("OPTIONS", "/api/echo", 405),
        ("GET", "/api/boom", 500),
    ],
)
def test_every_answer_names_its_request(served: Server, method: str, path: str, status: int) -> None:
    first, second = (served.request(method, path) for _ in range(2))
    assert first.status == second.status == status
    first_id, second_id = (answer.headers["x-request-id"] for answer in (first, second))
    assert len(first_id) == len(second_id) == 16
    assert first_id != second_id


def test_endless_body_is_refused_without_being_read(shared: Server) -> None:
    began = time.monotonic()
    with connect(shared.address) as connection:
        connection.sendall(b"POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\n\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 413 ")
    assert time.monotonic() - began < 0.5


def test_continue_is_sent_only_for_a_body_that_is_wanted(shared: Server) -> None:
    head = "POST /api/echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n"
    with connect(shared.address) as connection:
        connection.sendall(head.format(2).encode())
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hi")
        assert read_all(connection).endswith(b"\r\n\r\nhi")
    assert shared.raw(head.format(300_001).encode()).startswith(b"HTTP/1.1 413 ")


def test_no_answer_in_time(served: Server) -> None:
    began = time.monotonic()
    answer = served.get("/api/slow?s=20")
    assert (answer.status, answer.json()["error"]) == (504, "no answer in time")
    assert 0.4 < time.monotonic() - began < 2
    (line,) = [line for line in served.log().splitlines() if answer.headers["x-request-id"] in line]
    assert line.startswith("no answer in time: answered 504 ")
    assert "at='app.py, line " in line


def test_timeout_cannot_be_swallowed(served: Server) -> None:
    assert served.get("/api/swallow").status == 504


def test_stream_arrives_as_it_is_sent_and_longer_than_the_timeout(shared: Server) -> None:
    with connect(shared.address) as connection:
        connection.sendall(b"GET /api/stream?n=7&s=0.1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        began = time.monotonic()
        assert b"data: 0\n\n" in connection.recv(10_000)
        assert time.monotonic() - began < 0.1
        rest = read_all(connection)
    assert time.monotonic() - began > 0.6
    assert rest.endswith(b"data: 6\n\n\r\n0\r\n\r\n")


def test_exception_after_the_first_bytes_cuts_the_answer_off(shared: Server) -> None:
    raw = shared.raw(b"GET /api/late HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert raw.endswith(b"\r\n\r\n5\r\nfirst\r\n")  # no last chunk: the client can tell
    assert shared.log().count("ValueError: after the first byte") == 1


def test_small_answer_is_one_write_and_the_connection_closes(shared: Server) -> None:
    with connect(shared.address) as connection:
        connection.sendall(b"GET /api/echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = connection.recv(10_000)
        assert answer.endswith(b"\r\n\r\nhello")
        assert b"\r\nConnection: close\r\n" in answer
        assert connection.recv(1) == b""


def test_http_1_0(shared: Server) -> None:
    assert shared.raw(b"GET /api/stream?n=2&s=0 HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\ndata: 0\n\ndata: 1\n\n")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /api/echo HTTP/9.9\r\n\r\n",
        b"GET /api/echo HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n",
        b"GET /api/echo HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /api/echo HTTP/1.1\r\nHost: a b\r\n\r\n",
    ],
)
def test_malformed_request_gets_json_400_and_no_traceback(shared: Server, request_bytes: bytes) -> None:
    before = shared.log().count("Traceback")
    request_bytes = request_bytes.replace(b"/api/echo", b"/api/echo?token=hidden")
    head, _, body = shared.raw(request_bytes).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    identity = head.partition(b"X-Request-Id: ")[2].partition(b"\r\n")[0].decode()
    assert json.loads(body)["request_id"] == identity
    assert shared.log().count("Traceback") == before
    assert "hidden" not in shared.log()


def test_long_request_line(shared: Server) -> None:
    raw = shared.raw(b"GET /api/" + b"x" * 10_000 + b" HTTP/1.1\r\n\r\n")
    assert raw.startswith(b"HTTP/1.1 414 ")
    assert b'"request_id"' in raw


def test_clients_that_leave_cause_no_tracebacks(shared: Server) -> None:
    before = shared.log()
    requests = [
        b"",
        b"GET /api/ec",
        b"GET /api/slow?s=0.1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /api/large?n=9000000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /api/stream?n=50&s=0.01 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nxx",
        b"POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"POST /api/closed HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ]
    for data in requests:
        with connect(shared.address) as connection:
            connection.sendall(data)
            time.sleep(0.02)
    time.sleep(0.2)
    assert shared.get("/api/echo").status == 200
    assert shared.log() == before


def test_full_server_refuses_at_once_and_recovers(gateways: Gateways) -> None:
    server = gateways.serve(max_concurrency=2)
    held = [connect(server.address) for _ in range(2)]
    for connection in held:
        connection.sendall(b"GET /api/slow?s=0.5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    wait_for(lambda: server.get("/api/echo").status == 503)
    refused = server.get("/api/echo")
    assert (refused.status, refused.headers["retry-after"], refused.json()["error"]) == (503, "1", "too busy")
    assert server.get("/api/_health").status == 200
    for connection in held:
        with connection:
            assert read_all(connection).endswith(b"slept")
    assert server.get("/api/echo").status == 200
    assert server.log().count("too many requests at once") == 1


def test_requests_are_held_side_by_side(shared: Server) -> None:
    connections = [connect(shared.address) for _ in range(50)]
    began = time.monotonic()
    for connection in connections:
        connection.sendall(b"GET /api/slow?s=0.2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    for connection in connections:
        with connection:
            assert read_all(connection).endswith(b"slept")
    assert time.monotonic() - began < 2


def test_tcp_over_both_families(gateways: Gateways, free_port: int) -> None:
    for address in (f"127.0.0.1:{free_port}", f"[::1]:{free_port}"):
        server = gateways.serve(listen=address)
        assert server.get("/api/echo").body == b"hello"
        assert f"listen={address} " in server.log()
    with connect(f"127.0.0.1:{free_port}") as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(b"GET /api/slow?s=0.1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    time.sleep(0.2)
    assert "Traceback" not in gateways.servers[0].log()


def test_address_that_is_taken(gateways: Gateways, free_port: int) -> None:
    with socket.create_server(("127.0.0.1", free_port)):
        arguments = [
            "--config",
            str(gateways.config(listen=f"127.0.0.1:{free_port}")),
            "--release",
            str(gateways.release()),
        ]
        done = gateways.run("serve", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(f"listen: '127.0.0.1:{free_port}': cannot be bound: Address already in use; ")


def test_unix_socket_is_not_taken_from_a_living_server_but_from_a_dead_one(gateways: Gateways) -> None:
    server = gateways.serve()
    second = gateways.serve(listen=server.address, wait=False)
    assert second.wait() == 1
    assert "Address already in use" in second.log()
    assert server.get("/api/echo").status == 200
    server.process.kill()
    server.wait()
    assert Path(server.address).exists()
    assert gateways.serve(listen=server.address).get("/api/echo").status == 200
