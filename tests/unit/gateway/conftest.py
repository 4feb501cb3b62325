"""Fixtures that start and stop gateways."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests/wire"), str(ROOT / "roles/webpy_gateway/files")]

from fastcgi_kit import FastCgiServer  # noqa: E402
from gateway_kit import Gateways, Server  # noqa: E402


@pytest.fixture
def gateways(tmp_path: Path) -> Iterator[Gateways]:
    """Gateways that end with the test."""
    made = Gateways(tmp_path)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server with ordinary settings for all tests of a module that do not stop it."""
    made = Gateways(tmp_path_factory.mktemp("shared"))
    yield made.serve(request_timeout=0.5, max_body_bytes=300_000)
    made.stop()


@pytest.fixture(params=[Server, FastCgiServer], ids=["http", "fastcgi"])
def served(request: pytest.FixtureRequest, shared: Server) -> Server:
    """The same server, asked in each of the protocols that it understands."""
    server: Server = request.param(shared.process, shared.address, shared.log_file)
    return server


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


@pytest.fixture
def free_port() -> int:
    """A TCP port on the loopback interface that nobody holds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
