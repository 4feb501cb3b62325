"""Print what a refused run must not change, in lines "PART NAME VALUE"; the argument names the instance.

state      what is configured and what answers: equal after a rollback, too
touched    times and process numbers: equal only where nothing was written and nothing restarted
releases   what lies in /opt: equal where nothing was even built
"""

import hashlib
import http.client
import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

PATIENCE = 15.0  # seconds until a service that was restarted must answer again


def show(part: str, values: Mapping[str, object]) -> None:
    """Print the lines of a part."""
    for name, value in values.items():
        print(part, name, value)


def digest(data: bytes) -> str:
    """Return a number for the data."""
    return hashlib.sha256(data).hexdigest()


def output_of(*command: str) -> str:
    """Return what a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def below(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield every path below a folder, links not followed."""
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            yield path, os.lstat(path)


def content(path: str, info: os.stat_result) -> str:
    """Return what a file holds or a link points to."""
    if stat.S_ISLNK(info.st_mode):
        return os.readlink(path)
    return digest(Path(path).read_bytes()) if stat.S_ISREG(info.st_mode) else ""


def units(name: str) -> list[dict[str, str]]:
    """Return state, process and time of start of every unit of the instance, and of lighttpd."""
    properties = "--property=Id,ActiveState,MainPID,ActiveEnterTimestampMonotonic"
    text = output_of("systemctl", "show", "--all", properties, f"{name}*", "lighttpd.service")
    return [dict(line.split("=", 1) for line in block.splitlines()) for block in text.strip().split("\n\n")]


def health() -> str:
    """Return the release that answers through lighttpd, else what came instead."""
    answer, end = "", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        connection = http.client.HTTPConnection("127.0.0.1", timeout=5)
        try:
            connection.request("GET", "/webpy_api/_health")
            response = connection.getresponse()
            body = response.read()
            if response.status == http.HTTPStatus.OK:
                return str(json.loads(body)["release"])
            answer = f"{response.status} {body!r}"
        except (OSError, http.client.HTTPException) as error:
            answer = repr(error)
        finally:
            connection.close()
        time.sleep(0.1)
    return answer


def main() -> None:
    """Take the fingerprint."""
    name = sys.argv[1]
    answering = health()
    files = list(below("/etc"))
    show("state", {path: f"{info.st_mode:o} {info.st_uid}:{info.st_gid} {content(path, info)}" for path, info in files})
    show("state", {unit["Id"]: unit["ActiveState"] for unit in units(name)})
    show("state", {"current": os.readlink(f"/opt/{name}/current"), "health": f"releases/{answering}"})
    show("state", {"failed": output_of("systemctl", "list-units", "--failed", "--plain", "--no-legend").split()})
    show("state", {"rules": digest(output_of("nft", "--stateless", "list", "ruleset").encode())})
    show("state", {"packages": digest(Path("/var/lib/dpkg/status").read_bytes())})
    show("touched", {path: info.st_ctime_ns for path, info in files if not stat.S_ISDIR(info.st_mode)})
    show("touched", {unit["Id"]: " ".join(map(str, unit.values())) for unit in units(name)})
    # the folder itself has held the books of a run that began, see begin_run.py
    passed_over = re.compile(rf"/opt/{re.escape(name)}|.*/__pycache__")
    show("releases", {path: info.st_ctime_ns for path, info in below("/opt") if not passed_over.fullmatch(path)})


if __name__ == "__main__":
    main()
