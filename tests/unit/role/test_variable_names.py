"""Facts, registered variables and -e win over what a task defines: what the role defines is named after it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

TASKS = Path(__file__).resolve().parents[3] / "roles/webpy_gateway/tasks"


def walk(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield blocks and tasks, however deep."""
    for task in tasks:
        yield task
        for part in "block", "rescue", "always":
            yield from walk(task.get(part, []))


def names(task: dict[str, Any]) -> Iterator[str]:
    """Yield the variables that a task defines."""
    yield from task.get("vars", {})
    yield from task.get("ansible.builtin.set_fact", {})
    control = task.get("loop_control", {})
    yield from filter(None, [task.get("register"), control.get("loop_var"), control.get("index_var")])


def test_every_variable_of_a_task_is_named_after_the_role() -> None:
    found = [
        (path.name, name)
        for path in sorted(TASKS.rglob("*.yml"))
        for task in walk(yaml.safe_load(path.read_text()))
        for name in names(task)
    ]
    # of a block, of a task that always runs, registered, a fact
    assert {
        ("remove.yml", "__webpy_gateway_look"),
        ("remove.yml", "__webpy_gateway_settled"),
        ("claim.yml", "__webpy_gateway_begin"),
        ("finish.yml", "webpy_gateway_result"),
    } <= set(found)
    assert [(file, name) for file, name in found if not name.startswith(("__webpy_gateway_", "webpy_gateway_"))] == []
