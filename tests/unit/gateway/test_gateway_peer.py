"""Who may connect: asked of the kernel, before a byte is read."""

import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from gateway_kit import Gateways, connect, read_all
from webpy_gateway import mark
from webpy_gateway.diag import Diag
from webpy_gateway.mark import Mark
from webpy_gateway.peer import Peers

# only root can start a client as somebody else; anyone else tests with a server that expects somebody else
CLIENT = 65534 if os.geteuid() == 0 else os.geteuid()
EXPECTED = 33 if CLIENT != 33 else 34
TCP_REPAIR = 19  # linux/tcp.h
MARK = 30_576
# the first packet of a connection over IPv4 from the right address: headers without and with options
PLAIN = b"\x45" + bytes(11) + b"\x7f\0\0\1" + bytes(22) + MARK.to_bytes(2, "big") + bytes(20)
LONGER = b"\x46" + PLAIN[1:16] + bytes(26) + MARK.to_bytes(2, "big") + bytes(20)


def served(address: str, uid: int) -> bool:
    """Whether a client of that user gets an answer."""
    child = os.fork()
    if child == 0:
        code = 2
        try:
            if uid != os.geteuid():
                os.setuid(uid)
            with connect(address) as connection, contextlib.suppress(ConnectionError):
                code = 1
                connection.sendall(b"GET /api/echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                code = 0 if read_all(connection).endswith(b"hello") else 1
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 1)
    return code == 0


@pytest.fixture(params=["unix", "tcp4", "tcp6", "dual"])
def address(request: pytest.FixtureRequest, free_port: int) -> Iterator[tuple[str, str]]:
    """Where a server listens and where a client connects to."""
    if request.param == "unix":
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            yield f"{folder}/socket", f"{folder}/socket"
    else:
        listen = {"tcp4": "127.0.0.1", "tcp6": "[::1]", "dual": "[::]"}[request.param]
        client = {"tcp4": "127.0.0.1", "tcp6": "[::1]", "dual": "127.0.0.1"}[request.param]
        yield f"{listen}:{free_port}", f"{client}:{free_port}"


def test_only_listed_users_are_served(gateways: Gateways, address: tuple[str, str]) -> None:
    listen, target = address
    allowed = [EXPECTED, os.geteuid()] if os.geteuid() != CLIENT else [EXPECTED]
    server = gateways.serve(listen=listen, peer_uids=allowed)
    if listen.startswith("/"):
        Path(listen).chmod(0o666)
    assert served(target, os.geteuid()) is (os.geteuid() in allowed)
    assert not served(target, CLIENT)
    assert f"refused a connection of a user that is not in peer_uids uid={CLIENT}\n" in server.log()


def test_mark_that_is_not_there_is_no_reason_to_refuse(gateways: Gateways, address: tuple[str, str]) -> None:
    """Nobody marks anything here, so that the kernel is asked as if no mark were expected."""
    listen, target = address
    allowed = [EXPECTED, os.geteuid()] if os.geteuid() != CLIENT else [EXPECTED]
    gateways.serve(listen=listen, peer_uids=allowed, peer_mark=MARK)
    if listen.startswith("/"):
        Path(listen).chmod(0o666)
    assert served(target, os.geteuid()) is (os.geteuid() in allowed)
    assert not served(target, CLIENT)


def test_refusals_do_not_flood_the_log(gateways: Gateways) -> None:
    server = gateways.serve(peer_uids=[EXPECTED])
    for _ in range(20):
        with connect(server.address) as connection:
            assert connection.recv(1) == b""
    assert server.log().count("refused a connection") == 1


class Pair(NamedTuple):
    """Both ends of a connection, and where it comes from."""

    client: socket.socket
    accepted: socket.socket
    address: tuple[str, int]


@pytest.fixture(params=[("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A TCP connection."""
    host, family = request.param
    with socket.create_server((host, 0), family=family) as listener:
        client = socket.create_connection(listener.getsockname()[:2])
        accepted, address = listener.accept()
        with client, accepted:
            yield Pair(client, accepted, address)


def test_uid_of_both_ends(pair: Pair) -> None:
    peers = Peers((1,))
    assert [peers.uid(end, end.getpeername()) for end in (pair.client, pair.accepted)] == [os.geteuid(), os.geteuid()]


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (PLAIN, True),
        (PLAIN[:15] + b"\2" + PLAIN[16:], False),
        (PLAIN[:39] + b"\0" + PLAIN[40:], False),
        (LONGER, False),
        (b"\x46" + PLAIN[1:], False),
        (b"\x60" + PLAIN[1:], False),
        (PLAIN[:39], False),
        (b"", False),
    ],
    ids=["plain", "other source", "other mark", "with options", "in an option", "IPv6", "cut off", "not kept"],
)
def test_mark_in_the_first_packet(headers: bytes, found: bool) -> None:
    assert Mark(MARK, "127.0.0.1").within(headers) is found


def test_mark_of_an_ordinary_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        mark.keep(listener)
        with socket.create_connection(listener.getsockname()) as client, listener.accept()[0] as accepted:
            client.send(b"urgent", socket.MSG_OOB)  # which says nothing of the first packet
            assert not Mark(MARK, "127.0.0.1").on(accepted)


def test_first_packet_is_kept() -> None:
    """An ordinary one has a zero there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        mark.keep(listener)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert Mark(0, "127.0.0.1").on(accepted)
            assert not Mark(0, "127.0.0.1").on(accepted)  # it is told once


def test_what_is_known_of_the_other_end(pair: Pair) -> None:
    own = pair.accepted.getsockname()[:2]
    assert Diag().other_end(pair.address[:2], own) == (os.geteuid(), os.fstat(pair.client.fileno()).st_ino)
    assert Diag().other_end(pair.address[:2], ("127.0.0.2", 1)) is None


def test_end_that_nobody_holds_is_not_root(pair: Pair, capfd: pytest.CaptureFixture[str]) -> None:
    client, accepted, address = pair
    client.close()
    assert Peers((0,)).uid(accepted, address) is None
    assert not Peers((0,)).admits(accepted, address)
    assert capfd.readouterr().err == ""  # who leaves before his turn comes is no attacker


def test_broken_connection_is_refused(pair: Pair, capfd: pytest.CaptureFixture[str]) -> None:
    client, accepted, address = pair
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    assert not Peers((os.geteuid(),)).admits(accepted, address)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take a socket away without a word to the other end")
def test_connection_that_never_had_an_owner_is_an_alarm(pair: Pair, capfd: pytest.CaptureFixture[str]) -> None:
    client, accepted, address = pair
    client.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    client.close()
    assert not Peers((0,)).admits(accepted, address)
    assert "refused a connection of a user that is not in peer_uids uid=None\n" in capfd.readouterr().err


def test_netlink_is_reopened_after_an_error(pair: Pair) -> None:
    peers = Peers((os.geteuid(),))
    _, accepted, address = pair
    assert peers.admits(accepted, address)
    assert peers._diag._socket is not None
    os.close(peers._diag._socket.detach())
    assert not peers.admits(accepted, address)
    assert peers.admits(accepted, address)


def test_no_list_means_no_check() -> None:
    with socket.socket() as unconnected:
        assert Peers(()).admits(unconnected, "")
