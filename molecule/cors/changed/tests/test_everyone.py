"""After the policy was changed to everyone: no answer depends on the origin any more."""

import pytest
from hosttests.site import Site

EVERYONE = [("Access-Control-Allow-Origin", "*")]


@pytest.mark.parametrize("origin", ["https://portal.example.org", "https://foreign.example", "null", ""])
@pytest.mark.parametrize("path", ["ok", "no-such-resource", "boom", "redirect", "own-grant", "_health"])
def test_everyone_may_read(site: Site, origin: str, path: str) -> None:
    answer = site.get(path, ("Origin", origin))
    assert (answer.grant(), answer.all("Vary")) == (EVERYONE, [])


def test_everyone_may_ask(site: Site) -> None:
    asked = [("Origin", "https://foreign.example"), ("Access-Control-Request-Method", "POST")]
    answer = site.request("OPTIONS", "ok", asked)
    assert (answer.status, answer.all("Vary")) == (204, [])
    assert answer.grant() == [*EVERYONE, ("Access-Control-Allow-Methods", "POST")]


@pytest.mark.parametrize(
    ("method", "name"), [("PUT", ""), ("POST", "content-type"), ("POST", "x-custom"), ("POST", "authorization")]
)
def test_what_the_old_policy_allowed_is_gone(site: Site, method: str, name: str) -> None:
    asked = [("Origin", "https://portal.example.org"), ("Access-Control-Request-Method", method)]
    answer = site.request("OPTIONS", "ok", [*asked, *([("Access-Control-Request-Headers", name)] if name else [])])
    assert (answer.status, answer.grant(), answer.all("X-App-Reached")) == (403, [], [])
