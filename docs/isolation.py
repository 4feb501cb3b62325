#!/usr/bin/env python3
"""Write the tables of docs/isolation.md from those of the scenario that proves them (molecule/isolation).

Needs PyYAML: .venv/bin/python docs/isolation.py
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "molecule/isolation"))

from attacking import table  # noqa: E402

PAGE = HERE / "isolation.md"
BEGIN, END = "<!-- written by docs/isolation.py -->\n", "<!-- until here -->\n"
TITLES = {
    "reach": "Reach the gateway past lighttpd",
    "place": "Take the gateway's place",
    "look": "Look into a worker",
    "sandbox": "Get out of the sandbox, as the application",
    "lighttpd": "Get out of the sandbox, as lighttpd",
    "keeper": "Get out of the sandbox, as the firewall's keeper",
}
WHO = {"sandbox": "the application", "lighttpd": "lighttpd", "keeper": "the keeper"}


def tables() -> str:
    """Return the tables of all attacks: a column for each protection, marked where it stops the attack."""
    texts = table.protections()
    text = ""
    for group, title in TITLES.items():
        for bind in table.BINDS if group in ("reach", "place") else ("tcp",) if group == "keeper" else ("unix",):
            cases = table.cases(group, bind)
            text += f"\n### {title}{f', {bind}' if group in ('reach', 'place') else ''}\n\n"
            text += "| who | what | is told | stopped by, each alone |\n|---|---|---|---|\n"
            for case in cases:
                who = WHO.get(group, case.who.replace("{name}", "the gateway's user"))
                who = f"{who} on another host" if case.origin == "stranger" else who
                by = "; ".join(texts[name]["text"] for name in texts if name in case.stopped_by)
                told = case.refused.replace("|", " or ")
                text += f"| {who} | {case.what.format(name='NAME')} | {told} | {by} |\n"
    return text


def page() -> str:
    """Return docs/isolation.md with its tables as they should be."""
    text = PAGE.read_text()
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    return before + tables() + "\n" + after


if __name__ == "__main__":
    PAGE.write_text(page())
