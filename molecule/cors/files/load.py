"""Runs on another host: ask for what pages of an allowed origin need, over and over, until told to stop.

    load.py ADDRESS PATH ORIGIN

Every request has a connection of its own, and every second one is a preflight. At SIGTERM it prints JSON: how many
there were, and what came instead of an answer with the grant.
"""

import http.client
import json
import signal
import sys
import time

PAUSE = 0.03
TIMEOUT = 10.0
PREFLIGHT = {"Access-Control-Request-Method": "POST"}


def outcome(address: str, path: str, origin: str, preflight: bool) -> str:
    """Return nothing where a page of the origin could have read the answer, else what came."""
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT)
    method, status, more = ("OPTIONS", 204, PREFLIGHT) if preflight else ("GET", 200, {})
    try:
        connection.request(method, path, headers={"Origin": origin, "Connection": "close", **more})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"{method}: {error!r}"
    finally:
        connection.close()
    good = answer.status == status and answer.headers.get_all("Access-Control-Allow-Origin") in ([origin], ["*"])
    return "" if good else f"{method}: {answer.status} {answer.getheaders()}"


def main() -> None:
    """Ask until the signal comes."""
    address, path, origin = sys.argv[1:]
    outcomes: list[str] = []
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    while not told:
        outcomes.append(outcome(address, path, origin, preflight=len(outcomes) % 2 == 1))
        time.sleep(PAUSE)
    print(json.dumps({"requests": len(outcomes), "failed": [text for text in outcomes if text]}))


if __name__ == "__main__":
    main()
