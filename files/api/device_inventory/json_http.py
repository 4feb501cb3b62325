"""JSON in, JSON out: request bodies, query numbers, answers and errors of the API."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import web


def ok(value: object, status: str = "200 OK", headers: Mapping[str, str] | None = None) -> bytes:
    """Set status and headers of the answer and return its body: `value` as JSON."""
    body = _encode(value)
    web.ctx.status = status
    for name, content in {**_headers(body), **(headers or {})}.items():
        web.header(name, content)
    return body


def error(
    status: str, message: str, fields: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Exception:
    """Return what to raise: `{"error": message}`, and with `fields` the reason for each refused field."""
    body = _encode({"error": message} | ({"fields": dict(fields)} if fields else {}))
    answer: Exception = web.HTTPError(status, {**_headers(body), **(headers or {})}, body)
    return answer


def invalid(fields: Mapping[str, str]) -> Exception:
    """Return what to raise when the request is well formed and its values are not."""
    return error("422 Unprocessable Content", "some values are not valid", fields)


def json_object() -> dict[str, Any]:
    """Return the request's body, decoded; raise 415 if it is not declared to be JSON, 400 if it is no JSON object."""
    media_type = web.ctx.env.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    # Not only pedantry: a form on a foreign site can send other types without asking the browser's permission.
    if media_type != "application/json":
        raise error("415 Unsupported Media Type", "the body must be application/json")
    try:
        value = json.loads(web.data().decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as problem:
        raise error("400 Bad Request", f"the body is not valid JSON: {problem}") from None
    if not isinstance(value, dict):
        raise error("400 Bad Request", "the body must be a JSON object")
    return value


def query_number(name: str, default: float, low: float, high: float) -> float:
    """Return the query parameter `name`; raise 422 when it is no number from `low` to `high`."""
    text = web.input(_method="get").get(name, str(default))
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise invalid({name: f"must be a number from {low:g} to {high:g}"})
    return number


def query_integer(name: str, default: int, low: int, high: int) -> int:
    """Return the query parameter `name`; raise 422 when it is no whole number from `low` to `high`."""
    number = query_number(name, default, low, high)
    if number != int(number):
        raise invalid({name: "must be a whole number"})
    return int(number)


def errors_as_json(handle: Callable[[], Any]) -> Any:
    """Processor: give web.py's own 4xx answers (no such path, method not allowed) the form of `error`."""
    try:
        return handle()
    except web.HTTPError as answer:
        status = web.ctx.status
        kept = {name: value for name, value in web.ctx.headers if name.lower() != "content-type"}
        # 5xx is the gateway's: it logs the reason and answers with a request id.
        if not status.startswith("4") or ("Content-Type", "application/json") in web.ctx.headers:
            raise
        web.ctx.headers = []
        raise error(status, status.partition(" ")[2].lower(), headers=kept) from answer


def _encode(value: object) -> bytes:
    # Half a surrogate pair has no UTF-8 form; backslashreplace writes it as JSON does, \udXXX.
    return json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


def _headers(body: bytes) -> dict[str, str]:
    return {"Content-Type": "application/json", "Content-Length": str(len(body)), "Cache-Control": "no-store"}


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
