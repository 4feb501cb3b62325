"""Malformed requests over HTTP/1.1: they end at lighttpd, and would end at the gateway too if they got there."""

import base64
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hosttests.gateway import Gateway
from hosttests.record import Record
from wire_cases import CASES, END, FORBIDDEN, SMUGGLED
from wire_replies import read

# seconds that any of them may take; lighttpd waits 8 for what a request still lacks
PATIENCE = 15
RAW = Path(__file__).parents[1].joinpath("files/raw.py").read_text()
AS_LIGHTTPD = "setpriv --reuid=www-data --regid=www-data --clear-groups "
AT_LIGHTTPD = {name: case for name, case in CASES.items() if case.lighttpd}
# what follows on a connection that stays open; no part of what is before it
FOLLOWING = "GET", "/api/smuggled", b""
FOLLOWED = {name: FORBIDDEN[name].data.replace(END, b"\r\n") + SMUGGLED for name in FORBIDDEN if name in AT_LIGHTTPD}


@dataclass
class Outcome:
    """What came of a case: bytes, whether its connection was closed in time, and what the application saw."""

    came: bytes
    closed: bool
    seen: list[dict[str, Any]]

    @property
    def statuses(self) -> tuple[int, ...]:
        """All answers but interim ones."""
        replies = read(self.came, versions=("HTTP/1.0", "HTTP/1.1"))
        return tuple(reply.status for reply in replies if reply.status != 100)

    @property
    def complete(self) -> list[tuple[str, str, bytes]]:
        """What the application saw to the end."""
        return [
            (one["method"], one["path"], one["body"].encode("latin-1")) for one in self.seen if one["body"] is not None
        ]


def send(gateway: Gateway, record: Record, cases: dict[str, bytes], user: str, to: list[Any]) -> dict[str, Outcome]:
    """Send all cases at once and return what came of each."""
    record.forget()
    packed = base64.b64encode(zlib.compress(json.dumps([data.decode("latin-1") for data in cases.values()]).encode()))
    command = f"{user}python3 -I -c %s %s %s {PATIENCE} %s"
    found = json.loads(gateway.output(command, RAW, to[0], str(to[1]), packed.decode()))
    seen = record.all()
    outcomes = {}
    for number, (name, (came, closed)) in enumerate(zip(cases, found, strict=True), 1):
        client = f"127.1.{number // 256}.{number % 256}"
        outcomes[name] = Outcome(came.encode("latin-1"), closed, [one for one in seen if one["client"] == client])
    assert sum(len(outcome.seen) for outcome in outcomes.values()) == len(seen)
    return outcomes


@pytest.fixture(scope="module")
def at_lighttpd(gateway: Gateway, record: Record) -> dict[str, Outcome]:
    data = {name: case.data for name, case in AT_LIGHTTPD.items()}
    return send(gateway, record, data, "", ["127.0.0.1", gateway["http_port"]])


@pytest.fixture(scope="module")
def followed(gateway: Gateway, record: Record) -> dict[str, Outcome]:
    return send(gateway, record, FOLLOWED, "", ["127.0.0.1", gateway["http_port"]])


@pytest.fixture(scope="module")
def at_gateway(gateway: Gateway, record: Record) -> dict[str, Outcome]:
    data = {name: case.data for name, case in CASES.items()}
    return send(gateway, record, data, AS_LIGHTTPD, [*gateway.listener])


@pytest.mark.parametrize("name", AT_LIGHTTPD)
def test_at_lighttpd(at_lighttpd: dict[str, Outcome], name: str) -> None:
    case, outcome = CASES[name], at_lighttpd[name]
    assert outcome.statuses in case.lighttpd
    assert outcome.complete == (list(case.seen) if 200 in outcome.statuses else [])
    assert len(outcome.complete) == len(outcome.seen)
    assert outcome.closed


@pytest.mark.parametrize("name", CASES)
def test_at_the_gateway(at_gateway: dict[str, Outcome], name: str) -> None:
    case, outcome = CASES[name], at_gateway[name]
    assert outcome.statuses == case.gateway
    assert outcome.complete == (list(case.seen) if 200 in case.gateway else [])
    assert outcome.closed


@pytest.mark.parametrize("name", FOLLOWED)
def test_nothing_is_served_behind_it_unless_it_is_served_itself(followed: dict[str, Outcome], name: str) -> None:
    case, outcome = CASES[name], followed[name]
    served = outcome.statuses.count(200)
    assert served in (0, len(outcome.statuses))
    assert outcome.complete == [*case.seen, FOLLOWING][:served]
    assert len(outcome.complete) == len(outcome.seen)
    assert outcome.closed


def test_there_are_enough_of_them() -> None:
    assert len(AT_LIGHTTPD) >= 80
