"""Time limits that cost nearly nothing where they are kept: one timer for all requests instead of one for each."""

import time
from typing import Any

import gevent
from gevent import getcurrent


class LateError(BaseException):
    """Thrown into a greenlet whose time is over; no Exception, for which an application's `except` could take it."""

    __slots__ = ("greenlet", "until")

    def __init__(self, greenlet: Any, until: float) -> None:
        super().__init__("time is over")
        self.greenlet = greenlet
        self.until = until


class Deadlines:
    """Limits that all last equally long, so the oldest is always the next to be over."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[LateError, None] = {}
        self._timer: Any = None

    def begin(self) -> LateError:
        """A limit for the current greenlet: the exception that will be thrown into it unless `end` comes first."""
        late = LateError(getcurrent(), time.monotonic() + self._seconds)
        self._running[late] = None
        if self._timer is None:
            self._timer = gevent.get_hub().loop.timer(self._seconds)
            self._timer.start(self._look)
        return late

    def end(self, late: LateError) -> bool:
        """Ends a limit, in time or not: the answer tells."""
        return self._running.pop(late, self) is None

    def _look(self) -> None:
        """Runs in the hub when the oldest limit may be over."""
        self._timer.close()
        self._timer = None
        now = time.monotonic()
        over = []
        for late in self._running:
            if late.until > now:
                self._timer = gevent.get_hub().loop.timer(late.until - now)
                self._timer.start(self._look)
                break
            over.append(late)
        for late in over:
            if self.end(late):
                late.greenlet.throw(late)
