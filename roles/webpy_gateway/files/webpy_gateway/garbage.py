"""Looks for garbage less often while many requests are held: looking at them took a tenth of a worker's time.

Objects that refer to each other in a circle are garbage that only the collector of Python finds.  It begins when more
have been made than given up, by a number (gc.set_threshold) that a burst of requests reaches without any garbage.
"""

import gc
from collections.abc import Callable

import gevent

# Python's own are 700
OBJECTS = 5000
# for each request that is held; it has some 40 itself
OBJECTS_OF_A_REQUEST = 100
INTERVAL = 1.0


def begin(held: Callable[[], int]) -> None:
    """From now on the collector begins later the more requests are `held`, and never looks at what was imported."""

    def adapt(*_of_collection: object) -> None:
        gc.set_threshold(OBJECTS + OBJECTS_OF_A_REQUEST * held())

    gc.freeze()
    # a burst is seen by the collection that it causes, its end only by looking now and then
    gc.callbacks.append(adapt)
    gevent.spawn(_again_and_again, adapt)


def _again_and_again(adapt: Callable[[], None]) -> None:
    while True:
        adapt()
        gevent.sleep(INTERVAL)
