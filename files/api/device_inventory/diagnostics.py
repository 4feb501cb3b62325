"""Endpoints that show what the gateway does: a slow answer, and an echo of what arrived."""
# ruff: noqa: N802  (web.py calls the method that is named like the HTTP method)

import hashlib
import re
import time

import web

from .json_http import ok, query_number

SECRET = re.compile("AUTHORI[SZ]ATION|COOKIE|TOKEN|SECRET|PASSWORD|KEY")
SHOWN_BODY_BYTES = 4096


class Slow:
    """A slow answer; the worker goes on with other requests."""

    def GET(self) -> bytes:
        """Answer after `seconds`, at most 30."""
        seconds = query_number("seconds", 1.0, 0, 30)
        time.sleep(seconds)
        return ok({"seconds": seconds})

    HEAD = GET


def echo() -> bytes:
    """Return what arrived, for any method (web.py calls a function, unlike a class, whatever the method is)."""
    env, body = web.ctx.env, web.data()
    return ok(
        {
            "method": web.ctx.method,
            "path": web.ctx.homepath + web.ctx.path,
            "query": env.get("QUERY_STRING", ""),
            "client": web.ctx.ip,
            "scheme": web.ctx.protocol,
            "host": web.ctx.host,
            "script_name": env.get("SCRIPT_NAME", ""),
            "path_info": env.get("PATH_INFO", ""),
            "headers": headers(env),
            "body": {"length": len(body), "sha256": hashlib.sha256(body).hexdigest(), "text": body_text(body)},
        }
    )


def headers(env: dict[str, object]) -> dict[str, str]:
    """Return the request's headers from the WSGI environment `env`, secrets hidden; nothing else is in there."""
    arrived = {name[5:]: value for name, value in env.items() if name.startswith("HTTP_")}
    arrived |= {name: env[name] for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if env.get(name)}
    return {
        name.replace("_", "-").title(): "(hidden)" if SECRET.search(name) else str(value)
        for name, value in sorted(arrived.items())
    }


def body_text(body: bytes) -> str | None:
    """Return a small body as text; None if it is large or not UTF-8."""
    try:
        return body.decode() if len(body) <= SHOWN_BODY_BYTES else None
    except UnicodeDecodeError:
        return None
