"""The story this project began with, in a real browser: pages of three origins call the API."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hosttests.browser import Browser
from hosttests.console import Row, documented, rows
from hosttests.gateway import Gateway

JSON = {"Content-Type": "application/json"}
NOTE = json.dumps({"text": "Grüße"})


def reached(gateway: Gateway) -> dict[str, Any]:
    """Return how often the application was reached, by method and name."""
    return dict(gateway.site().get("reached").json())


def test_page_of_the_portal_needs_no_preflight(browser: Browser, gateway: Gateway, portal: str, api: str) -> None:
    before = reached(gateway).get("POST ok", 0)
    browser.open(f"{portal}/")
    answer = browser.fetch(f"{gateway.prefix}ok", method="POST", headers=JSON, body=NOTE)
    assert (answer["status"], json.loads(answer["body"])["body"]) == (200, NOTE)
    assert browser.requests(f"{api}ok") == ["POST"]
    assert reached(gateway)["POST ok"] == before + 1


def test_allowed_page_works_after_one_preflight(browser: Browser, allowed: str, api: str) -> None:
    browser.open(f"{allowed}/")
    assert browser.fetch(f"{api}cookies", credentials="include")["status"] == 200
    send = {"credentials": "include", "headers": {**JSON, "X-Custom": "own"}, "body": NOTE}
    answers = [browser.fetch(f"{api}echo", method="POST", **send) for _ in range(2)]
    for answer in answers:
        got = json.loads(answer["body"])
        assert (answer["status"], got["method"], got["body"], got["X_CUSTOM"]) == (200, "POST", NOTE, "own")
        assert (got["ORIGIN"], got["COOKIE"]) == (allowed, "first=1; second=2")
        assert answer["headers"]["x-app-reached"] == "1"
    # the second time it remembers what it was allowed
    assert sorted(browser.requests(f"{api}echo")) == ["OPTIONS", "POST", "POST"]


def test_manual_has_no_row_without_a_test() -> None:
    assert sorted(map(documented, Row)) == sorted(rows())


@pytest.mark.parametrize(("path", "status"), [("boom", 500), ("no-such-resource", 404), ("status/503", 503)])
def test_allowed_page_can_read_errors(browser: Browser, allowed: str, api: str, path: str, status: int) -> None:
    browser.open(f"{allowed}/")
    assert browser.fetch(api + path, credentials="include")["status"] == status
    said = documented(Row.READABLE).removesuffix(" and a number")
    assert any(f"{api}{path} - {said} {status}" in line for line in browser.console(said))


def test_foreign_page_fails_before_the_application(
    browser: Browser, gateway: Gateway, foreign: str, api: str, blocked: Callable[..., None]
) -> None:
    before = reached(gateway).get("POST ok", 0)
    blocked(foreign, f"{api}ok", Row.PREFLIGHT_REFUSED, method="POST", headers=JSON, body=NOTE)
    assert "OPTIONS" in browser.requests(f"{api}ok")
    assert reached(gateway).get("POST ok", 0) == before


def test_foreign_page_cannot_read_what_it_may_ask_for(
    gateway: Gateway, foreign: str, api: str, blocked: Callable[..., None]
) -> None:
    """What an HTML form could send arrives; the browser keeps the answer from the page."""
    before = reached(gateway).get("GET ok", 0)
    blocked(foreign, f"{api}ok", Row.NO_GRANT)
    assert reached(gateway)["GET ok"] == before + 1


@pytest.mark.parametrize("options", [{"headers": {"X-Other": "1"}}, {"method": "PATCH"}], ids=["header", "method"])
def test_what_is_not_allowed_fails(allowed: str, api: str, options: Any, blocked: Callable[..., None]) -> None:
    blocked(allowed, f"{api}ok", Row.PREFLIGHT_REFUSED, **options)


def test_redirected_preflight_fails(allowed: str, page_port: int, api: str, blocked: Callable[..., None]) -> None:
    blocked(allowed, f"http://portal.localhost:{page_port}/?to={api}ok", Row.REDIRECTED, method="PUT")


def test_cookie_of_the_same_site_only(browser: Browser, allowed: str, partner: str, api: str) -> None:
    """Row.NO_COOKIE: one without SameSite=None is neither sent to another site's page nor kept for it."""
    for origin, cookies in [(partner, None), (allowed, "first=1; second=2"), (partner, None)]:
        browser.open(f"{origin}/")
        assert browser.fetch(f"{api}cookies", credentials="include")["status"] == 200
        assert json.loads(browser.fetch(f"{api}echo", credentials="include")["body"])["COOKIE"] == cookies
        assert browser.said() == []


@pytest.mark.usefixtures("stopped")
def test_stopped_gateway_looks_like_a_wrong_origin(
    browser: Browser, allowed: str, api: str, blocked: Callable[..., None]
) -> None:
    blocked(allowed, f"{api}ok", Row.NO_GRANT)
    assert browser.statuses() == [503]
    blocked(allowed, f"{api}ok", Row.PREFLIGHT_REFUSED, method="PUT")


def test_body_too_large_for_lighttpd_looks_like_a_wrong_origin(
    gateway: Gateway, allowed: str, api: str, browser: Browser, blocked: Callable[..., None]
) -> None:
    blocked(allowed, f"{api}ok", Row.NO_GRANT, method="POST", body="x" * 2 * gateway["max_body_bytes"])
    assert browser.statuses() == [413]
