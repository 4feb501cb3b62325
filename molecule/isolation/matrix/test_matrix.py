"""Every protection is needed: without it, and what stops the same attack, just the attacks of the table succeed."""

import pytest
from attacking import table
from attacking.battle import Battle, Campaign


def surprises(battle: Battle, group: str) -> dict[str, dict[str, str]]:
    """Take protections away, one experiment after the other; return where another attack succeeded than expected."""
    found = {}
    for removed in table.experiments(group, battle.bind):
        outcome = battle.attack(group, removed)
        expected = table.expected(group, battle.bind, removed)
        odd = {id_: outcome[id_][1] for id_ in outcome if outcome[id_][0] != expected[id_]}
        if odd:
            found["without " + ", ".join(sorted(removed))] = odd
    return found


@pytest.mark.parametrize("group", table.GROUPS)
def test_each_protection_stops_what_the_table_says(everywhere: Campaign, group: str) -> None:
    found = everywhere(lambda battle: surprises(battle, group))
    assert not any(found.values()), found
