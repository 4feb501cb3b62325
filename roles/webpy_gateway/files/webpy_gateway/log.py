"""Lines for the journal: plain text on stderr, one event a line, nothing from outside unescaped."""

import contextlib
import os
import re
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from webpy_gateway import requestid
from webpy_gateway.problem import bounded

LONGEST_TRACEBACK = 200
LONGEST_LINE = 1000


def event(message: str, **details: object) -> None:
    """Writes one line: the message and then `key=value`, each value escaped and bounded."""
    line = " ".join((message, *(f"{key}={_shown(value)}" for key, value in details.items())))
    _write(line + "\n")


def exception(message: str, error: BaseException, environ: Mapping[str, Any]) -> None:
    """Writes the event of a failed request and its traceback, each line marked with the request id."""
    mark = environ.get(requestid.KEY, "-")
    head = f"{message} {request(environ)}\n"
    lines = "".join(traceback.format_exception(type(error), error, _own_part(error))).rstrip("\n").split("\n")
    _write(head + "".join(f"  {mark}| {_printable(line)}\n" for line in lines[-LONGEST_TRACEBACK:]))


def request(environ: Mapping[str, Any]) -> str:
    """Names a request without its query and body, which may hold secrets."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    mark = environ.get(requestid.KEY, "-")
    return f"request_id={mark} method={_shown(environ.get('REQUEST_METHOD', ''))} path={_shown(path)}"


def place(error: BaseException) -> str:
    """Where the application was, as `file, line N`: its innermost frame; empty when it is in none."""
    folder = f"{Path.cwd()}/"
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(folder)]
    return f"{own[-1].filename.removeprefix(folder)}, line {own[-1].lineno}" if own else ""


class Limited:
    """An event that others can cause at will: written at most once an interval, with the number left out."""

    def __init__(self, interval: float = 10.0) -> None:
        self._interval = interval
        self._next = 0.0
        self._left_out = 0

    def event(self, message: str, **details: object) -> None:
        """Writes the event, or counts it when one was written less than an interval ago."""
        now = time.monotonic()
        if now < self._next:
            self._left_out += 1
            return
        more = {"left_out": self._left_out} if self._left_out else {}
        event(message, **details, **more)
        self._next, self._left_out = now + self._interval, 0


def _shown(value: object) -> str:
    text = str(value)
    return text if re.fullmatch(r"[A-Za-z0-9._:/\[\]+-]{1,80}", text) else bounded(text)


def _own_part(error: BaseException) -> TracebackType | None:
    """The traceback from the application's first frame on, or at least without the gateway's frames before it."""
    parts = []
    part = error.__traceback__
    while part is not None:
        parts.append((part.tb_frame.f_code.co_filename, part))
        part = part.tb_next
    folder, gateway = f"{Path.cwd()}/", f"{Path(__file__).parent}/"
    own = [part for file, part in parts if file.startswith(folder)]
    foreign = [part for file, part in parts if not file.startswith(gateway)]
    return next(iter(own or foreign), error.__traceback__)


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else ascii(c)[1:-1] for c in line[:LONGEST_LINE])


def _write(text: str) -> None:
    # a full or closed journal is no reason to fail a request
    with contextlib.suppress(OSError, ValueError):
        # one write: lines of several greenlets never mix
        os.write(sys.stderr.fileno(), text.encode("utf-8", "backslashreplace"))
