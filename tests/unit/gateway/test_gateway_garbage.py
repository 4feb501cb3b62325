"""What a request leaves behind."""

import pytest
from fastcgi_kit import FastCgiServer
from gateway_kit import Gateways, Server

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
