"""An inventory of devices as a REST API: the routes, and the object the gateway serves (`app:application`)."""
# ruff: noqa: N802  (web.py calls the method that is named like the HTTP method)

import os

import web
from device_inventory import devices, diagnostics, events
from device_inventory.json_http import errors_as_json, ok


class Index:
    """What there is, with links that are right behind any prefix."""

    def GET(self) -> bytes:
        """Return the name of the API and the links."""
        names = ("devices", "events", "echo", "slow")
        return ok({"name": "inventory", "links": {name: f"{web.ctx.homepath}/{name}" for name in names}})

    HEAD = GET


routes = (
    "/", Index,
    "/devices", devices.Collection,
    "/devices/([0-9]{1,18})", devices.Item,
    "/events", events.Events,
    "/slow", diagnostics.Slow,
    "/echo", diagnostics.echo,
)  # fmt: skip

# The reloader and the pages with tracebacks are for a developer's machine.
web.config.debug = False

# Requests arrive with the prefix in their path; or without, if webpy_gateway_strip_prefix is on. Routes need not know.
prefix = os.environ.get("URL_PREFIX", "/webpy_api").rstrip("/")
api = web.application(routes, autoreload=False)
application = web.application((prefix, api, "", api), autoreload=False)
application.add_processor(errors_as_json)
