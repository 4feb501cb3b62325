"""Step that keeps the application to its URL prefix and decides whether the application sees the prefix."""

from collections.abc import Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment

from webpy_gateway import answers
from webpy_gateway.steps import Step


def step(url_prefix: str, *, strip: bool) -> Step:
    """Answers 404 outside the prefix; with `strip` the prefix moves from PATH_INFO to SCRIPT_NAME (PEP 3333)."""
    script_name = url_prefix[:-1]

    def prefixed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(url_prefix):
            return answers.refuse(environ, start_response, HTTPStatus.NOT_FOUND, "not found")
        if strip:
            environ["SCRIPT_NAME"] = script_name
            environ["PATH_INFO"] = path[len(script_name) :]
        return None

    return prefixed
