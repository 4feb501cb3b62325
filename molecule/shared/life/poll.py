"""Runs on the host: ask lighttpd for the health of the gateway, over and over, until told to stop.

    poll.py HEALTH_URL STOP

Every request has a connection of its own. Prints JSON: how many were asked, which releases answered (in the order of
their first answer), and what came instead of an answer. Ends when the file STOP is there, or after an hour.
"""

import json
import sys
import time
import urllib.request
from pathlib import Path

PAUSE = 0.02
TIMEOUT = 60.0
LIMIT = 3600.0


def main() -> None:
    """Ask until the file is there."""
    url, stop = sys.argv[1], Path(sys.argv[2])
    count, releases, failed = 0, dict[str, int](), list[str]()
    end = time.monotonic() + LIMIT
    while not stop.exists() and time.monotonic() < end:
        count += 1
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
                release = json.load(answer)["release"]
                releases[release] = releases.get(release, 0) + 1
        except (OSError, ValueError) as error:
            failed.append(f"{time.strftime('%H:%M:%S')} {error!r}")
        time.sleep(PAUSE)
    print(json.dumps({"requests": count, "releases": releases, "failed": failed}))


if __name__ == "__main__":
    main()
