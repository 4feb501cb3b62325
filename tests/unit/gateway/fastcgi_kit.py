"""A FastCGI client: requests as lighttpd's mod_fastcgi sends them, and requests that are anything but that."""

import http.client
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway_kit import Answer, Server, connect, read_all
from webpy_gateway import fastcgi_records as fcgi
from webpy_gateway.fastcgi_records import Kind

Pairs = Iterable[tuple[str, str]]


def begin(request: int = 1, *, role: int = fcgi.RESPONDER, flags: int = 0) -> bytes:
    return fcgi.record(Kind.BEGIN_REQUEST, request, fcgi.BEGIN_BODY.pack(role, flags))


def params(pairs: Pairs, request: int = 1) -> bytes:
    """All parameters and the end of them."""
    return fcgi.stream(Kind.PARAMS, request, fcgi.pairs(pairs)) + fcgi.record(Kind.PARAMS, request)


def stdin(data: bytes = b"", request: int = 1) -> bytes:
    """The whole body and the end of it."""
    return fcgi.stream(Kind.STDIN, request, data) + fcgi.record(Kind.STDIN, request)


def variables(method: str, target: str, headers: Mapping[str, str], length: int, **more: str) -> list[tuple[str, str]]:
    """What lighttpd says of a request; `more` adds to it or replaces."""
    said = {
        "CONTENT_LENGTH": str(length),
        "QUERY_STRING": target.partition("?")[2],
        "REQUEST_URI": target,
        "REDIRECT_STATUS": "200",
        "SCRIPT_NAME": target.partition("?")[0],
        "SCRIPT_FILENAME": "/var/www/html" + target.partition("?")[0],
        "DOCUMENT_ROOT": "/var/www/html",
        "REQUEST_METHOD": method,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "lighttpd/1.4.69",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_SCHEME": "http",
        "SERVER_PORT": "80",
        "SERVER_ADDR": "127.0.0.1",
        "SERVER_NAME": "gateway.test",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "HTTP_HOST": "gateway.test",
    }
    for name, value in headers.items():
        key = "".join(letter if letter.isalnum() else "_" for letter in name).upper()
        said["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return list({**said, **more}.items())


def request(
    method: str,
    target: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    number: int = 1,
    keep: bool = False,
    **more: str,
) -> bytes:
    """A whole request."""
    said = variables(method, target, headers or {}, len(body), **more)
    return begin(number, flags=int(keep)) + params(said, number) + stdin(body, number)


@dataclass
class Reply:
    """What came back for one request."""

    stdout: bytes = b""
    stderr: bytes = b""
    # application's and protocol's status; None: the request was not ended
    ended: tuple[int, int] | None = None
    sizes: list[int] = field(default_factory=list)

    def answer(self) -> Answer:
        """The answer in it, which must be complete and a CGI answer."""
        assert self.ended == (0, fcgi.Status.REQUEST_COMPLETE)
        assert self.stderr == b""
        head, separator, body = self.stdout.partition(b"\r\n\r\n")
        assert separator
        parsed = http.client.parse_headers(io.BytesIO(head + separator))
        status = parsed.get_all("Status") or []
        assert len(status) == 1
        pairs = {name.lower(): value for name, value in parsed.items() if name != "Status"}
        assert not {"connection", "transfer-encoding"} & set(pairs)
        return Answer(int(status[0].split()[0]), pairs, body)


class Arrived(fcgi.Reader):
    """A reader of what arrives in these parts, and is all."""

    def __init__(self, *parts: bytes) -> None:
        super().__init__()
        self._arriving = [part for part in parts if part]

    def receive(self) -> bytes:
        return self._arriving.pop(0) if self._arriving else b""


def records(*parts: bytes) -> list[fcgi.Record]:
    """All records in what arrives in these parts, which must end with one."""
    reader = Arrived(*parts)
    found = []
    while record := reader.next():
        found.append(record)
    return found


def replies(data: bytes) -> dict[int, Reply]:
    """What came back, by request; management records are left out."""
    found: dict[int, Reply] = {}
    for kind, number, content in records(data):
        if number == fcgi.MANAGEMENT:
            continue
        reply = found.setdefault(number, Reply())
        assert reply.ended is None, "something after the end of a request"
        if kind == Kind.STDOUT:
            reply.stdout += content
            reply.sizes.append(len(content))
        elif kind == Kind.STDERR:
            reply.stderr += content
        else:
            assert kind == Kind.END_REQUEST
            status: tuple[int, int] = fcgi.END_BODY.unpack(content)
            reply.ended = status
    return found


class FastCgiServer(Server):
    """A running gateway that is spoken to in FastCGI."""

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """As lighttpd asks: a connection for every request."""
        with connect(self.address) as connection:
            connection.sendall(request(method, path, body or b"", headers))
            data = read_all(connection)
        (reply,) = replies(data).values()
        return reply.answer()
