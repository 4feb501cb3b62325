"""What may stand in `allowed_methods`, `allowed_headers` and `exposed_headers` (Fetch, section 3.3.3)."""

from webpy_gateway import cors_header_names as names
from webpy_gateway.rules import RuleError, string

ANY = "*"


def allowed_method(value: object) -> str:
    """A method as it is sent, in the case in which it is sent, or `*`. Raises RuleError."""
    method = string(value)
    if not names.is_token(method):
        raise RuleError("is no method", "write one word, like PUT")
    if method.upper() in names.FORBIDDEN_METHODS:
        raise RuleError("is a method that no script may use", "remove it")
    if method not in names.NORMALIZED_METHODS and method.upper() in names.NORMALIZED_METHODS:
        raise RuleError("is never sent in this case: methods are case-sensitive", f"write {method.upper()}")
    return method


def allowed_header(value: object) -> str:
    """The name of a header that scripts may send, or `*`. Raises RuleError."""
    name = _header(value)
    if names.is_forbidden_request_header(name):
        raise RuleError("is a request header that no script can set", "remove it; the browser sets it by itself")
    if names.is_response_header(name):
        raise RuleError("is a header of answers, and scripts send requests", "remove it, or move it to exposed_headers")
    return name


def exposed_header(value: object) -> str:
    """The name of a header that scripts may read, or `*`. Raises RuleError."""
    name = _header(value)
    if name.lower() in names.FORBIDDEN_RESPONSE_HEADERS:
        raise RuleError("is a header that no script can read", "remove it")
    if names.is_request_header(name):
        raise RuleError("is a header of requests, and scripts read answers", "remove it, or move it to allowed_headers")
    return name


def _header(value: object) -> str:
    name = string(value)
    if not names.is_token(name):
        raise RuleError("is no name of a header", "write one name in each entry, like X-Total-Count")
    return name
