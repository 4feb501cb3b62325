"""The body of an HTTP/1 request as WSGI input: by length or in chunks (RFC 9112, sections 6 and 7)."""

import re

from webpy_gateway.connection import Connection
from webpy_gateway.request_body import BLOCK_BYTES, RequestBody

LONGEST_CHUNK_LINE = 1024
LONGEST_TRAILERS = 8 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;%b(?:=(?:%b|%b))?)*" % (_TOKEN, _TOKEN, _QUOTED))
_TRAILER = re.compile(rb"%b:[\t -~\x80-\xff]*" % _TOKEN)


class BrokenBodyError(OSError):
    """The body is malformed or ends too early; where it would have ended is unknown."""


class Source:
    """What arrives on a connection: `data` has arrived and is not consumed yet."""

    __slots__ = ("connection", "data")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.data = b""

    def some(self, most: int) -> bytes:
        """Between one and so many bytes. Raises BrokenBodyError at the end, GoneError."""
        data = self.data or self._received(most)
        self.data = data[most:]
        return data[:most]

    def line(self, most: int) -> bytes:
        """The next line without its CR LF. Raises BrokenBodyError where it is longer or has a bare LF, GoneError."""
        while (end := self.data.find(b"\n", 0, most + 2)) < 0:
            if len(self.data) >= most + 2:
                raise BrokenBodyError("line too long")
            self.data += self._received(BLOCK_BYTES)
        line, self.data = self.data[: end + 1], self.data[end + 1 :]
        if line[-2:] != b"\r\n":
            raise BrokenBodyError("bare LF")
        return line[:-2]

    def _received(self, most: int) -> bytes:
        data = self.connection.receive(most)
        if not data:
            raise BrokenBodyError("the connection ended in the body")
        return data


class Body(RequestBody):
    """What both kinds have in common. `complete` tells whether all of it was consumed."""

    complete = False

    def __init__(self, source: Source, *, expected: bool) -> None:
        super().__init__()
        self._source = source
        # whether the client waits to be asked for the body (RFC 9110, section 10.1.1)
        self.expected = expected

    def block(self, most: int) -> bytes:
        """As RequestBody's; asks a client for the body that waits to be asked. Raises OSError."""
        if self.expected:
            self.expected = False
            if not self._source.data:
                self._source.connection.send(CONTINUE)
        return self._some(most)

    def _some(self, most: int) -> bytes:
        raise NotImplementedError


class SizedBody(Body):
    """A body with a Content-Length."""

    def __init__(self, source: Source, length: int, *, expected: bool) -> None:
        super().__init__(source, expected=expected)
        self._left = length

    def _some(self, most: int) -> bytes:
        if not self._left:
            return b""
        block = self._source.some(min(most, self._left))
        self._left -= len(block)
        self.complete = not self._left
        return block


class ChunkedBody(Body):
    """A body in chunks; extensions and trailers are checked and dropped."""

    def __init__(self, source: Source, *, expected: bool) -> None:
        super().__init__(source, expected=expected)
        self._left = 0

    def _some(self, most: int) -> bytes:
        if self.complete:
            return b""
        if not self._left:
            self._left = self._chunk_size()
            if not self._left:
                self._drop_trailers()
                self.complete = True
                return b""
        block = self._source.some(min(most, self._left))
        self._left -= len(block)
        if not self._left and self._source.line(0):
            raise BrokenBodyError("a chunk is longer than its size")
        return block

    def _chunk_size(self) -> int:
        match = _CHUNK_LINE.fullmatch(self._source.line(LONGEST_CHUNK_LINE))
        if not match:
            raise BrokenBodyError("bad chunk size or extension")
        return int(match[1], 16)

    def _drop_trailers(self) -> None:
        left = LONGEST_TRAILERS
        while line := self._source.line(left):
            if not _TRAILER.fullmatch(line):
                raise BrokenBodyError("bad trailer")
            left = max(0, left - len(line) - 2)
