"""What the askers of one listener, each on a processor of his own, wrote of the times in which they did not ask."""

from functools import reduce
from typing import Any, NamedTuple

LATE = 0.001  # seconds between two questions that are too many


class Gap(NamedTuple):
    """When somebody had asked, fell asleep, meant to ask again, was woken to do it, and asked; seconds of the clock.

    Of several it is the time in which none of them asked, and `naps` are the times in which each meant to sleep.
    """

    last: float
    naps: tuple[tuple[float, float], ...]
    due: float
    woken: float
    now: float

    @classmethod
    def written(cls, last: float, slept: float, due: float, woken: float, now: float) -> "Gap":
        """Return one as an asker writes it."""
        return cls(last, ((slept, due),), due, woken, now)

    @property
    def long(self) -> float:
        """Seconds between two questions."""
        return self.now - self.last

    @property
    def still(self) -> float:
        """Seconds of it in which no processor even took the timer's interrupt: the machine stood still."""
        return max(0.0, self.woken - self.due)

    @property
    def idle(self) -> float:
        """Seconds of it in which somebody meant to sleep.

        In the others an asker was at work, or waited, on every processor.  Those with real-time scheduling go before
        all ordinary processes (sched(7)), and so nobody ran but the kernel, and such askers.
        """
        idle, end = 0.0, self.last
        for begin, due in sorted(self.naps):
            idle += max(0.0, min(due, self.now) - max(begin, end))
            end = max(end, due)
        return idle

    def __str__(self) -> str:
        """Return it in milliseconds."""
        return f"{1000 * self.long:.1f} ({1000 * self.still:.1f} still, {1000 * self.idle:.1f} idle)"

    def common(self, other: "Gap") -> "Gap":
        """Return the part in which another asker was late too."""
        return Gap(
            max(self.last, other.last),
            self.naps + other.naps,
            max(self.due, other.due),
            min(self.woken, other.woken),
            min(self.now, other.now),
        )


class Polling(NamedTuple):
    """How often one listener was polled."""

    realtime: bool  # by askers who go before all ordinary processes
    seconds: float
    rate: float  # polls a second
    gaps: list[Gap]  # in which nobody asked for too long

    @property
    def late(self) -> float:
        """The share of the time in such gaps."""
        return sum(gap.long for gap in self.gaps) / self.seconds

    @property
    def idle(self) -> float:
        """Seconds of the gap in which ordinary processes, as the gateway's workers are, had most time to run."""
        return max((gap.idle for gap in self.gaps), default=0.0)

    def __str__(self) -> str:
        """Return it in a line."""
        kind = "real-time" if self.realtime else "ordinary"
        gaps = ", ".join(map(str, self.gaps)) or "none"
        return f"{self.rate:.0f} polls/s ({kind}), {self.late:.2%} of the time in gaps over 1 ms: {gaps}"


def common(one: list[Gap], other: list[Gap]) -> list[Gap]:
    """Return when both were late at once, and for too long, in the order of time."""
    found, first, second = [], 0, 0
    while first < len(one) and second < len(other):
        mine, yours = one[first], other[second]
        if (both := mine.common(yours)).long > LATE:
            found.append(both)
        if mine.now < yours.now:
            first += 1
        else:
            second += 1
    return found


def polling(entries: list[Any]) -> Polling:
    """Return how one listener was polled, by what its askers wrote each second."""
    askers = entries[0]["askers"]
    assert {entry["asker"] for entry in entries} == set(range(askers)), "one of the askers is gone"
    late = [
        [Gap.written(*times) for entry in entries if entry["asker"] == asker for times in entry["late"]]
        for asker in range(askers)
    ]
    seconds = len(entries) / askers
    rate = sum(entry["polls"] for entry in entries) / seconds
    return Polling(all(entry["realtime"] for entry in entries), seconds, rate, reduce(common, late))
