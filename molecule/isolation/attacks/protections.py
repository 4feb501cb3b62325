"""Runs on a throwaway host: take protections away, all of them at once, and put them back.

    protections.py remove REQUEST | restore REQUEST

REQUEST: JSON, {"name", "workers", "protections": [...]}.  A protection says how it is taken away: `chain` (of the
firewall, all its rules), `configuration` (a pattern in gateway.toml and what replaces it), `worker` and `socket` (lines
for a drop-in), `command` and `undo`.  Nothing of it outlives a reboot: drop-ins and changed files are in /run.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PLACE = Path("/run/attacks")
CONFINED = PLACE / "confined"
RUNTIME_UNITS = Path("/run/systemd/system")


def sh(command: str) -> None:
    """Run a command that must not fail."""
    subprocess.run(command, shell=True, check=True, stdout=sys.stderr)


def drop_in(unit: str, lines: list[str], section: str = "Service") -> None:
    """Write a drop-in of a unit until the next boot."""
    folder = RUNTIME_UNITS / f"{unit}.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "removed.conf").write_text("\n".join([f"[{section}]", *lines, ""]))


def changed(text: str, pattern: str, replacement: str | Callable[[re.Match[str]], str]) -> str:
    """Return the text with what matches replaced; there must be such a thing."""
    new, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
    if not count:
        sys.exit(f"nothing matches {pattern} in:\n{text}")
    return new


def without(rules: str, chain: str) -> str:
    """Return the rules with a chain that lets everything pass."""

    def emptied(found: re.Match[str]) -> str:
        return found[1] + "".join(re.findall(r"^\ttype .*\n", found[0], re.MULTILINE)) + "}"

    return changed(rules, rf"^(chain {chain} \{{\n)(?:.*\n)*?^\}}$", emptied)


def stop_all(name: str) -> None:
    """Stop the instance, all of it: where the target alone was stopped, a start keeps the rest running."""
    # a pattern, because a unix socket has no firewall
    sh(f"systemctl stop {name}.target {name}.socket '{name}-firewall.service*'")


def remove(name: str, workers: list[str], protections: list[dict[str, Any]]) -> None:
    """Take the protections away; where there are no workers, those of what confined.py runs."""
    PLACE.mkdir(exist_ok=True)
    chains = [protection["chain"] for protection in protections if "chain" in protection]
    worker = [line for protection in protections for line in protection.get("worker", [])]
    listener = [line for protection in protections for line in protection.get("socket", [])]
    changes = [protection["configuration"] for protection in protections if "configuration" in protection]
    if chains:
        rules = Path(f"/etc/{name}/firewall.rules").read_text()
        for chain in chains:
            rules = without(rules, chain)
        (PLACE / "rules.nft").write_text(f"table inet {name} {{\n{rules}\n}}\n")
        # the keeper would notice, and close the listener
        load = ["Type=oneshot", "RemainAfterExit=yes", "ExecStart=", f"ExecStart=nft -f {PLACE}/rules.nft"]
        stop = [f"ExecStop=nft delete table inet {name}", "ExecReload=", "WatchdogSec=0", "Restart=no"]
        drop_in(f"{name}-firewall.service", load + stop)
    if changes:
        text = Path(f"/etc/{name}/gateway.toml").read_text()
        for pattern, replacement in changes:
            text = changed(text, pattern, replacement)
        (PLACE / "gateway.toml").write_text(text)
        worker.append(f"BindReadOnlyPaths={PLACE}/gateway.toml:/etc/{name}/gateway.toml")
    if not workers:
        CONFINED.write_text("\n".join([*worker, ""]))
        return
    if worker:
        drop_in(f"{name}@.service", worker)
    if listener:
        drop_in(f"{name}.socket", listener, "Socket")
    if chains or listener:
        stop_all(name)
        sh(f"systemctl daemon-reload && systemctl start {name}.target")
        sh(f"systemctl start {name}.socket {' '.join(workers)}")
    elif worker:
        sh(f"systemctl daemon-reload && systemctl restart {' '.join(workers)}")
    for protection in protections:
        if "command" in protection:
            sh(protection["command"])


def restore(name: str, workers: list[str], protections: list[dict[str, Any]]) -> None:
    """Put everything back."""
    if not workers:
        CONFINED.unlink()
        return
    for protection in protections:
        if "undo" in protection:
            sh(protection["undo"])
    units = [f"{name}@.service", f"{name}.socket", f"{name}-firewall.service"]
    for unit in units:
        shutil.rmtree(RUNTIME_UNITS / f"{unit}.d", ignore_errors=True)
    stop_all(name)
    sh(f"systemctl daemon-reload && systemctl start {name}.target {' '.join(workers)}")


def main() -> None:
    """Do what the arguments say."""
    request = json.loads(sys.argv[2])
    {"remove": remove, "restore": restore}[sys.argv[1]](**request)


if __name__ == "__main__":
    main()
