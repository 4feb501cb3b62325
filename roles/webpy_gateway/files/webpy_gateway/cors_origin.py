"""Origins: how they are parsed, and which of them a policy lets in (Fetch, section 3.2; RFC 6454, sections 4 to 6)."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from webpy_gateway import cors_host

LONGEST = 270
HIGHEST_PORT = 65_535
ANY = "*"
DEFAULT_PORTS = {"http": "80", "https": "443"}

_FORM = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:]+\])(?::([1-9][0-9]{0,4}))?")


class Origin(NamedTuple):
    """Scheme, host and port; the port is empty where it is the scheme's own."""

    scheme: str
    host: str
    port: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}" if self.port else f"{self.scheme}://{self.host}"


class Pattern(NamedTuple):
    """What a configured entry lets in: one origin, or with `subdomains` all below it; port `*` is any port."""

    origin: Origin
    subdomains: bool


def parse(text: str) -> Origin | None:
    """The origin that a browser serialises exactly so; None for everything else, `null` and lists included.

    Fetch, section 3.2: `origin = scheme "://" host [ ":" port ]`, with the host and port that the URL standard's
    serializers give. There is one text for each origin, so nothing has to be normalised before comparing.
    """
    if len(text) > LONGEST:
        return None
    match = _FORM.fullmatch(text)
    if not match:
        return None
    scheme, host, port = match.groups(default="")
    if port == DEFAULT_PORTS[scheme] or (port and int(port) > HIGHEST_PORT) or not cors_host.is_canonical(host):
        return None
    return Origin(scheme, host, port)


def pattern(text: str) -> Pattern | None:
    """What a configured entry means, None when it has no meaning: an origin with `*.` before or `:*` after its host."""
    bare = text.removesuffix(":*")
    origin = parse(bare.replace("://*.", "://"))
    if origin is None or (bare != text and origin.port):
        return None
    if bare != text:
        origin = origin._replace(port=ANY)
    return Pattern(origin, "://*." in bare)


class Origins:
    """The origins that a policy lets in. A look-up costs the same however many there are."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._hosts: dict[tuple[str, str], set[str]] = {}
        self._bases: dict[tuple[str, str], set[str]] = {}
        for (scheme, host, port), subdomains in patterns:
            table = self._bases if subdomains else self._hosts
            table.setdefault((scheme, host), set()).add(port)

    def match(self, text: str) -> str | None:
        """The parsed origin, written again, if it may come in; None if it may not or is none (RFC 6454, section 5).

        Parts are compared with parts. A base lets in the names below it: never itself, never an address.
        """
        origin = parse(text)
        if origin is None:
            return None
        scheme, host, port = origin
        if self._has(self._hosts, scheme, host, port):
            return str(origin)
        if cors_host.is_address(host):
            return None
        while host := host.partition(".")[2]:
            if self._has(self._bases, scheme, host, port):
                return str(origin)
        return None

    @staticmethod
    def _has(table: dict[tuple[str, str], set[str]], scheme: str, host: str, port: str) -> bool:
        ports = table.get((scheme, host))
        return ports is not None and (port in ports or ANY in ports)
