"""Run a command beside files that exist for no longer than it runs; exit as it does.

Reads a JSON object on standard input, so that no content is ever seen in a list of processes:

    folder   stands in for another one while the command runs; on /run, so that it never reaches a disk
    group    whose members may enter it
    below    the folder that it stands in for
    copy     whether it begins with what is in that one
    files    [{"path" (below that one), "content", "mode" ("0644"), "group" ("root")}, ...]; other keys are ignored
    command  [words]
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any


def stage(folder: str, group: str, below: str, copy: bool, files: list[dict[str, Any]]) -> None:
    """Fill the folder; what an interrupted run left of it goes first."""
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder, 0o700)
    if copy:
        shutil.copytree(below, folder, symlinks=True, dirs_exist_ok=True)
        for path in Path(below).rglob("*"):  # who may read it there may read it here
            status = path.lstat()
            os.chown(Path(folder, path.relative_to(below)), status.st_uid, status.st_gid, follow_symlinks=False)
    for file in files:
        path = Path(folder, os.path.relpath(file["path"], below))
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.unlink(missing_ok=True)  # a link that was copied must not be written through
        path.touch(mode=0o600)
        path.write_text(file["content"], encoding="utf-8")
        shutil.chown(path, "root", file.get("group", "root"))
        path.chmod(int(file.get("mode", "0644"), 8))
    shutil.chown(folder, "root", group)
    os.chmod(folder, 0o750)


def main() -> None:
    """Do what standard input says."""
    os.umask(0o022)
    wanted = json.load(sys.stdin)
    command = wanted.pop("command")
    try:
        stage(**wanted)
        sys.exit(subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode)
    except OSError as error:
        sys.exit(str(error))
    finally:
        shutil.rmtree(wanted["folder"], ignore_errors=True)


if __name__ == "__main__":
    main()
