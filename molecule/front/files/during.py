"""Runs on a host: ask for PATH by several clients at once, while a command runs three times; print what was lost.

    during.py PORT PATH COMMAND...

A connection for every request.  Prints JSON: {"asked": number, "lost": [what came instead of an answer with 200]}.
"""

import http.client
import json
import subprocess
import sys
import threading
import time

CLIENTS = 4
TIMES = 3
PAUSE = 0.5  # before and after each time
TIMEOUT = 20.0


def ask(port: int, path: str) -> str:
    """Ask once; return what is wrong with the answer, or an empty string."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()
    return "" if answer.status == http.HTTPStatus.OK else str(answer.status)


def main() -> None:
    """Ask, run the command, print."""
    port, path, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    said: list[str] = []
    over = threading.Event()

    def client() -> None:
        while not over.is_set():
            said.append(ask(port, path))

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for each in clients:
        each.start()
    try:
        for _ in range(TIMES):
            time.sleep(PAUSE)
            subprocess.run(command, check=True)
            time.sleep(PAUSE)
    finally:
        over.set()
        for each in clients:
            each.join()
    print(json.dumps({"asked": len(said), "lost": list(filter(None, said))}))


main()
