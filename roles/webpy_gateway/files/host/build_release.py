"""Finish a release that was unpacked on the host: its virtual environment where that is missing, and its bytecode.

    build_release.py RELEASE VENV WHEELS    WHEELS: folder with all wheels, "" where pip may ask its index

A folder is finished when the file .ready is in it; one without is built anew.  Exits with 3 and pip's words where pip
refuses the requirements, with 1 where a file of the application is no valid Python.
"""

from __future__ import annotations

import glob
import os
import subprocess
import sys
import venv
from pathlib import Path

PIP_WHEELS = "/usr/share/python-wheels/pip-*.whl"  # package python3-pip-whl


def compile_folder(folder: Path, *options: str) -> bool:
    """Compile all modules below a folder on all cores; tell whether all could be."""
    command = [sys.executable, "-I", "-m", "compileall", "-j", "0", *options, folder]
    return subprocess.run(command, check=False).returncode == 0


def build_environment(folder: Path, requirements: Path, wheels: str) -> None:
    """Install the requirements into a new environment that itself holds no pip."""
    venv.EnvBuilder(clear=True, symlinks=True).create(folder)
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-compile", "--require-hashes"]
    options += ["--only-binary", ":all:", *(["--no-index", "--find-links", wheels] if wheels else [])]
    pip = f"{max(glob.glob(PIP_WHEELS))}/pip"
    command = [folder / "bin/python", "-I", pip, "install", *options, "--requirement", requirements]
    if subprocess.run(command, check=False).returncode:
        sys.exit(3)
    # nobody imports the tests of other people's packages here; some of those are no valid Python on purpose
    compile_folder(folder / "lib", "-qq", "-x", "/tests?/")
    (folder / ".ready").touch()


def build(release: Path, environment: Path, wheels: str) -> None:
    """Build what is not finished, and say so by the mark."""
    if not (environment / ".ready").exists():
        build_environment(environment, release / "requirements.txt", wheels)
    if not all(compile_folder(release / part, "-q") for part in ("lib", "app")):
        sys.exit(1)
    (release / ".ready").touch()


def main() -> None:
    """Do what the arguments say."""
    os.umask(0o022)
    release, environment, wheels = sys.argv[1:]
    build(Path(release), Path(environment), wheels)


if __name__ == "__main__":
    main()
