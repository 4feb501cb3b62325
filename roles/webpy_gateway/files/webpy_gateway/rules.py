"""What each setting may be. A rule returns the value to use or raises RuleError with reason and remedy."""

import ipaddress
import keyword
import math
import re
from collections.abc import Callable

TYPE_NAMES = {bool: "a boolean", int: "an integer", float: "a number", str: "a string", list: "a list", dict: "a table"}

UNIX_PATH_BYTES = 107
HIGHEST_UID = 2**32 - 2
HIGHEST_PORT = 65_535
Rule = Callable[[object], object]


class RuleError(Exception):
    """A value that a rule does not accept."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)
        self.reason = reason
        self.remedy = remedy


def boolean(value: object) -> bool:
    """`true` or `false`, and nothing that merely looks like it."""
    if not isinstance(value, bool):
        raise wrong_type(value, "a boolean", "write true or false without quotes")
    return value


def integer(lowest: int, highest: int) -> Callable[[object], int]:
    """Rule for a whole number between two bounds, both included."""

    def rule(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(value, "an integer", f"write a whole number from {lowest} to {highest} without quotes")
        if not lowest <= value <= highest:
            raise RuleError("out of range", f"use {lowest} to {highest}")
        return value

    return rule


def seconds(lowest: float, highest: float) -> Callable[[object], float]:
    """Rule for a time in seconds, whole or not, between two bounds, both included."""

    def rule(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_type(value, "a number", f"write seconds from {lowest} to {highest} without quotes")
        if math.isnan(value) or not lowest <= value <= highest:
            raise RuleError("out of range", f"use {lowest} to {highest} seconds")
        return value

    return rule


def name(value: object) -> str:
    """Name of the instance; it is part of unit names and paths."""
    text = string(value)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,62}", text):
        raise RuleError("not a name", "use at most 63 ASCII letters, digits, - and _, beginning with a letter")
    return text


def application(value: object) -> str:
    """`module:attribute`, both possibly dotted."""
    text = string(value)
    module, colon, attribute = text.partition(":")
    parts = (*module.split("."), *attribute.split("."))
    if not colon or not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        raise RuleError("not of the form module:attribute", 'write for example "app:application" for app.py')
    return text


def url_prefix(value: object) -> str:
    """Path that begins and ends with a slash, in the one form in which a browser sends it."""
    text = string(value)
    if not text.startswith("/") or not text.endswith("/"):
        raise RuleError("does not begin and end with a slash", 'write for example "/webpy_api/"')
    segments = text.split("/")[1:-1]
    if not all(re.fullmatch(r"[A-Za-z0-9._~-]+", segment) and segment.strip(".") for segment in segments):
        raise RuleError(
            "has an empty, relative or escaped part",
            "use ASCII letters, digits, and - . _ ~ between single slashes",
        )
    return text


def uids(value: object) -> tuple[int, ...]:
    """Users whose processes may connect; empty: everyone."""
    if not isinstance(value, list):
        raise wrong_type(value, "a list of integers", "write for example [33]")
    if any(isinstance(uid, bool) or not isinstance(uid, int) or not 0 <= uid <= HIGHEST_UID for uid in value):
        raise RuleError("has an entry that is not a user id", f"use whole numbers from 0 to {HIGHEST_UID}")
    if len(set(value)) != len(value):
        raise RuleError("names a user twice", "name each user once")
    return tuple(value)


def listen(value: object) -> str:
    """Address to bind where systemd hands over no socket: `host:port`, `[v6]:port`, `/path`; empty: none."""
    text = string(value)
    if text.startswith("/"):
        if len(text.encode()) > UNIX_PATH_BYTES or "\0" in text:
            raise RuleError("not a path for a socket", f"use an absolute path of at most {UNIX_PATH_BYTES} bytes")
    elif text:
        split_address(text)
    return text


def split_address(text: str) -> tuple[str, int]:
    """Host (an IP address without brackets) and port of `host:port`. Raises RuleError."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ipaddress.ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        raise RuleError("not an IP address with port", 'write "127.0.0.1:8000", "[::1]:8000" or "/path"') from None
    if not colon or bracketed != (address.version == 6):
        raise RuleError("not an IP address with port", 'write "127.0.0.1:8000", "[::1]:8000" or "/path"')
    if not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > HIGHEST_PORT:
        raise RuleError("port out of range", f"use 1 to {HIGHEST_PORT}")
    return str(address), int(port)


def string(value: object) -> str:
    """Text, and nothing that could be taken for it."""
    if not isinstance(value, str):
        raise wrong_type(value, "a string", "write text between quotes")
    return value


def wrong_type(value: object, wanted: str, remedy: str) -> RuleError:
    """What to raise for a value of another type than the wanted one."""
    found = TYPE_NAMES.get(type(value), "a date or time")
    return RuleError(f"is {found}, not {wanted}", remedy)
