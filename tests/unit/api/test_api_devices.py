"""Devices over HTTP: create, list, read, replace, delete."""

from typing import Any

import pytest
from api_client import Client

SWITCH = {"name": "core-sw-01", "kind": "switch", "address": "10.0.0.2", "location": "Hall 3, Zürich", "notes": "a\nb"}


def test_life_of_a_device(anywhere: Client) -> None:
    created = anywhere("POST", "/devices", SWITCH)
    assert created.status == 201
    url = created.headers["Location"]
    device = created.json
    assert url == f"{anywhere.prefix}/devices/{device['id']}"
    assert {name: device[name] for name in SWITCH} == SWITCH

    assert anywhere.follow("GET", url).json == device

    replaced = anywhere.follow("PUT", url, {"name": "core-sw-02", "kind": "router"})
    assert replaced.status == 200
    assert replaced.json["name"] == "core-sw-02"
    assert replaced.json["location"] == "", "PUT replaces, it does not merge"
    assert replaced.json["created"] == device["created"]
    assert anywhere.follow("GET", url).json == replaced.json

    deleted = anywhere.follow("DELETE", url)
    assert (deleted.status, deleted.body) == (204, b"")
    for method, value in (("GET", None), ("PUT", SWITCH), ("DELETE", None)):
        gone = anywhere.follow(method, url, value)
        assert (gone.status, gone.json) == (404, {"error": "there is no such device"})


def test_links_lead_somewhere(anywhere: Client) -> None:
    links = anywhere("GET", "/").json["links"]
    assert set(links) == {"devices", "echo", "events", "slow"}
    assert anywhere.follow("GET", links["devices"]).status == 200
    assert anywhere.follow("GET", links["echo"]).json["path"] == links["echo"]


def test_what_was_read_can_be_sent_back(api: Client) -> None:
    device = api("POST", "/devices", SWITCH).json
    assert api("PUT", f"/devices/{device['id']}", device).status == 200


@pytest.mark.parametrize(
    ("query", "names", "total"),
    [
        ("", ["a", "B", "c", "d"], 4),
        ("limit=2", ["a", "B"], 4),
        ("limit=2&offset=3", ["d"], 4),
        ("offset=9", [], 4),
        ("q=ZÜR", ["B", "d"], 2),
        ("q=zür&limit=1&offset=1", ["d"], 2),
        ("q=100%25", ["c"], 1),
        ("q=_", [], 0),
    ],
)
def test_list_pages_and_filter(api: Client, query: str, names: list[str], total: int) -> None:
    for name, location in (("c", "at 100%"), ("a", ""), ("d", "Zürich"), ("B", "Zürich")):
        assert api("POST", "/devices", {"name": name, "kind": "server", "location": location}).status == 201
    page = api("GET", f"/devices?{query}").json
    assert ([item["name"] for item in page["items"]], page["total"]) == (names, total)


def test_a_name_is_given_once(api: Client) -> None:
    api("POST", "/devices", SWITCH)
    other = api("POST", "/devices", {"name": "other", "kind": "server"}).json
    again = {**SWITCH, "name": "CORE-SW-01"}
    for answer in (api("POST", "/devices", again), api("PUT", f"/devices/{other['id']}", again)):
        assert answer.status == 409
        assert set(answer.json["fields"]) == {"name"}
    assert api("GET", "/devices").json["total"] == 2


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ({"address": " 2001:DB8:0::1 "}, {"address": "2001:db8::1"}),
        ({"name": " padded "}, {"name": "padded"}),
        ({"notes": "emoji 👩‍🔧\ttab\r\nline"}, {"notes": "emoji 👩‍🔧\ttab\r\nline"}),
        ({"location": "'; DROP TABLE devices; --"}, {"location": "'; DROP TABLE devices; --"}),
    ],
)
def test_values_are_kept(api: Client, written: dict[str, Any], stored: dict[str, Any]) -> None:
    device = api("POST", "/devices", {"name": "x", "kind": "other", **written}).json
    read = api("GET", f"/devices/{device['id']}").json
    assert {name: read[name] for name in stored} == stored


def test_head_is_get_without_surprises(api: Client) -> None:
    device = api("POST", "/devices", SWITCH).json
    for path in ("/", "/devices", f"/devices/{device['id']}"):
        assert api("HEAD", path).headers == api("GET", path).headers
