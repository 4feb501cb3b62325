"""The example application, and a probe of the place that it runs in: tells and tries what a test asks for."""
# ruff: noqa: N802  (web.py calls the method that is named like the HTTP method)

import json
import os
from importlib.metadata import version
from pathlib import Path

import app
import iniconfig
import web
from attempts import ATTEMPTS


class Place:
    """Where and as whom the application runs."""

    def GET(self) -> bytes:
        """Return user, folders, environment and packages."""
        place = {
            "user": os.getuid(),
            "folder": str(Path.cwd()),
            "environment": dict(os.environ),
            "packages": {"iniconfig": version(iniconfig.__name__)},
            "debug": bool(web.config.debug),
        }
        return app.ok(place)


class Attempt:
    """Something that may be forbidden."""

    def POST(self) -> bytes:
        """Try `[NAME, ARGUMENT...]` of ATTEMPTS, environment variables expanded; return its result, or the error."""
        name, *arguments = json.loads(web.data())
        words = [os.path.expandvars(word) if isinstance(word, str) else word for word in arguments]
        try:
            return app.ok({"result": ATTEMPTS[name](*words)})
        except OSError as error:
            return app.ok({"error": type(error).__name__, "reason": error.strerror or str(error)})


class Crash:
    """A mistake of the programmer."""

    def GET(self) -> bytes:
        """Raise what nobody catches."""
        raise RuntimeError("a private detail of the application")


probe = web.application(("/place", Place, "/attempt", Attempt, "/crash", Crash))
application = web.application(("/probe", probe, "", app.application))
