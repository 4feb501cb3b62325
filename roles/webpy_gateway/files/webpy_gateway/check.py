"""Says, without any socket, whether a configuration and a release can be served."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults

from gevent import Timeout

from webpy_gateway import application, config, pipeline, release
from webpy_gateway.problem import Problem, SetupError

IMPORT_SECONDS = 60

Found = TypeVar("Found")


def run(path: Path, folder: Path, worker: str) -> str:
    """One line that begins with "ok". Raises SetupError with the problems of configuration, release and application."""
    problems: list[Problem] = []

    def collect(get: Callable[[], Found]) -> Found | None:
        try:
            return get()
        except SetupError as unusable:
            problems.extend(unusable.problems)
            return None

    content = collect(lambda: config.load(path)) or {}
    settings = collect(lambda: config.parse(content)) if not problems else None
    target = None if {"--config", "application"} & {problem.key for problem in problems} else content["application"]
    deployed = collect(lambda: release.read(folder))
    app = collect(lambda: _imported(target, deployed)) if deployed and isinstance(target, str) else None
    if settings is None or deployed is None or app is None:
        raise SetupError(*problems)
    _ask_health(pipeline.build(settings, deployed.id, worker, app), settings.url_prefix, deployed.id)
    return f"ok {settings.name}: release {deployed.id} serves {settings.application} at {settings.url_prefix}"


def _imported(target: str, deployed: release.Release) -> WSGIApplication:
    timer = Timeout.start_new(IMPORT_SECONDS)
    try:
        return application.load(target, deployed.app)
    except Timeout as timeout:
        if timeout is not timer:
            raise
        reason = f"its import did not end within {IMPORT_SECONDS} seconds"
        raise SetupError(Problem("application", target, reason, "let the module define things only")) from None
    finally:
        timer.close()


def _ask_health(chain: WSGIApplication, url_prefix: str, release_id: str) -> None:
    environ: dict[str, Any] = {"PATH_INFO": f"{url_prefix}_health", "SCRIPT_NAME": ""}
    setup_testing_defaults(environ)
    answers: list[str] = []

    def start_response(status: str, _headers: object, _exc_info: object = None, /) -> Callable[[bytes], object]:
        answers.append(status)
        return lambda _data: None

    body = b"".join(chain(environ, start_response))
    if answers != ["200 OK"] or json.loads(body).get("release") != release_id:
        reason = f"the gateway's own health answer is {answers} {body[:200]!r}"
        raise SetupError(Problem("url_prefix", url_prefix, reason, "deploy a complete release of the gateway"))
