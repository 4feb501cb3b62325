"""The `[cors]` table: which origins get which access. Checked completely before anything uses it."""

import dataclasses
from collections.abc import Callable, Mapping

from webpy_gateway import cors_host, rules
from webpy_gateway.cors_name_rules import allowed_header, allowed_method, exposed_header
from webpy_gateway.cors_origin import ANY, Pattern
from webpy_gateway.cors_origin_rules import allowed_origin
from webpy_gateway.problem import Problem, SetupError

LONGEST_MAX_AGE = 86_400


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """Cross-origin access as the operator decided on it; `max_age` in seconds. Without origins there is none."""

    allowed_origins: tuple[str, ...] = ()
    allow_credentials: bool = False
    allowed_methods: tuple[str, ...] = ()
    allowed_headers: tuple[str, ...] = ()
    exposed_headers: tuple[str, ...] = ()
    max_age: int | None = None
    allow_insecure_origins_with_credentials: bool = False


# each list: the rule of its entries, what is the same entry twice, and which entry may stand beside `*`
_LISTS: Mapping[str, tuple[rules.Rule, Callable[[str], str], str | None]] = {
    "allowed_origins": (allowed_origin, str, None),
    "allowed_methods": (allowed_method, str, None),
    "allowed_headers": (allowed_header, str.lower, "authorization"),
    "exposed_headers": (exposed_header, str.lower, None),
}
_SINGLE: Mapping[str, rules.Rule] = {
    "allow_credentials": rules.boolean,
    "max_age": rules.integer(0, LONGEST_MAX_AGE),
    "allow_insecure_origins_with_credentials": rules.boolean,
}
_KNOWN = tuple(field.name for field in dataclasses.fields(Cors))


def parse(table: object) -> Cors:
    """The policy from already parsed TOML. Raises SetupError with every problem in it, RuleError if it is no table."""
    if not isinstance(table, dict):
        raise rules.wrong_type(table, "a table", "write [cors] and its settings below it")
    found = _Findings()
    values: dict[str, object] = {}
    for key, value in table.items():
        if key in _LISTS:
            values[key] = found.entries(key, value)
        elif key in _SINGLE:
            values[key] = found.checked(key, value, _SINGLE[key])
        else:
            found.add(key, value, "unknown setting", _remedy_for_unknown(key))
    found.look_at_all(table)
    if found.problems:
        raise SetupError(*found.problems)
    return Cors(**values)  # type: ignore[arg-type]  # every value went through its rule


def _remedy_for_unknown(key: str) -> str:
    if "private_network" in key or "local_network" in key:
        return "remove it; browsers ask their user for this permission and look at no header for it"
    return f"remove it; known are {', '.join(_KNOWN)}"


class _Findings:
    """What is wrong with one table, and the patterns in it that are right."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._patterns: dict[int, tuple[object, Pattern]] = {}

    def add(self, key: str, value: object, reason: str, remedy: str) -> None:
        self.problems.append(Problem(f"cors.{key}", value, reason, remedy))

    def checked(self, key: str, value: object, rule: rules.Rule) -> object:
        """The value as its rule gives it back; None if the rule refuses it."""
        try:
            return rule(value)
        except rules.RuleError as refused:
            self.add(key, value, refused.reason, refused.remedy)
            return None

    def entries(self, key: str, value: object) -> tuple[str, ...]:
        """The entries of a list."""
        if not isinstance(value, list):
            self.checked(key, value, _no_list)
            return ()
        rule, identity, companion = _LISTS[key]
        seen: dict[str, int] = {}
        for place, entry in enumerate(value):
            name = f"{key}[{place}]"
            if isinstance(entry, str) and (first := seen.setdefault(identity(entry), place)) != place:
                self.add(name, entry, f"repeats {key}[{first}]", "remove it")
            elif entry == ANY:
                if any(not isinstance(other, str) or other.lower() not in (ANY, companion) for other in value):
                    besides = ' or "Authorization" beside it' if companion else ""
                    self.add(name, entry, "covers all other entries", f'write exactly ["*"]{besides}, or no *')
            else:
                pattern = self.checked(name, entry, rule)
                if isinstance(pattern, Pattern):
                    self._patterns[place] = entry, pattern
        return tuple(value)

    def look_at_all(self, table: Mapping[str, object]) -> None:
        """Adds what is wrong between settings that may be right by themselves."""
        lists = {key: value for key in _LISTS if isinstance(value := table.get(key), list)}
        if not table.get("allowed_origins"):
            for key, value in lists.items():
                if value:
                    self.add(key, value, "has no effect without allowed_origins", "name origins, or remove it")
        if table.get("allow_credentials") is not True:
            return
        for key, value in lists.items():
            for place, entry in enumerate(value):
                if entry == ANY:
                    # Fetch, section 3.3.5: with credentials browsers take * for an ordinary name
                    reason = "is not for requests with credentials"
                    self.add(f"{key}[{place}]", entry, reason, "name each one, or leave allow_credentials false")
        if table.get("allow_insecure_origins_with_credentials") is not True:
            self._demand_secure()

    def _demand_secure(self) -> None:
        for place, (entry, (origin, _)) in self._patterns.items():
            if origin.scheme == "http" and not cors_host.is_loopback(origin.host):
                reason = "is not encrypted: whoever is on the way could act as its user with credentials"
                remedy = "use https, or set allow_insecure_origins_with_credentials = true"
                self.add(f"allowed_origins[{place}]", entry, reason, remedy)


def _no_list(value: object) -> object:
    raise rules.wrong_type(value, "a list of strings", 'write for example ["..."]')
