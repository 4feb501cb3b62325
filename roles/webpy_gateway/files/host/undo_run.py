"""Put back on disk what a run replaced, by its journal; units are not touched.  Doing it twice is as good as once.

    undo_run.py HOME    HOME: /opt/NAME

What the run added goes, what it replaced comes back, and `current` is the release of before.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path


def put_back(copy: Path, path: Path) -> None:
    """Replace a file by its copy at once, with owner, mode and times; links stay links."""
    path.parent.mkdir(exist_ok=True)
    new = Path(f"{path}.new")
    new.unlink(missing_ok=True)
    shutil.copy2(copy, new, follow_symlinks=False)
    info = copy.lstat()
    os.chown(new, info.st_uid, info.st_gid, follow_symlinks=False)
    if not new.is_symlink():
        new.chmod(info.st_mode & 0o7777)  # a change of owner resets parts of it
    new.replace(path)


def undo(home: Path) -> None:
    """Undo what the journal tells of; a path without a copy was put back before."""
    journal = json.loads((home / "journal.json").read_text(encoding="utf-8"))
    for name in journal["added"]:
        for path in (Path(name), Path(f"{name}.new")):
            path.unlink(missing_ok=True)
        if name.endswith("-firewall.service.d/workers.conf"):
            shutil.rmtree(Path(name).parent, ignore_errors=True)
    for name in journal["replaced"]:
        copy = home / "last-good" / name
        if copy.is_symlink() or copy.exists():
            put_back(copy, Path("/", name))
    current = home / "current"
    if journal["before"]:
        new = home / "current.new"
        new.unlink(missing_ok=True)
        new.symlink_to(f"releases/{journal['before']}")
        new.replace(current)
    else:
        current.unlink(missing_ok=True)


def main() -> None:
    """Do what the argument says."""
    os.umask(0o022)
    try:
        undo(Path(sys.argv[1]))
    except OSError as error:
        sys.exit(f"{error}; make room there, or let root write there, then run again")


if __name__ == "__main__":
    main()
