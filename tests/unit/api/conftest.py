"""The API in each way it can be deployed, with an empty database."""

import sys
from pathlib import Path

import pytest

# Tests import the application's modules and their own helper by name, whatever pytest's import mode is.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[3] / "files" / "api")]

from api_client import Client, load_application  # noqa: E402


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The application's state folder, empty."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    return tmp_path


@pytest.fixture(params=["default prefix", "prefix stripped", "other prefix stripped", "other prefix by environment"])
def anywhere(request: pytest.FixtureRequest, state: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The application in each way it can be deployed."""
    monkeypatch.delenv("URL_PREFIX", raising=False)
    if request.param == "other prefix by environment":
        monkeypatch.setenv("URL_PREFIX", "/lab/inventory/")
    prefix = "/lab/inventory" if request.param.startswith("other") else "/webpy_api"
    return Client(load_application(), prefix, request.param.endswith("stripped"))


@pytest.fixture
def api(state: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The application as the role's defaults deploy it."""
    monkeypatch.delenv("URL_PREFIX", raising=False)
    return Client(load_application(), "/webpy_api", strip=False)
