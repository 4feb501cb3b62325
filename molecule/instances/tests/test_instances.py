"""Several instances on one host: each answers for itself, and what lighttpd has only once suffices for all of them."""

import json

import pytest
from testinfra.host import Host

INSTANCES = [("shop", 80, "/shop/", "480"), ("stock", 8080, "/api/", ""), ("shop-admin", 80, "/admin/", "481")]
NAMES = [name for name, *_ in INSTANCES]


def get(host: Host, port: int, path: str) -> str:
    program = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())"
    return str(host.check_output("python3 -c %s %s", program, f"http://127.0.0.1:{port}{path}"))


@pytest.mark.parametrize(("name", "port", "prefix", "_port"), INSTANCES)
def test_each_answers_with_its_own_release(host: Host, name: str, port: int, prefix: str, _port: str) -> None:
    assert get(host, port, prefix) == f"{name.removeprefix('shop-')} one"
    live = host.check_output("readlink /opt/%s/current", name)
    assert f"releases/{json.loads(get(host, port, f'{prefix}_health'))['release']}" == live


@pytest.mark.parametrize(("port", "name"), [(80, "shop"), (8080, "stock")])
def test_each_port_has_its_own_portal(host: Host, port: int, name: str) -> None:
    assert get(host, port, "/") == f"portal of {name}"


def test_lighttpd_has_room_for_all_of_them(host: Host) -> None:
    """The last snippet wins where all of them set one number, so that they must not depend on the instance."""
    lines = host.check_output("lighttpd -p -f /etc/lighttpd/lighttpd.conf").splitlines()
    limits = {words[0]: int(words[2]) for line in lines if len(words := line.split()) == 3 and "server.max" in words[0]}
    assert limits["server.max-connections"] >= 300 + 3000 + 100
    assert limits["server.max-fds"] >= 2 * limits["server.max-connections"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("other", NAMES)
def test_users_keep_to_their_own(host: Host, name: str, other: str) -> None:
    """No instance's user reads another one's configuration or code, nor reaches its listener (nor its own)."""
    read = f"setpriv --reuid={name} --regid={name} --clear-groups cat"
    assert (host.run(f"{read} /etc/{other}/gateway.toml").rc == 0) is (name == other)
    port = {name: port for name, _, _, port in INSTANCES}[other]
    target = f"</dev/tcp/127.0.0.1/{port}" if port else f"<>/run/{other}/http.socket"
    attempt = host.run(f"setpriv --reuid={name} --regid={name} --clear-groups bash -c '{target}'")
    assert attempt.rc != 0


def test_host_is_well(host: Host) -> None:
    assert host.check_output("systemctl list-units --failed --plain --no-legend") == ""
