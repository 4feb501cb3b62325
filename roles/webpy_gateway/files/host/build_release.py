"""Unpack and finish a release: its virtual environment where that is missing, and its bytecode.

    build_release.py RELEASE VENV [FOLDER]

The archive comes on standard input in base64, or where that is empty as the file release.tar.gz in FOLDER.  If there is
FOLDER/wheels, pip has all it needs there and asks no index.  FOLDER goes in any case.  A release or an environment is
finished when the file .ready is in it; one without is built anew.  Exits with 3 and pip's words where pip refuses the
requirements, with 1 where a file of the application is no valid Python.
"""

from __future__ import annotations

import base64
import compileall
import glob
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PIP_WHEELS = "/usr/share/python-wheels/pip-*.whl"  # package python3-pip-whl


def unpack(archive: bytes, release: Path) -> None:
    """Unpack the release in place of what an interrupted run left of it."""
    shutil.rmtree(release, ignore_errors=True)
    command = ["tar", "--extract", "--gzip", "--directory", release.parent]
    if subprocess.run(command, input=archive, check=False).returncode:
        sys.exit(1)


def build_environment(folder: Path, requirements: Path, wheels: Path | None) -> None:
    """Install the requirements into a new environment that itself holds no pip."""
    venv.EnvBuilder(clear=True, symlinks=True).create(folder)
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-compile", "--require-hashes"]
    options += ["--only-binary", ":all:", *(["--no-index", "--find-links", wheels] if wheels else [])]
    pip = f"{max(glob.glob(PIP_WHEELS))}/pip"
    command = [folder / "bin/python", "-I", pip, "install", *options, "--requirement", requirements]
    if subprocess.run(command, check=False).returncode:
        sys.exit(3)
    # nobody imports the tests of other people's packages here; some of those are no valid Python on purpose
    compileall.compile_dir(folder / "lib", quiet=2, rx=re.compile("/tests?/"), workers=0)
    (folder / ".ready").touch()


def build(release: Path, environment: Path, wheels: Path | None) -> None:
    """Build what is not finished, and say so by the mark."""
    if not (environment / ".ready").exists():
        build_environment(environment, release / "requirements.txt", wheels)
    # few files: other processes would take longer than they save
    if not all(compileall.compile_dir(release / part, quiet=1) for part in ("lib", "app")):
        sys.exit(1)
    (release / ".ready").touch()


def main() -> None:
    """Do what the arguments say."""
    os.umask(0o022)
    release, environment, *brought = map(Path, sys.argv[1:])
    wheels = next((folder / "wheels" for folder in brought if (folder / "wheels").is_dir()), None)
    try:
        unpack(base64.b64decode(sys.stdin.read()) or (brought[0] / "release.tar.gz").read_bytes(), release)
        build(release, environment, wheels)
    finally:
        for folder in brought:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
