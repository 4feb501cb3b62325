"""The table of attacks holds together."""

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "molecule/isolation"))

from attacking import table

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "roles/webpy_gateway/templates/etc/systemd/system"
SANDBOXES = {
    "sandbox": UNITS / "sandbox.conf.j2",
    "keeper": UNITS / "webpy-gateway-firewall.service.j2",
    "lighttpd": UNITS / "lighttpd.service.d/webpy-gateway.conf.j2",
}
# the process's own status tells (molecule/isolation/tests/test_barriers.py), or they only complete another one
ELSEWHERE = {"NoNewPrivileges", "AmbientCapabilities", "ReadWritePaths", "IPAddressAllow", "SystemCallErrorNumber"}
# how a unit is run, which is no part of a sandbox
RUNNING = re.compile("Exec|Type|Restart|Kill|Timeout|Watchdog|OOMScoreAdjust|LimitNOFILE|FileDescriptorStore")


@pytest.mark.parametrize("bind", table.BINDS)
@pytest.mark.parametrize("group", table.GROUPS)
def test_cases_have_names_of_their_own_and_known_protections(group: str, bind: str) -> None:
    cases = table.cases(group, bind)
    assert [name for name, count in Counter(case.id for case in cases).items() if count > 1] == []
    assert {name for case in cases for name in case.stopped_by} <= set(table.protections())


def test_every_protection_is_taken_away() -> None:
    tried = {
        name
        for bind in table.BINDS
        for group in table.GROUPS
        for removed in table.experiments(group, bind)
        for name in removed
    }
    assert tried == set(table.protections())


@pytest.mark.parametrize("group", SANDBOXES)
def test_every_directive_of_a_sandbox_is_attacked_or_said_not_to_be(group: str) -> None:
    service = SANDBOXES[group].read_text().rpartition("[Service]")[2]
    # lighttpd's spool is there for speed
    found = re.findall(r"^(\w+)=(?!/run/lighttpd-spool)", service, re.MULTILINE)
    directives = {name for name in found if not RUNNING.match(name)}
    known = table.protections()
    look = ["look"] if group == "sandbox" else []  # at what the application leaves
    cases = [case for tried in (group, *look) for bind in table.BINDS for case in table.cases(tried, bind)]
    stopping = {name for case in cases for name in case.stopped_by}
    attacked = {line.partition("=")[0] for name in stopping for line in known[name].get("worker", ())}
    said = re.search(r"cannot show what ([\w,\s]+) stop;", (ROOT / "docs/isolation.md").read_text())
    assert said
    assert directives - attacked - ELSEWHERE == set(re.findall(r"[A-Z]\w+", said[1])) & directives


def test_an_attack_succeeds_only_without_all_that_stops_it() -> None:
    case = next(case for case in table.cases("reach", "tcp") if case.id == "user")
    outcomes = [case.succeeds_without(removed) for removed in ([], ["client"], ["peer"], ["client", "peer", "edge"])]
    assert outcomes == [False, False, False, True]
