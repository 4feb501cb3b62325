"""Actual answers, good and bad: readable for allowed origins and for nobody else, whoever answers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hosttests.gateway import Gateway
from hosttests.site import Answer, Site

PORTAL = "https://portal.example.org"
BELOW = "http://tools.portal.localhost:8123"
FOREIGN = "https://foreign.example"
LIMIT = 65000
REACHED = ["1"]


def granted(origin: str) -> list[tuple[str, str]]:
    """Return all that an answer may grant."""
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", "X-App-Reached, ETag"),
    ]


def from_page(site: Site, origin: str, path: str, method: str = "GET", body: bytes | None = None) -> Answer:
    """Ask for what a page of the origin asks for."""
    return site.request(method, path, [("Origin", origin)] if origin else [], body)


@pytest.mark.parametrize(
    ("method", "path", "status", "reached"),
    [
        ("GET", "ok", 200, REACHED),
        ("POST", "ok", 200, REACHED),
        ("PUT", "ok", 200, REACHED),
        ("DELETE", "ok", 200, REACHED),
        ("HEAD", "ok", 200, REACHED),
        ("GET", "stream", 200, REACHED),
        ("GET", "status/204", 204, REACHED),
        ("GET", "status/304", 304, REACHED),
        ("GET", "status/404", 404, REACHED),
        ("GET", "status/503", 503, REACHED),
        ("GET", "no-such-resource", 404, REACHED),
        ("GET", "redirect", 303, REACHED),
        ("DELETE", "boom", 405, REACHED),
        ("GET", "boom", 500, []),
        ("GET", "_health", 200, []),
        ("POST", "_health", 405, []),
    ],
)
def test_every_answer_carries_the_grant(site: Site, method: str, path: str, status: int, reached: list[str]) -> None:
    body = b"{}" if method in ("POST", "PUT") else None
    for origin, grant in [(PORTAL, granted(PORTAL)), (BELOW, granted(BELOW)), (FOREIGN, []), ("null", []), ("", [])]:
        answer = from_page(site, origin, path, method, body)
        assert (answer.status, answer.all("X-App-Reached")) == (status, reached)
        assert answer.grant() == grant
        assert answer.all("Vary") == ["Origin"]


def test_uncaught_exception_is_told_as_json(site: Site) -> None:
    answer = from_page(site, PORTAL, "boom")
    assert answer.json()["error"] == "internal server error"


@pytest.mark.parametrize(("origin", "grant"), [(PORTAL, granted(PORTAL)), (FOREIGN, [])])
def test_overload_and_lateness_are_told(
    gateway: Gateway, outside: Site, origin: str, grant: list[tuple[str, str]]
) -> None:
    """Each worker takes its share and keeps it until the time is up; the others are refused at once."""
    most = gateway["max_concurrency"]
    with ThreadPoolExecutor(3 * most) as pool:
        answers = list(pool.map(lambda _: from_page(outside, origin, "wait/60"), range(3 * most)))
    late = [answer for answer in answers if answer.status == 504]
    refused = [answer for answer in answers if answer.status == 503]
    assert len(late) + len(refused) == len(answers)
    assert 1 <= len(late) <= most
    assert {answer.json()["error"] for answer in late} == {"no answer in time"}
    assert {(answer.json()["error"], *answer.all("Retry-After")) for answer in refused} == {("too busy", "1")}
    for answer in answers:
        assert (answer.grant(), answer.all("Vary"), answer.all("X-App-Reached")) == (grant, ["Origin"], [])
    assert from_page(outside, origin, "ok").status == 200


@pytest.mark.usefixtures("stopped")
def test_lighttpd_grants_nothing_for_a_stopped_gateway(outside: Site) -> None:
    asked = [("Origin", PORTAL), ("Access-Control-Request-Method", "PUT")]
    for answer in (from_page(outside, PORTAL, "ok"), outside.request("OPTIONS", "ok", asked)):
        assert (answer.status, answer.grant(), answer.all("Vary")) == (503, [], [])


def test_lighttpd_grants_nothing_for_a_worker_that_died(gateway: Gateway, outside: Site) -> None:
    before = outside.get("reached").json()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(from_page, outside, PORTAL, "wait/60")
        while outside.get("reached").json().get("GET 60") == before.get("GET 60") and not answer.done():
            pass
        gateway.output("systemctl kill --signal=SIGKILL %s", f"{gateway.name}@*.service")
        assert (answer.result().status, answer.result().grant()) == (500, [])
    gateway.wait_for_workers()
    gateway.wait_for_site(200)


def test_body_too_large_for_the_gateway_is_told_as_json(site: Site) -> None:
    answer = from_page(site, PORTAL, "ok", "POST", b"x" * (LIMIT + 1))
    assert (answer.status, answer.grant(), answer.all("X-App-Reached")) == (413, granted(PORTAL), [])
    assert "error" in answer.json()


def test_body_too_large_for_lighttpd_grants_nothing(site: Site) -> None:
    answer = from_page(site, PORTAL, "ok", "POST", b"x" * 2 * LIMIT)
    assert (answer.status, answer.grant()) == (413, [])


def test_portal_pages_grant_nothing(site: Site) -> None:
    for path in ("/", "/style.css", "/no-such-page"):
        assert from_page(site, PORTAL, path).grant() == []


@pytest.mark.parametrize("origin", [PORTAL, FOREIGN, ""])
def test_vary_of_the_application_is_kept(site: Site, origin: str) -> None:
    assert from_page(site, origin, "vary").all("Vary") == ["Accept-Encoding, Origin"]


@pytest.mark.parametrize(("origin", "grant"), [(PORTAL, granted(PORTAL)), (FOREIGN, []), ("", [])])
def test_grant_of_the_application_is_removed(site: Site, origin: str, grant: list[tuple[str, str]]) -> None:
    answer = from_page(site, origin, "own-grant")
    assert (answer.status, answer.all("X-App-Reached")) == (200, REACHED)
    assert answer.grant() == grant


def test_both_cookies_are_kept(site: Site) -> None:
    cookies = from_page(site, PORTAL, "cookies").all("Set-Cookie")
    assert [cookie.partition(";")[0] for cookie in cookies] == ["first=1", "second=2"]


def test_cookie_and_origin_reach_the_application(site: Site) -> None:
    got = site.get("echo", ("Origin", PORTAL), ("Cookie", "first=1"), ("X-Custom", "own")).json()
    assert (got["ORIGIN"], got["COOKIE"], got["X_CUSTOM"]) == (PORTAL, "first=1", "own")


def test_foreign_request_is_not_refused(site: Site) -> None:
    """CORS is no access control: the answer is there, only that the browser keeps it from the page."""
    answer = from_page(site, FOREIGN, "ok", "POST", b"text")
    assert (answer.status, answer.json()["body"]) == (200, "text")


@pytest.mark.parametrize("query", ["callback=show", "callback=alert(1)"])
def test_callback_is_ignored_where_jsonp_is_off(site: Site, query: str) -> None:
    answer = site.get(f"ok?{query}")
    assert (answer.status, answer.json()["ok"]) == (200, True)
