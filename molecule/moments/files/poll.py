"""Runs on a host: outsiders ask the gateways past lighttpd all along, and a client asks through lighttpd.

    poll.py LOG [USER]    appends one JSON object a line, with the wall clock as "t"; USER: instead of the outsiders

{"who", "asker", "askers", "realtime", "polls", "late"}
                                       each second, for each listener and each of several askers: whether he goes before
                                       all ordinary processes; polls, and each time that he did not ask for more than a
                                       millisecond: when he had asked, meant to ask again, was woken, and asked
{"who", "answered"}                    an outsider got an answer: the isolation is broken
{"client", "status"}                   the client got something else than 200
"""

from __future__ import annotations

import json
import os
import pwd
import resource
import select
import signal
import socket
import sys
import time
from functools import partial
from itertools import islice
from typing import Any

REQUEST = b"GET %s_health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
PORT: tuple[Any, bytes] = (("127.0.0.1", 480), b"/webpy_api/")
PATH: tuple[Any, bytes] = ("/run/second/http.socket", b"/second/")
LATE = 0.001  # seconds
# one asker for each processor goes before all ordinary processes, with none beside him for whom he would have to wait;
# they take turns: while one processor stands still, another may not
PROCESSORS = sorted(os.sched_getaffinity(0))
EVERY = 0.00025  # seconds between two questions to each listener
ROOT_EVERY = 0.005  # root's connections to the unix socket are accepted, and cost the gateway something
# where packets get lost attempts pile up; the oldest then make room, for none is left out
OPEN_AT_ONCE = 4000
LOOK_AT_ONCE = 8  # attempts that go on, and that are given up, before the next question
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
    """Connects to one listener again and again without waiting, and looks at what comes back."""

    def __init__(self, log: Log, user: str, to: Any, request: bytes, **about: object) -> None:
        self.log, self.to, self.request, self.about = log, to, request, {"who": f"{user} {to}", **about}
        self.family = socket.AF_UNIX if isinstance(to, str) else socket.AF_INET
        self.ready = select.epoll()
        self.open: dict[int, tuple[float, socket.socket]] = {}  # the oldest first
        self.last = time.time()
        self.polls = 0
        self.late: list[tuple[float, float, float, float]] = []

    def ask(self, due: float, woken: float) -> None:
        """Begin one attempt, which was due then, and for which its asker was woken then."""
        now = time.time()
        if now - self.last > LATE:
            self.late.append((self.last, due, woken, now))
        self.last, self.polls = now, self.polls + 1
        attempt = socket.socket(self.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            attempt.connect(self.to)
        except BlockingIOError:
            pass
        except OSError:
            attempt.close()  # refused at once
            return
        self.ready.register(attempt, select.EPOLLOUT)
        self.open[attempt.fileno()] = (time.monotonic(), attempt)

    def look(self) -> None:
        """Go on with attempts that something came of, and give up old ones; a few at a time, or the next would wait."""
        for number, events in self.ready.poll(0, LOOK_AT_ONCE):
            attempt = self.open[number][1]
            try:
                if events & select.EPOLLOUT:
                    attempt.send(self.request)
                    self.ready.modify(number, select.EPOLLIN)
                    continue
                answer = attempt.recv(200)
                if answer:
                    self.log.write(who=self.about["who"], answered=answer.decode("latin-1").splitlines()[0])
            except OSError:
                pass
            self.end(number)
        for number, (begun, _) in list(islice(self.open.items(), LOOK_AT_ONCE)):
            if len(self.open) > OPEN_AT_ONCE or time.monotonic() - begun > LIFE:
                self.end(number)

    def end(self, number: int) -> None:
        """Forget an attempt."""
        self.open.pop(number)[1].close()

    def report(self) -> None:
        """Write how often it asked since the last time, and when it did not."""
        self.log.write(**self.about, polls=self.polls, late=self.late)
        self.polls, self.late = 0, []


def ask(outsiders: list[Outsider], every: float, turn: float) -> None:
    """Ask all listeners until the end, at times that no other asker has: `turn` seconds after multiples of `every`."""
    due = woken = time.time()
    window = due + 1 - turn / every / 2  # not all askers write at once
    waiting = Waiting()
    try:
        while True:
            for outsider in outsiders:
                outsider.ask(due, woken)
            for outsider in outsiders:
                outsider.look()
            if time.time() >= window:
                window += 1
                for outsider in outsiders:
                    outsider.report()
            waited, now = waiting.seconds(), time.time()
            due = now + every - (now - turn) % every
            time.sleep(due - now)
            woken = time.time() - (waiting.seconds() - waited)
    finally:  # the host goes down
        for outsider in outsiders:
            outsider.report()


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


def asker(log: Log, user: str, every: float, processor: int | None = None) -> None:
    """Ask both listeners as that user; where a processor is named, with those of the others by turns."""
    asker, askers = (0, 1) if processor is None else (PROCESSORS.index(processor), len(PROCESSORS))
    realtime = processor is not None and hasten(processor)
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    about = {"asker": asker, "askers": askers, "realtime": realtime}
    outsiders = [Outsider(log, user, to, REQUEST % prefix, **about) for to, prefix in (PORT, PATH)]
    ask(outsiders, every * askers, every * asker)


def main() -> None:
    """Start everybody, each in a process of his own, and wait."""
    log, (user, other) = Log(sys.argv[1]), (sys.argv[2:] * 2 or ["nobody", "root"])
    resource.setrlimit(resource.RLIMIT_NOFILE, (4 * OPEN_AT_ONCE, 4 * OPEN_AT_ONCE))
    everybody = [partial(asker, log, user, EVERY, processor) for processor in PROCESSORS]
    everybody += [partial(asker, log, other, ROOT_EVERY)]
    everybody += [partial(client, log, prefix) for _, prefix in (PORT, PATH)]
    children = []
    for work in everybody:
        children.append(os.fork())
        if children[-1] == 0:
            work()
    ended, _ = os.wait()
    for child in set(children) - {ended}:
        os.kill(child, signal.SIGTERM)
    sys.exit("one of them is gone")


main()
