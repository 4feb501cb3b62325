"""After the policy was changed to everyone, in a real browser."""

from collections.abc import Callable

from hosttests.browser import Browser
from hosttests.console import Row


def test_foreign_page_may_read(browser: Browser, foreign: str, api: str) -> None:
    browser.open(f"{foreign}/")
    assert browser.fetch(f"{api}status/503")["status"] == 503


def test_everyone_is_without_credentials(foreign: str, api: str, blocked: Callable[..., None]) -> None:
    blocked(foreign, f"{api}ok", Row.WILDCARD, credentials="include")
