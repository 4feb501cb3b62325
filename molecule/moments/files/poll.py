"""Runs on a host: outsiders ask the gateways past lighttpd all along, and a client asks through lighttpd.

    poll.py LOG [USER]    appends one JSON object a line, with the wall clock as "t"; USER: instead of the outsiders

{"who", "asker", "askers", "realtime", "polls", "late"}
                                       each second, for each of several askers of one outsider: whether it goes before
                                       all ordinary processes; polls, and each time that it did not ask for more than a
                                       millisecond: when it had asked, meant to ask again, was woken, and asked
{"who", "answered"}                    an outsider got an answer: the isolation is broken
{"client", "status"}                   the client got something else than 200
"""

from __future__ import annotations

import json
import os
import pwd
import resource
import selectors
import signal
import socket
import sys
import time
from collections import deque
from typing import Any

REQUEST = b"GET %s_health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
PORT: tuple[Any, bytes] = (("127.0.0.1", 480), b"/webpy_api/")
PATH: tuple[Any, bytes] = ("/run/second/http.socket", b"/second/")
LATE = 0.001  # seconds
# an asker for each processor, who take turns: while one processor stands still, another may not
PROCESSORS = sorted(os.sched_getaffinity(0))
# seconds between two questions; root's connections to the unix socket are accepted, and cost the gateway something
OUTSIDERS = [(to, *who) for to in (PORT, PATH) for who in (("nobody", 0.00025), ("root", 0.005))]
# where packets get lost attempts pile up; the oldest then make room, for none is left out
OPEN_AT_ONCE = 4000
LIFE = 3.0  # seconds until an attempt is given up
CLIENT_EVERY = 0.02
CLIENT_LIFE = 15.0  # while ufw loads its own rules packets are lost, and sent again after seconds


class Log:
    """Lines that are whole whoever else writes."""

    def __init__(self, path: str) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, **entry: object) -> None:
        """Append one line."""
        os.write(self.file, json.dumps({"t": time.time(), **entry}).encode() + b"\n")


class Outsider:
    """Connects again and again without waiting, and looks at what comes back."""

    def __init__(self, log: Log, who: str, to: Any, request: bytes) -> None:
        self.log, self.who, self.to, self.request = log, who, to, request
        self.family = socket.AF_UNIX if isinstance(to, str) else socket.AF_INET
        self.open = selectors.DefaultSelector()
        self.begun: deque[tuple[float, socket.socket]] = deque()

    def poll(self) -> None:
        """Begin one attempt; those that are refused at once are over."""
        attempt = socket.socket(self.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            attempt.connect(self.to)
        except BlockingIOError:
            pass
        except OSError:
            attempt.close()
            return
        self.open.register(attempt, selectors.EVENT_WRITE)
        self.begun.append((time.monotonic(), attempt))

    def look(self) -> None:
        """Go on with the attempts that something came of; give up old ones."""
        for key, _ in self.open.select(0):
            try:
                if key.events == selectors.EVENT_WRITE:
                    key.fileobj.send(self.request)
                    self.open.modify(key.fileobj, selectors.EVENT_READ)
                    continue
                answer = key.fileobj.recv(200)
                if answer:
                    self.log.write(who=self.who, answered=answer.decode("latin-1").splitlines()[0])
            except OSError:
                pass
            self.end(key.fileobj)
        while self.begun and (len(self.begun) > OPEN_AT_ONCE or time.monotonic() - self.begun[0][0] > LIFE):
            self.end(self.begun.popleft()[1])

    def end(self, attempt: Any) -> None:
        """Forget an attempt, unless that was done."""
        if attempt.fileno() != -1:
            self.open.unregister(attempt)
            attempt.close()

    def run(self, every: float, turn: float, **about: object) -> None:
        """Poll until the end, at times that no other asker has: `turn` seconds after multiples of `every`."""
        late: list[tuple[float, float, float, float]] = []
        polls = 0
        last = due = time.time()
        waiting = Waiting()
        waited = waiting.seconds()
        window = last + 1 - turn / every / 2  # not all of them write at once
        while True:
            now = time.time()
            if now - last > LATE:
                late.append((last, due, now - (waiting.seconds() - waited), now))
            last, polls = now, polls + 1
            self.poll()
            if self.begun:
                self.look()
            if now >= window:
                self.log.write(who=self.who, **about, polls=polls, late=late)
                late, polls, window = [], 0, now + 1
            waited, now = waiting.seconds(), time.time()
            due = now + every - (now - turn) % every
            time.sleep(due - now)


def hasten(processor: int) -> bool:
    """Take precedence of all ordinary processes of this processor, as far as the machine lets one."""
    os.sched_setaffinity(0, {processor})
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(os.sched_get_priority_min(os.SCHED_FIFO)))
    except PermissionError:
        return False
    return True


class Waiting:
    """For how long this process was ready and had no processor (Linux, Documentation/scheduler/sched-stats.rst)."""

    def __init__(self) -> None:
        self.file = os.open("/proc/self/schedstat", os.O_RDONLY)

    def seconds(self) -> float:
        """Return the sum until now."""
        return int(os.pread(self.file, 100, 0).split()[1]) / 1e9


def client(log: Log, prefix: bytes) -> None:
    """Ask through lighttpd, one request after the other."""
    name = prefix.decode().strip("/")
    while True:
        began = time.monotonic()
        try:
            with socket.create_connection(("127.0.0.1", 80), CLIENT_LIFE) as connection:
                connection.sendall(REQUEST % prefix)
                status = connection.recv(200).decode("latin-1").split(" ")[1]
        except (OSError, IndexError) as error:
            status = type(error).__name__
        log.write(client=name, status=status)
        time.sleep(max(0.0, CLIENT_EVERY - (time.monotonic() - began)))


def main() -> None:
    """Start everybody, each in a process of his own, and wait."""
    log, children = Log(sys.argv[1]), []
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * OPEN_AT_ONCE, 2 * OPEN_AT_ONCE))
    askers = len(PROCESSORS)
    for (to, prefix), who, every in OUTSIDERS:
        user = sys.argv[2] if len(sys.argv) > 2 else who
        for asker, processor in enumerate(PROCESSORS):
            children.append(os.fork())
            if children[-1] == 0:
                realtime = hasten(processor)
                account = pwd.getpwnam(user)
                os.setgroups([])
                os.setgid(account.pw_gid)
                os.setuid(account.pw_uid)
                outsider = Outsider(log, f"{user} {to}", to, REQUEST % prefix)
                outsider.run(every * askers, every * asker, asker=asker, askers=askers, realtime=realtime)
    for prefix in (PORT[1], PATH[1]):
        children.append(os.fork())
        if children[-1] == 0:
            client(log, prefix)
    ended, _ = os.wait()
    for child in set(children) - {ended}:
        os.kill(child, signal.SIGTERM)
    sys.exit("one of them is gone")


main()
