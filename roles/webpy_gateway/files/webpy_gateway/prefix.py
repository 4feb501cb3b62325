"""Layer that keeps the application to its URL prefix and decides whether the application sees the prefix."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from webpy_gateway import answers


def layer(url_prefix: str, *, strip: bool) -> Callable[[WSGIApplication], WSGIApplication]:
    """Answers 404 outside the prefix; with `strip` the prefix moves from PATH_INFO to SCRIPT_NAME (PEP 3333)."""
    script_name = url_prefix[:-1]

    def wrap(application: WSGIApplication) -> WSGIApplication:
        def prefixed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "")
            if not path.startswith(url_prefix):
                return answers.refuse(environ, start_response, HTTPStatus.NOT_FOUND, "not found")
            if strip:
                environ["SCRIPT_NAME"] = script_name
                environ["PATH_INFO"] = path[len(script_name) :]
            return application(environ, start_response)

        return prefixed

    return wrap
