"""Workers that are stopped or full while lighttpd speaks FastCGI with them."""

import socket
import time

from fastcgi_kit import FastCgiServer, begin, replies, request
from gateway_kit import Gateways, connect, read_all, wait_for


def test_drain_finishes_what_runs_and_drops_what_is_silent(gateways: Gateways, listener: socket.socket) -> None:
    server = gateways.serve(listener=listener)
    slow, stream, kept, begun = (connect(server.address) for _ in range(4))
    slow.sendall(request("GET", "/api/slow?s=0.4", keep=True))
    stream.sendall(request("GET", "/api/stream?n=5&s=0.1"))
    kept.sendall(request("GET", "/api/echo", keep=True))
    begun.sendall(begin())
    assert kept.recv(10_000)
    assert stream.recv(10_000)
    time.sleep(0.1)
    server.terminate()
    (reply,) = replies(read_all(slow)).values()
    assert reply.answer().body == b"slept"  # and the connection is closed, although it was to be kept
    assert read_all(stream).count(b"data: ") >= 4
    assert read_all(kept) == read_all(begun) == b""
    assert server.wait(3) == 0
    assert "stopped cut_off=0\n" in server.log()
    assert "Traceback" not in server.log()
    for connection in (slow, stream, kept, begun):
        connection.close()


def test_drain_ends_in_time(gateways: Gateways, listener: socket.socket) -> None:
    server = gateways.serve(listener=listener, drain_timeout=0.3)
    with connect(server.address) as slow, connect(server.address) as stream:
        slow.sendall(request("GET", "/api/slow?s=30"))
        stream.sendall(request("GET", "/api/stream?n=1000&s=0.1"))
        assert stream.recv(10_000)
        server.terminate()
        assert server.wait() == 0
        (answered,) = replies(read_all(slow)).values()
        assert answered.answer().status == 503
        assert all(reply.ended is None for reply in replies(read_all(stream)).values())
    assert "stopped cut_off=2\n" in server.log()
    assert "Traceback" not in server.log()


def test_full_server_refuses_at_once_and_recovers(gateways: Gateways) -> None:
    server = gateways.serve(max_concurrency=2)
    client = FastCgiServer(server.process, server.address, server.log_file)
    held = [connect(server.address) for _ in range(2)]
    for connection in held:
        connection.sendall(request("GET", "/api/slow?s=0.5"))
    wait_for(lambda: client.get("/api/echo").status == 503)
    refused = client.get("/api/echo")
    assert (refused.status, refused.headers["retry-after"], refused.json()["error"]) == (503, "1", "too busy")
    assert client.get("/api/_health").status == 200
    for connection in held:
        with connection:
            (reply,) = replies(read_all(connection)).values()
            assert reply.answer().body == b"slept"
    assert client.get("/api/echo").status == 200


def test_peer_that_is_not_admitted_is_not_read(gateways: Gateways) -> None:
    server = gateways.serve(peer_uids=[65_533])
    with connect(server.address) as connection:
        assert read_all(connection) == b""
