"""What a connection asks of the kernel."""

import socket
from collections.abc import Callable
from typing import Any

import gevent
import gevent.socket
import pytest
from gevent import monkey
from webpy_gateway.connection import PARTS_AT_ONCE, Connection
from webpy_gateway.listener import obtain


def test_what_came_is_acknowledged_before_more_is_waited_for() -> None:
    """Else the last small segment of a body and the acknowledgement that it waits for hold each other up for 40 ms."""
    raw: Any = monkey.get_original("socket", "socket")
    with raw() as listener, raw() as client:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client.connect(listener.getsockname())
        taken = raw(fileno=listener._accept()[0])
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        receiving = gevent.spawn(Connection(taken, 9).receive, 100)
        gevent.sleep(0)
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK) == 1
        client.send(b"more")
        assert receiving.get() == b"more"
        taken.close()


def test_answers_are_not_paced_whatever_the_host_does(free_port: int) -> None:
    listener = obtain(f"127.0.0.1:{free_port}")
    with socket.create_connection(("127.0.0.1", free_port)):
        taken, _ = listener.socket.accept()
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0") == b"reno"
        taken.close()
    listener.close()


@pytest.mark.parametrize("sizes", [(), (0,), (0, 0, 5, 0), (200_000,), (8, 60_000, 0, 1, 150_000, 3) * PARTS_AT_ONCE])
def test_parts_arrive_in_order_where_few_bytes_are_taken_at_once(sizes: tuple[int, ...]) -> None:
    parts = [bytes((number % 251,)) * size for number, size in enumerate(sizes)]
    arrived = bytearray()
    ours, theirs = gevent.socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    connection = Connection(monkey.get_original("socket", "socket")(fileno=ours.detach()), 9)
    with theirs:
        sending = gevent.spawn(connection.send_parts, parts)
        sending.link_value(lambda _: connection.close())
        while block := theirs.recv(1000):
            arrived += block
    assert arrived == b"".join(parts)


@pytest.mark.parametrize("in_parts", [False, True])
def test_a_full_kernel_is_not_asked_again_before_it_has_room(in_parts: bool) -> None:
    taken = []

    def noted(call: Callable[..., int], *arguments: Any) -> int:
        try:
            taken.append(call(*arguments))
        except BlockingIOError:
            taken.append(0)
            raise
        return taken[-1]

    class Watched(monkey.get_original("socket", "socket")):  # type: ignore[misc]
        def send(self, *arguments: Any) -> int:
            return noted(super().send, *arguments)

        def sendmsg(self, *arguments: Any) -> int:
            return noted(super().sendmsg, *arguments)

    ours, theirs = gevent.socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    connection = Connection(Watched(fileno=ours.detach()), 9)
    data = b"x" * 100_000
    with theirs:
        sending = gevent.spawn(connection.send_parts, [data]) if in_parts else gevent.spawn(connection.send, data)
        sending.link_value(lambda _: connection.close())
        while theirs.recv(1000):
            pass
    assert len(taken) > 1
    assert all(taken)
    assert sum(taken) == len(data)
