"""HTTP/2 without TLS, byte for byte as a test wants it (RFC 9113): frames that no library would make, too."""

import socket
import struct
import time
from collections.abc import Iterable, Iterator

import hpack
from hyperframe.frame import Frame, GoAwayFrame, HeadersFrame, RstStreamFrame

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, ACK = 0x1, 0x4, 0x8, 0x1
HEADER_BYTES = 9

Fields = Iterable[tuple[bytes, bytes]]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return a frame (section 4.1), however wrong."""
    return len(payload).to_bytes(3) + struct.pack(">BBL", kind, flags, stream) + payload


# what a client says first (section 3.4), and room for answers
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0) + frame(WINDOW_UPDATE, 0, 0, bytes([64, 0, 0, 0]))


def encoded(fields: Fields) -> bytes:
    """Return a field section, without use of the table that both sides keep: it says the same wherever it is sent."""
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    size_update = b"\x20"
    return encoder.encode([hpack.NeverIndexedHeaderTuple(*field) for field in fields], huffman=False).removeprefix(
        size_update
    )


def headers(fields: Fields, stream: int = 1, flags: int = END_HEADERS | END_STREAM) -> bytes:
    """Return the frame that a request begins with."""
    return frame(HEADERS, flags, stream, encoded(fields))


def talk(tunnel: str, data: bytes, seconds: float, stream: int = 1) -> str:
    """Send bytes after the preface to a unix socket; return what became of the stream.

    "200" and the like: its status.  "reset N", "goaway N": the error.  "closed"; "silent" after so many seconds.
    """
    end = time.monotonic() + seconds
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        connection.connect(tunnel)
        try:
            connection.sendall(PREFACE + data)
            return next(outcomes(connection, stream, end), "closed")
        except TimeoutError:
            return "silent"
        except (BrokenPipeError, ConnectionResetError):
            return "closed"


def outcomes(connection: socket.socket, stream: int, end: float) -> Iterator[str]:
    """Yield what ends a stream, or the whole connection. Raises TimeoutError at the end of the time."""
    decoder = hpack.Decoder()
    with connection.makefile("rb") as file:
        while len(head := file.read(HEADER_BYTES)) == HEADER_BYTES:
            if time.monotonic() > end:
                raise TimeoutError
            found, length = Frame.parse_frame_header(memoryview(head))
            found.parse_body(memoryview(file.read(length)))
            if isinstance(found, HeadersFrame):
                fields = dict(decoder.decode(found.data))
                if found.stream_id == stream and ":status" in fields:
                    yield fields[":status"]
            elif isinstance(found, RstStreamFrame) and found.stream_id == stream:
                yield f"reset {found.error_code}"
            elif isinstance(found, GoAwayFrame) and found.error_code:
                yield f"goaway {found.error_code}"
