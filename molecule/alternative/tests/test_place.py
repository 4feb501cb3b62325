"""The place that the application runs in, as the application itself finds it."""

import re
from typing import Any

import pytest
from hosttests.gateway import ROOT, Gateway
from hosttests.site import Site

PINNED = re.findall(r"^(\w+)==(\S+)", (ROOT / "molecule/shared/app/probe.txt").read_text(), re.MULTILINE)


@pytest.fixture
def place(site: Site) -> Any:
    """Return what the application says of its place."""
    return site.get("probe/place").json()


def attempt(site: Site, *words: object) -> dict[str, Any]:
    """Let the application try something; return what came of it."""
    answer: dict[str, Any] = site.json("POST", "probe/attempt", words).json()
    return answer


def test_it_runs_as_the_service_in_its_release(gateway: Gateway, place: Any) -> None:
    assert place["user"] == gateway.host.user(gateway.name).uid
    assert place["folder"] == f"/opt/{gateway.name}/releases/{gateway.release}/app"
    assert place["debug"] is False


def test_its_environment_is_as_written(gateway: Gateway, place: Any) -> None:
    wanted = {name: str(value) for name, value in gateway["environment"].items()}
    assert place["environment"] | wanted == place["environment"]


def test_its_requirements_are_there(place: Any) -> None:
    assert place["packages"] == dict(PINNED)


def test_it_reads_its_secrets(gateway: Gateway, site: Site) -> None:
    folder, wanted = "$CREDENTIALS_DIRECTORY", gateway["secrets"]
    assert attempt(site, "list", folder) == {"result": sorted(wanted)}
    assert {name: attempt(site, "read", f"{folder}/{name}")["result"] for name in wanted} == wanted


def test_secrets_are_nowhere_else(gateway: Gateway, place: Any, newcomer: str) -> None:
    journal = gateway.output("journalctl --no-pager --boot")
    units = gateway.output("systemctl show %s %s", gateway.worker_units[0], f"{gateway.name}.socket")
    for secret in gateway["secrets"].values():
        for line in secret.splitlines():
            assert line not in str(place) + journal + units
    folder = place["environment"]["CREDENTIALS_DIRECTORY"]
    assert gateway.host.run("su %s -c %s", newcomer, f"ls {folder}").rc != 0


def test_its_state_is_its_own(gateway: Gateway, site: Site, place: Any) -> None:
    folder = place["environment"]["STATE_DIRECTORY"]
    assert folder == f"/var/lib/{gateway.name}"
    assert attempt(site, "write", f"{folder}/probe") == {"result": len("probe")}
    assert gateway.output("cat %s", f"{folder}/probe") == "probe"
    assert attempt(site, "write", "/tmp/probe") == {"result": len("probe")}
    assert not gateway.host.file("/tmp/probe").exists


@pytest.mark.parametrize(
    "path",
    ["/etc/probe", "/opt/{name}/probe", "/opt/{name}/current/app/probe", "/usr/local/bin/probe", "/run/probe",
     "/run/{name}/probe", "/var/log/probe", "/dev/shm/../probe", "/proc/sys/kernel/hostname", "/sys/kernel/mm/probe",
     "/sys/fs/cgroup/cgroup.procs"],
)  # fmt: skip
def test_it_writes_nowhere_else(gateway: Gateway, site: Site, path: str) -> None:
    answer = attempt(site, "write", path.format(name=gateway.name))
    assert answer["error"] in ("PermissionError", "OSError", "FileNotFoundError"), answer


@pytest.mark.parametrize(
    "path",
    ["/etc/shadow", "/etc/{name}/secrets/token", "/etc/{name}/environment", "/etc/lighttpd/lighttpd.conf",
     "/root/.ssh/authorized_keys", "/var/log/lighttpd/error.log", "/proc/1/environ", "/etc/ssh/ssh_host_ed25519_key"],
)  # fmt: skip
def test_it_reads_nothing_of_the_host(gateway: Gateway, site: Site, path: str) -> None:
    there = path.format(name=gateway.name)
    gateway.output("cat %s", there)
    assert set(attempt(site, "read", there)) == {"error", "reason"}


@pytest.mark.parametrize(
    "words",
    [["run", "/bin/sh", "-c", "id"], ["run", "/usr/bin/id"], ["kill", 1], ["become", 0], ["become", 33], ["raw"]],
    ids=lambda words: " ".join(map(str, words)),
)
def test_it_may_not(site: Site, words: list[object]) -> None:
    assert attempt(site, *words)["error"] == "PermissionError"


def test_it_sees_no_other_processes(site: Site) -> None:
    listed = attempt(site, "list", "/proc")["result"]
    own = [name for name in listed if name.isdigit()]
    assert 0 < len(own) <= 3  # its own and its siblings', which are the same user's


def test_it_reaches_nobody(gateway: Gateway, site: Site) -> None:
    """On a unix socket not even this host."""
    router = gateway.output("ip -4 route show default").split()[2]
    for address, port in (("127.0.0.1", gateway["http_port"]), (gateway.address, gateway["http_port"]), (router, 53)):
        assert attempt(site, "connect", address, port)["error"] in ("PermissionError", "TimeoutError")


def test_uncaught_exception_tells_the_client_nothing(gateway: Gateway, site: Site) -> None:
    answer = site.get("probe/crash")
    request = answer.all("X-Request-Id")
    assert answer.status == 500
    assert answer.json() == {"error": "internal server error", "request_id": request[0]}
    journal = gateway.output("journalctl --no-pager --output=cat --boot --unit %s", f"{gateway.name}@*")
    assert request[0] in journal
    assert "RuntimeError: a private detail of the application" in journal


def test_answer_that_takes_too_long_is_given_up(gateway: Gateway, site: Site) -> None:
    answer = site.get(f"slow?seconds={gateway['request_timeout'] + 1}")
    assert (answer.status, answer.json()["error"]) == (504, "no answer in time")
