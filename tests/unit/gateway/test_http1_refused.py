"""What RFC 9112 forbids, as bytes to a real server: refused with 400 and never passed on, however it is split."""

import contextlib
import json
from collections.abc import Iterator

import pytest
from gateway_kit import Gateways, Server, connect
from wire_kit import END, GET, POST, ask, exchange, read, receive_all, split_anywhere

CHUNKED = POST + b"Transfer-Encoding: chunked\r\n" + END

FORBIDDEN = {
    # section 6.1 and 6.2: where a body ends
    "length and coding": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" + END + b"0\r\n\r\n",
    "coding and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" + END + b"0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n" + END + b"hello",
    "the same length twice": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n" + END + b"hello",
    "list of lengths": POST + b"Content-Length: 5, 5\r\n" + END + b"hello",
    "plus": POST + b"Content-Length: +5\r\n" + END + b"hello",
    "minus": POST + b"Content-Length: -5\r\n" + END + b"hello",
    "empty length": POST + b"Content-Length: \r\n" + END,
    "space in length": POST + b"Content-Length: 1 1\r\n" + END + b"hello",
    "hexadecimal length": POST + b"Content-Length: 0x5\r\n" + END + b"hello",
    "underscore in length": POST + b"Content-Length: 1_0\r\n" + END + b"hello",
    "fraction": POST + b"Content-Length: 5.0\r\n" + END + b"hello",
    "endless length": POST + b"Content-Length: " + b"9" * 40 + b"\r\n" + END,
    "other digits": POST + "Content-Length: \u0665\r\n".encode() + END,
    "vertical tab before length": POST + b"Content-Length: \x0b5\r\n" + END + b"hello",
    "unknown coding": POST + b"Transfer-Encoding: gzip\r\n" + END,
    "coding before chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n" + END + b"0\r\n\r\n",
    "coding after chunked": POST + b"Transfer-Encoding: chunked, gzip\r\n" + END + b"0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n" + END + b"0\r\n\r\n",
    "coding twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" + END + b"0\r\n\r\n",
    "identity": POST + b"Transfer-Encoding: identity\r\n" + END,
    "almost chunked": POST + b"Transfer-Encoding: xchunked\r\n" + END + b"0\r\n\r\n",
    "parameter of chunked": POST + b"Transfer-Encoding: chunked;q=1\r\n" + END + b"0\r\n\r\n",
    "quoted chunked": POST + b'Transfer-Encoding: "chunked"\r\n' + END + b"0\r\n\r\n",
    "control before chunked": POST + b"Transfer-Encoding: \x0bchunked\r\n" + END + b"0\r\n\r\n",
    "empty coding": POST + b"Transfer-Encoding:\r\n" + END,
    "coding in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "space before colon of length": POST + b"Content-Length : 5\r\n" + END + b"hello",
    # section 2.2: lines end with CR LF
    "bare LF after the request line": b"GET /api/mirror HTTP/1.1\nHost: a\r\n" + END,
    "bare LF after a header": GET + b"A: b\n" + END,
    "bare LF everywhere": b"GET /api/mirror HTTP/1.1\nHost: a\nConnection: close\n\n",
    "bare LF at the end": GET + b"A: b\r\n\n",
    "bare CR in a value": GET + b"A: b\rc\r\n" + END,
    "bare CR in the request line": b"GET /api/mirror\r HTTP/1.1\r\nHost: a\r\n" + END,
    "CR CR LF": GET + b"A: b\r\r\n" + END,
    "empty lines first": b"\r\n\r\n" + GET + END,
    "bare LF first": b"\n" + GET + END,
    # section 5: headers
    "folded": GET + b"A: b\r\n c\r\n" + END,
    "folded by tab": GET + b"A: b\r\n\tc\r\n" + END,
    "fold first": b"GET /api/mirror HTTP/1.1\r\n A: b\r\nHost: a\r\n" + END,
    "folded length": POST + b"Content-Length:\r\n 5\r\n" + END + b"hello",
    "space before colon": GET + b"A : b\r\n" + END,
    "tab before colon": GET + b"A\t: b\r\n" + END,
    "no name": GET + b": b\r\n" + END,
    "no colon": GET + b"A\r\n" + END,
    "NUL in a value": GET + b"A: b\0c\r\n" + END,
    "control in a value": GET + b"A: b\x01c\r\n" + END,
    "escape in a value": GET + b"A: \x1b[31m\r\n" + END,
    "DEL in a value": GET + b"A: b\x7f\r\n" + END,
    "NUL in a name": GET + b"A\0: b\r\n" + END,
    "bracket in a name": GET + b"A(: b\r\n" + END,
    "letter beyond ASCII in a name": GET + b"\xc3\x84: b\r\n" + END,
    "space in a name": GET + b"A B: c\r\n" + END,
    # section 3: request line
    "method in lower case": b"get /api/mirror HTTP/1.1\r\nHost: a\r\n" + END,
    "unknown method": b"FETCH /api/mirror HTTP/1.1\r\nHost: a\r\n" + END,
    "method that is no token": b"G(T /api/mirror HTTP/1.1\r\nHost: a\r\n" + END,
    "no version": b"GET /api/mirror\r\nHost: a\r\n" + END,
    "HTTP/0.9": b"GET /api/mirror HTTP/0.9\r\nHost: a\r\n" + END,
    "HTTP/1.2": b"GET /api/mirror HTTP/1.2\r\nHost: a\r\n" + END,
    "HTTP/2.0": b"GET /api/mirror HTTP/2.0\r\nHost: a\r\n" + END,
    "HTTP/01.1": b"GET /api/mirror HTTP/01.1\r\nHost: a\r\n" + END,
    "HTTP/1.10": b"GET /api/mirror HTTP/1.10\r\nHost: a\r\n" + END,
    "version in lower case": b"GET /api/mirror http/1.1\r\nHost: a\r\n" + END,
    "another protocol": b"SOURCE /api/mirror ICE/1.1\r\nHost: a\r\n" + END,
    "RTSP": b"DESCRIBE rtsp://a/ RTSP/1.0\r\nHost: a\r\n" + END,
    "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "two spaces": b"GET  /api/mirror HTTP/1.1\r\nHost: a\r\n" + END,
    "two spaces before the version": b"GET /api/mirror  HTTP/1.1\r\nHost: a\r\n" + END,
    "space after the version": b"GET /api/mirror HTTP/1.1 \r\nHost: a\r\n" + END,
    "tabs": b"GET\t/api/mirror\tHTTP/1.1\r\nHost: a\r\n" + END,
    "space first": b" " + GET + END,
    "space in the target": b"GET /api/a b HTTP/1.1\r\nHost: a\r\n" + END,
    "control in the target": b"GET /api/\x01 HTTP/1.1\r\nHost: a\r\n" + END,
    "beyond ASCII in the target": b"GET /api/\xff HTTP/1.1\r\nHost: a\r\n" + END,
    "fragment": b"GET /api/mirror#a HTTP/1.1\r\nHost: a\r\n" + END,
    "relative target": b"GET api/mirror HTTP/1.1\r\nHost: a\r\n" + END,
    "asterisk without OPTIONS": b"GET * HTTP/1.1\r\nHost: a\r\n" + END,
    "authority without CONNECT": b"GET a:80 HTTP/1.1\r\nHost: a\r\n" + END,
    "another scheme": b"GET ftp://a/api/mirror HTTP/1.1\r\nHost: a\r\n" + END,
    "user in the authority": b"GET http://u@a/api/mirror HTTP/1.1\r\nHost: a\r\n" + END,
    "empty authority": b"GET http:///api/mirror HTTP/1.1\r\nHost: a\r\n" + END,
    "target and Host differ": b"GET http://b/api/mirror HTTP/1.1\r\nHost: a\r\n" + END,
    # section 3.2: Host
    "no Host": b"GET /api/mirror HTTP/1.1\r\n" + END,
    "two Hosts": GET + b"Host: b\r\n" + END,
    "the same Host twice": GET + b"host: a\r\n" + END,
    "empty Host": b"GET /api/mirror HTTP/1.1\r\nHost:\r\n" + END,
    "space in Host": b"GET /api/mirror HTTP/1.1\r\nHost: a b\r\n" + END,
    "path in Host": b"GET /api/mirror HTTP/1.1\r\nHost: a/b\r\n" + END,
    "user in Host": b"GET /api/mirror HTTP/1.1\r\nHost: u@a\r\n" + END,
    "port that is none": b"GET /api/mirror HTTP/1.1\r\nHost: a:b\r\n" + END,
    "list of Hosts": b"GET /api/mirror HTTP/1.1\r\nHost: a, b\r\n" + END,
    # not HTTP at all
    "nonsense": b"nonsense\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    # section 7.1: chunks
    "no chunk size": CHUNKED + b"\r\nhello\r\n0\r\n\r\n",
    "negative chunk size": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "plus before chunk size": CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n",
    "0x before chunk size": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "space before chunk size": CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n",
    "space after chunk size": CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n",
    "underscore in chunk size": CHUNKED + b"0_5\r\nhello\r\n0\r\n\r\n",
    "chunk size beyond 64 bits": CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "endless chunk size": CHUNKED + b"0" * 2000 + b"5\r\nhello\r\n0\r\n\r\n",
    "chunk size that is none": CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n",
    "bare LF after chunk size": CHUNKED + b"5\nhello\r\n0\r\n\r\n",
    "bare CR after chunk size": CHUNKED + b"5\rhello\r\n0\r\n\r\n",
    "chunk without CR LF": CHUNKED + b"5\r\nhello0\r\n\r\n",
    "chunk with bare LF": CHUNKED + b"5\r\nhello\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + b"4\r\nhello\r\n0\r\n\r\n",
    "bare LF in an extension": CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "bare CR in an extension": CHUNKED + b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "extension without name": CHUNKED + b"5;=b\r\nhello\r\n0\r\n\r\n",
    "extension that is no token": CHUNKED + b"5;a=b c\r\nhello\r\n0\r\n\r\n",
    "open quote in an extension": CHUNKED + b'5;a="b\r\nhello\r\n0\r\n\r\n',
    "endless extension": CHUNKED + b"5;a=" + b"b" * 2000 + b"\r\nhello\r\n0\r\n\r\n",
    "bad trailer": CHUNKED + b"5\r\nhello\r\n0\r\nA : b\r\n\r\n",
    "folded trailer": CHUNKED + b"5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n",
    "bare LF in the trailers": CHUNKED + b"5\r\nhello\r\n0\r\nA: b\n\r\n",
    "NUL in a trailer": CHUNKED + b"5\r\nhello\r\n0\r\nA: \0\r\n\r\n",
    "endless trailers": CHUNKED + b"0\r\n" + b"A: b\r\n" * 2000 + b"\r\n",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Gateways(tmp_path_factory.mktemp("refused"))
    yield made.serve(application="wire:validated", request_timeout=5)
    made.stop()


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_is_forbidden_is_refused(server: Server, name: str) -> None:
    reply = ask(server.address, FORBIDDEN[name])
    assert reply.status == 400, reply
    assert reply.all("connection") == ["close"]
    assert reply.all("cache-control") == ["no-store"]
    assert [reply.json()["request_id"]] == reply.all("x-request-id")


@pytest.mark.parametrize("name", FORBIDDEN)
def test_it_is_refused_wherever_it_is_split(server: Server, name: str) -> None:
    data = FORBIDDEN[name]
    for replies in split_anywhere(server.address, data, step=1 + len(data) // 200):
        assert [reply.status for reply in replies] == [400]


def test_nothing_that_follows_is_served(server: Server) -> None:
    assert ask(server.address, FORBIDDEN["two lengths"] + GET + END).status == 400
    after_a_good_one = GET + b"\r\n" + FORBIDDEN["fold first"] + GET + END
    assert [reply.status for reply in exchange(server.address, after_a_good_one)] == [200, 400]


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (414, b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
        (414, b"GET /" + b"x" * 9000),
        (414, b"x" * 9000),
        (431, GET + b"A: b\r\n" * 100 + END),
        (431, GET + b"A: b\r\n" * 200),
        (431, GET + b"A: " + b"b" * 40_000),
        (431, GET + b"".join(b"A%d: %b\r\n" % (n, b"b" * 8000) for n in range(5)) + END),
        (417, POST + b"Expect: a-miracle\r\nContent-Length: 5\r\n" + END + b"hello"),
        (501, b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n" + END),
        (404, b"OPTIONS * HTTP/1.1\r\nHost: a\r\n" + END),
        (413, POST + b"Content-Length: 99999999999999999\r\n" + END),
        (413, CHUNKED + b"fffffffffffffff\r\n" + b"x" * 20_000_000),
    ],
)
def test_what_is_too_much_is_refused(server: Server, status: int, data: bytes) -> None:
    with connect(server.address) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        (reply,) = read(receive_all(connection))
    assert reply.status == status
    assert "request_id" in json.loads(reply.body)


def test_the_server_is_well_and_told_no_secret(server: Server) -> None:
    assert ask(server.address, b"GET /api/mirror?token=hidden HTTP/9.9\r\nAuthorization: hidden\r\n\r\n").status == 400
    assert ask(server.address, GET + END).status == 200
    log = server.log()
    assert "Traceback" not in log
    assert "hidden" not in log
    assert "refused a malformed request reason=" in log
