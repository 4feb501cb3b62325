"""What a browser needs for the portal's own pages, and what it must not get for foreign ones."""

import pytest
from hosttests.site import Answer, Site

FOREIGN = "https://foreign.example"
DEVICE = {"name": "from-a-browser", "kind": "sensor"}


def granted(answer: Answer) -> list[str]:
    """Return the names of headers that grant something to pages of other origins."""
    return [name for name, _ in answer.headers if name.lower().startswith("access-control-")]


def test_own_page_needs_no_preflight(site: Site) -> None:
    created = site.json("POST", "devices", DEVICE, ("Origin", site.origin), ("Sec-Fetch-Site", "same-origin"))
    removed = site.request("DELETE", created.all("Location")[0], [("Origin", site.origin)])
    assert (created.status, removed.status) == (201, 204)
    assert granted(created) == granted(removed) == []


@pytest.mark.parametrize("origin", [FOREIGN, "null", "http://localhost:3000"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["devices", "devices/1", "_health", "no-such-resource", "/"])
def test_preflight_grants_nothing(site: Site, origin: str, method: str, path: str) -> None:
    asked = [
        ("Origin", origin),
        ("Access-Control-Request-Method", method),
        ("Access-Control-Request-Headers", "content-type, authorization"),
        ("Access-Control-Request-Private-Network", "true"),
    ]
    assert granted(site.request("OPTIONS", path, asked)) == []


@pytest.mark.parametrize("path", ["devices", "_health", "no-such-resource", "/", "/style.css"])
def test_foreign_page_gets_no_permission(site: Site, path: str) -> None:
    assert granted(site.get(path, ("Origin", FOREIGN))) == []


def test_form_of_a_foreign_page_changes_nothing(site: Site) -> None:
    before = site.get("devices").json()["total"]
    body = b'{"name": "by-form", "kind": "sensor"}'
    answer = site.request("POST", "devices", [("Origin", FOREIGN), ("Content-Type", "text/plain")], body)
    assert answer.status == 415
    assert site.get("devices").json()["total"] == before
