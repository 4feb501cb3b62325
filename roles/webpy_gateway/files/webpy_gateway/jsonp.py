"""Layer that lets listed JSON answers be loaded as scripts: `callback=name` makes `/**/name({...});` of `{...}`.

JSONP predates CORS: the page runs whatever it loads, and anybody's page may load it. So it is off unless a path is
listed, it is asked for without cookies, and nothing but JSON becomes a script.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from webpy_gateway import answers, streams
from webpy_gateway.jsonp_config import Jsonp

LONGEST_CALLBACK = 64
PARAMETER = "callback"
WITHOUT_BODY = ("204", "205", "304")
# headers of the JSON that are not those of the script
REPLACED = ("content-type", "content-length", "x-content-type-options")
# what could make the answer somebody's own, or a part of one, or unreadable here
DROPPED = ("HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_ACCEPT_ENCODING")

_DOTTED = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*(?:\.[A-Za-z_$][A-Za-z0-9_$]*)*")
# ECMA-262, section 12.7.2, and what strict mode adds: no name of a variable, so no first part of a callback
_RESERVED = re.compile(
    "arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|"
    "extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|package|private|"
    "protected|public|return|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield"
)
# WHATWG MIME Sniffing, section 4.6: JSON MIME type
_JSON = re.compile(r"(?:application/json|text/json|[^/;,\s]+/[^/;,\s]+\+json)[ \t]*(?:;.*)?", re.IGNORECASE)
# U+2028 and U+2029 end a line in older scripts, `</` could end a script element; in JSON all are inside of strings
_ESCAPES = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"</", b"<\\/"))
_UNFINISHED = re.compile(rb"(?:<|\xe2\x80?)\Z")


def layer(settings: Jsonp) -> Callable[[WSGIApplication], WSGIApplication]:
    """Answers `callback=` on the listed paths, and leaves everything else alone."""
    routes = frozenset(settings.routes)

    def wrap(application: WSGIApplication) -> WSGIApplication:
        def scripted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ.get("PATH_INFO") not in routes or environ["REQUEST_METHOD"] != "GET":
                return application(environ, start_response)
            query = parse_qsl(environ.get("QUERY_STRING"), keep_blank_values=True)
            callbacks = [value for name, value in query if name == PARAMETER]
            if not callbacks:
                return application(environ, start_response)
            if environ.get("HTTP_SEC_FETCH_DEST", "script") != "script":
                # Fetch Metadata, section 2.1: a browser says what it wants this for, and it is no script element
                return answers.refuse(environ, start_response, HTTPStatus.FORBIDDEN, "JSONP is for scripts only")
            if len(callbacks) > 1 or not is_callback(callbacks[0]):
                error = f"callback must be dotted identifiers of at most {LONGEST_CALLBACK} ASCII characters"
                return answers.refuse(environ, start_response, HTTPStatus.BAD_REQUEST, error)
            for key in DROPPED:
                environ.pop(key, None)
            exchange = _Exchange(callbacks[0], start_response)
            return exchange.answer(application(environ, exchange.start))

        return scripted if routes else application

    return wrap


def is_callback(text: str) -> bool:
    """Whether this names a function, and can be nothing else in a script."""
    if len(text) > LONGEST_CALLBACK or not _DOTTED.fullmatch(text):
        return False
    return not _RESERVED.fullmatch(text.partition(".")[0])


class _Exchange:
    """One answer, which becomes a script when its headers say that it is JSON."""

    def __init__(self, callback: str, start_response: StartResponse) -> None:
        self._callback = callback
        self._start_response = start_response
        self._script: _Script | None = None

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
        self._script = None
        if status[:3] not in WITHOUT_BODY and _is_json(headers):
            self._script = _Script(self._callback)
            headers = [header for header in headers if header[0].lower() not in REPLACED]
            headers.append(("Content-Type", "application/javascript; charset=utf-8"))
            headers.append(("X-Content-Type-Options", "nosniff"))
        write = self._start_response(status, headers, exc_info)
        return lambda data: write(self._turned(data))

    def answer(self, result: Iterable[bytes]) -> Iterable[bytes]:
        """What the application returned, turned into the script."""
        if type(result) is list or type(result) is tuple:
            return [b"".join((*map(self._turned, result), self._end()))]
        return streams.Replaced(self._chunks(result), result)

    def _chunks(self, result: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in result:
            yield self._turned(chunk)
        yield self._end()

    def _turned(self, data: bytes) -> bytes:
        return self._script.turned(data) if self._script else data

    def _end(self) -> bytes:
        return self._script.end() if self._script else b""


class _Script:
    """JSON on its way into a call, piece by piece."""

    def __init__(self, callback: str) -> None:
        self._ready = f"/**/{callback}(".encode()
        self._kept = b""

    def turned(self, data: bytes) -> bytes:
        """The next piece. What may be the first half of a sequence to escape waits for its second."""
        data = self._kept + data
        unfinished = _UNFINISHED.search(data)
        self._kept = unfinished[0] if unfinished else b""
        return self._escaped(data[: len(data) - len(self._kept)])

    def end(self) -> bytes:
        """The last piece."""
        return self._escaped(self._kept) + b");"

    def _escaped(self, data: bytes) -> bytes:
        ready, self._ready = self._ready, b""
        for sequence, escape in _ESCAPES:
            data = data.replace(sequence, escape)
        return ready + data


def _is_json(headers: list[tuple[str, str]]) -> bool:
    kinds = {name.lower(): value.strip() for name, value in headers}
    plain = kinds.get("content-encoding", "").lower() in ("", "identity")
    return plain and "content-type" in kinds and _JSON.fullmatch(kinds["content-type"]) is not None
