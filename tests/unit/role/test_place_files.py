"""How files come to the host, and how the files of a trial go again: real files, as root."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HOST = Path(__file__).resolve().parents[3] / "roles/webpy_gateway/files/host"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def run(script: str, wanted: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", (HOST / script).read_text()]
    return subprocess.run(command, input=json.dumps(wanted), capture_output=True, text=True, check=False, cwd="/")


def state(path: Path) -> tuple[str, str, str]:
    return path.read_text(), f"{path.stat().st_mode & 0o7777:04o}", path.group()


def test_files_have_content_mode_and_group(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "old").chmod(0o666)
    files = [
        {"path": str(tmp_path / "old"), "content": "größer\n", "mode": "0640", "group": "daemon", "unit": "none"},
        {"path": str(tmp_path / "new"), "content": ""},
    ]
    assert run("place_files.py", {"files": files}).returncode == 0
    assert state(tmp_path / "old") == ("größer\n", "0640", "daemon")
    assert state(tmp_path / "new") == ("", "0644", "root")
    assert sorted(os.listdir(tmp_path)) == ["new", "old"]


def test_folders_links_and_removal(tmp_path: Path) -> None:
    (tmp_path / "gone/below").mkdir(parents=True)
    (tmp_path / "link").symlink_to("gone")
    wanted = {
        "folders": [{"path": str(tmp_path / "a/b"), "mode": "0700"}, {"path": str(tmp_path / "gone")}],
        "links": {str(tmp_path / "link"): "a"},
        "absent": [str(tmp_path / "gone"), str(tmp_path / "was/never")],
    }
    for _ in range(2):
        assert run("place_files.py", wanted).returncode == 0
        assert sorted(os.listdir(tmp_path)) == ["a", "link"]
        assert os.readlink(tmp_path / "link") == "a"
        assert (tmp_path / "a/b").stat().st_mode & 0o7777 == 0o700


def test_a_failure_names_the_path_and_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    files = [{"path": str(tmp_path / "file"), "content": "new", "group": "no-such-group"}]
    ended = run("place_files.py", {"files": files})
    assert ended.returncode == 1
    assert "no-such-group" in ended.stderr
    ended = run("place_files.py", {"files": [{"path": str(tmp_path / "none/file"), "content": ""}]})
    assert ended.returncode == 1
    assert str(tmp_path / "none/file") in ended.stderr
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.parametrize("code", [0, 7])
def test_a_trial_sees_its_files_and_leaves_nothing(tmp_path: Path, code: int) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live/other").write_text("as it is")
    (tmp_path / "available").write_text("untouched")
    (tmp_path / "live/snippet").symlink_to(tmp_path / "available")
    (tmp_path / "live/kept").mkdir(mode=0o750)
    (tmp_path / "live/kept/part").touch(mode=0o640)
    for path in (tmp_path / "live/kept", tmp_path / "live/kept/part"):
        shutil.chown(path, "daemon", "daemon")
    trial = tmp_path / "trial"
    trial.mkdir()
    (trial / "left over").touch()
    looked_at = ". kept kept/part secrets/token"
    wanted = {
        "folder": str(trial),
        "group": "daemon",
        "below": str(tmp_path / "live"),
        "copy": True,
        "files": [
            {"path": str(tmp_path / "live/snippet"), "content": "candidate"},
            {"path": str(tmp_path / "live/secrets/token"), "content": "hidden", "mode": "0600"},
        ],
        "command": ["sh", "-c", f"cd {trial} && ls && stat -c '%a %G' {looked_at} && cat *t*r; exit {code}"],
    }
    ended = run("with_files.py", wanted)
    assert ended.returncode == code
    there, states = ["kept", "other", "secrets", "snippet"], ["750 daemon", "750 daemon", "640 daemon", "600 root"]
    assert ended.stdout.splitlines() == [*there, *states, "as it is"]
    assert not trial.exists()
    assert (tmp_path / "available").read_text() == "untouched"
    assert (tmp_path / "live/other").read_text() == "as it is"


def test_a_trial_that_cannot_begin_says_why(tmp_path: Path) -> None:
    wanted = {"folder": str(tmp_path / "t"), "group": "root", "below": "/", "copy": False, "files": []}
    ended = run("with_files.py", wanted | {"command": ["/no/such/program"]})
    assert ended.returncode == 1
    assert "/no/such/program" in ended.stderr
    assert not (tmp_path / "t").exists()
