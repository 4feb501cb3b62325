"""Let one run at a time change this host, and write down beforehand what undoes it.

Reads a JSON object on standard input:

    folder      where the lock is: below /run, so that a boot ends every run
    generation  what stood there when this run looked at the host; who finds another one looks again
    me          {"control", "pid", "started", "who"}: this run, for its lock
    what        what it is about to do, in words
    gone        token of a lock whose holder is known to have died; "" where nobody died
    lease       seconds after which a lock ends by itself; each step of a run that touches the lock begins them anew
    patience    seconds to wait for another run
    journal     {"home", "before", "release", "due", "added", "replaced"}, see write_journal; null: nothing to undo
    token       what this script answered to this run before; "" at first.  With it, what an interrupted run left counts
                as undone

Prints {"outcome": ..., "token": ..., "holder": ...}.  Outcomes: "begun"; "held", by the holder, after all patience;
"stale" and "interrupted": the host is this run's own, but it has to look again, or to undo and to look again.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other copies of this script out for a moment; the kernel lets go even of one that is killed."""
    folder.mkdir(mode=0o755, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def read(path: Path) -> Any:
    """Return the JSON in a file, None where there is no such file, or none that was written to its end."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def write(path: Path, value: object) -> None:
    """Write a file that is there as a whole or not at all, also after a power cut."""
    new = path.with_suffix(".new")
    with open(new, "w", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def held(path: Path) -> dict[str, Any] | None:
    """Return the lock and until when it is held, None where there is none; it may go at any moment."""
    try:
        began = path.stat().st_mtime
    except FileNotFoundError:
        return None
    holder = read(path)
    return holder and {**holder, "until": began + holder.get("lease", 0)}


def take(wanted: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the lock that counts now, and whether it has just become this run's."""
    path = Path(wanted["folder"], "lock")
    with alone(path.parent):
        holder, now = held(path), time.time()
        if holder and holder["until"] > now and holder["token"] != wanted["gone"]:
            return holder, False
        mine = wanted["me"] | {
            "what": wanted["what"],
            "lease": wanted["lease"],
            "since": now,
            "token": uuid.uuid4().hex,
        }
        write(path, mine)
        return mine | {"until": now + wanted["lease"], "inherited": holder is not None}, True


def claim(wanted: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return "held" or "stale" or "begun", and the lock."""
    end, waited = time.monotonic() + wanted["patience"], False
    while True:
        lock, mine = take(wanted)
        if mine or lock["token"] == wanted["token"]:
            break
        if time.monotonic() > end:
            return "held", lock
        waited = True
        time.sleep(0.5)
    generation = read(Path(wanted["folder"], "generation")) or ""
    stale = waited or lock.get("inherited") or generation != wanted["generation"]
    return "stale" if stale else "begun", lock


def write_journal(home: str, **entry: Any) -> None:
    """Copy the files that are going to be replaced (paths relative to /), then write down what undoes the run."""
    copies = Path(home, "last-good")
    new = copies.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700, parents=True)
    if entry["replaced"]:
        subprocess.run(["cp", "--archive", "--parents", *entry["replaced"], new], cwd="/", check=True)
    shutil.rmtree(copies, ignore_errors=True)
    new.rename(copies)
    write(Path(home, "journal.json"), entry)


def begin(wanted: dict[str, Any]) -> dict[str, Any]:
    """Claim the host and write the journal."""
    outcome, lock = claim(wanted)
    if outcome == "held":
        return {"outcome": outcome, "token": "", "holder": lock}
    try:
        if journal := wanted["journal"]:
            if not wanted["token"] and Path(journal["home"], "journal.json").exists():
                outcome = "interrupted"
            elif outcome == "begun":
                write_journal(**journal)
        if outcome == "begun":
            write(Path(wanted["folder"], "generation"), lock["token"])
    except (OSError, subprocess.CalledProcessError):
        Path(wanted["folder"], "lock").unlink()
        raise
    return {"outcome": outcome, "token": lock["token"], "holder": lock}


def main() -> None:
    """Do what standard input says."""
    os.umask(0o022)
    try:
        print(json.dumps(begin(json.load(sys.stdin))))
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
