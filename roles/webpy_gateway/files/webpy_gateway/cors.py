"""Layer that decides on cross-origin access, alone: what the application says about it is removed (Fetch, 3.3)."""

import contextlib
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from webpy_gateway import answers, log, streams
from webpy_gateway.cors_config import Cors
from webpy_gateway.cors_policy import OWS, PREFLIGHT_VARY, Headers, Policy, RefusedError

ORIGIN = "HTTP_ORIGIN"
REQUEST_METHOD = "HTTP_ACCESS_CONTROL_REQUEST_METHOD"


def layer(settings: Cors) -> Callable[[WSGIApplication], WSGIApplication]:
    """Answers preflights itself and marks every other answer, errors and redirects included, with what is granted.

    It refuses no request but preflights: CORS tells browsers what scripts may read, it is no access control.
    """
    policy = Policy(settings)
    refused = log.Limited()

    def wrap(application: WSGIApplication) -> WSGIApplication:
        def shared(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            origin = environ.get(ORIGIN, "").strip(OWS)
            if origin and environ["REQUEST_METHOD"] == "OPTIONS" and environ.get(REQUEST_METHOD, "").strip(OWS):
                return _answer_preflight(policy, refused, environ, origin, start_response)
            grant = policy.grant(origin)
            started = False

            def start(status: str, headers: Headers, exc_info: Any = None, /) -> Any:
                nonlocal started
                marked = _marked(headers, grant, policy.specific)
                write = start_response(status, marked, exc_info)
                started = True
                return write

            result: Iterable[bytes] | None = None
            try:
                result = application(environ, start)
                return result if started else streams.begun(result)
            except BaseException as error:
                # what the application then raises in close() would hide why there is no answer
                with contextlib.suppress(Exception):
                    streams.close(result)
                if started or not isinstance(error, Exception):
                    raise
                log.exception("uncaught exception of the gateway", error, environ)
                return answers.refuse(environ, start, HTTPStatus.INTERNAL_SERVER_ERROR, "internal server error")

        return shared

    return wrap


def _answer_preflight(
    policy: Policy, refused: log.Limited, environ: WSGIEnvironment, origin: str, start_response: StartResponse
) -> list[bytes]:
    """204 with the grant, or 403 without any; RFC 9110, section 12.5.5 for Vary."""
    vary = [] if policy.everyone else [PREFLIGHT_VARY]
    try:
        grant = policy.preflight(environ, origin)
    except RefusedError as why:
        refused.event(f"preflight refused: {why.reason}", value=why.value, origin=origin)
        start_response("403 Forbidden", [("Content-Type", "text/plain"), ("Content-Length", "0"), *vary])
    else:
        start_response("204 No Content", [*grant, *vary])
    return []


def _marked(headers: Headers, grant: Headers, specific: bool) -> Headers:
    """The headers with this grant as the only one, and with `Vary: Origin` where the answer depends on the origin."""
    marked = []
    varies = []
    for header in headers:
        name = header[0].lower()
        if name == "vary" and specific:
            varies.append(header[1])
        elif not name.startswith("access-control-"):
            marked.append(header)
    if specific:
        marked.append(("Vary", _with_origin(varies) if varies else "Origin"))
    marked += grant
    return marked


def _with_origin(varies: list[str]) -> str:
    """One value for several `Vary` headers, with Origin in it; `*` covers everything (RFC 9110, section 12.5.5)."""
    members = {member.lower(): member for value in varies for text in value.split(",") if (member := text.strip())}
    return "*" if "*" in members else ", ".join({**members, "origin": "Origin"}.values())
