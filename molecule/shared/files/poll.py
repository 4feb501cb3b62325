"""Runs on a host: ask web addresses over and over until told to stop, and say what answered when.

    poll.py STOP PHASE URL...

Every request has a connection of its own. Prints JSON, for each address {"requests", "failed": [what came instead of
an answer], "answers": [[body, phase in which it was asked for], ...]}. The file PHASE says which phase it is; "" until
it is there. Ends when the file STOP is there, or after an hour.
"""

import http.client
import json
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PAUSE = 0.02
TIMEOUT = 60.0
LIMIT = 3600.0  # seconds; a test that died must not ask for ever


def ask(url: str) -> tuple[int, str]:
    """Return status and body; raises OSError or HTTPException where there is no whole answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=TIMEOUT)
    try:
        connection.request("GET", parts.path, headers={"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def note(seen: dict[str, Any], url: str, phase: str) -> None:
    """Ask once, and add what came to what was seen."""
    seen["requests"] += 1
    try:
        status, body = ask(url)
    except (OSError, http.client.HTTPException) as error:
        seen["failed"].append(f"{time.strftime('%H:%M:%S')} {phase} {error!r}")
        return
    if status != http.HTTPStatus.OK:
        seen["failed"].append(f"{phase} {status} {body[:200]}")
    elif [body, phase] not in seen["answers"]:
        seen["answers"].append([body, phase])


def main() -> None:
    """Ask until the file is there."""
    stop, phase, urls = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    phase.unlink(missing_ok=True)
    found: dict[str, Any] = {url: {"requests": 0, "failed": [], "answers": []} for url in urls}
    end = time.monotonic() + LIMIT
    while not stop.exists() and time.monotonic() < end:
        for url in urls:
            note(found[url], url, phase.read_text().strip() if phase.exists() else "")
        time.sleep(PAUSE)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
