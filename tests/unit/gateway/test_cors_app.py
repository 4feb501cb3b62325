"""The application for cross-origin tests, behind the whole chain."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from cors_kit import BASE, ORIGIN, PORTAL, ask, granted, preflight
from webpy_gateway import config, pipeline, webpy

APP = Path(__file__).resolve().parents[2] / "cors_app" / "app.py"


@pytest.fixture(params=["/api", ""])
def chain(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """With the prefix in what the application sees, and without."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    webpy.prepare()
    spec = importlib.util.spec_from_file_location("cors_app", APP)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tables = {"cors": {"allowed_origins": [PORTAL]}, "jsonp": {"routes": ["/api/ok", "/api/page"]}}
    settings = config.parse({**BASE, **tables, "strip_prefix": request.param == ""})
    return pipeline.build(settings, "abc", "1", module.application.wsgifunc())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("ok", 200),
        ("nowhere", 404),
        ("status/201", 201),
        ("status/418", 418),
        ("status/503", 503),
        ("redirect", 303),
        ("vary", 200),
        ("own-grant", 200),
        ("cookies", 200),
        ("stream", 200),
    ],
)
def test_answers_are_marked_and_granted(chain: Any, path: str, status: int) -> None:
    exchange = ask(chain, path=f"/api/{path}")
    assert (exchange.status, exchange.header("X-App-Reached")) == (status, "1")
    assert granted(exchange) == {"Allow-Origin": PORTAL}
    assert "Origin" in str(exchange.header("Vary"))


def test_exception_is_answered_by_the_gateway(chain: Any) -> None:
    exchange = ask(chain, path="/api/boom")
    assert (exchange.status, exchange.header("X-App-Reached"), exchange.header(ORIGIN)) == (500, None, PORTAL)


def test_options(chain: Any) -> None:
    """The original complaint: web.py answers OPTIONS by 405; preflights do not get that far."""
    plain = ask(chain, method="OPTIONS", path="/api/ok")
    assert (plain.status, plain.header("X-App-Reached")) == (405, "1")
    asked = preflight(chain, path="/api/ok", method="POST")
    assert (asked.status, asked.header("X-App-Reached")) == (204, None)
    counted = json.loads(ask(chain, path="/api/reached").sent)
    assert counted == {"OPTIONS ok": 1, "GET reached": 1}


def test_headers_that_the_tests_look_for(chain: Any) -> None:
    assert ask(chain, path="/api/vary").header("Vary") == "Accept-Encoding, Origin"
    cookies = [value for name, value in ask(chain, path="/api/cookies").headers if name == "Set-Cookie"]
    assert [cookie.split(";")[0] for cookie in cookies] == ["first=1", "second=2"]
    assert json.loads(ask(chain, path="/api/echo", HTTP_X_CUSTOM="x").sent)["X_CUSTOM"] == "x"


def test_jsonp(chain: Any) -> None:
    script = ask(chain, path="/api/ok", QUERY_STRING="callback=cb").sent
    assert script == b'/**/cb({"ok": true, "text": "<\\/script>\\u2028"});'
    assert ask(chain, path="/api/page", QUERY_STRING="callback=cb").sent.startswith(b"<!doctype")
