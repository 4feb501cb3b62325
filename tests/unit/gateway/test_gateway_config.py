"""The configuration: what is accepted, what is refused, and how that is said."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from gateway_kit import toml
from hypothesis import given, settings
from hypothesis import strategies as st
from webpy_gateway import config
from webpy_gateway.problem import Problem, SetupError, bounded

GOOD = {"name": "webpy-gateway", "application": "app:application", "url_prefix": "/webpy_api/"}
DEFAULTS = {
    "strip_prefix": False,
    "max_concurrency": 2500,
    "request_timeout": 60,
    "drain_timeout": 30,
    "max_body_bytes": 16777216,
    "peer_uids": [],
    "peer_mark": 0,
    "listen": "",
}

REFUSED: list[tuple[str, Any, str]] = [
    ("name", 5, "is an integer, not a string"),
    ("name", "", "not a name"),
    ("name", "-x", "not a name"),
    ("name", "a/b", "not a name"),
    ("name", "a\n", "not a name"),
    ("name", "ä", "not a name"),
    ("name", "a" * 64, "not a name"),
    ("application", "app", "not of the form"),
    ("application", "app:", "not of the form"),
    ("application", ":application", "not of the form"),
    ("application", "a b:c", "not of the form"),
    ("application", "a..b:c", "not of the form"),
    ("application", "app:a:b", "not of the form"),
    ("application", "class:x", "not of the form"),
    ("application", "../app:application", "not of the form"),
    ("application", [], "is a list, not a string"),
    ("url_prefix", "webpy_api/", "slash"),
    ("url_prefix", "/webpy_api", "slash"),
    ("url_prefix", "", "slash"),
    ("url_prefix", "//", "empty, relative or escaped"),
    ("url_prefix", "/a//b/", "empty, relative or escaped"),
    ("url_prefix", "/../", "empty, relative or escaped"),
    ("url_prefix", "/a/./", "empty, relative or escaped"),
    ("url_prefix", "/a b/", "empty, relative or escaped"),
    ("url_prefix", "/a%20/", "empty, relative or escaped"),
    ("url_prefix", "/a?/", "empty, relative or escaped"),
    ("url_prefix", "/ä/", "empty, relative or escaped"),
    ("url_prefix", "/a\n/", "empty, relative or escaped"),
    ("strip_prefix", "false", "is a string, not a boolean"),
    ("strip_prefix", 0, "is an integer, not a boolean"),
    ("max_concurrency", True, "is a boolean, not an integer"),
    ("max_concurrency", 0, "out of range"),
    ("max_concurrency", 1_000_001, "out of range"),
    ("max_concurrency", 1.5, "is a number, not an integer"),
    ("max_concurrency", "10", "is a string, not an integer"),
    ("request_timeout", 0, "out of range"),
    ("request_timeout", -1, "out of range"),
    ("request_timeout", False, "is a boolean, not a number"),
    ("request_timeout", "60", "is a string, not a number"),
    ("request_timeout", 86_400.5, "out of range"),
    ("drain_timeout", -0.1, "out of range"),
    ("drain_timeout", True, "is a boolean, not a number"),
    ("max_body_bytes", 0, "out of range"),
    ("max_body_bytes", 2**40 + 1, "out of range"),
    ("max_body_bytes", True, "is a boolean, not an integer"),
    ("peer_uids", 33, "is an integer, not a list of integers"),
    ("peer_uids", ["33"], "not a user id"),
    ("peer_uids", [True], "not a user id"),
    ("peer_uids", [-1], "not a user id"),
    ("peer_uids", [2**32 - 1], "not a user id"),
    ("peer_uids", [33, 33], "twice"),
    ("peer_mark", -1, "out of range"),
    ("peer_mark", 65_536, "out of range"),
    ("listen", 8000, "is an integer, not a string"),
    ("listen", "8000", "not an IP address with port"),
    ("listen", "localhost:8000", "not an IP address with port"),
    ("listen", "127.0.0.1", "not an IP address with port"),
    ("listen", "::1:8000", "not an IP address with port"),
    ("listen", "[127.0.0.1]:80", "not an IP address with port"),
    ("listen", "127.0.0.1:0", "port out of range"),
    ("listen", "127.0.0.1:65536", "port out of range"),
    ("listen", "127.0.0.1:080", "port out of range"),
    ("listen", "/" + "x" * 107, "not a path"),
    ("listen", "/a\0b", "not a path"),
    ("listne", "", "unknown setting"),
]

ACCEPTED: list[tuple[str, Any]] = [
    ("name", "a"),
    ("name", "A" + "-_9" * 20),
    ("application", "my.package.module:make.app"),
    ("url_prefix", "/"),
    ("url_prefix", "/a/b.c/~d_e-f/..g/"),
    ("strip_prefix", True),
    ("max_concurrency", 1),
    ("max_concurrency", 1_000_000),
    ("request_timeout", 0.01),
    ("request_timeout", 86_400),
    ("drain_timeout", 0),
    ("max_body_bytes", 1),
    ("max_body_bytes", 2**40),
    ("peer_uids", [0, 33, 2**32 - 2]),
    ("peer_mark", 65_535),
    ("listen", "127.0.0.1:1"),
    ("listen", "[::1]:65535"),
    ("listen", "/" + "x" * 106),
]


def problems_of(values: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(SetupError) as caught:
        config.parse(values)
    return caught.value.problems


def test_only_three_settings_are_required() -> None:
    assert config.parse(GOOD) == config.Config(**GOOD, **(DEFAULTS | {"peer_uids": ()}))
    assert [problem.key for problem in problems_of({})] == list(GOOD)
    assert {(problem.reason, problem.remedy) for problem in problems_of({})} == {
        ("missing", "set it; it has no default")
    }


def test_unknown_setting_is_told_the_known_ones() -> None:
    (problem,) = problems_of({**GOOD, "listne": 5})
    assert problem == Problem("listne", 5, "unknown setting", "remove it; known are " + ", ".join(config.RULES))


@pytest.mark.parametrize(("key", "value", "reason"), REFUSED)
def test_bad_value_is_refused_with_reason_and_remedy(key: str, value: object, reason: str) -> None:
    (problem,) = problems_of({**GOOD, key: value})
    assert problem.key == key
    assert reason in problem.reason
    line = str(problem)
    assert line.startswith(f"{key}: {bounded(value)}: ")
    assert problem.remedy
    assert line.endswith("; " + problem.remedy)
    assert "\n" not in line


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_time_that_is_no_number_is_refused(value: str) -> None:
    (problem,) = problems_of({**GOOD, **tomllib.loads(f"request_timeout = {value}")})
    assert problem.reason == "out of range"


def test_date_is_named_as_such() -> None:
    (problem,) = problems_of({**GOOD, **tomllib.loads("name = 2026-01-01")} | {})
    assert problem.reason == "is a date or time, not a string"


@pytest.mark.parametrize(("key", "value"), ACCEPTED)
def test_good_value_at_the_border_is_accepted(key: str, value: object) -> None:
    expected = tuple(value) if isinstance(value, list) else value
    assert getattr(config.parse({**GOOD, key: value}), key) == expected


def test_all_problems_come_at_once() -> None:
    bad = {"name": 1, "url_prefix": "x", "max_concurrency": True, "unknown": 1}
    assert {problem.key for problem in problems_of(bad)} == {*bad, "application"}


def test_a_long_value_is_bounded() -> None:
    (problem,) = problems_of({**GOOD, "name": "x" * 100_000})
    assert len(str(problem)) < 500


TEXT = st.binary().map(lambda data: data.decode("latin-1"))
ANYTHING = st.one_of(TEXT, st.integers(), st.booleans(), st.floats(), st.lists(st.integers()))


@settings(database=None, deadline=None)
@given(st.dictionaries(st.sampled_from(list(config.RULES)), ANYTHING))
def test_no_value_crashes_the_rules(values: dict[str, Any]) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        config.parse({**GOOD, **values})
    except SetupError as error:
        problems = error.problems
    assert {problem.key for problem in problems} <= values.keys()
    assert not any("\n" in str(problem) for problem in problems)


def test_effective_configuration_is_toml_again() -> None:
    effective = config.parse(
        {
            **GOOD,
            "peer_uids": [33, 0],
            "strip_prefix": True,
            "listen": '/X "quoted" \\ \u0001 ä',
            "request_timeout": 0.5,
        }
    )
    assert config.parse(tomllib.loads(config.to_toml(effective))) == effective


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b"name = 1\nname = 2"])
def test_file_that_is_no_toml(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gateway.toml"
    path.write_bytes(content)
    with pytest.raises(SetupError, match=r"--config: .*gateway.toml': not TOML: .*; correct the file"):
        config.read(path)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    with pytest.raises(SetupError) as caught:
        config.read(path)
    said = f"--config: '{path}': No such file or directory; name a file that this user can read"
    assert str(caught.value) == said


def test_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(toml(GOOD | DEFAULTS))
    assert config.read(path) == config.parse(GOOD)
