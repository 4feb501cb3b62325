"""The inventory through lighttpd: the four methods, and what a REST client relies on."""

import re
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import parse_qsl

import pytest
from hosttests.gateway import Gateway
from hosttests.site import Site

DEVICE = {"name": "verified", "kind": "switch", "address": "192.0.2.10", "location": "Größe 7, ☃", "notes": "a\nb"}


@pytest.fixture
def device(site: Site) -> Iterator[str]:
    """Return the URL of a device that is removed afterwards."""
    created = site.json("POST", "devices", DEVICE)
    assert created.status == 201, created
    url = created.all("Location")[0]
    yield url
    site.request("DELETE", url)


def test_created_device_is_where_the_answer_says(site: Site, device: str) -> None:
    assert re.fullmatch(re.escape(site.prefix) + r"devices/[0-9]+", device)
    answer = site.get(device)
    assert (answer.status, answer.json() | DEVICE) == (200, answer.json())


def test_device_is_replaced(site: Site, device: str) -> None:
    changed = DEVICE | {"name": "replaced", "notes": ""}
    assert site.json("PUT", device, changed).status == 200
    got = site.get(device).json()
    assert got | changed == got


def test_deleted_device_is_gone(site: Site, device: str) -> None:
    answer = site.request("DELETE", device)
    assert (answer.status, answer.body) == (204, b"")
    assert site.get(device).status == 404


def test_device_is_listed_whichever_worker_answers(gateway: Gateway, site: Site, device: str) -> None:
    for _ in range(gateway.workers * 3):
        listed = site.get(f"devices?q={DEVICE['name']}").json()["items"]
        assert [f"{site.prefix}devices/{item['id']}" for item in listed] == [device]


def test_wrong_values_are_refused_with_reasons(site: Site) -> None:
    answer = site.json("POST", "devices", {"name": "", "kind": "ship"})
    assert (answer.status, set(answer.json()["fields"])) == (422, {"name", "kind"})


def test_broken_json_is_refused(site: Site) -> None:
    answer = site.request("POST", "devices", [("Content-Type", "application/json")], b'{"name":')
    assert answer.status == 400
    assert "error" in answer.json()


def test_method_that_the_resource_lacks_is_refused(site: Site) -> None:
    assert site.request("PUT", "devices", body=b"").status == 405


def test_path_and_query_mean_what_the_client_meant(gateway: Gateway, site: Site) -> None:
    query = "a=%2F%20+%2B%26%3D&b=%C3%A4&&c="
    got = site.get(f"echo?{query}").json()
    whole, stripped = f"{gateway.prefix}echo", gateway.prefix.rstrip("/")
    assert parse_qsl(got["query"], keep_blank_values=True) == parse_qsl(query, keep_blank_values=True)
    assert (got["script_name"], got["path_info"]) == ((stripped, "/echo") if gateway["strip_prefix"] else ("", whole))


def test_neighbour_of_the_prefix_is_not_the_api(gateway: Gateway, site: Site) -> None:
    assert site.get(f"{gateway.prefix.rstrip('/')}x/_health").status == 404


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "TRACK", "DEBUG", "PROPFIND", "get"])
def test_other_methods_are_refused(site: Site, method: str) -> None:
    answer = site.request(method, "echo")
    assert answer.status in (400, 403, 405, 501)
    assert b"sha256" not in answer.body


def test_slow_requests_do_not_wait_for_each_other(gateway: Gateway, site: Site) -> None:
    count = max(50, 10 * gateway.workers)
    statuses: list[int] = []
    slow = [threading.Thread(target=lambda: statuses.append(site.get("slow?seconds=1").status)) for _ in range(count)]
    began = time.monotonic()
    for thread in slow:
        thread.start()
    for thread in slow:
        thread.join()
    assert statuses == [200] * count
    assert time.monotonic() - began < 4  # one after the other in each worker would be 10 or more


def test_stream_arrives_as_it_is_sent(site: Site) -> None:
    count, interval = 4, 0.4
    arrived = []
    with site.send("GET", f"events?count={count}&interval={interval}") as answer:
        assert answer.getheader("Content-Type") == "text/event-stream"
        for line in answer:
            if line.startswith(b"data:"):
                arrived.append(time.monotonic())
    gaps = [later - earlier for earlier, later in pairwise(arrived)]
    assert len(arrived) == count
    assert min(gaps) > interval / 2
