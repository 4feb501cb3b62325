"""Replace running workers without a moment in which nobody accepts, however few they are and however long they drain.

    renew_workers.py UNIT...        for example webpy-gateway@1.service webpy-gateway@2.service

For every worker a relief (webpy-gateway@1-relief.service) is started with what is live now. Once all reliefs are ready
the workers stop accepting, finish what they began (all at the same time) and start anew; then the reliefs do the same
for good, and nobody waits for that. Where a relief does not become ready, the workers are left as they are.
"""

from __future__ import annotations

import subprocess
import sys


def systemctl(*words: str) -> None:
    """Run systemctl; end the program with its words where it fails."""
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"systemctl {' '.join(words)}: {done.stderr.strip()}")


def main() -> None:
    """Renew the workers that the arguments name."""
    workers = sys.argv[1:]
    reliefs = [unit.replace(".service", "-relief.service") for unit in workers]
    try:
        # not start: one that an interrupted run left serves what was live then
        systemctl("restart", *reliefs)
        systemctl("restart", *workers)
    finally:
        systemctl("stop", "--no-block", *reliefs)


if __name__ == "__main__":
    main()
