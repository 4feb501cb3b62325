"""Lets systemd notice a worker whose loop stands still: one that computes without end, or waits for what blocks it all.

systemd ends such a worker by SIGABRT after WatchdogSec=; before it is gone it writes to the journal where it stood.
"""

import faulthandler
import os
import sys

import gevent

from webpy_gateway.systemd import Notifier

# Seconds. Often, however long WatchdogSec= is: what is left of it after the last sign is a request's own time.
INTERVAL = 1.0


def start(notifier: Notifier) -> None:
    """Gives a sign of life as long as gevent's loop turns, if systemd waits for one. See sd_watchdog_enabled(3)."""
    faulthandler.enable(sys.stderr)
    allowed = int(os.environ.pop("WATCHDOG_USEC", "0")) / 1e6
    mine = os.environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if allowed and mine:
        gevent.spawn(_give_signs, notifier, min(INTERVAL, allowed / 4))


def _give_signs(notifier: Notifier, interval: float) -> None:
    while True:
        notifier.alive()
        gevent.sleep(interval)
