"""The end of a connection that no other request follows on: over TCP it comes together with the answer."""

import select
import socket
import time

import pytest
from fastcgi_kit import request
from gateway_kit import Gateways, Server, connect, read_all

HTTP = b"GET /api/%b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.fixture
def server(gateways: Gateways, free_port: int) -> Server:
    return gateways.serve(listen=f"127.0.0.1:{free_port}")


@pytest.mark.parametrize("asked", [HTTP % b"slow?s=0.05", request("GET", "/api/slow?s=0.05")], ids=["http", "fastcgi"])
def test_the_end_comes_with_the_answer(server: Server, asked: bytes) -> None:
    for _ in range(5):
        with connect(server.address) as connection:
            connection.sendall(asked)
            poll = select.poll()
            poll.register(connection, select.POLLIN | select.POLLRDHUP)
            ((_, events),) = poll.poll(5000)
            assert events & select.POLLRDHUP
            assert b"200" in read_all(connection)


def test_another_request_may_follow_where_nobody_said_close(server: Server) -> None:
    with connect(server.address) as connection:
        for _ in range(3):
            connection.sendall((HTTP % b"slow?s=0").replace(b"close", b"keep-alive"))
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_answer_reaches_a_client_that_sent_more_than_was_read(server: Server) -> None:
    with connect(server.address) as connection:
        connection.sendall(HTTP % b"slow?s=0.2")
        time.sleep(0.1)
        connection.sendall(b"more")
        time.sleep(0.3)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_client_that_left_is_no_error(server: Server) -> None:
    with connect(server.address) as connection:
        connection.sendall(HTTP % b"slow?s=0.1")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    time.sleep(0.3)
    assert "exception" not in server.log()
    assert server.get("/api/slow?s=0").status == 200
