"""A policy made ready to serve: what an origin is granted, and what becomes of a preflight (Fetch, section 3.3)."""

from functools import lru_cache
from wsgiref.types import WSGIEnvironment

from webpy_gateway import cors_header_names as names
from webpy_gateway.cors_config import Cors
from webpy_gateway.cors_origin import ANY, LONGEST, Origins, pattern

Headers = list[tuple[str, str]]

LONGEST_HEADER_LIST = 2048
MOST_HEADERS = 64
# origins whose grant is remembered: parsing costs more than all the rest, and most requests come from a few
REMEMBERED = 1024
OWS = " \t"  # RFC 9110, section 5.6.3
PREFLIGHT_VARY = ("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")


class RefusedError(Exception):
    """A preflight that is not granted: why, and the value that decided it."""

    def __init__(self, reason: str, value: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.value = value


class Policy:
    """All that can be computed before the first request is; nothing of it changes later."""

    def __init__(self, settings: Cors) -> None:
        self.everyone = settings.allowed_origins == (ANY,)
        self.specific = bool(settings.allowed_origins) and not self.everyone
        self._access: Headers = [("Access-Control-Allow-Credentials", "true")] if settings.allow_credentials else []
        self._exposed: Headers = []
        if settings.exposed_headers:
            self._exposed.append(("Access-Control-Expose-Headers", ", ".join(settings.exposed_headers)))
        self._methods = frozenset((*names.SAFELISTED_METHODS, *settings.allowed_methods))
        self._headers = frozenset(name.lower() for name in settings.allowed_headers)
        self._max_age: Headers = []
        if settings.max_age is not None:
            self._max_age.append(("Access-Control-Max-Age", str(settings.max_age)))
        self._origins = Origins(filter(None, map(pattern, settings.allowed_origins)))
        self._remembered = lru_cache(REMEMBERED)(self._look_up)
        self._for_everyone = self._grant(ANY) if self.everyone else None

    def _grant(self, origin: str) -> Headers:
        return [("Access-Control-Allow-Origin", origin), *self._access, *self._exposed]

    def grant(self, origin: str) -> Headers:
        """Headers for an actual answer to this origin (empty: the header was absent); none when nothing is granted."""
        if self._for_everyone is not None:
            return self._for_everyone
        return self._remembered(origin) if 0 < len(origin) <= LONGEST else []

    def _look_up(self, origin: str) -> Headers:
        allowed = self._origins.match(origin)
        return self._grant(allowed) if allowed else []

    def preflight(self, environ: WSGIEnvironment, origin: str) -> Headers:
        """Headers that grant a preflight. Raises RefusedError. Fetch, section 4.8: what browsers check in the answer.

        The cost is bounded: nothing here grows faster than the length of the headers, and that has a limit.
        """
        allowed = ANY if self.everyone else self._origins.match(origin)
        if allowed is None:
            raise RefusedError("the origin is not allowed", origin)
        method = self._method(environ["HTTP_ACCESS_CONTROL_REQUEST_METHOD"].strip(OWS))
        headers = self._header_list(environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", ""))
        return [
            ("Access-Control-Allow-Origin", allowed),
            *self._access,
            ("Access-Control-Allow-Methods", method),
            *([("Access-Control-Allow-Headers", headers)] if headers else []),
            *self._max_age,
        ]

    def _method(self, requested: str) -> str:
        """The method to name in the answer. Methods are case-sensitive (RFC 9110, section 9.1)."""
        if not names.is_token(requested):
            raise RefusedError("the method is malformed", requested)
        if ANY in self._methods:
            return ANY
        if requested not in self._methods:
            raise RefusedError("the method is not allowed", requested)
        return requested

    def _header_list(self, requested: str) -> str:
        """The names to name in the answer. `1#field-name`, whose empty members mean nothing (RFC 9110, 5.6.1.2)."""
        if len(requested) > LONGEST_HEADER_LIST:
            raise RefusedError("the list of headers is too long", requested)
        members = [name for member in requested.split(",") if (name := member.strip(OWS))]
        if len(members) > MOST_HEADERS:
            raise RefusedError("too many headers", requested)
        for name in members:
            if not names.is_token(name):
                raise RefusedError("a header's name is malformed", name)
            # Fetch, section 2.2.2: * does not stand for a CORS non-wildcard request-header name
            if name.lower() not in self._headers and (ANY not in self._headers or name.lower() == "authorization"):
                raise RefusedError("the header is not allowed", name)
        if ANY in self._headers and members:
            return "*, Authorization" if "authorization" in self._headers else ANY
        return ", ".join(members)
