"""The slow answer, the stream of events, the echo."""

import hashlib
import json
import time

import pytest
from api_client import Client
from device_inventory import store
from device_inventory.fields import Values


def test_slow_takes_its_time(api: Client) -> None:
    before = time.monotonic()
    answer = api("GET", "/slow?seconds=0.1")
    assert answer.json == {"seconds": 0.1}
    assert time.monotonic() - before >= 0.1


def test_events_are_made_as_they_are_read(anywhere: Client) -> None:
    answer, pieces = anywhere.start("GET", "/events?count=3&interval=0.1")
    assert answer.status == 200
    assert answer.headers == {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}

    def read() -> dict[str, object]:
        event, data, *rest = next(pieces).decode().split("\n")
        assert (event, rest) == ("event: inventory", ["", ""])
        content: dict[str, object] = json.loads(data.removeprefix("data: "))
        return content

    first = read()
    assert (first["number"], first["devices"], first["changed"]) == (1, 0, "")
    device = store.create(Values(name="x", kind="other", address="", location="", notes=""))
    before = time.monotonic()
    second = read()
    assert time.monotonic() - before >= 0.1
    assert (second["number"], second["devices"], second["changed"]) == (2, 1, device["updated"])
    assert read()["number"] == 3
    assert b"".join(pieces) == b""


def test_head_of_events_does_not_stream(api: Client) -> None:
    before = time.monotonic()
    answer = api("HEAD", "/events?count=3&interval=1")
    assert time.monotonic() - before < 1
    assert (answer.headers["Content-Type"], answer.body) == ("text/event-stream", b"")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"])
def test_echo_answers_any_method(anywhere: Client, method: str) -> None:
    seen = anywhere(method, "/echo?a=1&b=%20", HTTP_X_LOTS="1, 2", **{"wsgi.url_scheme": "https"}).json
    assert seen["method"] == method
    assert seen["path"] == anywhere.prefix + "/echo"
    assert seen["script_name"] + seen["path_info"] == seen["path"]
    assert seen["query"] == "a=1&b=%20"
    assert (seen["client"], seen["scheme"], seen["host"]) == ("192.0.2.7", "https", "devices.example")
    assert (seen["headers"]["X-Lots"], seen["headers"]["Host"]) == ("1, 2", "devices.example")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        ("grüezi".encode(), "grüezi"),
        (bytes(range(256)), None),
        (b"x" * 4096, "x" * 4096),
        (b"x" * 4097, None),
    ],
    ids=["empty", "text", "binary", "small", "large"],
)
def test_echo_of_the_body(api: Client, body: bytes, text: str | None) -> None:
    seen = api("POST", "/echo", body, CONTENT_TYPE="application/octet-stream").json
    assert seen["body"] == {"length": len(body), "sha256": hashlib.sha256(body).hexdigest(), "text": text}
    assert seen["headers"]["Content-Type"] == "application/octet-stream"


def test_echo_hides_secrets(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "correct-horse"
    monkeypatch.setenv("DATABASE_PASSWORD", secret)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    hidden = ("AUTHORIZATION", "PROXY_AUTHORIZATION", "COOKIE", "X_API_KEY", "X_AUTH_TOKEN", "X_CSRF_TOKEN")
    answer = api("GET", "/echo", DATABASE_PASSWORD=secret, **{f"HTTP_{name}": secret for name in hidden})
    assert secret not in answer.body.decode()
    assert "credentials" not in answer.body.decode()
    shown = answer.json["headers"]
    assert {shown[name.replace("_", "-").title()] for name in hidden} == {"(hidden)"}
