"""Step that answers the health address itself, however busy or broken the application is."""

from collections.abc import Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment

from webpy_gateway import answers
from webpy_gateway.steps import Step


def step(url_prefix: str, release: str, worker: str) -> Step:
    """Answers GET and HEAD of `{url_prefix}_health` with status, release id and worker."""
    path = url_prefix + "_health"
    body = {"status": "ok", "release": release, "worker": worker}

    def healthy(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        if environ.get("PATH_INFO") != path:
            return None
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            code = HTTPStatus.METHOD_NOT_ALLOWED
            return answers.refuse(environ, start_response, code, "method not allowed", [("Allow", "GET, HEAD")])
        content = answers.answer(start_response, HTTPStatus.OK, body)
        return content if environ["REQUEST_METHOD"] == "GET" else []

    return healthy
