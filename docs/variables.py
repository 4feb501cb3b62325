#!/usr/bin/env python3
"""Write docs/variables.md from the comments of the role's defaults and from its argument_specs.

Needs PyYAML: .venv/bin/python docs/variables.py
"""

import re
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
ROLE = HERE.parent / "roles/webpy_gateway"
HEAD = """<!-- Written by docs/variables.py; change roles/webpy_gateway/defaults/main.yml instead. -->
# Variables of the role

Everything but `webpy_gateway_app_src` has a default.  A name beginning with `webpy_gateway_` that is not in this list,
a value of the wrong type, and a value that cannot work are refused before anything changes.

| Variable | Type | Default | |
|---|---|---|---|
"""


def options() -> dict[str, dict[str, Any]]:
    """Return the specification of every variable."""
    specs = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]
    return dict(specs["main"]["options"])


def blocks() -> list[tuple[str, str]]:
    """Return the defaults in their order: the comment and the lines below it."""
    text = (ROLE / "defaults/main.yml").read_text()
    found = re.findall(r"^((?:# .*\n)+)((?:(?!#).+\n)+)", text, re.MULTILINE)
    return [(re.sub(r"^# ", "", comment, flags=re.MULTILINE), lines) for comment, lines in found]


def kind(spec: dict[str, Any]) -> str:
    """Return the type in words."""
    if choices := spec.get("choices"):
        return " or ".join(f"`{choice}`" for choice in choices)
    elements = spec.get("elements")
    return f"{spec['type']} of {elements}" if elements else str(spec["type"])


def short(name: str, lines: str) -> str:
    """Return the default of a variable for the table."""
    value = re.search(rf"^{name}:(.*)\n", lines, re.MULTILINE)
    text = value[1].strip() if value else ""
    return "required" if options()[name].get("required") else f"`{text}`" if text else "see below"


def page() -> str:
    """Return docs/variables.md."""
    table, manual = "", ""
    for comment, lines in blocks():
        names = re.findall(r"^(webpy_gateway_\w+):", lines, re.MULTILINE)
        manual += "".join(f"\n## {name}" for name in names) + f"\n\n{comment}\n```yaml\n{lines}```\n"
        for name in names:
            spec = options()[name]
            table += f"| [`{name}`](#{name}) | {kind(spec)} | {short(name, lines)} | {spec['description']} |\n"
    return HEAD + table + manual


if __name__ == "__main__":
    (HERE / "variables.md").write_text(page())
