"""The rules for variables, evaluated by Ansible itself: what passes, and what does not."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles/webpy_gateway"
LOADER = DataLoader()
LOADER.set_basedir(str(ROLE))


@cache
def load(path: str) -> dict[str, Any]:
    return dict(LOADER.load_from_file(str(ROLE / path), trusted_as_template=True))


def messages(**values: Any) -> list[str]:
    """Return what the role says of these values in place of the defaults."""
    variables = load("defaults/main.yml") | load("vars/main/names.yml") | load("vars/main/rules.yml")
    variables |= {"webpy_gateway_app_src": "app", "playbook_dir": "/srv", "role_path": str(ROLE)} | values
    templar = Templar(LOADER, variables=variables)
    broken = templar.template(variables["__webpy_gateway_rules"])
    assert all(isinstance(rule["holds"], bool) for rule in broken)
    return [rule["message"] for rule in broken if not rule["holds"]]


def test_the_defaults_hold() -> None:
    assert messages() == []


GOOD = {
    "name": ["a", "shop-2", "a" * 24],
    "app_object": ["app:application", "shop.api.wsgi:make_app", "_a:_b"],
    "app_requirements": ["requirements.txt", "lock/requirements.txt"],
    "url_prefix": ["/", "/api/", "/api/v1.2/", "/a_b~c-d/"],
    "server_names": [[], ["localhost"], ["a.example.org", "xn--bcher-kva.example"]],
    "http_port": [1, "8080", 65535],
    "port": [1, "511", 65535],
    "lighttpd_workers": [1, "2", 64],
    "workers": ["auto", 1, "16", 999],
    "max_concurrency": [1, 25000],
    "request_timeout": [1, 86400],
    "drain_timeout": [1, 86400],
    "max_body_bytes": [1, 2**40],
    "max_header_bytes": [1024, "30720"],
    "methods": [["GET"], ["HEAD", "GET", "REPORT"]],
    "client_timeout": [1, "3600"],
    "keep_releases": [2, 100],
    "environment": [{}, {"LOG_LEVEL": "info", "_n": 3, "SPACED": "a b\t'\"$"}],
    "secrets": [{}, {"password": "line\nline", "api.key": "x"}],
    "allow_outbound": [[], ["any"], ["192.0.2.10", "198.51.100.0/24", "2001:db8::/64", "::1", "0.0.0.0/0", "::/0"]],
    "wheelhouse": ["", "/"],
    "pip_environment": [{}, {"PIP_INDEX_URL": "https://mirror.example.org/simple"}],
    "security_headers": [{}, {"Content-Security-Policy": "default-src 'self'; img-src *"}],
    "harden_lighttpd": ["auto", True, "false"],
    "tls_certificate": [""],
}
BAD = {
    "name": ["", "1shop", "Shop", "shop_api", "-shop", "shop\n", "a" * 25, "shöp", "../shop", "a b"],
    "app_src": [""],
    "app_object": ["app", "app:", "app:x\n", ":application", "app.py", "app:a b", "1app:application", "a-b:c"],
    "app_requirements": ["", "/etc/x", "../x", "a/../../x", "x\n"],
    "url_prefix": ["", "api", "/api", "api/", "//", "/a//b/", "/../", "/a b/", "/(.*)/", "/ä/", "/api/\n", "/%61/",
                   '/"/'],
    "server_names": ["localhost", ["Example.org"], ["a:80"], ["http://a"], [""], ["a\n"], ["-a"], ["a..b"], ["*.a"]],
    "http_port": [0, -1, 65536, "80x", ""],
    "port": [0, -1, 65536, 80, "480x"],
    "lighttpd_workers": [0, -1, 65, "auto", ""],
    "workers": [0, -1, 1000, "2.5", "", "many", "auto\n", "automatic"],
    "max_concurrency": [0, -1, 25001],
    "request_timeout": [0, 86401],
    "drain_timeout": [0, 86401],
    "max_body_bytes": [0, 2**40 + 1],
    "max_header_bytes": [1023, 30721, "8k"],
    "methods": [[], ["POST"], ["GET", "get"], ["GET", "BREW"], ["GET", "TRACE"], "GET", ["GET", "PUT|CONNECT"],
                ["GET", "PUT\n"]],
    "client_timeout": [0, 3601, "30s"],
    "keep_releases": [1, 0, -5],
    "environment": [{"A-B": 1}, {"1A": 1}, {"": 1}, {"A\n": 1}, {"A": "a\nb"}, {"PYTHONPATH": "x"}, "A=b", ["A"]],
    "secrets": [{"../x": "y"}, {".x": "y"}, {"a/b": "y"}, {"": "y"}, {"a\n": "y"}, {"a" * 65: "y"}, "x", ["x"]],
    "allow_outbound": ["any", ["any", "::1"], ["example.org"], ["192.0.2.256"], ["192.0.2.1/33"], ["192.0.2"], [":"],
                       ["::/129"], ["1::2::3"], [""], ["::1\n"]],
    "wheelhouse": ["/no/such/folder"],
    "pip_environment": [{"index-url": "x"}, {"": "x"}, "x"],
    "security_headers": [{"X Y": "a"}, {"": "a"}, {"X": 'a"b'}, {"X": "a\\b"}, {"X": "a\nb"}, {"X\n": "a"}, "x"],
    "harden_lighttpd": ["", "maybe", "yes please"],
    "tls_certificate": ["/etc/ssl/x.pem"],
    "tls_key": ["/etc/ssl/x.key"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD.items() for value in values])
def test_good_values_pass(name: str, value: object) -> None:
    assert messages(**{f"webpy_gateway_{name}": value}) == []


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_bad_values_are_named(name: str, value: object) -> None:
    said = messages(**{f"webpy_gateway_{name}": value})
    assert said
    assert all(f"webpy_gateway_{name}" in message and (";" in message or "or both" in message) for message in said)


def test_tls_needs_two_absolute_paths() -> None:
    pair = {"webpy_gateway_tls_certificate": "/etc/ssl/x.pem", "webpy_gateway_tls_key": "/etc/ssl/x.key"}
    assert messages(**pair) == []
    assert messages(**pair | {"webpy_gateway_tls_key": "x.key"}) != []
    assert messages(**pair | {"webpy_gateway_tls_key": "/x y"}) != []


def test_lighttpd_may_open_two_files_for_each_of_the_most_connections() -> None:
    variables = load("defaults/main.yml") | load("vars/main/names.yml") | {"webpy_gateway_max_concurrency": 25000}
    variables |= {"__webpy_gateway_host": {"most_files": 1024 * 1024}}
    templar = Templar(LOADER, variables=variables)
    connections = int(templar.template(variables["__webpy_gateway_proxy_connections"]))
    assert 25000 < connections <= (int(templar.template(variables["__webpy_gateway_proxy_files"])) - 512) / 2


@pytest.mark.parametrize(
    ("bind", "accepts", "marks"), [("tcp", False, True), ("tcp", True, False), ("unix", False, False)]
)
def test_a_mark_is_believed_only_where_no_device_could_bring_it(bind: str, accepts: bool, marks: bool) -> None:
    variables = load("defaults/main.yml") | load("vars/main/names.yml") | {"webpy_gateway_bind": bind}
    variables |= {"__webpy_gateway_host": {"accepts_own_addresses": accepts}}
    assert Templar(LOADER, variables=variables).template(variables["__webpy_gateway_marks"]) is marks


@pytest.mark.parametrize(
    ("own", "others", "found"),
    [(1, [], 1), (2, [], 2), (1, [{}], 1), (1, [{"lighttpd_workers": 4}, {"lighttpd_workers": 2}], 4), (3, [{}], 3)],
)
def test_lighttpd_has_as_many_processes_as_the_instance_that_wants_most(
    own: int, others: list[dict[str, Any]], found: int
) -> None:
    variables = load("defaults/main.yml") | load("vars/main/names.yml") | load("vars/main/host_rules.yml")
    # what it wanted before does not count
    instances = [{"name": "webpy-gateway", "lighttpd_workers": 8}, *({"name": "shop"} | other for other in others)]
    variables |= {"webpy_gateway_lighttpd_workers": own, "__webpy_gateway_host": {"instances": instances}}
    assert int(Templar(LOADER, variables=variables).template(variables["__webpy_gateway_proxy_workers"])) == found


@pytest.mark.parametrize("name", ["port", "http_port"])
def test_the_port_of_tls_is_taken(name: str) -> None:
    pair = {"webpy_gateway_tls_certificate": "/etc/ssl/x.pem", "webpy_gateway_tls_key": "/etc/ssl/x.key"}
    assert messages(**pair, **{f"webpy_gateway_{name}": 443}) != []
    assert messages(**{f"webpy_gateway_{name}": 443}) == []


@pytest.mark.parametrize(("firewall", "bind", "passes"), [(False, "tcp", False), (False, "unix", True)])
def test_only_a_unix_socket_needs_no_firewall(firewall: bool, bind: str, passes: bool) -> None:
    assert (messages(webpy_gateway_firewall=firewall, webpy_gateway_bind=bind) == []) is passes


def test_the_root_prefix_leaves_no_room_for_a_portal() -> None:
    assert messages(webpy_gateway_url_prefix="/", webpy_gateway_portal_src="portal") != []


def test_every_rule_has_a_case_that_breaks_it_on_a_host() -> None:
    said = " ".join(
        str(case.get("case_says", case.get("case_lines")))
        for file in (ROOT / "molecule/refusals/cases").glob("*.yml")
        for group in yaml.safe_load(file.read_text()).values()
        for case in group.get("hosts", {}).values()
    )
    options = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    ruled = [
        name
        for name in options
        if any(name in line for path in ("rules", "host_rules")
               for line in (ROLE / f"vars/main/{path}.yml").read_text().splitlines() if f"{name}:" in line)
    ]  # fmt: skip
    assert len(ruled) > 20
    assert [name for name in ruled if name not in said] == []
