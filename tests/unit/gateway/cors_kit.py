"""Requests as browsers make them, and policies to try them on."""

from typing import Any

from gateway_wsgi import Exchange, hello
from webpy_gateway import config, cors
from webpy_gateway.cors_config import Cors

BASE = {"name": "a", "application": "app:application", "url_prefix": "/api/"}
PORTAL = "https://portal.example.org"
ORIGIN = "Access-Control-Allow-Origin"
PREFLIGHT_VARY = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


def policy(**table: Any) -> Cors:
    return config.parse({**BASE, "cors": table}).cors


def layered(app: Any = hello, **table: Any) -> Any:
    return cors.layer(policy(**table))(app)


def ask(app: Any, origin: str | None = PORTAL, method: str = "GET", **environ: Any) -> Exchange:
    """An actual request from a page of this origin."""
    if origin is not None:
        environ["HTTP_ORIGIN"] = origin
    return Exchange(app, method=method, **environ)


def preflight(
    app: Any, origin: str | None = PORTAL, method: str | None = "GET", headers: str | None = None, **environ: Any
) -> Exchange:
    """What a browser asks before a request with this method and these headers."""
    if method is not None:
        environ["HTTP_ACCESS_CONTROL_REQUEST_METHOD"] = method
    if headers is not None:
        environ["HTTP_ACCESS_CONTROL_REQUEST_HEADERS"] = headers
    return ask(app, origin, "OPTIONS", **environ)


def granted(exchange: Exchange) -> dict[str, str]:
    """All Access-Control headers of an answer, without their common beginning; none of them twice."""
    found = [(name, value) for name, value in exchange.headers if name.lower().startswith("access-control-")]
    assert len({name.lower() for name, _ in found}) == len(found)
    return {name.removeprefix("Access-Control-"): value for name, value in found}


def unreached(_environ: Any, _start_response: Any) -> list[bytes]:
    raise AssertionError("a preflight reached the application")
