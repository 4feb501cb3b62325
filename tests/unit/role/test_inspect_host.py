"""What the look at the host finds."""

import os
import socket
import subprocess
from collections import namedtuple
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def instance(**other: Any) -> dict[str, Any]:
    return {"name": "shop", "url_prefix": "/shop/", "server_names": [], "site_port": 80, "portal": False} | other


@pytest.mark.parametrize(
    ("other", "clash"),
    [
        ({}, True),
        ({"url_prefix": "/"}, True),
        ({"url_prefix": "/shop/cart/"}, True),
        ({"url_prefix": "/shopping/"}, False),
        ({"name": "api"}, False),
        ({"site_port": 8080}, False),
        ({"server_names": ["a.example.org"]}, True),
        ({"server_names": ["b.example.org"]}, False),
        ({"url_prefix": "/other/", "portal": True}, True),
    ],
)
def test_instances_clash_where_their_urls_overlap(
    inspect_host: ModuleType, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any], clash: bool
) -> None:
    monkeypatch.setattr(inspect_host, "instances", lambda: [instance(**other)])
    site = instance(server_names=["a.example.org"], portal=True)
    assert inspect_host.clashes(site, "api") == ([f"shop ({other.get('url_prefix', '/shop/')})"] if clash else [])


def test_a_file_is_told_by_digest_mode_and_owner(inspect_host: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert inspect_host.file_state(str(file)) is None
    assert inspect_host.file_state(str(tmp_path)) is None
    file.write_text("one")
    states = {inspect_host.file_state(str(file))}
    file.chmod(0o600)
    states.add(inspect_host.file_state(str(file)))
    file.write_text("two")
    states.add(inspect_host.file_state(str(file)))
    (tmp_path / "link").symlink_to("nowhere")
    assert len(states) == 3
    assert inspect_host.file_state(str(tmp_path / "link")) == f"{tmp_path}/link -> nowhere"


@pytest.mark.parametrize("raises", [True, False])
def test_a_service_may_open_as_many_files_as_systemd_can_let_it(
    inspect_host: ModuleType, monkeypatch: pytest.MonkeyPatch, raises: bool
) -> None:
    def setrlimit(*_: object) -> None:
        if not raises:
            raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(inspect_host.resource, "setrlimit", setrlimit)
    monkeypatch.setattr(inspect_host.resource, "prlimit", lambda *_: (1024, 20000))
    machine = int(Path("/proc/sys/fs/nr_open").read_text())
    assert inspect_host.most_files() == (machine if raises else 20000)


def test_those_who_share_a_group_are_named(inspect_host: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    user, group = namedtuple("user", "pw_name pw_gid"), namedtuple("group", "gr_gid gr_mem")
    monkeypatch.setattr(inspect_host.pwd, "getpwall", lambda: [user("shop", 7), user("eve", 7), user("bob", 8)])
    monkeypatch.setattr(inspect_host.grp, "getgrnam", {"shop": group(7, ["mallory", "shop"])}.__getitem__)
    assert inspect_host.group_members("shop") == ["eve", "mallory"]
    assert inspect_host.group_members("other") == []


def test_numbers_without_a_name_stay_numbers(inspect_host: ModuleType) -> None:
    assert inspect_host.name_of({0: ("root",)}.__getitem__, 0) == "root"
    assert inspect_host.name_of({}.__getitem__, 4321) == "4321"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_listeners_are_named(inspect_host: ModuleType, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as server:
        port = server.getsockname()[1]
        comm = Path("/proc/self/comm").read_text().strip()
        assert inspect_host.listeners([port]) == {str(port): [comm]}
    assert inspect_host.listeners([port]) == {}


def test_only_finished_releases_count_newest_first(inspect_host: ModuleType, tmp_path: Path) -> None:
    for age, name in enumerate(["new", "old", "half"]):
        (tmp_path / name).mkdir()
        if name != "half":
            (tmp_path / name / ".ready").touch()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    assert inspect_host.built(str(tmp_path)) == ["new", "old"]


def test_a_command_that_does_not_exist_prints_nothing(inspect_host: ModuleType) -> None:
    assert inspect_host.output_of("no-such-command") == ""
    assert inspect_host.output_of("echo", "here") == "here\n"


def test_an_account_of_somebody_is_told_from_ours(inspect_host: ModuleType) -> None:
    assert inspect_host.is_foreign("daemon")
    assert not inspect_host.is_foreign("no-such-user")
    assert inspect_host.user_id("root") == 0
    assert inspect_host.user_id("no-such-user") is None


@pytest.mark.parametrize("words", [[], ["setpriv", "--no-new-privs"]])
def test_a_process_in_a_sandbox_is_told_from_others(inspect_host: ModuleType, words: list[str]) -> None:
    with subprocess.Popen([*words, "sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        assert inspect_host.sandboxed(str(child.pid)) is bool(words)
        child.kill()


def test_no_process_is_in_no_sandbox(inspect_host: ModuleType) -> None:
    assert not inspect_host.sandboxed("0")
