"""Virtual hosts: the site is there under its names, and nowhere else."""

import pytest
from hosttests.gateway import Gateway


@pytest.mark.parametrize("spelling", ["{}", "{}:8080", "{}:1", "{upper}"])
def test_every_name_leads_to_the_site(gateway: Gateway, spelling: str) -> None:
    for name in gateway["server_names"]:
        host = spelling.format(name, upper=name.upper())
        site = gateway.site()
        answers = [site.get(path, ("Host", host)) for path in ("/", "_health", "echo")]
        assert [answer.status for answer in answers] == [200] * 3
        assert answers[2].json()["host"].lower() == host.lower()


@pytest.mark.parametrize(
    "other",
    ["localhost", "other.example.org", "xportal.example.org", "portal.example.org.evil", "portalxexample.org"],
)
@pytest.mark.parametrize("path", ["/style.css", "_health", "echo"])
def test_other_names_do_not(gateway: Gateway, other: str, path: str) -> None:
    assert gateway.site().get(path, ("Host", other)).status == 404


def test_port_of_the_distribution_is_left_alone(gateway: Gateway) -> None:
    """lighttpd's own port, 80, shows what it showed without this role."""
    site = gateway.site(port=80)
    assert [site.get(path).status for path in ("_health", "/style.css")] == [404, 404]
    assert site.get("/index.lighttpd.html").status == 200
