"""What the record of all requests says (files/load.py, files/drive.py)."""

import json
import os
import statistics
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest

FOLDER = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
REPORT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"], ".test-logs/zero_loss.json")
RATE = 0.95  # of the requests a second that were wanted
KINDS = {"fast", "slow", "slowest", "upload", "stream"}
OWN_TIME = {"fast": 0.0, "slow": 0.2, "slowest": 5.0, "upload": 0.0, "stream": 2.0}
WINDOW = 10  # seconds


class Request(NamedTuple):
    """A line of the record."""

    kind: str
    kept: bool
    start: float
    sent: float
    seconds: float
    version: str
    outcome: str
    retries: int

    @property
    def waited(self) -> float:
        """Seconds beyond what the answer itself takes."""
        return self.seconds - OWN_TIME[self.kind]


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    with (FOLDER / "record").open() as lines:
        return [Request(*json.loads(line)) for line in lines]


@pytest.fixture(scope="module")
def life() -> dict[str, Any]:
    return dict(json.loads((FOLDER / "events.json").read_text()))


@pytest.fixture(scope="module")
def events(life: dict[str, Any]) -> list[dict[str, Any]]:
    return list(life["events"])


def lost_to(kill: dict[str, Any], requests: list[Request]) -> list[Request]:
    """Return the failed requests that were on their way when a worker was killed."""
    return [r for r in requests if r.outcome and r.start <= kill["end"] and r.start + r.seconds >= kill["start"]]


def rate(requests: list[Request]) -> float:
    """Return how many were sent a second, by the clock: a client that cannot keep up sends later than is due."""
    times = [request.sent for request in requests]
    return len(requests) / (max(times) - min(times))


def test_load_was_what_it_should_be(requests: list[Request], life: dict[str, Any]) -> None:
    assert rate(requests) >= RATE * life["wanted"]["rate"]
    assert {(request.kind, request.kept) for request in requests} == {(kind, kept) for kind in KINDS for kept in (0, 1)}


def test_all_of_it_happened(life: dict[str, Any]) -> None:
    assert Counter(event["event"] for event in life["events"]) == life["wanted"]["events"]
    assert life["wanted"]["events"].keys() >= {"deploy", "rollback", "reload", "kill"}


def test_nothing_is_lost(requests: list[Request], events: list[dict[str, Any]]) -> None:
    """Every failure belongs to the kill of a worker that held it, and no kill cost more than the worker held."""
    failed = {request for request in requests if request.outcome}
    for kill in (event for event in events if event["event"] == "kill"):
        lost = lost_to(kill, requests)
        assert len(lost) <= kill["held"], (kill, lost[:5])
        failed -= set(lost)
    assert failed == set()


def test_right_release_answered_all_along(requests: list[Request], events: list[dict[str, Any]]) -> None:
    """After a deploy only its release answers what begins, before it only the one before; between, either."""
    spans = []
    before, since = "one", 0.0
    for event in (event for event in events if event["event"] in ("deploy", "rollback")):
        spans.append((since, event["start"], {before}))
        spans.append((event["start"], event["end"], {before, event["version"]}))
        before, since = event["version"], event["end"]
    spans.append((since, float("inf"), {before}))
    for request in (request for request in requests if not request.outcome):
        end = request.start + request.seconds
        possible = set().union(*(who for start, stop, who in spans if start <= end and stop >= request.start))
        assert request.version in possible, request


def test_report(requests: list[Request], events: list[dict[str, Any]]) -> None:
    """Write down the figures."""
    waits: dict[str, list[float]] = defaultdict(list)
    for event in events:
        late = [r.waited for r in requests if event["start"] <= r.start + r.seconds and r.start <= event["end"]]
        waits[event["event"]].append(max(late))
    windows = Counter(int(request.sent / WINDOW) for request in requests)
    first, last = min(windows), max(windows)
    report = {
        "requests": len(requests),
        "rate": round(rate(requests), 1),
        "rate of the slowest ten seconds": min(windows[number] for number in range(first + 1, last)) / WINDOW,
        "kinds": Counter(request.kind for request in requests),
        "events": Counter(event["event"] for event in events),
        "failed": Counter(request.outcome for request in requests if request.outcome),
        "held by killed workers": sum(event.get("held", 0) for event in events),
        "asked again, the kept connection being stale": sum(request.retries for request in requests),
        "longest wait (s)": round(max(request.waited for request in requests), 2),
        "median wait of fast ones (s)": round(statistics.median(r.seconds for r in requests if r.kind == "fast"), 4),
        "longest wait during (s)": {name: [round(wait, 2) for wait in found] for name, found in waits.items()},
        "seconds of a deploy": [round(e["end"] - e["start"], 1) for e in events if e["event"] == "deploy"],
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=1))
