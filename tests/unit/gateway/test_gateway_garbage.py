"""What a request leaves behind, and when somebody looks for it."""

import contextlib
import subprocess
import sys

import pytest
from fastcgi_kit import FastCgiServer
from gateway_kit import PACKAGES, Gateways, Server, connect, wait_for
from webpy_gateway.garbage import OBJECTS, OBJECTS_OF_A_REQUEST

REQUESTS = 50


@pytest.mark.parametrize("kind", [Server, FastCgiServer], ids=["http", "fastcgi"])
@pytest.mark.parametrize("path", ["echo", "environ", "error/notfound", "missing"])
def test_nothing_is_left_to_the_collector(gateways: Gateways, kind: type[Server], path: str) -> None:
    made = gateways.serve()
    server = kind(made.process, made.address, made.log_file)
    server.get("/api/garbage")
    server.get(f"/api/{path}")
    server.get("/api/garbage")
    for _ in range(REQUESTS):
        server.get(f"/api/{path}")
    assert int(server.get("/api/garbage").body) < REQUESTS, "cycles of objects: memory and time of the collector"


def test_the_collector_looks_less_often_while_requests_are_held(gateways: Gateways) -> None:
    server = gateways.serve()

    def patience() -> int:
        return int(server.get("/api/collector").body)

    assert patience() <= OBJECTS + OBJECTS_OF_A_REQUEST
    with contextlib.ExitStack() as clients:
        for _ in range(50):
            held = clients.enter_context(connect(server.address))
            held.sendall(b"GET /api/slow?s=3 HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: patience() >= OBJECTS + 50 * OBJECTS_OF_A_REQUEST)
    wait_for(lambda: patience() <= OBJECTS + OBJECTS_OF_A_REQUEST)


def test_a_burst_shows_before_the_clock_does() -> None:
    program = """if True:
        import gc, gevent
        from webpy_gateway import garbage
        held = [2]
        garbage.begin(lambda: held[0])
        gevent.sleep(0)
        held.append(gc.get_threshold()[0])
        held[0] = 7
        gc.collect(0)
        print(held[1], gc.get_threshold()[0])
    """
    printed = subprocess.check_output([sys.executable, "-c", program], text=True, env={"PYTHONPATH": str(PACKAGES)})
    assert printed.split() == [str(OBJECTS + held * OBJECTS_OF_A_REQUEST) for held in (2, 7)]
