"""Servers that are real processes, and clients that are real sockets."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

PACKAGES = Path(__file__).resolve().parents[3] / "roles" / "webpy_gateway" / "files"
APPS = Path(__file__).parent / "apps"
RELEASE = "0123456789ab"
COMMAND = [sys.executable, "-P", "-m", "webpy_gateway"]
# systemd's way to pass a socket: descriptor 3, and the number of the process it is meant for
ADOPT = [
    sys.executable,
    "-c",
    "import os, sys; os.environ['LISTEN_PID'] = str(os.getpid()); os.execv(sys.argv[1], sys.argv[1:])",
]


class Connection(http.client.HTTPConnection):
    """HTTP over a unix socket or TCP."""

    def __init__(self, address: str, timeout: float = 10) -> None:
        super().__init__("gateway.test", timeout=timeout)
        self.address = address

    def connect(self) -> None:
        self.sock = connect(self.address, self.timeout)  # type: ignore[arg-type]


def connect(address: str, timeout: float = 10) -> socket.socket:
    """A connected socket."""
    host, _, port = address.rpartition(":")
    target = address if address.startswith("/") else (host.strip("[]"), int(port))
    family = socket.AF_UNIX if address.startswith("/") else socket.AF_INET6 if "[" in host else socket.AF_INET
    connection = socket.socket(family)
    connection.settimeout(timeout)
    connection.connect(target)
    return connection


@dataclass
class Answer:
    """A complete answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A running gateway process."""

    process: subprocess.Popen[bytes]
    address: str
    log_file: Path

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        connection = Connection(self.address)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def raw(self, data: bytes) -> bytes:
        """Everything that comes back for these bytes."""
        with connect(self.address) as connection:
            connection.sendall(data)
            return read_all(connection)

    def log(self) -> str:
        return self.log_file.read_text()

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 10) -> int:
        return self.process.wait(seconds)


def read_all(connection: socket.socket) -> bytes:
    """Reads until the other side closes."""
    data = b""
    while block := connection.recv(65536):
        data += block
    return data


def wait_for(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """The first true value of the condition; fails when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError("did not happen in time")


def toml(values: dict[str, Any]) -> str:
    """Settings as TOML; JSON's strings, numbers, booleans and lists are TOML's too."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


@dataclass
class Gateways:
    """Makes releases and configurations and starts servers on them."""

    folder: Path
    servers: list[Server] = field(default_factory=list)

    def release(self, identity: str = RELEASE) -> Path:
        folder = self.folder / "releases" / identity
        if not folder.exists():
            folder.mkdir(parents=True)
            (folder / "release.json").write_text(json.dumps({"id": identity}))
            (folder / "app").symlink_to(APPS)
        return folder

    def config(self, **settings: Any) -> Path:
        values = {"name": "test", "application": "app:application", "url_prefix": "/api/", **settings}
        path = self.folder / f"gateway-{len(list(self.folder.glob('*.toml')))}.toml"
        path.write_text(toml(values))
        return path

    def environment(self, **more: str) -> dict[str, str]:
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        inherited = ("LISTEN_", "NOTIFY_", "PYTHON")
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith(inherited)},
            "PYTHONPATH": str(PACKAGES),
            # compiled once for all servers, and not into the source tree
            "PYTHONPYCACHEPREFIX": str(self.folder.parent / "pycache"),
            "STATE_DIRECTORY": str(state),
            **more,
        }

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Runs one command to its end."""
        return subprocess.run(
            [*COMMAND, *arguments], capture_output=True, text=True, env=self.environment(**environment), timeout=20
        )

    def serve(
        self,
        *,
        listener: socket.socket | BufferedReader | None = None,
        worker: str = "1",
        wait: bool = True,
        environment: dict[str, str] | None = None,
        release: Path | bool = True,
        **settings: Any,
    ) -> Server:
        """Starts a server and waits until it is ready."""
        number = len(self.servers)
        address = str(settings.get("listen") or self.folder / f"{number}.sock")
        more = dict(environment or {})
        if listener is None:
            settings["listen"] = address
        else:
            name = listener.getsockname() if isinstance(listener, socket.socket) else ""
            address = name if isinstance(name, str) else f"{name[0]}:{name[1]}"
            more.setdefault("LISTEN_FDS", "1")
        config = self.config(**settings)
        command = [*COMMAND, "serve", "--config", str(config), "--worker", worker]
        if release:
            command += ["--release", str(self.release() if release is True else release)]
        log_file = self.folder / f"{number}.log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [*ADOPT, *command] if listener is not None else command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(**more),
                pass_fds=(3,) if listener is not None else (),
                preexec_fn=(lambda: os.dup2(listener.fileno(), 3)) if listener is not None else None,
            )
        server = Server(process, address, log_file)
        self.servers.append(server)
        if wait:
            wait_for(lambda: "ready:" in server.log() or process.poll() is not None)
            assert process.poll() is None, server.log()
        return server

    def stop(self) -> None:
        for server in self.servers:
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()
