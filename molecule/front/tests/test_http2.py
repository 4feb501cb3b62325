"""Malformed requests over HTTP/2, and floods of frames: they end at lighttpd, in bounded time."""

import time
from collections.abc import Callable

import pytest
from hosttests.gateway import Gateway
from hosttests.record import Record
from wire_http2 import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    PING,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
    headers,
    talk,
)
from wire_http2_cases import CASES, GET, POST

# seconds that any of them may take; lighttpd waits 8 for what a request still lacks
PATIENCE = 15
FLOODED = 40  # seconds that a flood may take
MANY = 1000


@pytest.mark.parametrize("name", CASES)
def test_malformed(gateway: Gateway, record: Record, name: str) -> None:
    case = CASES[name]
    record.forget()
    outcome = talk(gateway.site().tunnel, case.data, PATIENCE)
    assert outcome in case.outcomes
    seen = [(one["method"], one["path"], one["body"].encode("latin-1")) for one in record.all()]
    assert seen == list(case.seen) or (seen == [] and outcome != "200")


def resets(number: int) -> bytes:
    """Return a request that is taken back at once (CVE-2023-44487)."""
    stream = 2 * number + 1
    return headers(POST, stream, END_HEADERS) + frame(RST_STREAM, 0, stream, bytes(4))


FLOODS: dict[str, Callable[[int], bytes]] = {
    "requests taken back": resets,
    "pings": lambda _: frame(PING, 0, 0, bytes(8)),
    "settings": lambda _: frame(SETTINGS, 0, 0),
    "windows": lambda _: frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1"),
    "empty parts of a body": lambda number: frame(DATA, 0, 1) if number else headers(POST, flags=END_HEADERS),
    "empty parts of a head": lambda number: frame(CONTINUATION, 0, 1) if number else headers(GET, flags=END_STREAM),
    "requests at once": lambda number: headers(GET, 2 * number + 1),
    "unknown frames": lambda _: frame(0x42, 0, 0, bytes(8)),
}


@pytest.mark.parametrize("name", FLOODS)
def test_flood_ends_in_bounded_time(gateway: Gateway, name: str) -> None:
    data = b"".join(FLOODS[name](number) for number in range(MANY))
    last = 2 * MANY + 1
    outcome = talk(gateway.site().tunnel, data + headers(GET, last), FLOODED, last)
    assert outcome != "silent"
    began = time.monotonic()
    assert gateway.site().get("fast").status == 200
    assert time.monotonic() - began < 5


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 15
