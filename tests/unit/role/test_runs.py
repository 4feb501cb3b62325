"""One run at a time, what undoes it, and what is remembered of it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROLE = Path(__file__).resolve().parents[3] / "roles/webpy_gateway"


@pytest.fixture
def wanted(tmp_path: Path) -> dict[str, Any]:
    """What a run asks for that finds nothing on the host."""
    me = {"control": "here", "pid": 1, "started": "1", "who": "me@here"}
    return {
        "folder": str(tmp_path / "lock"), "generation": "", "me": me, "what": "shop 1", "gone": "", "lease": 100,
        "patience": 0, "token": "", "journal": None,
    }  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with two releases, the second one live."""
    for release in ("one", "two"):
        build(tmp_path / "home", release)
    (tmp_path / "home/current").symlink_to("releases/two")
    return tmp_path / "home"


def build(home: Path, release: str, environment: str = "env") -> None:
    (home / "releases" / release).mkdir(parents=True)
    (home / "releases" / release / ".ready").touch()
    (home / "releases" / release / "venv").symlink_to(home / "venvs" / environment)
    (home / "venvs" / environment).mkdir(parents=True, exist_ok=True)
    (home / "venvs" / environment / ".ready").touch()


def ending(home: Path, **other: Any) -> dict[str, Any]:
    return {"outcome": "", "release": "", "reason": "", "abandoned": "", "keep": 2, "home": str(home)} | other


def test_a_second_run_is_kept_out_and_told_by_whom(begin_run: ModuleType, wanted: dict[str, Any]) -> None:
    assert begin_run.begin(wanted)["outcome"] == "begun"
    answer = begin_run.begin(wanted)
    assert (answer["outcome"], answer["token"], answer["holder"]["who"]) == ("held", "", "me@here")


def test_the_same_run_may_ask_again(begin_run: ModuleType, wanted: dict[str, Any]) -> None:
    token = begin_run.begin(wanted)["token"]
    assert begin_run.begin(wanted | {"token": token, "generation": token})["outcome"] == "begun"


@pytest.mark.parametrize(("lease", "gone"), [(-1, False), (100, True)])
def test_a_lock_ends_with_its_lease_or_its_holder(
    begin_run: ModuleType, wanted: dict[str, Any], lease: int, gone: bool
) -> None:
    dead = begin_run.begin(wanted | {"lease": lease})["token"]
    answer = begin_run.begin(wanted | {"generation": dead, "gone": dead if gone else ""})
    assert answer["outcome"] == "stale", "what the dead one left was never looked at"
    assert answer["token"] not in ("", dead)


def test_who_looked_before_another_run_ended_looks_again(
    begin_run: ModuleType, end_run: ModuleType, wanted: dict[str, Any]
) -> None:
    during = begin_run.begin(wanted)["token"]
    end_run.let_go(Path(wanted["folder"]))
    assert begin_run.begin(wanted | {"generation": during})["outcome"] == "stale"


def test_a_run_that_waited_looks_again(begin_run: ModuleType, wanted: dict[str, Any]) -> None:
    lock = begin_run.begin(wanted | {"lease": 0.6})["token"]
    assert begin_run.begin(wanted | {"patience": 5, "generation": lock})["outcome"] == "stale"


def test_of_many_at_once_one_gets_in(begin_run: ModuleType, wanted: dict[str, Any]) -> None:
    script = [sys.executable, "-I", str(begin_run.__file__)]
    runs = [subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    answers = [json.loads(run.communicate(json.dumps(wanted))[0]) for run in runs]
    assert sorted(answer["outcome"] for answer in answers) == ["begun"] + ["held"] * 7


def test_what_a_run_did_is_undone(
    begin_run: ModuleType, undo_run: ModuleType, wanted: dict[str, Any], home: Path
) -> None:
    etc = home.parent / "etc"
    etc.mkdir()
    (etc / "changed").write_text("old")
    (etc / "changed").chmod(0o640)
    (etc / "link").symlink_to("old")
    names = [str(etc / name).removeprefix("/") for name in ("changed", "link")]
    journal = {"home": str(home), "before": "two", "release": "three", "due": {"workers": True}}
    journal |= {"added": [str(etc / "new"), str(etc / "never-written")], "replaced": names}
    assert begin_run.begin(wanted | {"journal": journal})["outcome"] == "begun"
    (etc / "changed").unlink()
    (etc / "changed.new").write_text("half")
    (etc / "link").unlink()
    (etc / "link").symlink_to("new")
    (etc / "new").write_text("new")
    (home / "current").unlink()
    for _ in range(2):
        undo_run.undo(home)
        assert {path.name for path in etc.iterdir()} == {"changed", "link"}
        assert (etc / "changed").read_text() == "old"
        assert (etc / "changed").stat().st_mode & 0o777 == 0o640
        assert os.readlink(etc / "link") == "old"
        assert os.readlink(home / "current") == "releases/two"


def test_a_first_run_leaves_no_release(begin_run: ModuleType, undo_run: ModuleType, home: Path) -> None:
    begin_run.write_journal(str(home), before="", release="two", due={}, added=[], replaced=[])
    undo_run.undo(home)
    assert not (home / "current").is_symlink()


def test_an_interrupted_run_is_noticed_until_it_is_undone(
    begin_run: ModuleType, wanted: dict[str, Any], home: Path
) -> None:
    journal = {"home": str(home), "before": "two", "release": "three", "due": {}, "added": [], "replaced": []}
    wanted |= {"journal": journal}
    dead = begin_run.begin(wanted)["token"]
    next_one = wanted | {"generation": dead, "gone": dead}
    answer = begin_run.begin(next_one)
    assert answer["outcome"] == "interrupted"
    assert begin_run.begin(next_one | {"token": answer["token"]})["outcome"] == "begun"


def test_a_full_disk_holds_nobody_up(begin_run: ModuleType, wanted: dict[str, Any], home: Path) -> None:
    journal = {"home": str(home), "before": "", "release": "", "due": {}, "added": [], "replaced": ["no/such/file"]}
    with pytest.raises(subprocess.CalledProcessError):
        begin_run.begin(wanted | {"journal": journal})
    assert begin_run.begin(wanted)["outcome"] == "begun"


def releases(home: Path) -> set[str]:
    return {folder.name for folder in (home / "releases").iterdir()}


def history(home: Path) -> list[tuple[str, str]]:
    return [(entry["release"], entry["state"]) for entry in json.loads((home / "history.json").read_text())["releases"]]


def go(end_run: ModuleType, home: Path, release: str, **other: Any) -> str:
    """Let a release prove itself; return the one before."""
    (home / "current").unlink()
    (home / "current").symlink_to(f"releases/{release}")
    end_run.settle(home, ending(home, outcome="good", release=release, **other))
    return str(json.loads((home / "history.json").read_text())["previous"])


def test_previous_is_the_latest_good_one(end_run: ModuleType, home: Path) -> None:
    assert go(end_run, home, "two") == ""
    build(home, "three")
    assert go(end_run, home, "three") == "two"
    assert go(end_run, home, "three") == "two"


def test_a_release_that_was_left_is_not_gone_back_to(end_run: ModuleType, home: Path) -> None:
    go(end_run, home, "two", keep=5)
    for release in ("three", "four"):
        build(home, release)
        go(end_run, home, release, keep=5)
    assert go(end_run, home, "three", abandoned="four", keep=5) == "two"
    assert history(home) == [("three", "good"), ("four", "abandoned"), ("two", "good")]
    assert go(end_run, home, "four", keep=5) == "three", "deployed again it is as good as any"


def test_failed_ones_go_first_and_good_ones_stay(end_run: ModuleType, home: Path) -> None:
    go(end_run, home, "two")
    for number in range(3):
        build(home, f"bad{number}", f"env{number}")
        end_run.settle(home, ending(home, outcome="failed", release=f"bad{number}", reason="no"))
    assert releases(home) == {"two", "bad2"}
    assert {folder.name for folder in (home / "venvs").iterdir()} == {"env", "env2"}
    build(home, "three")
    go(end_run, home, "three")
    assert releases(home) == {"two", "three", "bad2"}, "kept for autopsy"
    build(home, "four")
    go(end_run, home, "four")
    assert releases(home) == {"three", "four", "bad2"}


def test_a_configuration_that_failed_is_no_fault_of_the_release(end_run: ModuleType, home: Path) -> None:
    go(end_run, home, "two")
    build(home, "three")
    for release in ("three", "two"):
        end_run.settle(home, ending(home, outcome="failed", release=release, reason="no"))
    assert history(home) == [("three", "failed"), ("two", "good")]


def test_half_built_ones_go(end_run: ModuleType, home: Path) -> None:
    (home / "releases/half").mkdir()
    (home / "venvs/half").mkdir()
    go(end_run, home, "two")
    assert releases(home) == {"two"}
    assert [folder.name for folder in (home / "venvs").iterdir()] == ["env"]


def test_a_dead_holder_is_told_from_a_living_one(this_run: ModuleType) -> None:
    child = subprocess.Popen(["sleep", "60"])
    found = this_run.process(child.pid)
    holder = {"control": this_run.control(), "pid": child.pid, "started": found.started}
    assert found.parent == os.getpid()
    assert not this_run.is_gone(holder)
    assert this_run.is_gone(holder | {"started": "0"}), "another process of that number"
    assert not this_run.is_gone(holder | {"control": "elsewhere", "started": "0"})
    assert not this_run.is_gone(holder | {"pid": None})
    assert not this_run.is_gone(None)
    child.kill()
    child.wait()
    assert this_run.is_gone(holder)


def test_the_playbook_is_the_first_of_the_copies(this_run: ModuleType) -> None:
    """As Ansible does it: the playbook forks a worker, that starts a shell, and that one the script."""
    script = (
        "import os, subprocess, sys\n"
        "if os.fork() == 0:\n"
        "    done = subprocess.run(['sh', '-c', sys.argv[1] + '; true'], capture_output=True, text=True)\n"
        "    print(os.getppid(), done.stdout, flush=True)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
    )
    tell = f"{sys.executable} -I {this_run.__file__} null"
    output = subprocess.run([sys.executable, "-c", script, tell], capture_output=True, text=True, check=True).stdout
    parent, answer = output.split(" ", 1)
    assert json.loads(answer)["me"]["pid"] == int(parent)
    assert json.loads(answer)["gone"] == ""


def test_packages_that_come_are_told_from_those_that_are_updated(install_packages: ModuleType) -> None:
    text = (
        "Inst lighttpd (1.4.69-1 Debian:12 [amd64])\nInst libc6 [2.36-9] (2.36-10 Debian:12 [amd64])\nConf lighttpd\n"
    )
    assert install_packages.new_ones(text) == ["lighttpd"]


def test_time_of_a_lock_is_bounded(begin_run: ModuleType, wanted: dict[str, Any]) -> None:
    for _ in ("its own", "another one"):
        holder = begin_run.begin(wanted)["holder"]
        assert holder["since"] <= time.time()
        assert holder["until"] == pytest.approx(holder["since"] + wanted["lease"], abs=1)


@pytest.mark.parametrize("left", ["", "{"])
def test_half_a_lock_is_none(begin_run: ModuleType, wanted: dict[str, Any], left: str) -> None:
    Path(wanted["folder"]).mkdir()
    Path(wanted["folder"], "lock").write_text(left)
    assert begin_run.begin(wanted)["outcome"] == "begun"


def step(token: str, lock: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Do a step of a run as the role does it."""
    shell = yaml.safe_load((ROLE / "vars/main/run.yml").read_text())["__webpy_gateway_while_ours"][:3]
    return subprocess.run([*shell, token, lock, *command], capture_output=True, text=True, check=False)


def test_every_step_begins_the_lease_anew(begin_run: ModuleType, wanted: dict[str, Any]) -> None:
    token, lock = begin_run.begin(wanted)["token"], Path(wanted["folder"], "lock")
    os.utime(lock, (0, time.time() - wanted["lease"] + 1))
    assert step(token, lock, "echo", "two  words").stdout == "two  words\n"
    assert begin_run.begin(wanted)["holder"]["until"] > time.time() + wanted["lease"] - 10


@pytest.mark.parametrize("ended", ["taken", "removed"])
def test_a_run_without_its_lock_changes_nothing(
    begin_run: ModuleType, end_run: ModuleType, wanted: dict[str, Any], home: Path, ended: str
) -> None:
    token, lock = begin_run.begin(wanted)["token"], Path(wanted["folder"], "lock")
    (home / "releases/half").mkdir()
    (home / "journal.json").touch()
    lock.unlink()
    if ended == "taken":
        begin_run.begin(wanted)
    before = lock.read_text() if ended == "taken" else ""
    refused = step(token, lock, "touch", str(home / "changed"))
    assert refused.returncode == 75
    assert f"({lock}) is no longer its own" in refused.stderr
    end = ending(home, outcome="good", settled=True, folder=wanted["folder"], token=token)
    script = [sys.executable, "-I", str(end_run.__file__)]
    done = subprocess.run(script, input=json.dumps(end), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{lock} is no longer this run's" in done.stderr
    assert {path.name for path in home.iterdir()} == {"current", "journal.json", "releases", "venvs"}
    assert (home / "releases/half").exists()
    assert (lock.read_text() if lock.exists() else "") == before
