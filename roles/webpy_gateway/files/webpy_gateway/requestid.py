"""Every request has an id, which is in its answer, in the log and in the environ."""

from random import Random
from wsgiref.types import WSGIEnvironment

KEY = "webpy_gateway.request_id"

# it names requests and guards nothing: seeded once by the system, so that no request has to ask the kernel
_random = Random()


def new() -> str:
    """A fresh id: 16 hex digits."""
    return f"{_random.getrandbits(64):016x}"


def give(environ: WSGIEnvironment) -> str:
    """The request's id from now on, in the place of any that the client sent."""
    identity = environ[KEY] = environ["HTTP_X_REQUEST_ID"] = new()
    return identity
