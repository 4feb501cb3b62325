"""The proof holds only where what was promised is true."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


class Site(ThreadingHTTPServer):
    """A web server whose workers answer in turn."""

    answers: Iterator[tuple[int, object]]


class Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        status, body = next(self.server.answers)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    with Site(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


def question(port: int, **other: Any) -> dict[str, Any]:
    return {
        "site_port": port, "tls": False, "host": "localhost", "health": "/_health", "release": "new", "workers": 2
    } | other  # fmt: skip


def healthy(worker: str, release: str = "new") -> tuple[int, object]:
    return 200, {"status": "ok", "worker": worker, "release": release}


@pytest.mark.parametrize(
    ("answers", "held", "detail"),
    [
        ([healthy("1"), healthy("2")], True, "'2': 'new'"),
        ([healthy("1"), healthy("1")], False, "{'1': 'new'}"),
        ([healthy("1"), healthy("2", "old")], False, "'2': 'old'"),
        ([healthy("1"), healthy("2"), healthy("3")], True, "'1': 'new'"),
        ([(503, {})], False, "the last answer was 503"),
        ([(200, {})], False, "KeyError"),
    ],
)
def test_every_worker_has_to_answer_with_the_release(
    prove: ModuleType, site: Site, monkeypatch: pytest.MonkeyPatch, answers: list[Any], held: bool, detail: str
) -> None:
    monkeypatch.setattr(prove, "PATIENCE", 0.5)
    site.answers = cycle(answers)
    proof = prove.health(question(site.server_port))
    assert proof["held"] is held
    assert detail in proof["detail"]


def test_patience_lasts_until_the_new_release_answers(prove: ModuleType, site: Site) -> None:
    site.answers = iter([(503, {}), healthy("1", "old"), healthy("1"), healthy("2")])
    assert prove.health(question(site.server_port))["held"]


@pytest.mark.parametrize(("status", "held"), [(200, True), (404, False)])
def test_the_portal_has_to_be_found(prove: ModuleType, site: Site, status: int, held: bool) -> None:
    site.answers = cycle([(status, "page")])
    assert prove.portal(question(site.server_port))["held"] is held


def test_a_site_that_does_not_listen_is_no_proof(prove: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert not prove.health(question(port))["held"]
    assert not prove.portal(question(port))["held"]


def test_direct_attempts_tell_refusals_from_answers(prove: ModuleType, site: Site) -> None:
    site.answers = cycle([healthy("1")])
    assert " 200 " in prove.ask_gateway(f"127.0.0.1:{site.server_port}", "/_health")
    assert prove.ask_gateway("/no/such.socket", "/").startswith("refused: ")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].close()).start()
        answer = prove.ask_gateway(f"127.0.0.1:{server.getsockname()[1]}", "/")
    assert answer.startswith("refused: ")


def test_a_free_place_is_found_and_left_as_it_was(prove: ModuleType, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = f"127.0.0.1:{server.getsockname()[1]}"
        assert prove.take_place(taken).startswith("refused: ")
    assert prove.take_place(taken) == f"could listen on {taken}"
    assert prove.take_place("/no/such/folder/socket").startswith("refused: ")
    assert prove.take_place(f"{tmp_path}/socket") == f"could make sockets in {tmp_path}"
    assert list(tmp_path.iterdir()) == []


def test_the_listener_on_a_port_has_to_be_there_and_roots(prove: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        listen = f"127.0.0.1:{server.getsockname()[1]}"
        assert prove.holder({"listen": listen}) == (os.getuid() == 0, f"users that listen: [{os.getuid()}]")
    assert prove.holder({"listen": listen}) == (False, "users that listen: []")


@pytest.mark.parametrize(
    ("mode", "folder_mode", "held"), [(0o660, 0o755, True), (0o666, 0o755, False), (0o660, 0o777, False)]
)
def test_the_socket_and_its_folder_have_to_be_closed_to_others(
    prove: ModuleType, tmp_path: Path, mode: int, folder_mode: int, held: bool
) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(mode)
        tmp_path.chmod(folder_mode)
        assert prove.holder({"listen": str(path)})[0] is (held and os.getuid() == 0)
    path.unlink()
    assert prove.holder({"listen": str(path)}) == (False, f"{path}: No such file or directory")
