"""What a run is to measure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Paths and workloads by name; `seconds` of each measurement, `threads` and `connections` of wrk."""

    paths: Sequence[str]
    workloads: Sequence[str]
    rounds: int
    seconds: int
    threads: int
    connections: int
