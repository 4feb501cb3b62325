"""What a device is made of, and which values are good."""

import ipaddress
import re
from collections.abc import Callable
from typing import Any, TypedDict, cast

KINDS = ("server", "router", "switch", "access point", "printer", "camera", "sensor", "other")
SET_BY_STORE = frozenset({"id", "created", "updated"})


class Values(TypedDict):
    """The part of a device that a client writes. Empty text: not known."""

    name: str
    kind: str
    address: str
    location: str
    notes: str


class InvalidError(ValueError):
    """`fields`: the reason for each refused field."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(fields)
        self.fields = fields


def validate(data: dict[str, Any]) -> Values:
    """Return `data`, a decoded JSON object, as values of a device; raise InvalidError with every error at once.

    What the store sets itself is ignored, so that a client may send back what it read.
    """
    errors = {field: "is not known" for field in data if field not in CHECKS and field not in SET_BY_STORE}
    values = {}
    for field, check in CHECKS.items():
        value = data.get(field, "")
        try:
            if not isinstance(value, str):
                raise ValueError("must be text")
            values[field] = check(value.strip())
        except ValueError as reason:
            errors[field] = str(reason)
    if errors:
        raise InvalidError(errors)
    return cast(Values, values)


def _name(value: str) -> str:
    if not value:
        raise ValueError("is required")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", value):
        raise ValueError("must be 1 to 63 letters, digits, dots, hyphens or underscores, a letter or digit first")
    return value


def _kind(value: str) -> str:
    if not value:
        raise ValueError("is required")
    if value not in KINDS:
        raise ValueError("must be one of: " + ", ".join(KINDS))
    return value


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value)) if value else ""
    except ValueError:
        raise ValueError("must be an IPv4 or IPv6 address, or empty") from None


def _text(length: int, refused: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if len(value) > length:
            raise ValueError(f"must have at most {length} characters")
        # Half of a surrogate pair is legal in JSON and has no UTF-8 form.
        if re.search(rf"[{refused}\x7f\ud800-\udfff]", value):
            raise ValueError("must not contain control characters")
        return value

    return check


CHECKS: dict[str, Callable[[str], str]] = {
    "name": _name,
    "kind": _kind,
    "address": _address,
    "location": _text(100, r"\x00-\x1f"),
    "notes": _text(2000, r"\x00-\x08\x0b\x0c\x0e-\x1f"),
}
