"""Remove the packages that the role brought, as far as nothing else needs them by now, and what they leave behind.

    remove_packages.py RECORD [HEIR] [--dry-run]

RECORD is the JSON list of install_packages.py.  With HEIR, the record of another instance, nothing is removed: that one
takes over.  Prints the names as a JSON list.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

MARKS = Path("/var/lib/apt/extended_states")
# what the operator's packages merely recommend or suggest was not there before the role came
STRICT = ["--option=APT::AutoRemove::RecommendsImportant=false", "--option=APT::AutoRemove::SuggestsImportant=false"]


def output_of(*command: str) -> str:
    """Return what a command prints; end this program with its words where it fails."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def recorded(path: Path) -> set[str]:
    """Return the packages and paths of a record; none where there is no such file."""
    return set(json.loads(path.read_text())) if path.exists() else set()


def removable(brought: set[str]) -> list[str]:
    """Return the packages that apt would call superfluous, had they come as dependencies only."""
    architecture = output_of("dpkg", "--print-architecture").strip()
    mark = f"Architecture: {architecture}\nAuto-Installed: 1\n"
    old = MARKS.read_text() if MARKS.exists() else ""
    with tempfile.NamedTemporaryFile("w", prefix="webpy_gateway-") as marks:
        packages = sorted(name for name in brought if not name.startswith("/"))
        marks.write(old + "".join(f"\nPackage: {name}\n{mark}" for name in packages))
        marks.flush()
        states = f"--option=Dir::State::extended_states={marks.name}"
        simulation = output_of("apt-get", "--simulate", states, *STRICT, "autoremove")
    return sorted(brought & set(re.findall(r"^Remv (\S+)", simulation, re.MULTILINE)))


def clear(paths: list[str]) -> None:
    """Remove files, then folders that are empty by now."""
    for path in sorted(filter(os.path.lexists, paths), key=len, reverse=True):
        if not os.path.isdir(path):
            os.unlink(path)
        elif not os.listdir(path):
            os.rmdir(path)


def main() -> None:
    """Do what the arguments say."""
    os.umask(0o022)
    dry, (record, *heirs) = "--dry-run" in sys.argv, [Path(word) for word in sys.argv[1:] if word != "--dry-run"]
    brought = recorded(record)
    if heirs:
        if not dry and brought:
            heirs[0].write_text(json.dumps(sorted(brought | recorded(heirs[0]))) + "\n")
        brought.clear()
    going = removable(brought) if brought else []
    if going and not dry:
        output_of("apt-get", "--yes", "--quiet", "--option=DPkg::Lock::Timeout=120", "purge", *going)
        clear([path for path in brought if path.startswith("/")])
    print(json.dumps(going))


if __name__ == "__main__":
    main()
