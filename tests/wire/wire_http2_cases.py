"""Malformed requests over HTTP/2 (RFC 9113), and what would be smuggled into the HTTP/1.1 behind lighttpd."""

import struct
from dataclasses import dataclass

from wire_cases import SMUGGLED
from wire_http2 import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    encoded,
    frame,
    headers,
)

METHOD, SCHEME, AUTHORITY, PATH = (
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":authority", b"a"),
    (b":path", b"/api/mirror"),
)
POST = [METHOD, SCHEME, AUTHORITY, PATH]
GET = [(b":method", b"GET"), SCHEME, AUTHORITY, PATH]
INJECTED = b"x HTTP/1.1\r\nHost: a\r\n\r\n" + SMUGGLED


@dataclass(frozen=True)
class Case:
    """`why`: section of RFC 9113.  `data`: what follows the preface.  `outcomes`: allowed at lighttpd, as `talk` says.

    `seen`: what the application sees of it where the outcome is 200.
    """

    why: str
    data: bytes
    outcomes: frozenset[str] = frozenset({"400", "reset 1"})
    seen: tuple[tuple[str, str, bytes], ...] = ()


def with_body(fields: list[tuple[bytes, bytes]], *blocks: bytes) -> bytes:
    """Return a request and its body, a frame a block."""
    frames = [frame(DATA, END_STREAM if block is blocks[-1] else 0, 1, block) for block in blocks]
    return headers([*POST, *fields], flags=END_HEADERS) + b"".join(frames)


def replaced(name: bytes, value: bytes) -> bytes:
    """Return a request with another value of a pseudo-header."""
    return headers([(key, value if key == name else old) for key, old in GET])


PSEUDO = "8.3.1: pseudo-headers"
FIELDS = "8.2.1: names and values"
CONNECTION = "8.2.2: headers of a connection"
LENGTH = "8.1.1: length"
TRAILERS = "8.1: trailers"
STREAMS = "5.1: streams"
FRAMES = "4 and 6: frames"
PROTOCOL_ERROR = frozenset({"goaway 1"})

CASES = {
    "no method": Case(PSEUDO, headers(GET[1:])),
    "no path": Case(PSEUDO, headers(GET[:3])),
    "no scheme": Case(PSEUDO, headers([GET[0], *GET[2:]])),
    "no pseudo-header": Case(PSEUDO, headers([(b"a", b"b")])),
    "empty method": Case(PSEUDO, replaced(b":method", b"")),
    "empty path": Case(PSEUDO, replaced(b":path", b"")),
    "two methods": Case(PSEUDO, headers([*GET, METHOD])),
    "two paths": Case(PSEUDO, headers([*GET, (b":path", b"/api/smuggled")])),
    "two schemes": Case(PSEUDO, headers([*GET, SCHEME])),
    "two authorities": Case(PSEUDO, headers([*GET, (b":authority", b"b")])),
    "unknown pseudo-header": Case(PSEUDO, headers([*GET, (b":smuggled", b"b")])),
    "status in a request": Case(PSEUDO, headers([*GET, (b":status", b"200")])),
    "pseudo-header after a field": Case(PSEUDO, headers([*GET[:3], (b"a", b"b"), PATH])),
    "relative path": Case(PSEUDO, replaced(b":path", b"api/smuggled")),
    "asterisk without OPTIONS": Case(PSEUDO, replaced(b":path", b"*")),
    "tunnel": Case(PSEUDO, headers([(b":method", b"CONNECT"), (b":authority", b"a:80")]), frozenset({"405"})),
    "authority and Host differ": Case(PSEUDO, headers([*GET, (b"host", b"b")])),
    "user in the authority": Case(PSEUDO, replaced(b":authority", b"u@a")),
    "request in the method": Case(
        PSEUDO, replaced(b":method", b"GET /api/smuggled HTTP/1.1\r\nHost: a\r\n\r\nGET"), frozenset({"501"})
    ),
    "space in the method": Case(PSEUDO, replaced(b":method", b"GET /api/smuggled HTTP/1.1"), frozenset({"501"})),
    "request in the path": Case(PSEUDO, replaced(b":path", b"/api/" + INJECTED)),
    "space in the path": Case(
        PSEUDO,
        replaced(b":path", b"/api/smuggled HTTP/1.1"),
        frozenset({"200"}),
        (("GET", "/api/smuggled HTTP/1.1", b""),),
    ),
    "request in the authority": Case(PSEUDO, replaced(b":authority", b"a\r\n\r\n" + SMUGGLED)),
    "request in the scheme": Case(
        PSEUDO,
        replaced(b":scheme", b"http://a/\r\n\r\n" + SMUGGLED),
        frozenset({"200"}),
        (("GET", "/api/mirror", b""),),
    ),
    "name in upper case": Case(FIELDS, headers([*GET, (b"Smuggled", b"b")])),
    "space in a name": Case(FIELDS, headers([*GET, (b"a b", b"c")])),
    "colon in a name": Case(FIELDS, headers([*GET, (b"transfer-encoding: chunked\r\na", b"b")])),
    "request in a name": Case(FIELDS, headers([*GET, (b"a: b\r\n\r\n" + SMUGGLED.lower(), b"b")])),
    "empty name": Case(FIELDS, headers([*GET, (b"", b"b")]), frozenset({"goaway 9"})),
    "name beyond ASCII": Case(FIELDS, headers([*GET, (b"\xe4", b"b")])),
    "NUL in a value": Case(FIELDS, headers([*GET, (b"a", b"b\0c")])),
    "LF in a value": Case(FIELDS, headers([*GET, (b"a", b"b\ntransfer-encoding: chunked")])),
    "CR in a value": Case(FIELDS, headers([*GET, (b"a", b"b\rc")])),
    "field in a value": Case(FIELDS, headers([*GET, (b"a", b"b\r\nTransfer-Encoding: chunked")])),
    "request in a value": Case(FIELDS, headers([*GET, (b"a", b"b\r\n\r\n" + SMUGGLED)])),
    "Transfer-Encoding": Case(CONNECTION, with_body([(b"transfer-encoding", b"chunked")], b"0\r\n\r\n" + SMUGGLED)),
    "Connection": Case(CONNECTION, headers([*GET, (b"connection", b"keep-alive, x-forwarded-for")])),
    "Keep-Alive": Case(
        CONNECTION, headers([*GET, (b"keep-alive", b"timeout=5")]), frozenset({"200"}), (("GET", "/api/mirror", b""),)
    ),
    "Proxy-Connection": Case(
        CONNECTION,
        headers([*GET, (b"proxy-connection", b"keep-alive")]),
        frozenset({"200"}),
        (("GET", "/api/mirror", b""),),
    ),
    "Upgrade": Case(CONNECTION, headers([*GET, (b"upgrade", b"websocket")])),
    "TE that is not trailers": Case(CONNECTION, headers([*GET, (b"te", b"chunked")])),
    "longer than its length": Case(LENGTH, with_body([(b"content-length", b"5")], b"hello" + SMUGGLED)),
    "longer than its length, later": Case(LENGTH, with_body([(b"content-length", b"5")], b"hello", SMUGGLED)),
    "length of nothing": Case(LENGTH, with_body([(b"content-length", b"0")], SMUGGLED)),
    "shorter than its length": Case(LENGTH, with_body([(b"content-length", b"50")], b"hello")),
    "length without body": Case(LENGTH, headers([*POST, (b"content-length", b"5")]), frozenset({"reset 2"})),
    "two lengths": Case(LENGTH, with_body([(b"content-length", b"5"), (b"content-length", b"6")], b"hello")),
    "list of lengths": Case(LENGTH, with_body([(b"content-length", b"5, 5")], b"hello")),
    "plus": Case(LENGTH, with_body([(b"content-length", b"+5")], b"hello")),
    "endless length": Case(LENGTH, with_body([(b"content-length", b"9" * 40)], b"hello")),
    "pseudo-header in the trailers": Case(
        TRAILERS,
        headers(POST, flags=END_HEADERS) + frame(DATA, 0, 1, b"hello") + headers([PATH]),
        frozenset({"400", "reset 1", "411"}),
    ),
    "trailers that are not the end": Case(
        TRAILERS,
        headers(POST, flags=END_HEADERS) + frame(DATA, 0, 1, b"hello") + headers([(b"a", b"b")], flags=END_HEADERS),
    ),
    "body of stream 0": Case(FRAMES, frame(DATA, END_STREAM, 0, SMUGGLED), PROTOCOL_ERROR),
    "request of stream 0": Case(FRAMES, headers(GET, 0), PROTOCOL_ERROR),
    "stream of the server's": Case(STREAMS, headers(GET, 2), PROTOCOL_ERROR),
    "body before its request": Case(STREAMS, frame(DATA, END_STREAM, 1, SMUGGLED), PROTOCOL_ERROR),
    "reset of what is not there": Case(STREAMS, frame(RST_STREAM, 0, 1, bytes(4)), PROTOCOL_ERROR),
    "body after the end": Case(
        STREAMS,
        headers(POST) + frame(DATA, END_STREAM, 1, SMUGGLED),
        frozenset({"reset 5", "200"}),
        (("POST", "/api/mirror", b""),),
    ),
    "frame beyond the limit": Case(
        FRAMES, headers(POST, flags=END_HEADERS) + frame(DATA, END_STREAM, 1, b"x" * 16385), frozenset({"goaway 6"})
    ),
    "continuation of nothing": Case(FRAMES, frame(CONTINUATION, END_HEADERS, 1, encoded(GET)), PROTOCOL_ERROR),
    "another frame in a field section": Case(
        FRAMES, headers(GET, flags=0) + frame(PING, 0, 0, bytes(8)), PROTOCOL_ERROR
    ),
    "padding longer than the frame": Case(
        FRAMES, frame(HEADERS, PADDED | END_HEADERS | END_STREAM, 1, b"\xff" + encoded(GET)), PROTOCOL_ERROR
    ),
    "entry that no table has": Case(
        FRAMES, frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\xff\xff\x7f"), frozenset({"goaway 9"})
    ),
    "settings of odd size": Case(FRAMES, frame(SETTINGS, 0, 0, bytes(5)), frozenset({"goaway 6"})),
    "settings of a stream": Case(FRAMES, frame(SETTINGS, 0, 1), PROTOCOL_ERROR),
    "acknowledgement with settings": Case(FRAMES, frame(SETTINGS, ACK, 0, bytes(6)), frozenset({"goaway 6"})),
    "ping of odd size": Case(FRAMES, frame(PING, 0, 0, bytes(7)), frozenset({"goaway 6"})),
    "window of nothing": Case(FRAMES, frame(WINDOW_UPDATE, 0, 0, bytes(4)), PROTOCOL_ERROR),
    "window beyond 31 bits": Case(
        FRAMES, frame(WINDOW_UPDATE, 0, 0, struct.pack(">L", 2**31 - 1)), frozenset({"goaway 3"})
    ),
    "dependency on itself": Case(FRAMES, frame(PRIORITY, 0, 1, struct.pack(">LB", 1, 0))),
    "promise of a client": Case(FRAMES, frame(PUSH_PROMISE, END_HEADERS, 1, bytes(4) + encoded(GET)), PROTOCOL_ERROR),
    "fields beyond the limit": Case(
        "10.5.1", headers([*GET, *((b"a%d" % n, b"b" * 1000) for n in range(12))]), frozenset({"431"})
    ),
    "unknown frame": Case(
        FRAMES, frame(0x42, 0, 1, SMUGGLED) + headers(GET), frozenset({"200"}), (("GET", "/api/mirror", b""),)
    ),
    "request in a body": Case(
        LENGTH, with_body([], SMUGGLED), frozenset({"200", "411"}), (("POST", "/api/mirror", SMUGGLED),)
    ),
}
