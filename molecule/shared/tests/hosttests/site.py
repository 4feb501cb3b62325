"""A web site under test: requests byte for byte as the test wants them, answers with nothing hidden."""

import http.client
import json
import socket
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

TIMEOUT = 30.0

Header = tuple[str, str]


class Answer(NamedTuple):
    """What came back: `headers` in order, with repetitions and as spelled."""

    status: int
    headers: list[Header]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Return the values of every header of that name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def grant(self) -> list[Header]:
        """Return every header that tells browsers what pages of other origins may do."""
        return [header for header in self.headers if header[0].lower().startswith("access-control-")]

    def json(self) -> Any:
        """Return the decoded body; the answer must say that it is JSON."""
        assert self.all("Content-Type") == ["application/json"], self
        return json.loads(self.body)


class Site:
    """A virtual host behind a tunnel; `name` goes into Host, with `port` where it is not 80."""

    def __init__(self, tunnel: str, name: str, port: int, prefix: str) -> None:
        """`tunnel`: a unix socket on this machine; `prefix`: where the API begins."""
        self.tunnel, self.prefix = tunnel, prefix
        self.authority = name if port == 80 else f"{name}:{port}"
        self.origin = f"http://{self.authority}"

    def connect(self) -> socket.socket:
        """Open a connection to the web server."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(TIMEOUT)
        connection.connect(self.tunnel)
        return connection

    def send(
        self,
        method: str,
        path: str,
        headers: Iterable[Header] = (),
        body: bytes | None = None,
        chunks: Sequence[bytes] | None = None,
    ) -> http.client.HTTPResponse:
        """Send a request and return its answer, still to be read.

        `path`: absolute, or relative to the API's prefix.  `body` goes with its length, `chunks` with chunked coding.
        """
        sent = list(headers)
        if not any(name.lower() == "host" for name, _ in sent):
            sent.insert(0, ("Host", self.authority))
        if body is not None:
            sent.append(("Content-Length", str(len(body))))
        if chunks is not None:
            sent.append(("Transfer-Encoding", "chunked"))
        url = path if path.startswith(("/", "*")) else self.prefix + path
        head = [f"{method} {url} HTTP/1.1", *(f"{name}: {value}" for name, value in sent), "Connection: close", "", ""]
        connection = self.connect()
        try:
            connection.sendall("\r\n".join(head).encode("latin-1") + (body or b""))
            for chunk in [*chunks, b""] if chunks is not None else []:
                connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before it was all sent; the answer says so
        answer = http.client.HTTPResponse(connection, method=method)
        connection.close()  # the answer keeps it open
        answer.begin()
        return answer

    def request(
        self,
        method: str,
        path: str,
        headers: Iterable[Header] = (),
        body: bytes | None = None,
        chunks: Sequence[bytes] | None = None,
    ) -> Answer:
        """Send a request as `send` does, and return the whole answer."""
        with self.send(method, path, headers, body, chunks) as answer:
            return Answer(answer.status, answer.getheaders(), answer.read())

    def get(self, path: str, *headers: Header) -> Answer:
        """Read a path."""
        return self.request("GET", path, headers)

    def json(self, method: str, path: str, value: object, *headers: Header) -> Answer:
        """Send JSON as a browser does."""
        body = json.dumps(value).encode()
        return self.request(method, path, [("Content-Type", "application/json"), *headers], body)
