"""Static pages, served by lighttpd."""

import hashlib
from pathlib import Path

import pytest
from hosttests.gateway import ROOT, Gateway
from hosttests.site import Site

PORTAL = ROOT / "files/portal"
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
PAGES = sorted(path for path in PORTAL.rglob("*") if path.is_file())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PORTAL)))
def test_page_is_served_as_it_is(site: Site, page: Path) -> None:
    answer = site.get(f"/{page.relative_to(PORTAL)}")
    assert (answer.status, answer.body) == (200, page.read_bytes())
    assert [value.partition(";")[0] for value in answer.all("Content-Type")] == [TYPES[page.suffix]]


def test_first_page_needs_no_name(site: Site) -> None:
    answer = site.get("/")
    assert (answer.status, answer.body) == (200, (PORTAL / "index.html").read_bytes())


def test_missing_page_is_the_portals_own(site: Site) -> None:
    answer = site.get("/there/is/no/such/page")
    assert (answer.status, answer.body) == (404, (PORTAL / "404.html").read_bytes())
    assert [value.partition(";")[0] for value in answer.all("Content-Type")] == ["text/html"]


@pytest.mark.parametrize("path", ["/", "/style.css", "/no-such-page", "devices", "no-such-resource", "_health"])
def test_security_headers_are_there_once(gateway: Gateway, site: Site, path: str) -> None:
    wanted = gateway["security_headers"]
    answer = site.get(path)
    assert wanted
    assert {name: answer.all(name) for name in wanted} == {name: [value] for name, value in wanted.items()}


@pytest.mark.parametrize(
    "path",
    [
        "/../release.json",
        "/..%2frelease.json",
        "/%2e%2e/app/app.py",
        "/js/../../app/app.py",
        "/app/app.py",
        "//etc/passwd",
    ],
)
def test_nothing_but_the_portal_is_served(gateway: Gateway, site: Site, path: str) -> None:
    answer = site.get(path)
    kept = gateway.output(f"sha256sum /opt/{gateway.name}/current/release.json /opt/{gateway.name}/current/app/app.py")
    assert answer.status in (400, 403, 404)
    assert hashlib.sha256(answer.body).hexdigest() not in kept
