"""What root unpacks on the host."""

import base64
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROLE = Path(__file__).resolve().parents[3] / "roles/webpy_gateway"

Ask = Callable[..., Any]
Pack = Callable[[], dict[str, tarfile.TarInfo]]


@pytest.fixture
def pack(archive: ModuleType, ask: Ask, tmp_path: Path) -> Pack:
    """Pack and return the members by name, without the release's folder."""
    (tmp_path / "tmp").mkdir()

    def members() -> dict[str, tarfile.TarInfo]:
        release = archive.release_id(ask())
        with tarfile.open(archive.pack(ask(), release, str(tmp_path / "tmp"))) as tar:
            found = {member.name.removeprefix(release).removeprefix("/"): member for member in tar}
        assert len(found) == len({member.name for member in found.values()})
        return found

    return members


def test_it_holds_the_release_and_nothing_else(pack: Pack) -> None:
    assert set(pack()) == {
        "", "app", "lib/webpy_gateway/__init__.py", "lib/webpy_gateway/serve.py", "app/app.py", "app/data/words.txt",
        "portal/index.html", "requirements.txt", "release.json", "venv",
    }  # fmt: skip


def test_everything_is_roots_and_of_the_services_group(pack: Pack) -> None:
    assert {(member.uname, member.gname) for member in pack().values()} == {("root", "shop")}


def test_nobody_but_root_may_write(pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "app/app.py").chmod(0o777)
    (tmp_path / "app/data/words.txt").chmod(0o666)
    members = pack()
    assert members["app/app.py"].mode == 0o755
    assert members["app/data/words.txt"].mode == 0o644
    assert members["app"].mode == 0o750
    assert members[""].mode == 0o755


def test_links_stay_links(pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "app/link").symlink_to("app.py")
    member = pack()["app/link"]
    assert member.issym()
    assert member.linkname == "app.py"


def test_the_environment_is_a_link_to_its_folder(archive: ModuleType, ask: Ask, pack: Pack) -> None:
    assert pack()["venv"].linkname == f"/opt/shop/venvs/{archive.environment_id(ask())}"


def test_files_hold_what_they_should(archive: ModuleType, ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "app/requirements.txt").write_text("markupsafe==3.0.3 --hash=sha256:00\n")
    release = archive.release_id(ask())
    path = archive.pack(ask(), release, str(tmp_path))
    with tarfile.open(path) as tar:

        def text(name: str) -> str:
            file = tar.extractfile(f"{release}/{name}")
            assert file
            return file.read().decode()

        assert text("app/data/words.txt") == "one\n"
        assert json.loads(text("release.json"))["id"] == release
        assert text("requirements.txt").split("\n") == [
            "gevent==26.9.0 --hash=sha256:00", "", "markupsafe==3.0.3 --hash=sha256:00", ""
        ]  # fmt: skip


def test_a_change_during_the_run_is_noticed(archive: ModuleType, ask: Ask, tmp_path: Path) -> None:
    release = archive.release_id(ask())
    (tmp_path / "app/app.py").write_text("application = repr\n")
    with pytest.raises(archive.ChangedError, match="changed during the run; run again"):
        archive.pack(ask(), release, str(tmp_path))


def test_a_change_during_the_run_is_an_error_like_others(
    archive: ModuleType,
    ask: Ask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stale = {"release": "0" * 12, "environment": "0" * 12, "errors": []}
    monkeypatch.setattr(archive, "describe", lambda _question: stale)
    monkeypatch.setattr("sys.argv", ["release_archive.py", json.dumps(ask()._asdict()), str(tmp_path)])
    archive.main()
    described = json.loads(capsys.readouterr().out)
    assert described["archive"] == ""
    assert "changed during the run" in described["errors"][0]


@pytest.fixture
def answer(ask: Ask, tmp_path: Path) -> Callable[..., Any]:
    """What the script prints for arguments after the question."""

    def run(*arguments: str, **other: str) -> Any:
        command = [sys.executable, "-I", str(ROLE / "files/control/release_archive.py")]
        return json.loads(subprocess.check_output([*command, json.dumps(ask(**other)._asdict()), *arguments]))

    (tmp_path / "out").mkdir()
    return run


def test_what_the_host_lacks_is_described_and_packed(answer: Callable[..., Any], tmp_path: Path) -> None:
    described = answer(str(tmp_path / "out"), "000000000000")
    assert described["errors"] == []
    assert tarfile.is_tarfile(described["archive"])
    assert {str(path) for path in (tmp_path / "out").iterdir()} == {described["archive"], described["text"]}
    assert base64.b64decode(Path(described["text"]).read_bytes()) == Path(described["archive"]).read_bytes()


def test_what_is_large_does_not_become_text(answer: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "app/data/noise").write_bytes(os.urandom(1100 * 1024))
    described = answer(str(tmp_path / "out"))
    assert described["text"] == ""
    assert tarfile.is_tarfile(described["archive"])


@pytest.mark.parametrize("why", ["the host has it", "dry run", "errors"])
def test_nothing_is_packed_in_vain(answer: Callable[..., Any], tmp_path: Path, why: str) -> None:
    folder, release = str(tmp_path / "out"), answer("")["release"]
    described = {
        "the host has it": lambda: answer(folder, "000000000000", release),
        "dry run": lambda: answer(""),
        "errors": lambda: answer(folder, app_object="app:nothing"),
    }[why]()
    assert described["archive"] == ""
    assert bool(described["errors"]) == (why == "errors")
    assert list((tmp_path / "out").iterdir()) == []
