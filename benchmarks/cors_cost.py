#!/usr/bin/env python3
"""What the CORS layer costs: requests per second of an endpoint that does nothing, with and without the layer.

    benchmarks/cors_cost.py [--rounds 200] [--requests 100]

Two gateways, equal but for the layer, serve on unix sockets; rounds of requests go to the one and the other in turn, so
that whatever else the machine does hits both. Counted is the processor time of each gateway: what one core could
serve if it did nothing else. Needs gevent, web.py and publicsuffixlist (roles/webpy_gateway/files/requirements.txt).
"""

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

PACKAGES = Path(__file__).resolve().parent.parent / "roles" / "webpy_gateway" / "files"
sys.path.insert(0, str(PACKAGES))
if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from webpy_gateway.config import Config

PORTAL = "https://portal.example.org"
POLICIES = {
    "off": {},
    "an exact origin": {"allowed_origins": [PORTAL], "allow_credentials": True, "exposed_headers": ["ETag"]},
    "a subdomain pattern": {"allowed_origins": ["https://*.example.org"]},
    "everyone": {"allowed_origins": ["*"]},
}
TARGET = 0.05


def built(policy: str, path: str, with_layer: bool) -> "tuple[WSGIApplication, Config]":
    """The whole chain around the endpoint, and its settings."""
    from webpy_gateway import config, cors, pipeline

    settings = config.parse(
        {"name": "cost", "application": "a:a", "url_prefix": "/api/", "listen": path, "cors": POLICIES[policy]}
    )
    original = cors.layer
    if not with_layer:
        cors.layer = lambda _settings: lambda application: application  # type: ignore[assignment]
    body = b'{"ok": true}'
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]

    def endpoint(_environ: object, start_response: object) -> list[bytes]:
        start_response("200 OK", headers)  # type: ignore[operator]
        return [body]

    chain = pipeline.build(settings, "cost", "1", endpoint)
    cors.layer = original
    return chain, settings


def serve(policy: str, path: str, with_layer: bool) -> None:
    """Serves the endpoint until SIGTERM."""
    from gevent import monkey

    monkey.patch_all()
    from webpy_gateway import listener, server

    chain, settings = built(policy, path, with_layer)
    server.run(chain, listener.obtain(path), settings, "cost")


def microseconds(policy: str) -> float:
    """What the layer adds to one call of the chain, without any server: the difference of the fastest rounds."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/fast", "HTTP_HOST": "a", "HTTP_ORIGIN": PORTAL}
    chains = [built(policy, "/unused", with_layer)[0] for with_layer in (False, True)]
    best = [float("inf")] * 2
    for _ in range(30):
        for place, chain in enumerate(chains):
            began = time.process_time()
            for _ in range(2000):
                chain(dict(environ), lambda *_: None)  # type: ignore[arg-type]
            best[place] = min(best[place], (time.process_time() - began) / 2000)
    return (best[1] - best[0]) * 1e6


class Gateway:
    """A gateway in a process of its own."""

    def __init__(self, folder: Path, policy: str, with_layer: bool) -> None:
        self.path = str(folder / f"{with_layer}.sock")
        command = [sys.executable, __file__, "--serve", policy, self.path, str(int(with_layer))]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while not Path(self.path).exists():
            if self._process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"no gateway: {' '.join(command)}")
            time.sleep(0.05)

    def seconds(self, requests: int) -> float:
        """Processor seconds for so many requests."""
        before = self._used()
        for _ in range(requests):
            self._ask()
        return self._used() - before

    def _ask(self) -> None:
        request = f"GET /api/fast HTTP/1.1\r\nHost: a\r\nOrigin: {PORTAL}\r\n\r\n".encode()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.path)
            connection.sendall(request)
            answer = b""
            while block := connection.recv(65536):
                answer += block
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"unexpected answer: {answer[:200]!r}")

    def _used(self) -> float:
        # to the nanosecond, where utime and stime are in ticks of 10 ms
        return int(Path(f"/proc/{self._process.pid}/schedstat").read_text().split()[0]) / 1e9

    def stop(self) -> None:
        """Ends the process."""
        self._process.terminate()
        self._process.wait()


def compare(policy: str, rounds: int, requests: int) -> float:
    """Prints one line and returns the share of requests per second that the layer costs."""
    with tempfile.TemporaryDirectory(prefix="cors-cost-") as name:
        gateways = [Gateway(Path(name), policy, with_layer) for with_layer in (False, True)]
        try:
            for gateway in gateways:
                gateway.seconds(requests)
            pairs = [[gateway.seconds(requests) for gateway in gateways] for _ in range(rounds)]
        finally:
            for gateway in gateways:
                gateway.stop()
    # the fastest round of each is the one that the rest of the machine disturbed least
    without, with_layer = (requests / min(column) for column in zip(*pairs, strict=True))
    share = float(1 - with_layer / without)
    print(
        f"{policy:20} without {without:6.0f}/s   with {with_layer:6.0f}/s   cost {share:5.1%}"
        f"   {microseconds(policy):4.1f} us a request"
    )
    return share


def main() -> int:
    """Compares with every kind of policy; 1 when one of them costs more than it may."""
    parser = argparse.ArgumentParser(description="what the CORS layer costs")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--requests", type=int, default=100, help="requests in a round to each gateway")
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        policy, path, with_layer = options.serve
        serve(policy, path, with_layer == "1")
        return 0
    shares = [compare(policy, options.rounds, options.requests) for policy in POLICIES]
    print(f"at most {max(shares):.1%}; it may be {TARGET:.0%}")
    return 0 if max(shares) <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
