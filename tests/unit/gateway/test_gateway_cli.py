"""The command line: check, show-config and what they say about bad input."""

import json
import os
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from gateway_kit import PACKAGES, RELEASE, Gateways
from webpy_gateway.application import load
from webpy_gateway.problem import SetupError
from webpy_gateway.release import read


def check(gateways: Gateways, *more: str, **settings: object) -> tuple[int, str, list[str]]:
    arguments = ["check", "--config", str(gateways.config(**settings)), "--release", str(gateways.release()), *more]
    done = gateways.run(*arguments)
    return done.returncode, done.stdout, done.stderr.splitlines()


def check_module(gateways: Gateways, source: str, target: str = "broken:application") -> str:
    """The only complaint about a module with this source."""
    release = gateways.folder / "own"
    (release / "app").mkdir(parents=True)
    (release / "release.json").write_text(json.dumps({"id": RELEASE}))
    (release / "app" / "broken.py").write_text(source)
    done = gateways.run("check", "--config", str(gateways.config(application=target)), "--release", str(release))
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(("target", "strip_prefix"), [("app:application", False), ("plain:application", True)])
def test_check_accepts(gateways: Gateways, target: str, strip_prefix: bool) -> None:
    code, output, errors = check(gateways, application=target, strip_prefix=strip_prefix)
    assert (code, errors) == (0, [])
    assert output == f"ok test: release {RELEASE} serves {target} at /api/\n"


def test_check_reports_configuration_release_and_application_at_once(gateways: Gateways) -> None:
    config = gateways.config(application="nowhere:application", max_concurrency=True, colour="red")
    done = gateways.run("check", "--config", str(config), "--release", str(gateways.release()))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "colour: 'red': unknown setting; remove it; known are name, application, url_prefix, strip_prefix, "
        "max_concurrency, request_timeout, drain_timeout, max_body_bytes, peer_uids, peer_mark, listen, cors, "
        "jsonp",
        "max_concurrency: True: is a boolean, not an integer; write a whole number from 1 to 1000000 without quotes",
        "application: 'nowhere:application': module nowhere cannot be imported: ModuleNotFoundError: "
        "No module named 'nowhere'; correct the application, or list what it needs in its requirements",
    ]


def test_check_without_release(gateways: Gateways) -> None:
    done = gateways.run("check", "--config", str(gateways.config(name=1)), "--release", "/nonexistent")
    assert done.returncode == 1
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["name", "--release"]


def test_check_says_where_the_import_broke(gateways: Gateways) -> None:
    line = check_module(gateways, "def f():\n    raise ValueError('bad\\nthing')\n\nf()\n")
    assert "module broken cannot be imported: ValueError: bad thing (broken.py, line 2)" in line


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("application = 5", "is int, neither a web.application nor callable"),
        ("other = 5", "has no application"),
        ("def application(environ): pass", "cannot be called as WSGI application: too many positional arguments"),
        ("import sys; sys.exit(4)", "cannot be imported: SystemExit: 4"),
        ("def (", "cannot be imported: File"),
        ("import web; web.application((), {}).run()", "calls run() when it is imported"),
        ("import web; web.application(('/a', 'A'), globals()).cgirun", "has no application"),
    ],
)
def test_check_refuses_what_is_no_application(tmp_path: Path, source: str, reason: str) -> None:
    (tmp_path / "broken.py").write_text(source)
    line = in_child(lambda: load("broken:application", tmp_path))
    assert line.startswith("application: 'broken:application': ")
    assert reason in line


def in_child(function: Callable[[], object]) -> str:
    """What is wrong according to the function, run in a process of its own: it changes folder and import path."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            function()
        except SetupError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as result:
        text = result.read().decode()
    os.waitpid(child, 0)
    return text


def test_application_threads_do_not_keep_check_alive(gateways: Gateways) -> None:
    line = check_module(gateways, "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()")
    assert "has no application" in line


def test_check_uses_patched_modules_and_the_application_folder(gateways: Gateways) -> None:
    line = check_module(
        gateways, "import os, sys, socket, gevent.socket\nassert socket.socket is gevent.socket.socket\n"
        "raise ValueError(f'{os.getcwd() == sys.path[0] == os.path.dirname(__file__)} {sys.argv[1:]}')"
    )  # fmt: skip
    assert "ValueError: True []" in line


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        ("{", "not JSON"),
        ("[]", 'has no usable "id"'),
        ('{"id": 5}', 'has no usable "id"'),
        ('{"id": "../x"}', 'has no usable "id"'),
        ('{"id": "ok"}', "not a folder"),
    ],
)
def test_broken_release(gateways: Gateways, content: str | None, reason: str) -> None:
    release = gateways.folder / "broken"
    release.mkdir()
    if content is not None:
        (release / "release.json").write_text(content)
    with pytest.raises(SetupError) as caught:
        read(release)
    assert str(caught.value).startswith(f"--release: '{release}/")
    assert reason in str(caught.value)


def test_serve_refuses_the_same(gateways: Gateways) -> None:
    done = gateways.run("serve", "--config", str(gateways.config(name="")), "--release", str(gateways.release()))
    assert done.returncode == 1
    assert done.stderr.startswith("name: ''")


def test_serve_without_any_socket(gateways: Gateways) -> None:
    done = gateways.run("serve", "--config", str(gateways.config()), "--release", str(gateways.release()))
    assert done.returncode == 1
    assert done.stderr.startswith("listen: '': empty, and systemd passed no socket; ")


def test_show_config_prints_defaults_too(gateways: Gateways) -> None:
    done = gateways.run("show-config", "--config", str(gateways.config(max_concurrency=7)))
    assert done.returncode == 0
    shown = tomllib.loads(done.stdout)
    assert shown["max_concurrency"] == 7
    assert shown["drain_timeout"] == 30
    assert len(shown) == 13


def test_show_config_refuses_bad_settings(gateways: Gateways) -> None:
    done = gateways.run("show-config", "--config", str(gateways.config(max_concurrency=-7)))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("max_concurrency: -7: out of range")


@pytest.mark.parametrize(
    "arguments", [[], ["serve"], ["fly", "--config", "x"], ["show-config", "--config", "x", "--worker", "1"]]
)
def test_wrong_arguments(gateways: Gateways, arguments: list[str]) -> None:
    done = gateways.run(*arguments)
    assert done.returncode == 2
    assert "usage: python -m webpy_gateway" in done.stderr


def test_release_is_where_the_package_lies(gateways: Gateways) -> None:
    """As on a host: the package and the application are two folders of one release."""
    release = gateways.release("feedfacecafe")
    shutil.copytree(PACKAGES / "webpy_gateway", release / "lib" / "webpy_gateway")
    done = gateways.run("check", "--config", str(gateways.config()), PYTHONPATH=str(release / "lib"))
    assert done.stdout == "ok test: release feedfacecafe serves app:application at /api/\n"
