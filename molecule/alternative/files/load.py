"""Ask for quick and for slow answers, eight at a time, each on a connection of its own, until told to stop.

    load.py PORT HOST PREFIX STOP

Prints JSON: how many requests there were, the longest in seconds, and what came instead of 200.  Ends when the file
STOP is there.
"""

import http.client
import json
import sys
import threading
import time
from pathlib import Path

PATHS = ["_health", "devices", "_health", "slow?seconds=0.5"]
CLIENTS = 8
TIMEOUT = 30.0
PAUSE = 0.02


def outcome(port: int, host: str, path: str) -> str:
    """Return nothing where a whole answer came, else what came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", path, headers={"Host": host, "Connection": "close"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"{path}: {error!r}"
    finally:
        connection.close()
    return "" if answer.status == http.HTTPStatus.OK else f"{path}: {answer.status}"


def ask(port: int, host: str, prefix: str, stop: Path, outcomes: list[tuple[float, str]]) -> None:
    """Ask for one path after the other until the file is there."""
    while not stop.exists():
        for path in PATHS:
            began = time.monotonic()
            text = outcome(port, host, prefix + path)
            outcomes.append((time.monotonic() - began, text))
            time.sleep(PAUSE)


def main() -> None:
    """Run the clients and count."""
    port, host, prefix, stop = sys.argv[1:]
    found: list[list[tuple[float, str]]] = [[] for _ in range(CLIENTS)]
    clients = [threading.Thread(target=ask, args=(int(port), host, prefix, Path(stop), each)) for each in found]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    outcomes = [each for one in found for each in one]
    longest = max(seconds for seconds, _ in outcomes)
    failed = [text for _, text in outcomes if text]
    print(json.dumps({"requests": len(outcomes), "longest": round(longest, 2), "failed": failed}))


if __name__ == "__main__":
    main()
