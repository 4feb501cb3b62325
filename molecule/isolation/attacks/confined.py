"""Runs on a host: run a command in the sandbox of a unit, whatever that unit itself runs.

    confined.py UNIT COMMAND...

Lines in REMOVED take parts of the sandbox away (protections.py).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

REMOVED = "/run/attacks/confined"
# what a unit runs and how it is looked after, which is no part of a sandbox
NOT_OURS = re.compile(r"Exec|Type=|PIDFile=|Restart|Kill|Timeout|Watchdog")


def sandbox(unit: str) -> list[str]:
    """Return the unit's lines that say how it is confined."""
    text = subprocess.run(["systemctl", "cat", unit], capture_output=True, text=True, check=True).stdout
    lines, service = [], False
    for line in text.splitlines():
        if line.startswith("["):
            service = line == "[Service]"
        elif service and re.match(r"\w+=", line) and not NOT_OURS.match(line):
            lines.append(line)
    return lines


def main() -> None:
    """Become systemd-run."""
    removed: list[str] = []
    if os.path.exists(REMOVED):
        with open(REMOVED, encoding="utf-8") as file:
            removed = [line for line in file.read().splitlines() if line]
    names = tuple(line.partition("=")[0] + "=" for line in removed)
    lines = [line for line in sandbox(sys.argv[1]) if not line.startswith(names)]
    lines += [line for line in removed if not line.endswith("=")]
    properties = [word for line in lines for word in ("-p", line)]
    words = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", *properties, "--", *sys.argv[2:]]
    os.execvp(words[0], words)


main()
