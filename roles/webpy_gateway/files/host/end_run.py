"""Write down how a run ended, remove what nobody needs any more, and let the next run in.

Reads a JSON object on standard input:

    folder, token  where the lock is, and by which token it is this run's: without it, nothing is done
    home           /opt/NAME
    settled        false: the host is in a state that the next run has to undo first; the journal stays
    outcome        "good": the release proved itself; "failed": it had to go back; "": it never got traffic
    release        the release of this run; "" where there was none
    reason         why it failed
    abandoned      the release that the operator went back from; "" where there was no such
    keep           how many good releases stay

HOME/history.json: {"current", "previous", "releases": [{"release", "state", "at", "reason"}, ...]}, the latest first.
States: "good", "failed", and "abandoned", which is a good one that a rollback went back from.  Prints {"token"}.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import uuid
from pathlib import Path
from typing import Any


def read(path: Path) -> Any:
    """Return the JSON in a file, None where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def write(path: Path, value: object) -> None:
    """Write a file that is there as a whole or not at all, also after a power cut."""
    new = path.with_suffix(".new")
    with open(new, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def add(history: list[dict[str, Any]], state: str, release: str, reason: str = "") -> list[dict[str, Any]]:
    """Return the history with a release at its front, in a new state."""
    entry = {"release": release, "state": state, "at": int(time.time()), "reason": reason}
    return [entry, *(other for other in history if other["release"] != release)]


def remember(history: list[dict[str, Any]], current: str, end: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the history after this run; a configuration that failed is no fault of the release that is back."""
    if end["abandoned"]:
        history = add(history, "abandoned", end["abandoned"])
    is_news = [(entry["release"], entry["state"]) for entry in history[:1]] != [(end["release"], "good")]
    if (end["outcome"] == "good" and is_news) or (end["outcome"] == "failed" and end["release"] != current):
        history = add(history, end["outcome"], end["release"], end["reason"])
    return history


def previous(history: list[dict[str, Any]], current: str) -> str:
    """Return the release to go back to from the current one; "" where there is none."""
    good = (entry["release"] for entry in history if entry["state"] == "good")
    return next((release for release in good if release != current), "")


def worth_keeping(history: list[dict[str, Any]], current: str, mine: str, keep: int) -> set[str]:
    """Return the releases that stay.

    Those are as many as are to be kept of those that served, the current one and the previous one first; and beside
    them the latest one that failed, and the one of this run.
    """
    served = [entry["release"] for entry in history if entry["state"] != "failed"]
    failed = [entry["release"] for entry in history if entry["state"] == "failed"]
    first = [release for release in (current, previous(history, current)) if release]
    others = [release for release in served if release not in first]
    return {*first, *others[: max(0, keep - len(first))], *failed[:1], mine}


def clean_up(home: Path, kept: set[str]) -> None:
    """Remove the other releases, half-built ones, and environments that no release has any more."""
    for release in home.glob("releases/*"):
        if release.name not in kept or not (release / ".ready").exists():
            shutil.rmtree(release)
    used = {os.path.basename(os.readlink(link)) for link in home.glob("releases/*/venv")}
    for environment in home.glob("venvs/*"):
        if environment.name not in used or not (environment / ".ready").exists():
            shutil.rmtree(environment)


def settle(home: Path, end: dict[str, Any]) -> None:
    """Write the history, clean up, forget the journal."""
    link = home / "current"
    current = os.path.basename(os.readlink(link)) if link.is_symlink() else ""
    history = remember((read(home / "history.json") or {"releases": []})["releases"], current, end)
    kept = worth_keeping(history, current, end["release"], end["keep"])
    there = {folder.name for folder in home.glob("releases/*")}
    history = [entry for entry in history if entry["release"] in kept & there]
    before = previous(history, current)
    news = {"current": current, "previous": before, "releases": history}
    if news != read(home / "history.json"):
        write(home / "history.json", news)
    clean_up(home, kept)
    (home / "journal.json").unlink(missing_ok=True)
    shutil.rmtree(home / "last-good", ignore_errors=True)


def let_go(folder: Path) -> None:
    """Remove the lock; who looked at the host before now looks again."""
    write(folder / "generation", uuid.uuid4().hex)
    (folder / "lock").unlink()


def main() -> None:
    """Do what standard input says."""
    os.umask(0o022)
    end = json.load(sys.stdin)
    lock = Path(end["folder"], "lock")
    if (read(lock) or {}).get("token") != end["token"]:
        sys.exit(f"{lock} is no longer this run's: what it did is the next one's to judge; run again")
    try:
        if end["settled"] and Path(end["home"]).is_dir():
            settle(Path(end["home"]), end)
        let_go(lock.parent)
    except OSError as error:
        sys.exit(f"{error}; make room there, or let root write there, then run again")
    print(json.dumps({"token": end["token"]}))


if __name__ == "__main__":
    main()
