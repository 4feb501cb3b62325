"""What the processes of some systemd units use: processor time from their cgroups, memory and sockets from /proc."""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SLICE = Path("/sys/fs/cgroup/system.slice")


def cgroups(units: Iterable[str]) -> list[Path]:
    """The cgroups of the running units whose names match one of the patterns."""
    # glob, since that of pathlib fails when a cgroup goes while it looks
    return [SLICE / path for pattern in units for path in glob.glob(f"**/{pattern}", root_dir=SLICE, recursive=True)]


def processes(units: Iterable[str]) -> list[int]:
    """The processes of the units."""
    return [pid for group in cgroups(units) for pid in _members(group)]


def _members(group: Path) -> list[int]:
    try:
        return [int(line) for line in (group / "cgroup.procs").read_text().split()]
    except OSError:
        return []  # the unit has just ended


def cpu_seconds(units: Iterable[str]) -> float:
    """Processor seconds that the units used since they started, ended processes included."""
    return sum(_microseconds(group) for group in cgroups(units)) / 1e6


def _microseconds(group: Path) -> int:
    lines = (line.split() for line in (group / "cpu.stat").read_text().splitlines())
    return next(int(value) for key, value in lines if key == "usage_usec")


def machine_cpu_seconds() -> float:
    """Processor seconds that the whole machine was busy since it booted, whoever it worked for."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of some processes in KiB, each shared page divided by those that share it; and their open sockets."""

    kib: int
    sockets: int


def memory(units: Iterable[str]) -> Memory:
    """Memory and sockets of the units, now."""
    pids = processes(units)
    return Memory(sum(map(_proportional_kib, pids)), sum(1 for pid in pids for _ in _sockets(pid)))


def _proportional_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _sockets(pid: int) -> Iterator[str]:
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(entry.path)
            except FileNotFoundError:
                continue  # closed meanwhile
            if target.startswith("socket:"):
                yield target
    except (FileNotFoundError, ProcessLookupError):
        return
