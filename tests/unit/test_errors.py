"""Every message with which the role ends a run is in the table of docs/operations.md, and nothing else is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ROLE = ROOT / "roles/webpy_gateway"
ANY_RULE = "webpy_gateway_…:"
FEW = 3  # words: less than that is what joins two values
BRANCH = re.compile(r"{% (?:if|elif|else|endif)\b.*?%}|{% endfor %}\s*{% for .*?%}", re.DOTALL)


def tasks(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield tasks, those in blocks, too."""
    for task in found:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks(task.get(part, []))


def plain(text: str) -> str:
    """Return the words of a template without its marks; `name` is always a variable of the role."""
    text = text.replace("{{ name }}", "webpy_gateway_name")
    return re.sub(r"\s+([,;:])", r"\1", " ".join(re.sub(r"[{}~'\"]", " ", text).split()))


def literal(text: str) -> str:
    """Return the words that a template holds itself, those in its expressions, too."""
    return plain(re.sub(r"{.*?}+", lambda found: " ".join(re.findall("'(.*?)'", found[0])), text, flags=re.DOTALL))


def messages() -> dict[str, str]:
    """Return every message, each branch of it for itself, by a name that says where it comes from."""
    found = {}
    for file in sorted((ROLE / "tasks").glob("*.yml")):
        for task in tasks(yaml.safe_load(file.read_text())):
            said = task.get("ansible.builtin.assert", {}).get("fail_msg", "")
            said += task.get("ansible.builtin.fail", {}).get("msg", "")
            for branch in BRANCH.split(said):
                if len(literal(branch).split()) > FEW:
                    # texts that an expression chooses from are among the variables of the task
                    words = plain(" ".join([branch, *map(str, task.get("vars", {}).values())]))
                    found[f"{file.name}: {plain(branch)[:60]}"] = words
    return found


def elsewhere() -> str:
    """Return what else the role says: rules about variables and hosts, and its programs on the host."""
    files = [*sorted((ROLE / "vars/main").glob("*.yml")), *sorted((ROLE / "files/host").glob("*.py"))]
    return " ".join(plain(file.read_text()) for file in files)


def rows() -> list[str]:
    """Return the first column of the table, an ellipsis where a value stands."""
    section = (ROOT / "docs/operations.md").read_text().split("## What a failed run means")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")][2:]
    return [row for cell in cells for row in re.findall(r"`(.+?)`", cell)]


def is_said(row: str, words: str) -> bool:
    """Tell whether the parts of a row follow each other in a message."""
    parts = [re.escape(plain(part)) for part in row.split("…") if plain(part)]
    return re.search(".*".join(parts), words) is not None


@pytest.mark.parametrize("place", messages())
def test_every_message_is_in_the_table(place: str) -> None:
    words = messages()[place]
    assert [row for row in rows() if row != ANY_RULE and is_said(row, words)], words


@pytest.mark.parametrize("row", rows())
def test_every_row_is_a_message(row: str) -> None:
    assert any(is_said(row, words) for words in [*messages().values(), elsewhere()])
