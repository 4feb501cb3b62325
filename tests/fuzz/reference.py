"""The same rules a second time: RFC 9112 read off a complete byte string, slowly and without a parser in common."""

import re
from dataclasses import dataclass, field

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
FIELD = re.compile(rb"(%b):[ \t]*([\t -~\x80-\xff]*?)[ \t]*" % TOKEN)
LINE = re.compile(rb"([A-Z-]+) ((?:/|\*|[Hh][Tt][Tt][Pp][Ss]?://)[!\"$-~]*) HTTP/1\.([01])")
TARGET = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?@]+)(.*)")
CHUNK = re.compile(
    rb"([0-9A-Fa-f]{1,15})(;%b(=(%b|\"([\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*\"))?)*" % (TOKEN, TOKEN)
)
HOST = re.compile(rb"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(:[0-9]{1,5})?")
# of those that llhttp knows, the ones that the fuzzer can come up with
METHODS = {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT"}


class RefusedError(Exception):
    """What follows is no request."""


class UnfinishedError(Exception):
    """The bytes end within a request."""


@dataclass
class Message:
    """One request as it must reach the application, and the number of the status that answers it otherwise."""

    method: bytes
    path: bytes
    query: bytes
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    seen: bool = True
    last: bool = False

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.fields if key.lower() == name]


def messages(data: bytes) -> tuple[list[Message], bool]:
    """All requests, up to the last that is served; and whether something refused comes after them."""
    found: list[Message] = []
    try:
        while data and not (found and found[-1].last):
            message, data = _message(data)
            found.append(message)
    except RefusedError:
        return found, True
    except UnfinishedError:
        pass
    return found, False


def _demand(good: object) -> None:
    if not good:
        raise RefusedError


def _message(data: bytes) -> tuple[Message, bytes]:
    if b"\r\n\r\n" not in data:
        _demand(not re.search(rb"(?<!\r)\n|\r[^\n]|\0", data))
        raise UnfinishedError
    head, _, rest = data.partition(b"\r\n\r\n")
    lines = head.removeprefix(b"\r\n").split(b"\r\n")
    match = LINE.fullmatch(lines[0])
    _demand(match and match[1] in METHODS and match[1] != b"CONNECT")
    assert match
    method, target, minor = match.groups()
    fields = [FIELD.fullmatch(line) for line in lines[1:]]
    _demand(all(fields))
    message = Message(method, b"", b"", [found.groups() for found in fields if found])  # type: ignore[misc]
    modern = minor == b"1"
    hosts = message.all(b"host")
    _demand(len(hosts) <= 1 and (not modern or (hosts and hosts[0])))
    if target.startswith(b"*"):
        _demand(target == b"*" and method == b"OPTIONS")
        message.seen = False
    elif not target.startswith(b"/"):
        absolute = TARGET.fullmatch(target)
        _demand(absolute)
        assert absolute
        _demand(not hosts or hosts[0].lower() == absolute[1].lower())
        hosts, target = [absolute[1]], absolute[2] if absolute[2].startswith(b"/") else b"/" + absolute[2]
    message.path, _, message.query = target.partition(b"?")
    message.seen = message.seen and all(not host or HOST.fullmatch(host) for host in hosts)
    options = b",".join(message.all(b"connection")).lower().split(b",")
    message.last = not modern or b"close" in [option.strip() for option in options]
    return message, _body(message, rest, modern=modern)


def _body(message: Message, data: bytes, *, modern: bool) -> bytes:
    lengths, codings = message.all(b"content-length"), message.all(b"transfer-encoding")
    _demand(len(lengths) + len(codings) <= 1)
    _demand(all(re.fullmatch(rb"[0-9]+", length) and int(length) < 2**64 for length in lengths))
    _demand(all(modern and coding.lower() == b"chunked" for coding in codings))
    _demand(not modern or b",".join(message.all(b"expect")).lower() in (b"", b"100-continue"))
    length = int(lengths[0]) if lengths else 0
    if not message.seen and (codings or length):
        message.last = True  # nobody reads its body, so nothing can follow
        return b""
    if codings:
        return _chunks(message, data)
    if length > len(data):
        raise UnfinishedError
    message.body = data[:length]
    return data[length:]


def _line(data: bytes) -> tuple[bytes, bytes]:
    line, end, rest = data.partition(b"\n")
    if not end:
        raise UnfinishedError
    _demand(line.endswith(b"\r"))
    return line[:-1], rest


def _chunks(message: Message, data: bytes) -> bytes:
    while True:
        line, data = _line(data)
        match = CHUNK.fullmatch(line)
        _demand(match)
        assert match
        size = int(match[1], 16)
        if not size:
            break
        if len(data) < size:
            raise UnfinishedError
        message.body += data[:size]
        empty, data = _line(data[size:])
        _demand(not empty)
    while True:
        line, data = _line(data)
        if not line:
            return data
        _demand(re.fullmatch(rb"%b:[\t -~\x80-\xff]*" % TOKEN, line))
