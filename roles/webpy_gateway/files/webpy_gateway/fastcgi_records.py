"""FastCGI 1.0 on the wire: records, and the name-value pairs in them. Sections are those of the specification."""

import struct
from collections.abc import Iterable
from enum import IntEnum

VERSION = 1
LONGEST_CONTENT = 65_535
MANAGEMENT = 0  # request id of records about the connection itself
RESPONDER = 1
KEEP_CONN = 1
# version, kind, request id, length of content, length of padding (3.3)
HEADER = struct.Struct(">BBHHBx")
HEADER_BYTES = HEADER.size
BEGIN_BODY = struct.Struct(">HB5x")
END_BODY = struct.Struct(">IB3x")
LONG_LENGTH = 0x80


class Kind(IntEnum):
    """Kinds of records (8)."""

    BEGIN_REQUEST = 1
    ABORT_REQUEST = 2
    END_REQUEST = 3
    PARAMS = 4
    STDIN = 5
    STDOUT = 6
    STDERR = 7
    DATA = 8
    GET_VALUES = 9
    GET_VALUES_RESULT = 10
    UNKNOWN_TYPE = 11


# a plain number: a member of an enumeration is looked up several times slower
STDIN = int(Kind.STDIN)


class Status(IntEnum):
    """How a request ended, as far as the protocol is concerned (5.5)."""

    REQUEST_COMPLETE = 0
    CANT_MPX_CONN = 1
    UNKNOWN_ROLE = 3


# a view where it is much of a STDIN, which is not worth a copy, or a part of one
LARGE_BYTES = 4 * 1024
Content = bytes | memoryview
# one record without its padding: kind, which may be one that nobody knows, request id, content
Record = tuple[int, int, Content]


class MalformedError(Exception):
    """What arrived is not FastCGI, or not in an order that FastCGI allows."""


class RepeatedError(MalformedError):
    """A name is there twice."""


class Reader:
    """The records that arrive, however the bytes of them are split.

    One of STDIN that is not there as a whole is given in parts, as they come: to a stream it makes no difference.
    """

    __slots__ = ("_at", "_data", "_missing", "_number")

    def __init__(self) -> None:
        self._data = b""
        self._at = 0
        self._number = 0
        self._missing = 0

    # a method to be overridden, not a function to be given: a reader that knew its owner would be garbage that only the
    # collector finds, with every request
    def receive(self) -> bytes:
        """The next bytes, none at the end of the connection; raises what ends the wait for them."""
        raise NotImplementedError

    def next(self) -> Record | None:
        """The next record; None where the connection ended between two. Raises MalformedError."""
        if self._missing:
            return self._part()
        if len(self._data) - self._at < HEADER_BYTES and not self._wait_for(HEADER_BYTES):
            return None
        version, kind, request, length, padding = HEADER.unpack_from(self._data, self._at)
        if version != VERSION:
            raise MalformedError("unknown version")
        size = HEADER_BYTES + length + padding
        there = len(self._data) - self._at
        if kind == STDIN and not padding and (there < size or length >= LARGE_BYTES):
            self._at += HEADER_BYTES
            self._number, self._missing = request, length
            return self._part()
        if there < size and not self._wait_for(size):
            return None
        begin = self._at + HEADER_BYTES
        content = self._data[begin : begin + length]
        self._at += size
        if self._at == len(self._data):
            self._data, self._at = b"", 0
        return kind, request, content

    def _part(self) -> Record:
        """What has come of a record of STDIN, at least one byte."""
        if self._at == len(self._data):
            self._data, self._at = self.receive(), 0
            if not self._data:
                raise MalformedError("the connection ended within a record")
        content = memoryview(self._data)[self._at : self._at + self._missing]
        self._at += len(content)
        self._missing -= len(content)
        if self._at == len(self._data):
            self._data, self._at = b"", 0
        return STDIN, self._number, content

    def _wait_for(self, size: int) -> bool:
        """Waits until so many bytes are there; False at an orderly end."""
        missing = size - (len(self._data) - self._at)
        # one part is not copied by joining it
        parts = [self._data[self._at :]] if self._at < len(self._data) else []
        try:
            while missing > 0 and (more := self.receive()):
                parts.append(more)
                missing -= len(more)
        finally:
            # also when it took too long: what comes after belongs to the same record
            self._data, self._at = b"".join(parts), 0
        if missing > 0 and self._data:
            raise MalformedError("the connection ended within a record")
        return missing <= 0


def record(kind: int, request: int, content: bytes = b"") -> bytes:
    """One record as bytes, without padding; content of at most LONGEST_CONTENT bytes."""
    return HEADER.pack(VERSION, kind, request, len(content), 0) + content


def stream(kind: int, request: int, data: bytes) -> bytes:
    """Data as records of a stream, as many as it takes; none for no data, since an empty one would end the stream."""
    if 0 < len(data) <= LONGEST_CONTENT:
        return record(kind, request, data)
    return b"".join(parts(kind, request, data, LONGEST_CONTENT))


def parts(kind: int, request: int, data: bytes, longest: int) -> list[Content]:
    """As `stream`, not joined: the header of each record, and its content of at most `longest` bytes."""
    made: list[Content] = []
    for start in range(0, len(data), longest):
        content = memoryview(data)[start : start + longest]
        made += HEADER.pack(VERSION, kind, request, len(content), 0), content
    return made


def end_request(request: int, status: Status) -> bytes:
    """The record that ends a request."""
    return record(Kind.END_REQUEST, request, END_BODY.pack(0, status))


def unknown_type(kind: int) -> bytes:
    """The answer to a management record of a kind that nobody knows (4.2)."""
    return record(Kind.UNKNOWN_TYPE, MANAGEMENT, bytes((kind, 0, 0, 0, 0, 0, 0, 0)))


def values(asked: Content, known: dict[str, str]) -> bytes:
    """The answer to GET_VALUES: what is known of what was asked for (4.1). Raises MalformedError."""
    content = pairs((name, known[name]) for name in parse_pairs(bytes(asked)) if name in known)
    return record(Kind.GET_VALUES_RESULT, MANAGEMENT, content)


def parse_pairs(content: bytes) -> dict[str, str]:
    """The name-value pairs in the content of PARAMS or GET_VALUES, as WSGI's strings (3.4). Raises MalformedError."""
    text = content.decode("latin-1")
    found = {}
    at, count, end = 0, 0, len(content)
    try:
        while at < end:
            name_length, value_length, at = content[at], content[at + 1], at + 2
            if (name_length | value_length) >= LONG_LENGTH:
                if name_length >= LONG_LENGTH:
                    name_length, value_length, at = _long(content, at - 2), content[at + 2], at + 3
                if value_length >= LONG_LENGTH:
                    value_length, at = _long(content, at - 1), at + 3
            middle = at + name_length
            name, at = text[at:middle], middle + value_length
            found[name] = text[middle:at]
            count += 1
    except IndexError:
        raise MalformedError("a name-value pair is cut off") from None
    if at != end:
        raise MalformedError("a name-value pair is cut off")
    if count != len(found):
        raise RepeatedError("a name is there twice")
    return found


def _long(content: bytes, at: int) -> int:
    # an index, not a slice: it raises where bytes are missing
    return (content[at] & 0x7F) << 24 | content[at + 1] << 16 | content[at + 2] << 8 | content[at + 3]


def pairs(found: Iterable[tuple[str, str]]) -> bytes:
    """Name-value pairs as the content of a record."""
    return b"".join(
        b"".join((_length(name), _length(value), name, value))
        for name, value in ((name.encode("latin-1"), value.encode("latin-1")) for name, value in found)
    )


def _length(data: bytes) -> bytes:
    return bytes((len(data),)) if len(data) < LONG_LENGTH else struct.pack(">I", len(data) | LONG_LENGTH << 24)
