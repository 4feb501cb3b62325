"""What the clients ask for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

PREFIX = "/webpy_api/"
MEBIBYTE = 2**20
ORDER = {"lines": [{"article": f"article-{number}", "pieces": number, "price": 250} for number in range(1, 6)]}


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of request, and how many clients send it at once (0: what --connections says)."""

    name: str
    title: str
    target: str
    answer: bytes
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    connections: int = 0
    at_least_seconds: int = 0
    ramp_seconds: float = 0  # in which the clients send their first requests; 0: all at once
    static: str = ""  # the file that a web server alone sends instead

    @property
    def url(self) -> str:
        """The path below the prefix that all ways to the application share."""
        return PREFIX + self.target

    @property
    def held(self) -> bool:
        """Whether this is about requests that wait, not about requests that compute."""
        return self.connections > 0


OK = b'{"ok": true}'
JSON = {"Content-Type": "application/json"}
BYTES = {"Content-Type": "application/octet-stream"}

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("fast", "fast endpoint", "fast", OK, static="fast.json"),
        Workload(
            "json", "JSON POST", "orders", b'{"lines": 5, "total": 3750}', body=json.dumps(ORDER).encode(), headers=JSON
        ),
        Workload("upload", "1 MiB up", "upload", b'{"bytes": 1048576}', body=b"x" * MEBIBYTE, headers=BYTES),
        Workload("download", "1 MiB down", "download", b"x" * MEBIBYTE, static="download.bin"),
        Workload("held-2000", "2,000 clients wait 100 ms", "wait/100", OK, connections=2_000),
        Workload(
            "held-10000",
            "10,000 clients wait 3 s",
            "wait/3000",
            OK,
            connections=10_000,
            at_least_seconds=15,
            ramp_seconds=4,
        ),
        # the fast endpoint, asked from a page of another origin
        Workload("origin", "fast, with an Origin", "fast", OK, headers={"Origin": "https://portal.example.org"}),
    )
}
MAIN = tuple(name for name in WORKLOADS if name != "origin")


def fitting(connections: int, most_files: int) -> int:
    """How many of the clients the machine allows: a proxy holds two descriptors a request.

    lighttpd stops accepting at nine tenths of its descriptors; it, the listeners and the logs need some besides.
    """
    return min(connections, (most_files * 9 // 10 // 2 - 50) // 100 * 100)
