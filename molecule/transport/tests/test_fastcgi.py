"""What is different where lighttpd speaks FastCGI: CGI has one name for headers that HTTP tells apart."""

import pytest
from hosttests.gateway import Gateway
from hosttests.site import Site


def test_lighttpd_speaks_it(gateway: Gateway) -> None:
    snippet = gateway.output("cat %s", f"/etc/lighttpd/conf-enabled/60-{gateway.name}.conf")
    assert ("fastcgi.server" in snippet, "proxy.server" in snippet) == (True, False)


def test_names_that_are_one_in_cgi_are_refused_together(site: Site) -> None:
    assert site.get("echo", ("X-Name", "1"), ("X_Name", "2")).status == 400
    assert site.get("echo", ("X_Name", "2")).json()["headers"]["X-Name"] == "2"


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X-Forwarded_For", "X_Real-IP", "Remote_User"])
def test_identity_cannot_be_claimed_in_another_spelling(site: Site, name: str) -> None:
    got = site.get("echo", (name, "203.0.113.66")).json()
    assert got["client"] == "127.0.0.1"
    assert "203.0.113.66" not in str(got)


@pytest.mark.parametrize("target", ["%65cho?a=%41", "x/../echo?a=%41", "./echo?a=A"])
def test_application_sees_the_url_that_lighttpd_judged(site: Site, target: str) -> None:
    got = site.get(target).json()
    assert (got["path_info"], got["query"]) == (f"{site.prefix}echo", "a=A")
