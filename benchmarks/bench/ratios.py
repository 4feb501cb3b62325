"""From samples to figures: medians, and ratios that noise of the machine touches least."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.paths import BASELINES, COSTS, Cost
from bench.sample import Sample


@dataclass(frozen=True, slots=True)
class Row:
    """One path under one workload: medians of the rounds, the worst answer of all, the sum of the errors."""

    path: str
    workload: str
    connections: int
    rounds: int
    per_second: float
    p50: float
    p99: float
    worst: float
    failed: int
    requests: int
    cpu_per_thousand: float
    mib: float
    held: int
    held_kib: float
    ratios: dict[str, float | None]  # baseline -> ratio; None where one of the two had errors


@dataclass(frozen=True, slots=True)
class Priced:
    """What a thing costs, as shares of one: of requests per second, and of processor time a request."""

    cost: Cost
    rounds: int
    throughput: float
    lowest: float
    highest: float
    processor: float


def of(samples: Iterable[Sample], path: str, workload: str) -> list[Sample]:
    """The samples of one path under one workload, by round."""
    found = [sample for sample in samples if (sample.path, sample.workload) == (path, workload)]
    return sorted(found, key=lambda sample: sample.round)


def pairs(ours: Sequence[Sample], theirs: Sequence[Sample]) -> list[tuple[Sample, Sample]]:
    """Samples of the same round side by side."""
    by_round = {sample.round: sample for sample in theirs}
    return [(sample, by_round[sample.round]) for sample in ours if sample.round in by_round]


def ratio(ours: Sequence[Sample], theirs: Sequence[Sample]) -> float | None:
    """How many times theirs ours is: each round's ratio first, then the median. None where nothing can be compared."""
    both = pairs(ours, theirs)
    if not both or any(one.failed or other.failed for one, other in both) or any(not b.per_second for _, b in both):
        return None
    return median(one.per_second / other.per_second for one, other in both)


def rows(samples: Sequence[Sample], workload: str, paths: Iterable[str]) -> list[Row]:
    """The rows of one workload's table, for the paths that have samples of it."""
    found = {path: of(samples, path, workload) for path in paths}
    baselines = {name: of(samples, name, workload) for name in BASELINES}
    return [
        Row(
            path=path,
            workload=workload,
            connections=mine[0].connections,
            rounds=len(mine),
            per_second=median(sample.per_second for sample in mine),
            p50=median(sample.p50 for sample in mine),
            p99=median(sample.p99 for sample in mine),
            worst=max(sample.worst for sample in mine),
            failed=sum(sample.failed for sample in mine),
            requests=sum(sample.requests for sample in mine),
            cpu_per_thousand=median(sample.cpu_per_thousand for sample in mine),
            mib=median(sample.memory for sample in mine) / 1024,
            held=round(median(sample.held for sample in mine)),
            held_kib=median(sample.held_kib for sample in mine),
            ratios={name: ratio(mine, theirs) for name, theirs in baselines.items() if theirs},
        )
        for path, mine in found.items()
        if mine
    ]


def costs(samples: Sequence[Sample]) -> list[Priced]:
    """What was measured with and without, and without an error on either side."""
    priced = []
    for cost in COSTS:
        both = pairs(of(samples, cost.with_it, cost.workload), of(samples, cost.without, cost.workload))
        if not both or any(one.failed or other.failed for one, other in both):
            continue
        shares = [1 - one.per_second / other.per_second for one, other in both]
        processor = median(one.cpu_per_thousand / other.cpu_per_thousand for one, other in both) - 1
        priced.append(Priced(cost, len(both), median(shares), min(shares), max(shares), processor))
    return priced
