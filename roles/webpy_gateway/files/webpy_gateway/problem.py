"""One way to report what is wrong before the gateway serves, so that all of it is seen at once."""

from dataclasses import dataclass

LONGEST_VALUE = 200


def bounded(value: object, limit: int = LONGEST_VALUE) -> str:
    """`repr` of a value that may come from outside: escaped, on one line and at most about `limit` characters."""
    text = repr(value[: limit + 1]) if isinstance(value, str | bytes) else repr(value)
    return text if len(text) <= limit else text[:limit] + "..."


@dataclass(frozen=True, slots=True)
class Problem:
    """A setting that cannot be used: which one, its value, why, and what to do."""

    key: str
    value: object
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.key}: {bounded(self.value)}: {self.reason}; {self.remedy}"


class SetupError(Exception):
    """Raised with all the problems that were found in one go."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
