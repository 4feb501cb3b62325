"""What of a switch needs no service manager; units, reliefs and lighttpd are the scenarios' (molecule/)."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def wanted(tmp_path: Path) -> dict[str, Any]:
    """A switch in which no unit has to learn of anything."""
    parts = ["files", "backlog", "firewall", "target", "workers", "start", "surplus", "site", "proxy", "proxy_restart"]
    units: dict[str, Any] = dict.fromkeys(["target", "socket", "firewall", "site"], "")
    units |= {"workers": [], "surplus": [], "idle": []}
    (tmp_path / "current").symlink_to("releases/one")
    due = dict.fromkeys(parts, False)
    return units | {"home": str(tmp_path), "release": "two", "due": due, "settings": str(tmp_path / "none.conf")}


def run(activate: ModuleType, wanted: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(activate.__file__)]
    return subprocess.run(command, input=json.dumps(wanted), capture_output=True, text=True, check=False)


def test_the_link_names_the_release(activate: ModuleType, wanted: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "current.new").symlink_to("of a killed run")
    for _ in range(2):
        assert run(activate, wanted).returncode == 0
        assert os.readlink(tmp_path / "current") == "releases/two"
        assert os.listdir(tmp_path) == ["current"]


def test_no_release_leaves_the_link_alone(activate: ModuleType, wanted: dict[str, Any], tmp_path: Path) -> None:
    assert run(activate, wanted | {"release": ""}).returncode == 0
    assert os.readlink(tmp_path / "current") == "releases/one"


def test_the_link_is_there_at_any_moment(activate: ModuleType, wanted: dict[str, Any], tmp_path: Path) -> None:
    seen, done = set[str](), threading.Event()

    def watch() -> None:
        while not done.is_set():
            try:
                seen.add(os.readlink(tmp_path / "current"))
            except FileNotFoundError:
                seen.add("nothing")

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(2000):
        activate.switch(tmp_path, ("one", "two")[number % 2])
    done.set()
    watcher.join()
    assert seen == {"releases/one", "releases/two"}


def test_a_failure_names_what_the_system_refused(activate: ModuleType, wanted: dict[str, Any], tmp_path: Path) -> None:
    ended = run(activate, wanted | {"home": str(tmp_path / "none")})
    assert ended.returncode == 1
    assert ended.stderr.startswith("[Errno 2]")
    assert str(tmp_path / "none") in ended.stderr


def test_a_command_that_fails_ends_the_switch_with_its_words(activate: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=f"ls {tmp_path}/none: ls: .*No such file or directory"):
        activate.run("ls", str(tmp_path / "none"))
