"""One HTTP connection: gevent's parser and writer, made strict in what it sends and quiet about lost clients."""

import contextlib
import errno
import json
import socket
from collections.abc import Callable
from typing import Any

from gevent import GreenletExit, Timeout
from gevent.pywsgi import Input, WSGIHandler

from webpy_gateway import errors, log, requestid

WITHOUT_BODY = (204, 304)
# a small answer goes out in one write together with its head
JOINED_BYTES = 64 * 1024
# a body that nobody wanted is read and dropped so far: closing at once would reset the client before it has the answer
DISCARDED_BYTES = 1024 * 1024
DISCARDED_SECONDS = 2
BLOCK_BYTES = 64 * 1024
CLIENT_GONE = (errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTUNREACH)
REASONS = {"400": "Bad Request", "414": "URI Too Long", "500": "Internal Server Error"}

_bad_requests = log.Limited()


class UnreadInput(Input):  # type: ignore[misc]  # gevent has no types
    """A request body whose rest is not read after the answer: `Handler` does that, with bounds."""

    def _discard(self) -> None:
        pass

    def has_more(self) -> bool:
        """Whether the client may still be sending."""
        return bool(self.position < (self.content_length or 0) or (self.chunked_input and self.chunk_length))


class Handler(WSGIHandler):  # type: ignore[misc]  # gevent has no types
    """gevent's handler. `on_head` is called when a request's head is complete."""

    ignored_socket_errors = CLIENT_GONE
    wsgi_input: Any = None

    def __init__(self, sock: Any, address: object, server: Any, on_head: Callable[[], None]) -> None:
        super().__init__(sock, address, server)
        self._on_head = on_head

    def handle_one_request(self) -> Any:
        """As gevent's, but the refusals of its parser look like ours."""
        result = super().handle_one_request()
        if isinstance(result, tuple):
            return result[0], _refusal(result[0])
        if self.wsgi_input is not None and self.wsgi_input.has_more():
            self._linger()
        return result

    def _linger(self) -> None:
        left = DISCARDED_BYTES
        with contextlib.suppress(OSError), Timeout(DISCARDED_SECONDS, False):
            self.socket.shutdown(socket.SHUT_WR)
            while left > 0 and (block := self.socket.recv(BLOCK_BYTES)):
                left -= len(block)

    def read_request(self, raw_requestline: str) -> bool:
        """Parses the head. Raises ValueError for broken and for folded headers, which gevent would let through."""
        super().read_request(raw_requestline)
        if self.headers.defects or any(line[:1] in (" ", "\t") for line in self.headers.headers):
            raise ValueError("broken or folded header")
        # lighttpd opens a connection for every request; a second one on the same would only be somebody's smuggling
        self.close_connection = True
        return True

    def get_environ(self) -> dict[str, Any]:
        """The request as WSGI environ, with a body that is never the bare connection."""
        self._on_head()
        environ: dict[str, Any] = super().get_environ()
        old = self.wsgi_input
        self.wsgi_input = UnreadInput(self.rfile, old.content_length, old.socket, old.chunked_input)
        environ["wsgi.input"] = self.wsgi_input
        environ["wsgi.input_terminated"] = True
        return environ

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """As gevent's, without headers that belong to the connection and without a length where there is no body."""
        dropped = {"connection", "transfer-encoding", "keep-alive"}
        if status[:3] in ("204", "304"):
            dropped.add("content-length")
        return super().start_response(status, [h for h in headers if h[0].lower() not in dropped], exc_info)

    def finalize_headers(self) -> None:
        """Completes the head; nothing has to be told about the length of a body that is not sent."""
        super().finalize_headers()
        if not any(name.lower() == b"connection" for name, _ in self.response_headers):
            self.response_headers.append((b"Connection", b"close"))

    def write(self, data: bytes) -> None:
        """Sends head and data; the data of an answer that must have none is dropped."""
        super().write(b"" if self._without_body() else data)

    def _without_body(self) -> bool:
        return self.command == "HEAD" or self.code in WITHOUT_BODY

    def _write_with_headers(self, data: bytes) -> None:
        self.headers_sent = True
        self.finalize_headers()
        lines = (b"%b: %b\r\n" % header for header in self.response_headers)
        head = b"".join((b"HTTP/1.1 ", self.status, b"\r\n", *lines, b"\r\n"))
        if self._without_body():
            self.response_use_chunked = False  # it would end with a last chunk
        elif data and self.response_use_chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if len(data) <= JOINED_BYTES:
            self._sendall(head + data)
        else:
            self._sendall(head)
            self._sendall(data)

    def process_result(self) -> None:
        """Sends the answer: a list at once, anything else as it comes."""
        if isinstance(self.result, list | tuple):
            whole = b"".join(self.result)
            if whole or not self.headers_sent:
                self.write(whole)
            if self.response_use_chunked:
                self._sendall(b"0\r\n\r\n")
        elif self._without_body():
            # the first bytes show that the answer is no error; the others are not asked for
            next((data for data in self.result if data), None)
            self.write(b"")
        else:
            super().process_result()

    def handle_error(self, kind: type[BaseException], error: BaseException, _trace: object) -> None:
        """An exception that no layer answered: logged unless it was, answered if nothing is out, else cut off."""
        self.close_connection = True
        reported = self.environ.get(errors.REPORTED) or issubclass(kind, GreenletExit)
        if not reported:
            log.exception("uncaught exception of the gateway", error, self.environ)
        if not self.headers_sent:
            self.headers_sent = True
            self._sendall_quietly(_refusal("500"))

    def _handle_client_error(self, error: Exception) -> tuple[str, bytes]:
        # gevent's own messages quote the request line, which may hold a secret
        reason = str(error) if type(error) is ValueError else type(error).__name__
        _bad_requests.event("refused a malformed request", reason=reason)
        return "400", b""

    def _send_error_response_if_possible(self, error_code: int) -> None:
        self.close_connection = True
        if not self.headers_sent:
            self.headers_sent = True
            self._sendall_quietly(_refusal(str(error_code)))

    def _sendall_quietly(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def log_request(self) -> None:
        """Nothing: lighttpd writes the access log."""


def _refusal(code: str) -> bytes:
    identity = requestid.new()
    reason = REASONS[code]
    body = json.dumps({"error": reason.lower(), "request_id": identity}).encode() + b"\n"
    head = (
        f"HTTP/1.1 {code} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Cache-Control: no-store\r\nX-Request-Id: {identity}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
