"""The same content is the same release, any other content is another one."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Ask = Callable[..., Any]


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda root: write(root / "app/app.py", "application = repr\n"),
    "name": lambda root: (root / "app/data/words.txt").rename(root / "app/data/worts.txt"),
    "folder": lambda root: (root / "app/data").rename(root / "app/date"),
    "executable": lambda root: (root / "app/app.py").chmod(0o755),
    "new file": lambda root: write(root / "app/new.txt", ""),
    "removed file": lambda root: (root / "app/data/words.txt").unlink(),
    "moved between files": lambda root: (write(root / "app/data/words.txt", "o"), write(root / "app/data/x", "ne\n")),
    "link": lambda root: (root / "app/link").symlink_to("app.py"),
    "page": lambda root: write(root / "portal/index.html", "<p>bye</p>\n"),
    "package": lambda root: write(root / "package/serve.py", "print('served')\n"),
    "own requirement": lambda root: write(root / "requirements.txt", "gevent==27.1.0 --hash=sha256:00\n"),
    "app requirement": lambda root: write(root / "app/requirements.txt", "markupsafe==3.0.3 --hash=sha256:00\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_is_another_release(
    archive: ModuleType, ask: Ask, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    before = archive.release_id(ask())
    change(tmp_path)
    assert archive.release_id(ask()) != before


@pytest.mark.parametrize("other", [{"interpreter": "cpython-313-x86_64"}, {"portal": ""}])
def test_another_interpreter_or_no_portal_is_another_release(
    archive: ModuleType, ask: Ask, other: dict[str, str]
) -> None:
    assert archive.release_id(ask(**other)) != archive.release_id(ask())


def test_a_link_is_not_its_target(archive: ModuleType, ask: Ask, tmp_path: Path) -> None:
    write(tmp_path / "app/link", "app.py")
    before = archive.release_id(ask())
    (tmp_path / "app/link").unlink()
    (tmp_path / "app/link").symlink_to("app.py")
    assert archive.release_id(ask()) != before


def test_the_same_content_elsewhere_and_later_is_the_same_release(
    archive: ModuleType, ask: Ask, tmp_path: Path
) -> None:
    shutil.copytree(tmp_path / "app", tmp_path / "elsewhere", copy_function=shutil.copyfile)
    os.utime(tmp_path / "elsewhere/app.py", (0, 0))
    assert archive.release_id(ask(app=str(tmp_path / "elsewhere"))) == archive.release_id(ask())


@pytest.mark.parametrize(
    "name",
    ["__pycache__/app.cpython-311.pyc", "data/app.pyc", ".git/HEAD", ".venv/bin/python", "venv/pyvenv.cfg",
     "data/__pycache__/x", ".ruff_cache/x", ".mypy_cache/x", ".pytest_cache/x", ".hg/x", ".svn/x"],
)  # fmt: skip
def test_caches_and_version_control_are_left_out(archive: ModuleType, ask: Ask, tmp_path: Path, name: str) -> None:
    before = archive.release_id(ask())
    write(tmp_path / "app" / name, "x")
    assert archive.release_id(ask()) == before


def test_the_environment_follows_requirements_and_interpreter_only(
    archive: ModuleType, ask: Ask, tmp_path: Path
) -> None:
    before = archive.environment_id(ask())
    write(tmp_path / "app/app.py", "application = repr\n")
    assert archive.environment_id(ask()) == before
    assert archive.environment_id(ask(interpreter="cpython-313-x86_64")) != before
    write(tmp_path / "app/requirements.txt", "markupsafe==3.0.3 --hash=sha256:00\n")
    assert archive.environment_id(ask()) != before


def test_identifiers_are_twelve_hexadecimal_digits(archive: ModuleType, ask: Ask) -> None:
    description = archive.describe(ask())
    assert description["errors"] == []
    assert all(len(description[name]) == 12 and int(description[name], 16) for name in ("release", "environment"))


def test_parts_are_framed(archive: ModuleType) -> None:
    assert archive.digest_of("ab", "c") != archive.digest_of("a", "bc")
    assert archive.digest_of("a", "") != archive.digest_of("a")
