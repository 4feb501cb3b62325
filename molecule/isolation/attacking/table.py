"""The table of attacks (cases/*.yml) and of what stops them (cases/protections.yml)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parents[1]
# units whose sandbox is tried by what runs in the same one
CONFINED = {"keeper": "{name}-firewall.service", "lighttpd": "lighttpd.service"}
GROUPS = ("reach", "place", "look", "sandbox", *CONFINED)
BINDS = ("tcp", "unix")


@dataclass(frozen=True)
class Case:
    """One attack: who tries what, what he is told, and the protections each of which alone is enough.

    That way is there only with all of `only_with`.  It also succeeds when all of `or_by` is gone: that is another way
    round the same protections.
    """

    group: str
    id: str
    what: str
    attack: tuple[str, ...]
    refused: str
    stopped_by: frozenset[str]
    or_by: frozenset[str]
    only_with: frozenset[str]
    binds: tuple[str, ...]
    who: str
    origin: str
    through: tuple[str, ...]
    meanwhile: str

    def succeeds_without(self, removed: Iterable[str]) -> bool:
        """Whether the attack gets through when these protections are gone."""
        gone = set(removed)
        unstopped = self.stopped_by <= gone and not self.only_with & gone
        return unstopped or (bool(self.or_by) and self.or_by <= gone)

    def order(self, facts: Mapping[str, str]) -> dict[str, Any]:
        """Return the attack on one host, as attacks/attack.py takes it."""
        return {
            "id": self.id,
            "who": self.who.format(**facts),
            "attack": [word.format(**facts) if isinstance(word, str) else word for word in self.attack],
            "through": [word.format(**facts) for word in self.through],
            "meanwhile": self.meanwhile.format(**facts),
            # there is only one place to take
            "alone": self.group == "place",
        }


def _case(group: str, entry: Mapping[str, Any]) -> Case:
    # what the application tries it is asked for through lighttpd, which anybody may do
    inside = group == "sandbox"
    words, through = entry["attack"], entry.get("through", [])
    if group in CONFINED:
        words = ["attempt", *words]
        through = ["/usr/bin/python3", "/usr/local/lib/attacks/confined.py", CONFINED[group], *through]
    return Case(
        group=group,
        id=entry["id"],
        what=entry["what"],
        attack=tuple(["application", "{api}", *words] if inside else words),
        refused=entry["refused"],
        stopped_by=frozenset(entry["stopped_by"]),
        or_by=frozenset(entry.get("or_by", ())),
        only_with=frozenset(entry.get("only_with", ())),
        binds=(entry["bind"],) if "bind" in entry else BINDS,
        who=entry.get("who", "root"),
        origin=entry.get("from", "the host"),
        through=tuple(through),
        meanwhile=entry.get("meanwhile", ""),
    )


def cases(group: str, bind: str) -> list[Case]:
    """Return the attacks of a group on a host of this kind."""
    entries = yaml.safe_load((HERE / f"cases/{group}.yml").read_text())
    return [case for case in (_case(group, entry) for entry in entries) if bind in case.binds]


def protections() -> dict[str, dict[str, Any]]:
    """Return what stops attacks, by name."""
    return dict(yaml.safe_load((HERE / "cases/protections.yml").read_text()))


def experiments(group: str, bind: str) -> list[frozenset[str]]:
    """Return what to take away: each protection alone; then, of what stops an attack, all and all but one."""
    sets = {case.stopped_by for case in cases(group, bind)}
    alone = {frozenset([name]) for stopped_by in sets for name in stopped_by}
    but_one = {stopped_by - {name} for stopped_by in sets for name in stopped_by if len(stopped_by) > 1}
    return sorted(sets | alone | but_one, key=lambda removed: (len(removed), sorted(removed)))


def expected(group: str, bind: str, removed: Iterable[str]) -> dict[str, bool]:
    """Return which attacks succeed when these protections are gone."""
    gone = set(removed)
    return {case.id: case.succeeds_without(gone) for case in cases(group, bind)}
