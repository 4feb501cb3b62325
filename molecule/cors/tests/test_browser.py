"""The story this project began with, in a real browser: pages of three origins call the API."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hosttests.browser import Browser
from hosttests.gateway import Gateway
from hosttests.relay import Relay

JSON = {"Content-Type": "application/json"}
NOTE = json.dumps({"text": "Grüße"})
BLOCKED = "has been blocked by CORS policy: "
NO_GRANT = "No 'Access-Control-Allow-Origin' header is present on the requested resource."
PREFLIGHT_REFUSED = f"{BLOCKED}Response to preflight request doesn't pass access control check: {NO_GRANT}"


class Page(BaseHTTPRequestHandler):
    """An empty page, whatever is asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Page</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def page_port() -> Iterator[int]:
    """Serve pages beside the site; return the port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def portal(gateway: Gateway) -> Iterator[str]:
    """Return the origin of the portal, as the browser reaches it."""
    with Relay(gateway.site().tunnel) as relay:
        yield f"http://portal.localhost:{relay.port}"


@pytest.fixture(scope="module")
def api(portal: str, gateway: Gateway) -> str:
    return portal + gateway.prefix


@pytest.fixture(scope="module")
def allowed(page_port: int) -> str:
    return f"http://tools.portal.localhost:{page_port}"


@pytest.fixture(scope="module")
def foreign(page_port: int) -> str:
    return f"http://foreign.localhost:{page_port}"


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


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


@pytest.mark.parametrize(("path", "status"), [("boom", 500), ("no-such-resource", 404), ("status/503", 503)])
def test_allowed_page_can_read_errors(browser: Browser, allowed: str, api: str, path: str, status: int) -> None:
    browser.open(f"{allowed}/")
    assert browser.fetch(api + path, credentials="include")["status"] == status


def expect_in_console(browser: Browser, origin: str, url: str, reason: str) -> None:
    said = f"Access to fetch at '{url}' from origin '{origin}' {reason}"
    console = browser.console(said)
    assert [line for line in console if said in line], console


def test_foreign_page_fails_before_the_application(browser: Browser, gateway: Gateway, foreign: str, api: str) -> None:
    before = reached(gateway).get("POST ok", 0)
    browser.open(f"{foreign}/")
    answer = browser.fetch(f"{api}ok", method="POST", headers=JSON, body=NOTE)
    assert answer == {"error": "TypeError: Failed to fetch"}
    expect_in_console(browser, foreign, f"{api}ok", PREFLIGHT_REFUSED)
    assert "OPTIONS" in browser.requests(f"{api}ok")
    assert reached(gateway).get("POST ok", 0) == before


def test_foreign_page_cannot_read_what_it_may_ask_for(
    browser: Browser, gateway: Gateway, foreign: str, api: str
) -> None:
    """What an HTML form could send arrives; the browser keeps the answer from the page."""
    before = reached(gateway).get("GET ok", 0)
    browser.open(f"{foreign}/")
    assert browser.fetch(f"{api}ok") == {"error": "TypeError: Failed to fetch"}
    expect_in_console(browser, foreign, f"{api}ok", f"{BLOCKED}{NO_GRANT}")
    assert reached(gateway)["GET ok"] == before + 1


def test_header_that_is_not_allowed_fails(browser: Browser, allowed: str, api: str) -> None:
    browser.open(f"{allowed}/")
    assert browser.fetch(f"{api}ok", headers={"X-Other": "1"}) == {"error": "TypeError: Failed to fetch"}
    expect_in_console(browser, allowed, f"{api}ok", PREFLIGHT_REFUSED)
