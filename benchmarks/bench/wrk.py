"""Calls wrk and reads what it says."""

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.workloads import Workload

SCRIPT = Path(__file__).with_name("wrk.lua")
TIMEOUT = 30  # seconds until an answer counts as lost


@dataclass(frozen=True, slots=True)
class Load:
    """How hard wrk works."""

    connections: int
    threads: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call of wrk saw; latencies in milliseconds, wrk corrects them for coordinated omission."""

    requests: int
    seconds: float
    p50: float
    p99: float
    worst: float
    errors: dict[str, int]

    @property
    def failed(self) -> int:
        """Requests without a good answer."""
        return sum(self.errors.values())

    @property
    def per_second(self) -> float:
        """Good answers per second."""
        return max(0, self.requests - self.errors["status"]) / self.seconds


@contextmanager
def command(workload: Workload, url: str, load: Load) -> Iterator[Sequence[str]]:
    """The words of the call; the body of the requests is in a file while it runs."""
    with tempfile.NamedTemporaryFile() as body:
        body.write(workload.body)
        body.flush()
        headers = [f"{name}={value}" for name, value in workload.headers.items()]
        yield [
            "wrk",
            f"--threads={load.threads}",
            f"--connections={load.connections}",
            f"--duration={load.seconds}s",
            f"--timeout={TIMEOUT}s",
            f"--script={SCRIPT}",
            url,
            "--",
            body.name if workload.body else "",
            str(load.connections // load.threads),
            f"{workload.ramp_seconds * 1000:.0f}",
            *headers,
        ]


def parse(output: str) -> Outcome:
    """The outcome in wrk's output. Raises ValueError where it has none."""
    found = re.search(r"^RESULT (.*)$", output, re.MULTILINE)
    if not found:
        raise ValueError(f"wrk gave no result: {output[-500:]}")
    result = json.loads(found[1])
    return Outcome(
        requests=result["requests"],
        seconds=result["microseconds"] / 1e6,
        p50=result["p50"] / 1e3,
        p99=result["p99"] / 1e3,
        worst=result["max"] / 1e3,
        errors={kind: result[kind] for kind in ("connect", "read", "write", "status", "timeout")},
    )
