"""Every attack fails on hosts as they are deployed, and is refused as the table says."""

import re

import pytest
from attacking import table
from attacking.battle import Battle, Campaign


def refusals(battle: Battle, group: str) -> dict[str, str]:
    """Return the attacks whose outcome is another one than the table's."""
    found = battle.attack(group)
    wanted = {case.id: case.refused for case in table.cases(group, battle.bind)}
    assert set(found) == set(wanted)
    return {
        id_: f"{'succeeded' if succeeded else 'refused'}: {text}"
        for id_, (succeeded, text) in found.items()
        if succeeded or not re.search(wanted[id_], text)
    }


@pytest.mark.parametrize("group", table.GROUPS)
def test_attacks_fail(everywhere: Campaign, group: str) -> None:
    found = everywhere(lambda battle: refusals(battle, group))
    assert not any(found.values()), found


@pytest.mark.parametrize("bind", table.BINDS)
def test_there_are_many(bind: str) -> None:
    known = [case for group in table.GROUPS for case in table.cases(group, bind)]
    assert len(known) >= 60
