"""How a host unpacks and finishes a release: real archives, environments and wheels, Debian's own pip."""

import base64
import glob
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "roles/webpy_gateway/files/host/build_release.py"
pytestmark = pytest.mark.skipif(
    not glob.glob("/usr/share/python-wheels/pip-*.whl"), reason="builds with the pip of Debian's python3-pip-whl"
)


def wheel(folder: Path, name: str, size: int = 0) -> str:
    """Write a wheel with one module and so many bytes of data; return the line that requires it."""
    folder.mkdir(exist_ok=True)
    path, info = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", "WHO = __name__\n")
        file.writestr(f"{name}.data/data/{name}.bin" if size else f"{name}_data.txt", os.urandom(size))
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "".join(f"{item},,\n" for item in [*file.namelist(), f"{info}/RECORD"]))
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class Host:
    """Folders as below /opt, a wheelhouse, and the release that is to be built there."""

    def __init__(self, folder: Path, archive: ModuleType, ask: Callable[..., Any]) -> None:
        self.home, self.brought, self._wheels = folder / "opt", folder / "brought", folder / "wheelhouse"
        self._folder, self._archive, self._ask = folder, archive, ask
        for part in ("releases", "venvs"):
            (self.home / part).mkdir(parents=True)
        self.require(wheel(self._wheels, "small"))

    def require(self, *lines: str) -> None:
        """Pin the requirements of the release."""
        (self._folder / "requirements.txt").write_text("".join(lines))
        self.pack()

    def pack(self) -> None:
        """Pack what is to be built."""
        question = self._ask(home=str(self.home))
        described = self._archive.describe(question)
        self.packed = Path(self._archive.pack(question, described["release"], str(self._folder)))
        self.release = self.home / "releases" / described["release"]
        self.environment = self.home / "venvs" / described["environment"]

    def command(self, *, wheels: bool = True, large: bool = False) -> list[str | Path]:
        """Return the command that builds, after the role has brought what it needs."""
        shutil.rmtree(self.brought, ignore_errors=True)
        self.brought.mkdir()
        if wheels:
            shutil.copytree(self._wheels, self.brought / "wheels")
        if large:
            shutil.copy(self.packed, self.brought / "release.tar.gz")
        return ["/usr/bin/python3", "-I", "-c", SCRIPT.read_text(), self.release, self.environment, self.brought]

    def build(self, *, large: bool = False, wheels: bool = True) -> subprocess.CompletedProcess[str]:
        """Build; no index is ever reached."""
        text = "" if large else base64.b64encode(self.packed.read_bytes()).decode()
        return subprocess.run(
            self.command(wheels=wheels, large=large), input=text, capture_output=True, text=True, check=False,
            env={**os.environ, "PIP_INDEX_URL": "http://127.0.0.1:1/", "PIP_RETRIES": "0"},
        )  # fmt: skip

    @property
    def finished(self) -> tuple[bool, bool]:
        """Whether the release is, and its environment."""
        return (self.release / ".ready").exists(), (self.environment / ".ready").exists()


@pytest.fixture
def host(tmp_path: Path, archive: ModuleType, ask: Callable[..., Any]) -> Host:
    """A host that has nothing yet."""
    ask()
    return Host(tmp_path, archive, ask)


@pytest.mark.parametrize("large", [False, True])
def test_a_release_is_finished_with_its_environment(host: Host, large: bool) -> None:
    ended = host.build(large=large)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert host.finished == (True, True)
    assert list((host.release / "app/__pycache__").glob("app.*.pyc"))
    assert not host.brought.exists()
    python = [host.release / "venv/bin/python", "-P", "-c"]
    said = subprocess.run([*python, "import small; print(small.WHO)"], capture_output=True, text=True)
    assert said.stdout == "small\n"
    assert subprocess.run([*python, "import pip"], capture_output=True).returncode, "no pip for the application"


def test_what_a_killed_run_left_is_built_anew(host: Host) -> None:
    """The run dies while pip waits for an index."""
    with socket.create_server(("127.0.0.1", 0)) as index:
        url = f"http://127.0.0.1:{index.getsockname()[1]}/simple/"
        run = subprocess.Popen(
            host.command(wheels=False, large=True), stdin=subprocess.DEVNULL, env={**os.environ, "PIP_INDEX_URL": url},
            start_new_session=True,
        )  # fmt: skip
        index.settimeout(60)
        connection, _ = index.accept()
        os.killpg(run.pid, signal.SIGKILL)
        connection.close()
        run.wait()
    assert (host.environment / "bin/python").exists()
    assert host.finished == (False, False)
    (host.environment / "half").touch()
    (host.release / "half").touch()
    assert host.build().returncode == 0
    assert host.finished == (True, True)
    assert not (host.environment / "half").exists()
    assert not (host.release / "half").exists()


def test_a_finished_environment_is_shared_and_never_touched(host: Host, tmp_path: Path) -> None:
    assert host.build().returncode == 0
    before = {path: path.lstat().st_mtime_ns for path in host.environment.rglob("*")}
    old = host.release, host.environment
    (tmp_path / "app/more.py").write_text("")
    host.pack()
    assert host.release != old[0]
    assert host.environment == old[1]
    assert host.build(wheels=False).returncode == 0, "no wheels and no index were needed"
    assert {path: path.lstat().st_mtime_ns for path in host.environment.rglob("*")} == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"small==1.0 --hash=sha256:{'0' * 64}\n", "DO NOT MATCH THE HASHES"),
        (f"missing==1.0 --hash=sha256:{'0' * 64}\n", "No matching distribution found for missing==1.0"),
        ("small==1.0\n", "Hashes are required"),
    ],
)
def test_pip_refuses_what_is_not_as_pinned(host: Host, archive: ModuleType, line: str, words: str) -> None:
    host.require(line)
    ended = host.build()
    assert ended.returncode == 3
    assert words in ended.stderr
    assert host.finished == (False, False)
    assert not host.brought.exists()


def test_invalid_python_is_named_and_the_release_not_finished(host: Host, tmp_path: Path) -> None:
    (tmp_path / "app/helper.py").write_text("one = 1\nvalue = (\n")
    host.pack()
    ended = host.build()
    assert ended.returncode == 1
    assert "helper.py" in ended.stdout
    assert "line 2" in ended.stdout
    assert host.finished == (False, True)


def test_half_an_archive_is_no_release(host: Host) -> None:
    whole = host.packed.read_bytes()
    host.packed.write_bytes(whole[: len(whole) // 2])
    ended = host.build()
    assert ended.returncode == 1
    assert "tar:" in ended.stderr
    assert not host.release.joinpath(".ready").exists()


@pytest.fixture
def small_disk(host: Host) -> Iterator[Path]:
    """A disk of two megabytes below the host's folders; gone afterwards."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", host.home], check=True)
    for part in ("releases", "venvs"):
        (host.home / part).mkdir()
    yield host.home
    subprocess.run(["umount", host.home], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts disks")
def test_a_full_disk_is_told_and_leaves_nothing_that_looks_finished(host: Host, small_disk: Path) -> None:
    host.require(wheel(small_disk.parent / "wheelhouse", "large", 4 << 20))
    ended = host.build()
    assert ended.returncode
    assert "No space left on device" in ended.stderr
    assert host.finished == (False, False)
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    assert host.build().returncode == 0
    assert host.finished == (True, True)
