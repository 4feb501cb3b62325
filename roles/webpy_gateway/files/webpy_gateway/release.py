"""A release: the folder that holds the application, this package and what they were built from."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from webpy_gateway.problem import Problem, SetupError


@dataclass(frozen=True, slots=True)
class Release:
    """Where a release is and how it is called."""

    id: str
    folder: Path

    @property
    def app(self) -> Path:
        """Folder of the operator's application."""
        return (self.folder / "app").resolve()


def default_folder() -> Path:
    """The release that this package itself lies in (`RELEASE/lib/webpy_gateway`)."""
    return Path(__file__).resolve().parent.parent.parent


def read(folder: Path) -> Release:
    """The release in the folder. Raises SetupError when release.json or the application folder is missing or wrong."""
    folder = folder.resolve()
    description = folder / "release.json"
    try:
        content = json.loads(description.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unusable(description, error.strerror or str(error)) from error
    except ValueError as error:
        raise _unusable(description, f"not JSON: {error}") from error
    identity = content.get("id") if isinstance(content, dict) else None
    if not isinstance(identity, str) or not re.fullmatch(r"[0-9A-Za-z._-]{1,64}", identity):
        raise _unusable(description, f'has no usable "id": {identity!r:.80}')
    if not (folder / "app").is_dir():
        raise _unusable(folder / "app", "not a folder")
    return Release(identity, folder)


def _unusable(path: Path, reason: str) -> SetupError:
    remedy = "name the folder of a complete release, or deploy it again"
    return SetupError(Problem("--release", str(path), reason, remedy))
