"""What the askers of one listener, each on a processor of his own, wrote of the times in which they did not ask."""

from functools import reduce
from typing import Any, NamedTuple

LATE = 0.001  # seconds between two questions that are too many


class Gap(NamedTuple):
    """When somebody had asked, meant to ask again, was woken to do it, and asked; seconds of the wall clock."""

    last: float
    due: float
    woken: float
    now: float

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
        """Seconds of it in which not all meant to ask.

        In the others an asker waited for every processor.  Those with real-time scheduling go before all ordinary
        processes (sched(7)), and so nobody ran but the kernel and the askers themselves.
        """
        return self.long - max(0.0, self.now - self.due)

    def __str__(self) -> str:
        """Return it in milliseconds."""
        return f"{1000 * self.long:.1f} ({1000 * self.still:.1f} still, {1000 * self.idle:.1f} idle)"

    def common(self, other: "Gap") -> "Gap":
        """Return the part in which another asker was late too."""
        return Gap(
            max(self.last, other.last), max(self.due, other.due), min(self.woken, other.woken), min(self.now, other.now)
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
        """The share of the time in which ordinary processes could run for too long and nobody asked."""
        return sum(gap.idle for gap in self.gaps if gap.idle > LATE) / self.seconds

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
        [Gap(*gap) for entry in entries if entry["asker"] == asker for gap in entry["late"]] for asker in range(askers)
    ]
    seconds = len(entries) / askers
    rate = sum(entry["polls"] for entry in entries) / seconds
    return Polling(all(entry["realtime"] for entry in entries), seconds, rate, reduce(common, late))
