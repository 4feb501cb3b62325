"""What RFC 9112 forbids, as bytes to a real server: refused with 400 and never passed on, however it is split."""

import contextlib
import json
from collections.abc import Iterator

import pytest
from gateway_kit import Gateways, Server, connect
from wire_cases import DOUBTFUL, END, FORBIDDEN, GET, TOO_MUCH
from wire_kit import ask, exchange, split_anywhere
from wire_replies import read, receive_all


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Gateways(tmp_path_factory.mktemp("refused"))
    yield made.serve(application="wire:validated", request_timeout=5)
    made.stop()


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_is_forbidden_is_refused(server: Server, name: str) -> None:
    reply = ask(server.address, FORBIDDEN[name].data)
    assert reply.status == 400, reply
    assert reply.all("connection") == ["close"]
    assert reply.all("cache-control") == ["no-store"]
    assert [reply.json()["request_id"]] == reply.all("x-request-id")


@pytest.mark.parametrize("name", FORBIDDEN)
def test_it_is_refused_wherever_it_is_split(server: Server, name: str) -> None:
    data = FORBIDDEN[name].data
    for replies in split_anywhere(server.address, data, step=1 + len(data) // 200):
        assert [reply.status for reply in replies] == [400]


def test_nothing_that_follows_is_served(server: Server) -> None:
    assert ask(server.address, FORBIDDEN["two lengths"].data + GET + END).status == 400
    after_a_good_one = GET + b"\r\n" + FORBIDDEN["fold first"].data + GET + END
    assert [reply.status for reply in exchange(server.address, after_a_good_one)] == [200, 400]


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_is_too_much_is_refused(server: Server, name: str) -> None:
    with connect(server.address) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(TOO_MUCH[name].data)
        (reply,) = read(receive_all(connection))
    assert (reply.status,) == TOO_MUCH[name].gateway
    assert "request_id" in json.loads(reply.body)


@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_is_doubtful_has_one_reading(server: Server, name: str) -> None:
    case = DOUBTFUL[name]
    replies = exchange(server.address, case.data)
    assert tuple(reply.status for reply in replies if reply.status != 100) == case.gateway
    seen = [reply.json() for reply in replies if reply.status == 200]
    assert [(one["REQUEST_METHOD"], one["PATH_INFO"], one["body"].encode("latin-1")) for one in seen] == [*case.seen]


def test_the_server_is_well_and_told_no_secret(server: Server) -> None:
    assert ask(server.address, b"GET /api/mirror?token=hidden HTTP/9.9\r\nAuthorization: hidden\r\n\r\n").status == 400
    assert ask(server.address, GET + END).status == 200
    log = server.log()
    assert "Traceback" not in log
    assert "hidden" not in log
    assert "refused a malformed request reason=" in log
