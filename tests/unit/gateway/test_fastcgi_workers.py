"""Workers that are stopped and replaced while lighttpd speaks FastCGI, or changes between FastCGI and HTTP."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from fastcgi_kit import FastCgiServer, begin, replies, request
from gateway_kit import Gateways, Server, connect, read_all, wait_for


@pytest.fixture(params=["tcp", "unix"])
def listener(request: pytest.FixtureRequest, gateways: Gateways) -> Iterator[socket.socket]:
    """What systemd holds open."""
    if request.param == "tcp":
        made = socket.create_server(("127.0.0.1", 0), backlog=1024)
    else:
        made = socket.socket(socket.AF_UNIX)
        made.bind(str(gateways.folder / "systemd.sock"))
        made.listen(1024)
    with made:
        yield made


def test_rolling_restart_loses_nothing_whatever_the_protocol(gateways: Gateways, listener: socket.socket) -> None:
    workers = {name: gateways.serve(listener=listener, worker=name) for name in ("1", "2")}
    failures: list[object] = []
    over = threading.Event()

    def client(kind: type[Server]) -> None:
        server = kind(workers["1"].process, workers["1"].address, workers["1"].log_file)
        while not over.is_set():
            try:
                answer = server.get("/api/slow?s=0.01")
                if (answer.status, answer.body) != (200, b"slept"):
                    failures.append(answer)
            except (OSError, AssertionError, ValueError) as error:
                failures.append(error)

    clients = [threading.Thread(target=client, args=(kind,)) for kind in (Server, FastCgiServer) * 4]
    for thread in clients:
        thread.start()
    for name in ("1", "2"):
        workers[name].terminate()
        assert workers[name].wait() == 0
        workers[name] = gateways.serve(listener=listener, worker=name)
    time.sleep(0.1)
    over.set()
    for thread in clients:
        thread.join()
    assert failures == []


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
