"""The portal agrees with the API, and with a Content-Security-Policy of default-src 'self'."""

import re
from html.parser import HTMLParser

import pytest
from api_client import API
from device_inventory.fields import CHECKS, KINDS

PORTAL = API.parent / "portal"
PAGES = ["index.html", "404.html"]


class Page(HTMLParser):
    """Every element of a page with its attributes, and all text inside script and style elements."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline = ""
        self.feed((PORTAL / name).read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] in ("script", "style"):
            self.inline += data.strip()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_inline_and_nothing_foreign(name: str) -> None:
    page = Page(name)
    assert page.inline == ""
    for tag, attributes in page.elements:
        assert tag != "style"
        assert not [attribute for attribute in attributes if attribute == "style" or attribute.startswith("on")]
        for url in filter(None, (attributes.get("src"), attributes.get("href"))):
            assert url in ("/", "#devices") or (PORTAL / url.lstrip("/")).is_file(), f"{name}: {url}"


def test_scripts_import_what_exists() -> None:
    for script in (PORTAL / "js").glob("*.js"):
        for imported in re.findall(r'from "(.+?)"', script.read_text()):
            assert (script.parent / imported).is_file(), f"{script.name}: {imported}"


def test_form_has_the_fields_of_the_api() -> None:
    elements = Page("index.html").elements
    fields = {attributes.get("name") for tag, attributes in elements if tag in ("input", "select", "textarea")}
    assert fields - {"q"} == set(CHECKS)
    assert tuple(re.findall("<option>(.+?)</option>", (PORTAL / "index.html").read_text())) == KINDS


def test_every_field_has_a_label_and_a_place_for_its_error() -> None:
    elements = [attributes for _, attributes in Page("index.html").elements]
    ids = {attributes.get("id") for attributes in elements}
    labelled = {attributes.get("for") for attributes in elements}
    for field in CHECKS:
        assert field in labelled
        assert f"{field}-error" in ids
