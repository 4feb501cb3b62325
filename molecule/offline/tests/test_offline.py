"""The application runs, with all its requirements, on hosts that have seen no package index."""

import pytest
from hosttests.gateway import Gateway
from hosttests.site import Site


def test_own_requirement_is_there(site: Site, gateway: Gateway) -> None:
    answer = site.get("own")
    assert answer.status == 200
    assert answer.body.decode().startswith(f"/opt/{gateway.name}/venvs/")


@pytest.mark.parametrize("port", [53, 443])
def test_network_is_cut_off(gateway: Gateway, port: int) -> None:
    server = gateway.output("ip -4 route show default").split()[2]
    attempt = gateway.host.run(f"timeout 2 bash -c '</dev/tcp/{server}/{port}'")
    assert attempt.rc == 124, attempt


def test_wheels_do_not_stay(gateway: Gateway) -> None:
    assert gateway.output("find /opt/%s -name %s", gateway.name, "*.whl") == ""
