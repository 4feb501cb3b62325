"""Put files, folders and links in their places on the host.

Reads a JSON object on standard input, so that no content is ever seen in a list of processes; each key may be left out:

    folders  [{"path", "mode" ("0755"), "group" ("root")}, ...]
    files    [{"path", "content", "mode" ("0644"), "group" ("root")}, ...]: each appears whole or not at all
    links    {path: target}
    absent   [paths of files, links and folders]

Everything becomes root's; other keys are ignored.  Ends with a message that names the path where the system refuses
something.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any


def own(path: str, mode: str, group: str) -> None:
    """Give a path to root and a group; the mode comes last, because a change of owner resets parts of it."""
    shutil.chown(path, "root", group)
    os.chmod(path, int(mode, 8))


def make_folder(path: str, mode: str, group: str) -> None:
    """Make a folder and those above it where they are missing."""
    os.makedirs(path, exist_ok=True)
    own(path, mode, group)


def write(path: str, content: str, mode: str, group: str) -> None:
    """Replace a file at once; nobody else reads it before it has its owner and mode."""
    new = Path(f"{path}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    own(str(new), mode, group)
    new.replace(path)


def link(path: str, target: str) -> None:
    """Replace what is at a path by a symbolic link, at once."""
    new = Path(f"{path}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(path)


def remove(path: str) -> None:
    """Remove a file, a link or a folder with what is in it; nothing there is fine."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        Path(path).unlink(missing_ok=True)


def place(wanted: dict[str, Any]) -> None:
    """Do everything in the order of the keys above."""
    for folder in wanted.get("folders", []):
        make_folder(folder["path"], folder.get("mode", "0755"), folder.get("group", "root"))
    for file in wanted.get("files", []):
        write(file["path"], file["content"], file.get("mode", "0644"), file.get("group", "root"))
    for path, target in wanted.get("links", {}).items():
        link(path, target)
    for path in wanted.get("absent", []):
        remove(path)


def main() -> None:
    """Do what standard input says."""
    os.umask(0o022)
    try:
        place(json.load(sys.stdin))
    except (OSError, LookupError) as error:
        sys.exit(f"{error}; make room there, or let root write there, then run again")


if __name__ == "__main__":
    main()
