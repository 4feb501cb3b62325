"""Runs on a host: make attacks, and tell what came of each.

    attack.py CASES      CASES: a JSON list of {"id", "who", "attack": [WAY, ARGUMENT...], "through", "meanwhile",
                         "alone"}; at once as many as AT_ONCE says, but for those that are to be alone
    attack.py --one WAY ARGUMENT...

Prints {"id": [whether it succeeded, what came of it]}.  `through`: a command that starts the attack, in a namespace for
example.  `meanwhile`: what root does at the same time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import IO, Any

import application
import inside
import look
import packets
import reach
import squat
import users

WAYS = reach.WAYS | squat.WAYS | look.WAYS | packets.WAYS | application.WAYS | inside.WAYS
BEGIN, RESTARTED = "/run/attacks", "/run/attacks/restarted"
PATIENCE = 20
# most only wait; those in a unit's sandbox need a processor, and would need all their patience if all began together
AT_ONCE = 8


def one(words: list[Any]) -> str:
    """Make one attack as who we are."""
    return WAYS[words[0]](*words[1:])


def started_by(command: list[str], words: list[Any]) -> str:
    """Make one attack in a process that the command starts."""
    attack = [*command, "/usr/bin/python3", os.path.realpath(__file__), "--one", *map(str, words)]
    done = subprocess.run(attack, capture_output=True, text=True, timeout=PATIENCE, cwd="/")
    if done.returncode:
        raise OSError(done.stdout.strip() or done.stderr.strip()[-300:])
    return done.stdout.strip()


def attempt(case: dict[str, Any]) -> list[object]:
    """Make one attack as the user of the case; return whether it succeeded and what came of it."""
    event = None
    if case.get("meanwhile"):
        os.makedirs(BEGIN, exist_ok=True)
        event = subprocess.Popen(f"sleep 0.3; {case['meanwhile']}; touch {RESTARTED}", shell=True)
    try:
        command = case.get("through")
        found = users.run(lambda: started_by(command, case["attack"]) if command else one(case["attack"]), case["who"])
        return [True, found]
    except OSError as error:
        return [False, error.strerror or str(error)]
    finally:
        if event:
            event.wait()
            os.unlink(RESTARTED)


def start(case: dict[str, Any]) -> IO[str]:
    """Begin an attack in a child; return what its result is going to be read from."""
    receiver, sender = os.pipe()
    if os.fork():
        os.close(sender)
        return os.fdopen(receiver)
    try:
        os.write(sender, json.dumps({case["id"]: attempt(case)}).encode())
    finally:
        os._exit(0)


def main() -> None:
    """Do what the arguments say."""
    if sys.argv[1] == "--one":
        try:
            print(one(sys.argv[2:]))
        except OSError as error:
            print(error.strerror or error)
            sys.exit(1)
        return
    found: dict[str, Any] = {}
    running = []
    for case in json.loads(sys.argv[1]):
        running.append(start(case))
        if case["alone"]:
            found |= json.load(running.pop())
        elif len(running) == AT_ONCE:
            found |= json.load(running.pop(0))
    for result in running:
        found |= json.load(result)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
