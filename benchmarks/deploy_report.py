"""What benchmarks/deploy found, as Markdown."""

import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

HEADING = "## Runs"
TARGETS = {"fresh host": 45, "no change": 5, "application": 8}  # seconds, for one host
DEAREST = 6  # tasks of each kind of run that are shown


class Run(NamedTuple):
    """One run of site.yml: its kind, on how many hosts, the load before, its seconds, and those of each task."""

    kind: str
    hosts: int
    load: float
    seconds: float
    tasks: dict[str, float]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def groups(runs: Sequence[Run]) -> dict[tuple[str, int], list[Run]]:
    """Return the runs by kind and number of hosts, in the order they were made in."""
    found: dict[tuple[str, int], list[Run]] = {}
    for run in runs:
        found.setdefault((run.kind, run.hosts), []).append(run)
    return found


def timings(runs: Sequence[Run]) -> str:
    """Return the table of all kinds of runs."""
    rows = []
    for (kind, hosts), group in groups(runs).items():
        seconds = [run.seconds for run in group]
        target = f"{TARGETS[kind]}" if hosts == 1 and kind in TARGETS else ""
        spread = f"{min(seconds):.1f} - {max(seconds):.1f}"
        load = f"{median(run.load for run in group):.1f}"
        rows.append([kind, hosts, len(group), f"**{median(seconds):.1f}**", spread, target, load])
    return table(["run", "hosts", "rounds", "median, s", "all, s", "at most, s", "load before"], rows)


def dearest(group: Sequence[Run]) -> list[tuple[str, float]]:
    """Return the tasks that took longest and what is left of the run, in seconds."""
    spent = {name: median(run.tasks.get(name, 0.0) for run in group) for name in group[0].tasks}
    top = sorted(spent.items(), key=lambda item: -item[1])[:DEAREST]
    rest = median(run.seconds for run in group) - sum(seconds for _, seconds in top)
    return [*top, ("everything else, with the start of Ansible", rest)]


def breakdown(runs: Sequence[Run]) -> str:
    """Return the table of where the time goes on one host."""
    rows = []
    for (kind, hosts), group in groups(runs).items():
        if hosts == 1:
            tasks = [f"{name} {seconds:.1f}" for name, seconds in dearest(group)]
            rows.append([kind, " · ".join(tasks)])
    return table(["run", "tasks and their seconds"], rows)


def report(runs: Sequence[Run], command: str) -> str:
    """Return the section of docs/performance.md."""
    machine = f"{len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"
    return f"""{HEADING}

`{command}`
times `ansible-playbook site.yml` on throwaway hosts that are booted already, over new connections; control node and
hosts share one machine ({machine}). A fresh host has no package of ours; of an application one file
changes. A load above the number of cores means that the machine was busy with other things, and the figures are too
high.

{timings(runs)}

Where the time goes on one host (medians):

{breakdown(runs)}
"""


def write(section: str, file: Path) -> None:
    """Put the section in the place of the one that the file has, or at its end; the file need not exist."""
    text = file.read_text(encoding="utf-8") if file.exists() else "# Performance\n"
    old = re.search(rf"^{HEADING}$.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if old:
        after = text[old.end() :]
        text = text[: old.start()] + section + ("\n" if after else "") + after
    else:
        text = f"{text.rstrip()}\n\n{section}"
    file.write_text(text, encoding="utf-8")
