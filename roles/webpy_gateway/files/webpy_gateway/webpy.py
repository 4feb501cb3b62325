"""Makes web.py 0.76 fit for this gateway. Call `prepare` before the application is imported.

Methods of web.application are replaced, for every application and sub-application, whoever creates it: exceptions go
up to the gateway instead of becoming an HTML page, answers that are no streams are lists (so that they get a
Content-Length and one write) and streams can be closed, nothing is ever reloaded, and a route costs one match.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache, partial
from typing import Any, NoReturn
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import web

from webpy_gateway import log

_original_init = web.application.__init__
_default_internalerror = web.application.internalerror


class RunsAtImportError(Exception):
    """The application started a server of its own while it was imported."""


def prepare() -> None:
    """Replaces the methods and turns debugging off; further calls change nothing."""
    web.config.debug = False
    web.application.__init__ = _init
    web.application.handle_with_processors = _handle_with_processors
    web.application.wsgifunc = _wsgifunc
    web.application.run = _run
    web.application._match = _match
    web.application.load = _load


def warm_up() -> None:
    """Lets web.py's data of the current greenlet last for all its requests; each of them finds it empty (see _load)."""
    web.ctx.clear()


def _init(self: Any, mapping: Any = (), fvars: Any = None, autoreload: object = None) -> None:
    del autoreload  # it would import the application again, and again at every change of any file
    _original_init(self, mapping, {} if fvars is None else fvars, autoreload=False)
    self.processors.clear()  # of web.py's own: see _handle_with_processors


def _run(_self: Any, *_middleware: object) -> NoReturn:
    raise RunsAtImportError('calls run() when it is imported: put that under `if __name__ == "__main__":`')


def _load(_self: Any, environ: WSGIEnvironment) -> None:
    """As web.py's, which looks up the greenlet's data anew for each of the twenty values it sets."""
    host, protocol = environ.get("HTTP_HOST"), environ["wsgi.url_scheme"]
    path = environ["PATH_INFO"]
    if not path.isascii():
        with contextlib.suppress(UnicodeDecodeError):
            path = path.encode("latin-1").decode()
    query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    domain = f"{protocol}://{host or '[unknown]'}"
    home_path = _real_script_name()
    if home_path is None:
        home_path = environ["SCRIPT_NAME"]
    values = web.ctx.__dict__
    values.clear()
    values |= {
        "status": "200 OK",
        "headers": [],
        "output": "",
        "environ": environ,
        "env": environ,
        "host": host,
        "protocol": protocol,
        "homedomain": domain,
        "homepath": home_path,
        "home": domain + home_path,
        "realhome": domain + home_path,
        "ip": environ.get("REMOTE_ADDR"),
        "method": environ["REQUEST_METHOD"],
        "path": path,
        "query": query,
        "fullpath": path + query,
        "app_stack": [],
    }


@cache
def _real_script_name() -> str | None:
    """web.py's setting, which an application may make when it is imported."""
    return os.environ.get("REAL_SCRIPT_NAME")


def _match(self: Any, mapping: Iterable[tuple[str, Any]], value: str) -> tuple[Any, list[str] | None]:
    """As web.py's, which substitutes twice for each route that it looks at, under a lock."""
    for pattern, target in mapping:
        if isinstance(target, web.application):
            if value.startswith(pattern):
                return partial(self._delegate_sub_application, pattern, target), None
        elif found := _compiled(pattern).match(value):
            return found.expand(target) if isinstance(target, str) and "\\" in target else target, list(found.groups())
    return None, None


@lru_cache(4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^{pattern}\Z")


def _handle_with_processors(self: Any) -> Any:
    """As web.py's, whose own two processors are done here: each frame costs every request that is held its memory."""
    self._load()
    try:
        try:
            result = self.processors[0](lambda: _process(self, 1)) if self.processors else self.handle()
        except Exception as error:
            if page := _error_page(self, error):
                raise page from error
            raise
    except BaseException:
        self._unload()
        raise
    if result and hasattr(result, "__next__"):
        return _unloading(self, result)
    self._unload()
    return result


def _process(app: Any, place: int) -> Any:
    """What the processors from that place on make of the request, the last of which gets the handler's answer."""
    try:
        if place < len(app.processors):
            return app.processors[place](lambda: _process(app, place + 1))
        return app.handle()
    except Exception as error:
        if page := _error_page(app, error):
            raise page from error
        raise


def _error_page(app: Any, error: Exception) -> web.HTTPError | None:
    """The operator's page for an exception that is no answer itself, where there is one."""
    if isinstance(error, web.HTTPError) or not _has_own_error_page(app):
        return None
    log.exception("uncaught exception of the application", error, web.ctx.env)
    return app.internalerror()


def _unloading(app: Any, stream: Iterator[object]) -> Iterator[object]:
    try:
        yield from stream
    finally:
        app._unload()


def _has_own_error_page(app: Any) -> bool:
    """Whether the operator set `internalerror` on this application or on one that it is mounted in."""
    while app is not None:
        if getattr(app.internalerror, "__func__", None) is not _default_internalerror:
            return True
        app = app.get_parent_app()
    return False


def _wsgifunc(self: Any, *middleware: Callable[[WSGIApplication], WSGIApplication]) -> WSGIApplication:
    def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.load(environ)
        rest: Iterator[object] | None = None
        try:
            if web.ctx.method.upper() != web.ctx.method:
                raise web.nomethod()
            body = self.handle_with_processors()
            if body and hasattr(body, "__next__"):
                # the handler runs up to its first bytes before status and headers are known
                rest = body
                body = next(rest, b"")
        except web.HTTPError as error:
            body, rest = error.data, None
        except BaseException:
            self._cleanup()
            raise
        start_response(web.ctx.status, list(web.ctx.headers))
        if rest is not None:
            return _Stream(self, body, rest)
        self._cleanup()
        return [_encoded(body)]

    application: WSGIApplication = wsgi
    for wrap in middleware:
        application = wrap(application)
    return application


class _Stream:
    """A handler's generator as WSGI iterable."""

    def __init__(self, app: Any, first: object, rest: Iterator[object]) -> None:
        self._app = app
        self._first: list[object] = [first]
        self._rest = rest

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return _encoded(self._first.pop() if self._first else next(self._rest))

    def close(self) -> None:
        """Runs the generator's `finally` and forgets the request."""
        try:
            close = getattr(self._rest, "close", None)
            if close is not None:
                close()
        finally:
            self._app._cleanup()


def _encoded(chunk: object) -> bytes:
    return chunk if isinstance(chunk, bytes) else str(chunk).encode()
