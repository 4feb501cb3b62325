"""The role's own scripts, and a question for the control node's one."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROLE = Path(__file__).resolve().parents[3] / "roles/webpy_gateway"


def script(path: str) -> ModuleType:
    """Import a script of the role."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROLE / "files" / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def archive() -> ModuleType:
    """files/control/release_archive.py."""
    return script("control/release_archive.py")


@pytest.fixture(scope="session")
def inspect_host() -> ModuleType:
    """files/host/inspect_host.py."""
    return script("host/inspect_host.py")


@pytest.fixture
def prove() -> ModuleType:
    """files/host/prove.py."""
    return script("host/prove.py")


@pytest.fixture(scope="session")
def activate() -> ModuleType:
    """files/host/activate.py."""
    return script("host/activate.py")


@pytest.fixture(scope="session")
def begin_run() -> ModuleType:
    """files/host/begin_run.py."""
    return script("host/begin_run.py")


@pytest.fixture(scope="session")
def undo_run() -> ModuleType:
    """files/host/undo_run.py."""
    return script("host/undo_run.py")


@pytest.fixture(scope="session")
def end_run() -> ModuleType:
    """files/host/end_run.py."""
    return script("host/end_run.py")


@pytest.fixture(scope="session")
def this_run() -> ModuleType:
    """files/control/this_run.py."""
    return script("control/this_run.py")


@pytest.fixture(scope="session")
def install_packages() -> ModuleType:
    """files/host/install_packages.py."""
    return script("host/install_packages.py")


@pytest.fixture
def ask(archive: ModuleType, tmp_path: Path) -> Callable[..., Any]:
    """A question about a small release in tmp_path; arguments replace parts of it."""
    for name, text in {
        "package/__init__.py": "",
        "package/serve.py": "print('serve')\n",
        "requirements.txt": "gevent==26.9.0 --hash=sha256:00\n",
        "app/app.py": "application = print\n",
        "app/data/words.txt": "one\n",
        "portal/index.html": "<p>hello</p>\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    def make(**other: str) -> Any:
        return archive.Question(
            **{
                "package": str(tmp_path / "package"),
                "requirements": str(tmp_path / "requirements.txt"),
                "app": str(tmp_path / "app"),
                "app_object": "app:application",
                "app_requirements": "requirements.txt",
                "portal": str(tmp_path / "portal"),
                "interpreter": "cpython-311-x86_64",
                "home": "/opt/shop",
                "group": "shop",
            }
            | other
        )

    return make
