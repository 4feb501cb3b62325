"""Ask for what a portal asks for, over and over on connections of their own, until told to stop.

    load.py PORT PREFIX STOP

Prints JSON: how many requests there were, the longest one in seconds, and what came instead of a good answer. Ends when
the file STOP is there.
"""

import hashlib
import http.client
import json
import sys
import threading
import time
from pathlib import Path

TIMEOUT = 20.0
BODY = b"0123456789abcdef" * 4096
KINDS = ("health", "body", "body", "slow", "stream")


def good(kind: str, port: int, prefix: str) -> bool:
    """Make one request of a kind; return whether the answer was complete and right."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    path, body = {
        "health": ("_health", None),
        "body": ("echo", BODY),
        "slow": ("slow?seconds=0.5", None),
        "stream": ("events?count=4&interval=0.2", None),
    }[kind]
    connection.request("POST" if body else "GET", prefix + path, body, {"Connection": "close"})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    right = {
        "health": lambda: json.loads(content)["status"] == "ok",
        "body": lambda: json.loads(content)["body"]["sha256"] == hashlib.sha256(BODY).hexdigest(),
        "slow": lambda: bool(content),
        "stream": lambda: content.count(b"data:") == 4,
    }[kind]
    return answer.status == http.HTTPStatus.OK and right()


def main() -> None:
    """Ask until the file is there."""
    port, prefix, stop = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    seconds: list[float] = []
    failed: list[str] = []

    def ask(kind: str) -> None:
        while not stop.exists():
            began = time.monotonic()
            try:
                if not good(kind, port, prefix):
                    failed.append(f"{kind}: another answer")
            except (OSError, http.client.HTTPException, ValueError) as error:
                failed.append(f"{kind}: {error!r}")
            seconds.append(time.monotonic() - began)
            time.sleep(0.01)

    threads = [threading.Thread(target=ask, args=(kind,)) for kind in KINDS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"requests": len(seconds), "longest": max(seconds), "failed": failed}))


if __name__ == "__main__":
    main()
