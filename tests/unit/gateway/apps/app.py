"""A web.py application that shows what a gateway does to it."""
# ruff: noqa: N802 -- web.py looks for methods of these names

import contextlib
import gc
import json
import os
import sys
import time
import traceback

import web

web.config.debug = True  # a gateway must not let this through

urls = (
    "/api/echo", "Echo",
    "/api/frames", "Frames",
    "/api/environ", "Environ",
    "/api/boom", "Boom",
    "/api/error/(.*)", "Error",
    "/api/slow", "Slow",
    "/api/spin", "Spin",
    "/api/stream", "Stream",
    "/api/late", "Late",
    "/api/early", "Early",
    "/api/empty", "Empty",
    "/api/large", "Large",
    "/api/length", "Length",
    "/api/pid", "Pid",
    "/api/quit", "Quit",
    "/api/swallow", "Swallow",
    "/api/closed", "Closed",
    "/api/garbage", "Garbage",
    "/api/collector", "Collector",
)  # fmt: skip

closed = []


class Echo:
    def GET(self):
        return "hello"

    def POST(self):
        web.header("Content-Type", web.ctx.env.get("CONTENT_TYPE", "application/octet-stream"))
        return web.data()

    PUT = POST


class Environ:
    def GET(self):
        web.header("Content-Type", "application/json")
        shown = {key: value for key, value in web.ctx.env.items() if isinstance(value, str)}
        return json.dumps({"environ": shown, "ip": web.ctx.ip, "home": web.ctx.home, "debug": web.config.debug})


class Boom:
    def GET(self):
        raise ValueError("secret\nforged line \x1b[31m")


class Error:
    def GET(self, which):
        raise {
            "notfound": lambda: web.notfound("no such note"),
            "redirect": lambda: web.seeother("/api/echo"),
            "conflict": lambda: web.conflict("taken"),
            "own500": lambda: web.internalerror("own words"),
        }[which]()


class Frames:
    """What is being called here, from the inside out, by the names of the functions."""

    def GET(self):
        return json.dumps([frame.f_code.co_name for frame, _ in traceback.walk_stack(sys._getframe())])


class Garbage:
    """What only the collector finds: it looks when it is asked, and at no other time from then on."""

    def GET(self):
        gc.disable()
        return str(gc.collect())


class Collector:
    """How many objects have to be made before the collector looks."""

    def GET(self):
        return str(gc.get_threshold()[0])


class Slow:
    def GET(self):
        time.sleep(float(web.input(s="1").s))
        return "slept"


class Spin:
    def GET(self):
        end = time.monotonic() + float(web.input().s)
        while time.monotonic() < end:
            pass
        return "spun"


class Stream:
    def GET(self):
        web.header("Content-Type", "text/event-stream")
        given = web.input(n="3", s="0.1")
        for number in range(int(given.n)):
            yield f"data: {number}\n\n"
            time.sleep(float(given.s))


class Late:
    def GET(self):
        yield "first"
        raise ValueError("after the first byte")


class Early:
    def GET(self):
        if web.ctx.path:
            raise ValueError("before the first byte")
        yield "never"


class Empty:
    def DELETE(self):
        raise web.nocontent()


class Large:
    def GET(self):
        return b"x" * int(web.input(n="1000000").n)


class Length:
    def GET(self):
        web.header("X-Length", web.ctx.env.get("CONTENT_LENGTH", "none"))
        return ""

    HEAD = POST = PUT = PATCH = DELETE = OPTIONS = GET


class Visits:
    def GET(self):
        session.count += 1
        return str(session.count)


class Pid:
    def GET(self):
        return str(os.getpid())


class Quit:
    def GET(self):
        raise SystemExit(3)


class Swallow:
    def GET(self):
        with contextlib.suppress(BaseException):
            time.sleep(5)
        return "too late"


class Closed:
    def GET(self):
        return ",".join(closed)

    def POST(self):
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.append("stream")


sessions = web.application(("/visits", "Visits"), globals())
store = web.session.DiskStore(os.environ.get("STATE_DIRECTORY", "/nonexistent"))
session = web.session.Session(sessions, store, initializer={"count": 0})
urls = ("/api/session", sessions, *urls)
application = web.application(urls, globals(), autoreload=True)
