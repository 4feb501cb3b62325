"""Answers that the gateway gives itself: small JSON documents that name the request."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from webpy_gateway import requestid


def refuse(
    environ: WSGIEnvironment,
    start_response: StartResponse,
    code: HTTPStatus,
    error: str,
    headers: Iterable[tuple[str, str]] = (),
    *,
    exc_info: Any = None,
) -> list[bytes]:
    """Starts and returns the answer `{"error": ..., "request_id": ...}`; `exc_info` as in PEP 3333."""
    body = {"error": error, "request_id": environ.get(requestid.KEY, "")}
    return answer(start_response, code, body, headers, exc_info=exc_info)


def answer(
    start_response: StartResponse,
    code: HTTPStatus,
    body: dict[str, str],
    headers: Iterable[tuple[str, str]] = (),
    *,
    exc_info: Any = None,
) -> list[bytes]:
    """Starts and returns a JSON answer that nobody may store."""
    content = json.dumps(body).encode() + b"\n"
    all_headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(content))),
        ("Cache-Control", "no-store"),
        *headers,
    ]
    if exc_info:
        start_response(f"{code.value} {code.phrase}", all_headers, exc_info)
    else:
        start_response(f"{code.value} {code.phrase}", all_headers)
    return [content]
