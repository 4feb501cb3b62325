"""JSONP through lighttpd: scripts of listed JSON answers, and of nothing else."""

import pytest
from hosttests.site import Header, Site


@pytest.mark.parametrize(
    ("path", "status", "script"),
    [
        ("ok", 200, rb'/**/show({"ok": true, "text": "<\/script>\u2028"});'),
        ("status/404", 404, b'/**/show({"status": 404});'),
    ],
)
def test_json_becomes_a_script(site: Site, path: str, status: int, script: bytes) -> None:
    answer = site.get(f"{path}?callback=show")
    assert (answer.status, answer.body) == (status, script)
    # the gateway says application/javascript; lighttpd writes what RFC 9239 made of it
    assert answer.all("Content-Type") == ["text/javascript; charset=utf-8"]
    assert answer.all("X-Content-Type-Options") == ["nosniff"]
    assert answer.all("X-App-Reached") == ["1"]


@pytest.mark.parametrize("callback", ["", "alert(1)", "a-b", "a..b", "a" * 65, "%E2%82%AC", "show&callback=other"])
def test_other_callbacks_are_refused(site: Site, callback: str) -> None:
    answer = site.get(f"ok?callback={callback}")
    assert (answer.status, answer.all("X-App-Reached")) == (400, [])
    assert "callback" in answer.json()["error"]


@pytest.mark.parametrize(("wanted", "status"), [("script", 200), ("empty", 403), ("image", 403), ("document", 403)])
def test_only_scripts_get_it(site: Site, wanted: str, status: int) -> None:
    assert site.get("ok?callback=show", ("Sec-Fetch-Dest", wanted)).status == status


def test_html_stays_html(site: Site) -> None:
    answer = site.get("page?callback=show")
    assert answer.body.startswith(b"<!doctype html>")
    assert answer.all("Content-Type") == ["text/html; charset=utf-8"]


@pytest.mark.parametrize(("method", "path"), [("GET", "vary"), ("GET", "status/200"), ("POST", "ok")])
def test_callback_is_ignored_elsewhere(site: Site, method: str, path: str) -> None:
    answer = site.request(method, f"{path}?callback=show", body=b"" if method == "POST" else None)
    assert (answer.status, answer.all("Content-Type")) == (200, ["application/json"])


@pytest.mark.parametrize("header", [("Cookie", "first=1"), ("Authorization", "Basic eDp5")])
def test_nobody_is_logged_in(site: Site, header: Header) -> None:
    as_json, as_script = site.get("echo", header), site.get("echo?callback=show", header)
    assert as_script.body.startswith(b"/**/show({")
    assert [header[1].encode() in answer.body for answer in (as_json, as_script)] == [True, False]
