"""Let the application in a worker try something (shared/app/probe.py), asked through lighttpd as a client does."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable

TRIES = 5


def asked(site: str, words: tuple[object, ...]) -> dict[str, str]:
    """Return the application's answer; an attempt that did not reach it says nothing, and is made again."""
    where, _, prefix = site.partition("/")
    for _ in range(TRIES):
        connection = http.client.HTTPConnection(where, timeout=20)
        connection.request("POST", f"/{prefix}probe/attempt", json.dumps(words), {"Connection": "close"})
        response = connection.getresponse()
        if response.status == http.HTTPStatus.OK:
            return dict(json.load(response))
        time.sleep(0.5)
    raise RuntimeError(f"the application is out of reach: {response.status}")


def application(site: str, *words: object) -> str:
    """Return what came of the attempt; raise OSError with the reason where it was refused."""
    answer = asked(site, words)
    if "result" not in answer:
        raise OSError(answer.get("reason") or str(answer))
    return f"done: {answer['result']}"


def read_new(site: str, path: str) -> str:
    """Read what the application has just written."""
    new = f"{path}-{time.time_ns()}"
    application(site, "write", new)
    with open(new, encoding="utf-8") as file:
        return f"read: {file.read()}"


WAYS: dict[str, Callable[..., str]] = {"application": application, "read_new": read_new}
