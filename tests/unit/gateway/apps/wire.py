"""A WSGI application that tells what reached it, and answers in every way that PEP 3333 allows or forbids."""

import contextvars
import json
import os
import sys
import threading
import time
from urllib.parse import parse_qs
from wsgiref.validate import validator

import gevent
import gevent.local

closed = []
greenlet_local = gevent.local.local()
thread_local = threading.local()
context = contextvars.ContextVar("context", default=None)


class Tracked:
    """An iterable that tells when it is closed."""

    def __init__(self, name, chunks):
        self.name = name
        self.chunks = chunks

    def __iter__(self):
        return iter(self.chunks)

    def close(self):
        closed.append(self.name)


def mirror(environ, start_response, _query):
    body = environ["wsgi.input"].read(2**30)
    seen = {key: value for key, value in environ.items() if isinstance(value, str)}
    seen["body"] = body.decode("latin-1")
    data = json.dumps(seen).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("X-Body", str(len(body)))])
    return [data]


def unread(_environ, start_response, _query):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"unread"]


def answer(_environ, start_response, query):
    """An answer by description: chunks, how they are given, and which headers are declared."""
    chunks = [chunk.encode() for chunk in query.get("chunk", [])]
    status = query.get("status", ["200 OK"])[0]
    headers = [] if status[:3] in ("204", "304") else [("Content-Type", "text/plain")]
    headers += [tuple(header.split(":", 1)) for header in query.get("header", [])]
    write = start_response(status, headers)
    how = query.get("how", ["list"])[0]
    if how == "write":
        for chunk in chunks:
            write(chunk)
        return []
    if how == "both":
        write(chunks[0])
        return chunks[1:]
    if how == "generator":
        return (chunk for chunk in chunks)
    if how == "tuple":
        return tuple(chunks)
    return Tracked(query["name"][0], chunks) if how == "tracked" else chunks


def lazy(_environ, start_response, _query):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b""
    yield b"lazy"


def fail(_environ, start_response, query):
    kind = {"value": ValueError, "exit": SystemExit, "greenlet": gevent.GreenletExit, "keyboard": KeyboardInterrupt}
    when = query["when"][0]
    error = kind[query["kind"][0]]("told to")
    if when == "before":
        raise error

    def broken():
        if when == "late":
            yield b"first"
        raise error

    start_response("200 OK", [("Content-Type", "text/plain")])
    return broken()


def restart(_environ, start_response, query):
    """Calls start_response a second time, after the first bytes or before them."""
    write = start_response("200 OK", [("Content-Type", "text/plain"), ("X-First", "1")])
    if query.get("late"):
        write(b"first")
    try:
        raise ValueError("restarted")
    except ValueError:
        start_response("418 Teapot", [("Content-Type", "text/plain")], sys.exc_info())
    return [b"second"]


def wrong(_environ, start_response, query):
    kind = query["kind"][0]
    if kind == "twice":
        start_response("200 OK", [])
        start_response("200 OK", [])
    if kind == "never":
        return [b"x"]
    if kind == "text":
        start_response("200 OK", [])
        return ["text"]
    if kind == "status bytes":
        start_response(b"200 OK", [])
    if kind == "value int":
        start_response("200 OK", [("X-Number", 5)])
    if kind == "none":
        start_response("200 OK", [])
        return None
    return []


def remember(_environ, start_response, query):
    """Leaves data everywhere, and tells what an earlier request left."""
    found = [getattr(greenlet_local, "x", None), getattr(thread_local, "x", None), context.get()]
    greenlet_local.x = thread_local.x = "left"
    context.set("left")
    if query.get("timeout"):
        gevent.Timeout(0.05).start()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([found, threading.current_thread().name]).encode()]


def sleep(_environ, start_response, query):
    gevent.sleep(float(query["s"][0]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"slept"]


def burn(_environ, start_response, query):
    """Keeps this process busy, and tells which one it is."""
    end = time.process_time() + float(query["s"][0])
    while time.process_time() < end:
        pass
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


def flood(_environ, start_response, query):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Tracked("flood", (b"x" * 65536 for _ in range(int(query["n"][0]))))


def tell_closed(_environ, start_response, _query):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(closed).encode()]


ROUTES = {
    function.__name__: function
    for function in (mirror, unread, answer, lazy, fail, restart, wrong, remember, sleep, burn, flood, tell_closed)
}


def application(environ, start_response):
    name = environ["PATH_INFO"].removeprefix("/api/")
    return ROUTES.get(name, mirror)(environ, start_response, parse_qs(environ["QUERY_STRING"], keep_blank_values=True))


validated = validator(application)
