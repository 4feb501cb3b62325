"""Preflights: granted with exactly what was asked for, refused without any grant, and never the application's."""

import pytest
from hosttests.site import Answer, Header, Site

PORTAL = "https://portal.example.org"
BELOW = "http://tools.portal.localhost:8123"
VARY = ["Origin, Access-Control-Request-Method, Access-Control-Request-Headers"]


def ask(site: Site, origin: str, method: str, *names: str, path: str = "ok") -> Answer:
    """Ask as a browser does before a request that needs permission."""
    asked = [("Access-Control-Request-Headers", ",".join(names))] if names else []
    return site.request("OPTIONS", path, [("Origin", origin), ("Access-Control-Request-Method", method), *asked])


def names_of(answer: Answer) -> set[str]:
    return {name.lower() for name, _ in answer.headers}


@pytest.mark.parametrize("origin", [PORTAL, BELOW, "http://a.b.portal.localhost"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
def test_method_is_granted(site: Site, origin: str, method: str) -> None:
    answer = ask(site, origin, method)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.grant() == [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Methods", method),
        ("Access-Control-Max-Age", "600"),
    ]
    assert answer.all("Vary") == VARY
    assert not names_of(answer) & {"x-app-reached", "content-length", "transfer-encoding"}


@pytest.mark.parametrize("names", [["content-type"], ["content-type", "x-custom"], ["X-CUSTOM", "Content-Type"]])
def test_headers_are_granted(site: Site, names: list[str]) -> None:
    answer = ask(site, PORTAL, "PUT", *names)
    assert answer.status == 204
    assert answer.grant()[3] == ("Access-Control-Allow-Headers", ", ".join(names))
    assert len(answer.grant()) == 5


@pytest.mark.parametrize("path", ["no-such-resource", "boom", "_health", "redirect"])
def test_path_does_not_matter(site: Site, path: str) -> None:
    answer = ask(site, PORTAL, "POST", path=path)
    assert (answer.status, answer.all("X-App-Reached")) == (204, [])


@pytest.mark.parametrize(
    ("origin", "method", "names"),
    [
        ("https://foreign.example", "GET", []),
        ("http://portal.example.org", "GET", []),
        ("https://portal.example.org:8443", "GET", []),
        ("https://portal.example.org.foreign.example", "GET", []),
        ("https://evilportal.example.org", "GET", []),
        ("https://portal.example.org/", "GET", []),
        ("https://PORTAL.example.org", "GET", []),
        ("http://portal.localhost:8123", "GET", []),
        ("https://tools.portal.localhost:8123", "GET", []),
        ("null", "GET", []),
        ("*", "GET", []),
        (f"{PORTAL}, https://foreign.example", "GET", []),
        (PORTAL, "PATCH", []),
        (PORTAL, "put", []),
        (PORTAL, "PUT, DELETE", []),
        (PORTAL, "PUT", ["authorization"]),
        (PORTAL, "PUT", ["content-type", "x-other"]),
        (PORTAL, "PUT", ["*"]),
        (PORTAL, "PUT", ["x-custom"] * 65),
    ],
)
def test_refused_without_any_grant(site: Site, origin: str, method: str, names: list[str]) -> None:
    answer = ask(site, origin, method, *names)
    assert (answer.status, answer.body, answer.grant()) == (403, b"", [])
    assert answer.all("Vary") == VARY
    assert answer.all("X-App-Reached") == []


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Origin", PORTAL)],
        [("Origin", "https://foreign.example")],
        [("Access-Control-Request-Method", "PUT")],
        [("Origin", PORTAL), ("Access-Control-Request-Method", "")],
        [("Origin", ""), ("Access-Control-Request-Method", "PUT")],
    ],
)
def test_other_options_reach_the_application(site: Site, headers: list[Header]) -> None:
    answer = site.request("OPTIONS", "ok", headers)
    assert (answer.status, answer.all("X-App-Reached")) == (405, ["1"])
    assert answer.all("Vary") == ["Origin"]
