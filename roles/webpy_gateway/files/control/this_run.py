"""Tell which run of Ansible this is, and whether the one that holds a host's lock has died on this machine.

    this_run.py HOLDER    HOLDER: the lock as JSON ("null": there is none)

Prints {"me": {"control", "pid", "started", "who"}, "gone": TOKEN of the lock of a dead holder, else ""}.  A process is
known by its number together with the time of its start; numbers mean the same only within one boot and one PID
namespace, which "control" names.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """A running process."""

    pid: int
    parent: int
    started: str
    command: str


def process(pid: int) -> Process | None:
    """Return a process, None where there is none of that number."""
    if not os.path.isdir("/proc/self"):
        command = ["ps", "-ww", "-p", str(pid), "-o", "ppid=", "-o", "lstart=", "-o", "args="]
        words = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"}).stdout.split()
        return Process(pid, int(words[0]), " ".join(words[1:6]), " ".join(words[6:])) if len(words) > 6 else None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        command_line = Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # proc(5): state, parent, ..., time of the start in ticks since the boot
    return Process(pid, int(fields[1]), fields[19], command_line) if fields[0] != "Z" else None


def playbook(pid: int) -> Process | None:
    """Return the playbook's own process above one that it started: the first of those that are copies of each other."""
    found, copied = process(pid), False
    while found and (parent := process(found.parent)):
        if copied and parent.command != found.command:
            return found
        copied = copied or parent.command == found.command
        found = parent
    return found if copied else None


def control() -> str:
    """Name this machine, its boot and its PID namespace."""
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    parts = [platform.node()]
    if boot.exists():
        parts += [boot.read_text().strip(), os.readlink(namespace)]
    return " ".join(parts)


def is_gone(holder: dict[str, object] | None) -> bool:
    """Tell whether the holder of a lock was a process of this machine that has ended."""
    if not holder or holder["control"] != control() or not isinstance(holder["pid"], int):
        return False
    now = process(holder["pid"])
    return now is None or now.started != holder["started"]


def main() -> None:
    """Answer the question given as the only argument."""
    run = playbook(os.getpid())
    who = f"{os.environ.get('SUDO_USER') or os.environ.get('USER') or os.geteuid()}@{platform.node()}"
    me = {"control": control(), "pid": run and run.pid, "started": run and run.started, "who": who}
    holder = json.loads(sys.argv[1])
    print(json.dumps({"me": me, "gone": holder["token"] if is_gone(holder) else ""}))


if __name__ == "__main__":
    main()
