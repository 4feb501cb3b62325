"""One measurement: one path under one workload in one round."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """Times in seconds, latencies in milliseconds, memory in KiB; `errors` are requests without a good answer."""

    round: int
    workload: str
    path: str
    connections: int
    requests: int
    seconds: float
    per_second: float
    p50: float
    p99: float
    worst: float
    errors: dict[str, int]
    cpu_gateway: float
    cpu_front: float
    cpu_client: float
    busy_others: float  # processors that all else on the machine kept busy meanwhile
    memory_idle: int  # of gateway and web server
    memory: int  # the same under load
    held: int  # requests in the gateway when it was looked at, from its open sockets
    held_kib: float  # memory that the gateway grew by, for each of them; 0 where none are held

    @property
    def failed(self) -> int:
        """Requests without a good answer."""
        return sum(self.errors.values())

    @property
    def cpu_per_thousand(self) -> float:
        """Processor seconds for 1,000 requests, web server and gateway together."""
        return (self.cpu_gateway + self.cpu_front) / self.requests * 1000 if self.requests else 0.0
