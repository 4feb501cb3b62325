"""Workers as systemd runs them: one listening socket, several processes, restarts without a lost request."""

import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest
from fastcgi_kit import FastCgiServer
from gateway_kit import PACKAGES, Gateways, Server, connect, read_all, wait_for


@pytest.fixture
def notify(gateways: Gateways) -> Iterator[socket.socket]:
    """The end of NOTIFY_SOCKET that systemd reads."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(gateways.folder / "notify"))
        made.settimeout(10)
        yield made


def test_workers_share_a_socket_and_a_rolling_restart_loses_nothing(
    gateways: Gateways, listener: socket.socket
) -> None:
    workers = {str(n): gateways.serve(listener=listener, worker=str(n)) for n in (1, 2)}
    failures: list[object] = []
    seen: set[str] = set()
    over = threading.Event()

    def client(protocol: type[Server]) -> None:
        server = protocol(workers["1"].process, workers["1"].address, workers["1"].log_file)
        while not over.is_set():
            try:
                answer = server.get("/api/slow?s=0.01")
                if (answer.status, answer.body) != (200, b"slept"):
                    failures.append(answer)
            except (OSError, HTTPException, AssertionError) as error:
                failures.append(error)

    clients = [threading.Thread(target=client, args=(protocol,)) for protocol in (Server, FastCgiServer) * 4]
    for thread in clients:
        thread.start()
    wait_for(lambda: seen.add(workers["1"].get("/api/_health").json()["worker"]) or len(seen) == 2)
    for name in ("1", "2"):
        workers[name].terminate()
        assert workers[name].wait() == 0
        workers[name] = gateways.serve(listener=listener, worker=name)
    time.sleep(0.1)
    over.set()
    for thread in clients:
        thread.join()
    assert failures == []


def test_without_any_worker_connections_wait_in_the_listener(gateways: Gateways, listener: socket.socket) -> None:
    server = gateways.serve(listener=listener)
    server.terminate()
    assert server.wait() == 0
    with connect(server.address) as connection:
        connection.sendall(b"GET /api/echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        gateways.serve(listener=listener)
        assert read_all(connection).endswith(b"hello")


def test_drain_finishes_what_runs_and_leaves_the_rest_to_others(
    gateways: Gateways, listener: socket.socket, notify: socket.socket
) -> None:
    environment = {"NOTIFY_SOCKET": str(gateways.folder / "notify")}
    server = gateways.serve(listener=listener, environment=environment)
    assert notify.recv(1000).decode() == "READY=1\nSTATUS=test release 0123456789ab worker 1"
    slow, stream, silent = (connect(server.address) for _ in range(3))
    slow.sendall(b"GET /api/slow?s=0.4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    stream.sendall(b"GET /api/stream?n=5&s=0.1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"data: 0" in stream.recv(1000)
    time.sleep(0.1)
    server.terminate()
    assert notify.recv(1000).decode().startswith("STOPPING=1\nSTATUS=")
    sibling = gateways.serve(listener=listener, worker="2")
    assert {sibling.get("/api/_health").json()["worker"] for _ in range(5)} == {"2"}
    assert read_all(slow).endswith(b"slept")
    assert read_all(stream).endswith(b"data: 4\n\n\r\n0\r\n\r\n")
    assert server.wait(3) == 0
    assert silent.recv(1) == b""
    for connection in (slow, stream, silent):
        connection.close()
    assert "stopped cut_off=0\n" in server.log()
    assert "Traceback" not in server.log()


def test_drain_ends_in_time(gateways: Gateways, listener: socket.socket) -> None:
    server = gateways.serve(listener=listener, drain_timeout=0.3)
    slow, stream = connect(server.address), connect(server.address)
    slow.sendall(b"GET /api/slow?s=30 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    stream.sendall(b"GET /api/stream?n=1000&s=0.1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"data: 0" in stream.recv(1000)
    time.sleep(0.1)
    began = time.monotonic()
    server.terminate()
    assert server.wait() == 0
    assert 0.25 < time.monotonic() - began < 2
    with slow, stream:
        answer = read_all(slow)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b'"error": "the gateway is stopping"' in answer
        assert not read_all(stream).endswith(b"0\r\n\r\n")
    assert "stopped cut_off=2\n" in server.log()
    assert "Traceback" not in server.log()


def test_second_signal_ends_the_drain(gateways: Gateways) -> None:
    server = gateways.serve()
    with connect(server.address) as connection:
        connection.sendall(b"GET /api/slow?s=30 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        time.sleep(0.1)
        server.process.send_signal(signal.SIGINT)
        wait_for(lambda: "stopping" in server.log())
        server.process.send_signal(signal.SIGTERM)
        assert server.wait(2) == 0


def test_own_unix_socket_is_removed_at_once(gateways: Gateways) -> None:
    server = gateways.serve()
    with connect(server.address) as connection:
        connection.sendall(b"GET /api/slow?s=0.3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        time.sleep(0.1)
        server.terminate()
        wait_for(lambda: not Path(server.address).exists(), 0.2)
        assert read_all(connection).endswith(b"slept")
    assert server.wait() == 0


@pytest.mark.parametrize("kind", ["datagram", "not listening", "file"])
def test_descriptor_that_is_no_listener(gateways: Gateways, kind: str) -> None:
    with (
        Path("/dev/null").open("rb")
        if kind == "file"
        else socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
    ) as passed:
        server = gateways.serve(listener=passed, wait=False)
        assert server.wait() == 1
    reason = "not a socket: " if kind == "file" else "not a listening stream socket; "
    assert server.log().startswith(f"LISTEN_FDS: '1': {reason}")


def test_more_than_one_descriptor(gateways: Gateways) -> None:
    with socket.create_server(("127.0.0.1", 0)) as passed:
        server = gateways.serve(listener=passed, environment={"LISTEN_FDS": "2"}, wait=False)
        assert server.wait() == 1
    assert server.log().startswith("LISTEN_FDS: '2': not one socket; ")


def test_descriptors_for_another_process_are_not_taken(gateways: Gateways) -> None:
    server = gateways.serve(environment={"LISTEN_FDS": "1", "LISTEN_PID": "1"})
    assert server.get("/api/echo").status == 200


def test_running_worker_keeps_to_its_release(gateways: Gateways) -> None:
    """The link `current` is switched while a worker runs; nothing of the new release may get into it."""
    for identity in ("aaaaaaaaaaaa", "bbbbbbbbbbbb"):
        folder = gateways.folder / "opt" / identity
        (folder / "app").mkdir(parents=True)
        (folder / "lib").mkdir()
        (folder / "lib" / "late.py").write_text(f"NAME = {identity!r}\n")
        (folder / "app" / "later.py").write_text(f"NAME = {identity!r}\n")
        (folder / "release.json").write_text(f'{{"id": "{identity}"}}')
        (folder / "app" / "app.py").write_text(
            "def application(environ, start_response):\n    import late, later\n    start_response('200 OK', [])\n"
            "    return [(late.NAME + later.NAME).encode()]\n"
        )
        (folder / "lib" / "webpy_gateway").mkdir()
        for path in (PACKAGES / "webpy_gateway").glob("*.py"):
            (folder / "lib" / "webpy_gateway" / path.name).write_bytes(path.read_bytes())
    current = gateways.folder / "opt" / "current"
    current.symlink_to("aaaaaaaaaaaa")
    server: Server = gateways.serve(release=False, environment={"PYTHONPATH": str(current / "lib")})
    current.unlink()
    current.symlink_to("bbbbbbbbbbbb")
    assert server.get("/api/_health").json()["release"] == "aaaaaaaaaaaa"
    assert server.get("/api/").body == b"aaaaaaaaaaaa" * 2


def test_gives_signs_of_life_while_the_loop_turns(
    gateways: Gateways, listener: socket.socket, notify: socket.socket
) -> None:
    environment = {"NOTIFY_SOCKET": str(gateways.folder / "notify"), "WATCHDOG_USEC": "400000"}
    server = gateways.serve(listener=listener, environment=environment)
    assert notify.recv(1000).startswith(b"READY=1")
    assert [notify.recv(1000) for _ in range(5)] == [b"WATCHDOG=1"] * 5
    with connect(server.address) as spinning:
        spinning.sendall(b"GET /api/spin?s=1.5 HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.5)
        notify.setblocking(False)
        while select.select([notify], [], [], 0)[0]:
            assert notify.recv(1000) == b"WATCHDOG=1"
        assert select.select([notify], [], [], 0.5)[0] == []
        server.process.send_signal(signal.SIGABRT)
        assert server.wait(3) == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in server.log()
    assert "in GET" in server.log()


def test_gives_no_signs_where_nobody_waits_for_them(
    gateways: Gateways, listener: socket.socket, notify: socket.socket
) -> None:
    gateways.serve(listener=listener, environment={"NOTIFY_SOCKET": str(gateways.folder / "notify")})
    assert notify.recv(1000).startswith(b"READY=1")
    notify.settimeout(1.5)
    with pytest.raises(TimeoutError):
        notify.recv(1000)
