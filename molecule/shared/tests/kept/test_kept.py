"""After a deployment of a changed application and a reboot (shared/redeploy.yml): what is new, and what has stayed."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hosttests.gateway import Gateway
from hosttests.site import Site


@pytest.fixture
def before(gateway: Gateway) -> Any:
    """Return what the host was like before."""
    name = gateway.host.backend.get_hostname()
    return json.loads(Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "before", f"{name}.json").read_text())


def test_host_was_rebooted(gateway: Gateway, before: Any) -> None:
    assert gateway.output("cat /proc/sys/kernel/random/boot_id") != before["boot"]


def test_record_is_still_there(site: Site, before: Any) -> None:
    record = before["record"]
    answer = site.get(f"devices/{record['id']}")
    assert (answer.status, answer.json()) == (200, record)


def test_changed_application_is_a_release_of_its_own(site: Site, before: Any) -> None:
    assert site.get("_health").json()["release"] != before["release"]


def test_release_before_is_kept(gateway: Gateway, before: Any) -> None:
    assert before["release"] in gateway.output("ls %s", f"/opt/{gateway.name}/releases").split()
