"""What dry runs announced, and what the real runs did (tasks/step.yml)."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

FOLDER = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
STEPS = ["first", "change", "again"]
OWN = re.compile(r"/etc/(webpy-gateway|systemd/system|lighttpd|sysctl\.d)/\S+")
# what the packages bring, on a host that has none of them
OF_PACKAGES = re.compile(
    r"/etc/(lighttpd/(lighttpd\.conf|conf-available/(?!60-)|conf-enabled/9)|systemd/system/\S*\.wants/)"
)


def written(step: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"step-{step}.json").read_text()))


def really_changed(step: dict[str, Any]) -> set[str]:
    """Return the files of the role in /etc that are not as they were."""
    before, after = step["before"]["files"], step["after"]["files"]
    paths = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    return {path for path in paths if OWN.match(path) and not OF_PACKAGES.match(path)}


def announced(output: str) -> set[str]:
    """Return what the output of a dry run names as changed: in diffs, and as items of a task."""
    changed = r"^changed: \[bookworm\] => \(item=(\S+)\)|^\+\+\+ after: (\S+)|noted in\s+(\S+)$"
    paths = {path for match in re.findall(changed, output, re.MULTILINE) for path in match}
    return {path for path in paths if OWN.match(path)}


def releases(files: dict[str, str]) -> set[str]:
    return {match[1] for path in files if (match := re.match(r"/opt/webpy-gateway/releases/(\w+)/", path))}


def changes(output: str) -> int:
    found = re.search(r"changed=(\d+)", output.split("PLAY RECAP")[1])
    assert found
    return int(found[1])


@pytest.fixture(params=STEPS)
def step(request: pytest.FixtureRequest) -> dict[str, Any]:
    return written(request.param)


def test_dry_run_changes_nothing(step: dict[str, Any]) -> None:
    assert step["between"] == step["before"]


def test_dry_run_names_the_files_that_change(step: dict[str, Any]) -> None:
    folders = {str(Path(path).parent) for path in step["after"]["files"]}
    assert announced(step["dry"]) - folders == really_changed(step)


def test_dry_run_names_the_release_that_comes(step: dict[str, Any]) -> None:
    new = releases(step["after"]["files"]) - releases(step["before"]["files"])
    assert set(re.findall(r"Release (\w+) would be built", step["dry"])) == new


def test_dry_run_names_the_packages_that_come(step: dict[str, Any]) -> None:
    more = step["after"]["packages"] > step["before"]["packages"]
    assert (re.search(r"would\s+be\s+installed", step["dry"]) is not None) is more


def test_dry_run_promises_a_change_exactly_where_one_comes(step: dict[str, Any]) -> None:
    assert (changes(step["dry"]) > 0) is (changes(step["real"]) > 0)


def test_nothing_changes_where_nothing_has_to() -> None:
    again = written("again")
    assert changes(again["dry"]) == changes(again["real"]) == 0
    assert again["after"] == again["before"]


def test_no_secret_shows(step: dict[str, Any]) -> None:
    assert "SECRET" not in step["dry"] + step["real"]


def test_host_does_not_write_down_what_it_is_sent(host: Host) -> None:
    journal = host.check_output("journalctl --quiet --no-pager --output=cat")
    assert "Invoked with" in journal  # Ansible does write there
    assert "SECRET" not in journal
    assert "H4sI" not in journal  # how an archive begins in base64
