"""After a change to less: the same origins without credentials, without headers to read, and scripts for everyone."""

import json
from collections.abc import Callable

import pytest
from hosttests.browser import Browser
from hosttests.console import Row
from hosttests.site import Site

OK = {"ok": True, "text": "</script>\u2028"}


def test_credentials_that_are_not_allowed_fail(allowed: str, api: str, blocked: Callable[..., None]) -> None:
    blocked(allowed, f"{api}ok", Row.NO_CREDENTIALS, credentials="include")


def test_header_that_is_not_exposed_is_not_there(browser: Browser, allowed: str, portal: str, api: str) -> None:
    """Row.NOT_EXPOSED."""
    browser.open(f"{allowed}/")
    answer = browser.fetch(f"{api}ok")
    assert (answer["status"], answer["headers"].get("etag"), browser.said()) == (200, None, [])
    browser.open(f"{portal}/")
    assert browser.fetch(f"{api}ok")["headers"]["etag"] == '"1"'


def test_script_of_a_foreign_page_gets_the_data(browser: Browser, foreign: str, api: str) -> None:
    browser.open(f"{foreign}/")
    assert browser.script(f"{api}ok?callback=show") == OK
    assert browser.script(f"{api}ok?callback=window.show") == OK


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("cookies?callback=show", 200),  # not listed: JSON all the same, which is no script
        ("page?callback=show", 200),
        ("ok?callback=alert(1)", 400),
        ("status/404?callback=show", 404),  # a script, but browsers run none with such a status
    ],
)
def test_nothing_else_runs(browser: Browser, foreign: str, api: str, path: str, status: int) -> None:
    browser.open(f"{foreign}/")
    assert browser.script(api + path) == "error"
    assert status in browser.statuses()


def test_nothing_but_a_script_gets_the_script(
    browser: Browser, allowed: str, foreign: str, api: str, blocked: Callable[..., None]
) -> None:
    browser.open(f"{allowed}/")
    answer = browser.fetch(f"{api}ok?callback=show")
    assert (answer["status"], json.loads(answer["body"])["error"]) == (403, "JSONP is for scripts only")
    blocked(foreign, f"{api}ok?callback=show", Row.NO_GRANT)
    assert browser.statuses() == [403]


def test_callback_is_ignored_where_it_is_not_listed(browser: Browser, allowed: str, api: str) -> None:
    browser.open(f"{allowed}/")
    answer = browser.fetch(f"{api}cookies?callback=show")
    assert (answer["status"], json.loads(answer["body"])) == (200, {"cookies": 2})


@pytest.mark.parametrize(("path", "status"), [("ok?callback=alert(1)", 400), ("status/404?callback=show", 404)])
def test_what_is_refused_carries_the_grant(outside: Site, path: str, status: int) -> None:
    answer = outside.get(path, ("Origin", "https://portal.example.org"))
    assert answer.status == status
    assert answer.grant() == [("Access-Control-Allow-Origin", "https://portal.example.org")]
