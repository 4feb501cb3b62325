"""Devices over HTTP: /devices and /devices/ID."""
# ruff: noqa: N802  (web.py calls the method that is named like the HTTP method)

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import web

from . import store
from .fields import InvalidError, Values, validate
from .json_http import error, invalid, json_object, ok, query_integer

Result = TypeVar("Result")


class Collection:
    """All devices."""

    def GET(self) -> bytes:
        """List one page: `limit`, `offset`, text filter `q`."""
        limit, offset = query_integer("limit", 50, 1, 200), query_integer("offset", 0, 0, 1_000_000_000)
        with store_errors():
            items, total = store.find(web.input(_method="get", q="").q.strip(), limit, offset)
        return ok({"items": items, "total": total, "limit": limit, "offset": offset})

    HEAD = GET

    def POST(self) -> bytes:
        """Create a device: 201, its URL in Location."""
        values = device_body()
        with store_errors():
            device = store.create(values)
        # homepath is what was in front of our routes, whoever removed it: right behind any prefix.
        return ok(device, "201 Created", {"Location": f"{web.ctx.homepath}/devices/{device['id']}"})


class Item:
    """One device; 404 if there is none with that id."""

    def GET(self, device_id: str) -> bytes:
        """Read the device."""
        return ok(self._found(lambda: store.get(int(device_id))))

    HEAD = GET

    def PUT(self, device_id: str) -> bytes:
        """Replace the device: what is not sent becomes empty."""
        values = device_body()
        return ok(self._found(lambda: store.replace(int(device_id), values)))

    def DELETE(self, device_id: str) -> bytes:
        """Delete the device: 204."""
        self._found(lambda: store.delete(int(device_id)))
        web.ctx.status = "204 No Content"
        return b""

    def _found(self, action: Callable[[], Result | None]) -> Result:
        with store_errors():
            result = action()
        if not result:
            raise error("404 Not Found", "there is no such device")
        return result


def device_body() -> Values:
    """Return the request's body as values of a device; raise 422 with the reason for each field."""
    try:
        return validate(json_object())
    except InvalidError as problem:
        raise invalid(problem.fields) from None


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn the store's exceptions into answers."""
    try:
        yield
    except store.NameTakenError:
        raise error("409 Conflict", "the name is taken", {"name": "is the name of another device"}) from None
    except store.BusyError:
        raise error("503 Service Unavailable", "the database is busy", headers={"Retry-After": "1"}) from None
