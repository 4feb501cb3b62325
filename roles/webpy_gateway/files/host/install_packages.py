"""Install packages, and write down beforehand all that comes with them.

    install_packages.py RECORD PACKAGES    PACKAGES: names in one word, separated by blanks

RECORD is a JSON list that grows: packages, and paths that they make and leave behind.  What was there before, or is
only brought up to date, is not in it.
apt-get itself is called because ansible.builtin.apt installs python3-apt by the way, which nobody would take away.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

LEFT_BEHIND = ["/var/www/html/index.lighttpd.html", "/var/www/html", "/var/www"]  # by a purged lighttpd
OPTIONS = ["--yes", "--quiet", "--no-install-recommends"]
# wait for an apt that runs already; a configuration file that the operator changed stays
INSTALL = ["--option=DPkg::Lock::Timeout=120", "--option=Dpkg::Options::=--force-confold"]


def apt(*words: str) -> str:
    """Return what apt-get prints; end this program with its words where it fails."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(["apt-get", *OPTIONS, *words], capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def new_ones(simulation: str) -> list[str]:
    """Return the packages that a simulated run would add; lines of those already there name their version in []."""
    return re.findall(r"^Inst (\S+) \(", simulation, re.MULTILINE)


def main() -> None:
    """Do what the arguments say."""
    os.umask(0o022)
    record, packages = Path(sys.argv[1]), sys.argv[2].split()
    known = json.loads(record.read_text()) if record.exists() else []
    apt(*INSTALL, "update")
    coming = new_ones(apt("--simulate", "install", *packages))
    coming += [path for path in LEFT_BEHIND if not os.path.exists(path)]
    record.parent.mkdir(exist_ok=True)
    new = record.with_suffix(".new")
    new.write_text(json.dumps(sorted({*known, *coming})) + "\n")
    new.replace(record)
    apt(*INSTALL, "install", *packages)


if __name__ == "__main__":
    main()
