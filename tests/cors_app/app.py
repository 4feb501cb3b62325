"""A web.py application for trying cross-origin access: it answers what such tests need, and marks all it answers.

`X-App-Reached: 1` is on every answer of it, so that a test can tell it from one of the gateway or of lighttpd. The
number of requests it was reached by, method by method and whichever worker it was, is at /reached. It takes any URL
prefix, stripped or not.
"""

# ruff: noqa: N802 -- web.py looks for methods of these names

import collections
import json
import os
import time
from pathlib import Path
from typing import Any

import web

urls = (
    "(?:/.*)?/ok", "Ok",
    "(?:/.*)?/echo", "Echo",
    "(?:/.*)?/reached", "Reached",
    "(?:/.*)?/status/([2-5][0-9][0-9])", "Status",
    "(?:/.*)?/wait/([0-9]{1,2})", "Wait",
    "(?:/.*)?/redirect", "Redirect",
    "(?:/.*)?/boom", "Boom",
    "(?:/.*)?/vary", "Vary",
    "(?:/.*)?/own-grant", "OwnGrant",
    "(?:/.*)?/cookies", "Cookies",
    "(?:/.*)?/stream", "Stream",
    "(?:/.*)?/page", "Page",
)  # fmt: skip

REACHED = Path(os.environ.get("STATE_DIRECTORY", "."), "reached")


def mark(handle: Any) -> Any:
    """Marks the answer and counts the request, whatever becomes of it."""
    with REACHED.open("a") as lines:  # workers share it: each line is one small write at the end
        lines.write(f"{web.ctx.method} {web.ctx.path.rpartition('/')[2]}\n")
    web.header("X-App-Reached", "1")
    return handle()


def as_json(content: Any) -> str:
    web.header("Content-Type", "application/json")
    return json.dumps(content)


class Ok:
    def GET(self) -> str:
        web.header("ETag", '"1"')
        return as_json({"ok": True, "text": "</script>\u2028"})

    def POST(self) -> str:
        return as_json({"ok": True, "body": web.data().decode()})

    PUT = DELETE = PATCH = POST


class Echo:
    """What arrived: method, body, cookies and the headers that a page can set."""

    def GET(self) -> str:
        sent = {key: web.ctx.env.get(f"HTTP_{key}") for key in ("ORIGIN", "COOKIE", "AUTHORIZATION", "X_CUSTOM")}
        return as_json({"method": web.ctx.method, "body": web.data().decode(), **sent})

    POST = PUT = DELETE = PATCH = GET


class Reached:
    def GET(self) -> str:
        return as_json(collections.Counter(REACHED.read_text().splitlines()))


class Status:
    """Any status, without the page that web.py has for some."""

    def GET(self, code: str) -> str:
        web.ctx.status = f"{code} Status"
        return "" if code in ("204", "205", "304") else as_json({"status": int(code)})

    POST = GET


class Wait:
    """An answer that takes its time, in seconds."""

    def GET(self, seconds: str) -> str:
        time.sleep(int(seconds))
        return as_json({"waited": int(seconds)})


class Redirect:
    def GET(self) -> None:
        raise web.seeother("ok")


class Boom:
    def GET(self) -> None:
        raise RuntimeError("an uncaught exception")


class Vary:
    def GET(self) -> str:
        web.header("Vary", "Accept-Encoding")
        return as_json({"vary": "Accept-Encoding"})


class OwnGrant:
    """What an application says that was written before the gateway took care of it."""

    def GET(self) -> str:
        web.header("Access-Control-Allow-Origin", "*")
        web.header("Access-Control-Allow-Credentials", "true")
        return as_json({"own": True})


class Cookies:
    def GET(self) -> str:
        web.setcookie("first", "1")
        web.setcookie("second", "2")
        return as_json({"cookies": 2})


class Stream:
    def GET(self) -> Any:
        web.header("Content-Type", "text/plain")
        yield "one\n"
        yield "two\n"


class Page:
    """HTML, which must never become a script."""

    def GET(self) -> str:
        web.header("Content-Type", "text/html; charset=utf-8")
        return "<!doctype html><title>page</title>"


application = web.application(urls, globals(), autoreload=False)
application.add_processor(mark)
