"""The `[jsonp]` table: the paths whose JSON every site may load as a script. Off without them."""

import re
from dataclasses import dataclass

from webpy_gateway import rules
from webpy_gateway.problem import Problem, SetupError


@dataclass(frozen=True, slots=True, kw_only=True)
class Jsonp:
    """Where JSONP is on: exact paths as a browser sees them."""

    routes: tuple[str, ...] = ()


def parse(table: object) -> Jsonp:
    """The settings from already parsed TOML. Raises SetupError with every problem, RuleError if it is no table."""
    if not isinstance(table, dict):
        raise rules.wrong_type(table, "a table", "write [jsonp] and routes below it")
    problems = [
        Problem(f"jsonp.{key}", value, "unknown setting", "remove it; known is routes")
        for key, value in table.items()
        if key != "routes"
    ]
    routes = table.get("routes", [])
    if not isinstance(routes, list):
        refused = rules.wrong_type(routes, "a list of strings", 'write for example ["/webpy_api/status"]')
        problems.append(Problem("jsonp.routes", routes, refused.reason, refused.remedy))
        routes = []
    for place, route in enumerate(routes):
        try:
            if route in routes[:place]:
                raise rules.RuleError(f"repeats routes[{routes.index(route)}]", "remove it")
            _route(route)
        except rules.RuleError as refused:
            problems.append(Problem(f"jsonp.routes[{place}]", route, refused.reason, refused.remedy))
    if problems:
        raise SetupError(*problems)
    return Jsonp(routes=tuple(routes))


def _route(value: object) -> None:
    path = rules.string(value)
    # the characters of a path that need no escaping and have no other meaning (RFC 3986, section 3.3)
    if not re.fullmatch(r"/[A-Za-z0-9._~!$&'()+,;=:@/-]*", path):
        raise rules.RuleError("is not one path", 'write all of it without query, like "/webpy_api/status"')
    segments = path.split("/")[1:]
    if "" in segments[:-1] or any(segment in (".", "..") for segment in segments):
        raise rules.RuleError("has an empty or relative part", "write names between single slashes")
