"""Every refusal is JSON and says why."""

import io
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from api_client import Client
from device_inventory import store

GOOD = {"name": "x", "kind": "server"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b'{"name": "x",}', "is not valid JSON"),
        (b'{"name": "\xff"}', "invalid start byte"),
        (b'{"name": NaN}', "NaN is not JSON"),
        (b'{"name": ' + b"9" * 5000 + b"}", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
    ],
    ids=lambda value: repr(value[:16]),
)
def test_bad_json(api: Client, body: bytes, reason: str) -> None:
    answer = api("POST", "/devices", body)
    assert answer.status == 400
    assert reason in answer.json["error"]


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_other_media_types(api: Client, media_type: str) -> None:
    created = api("POST", "/devices", GOOD)
    for method, path in (("POST", "/devices"), ("PUT", f"/devices/{created.json['id']}")):
        answer = api(method, path, GOOD, CONTENT_TYPE=media_type)
        assert (answer.status, answer.json) == (415, {"error": "the body must be application/json"})


def test_media_type_with_parameter(api: Client) -> None:
    assert api("POST", "/devices", GOOD, CONTENT_TYPE="Application/JSON; charset=utf-8").status == 201


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"name": ""}, "required"),
        ({"name": "-x"}, "letter or digit first"),
        ({"name": "ä"}, "letters"),
        ({"name": "x" * 64}, "1 to 63"),
        ({"name": 7}, "must be text"),
        ({"name": None}, "must be text"),
        ({"kind": ""}, "required"),
        ({"kind": "toaster"}, "one of: server"),
        ({"address": "10.0.0.256"}, "IPv4 or IPv6"),
        ({"address": "10.0.0.0/8"}, "IPv4 or IPv6"),
        ({"location": "x" * 101}, "at most 100"),
        ({"location": "a\nb"}, "control characters"),
        ({"notes": "x" * 2001}, "at most 2000"),
        ({"notes": "a\0b"}, "control characters"),
        ({"notes": "\ud800"}, "control characters"),
        ({"colour": "red"}, "not known"),
        ({"\ud800": "red"}, "not known"),
    ],
    ids=lambda value: ascii(value)[:24],
)
def test_invalid_values(api: Client, wrong: dict[str, Any], reason: str) -> None:
    answer = api("POST", "/devices", {**GOOD, **wrong})
    assert answer.status == 422
    (field,) = wrong
    assert list(answer.json["fields"]) == [field]
    assert reason in answer.json["fields"][field]
    assert api("GET", "/devices").json["total"] == 0


def test_all_errors_at_once(api: Client) -> None:
    answer = api("POST", "/devices", {"address": "x", "notes": 1, "colour": "red"})
    assert set(answer.json["fields"]) == {"name", "kind", "address", "notes", "colour"}


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/devices?limit=0", "limit"),
        ("/devices?limit=201", "limit"),
        ("/devices?limit=1.5", "limit"),
        ("/devices?limit=ten", "limit"),
        ("/devices?offset=-1", "offset"),
        ("/devices?offset=nan", "offset"),
        ("/slow?seconds=30.1", "seconds"),
        ("/slow?seconds=-1", "seconds"),
        ("/slow?seconds=inf", "seconds"),
        ("/events?count=601", "count"),
        ("/events?count=0", "count"),
        ("/events?interval=11", "interval"),
    ],
)
def test_query_out_of_bounds(api: Client, path: str, field: str) -> None:
    answer = api("GET", path)
    assert (answer.status, list(answer.json["fields"])) == (422, [field])


@pytest.mark.parametrize("path", ["", "/nothing", "/devices/", "/devices/x", "/devices/1/more", "/devices/" + "9" * 19])
def test_no_such_path(anywhere: Client, path: str) -> None:
    answer = anywhere("GET", path)
    assert (answer.status, answer.json) == (404, {"error": "not found"})


def test_largest_id(api: Client) -> None:
    assert api("GET", "/devices/" + "9" * 18).status == 404


@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        ("/", "POST", "GET, HEAD"),
        ("/devices", "PUT", "GET, HEAD, POST"),
        ("/devices", "DELETE", "GET, HEAD, POST"),
        ("/devices/1", "POST", "GET, HEAD, PUT, DELETE"),
        ("/devices/1", "PATCH", "GET, HEAD, PUT, DELETE"),
        ("/slow", "POST", "GET, HEAD"),
        ("/events", "POST", "GET, HEAD"),
        ("/events", "OPTIONS", "GET, HEAD"),
    ],
)
def test_method_not_allowed(anywhere: Client, path: str, method: str, allow: str) -> None:
    answer = anywhere(method, path)
    assert (answer.status, answer.json) == (405, {"error": "method not allowed"})
    assert answer.headers["Allow"] == allow


def test_a_fault_shows_nothing_of_the_inside(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("correct-horse")

    monkeypatch.setattr(store, "find", fail)
    log = io.StringIO()
    answer = api("GET", "/devices", **{"wsgi.errors": log})
    assert answer.status == 500
    assert answer.body == b"internal server error"
    assert "correct-horse" in log.getvalue()


def test_locked_database(api: Client, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api("POST", "/devices", GOOD)
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.05)
    holder = sqlite3.connect(state / "inventory.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    busy = api("POST", "/devices", {**GOOD, "name": "y"})
    assert (busy.status, busy.headers["Retry-After"]) == (503, "1")
    assert busy.json == {"error": "the database is busy"}
    assert api("GET", "/devices").json["total"] == 1, "readers do not wait for writers"
    holder.execute("ROLLBACK")
    holder.close()
    assert api("POST", "/devices", {**GOOD, "name": "y"}).status == 201
