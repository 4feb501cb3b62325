"""Requests that HTTP forbids or that two may read differently, as bytes: one table for all who have to read them.

Who reads them: the gateway's own server (tests/unit/gateway), and lighttpd and that server on a deployed host
(molecule/front).
"""

from dataclasses import dataclass

GET = b"GET /api/mirror HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /api/mirror HTTP/1.1\r\nHost: a\r\n"
END = b"Connection: close\r\n\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n" + END
# nobody may ever see it
SMUGGLED = b"GET /api/smuggled HTTP/1.1\r\nHost: a\r\n" + END

# RFC 9112
LENGTH = "section 6: where a request ends"
LINES = "section 2.2: lines end with CR LF"
FIELDS = "section 5"
REQUEST_LINE = "section 3"
HOST = "section 3.2"
CHUNKS = "section 7.1"
OTHER = "section 2.1: not HTTP"

Statuses = tuple[int, ...]
Seen = tuple[str, str, bytes]


@dataclass(frozen=True)
class Case:
    """A request, and what may come of it.

    `why`: in RFC 9112.  `gateway`: statuses of its answers, in order.  `lighttpd`: the same, one for each way that a
    release of lighttpd may take it; it mends some, and gives up waiting for the rest of others.  `seen`: method, path
    and body of what the application sees where the answer is 200.
    """

    why: str
    data: bytes
    gateway: Statuses = (400,)
    lighttpd: tuple[Statuses, ...] = ((400,),)
    seen: tuple[Seen, ...] = ()


FORBIDDEN = {
    "length and coding": Case(
        LENGTH, POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" + END + b"0\r\n\r\n"
    ),
    "coding and length": Case(
        LENGTH, POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" + END + b"0\r\n\r\n"
    ),
    "two lengths": Case(LENGTH, POST + b"Content-Length: 5\r\nContent-Length: 6\r\n" + END + b"hello"),
    "the same length twice": Case(LENGTH, POST + b"Content-Length: 5\r\nContent-Length: 5\r\n" + END + b"hello"),
    "list of lengths": Case(LENGTH, POST + b"Content-Length: 5, 5\r\n" + END + b"hello"),
    "plus": Case(LENGTH, POST + b"Content-Length: +5\r\n" + END + b"hello"),
    "minus": Case(LENGTH, POST + b"Content-Length: -5\r\n" + END + b"hello"),
    "empty length": Case(LENGTH, POST + b"Content-Length: \r\n" + END, lighttpd=((411,), (400,))),
    "space in length": Case(LENGTH, POST + b"Content-Length: 1 1\r\n" + END + b"hello"),
    "hexadecimal length": Case(LENGTH, POST + b"Content-Length: 0x5\r\n" + END + b"hello"),
    "underscore in length": Case(LENGTH, POST + b"Content-Length: 1_0\r\n" + END + b"hello"),
    "fraction": Case(LENGTH, POST + b"Content-Length: 5.0\r\n" + END + b"hello"),
    "endless length": Case(LENGTH, POST + b"Content-Length: " + b"9" * 40 + b"\r\n" + END),
    "other digits": Case(LENGTH, POST + "Content-Length: \u0665\r\n".encode() + END),
    "vertical tab before length": Case(LENGTH, POST + b"Content-Length: \x0b5\r\n" + END + b"hello"),
    "unknown coding": Case(LENGTH, POST + b"Transfer-Encoding: gzip\r\n" + END, lighttpd=((501,),)),
    "coding before chunked": Case(
        LENGTH, POST + b"Transfer-Encoding: gzip, chunked\r\n" + END + b"0\r\n\r\n", lighttpd=((501,),)
    ),
    "coding after chunked": Case(
        LENGTH, POST + b"Transfer-Encoding: chunked, gzip\r\n" + END + b"0\r\n\r\n", lighttpd=((501,),)
    ),
    "chunked twice": Case(
        LENGTH, POST + b"Transfer-Encoding: chunked, chunked\r\n" + END + b"0\r\n\r\n", lighttpd=((501,),)
    ),
    "coding twice": Case(
        LENGTH,
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" + END + b"0\r\n\r\n",
        lighttpd=((200,),),
        seen=(("POST", "/api/mirror", b""),),
    ),
    "identity": Case(LENGTH, POST + b"Transfer-Encoding: identity\r\n" + END, lighttpd=((501,),)),
    "almost chunked": Case(LENGTH, POST + b"Transfer-Encoding: xchunked\r\n" + END + b"0\r\n\r\n", lighttpd=((501,),)),
    "parameter of chunked": Case(
        LENGTH, POST + b"Transfer-Encoding: chunked;q=1\r\n" + END + b"0\r\n\r\n", lighttpd=((501,),)
    ),
    "quoted chunked": Case(LENGTH, POST + b'Transfer-Encoding: "chunked"\r\n' + END + b"0\r\n\r\n", lighttpd=((501,),)),
    "control before chunked": Case(LENGTH, POST + b"Transfer-Encoding: \x0bchunked\r\n" + END + b"0\r\n\r\n"),
    "empty coding": Case(LENGTH, POST + b"Transfer-Encoding:\r\n" + END, lighttpd=((411,),)),
    "coding in HTTP/1.0": Case(LENGTH, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "space before colon of length": Case(LENGTH, POST + b"Content-Length : 5\r\n" + END + b"hello"),
    "bare LF after the request line": Case(LINES, b"GET /api/mirror HTTP/1.1\nHost: a\r\n" + END),
    "bare LF after a header": Case(LINES, GET + b"A: b\n" + END),
    "bare LF everywhere": Case(LINES, b"GET /api/mirror HTTP/1.1\nHost: a\nConnection: close\n\n"),
    "bare LF at the end": Case(LINES, GET + b"A: b\r\n\n", lighttpd=((200,),), seen=(("GET", "/api/mirror", b""),)),
    "bare CR in a value": Case(LINES, GET + b"A: b\rc\r\n" + END),
    "bare CR in the request line": Case(LINES, b"GET /api/mirror\r HTTP/1.1\r\nHost: a\r\n" + END),
    "CR CR LF": Case(LINES, GET + b"A: b\r\r\n" + END),
    "empty lines first": Case(LINES, b"\r\n\r\n" + GET + END),
    "bare LF first": Case(LINES, b"\n" + GET + END),
    "folded": Case(FIELDS, GET + b"A: b\r\n c\r\n" + END, lighttpd=((200,),), seen=(("GET", "/api/mirror", b""),)),
    "folded by tab": Case(
        FIELDS, GET + b"A: b\r\n\tc\r\n" + END, lighttpd=((200,),), seen=(("GET", "/api/mirror", b""),)
    ),
    "fold first": Case(FIELDS, b"GET /api/mirror HTTP/1.1\r\n A: b\r\nHost: a\r\n" + END),
    "folded length": Case(FIELDS, POST + b"Content-Length:\r\n 5\r\n" + END + b"hello"),
    "space before colon": Case(FIELDS, GET + b"A : b\r\n" + END),
    "tab before colon": Case(FIELDS, GET + b"A\t: b\r\n" + END),
    "no name": Case(FIELDS, GET + b": b\r\n" + END),
    "no colon": Case(FIELDS, GET + b"A\r\n" + END),
    "NUL in a value": Case(FIELDS, GET + b"A: b\0c\r\n" + END),
    "control in a value": Case(FIELDS, GET + b"A: b\x01c\r\n" + END),
    "escape in a value": Case(FIELDS, GET + b"A: \x1b[31m\r\n" + END),
    "DEL in a value": Case(FIELDS, GET + b"A: b\x7f\r\n" + END),
    "NUL in a name": Case(FIELDS, GET + b"A\0: b\r\n" + END),
    "bracket in a name": Case(FIELDS, GET + b"A(: b\r\n" + END),
    "letter beyond ASCII in a name": Case(FIELDS, GET + b"\xc3\x84: b\r\n" + END),
    "space in a name": Case(FIELDS, GET + b"A B: c\r\n" + END),
    "method in lower case": Case(REQUEST_LINE, b"get /api/mirror HTTP/1.1\r\nHost: a\r\n" + END, lighttpd=((501,),)),
    "unknown method": Case(REQUEST_LINE, b"FETCH /api/mirror HTTP/1.1\r\nHost: a\r\n" + END, lighttpd=((501,),)),
    "method that is no token": Case(REQUEST_LINE, b"G(T /api/mirror HTTP/1.1\r\nHost: a\r\n" + END, lighttpd=((501,),)),
    "no version": Case(REQUEST_LINE, b"GET /api/mirror\r\nHost: a\r\n" + END),
    "HTTP/0.9": Case(REQUEST_LINE, b"GET /api/mirror HTTP/0.9\r\nHost: a\r\n" + END, lighttpd=((505,), (400,))),
    "HTTP/1.2": Case(REQUEST_LINE, b"GET /api/mirror HTTP/1.2\r\nHost: a\r\n" + END, lighttpd=((505,), (400,))),
    "HTTP/2.0": Case(REQUEST_LINE, b"GET /api/mirror HTTP/2.0\r\nHost: a\r\n" + END, lighttpd=((505,), (400,))),
    "HTTP/01.1": Case(REQUEST_LINE, b"GET /api/mirror HTTP/01.1\r\nHost: a\r\n" + END, lighttpd=((505,), (400,))),
    "HTTP/1.10": Case(REQUEST_LINE, b"GET /api/mirror HTTP/1.10\r\nHost: a\r\n" + END),
    "version in lower case": Case(REQUEST_LINE, b"GET /api/mirror http/1.1\r\nHost: a\r\n" + END),
    "another protocol": Case(REQUEST_LINE, b"SOURCE /api/mirror ICE/1.1\r\nHost: a\r\n" + END),
    "RTSP": Case(REQUEST_LINE, b"DESCRIBE rtsp://a/ RTSP/1.0\r\nHost: a\r\n" + END),
    "preface of HTTP/2": Case(REQUEST_LINE, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", lighttpd=()),
    "two spaces": Case(REQUEST_LINE, b"GET  /api/mirror HTTP/1.1\r\nHost: a\r\n" + END),
    "two spaces before the version": Case(
        REQUEST_LINE,
        b"GET /api/mirror  HTTP/1.1\r\nHost: a\r\n" + END,
        lighttpd=((200,), (400,)),
        seen=(("GET", "/api/mirror ", b""),),
    ),
    "space after the version": Case(REQUEST_LINE, b"GET /api/mirror HTTP/1.1 \r\nHost: a\r\n" + END),
    "tabs": Case(REQUEST_LINE, b"GET\t/api/mirror\tHTTP/1.1\r\nHost: a\r\n" + END),
    "space first": Case(REQUEST_LINE, b" " + GET + END, lighttpd=((501,),)),
    "space in the target": Case(
        REQUEST_LINE,
        b"GET /api/a b HTTP/1.1\r\nHost: a\r\n" + END,
        lighttpd=((200,),),
        seen=(("GET", "/api/a b", b""),),
    ),
    "control in the target": Case(REQUEST_LINE, b"GET /api/\x01 HTTP/1.1\r\nHost: a\r\n" + END),
    "beyond ASCII in the target": Case(REQUEST_LINE, b"GET /api/\xff HTTP/1.1\r\nHost: a\r\n" + END),
    "fragment": Case(
        REQUEST_LINE,
        b"GET /api/mirror#a HTTP/1.1\r\nHost: a\r\n" + END,
        lighttpd=((200,),),
        seen=(("GET", "/api/mirror", b""),),
    ),
    "relative target": Case(REQUEST_LINE, b"GET api/mirror HTTP/1.1\r\nHost: a\r\n" + END),
    "asterisk without OPTIONS": Case(REQUEST_LINE, b"GET * HTTP/1.1\r\nHost: a\r\n" + END),
    "authority without CONNECT": Case(REQUEST_LINE, b"GET a:80 HTTP/1.1\r\nHost: a\r\n" + END),
    "another scheme": Case(REQUEST_LINE, b"GET ftp://a/api/mirror HTTP/1.1\r\nHost: a\r\n" + END),
    "user in the authority": Case(REQUEST_LINE, b"GET http://u@a/api/mirror HTTP/1.1\r\nHost: a\r\n" + END),
    "empty authority": Case(REQUEST_LINE, b"GET http:///api/mirror HTTP/1.1\r\nHost: a\r\n" + END),
    "target and Host differ": Case(REQUEST_LINE, b"GET http://b/api/mirror HTTP/1.1\r\nHost: a\r\n" + END),
    "no Host": Case(HOST, b"GET /api/mirror HTTP/1.1\r\n" + END),
    "two Hosts": Case(HOST, GET + b"Host: b\r\n" + END),
    "the same Host twice": Case(
        HOST, GET + b"host: a\r\n" + END, lighttpd=((200,),), seen=(("GET", "/api/mirror", b""),)
    ),
    "empty Host": Case(HOST, b"GET /api/mirror HTTP/1.1\r\nHost:\r\n" + END),
    "space in Host": Case(HOST, b"GET /api/mirror HTTP/1.1\r\nHost: a b\r\n" + END),
    "path in Host": Case(HOST, b"GET /api/mirror HTTP/1.1\r\nHost: a/b\r\n" + END),
    "user in Host": Case(HOST, b"GET /api/mirror HTTP/1.1\r\nHost: u@a\r\n" + END),
    "port that is none": Case(HOST, b"GET /api/mirror HTTP/1.1\r\nHost: a:b\r\n" + END),
    "list of Hosts": Case(HOST, b"GET /api/mirror HTTP/1.1\r\nHost: a, b\r\n" + END),
    "nonsense": Case(OTHER, b"nonsense\r\n\r\n"),
    "TLS": Case(OTHER, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    "no chunk size": Case(CHUNKS, CHUNKED + b"\r\nhello\r\n0\r\n\r\n"),
    "negative chunk size": Case(CHUNKS, CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n"),
    "plus before chunk size": Case(CHUNKS, CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n"),
    "0x before chunk size": Case(CHUNKS, CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n"),
    "space before chunk size": Case(CHUNKS, CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n"),
    "space after chunk size": Case(
        CHUNKS, CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n", lighttpd=((200,),), seen=(("POST", "/api/mirror", b"hello"),)
    ),
    "underscore in chunk size": Case(CHUNKS, CHUNKED + b"0_5\r\nhello\r\n0\r\n\r\n"),
    "chunk size beyond 64 bits": Case(CHUNKS, CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    "endless chunk size": Case(CHUNKS, CHUNKED + b"0" * 2000 + b"5\r\nhello\r\n0\r\n\r\n"),
    "chunk size that is none": Case(CHUNKS, CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n"),
    "bare LF after chunk size": Case(CHUNKS, CHUNKED + b"5\nhello\r\n0\r\n\r\n"),
    "bare CR after chunk size": Case(CHUNKS, CHUNKED + b"5\rhello\r\n0\r\n\r\n", lighttpd=((),)),
    "chunk without CR LF": Case(CHUNKS, CHUNKED + b"5\r\nhello0\r\n\r\n"),
    "chunk with bare LF": Case(CHUNKS, CHUNKED + b"5\r\nhello\n0\r\n\r\n"),
    "chunk longer than its size": Case(CHUNKS, CHUNKED + b"4\r\nhello\r\n0\r\n\r\n"),
    "bare LF in an extension": Case(CHUNKS, CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
    "bare CR in an extension": Case(
        CHUNKS, CHUNKED + b"5;a\rb\r\nhello\r\n0\r\n\r\n", lighttpd=((200,),), seen=(("POST", "/api/mirror", b"hello"),)
    ),
    "extension without name": Case(
        CHUNKS, CHUNKED + b"5;=b\r\nhello\r\n0\r\n\r\n", lighttpd=((200,),), seen=(("POST", "/api/mirror", b"hello"),)
    ),
    "extension that is no token": Case(
        CHUNKS,
        CHUNKED + b"5;a=b c\r\nhello\r\n0\r\n\r\n",
        lighttpd=((200,),),
        seen=(("POST", "/api/mirror", b"hello"),),
    ),
    "open quote in an extension": Case(
        CHUNKS, CHUNKED + b'5;a="b\r\nhello\r\n0\r\n\r\n', lighttpd=((200,),), seen=(("POST", "/api/mirror", b"hello"),)
    ),
    "endless extension": Case(CHUNKS, CHUNKED + b"5;a=" + b"b" * 2000 + b"\r\nhello\r\n0\r\n\r\n"),
    "bad trailer": Case(
        CHUNKS,
        CHUNKED + b"5\r\nhello\r\n0\r\nA : b\r\n\r\n",
        lighttpd=((200,),),
        seen=(("POST", "/api/mirror", b"hello"),),
    ),
    "folded trailer": Case(
        CHUNKS,
        CHUNKED + b"5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n",
        lighttpd=((200,),),
        seen=(("POST", "/api/mirror", b"hello"),),
    ),
    "bare LF in the trailers": Case(
        CHUNKS, CHUNKED + b"5\r\nhello\r\n0\r\nA: b\n\r\n", lighttpd=((),), seen=(("POST", "/api/mirror", b"hello"),)
    ),
    "NUL in a trailer": Case(CHUNKS, CHUNKED + b"5\r\nhello\r\n0\r\nA: \0\r\n\r\n", lighttpd=((),)),
    "endless trailers": Case(
        CHUNKS,
        CHUNKED + b"0\r\n" + b"A: b\r\n" * 2000 + b"\r\n",
        lighttpd=((200,),),
        seen=(("POST", "/api/mirror", b""),),
    ),
}

TOO_MUCH = {
    "long target": Case(
        REQUEST_LINE, b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", (414,), lighttpd=((431,),)
    ),
    "target without an end": Case(REQUEST_LINE, b"GET /" + b"x" * 9000, (414,), lighttpd=((431,),)),
    "no request at all": Case(REQUEST_LINE, b"x" * 9000, (414,), lighttpd=((431,),)),
    "too many fields": Case(
        FIELDS, GET + b"A: b\r\n" * 100 + END, (431,), lighttpd=((200,),), seen=(("GET", "/api/mirror", b""),)
    ),
    "too many fields of different names": Case(
        FIELDS, GET + b"".join(b"A%d: b\r\n" % n for n in range(99)) + END, (431,), lighttpd=((431,),)
    ),
    "fields without an end": Case(FIELDS, GET + b"A: b\r\n" * 200, (431,), lighttpd=((),)),
    "field without an end": Case(FIELDS, GET + b"A: " + b"b" * 40_000, (431,), lighttpd=((431,),)),
    "many long fields": Case(
        FIELDS, GET + b"".join(b"A%d: %b\r\n" % (n, b"b" * 8000) for n in range(5)) + END, (431,), lighttpd=((431,),)
    ),
    "unknown expectation": Case(
        FIELDS,
        POST + b"Expect: a-miracle\r\nContent-Length: 5\r\n" + END + b"hello",
        (417,),
        lighttpd=((200,),),
        seen=(("POST", "/api/mirror", b"hello"),),
    ),
    "tunnel": Case(REQUEST_LINE, b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n" + END, (501,)),
    "the server itself": Case(REQUEST_LINE, b"OPTIONS * HTTP/1.1\r\nHost: a\r\n" + END, (404,), lighttpd=((200,),)),
    "huge length": Case(LENGTH, POST + b"Content-Length: 99999999999999999\r\n" + END, (413,), lighttpd=((413,),)),
    "huge chunk": Case(CHUNKS, CHUNKED + b"fffffffffffffff\r\n" + b"x" * 20_000_000, (413,), lighttpd=((413,),)),
}


def _post(fields: bytes, body: bytes) -> bytes:
    return POST + fields + b"Content-Length: %d\r\n" % len(body) + END + body


_MIRROR = "POST", "/api/mirror"
_CHUNKED_SMUGGLED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
DOUBTFUL = {
    "request in a body": Case(LENGTH, _post(b"", SMUGGLED), (200,), ((200,),), ((*_MIRROR, SMUGGLED),)),
    "request in a chunk": Case(CHUNKS, CHUNKED + _CHUNKED_SMUGGLED, (200,), ((200,),), ((*_MIRROR, SMUGGLED),)),
    "request in the body of a GET": Case(
        LENGTH,
        GET + b"Content-Length: %d\r\n" % len(SMUGGLED) + END + SMUGGLED,
        (200,),
        ((400,),),
        (("GET", "/api/mirror", SMUGGLED),),
    ),
    "request after the last chunk": Case(
        CHUNKS, CHUNKED + b"5\r\nhello\r\n0\r\n\r\n" + SMUGGLED, (200,), ((200,),), ((*_MIRROR, b"hello"),)
    ),
    "request in the trailers": Case(
        CHUNKS,
        CHUNKED + b"5\r\nhello\r\n0\r\nContent-Length: 99\r\nHost: b\r\n\r\n",
        (200,),
        ((200,),),
        ((*_MIRROR, b"hello"),),
    ),
    "underscore in the coding's name": Case(
        LENGTH, _post(b"Transfer_Encoding: chunked\r\n", SMUGGLED), (200,), ((200,),), ((*_MIRROR, SMUGGLED),)
    ),
    "underscore in the length's name": Case(
        LENGTH, _post(b"Content_Length: 0\r\n", SMUGGLED), (200,), ((200,), (400,)), ((*_MIRROR, SMUGGLED),)
    ),
    "connection option of the length": Case(
        FIELDS, _post(b"Connection: Content-Length\r\n", SMUGGLED), (200,), ((200,),), ((*_MIRROR, SMUGGLED),)
    ),
    "connection option of the coding": Case(
        FIELDS,
        POST + b"Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\n" + END + _CHUNKED_SMUGGLED,
        (200,),
        ((200,),),
        ((*_MIRROR, SMUGGLED),),
    ),
    "connection option of the host": Case(
        FIELDS, GET + b"Connection: Host\r\n" + END, (200,), ((200,),), (("GET", "/api/mirror", b""),)
    ),
    "another protocol wished for": Case(
        FIELDS,
        GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + END + SMUGGLED,
        (200,),
        ((200,),),
        (("GET", "/api/mirror", b""),),
    ),
    "HTTP/2 wished for, with a body": Case(
        FIELDS,
        _post(b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings\r\n", SMUGGLED),
        (200,),
        ((200,),),
        ((*_MIRROR, SMUGGLED),),
    ),
    "expected body sent at once": Case(
        LENGTH, _post(b"Expect: 100-continue\r\n", SMUGGLED), (200,), ((200,),), ((*_MIRROR, SMUGGLED),)
    ),
    "length in HTTP/1.0": Case(
        LENGTH,
        b"POST /api/mirror HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + SMUGGLED,
        (200,),
        ((200,),),
        ((*_MIRROR, b"hello"),),
    ),
    "line break in a quoted target": Case(
        REQUEST_LINE,
        b"GET /api/mirror%0d%0aX:%20y HTTP/1.1\r\nHost: a\r\n" + END,
        (200,),
        ((400,),),
        (("GET", "/api/mirror\r\nX: y", b""),),
    ),
    "NUL in a quoted target": Case(
        REQUEST_LINE,
        b"GET /api/mirror%00 HTTP/1.1\r\nHost: a\r\n" + END,
        (200,),
        ((400,),),
        (("GET", "/api/mirror\0", b""),),
    ),
}
CASES = FORBIDDEN | TOO_MUCH | DOUBTFUL
