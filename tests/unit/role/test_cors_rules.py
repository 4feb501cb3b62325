"""Cross-origin access and JSONP as variables: what the control node refuses, and what the gateway gets to read."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from webpy_gateway import config

ROLE = Path(__file__).resolve().parents[3] / "roles/webpy_gateway"
LOADER = DataLoader()
LOADER.set_basedir(str(ROLE))
PORTAL = ["https://portal.example.org"]
FILES = ("defaults/main.yml", "vars/main/names.yml", "vars/main/rules.yml", "vars/main/cors_rules.yml")


@cache
def of_the_role() -> dict[str, Any]:
    found: dict[str, Any] = {"role_path": str(ROLE)}
    for path in FILES:
        found |= dict(LOADER.load_from_file(str(ROLE / path), trusted_as_template=True))
    return found


def variables(**values: Any) -> dict[str, Any]:
    return of_the_role() | {f"webpy_gateway_{name}": value for name, value in values.items()}


def messages(**values: Any) -> list[str]:
    rules = Templar(LOADER, variables=variables(**values)).template(variables()["__webpy_gateway_cors_rules"])
    assert all(isinstance(rule["holds"], bool) for rule in rules)
    return [rule["message"] for rule in rules if not rule["holds"]]


def written(**values: Any) -> config.Config:
    """The gateway's view of the file that the role writes."""
    seen = {"__webpy_gateway_share": 10, "__webpy_gateway_marks": True, "__webpy_gateway_uids": {"www-data": 33}}
    text = (ROLE / "templates/etc/webpy-gateway/gateway.toml.j2").read_text()
    # as the template action does it
    templar = Templar(LOADER, variables=variables(**values) | seen)
    templar.environment.trim_blocks = True
    return config.parse(tomllib.loads(templar.template(trust_as_template(text), escape_backslashes=False)))


GOOD: list[dict[str, Any]] = [
    {},
    {"cors": {}, "jsonp": {}},
    {"cors": {"allowed_origins": PORTAL, "max_age": None, "exposed_headers": None}},
    {"cors": {"allowed_origins": [], "allowed_methods": [], "allow_credentials": True, "max_age": 0}},
    {"cors": {"allowed_origins": ["*"], "allowed_headers": ["*", "Authorization"], "max_age": 86400}},
    {"cors": {"allowed_origins": ["https://*.example.org:*"], "allow_credentials": True, "allowed_methods": ["PUT"]}},
    {"jsonp": {"routes": ["/webpy_api/status"]}, "cors": {"allow_credentials": False}},
    {"jsonp": {"routes": []}, "cors": {"allow_credentials": True}},
    {"security_headers": {"Cross-Origin-Resource-Policy": "same-site"}},
]


@pytest.mark.parametrize("values", GOOD)
def test_good_values(values: dict[str, Any]) -> None:
    assert messages(**values) == []
    given = {key: value for key, value in values.get("cors", {}).items() if value is not None}
    lists = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    gateway = written(**values)
    assert gateway.cors == config.Cors(**lists)
    assert list(gateway.jsonp.routes) == values.get("jsonp", {}).get("routes", [])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cors": "a=b"}, ['webpy_gateway_cors: "a=b" is no mapping']),
        ({"cors": PORTAL}, ["is no mapping"]),
        ({"cors": {"allowed_origin": PORTAL}}, ["webpy_gateway_cors: allowed_origin is unknown in {"]),
        ({"cors": {"allow_private_network": True}}, ["allow_private_network is unknown"]),
        ({"cors": {"allowed_origins": PORTAL[0]}}, ["webpy_gateway_cors: allowed_origins is no list of strings"]),
        ({"cors": {"allowed_origins": [5]}}, ["allowed_origins is no list of strings"]),
        ({"cors": {"allowed_origins": [None]}}, ["allowed_origins is no list of strings"]),
        ({"cors": {"allowed_origins": 5, "allow_credentials": True}}, ["allowed_origins is no list of strings"]),
        (
            {"cors": {"allowed_origins": PORTAL, "allowed_methods": {"PUT": 1}}},
            ["allowed_methods is no list of strings"],
        ),
        ({"cors": {"allow_credentials": "false"}}, ["is no boolean"]),
        ({"cors": {"allow_insecure_origins_with_credentials": 1}}, ["is no boolean"]),
        ({"cors": {"max_age": True}}, ["webpy_gateway_cors.max_age: true is no number of seconds"]),
        ({"cors": {"max_age": "600"}}, ['"600" is no number of seconds']),
        ({"cors": {"max_age": -1}}, ["-1 is no number"]),
        ({"cors": {"max_age": 86401}}, ["86401 is no number"]),
        ({"cors": {"max_age": 1.5}}, ["1.5 is no number"]),
        ({"cors": {"allowed_origins": ["*"], "allow_credentials": True}}, ["true, and * in allowed_origins: browsers"]),
        (
            {"cors": {"allowed_origins": PORTAL, "exposed_headers": ["*"], "allow_credentials": True}},
            ["and * in exposed_headers"],
        ),
        ({"cors": {"allowed_methods": ["PUT"]}}, ["allowed_methods has no effect without allowed_origins"]),
        ({"cors": {"allowed_origins": [], "allowed_headers": ["X-A"]}}, ["allowed_headers has no effect"]),
        ({"jsonp": ["/a"]}, ["is no mapping"]),
        ({"jsonp": {"route": ["/a"]}}, ["webpy_gateway_jsonp: route is unknown"]),
        ({"jsonp": {"routes": "/a"}}, ['webpy_gateway_jsonp.routes: "/a" is no list of strings']),
        ({"jsonp": {"routes": [5]}}, ["[5] is no list of strings"]),
        ({"jsonp": {"routes": ["/a"]}, "cors": {"allow_credentials": True}}, ["would let any site load"]),
        (
            {"security_headers": {"access-control-allow-origin": "*"}},
            ["access-control-allow-origin is for the gateway"],
        ),
        ({"cors": {"x": 1, "allow_credentials": 0}, "jsonp": {"y": 1}}, ["x is unknown", "no boolean", "y is unknown"]),
    ],
)
def test_bad_values(values: dict[str, Any], said: list[str]) -> None:
    found = messages(**values)
    assert len(found) == len(said), found
    assert all(part in message and ";" in message for part, message in zip(said, found, strict=True))


def test_what_the_control_node_cannot_tell_reaches_the_check_as_it_is() -> None:
    odd = ["https://bücher.example", 'https://a"b\\c\td\n.example', "https://😀.example"]
    with pytest.raises(config.SetupError) as caught:
        written(cors={"allowed_origins": odd})
    assert [problem.value for problem in caught.value.problems] == odd


def test_control_characters_are_refused_by_key() -> None:
    """None of them makes the whole file unreadable (TOML 1.0, section String)."""
    characters = [*map(chr, (*range(0x20), *range(0x7F, 0xA0))), "\u2028", "\ufeff"]
    keys = ("allowed_origins", "allowed_methods", "allowed_headers")
    odd = {key: [f"X{character}Y" for character in characters] for key in keys}
    routes = [f"/{character}" for character in characters]
    assert messages(cors=odd, jsonp={"routes": routes}) == []
    with pytest.raises(config.SetupError) as caught:
        written(cors=odd, jsonp={"routes": routes})
    problems = {problem.key: problem for problem in caught.value.problems}
    for number, character in enumerate(characters):
        assert [problems[f"cors.{key}[{number}]"].value for key in keys] == [f"X{character}Y"] * len(keys)
        assert problems[f"jsonp.routes[{number}]"].value == f"/{character}"
        assert problems[f"cors.allowed_origins[{number}]"].reason == "has white space or a control character"
        assert all(character not in str(problem) for problem in problems.values())
