"""An application with a requirement of its own."""

import iniconfig
import web

application = web.application(("/webpy_api/own", "Own"), globals(), autoreload=False)


class Own:
    """Names the package."""

    def GET(self) -> str:  # noqa: N802  (web.py's way)
        """Return where it was installed."""
        return str(iniconfig.__file__)
