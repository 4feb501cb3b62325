"""Everything that can be seen to be wrong with an application, without running it."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Ask = Callable[..., Any]


def errors(archive: ModuleType, question: Any) -> list[str]:
    description = archive.describe(question)
    assert bool(description["errors"]) == (description["release"] == "")
    return list(description["errors"])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"app": "/no/such"}, ["webpy_gateway_app_src", "'/no/such'", "name the folder of the application"]),
        ({"portal": "/no/such"}, ["webpy_gateway_portal_src", "'/no/such'", "name the folder of the pages"]),
        ({"app_object": "main:application"}, ["webpy_gateway_app_object", "'main:application'", "main.py"]),
        ({"app_object": "app:api"}, ["webpy_gateway_app_object", "'app:api'", "defines no 'api'", "web.application"]),
    ],
)
def test_errors_name_variable_value_and_remedy(
    archive: ModuleType, ask: Ask, other: dict[str, str], words: list[str]
) -> None:
    (error,) = errors(archive, ask(**other))
    assert [word for word in words if word not in error] == []


def test_all_errors_come_at_once(archive: ModuleType, ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "app/requirements.txt").write_text("markupsafe==3.0.3\n")
    found = errors(archive, ask(app_object="app:api", portal="/no/such"))
    assert [error.split(":")[0] for error in found] == [
        "webpy_gateway_app_object", "webpy_gateway_app_requirements", "webpy_gateway_portal_src"
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["empty", "caches only"])
def test_a_folder_without_files_is_refused(archive: ModuleType, ask: Ask, tmp_path: Path, kind: str) -> None:
    (tmp_path / "empty/__pycache__").mkdir(parents=True)
    if kind == "caches only":
        (tmp_path / "empty/__pycache__/app.cpython-311.pyc").write_bytes(b"")
    for variable in ("app", "portal"):
        (error,) = errors(archive, ask(**{variable: str(tmp_path / "empty")}))
        assert "is no folder with files" in error


@pytest.mark.parametrize("text", ["application = (\n", "\0", "def application(:\n", "# coding: nonsense\n"])
def test_python_that_does_not_parse_is_refused(archive: ModuleType, ask: Ask, tmp_path: Path, text: str) -> None:
    (tmp_path / "app/app.py").write_text(text)
    (error,) = errors(archive, ask())
    assert str(tmp_path / "app/app.py") in error
    assert "is no valid Python" in error


@pytest.mark.parametrize(
    "text",
    [
        "application = print",
        "application: object = print",
        "def application(environ, start_response): ...",
        "async def application(): ...",
        "class application: ...",
        "from wsgi import application",
        "from wsgi import main as application",
        "import application",
        "from wsgi import *",
        "try:\n    from fast import application\nexcept ImportError:\n    application = None",
        "if True:\n    application = print",
        "one, application = 1, print",
        "with open('/dev/null') as application: ...",
    ],
)
def test_every_way_to_bind_the_name_is_accepted(archive: ModuleType, ask: Ask, tmp_path: Path, text: str) -> None:
    (tmp_path / "app/app.py").write_text(text)
    assert errors(archive, ask()) == []


@pytest.mark.parametrize("name", ["shop/__init__.py", "shop.py"])
def test_packages_and_dotted_names_are_accepted(archive: ModuleType, ask: Ask, tmp_path: Path, name: str) -> None:
    (tmp_path / "app" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "app" / name).write_text("application = print")
    assert errors(archive, ask(app_object="shop:application")) == []


@pytest.mark.parametrize(("target", "accepted"), [("data/words.txt", True), ("/etc/passwd", False), ("..", False)])
def test_links_stay_inside_the_folder(
    archive: ModuleType, ask: Ask, tmp_path: Path, target: str, accepted: bool
) -> None:
    (tmp_path / "app/link").symlink_to(target)
    found = errors(archive, ask())
    assert ("leaves the folder" in " ".join(found)) is not accepted
    assert bool(found) is not accepted


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("markupsafe==3.0.3 --hash=sha256:00\n", True),
        ("markupsafe==3.0.3 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n", True),
        ("# a comment\n\nmarkupsafe==3.0.3 --hash=sha256:00  # via web.py\n", True),
        ("--only-binary :all:\n", True),
        ("markupsafe==3.0.3\n", False),
        ("markupsafe==3.0.3  # --hash=sha256:00\n", False),
        ("markupsafe @ https://example.org/markupsafe.whl\n", False),
        ("-e .\n", False),
        ("-r more.txt\n", False),
        ("--requirement more.txt\n", False),
        ("--index-url https://example.org/simple\n", True),
    ],
)
def test_requirements_are_pinned_by_hash(
    archive: ModuleType, ask: Ask, tmp_path: Path, text: str, accepted: bool
) -> None:
    (tmp_path / "app/requirements.txt").write_text(text)
    found = errors(archive, ask())
    assert bool(found) is not accepted
    assert all(error.startswith("webpy_gateway_app_requirements: ") for error in found)
