"""The gateway's configuration: a TOML file, checked completely before anything uses it."""

import dataclasses
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from webpy_gateway import cors_config, jsonp_config, rules
from webpy_gateway.cors_config import Cors
from webpy_gateway.jsonp_config import Jsonp
from webpy_gateway.problem import Problem, SetupError, bounded

REQUIRED = dataclasses.MISSING


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the operator decided for one instance. Times are in seconds, sizes in bytes."""

    name: str
    application: str
    url_prefix: str
    strip_prefix: bool = False
    max_concurrency: int = 2500
    request_timeout: float = 60
    drain_timeout: float = 30
    max_body_bytes: int = 16 * 1024 * 1024
    peer_uids: tuple[int, ...] = ()
    peer_mark: int = 0
    listen: str = ""
    cors: Cors = Cors()  # noqa: RUF009  # frozen, like the one below
    jsonp: Jsonp = Jsonp()  # noqa: RUF009


RULES: Mapping[str, rules.Rule] = {
    "name": rules.name,
    "application": rules.application,
    "url_prefix": rules.url_prefix,
    "strip_prefix": rules.boolean,
    "max_concurrency": rules.integer(1, 1_000_000),
    "request_timeout": rules.seconds(0.01, 86_400),
    "drain_timeout": rules.seconds(0, 86_400),
    "max_body_bytes": rules.integer(1, 2**40),
    "peer_uids": rules.uids,
    "peer_mark": rules.integer(0, 65_535),
    "listen": rules.listen,
    "cors": cors_config.parse,
    "jsonp": jsonp_config.parse,
}


def read(path: Path) -> Config:
    """The configuration in the file. Raises SetupError with every problem in it."""
    return parse(load(path))


def load(path: Path) -> dict[str, object]:
    """The file's content, not yet looked at. Raises SetupError when it cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise SetupError(Problem("--config", str(path), reason, "name a file that this user can read")) from error
    except ValueError as error:
        raise SetupError(Problem("--config", str(path), f"not TOML: {error}", "correct the file")) from error


def parse(settings: Mapping[str, object]) -> Config:
    """The configuration from already parsed TOML. Raises SetupError with every problem in it."""
    problems = [
        Problem(key, value, "unknown setting", f"remove it; known are {', '.join(RULES)}")
        for key, value in settings.items()
        if key not in RULES
    ]
    values: dict[str, object] = {}
    for field in dataclasses.fields(Config):
        if field.name in settings:
            try:
                values[field.name] = RULES[field.name](settings[field.name])
            except rules.RuleError as refused:
                problems.append(Problem(field.name, settings[field.name], refused.reason, refused.remedy))
            except SetupError as unusable:
                problems.extend(unusable.problems)
        elif field.default is REQUIRED:
            problems.append(Problem(field.name, None, "missing", "set it; it has no default"))
    problems.extend(_clashes(settings))
    if problems:
        raise SetupError(*problems)
    return Config(**values)  # type: ignore[arg-type]  # every value went through the rule of its field


def _clashes(settings: Mapping[str, object]) -> Iterator[Problem]:
    """What is wrong between tables; it looks at the file's own values, so that it is found beside other problems."""
    cors, jsonp, prefix = (settings.get(key) for key in ("cors", "jsonp", "url_prefix"))
    routes = jsonp.get("routes") if isinstance(jsonp, dict) else None
    if not isinstance(routes, list) or not routes:
        return
    if isinstance(cors, dict) and cors.get("allow_credentials") is True:
        reason = "cannot be together with cors.allow_credentials: any site can load a script with its visitors' cookies"
        yield Problem("jsonp.routes", routes, reason, "remove one of the two")
    for place, route in enumerate(routes):
        if isinstance(route, str) and isinstance(prefix, str) and not route.startswith(prefix):
            reason = f"is not below url_prefix, {bounded(prefix)}"
            yield Problem(f"jsonp.routes[{place}]", route, reason, "write the whole path, as a browser sees it")


def to_toml(config: Config) -> str:
    """The effective configuration, defaults included, as TOML; what is None is left out, TOML has no such value."""
    return _toml_table(dataclasses.asdict(config))


def _toml_table(values: Mapping[str, object]) -> str:
    tables = {key: value for key, value in values.items() if isinstance(value, dict)}
    lines = (f"{key} = {_toml(value)}\n" for key, value in values.items() if key not in tables and value is not None)
    return "".join((*lines, *(f"\n[{key}]\n{_toml_table(value)}" for key, value in tables.items())))


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + "".join(_escaped(character) for character in value) + '"'
        case tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return str(value)


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"
