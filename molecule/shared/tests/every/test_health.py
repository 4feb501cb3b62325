"""The gateway's own answer about itself, through lighttpd."""

import time

import pytest
from hosttests.gateway import Gateway
from hosttests.site import Site

PATIENCE = 20.0  # seconds until every worker has had a turn


def test_health_names_the_live_release(gateway: Gateway, site: Site) -> None:
    answer = site.get("_health")
    assert (answer.status, answer.all("Cache-Control")) == (200, ["no-store"])
    health = answer.json()
    assert (health["status"], health["release"]) == ("ok", gateway.release)


def test_every_worker_answers(gateway: Gateway, site: Site) -> None:
    wanted = {str(number) for number in range(1, gateway.workers + 1)}
    seen: set[str] = set()
    end = time.monotonic() + PATIENCE
    while seen != wanted and time.monotonic() < end:
        seen.add(site.get("_health").json()["worker"])
    assert seen == wanted


def test_health_can_be_asked_for_without_body(site: Site) -> None:
    answer = site.request("HEAD", "_health")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_health_cannot_be_changed(site: Site, method: str) -> None:
    answer = site.request(method, "_health", body=b"")
    assert (answer.status, answer.all("Allow")) == (405, ["GET, HEAD"])


def test_every_answer_has_its_own_id(site: Site) -> None:
    ids = [id_ for path in ("_health", "devices", "no-such-resource") for id_ in site.get(path).all("X-Request-Id")]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("path", ["_health", "devices", "no-such-resource"])
def test_client_does_not_choose_the_id(site: Site, path: str) -> None:
    chosen = "0123456789abcdef"
    assert chosen not in site.get(path, ("X-Request-Id", chosen)).all("X-Request-Id")
