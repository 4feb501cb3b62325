"""Says which version it is, and fails in the ways that its environment asks for."""

import os
import sys

import web

VERSION = "1"

if os.environ.get("REFUSED_BY") == VERSION:
    raise RuntimeError(f"version {VERSION} does not know this configuration")
if os.environ.get("DEADLY_FOR") == VERSION and "serve" in sys.orig_argv:
    raise SystemExit(f"version {VERSION} does not start like this")


class Version:
    """GET: the version."""

    def GET(self) -> str:  # noqa: N802 -- web.py looks for methods of these names
        """Return it."""
        return VERSION


application = web.application(("/webpy_api/version", "Version"), globals())
