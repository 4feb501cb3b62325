"""Tell how an instance is doing; changes nothing.

    status.py NAME      prints one JSON object

Keys: release, previous and age (seconds since it proved itself), workers and active (how many there should be, and
are), uptime (seconds of the worker that runs longest), and question, which prove.py takes.  Runs as root with the
system's Python.
"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import time
from typing import Any

PROXY_USER = "www-data"


def releases(home: str) -> dict[str, Any]:
    """Return the release that is live, since when, and the one that a rollback would go to."""
    with open(f"{home}/history.json", encoding="utf-8") as file:
        history = json.load(file)
    current = os.path.basename(os.readlink(f"{home}/current"))
    since = next((entry["at"] for entry in history["releases"] if entry["release"] == current), time.time())
    return {"release": current, "previous": history["previous"], "age": int(time.time() - since)}


def workers(name: str) -> dict[str, int]:
    """Return how many workers are active, and for how many seconds the oldest has been."""
    command = ("systemctl", "show", "--property=ActiveState,ActiveEnterTimestampMonotonic", f"{name}@*.service")
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in text.split("\n\n") if block]
    active = [block for block in blocks if block["ActiveState"] == "active"]
    since = [int(block["ActiveEnterTimestampMonotonic"]) / 1e6 for block in active]
    return {"active": len(active), "uptime": int(time.monotonic() - min(since)) if since else 0}


def question(instance: dict[str, Any], release: str) -> dict[str, Any]:
    """Return what prove.py has to know."""
    name = instance["name"]
    return {
        "name": name,
        "listen": f"127.0.0.1:{instance['port']}" if instance["bind"] == "tcp" else f"/run/{name}/http.socket",
        "site_port": instance["site_port"],
        "tls": instance["tls"],
        "host": (instance["server_names"] or ["localhost"])[0],
        "health": f"{instance['url_prefix']}_health",
        "release": release,
        "workers": instance["workers"],
        "lighttpd": pwd.getpwnam(PROXY_USER).pw_uid,
        "service": pwd.getpwnam(name).pw_uid,
        "portal": instance["portal"],
    }


def main() -> None:
    """Print the state of the instance named by the only argument."""
    name = sys.argv[1]
    try:
        with open(f"/etc/{name}/instance.json", encoding="utf-8") as file:
            instance = json.load(file)
        state = releases(f"/opt/{name}")
    except FileNotFoundError as error:
        sys.exit(f"{error.filename} does not exist")
    state |= workers(name) | {"workers": instance["workers"], "question": question(instance, state["release"])}
    print(json.dumps(state))


if __name__ == "__main__":
    main()
