"""Defaults, argument_specs and docs/variables.md speak of the same variables."""

import re
import runpy
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
ROLE = ROOT / "roles/webpy_gateway"
TYPES = {"str": str, "path": str, "int": int, "bool": bool, "list": list, "dict": dict}


def defaults() -> dict[str, Any]:
    return yaml.safe_load((ROLE / "defaults/main.yml").read_text())


def options() -> dict[str, dict[str, Any]]:
    return yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]


def test_every_default_has_a_specification_in_the_same_order() -> None:
    assert list(defaults()) == list(options())


def test_every_default_is_of_the_specified_type_and_choice() -> None:
    for name, spec in options().items():
        value = defaults()[name]
        assert type(value) is TYPES[spec["type"]], name
        assert value in spec.get("choices", [value]), name


def test_specifications_set_nothing() -> None:
    assert [name for name, spec in options().items() if "default" in spec] == []


def test_the_variables_that_hold_secrets_are_never_shown() -> None:
    private = {"webpy_gateway_environment", "webpy_gateway_secrets", "webpy_gateway_pip_environment"}
    assert private == {name for name, spec in options().items() if spec.get("no_log")}


def test_every_variable_has_a_comment_of_its_own_or_with_its_neighbour() -> None:
    text = (ROLE / "defaults/main.yml").read_text()
    for block in text.split("\n\n")[1:]:
        assert re.match(r"(# .+\n)+(webpy_gateway_\w+:.*\n?( .*\n?)*)+\Z", block), block


def test_the_manual_is_up_to_date() -> None:
    page = runpy.run_path(str(ROOT / "docs/variables.py"))["page"]
    assert (ROOT / "docs/variables.md").read_text() == page(), "run docs/variables.py"


def test_the_tables_of_attacks_are_up_to_date() -> None:
    page = runpy.run_path(str(ROOT / "docs/isolation.py"))["page"]
    assert (ROOT / "docs/isolation.md").read_text() == page(), "run docs/isolation.py"
