"""Connections of clients that are too many, who wait until there is room, and of those that take no answer."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosttests.gateway import Gateway
from hosttests.named import named
from wire_cases import END, GET
from wire_replies import receive_all

CROWD = (Path(__file__).parents[1] / "files/crowd.py").read_text()
LARGE = GET.replace(b"mirror", b"large")
MANY = 100  # of them are more than all buffers on the way hold
SLACK = 4  # lighttpd looks once a second, and machines are busy


MOST = 32_511  # connections that lighttpd takes; where it may have fewer than twice as many descriptors, half of those


@pytest.fixture(scope="module", params=["trixie"])
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """Return a host; where a test does not say otherwise, the one that waits for clients no longer than it has to."""
    found = Gateway(named(request, request.param))
    yield found
    found.close()


@pytest.mark.parametrize("gateway", ["bookworm"], indirect=True)  # it waits long enough for a crowd to come
def test_who_is_beyond_the_limit_waits(gateway: Gateway) -> None:
    limits = gateway.output("cat /proc/$(systemctl show --value --property=MainPID lighttpd)/limits")
    limit = min(MOST, int(re.findall(r"Max open files +([0-9]+)", limits)[0]) // 2 - 256)
    to = "127.0.0.1", str(gateway["http_port"]), f"{gateway.prefix}fast"
    found = json.loads(gateway.output("ulimit -n 20000; python3 -I -c %s %s %s %s %s", CROWD, *to, str(limit)))
    assert found["before"].startswith("HTTP/1.1 200 ")
    assert found["beyond"] == "nothing"
    assert found["after"].startswith("HTTP/1.1 200 ")


def test_who_takes_nothing_of_an_answer_is_sent_away(gateway: Gateway) -> None:
    limit = 4 * gateway["client_timeout"]
    with gateway.site().connect() as late, gateway.site().connect() as silent:
        for connection in (late, silent):
            connection.sendall((LARGE + b"\r\n") * (MANY - 1) + LARGE + END)
        began = time.monotonic()
        time.sleep(limit - SLACK)
        taken = receive_all(late)
        time.sleep(began + limit + SLACK - time.monotonic())
        rest = receive_all(silent)
    assert taken.count(b"HTTP/1.1 200 ") == MANY
    assert 0 < rest.count(b"HTTP/1.1 200 ") < MANY
