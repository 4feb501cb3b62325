"""What may stand in `allowed_origins`, and for everything else why not and what to write instead.

An entry is good when it parses (`cors_origin.pattern`): the rest of this module only finds words for those that do
not, and refuses the patterns that would let in strangers.
"""

import re
import unicodedata
from typing import NoReturn

from webpy_gateway import cors_host, public_suffix
from webpy_gateway.cors_origin import DEFAULT_PORTS, HIGHEST_PORT, Pattern, pattern
from webpy_gateway.rules import RuleError, string

EXAMPLE = 'write scheme and host, like "https://portal.example.org"'
# a host and what may follow it; the first character that belongs to neither tells what was written too much
_SURPLUS = {"/": "a path", "\\": "a path", "?": "a query", "#": "a fragment"}


def allowed_origin(value: object) -> Pattern:
    """The pattern that an entry stands for. Raises RuleError."""
    text = string(value)
    found = pattern(text)
    if found is None:
        _explain(text)
    if found.subdomains:
        _demand_own_base(found.origin.host)
    return found


def _demand_own_base(host: str) -> None:
    """Refuses `*.` over what is no name, or a name that belongs to many (RFC 6454, section 8.1; publicsuffix.org)."""
    name = host.removesuffix(".")
    if cors_host.is_address(host):
        raise RuleError("has * under an IP address, which has no subdomains", "list each address as an origin")
    if name == "localhost":
        return
    if "." not in name:
        raise RuleError("has * over a single label, which is nobody's own", "name the domain that is yours below it")
    if public_suffix.is_shared(name):
        reason = "has * over a public suffix, or over one below it: strangers have names there"
        raise RuleError(reason, "name a domain that is all yours, or list the origins one by one")


def _explain(text: str) -> NoReturn:
    """Raises the RuleError that says best why this is no origin."""
    if " " in text or not text.isprintable():
        raise RuleError("has white space or a control character", "remove it")
    if text == "null":
        raise RuleError("is the origin of every sandboxed frame and local file", "serve the page over HTTP and name it")
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in DEFAULT_PORTS:
        raise RuleError("does not begin with http:// or https://", EXAMPLE)
    if "," in rest:
        raise RuleError("has a comma, and an entry is one origin", "write each origin as an entry of its own")
    _explain_surplus(scheme, rest)
    if not text.isascii():
        raise RuleError("has characters outside of ASCII", f'write "{as_sent(text)}", as browsers send it')
    if text != text.lower():
        raise RuleError("has upper-case letters, which browsers never send", f'write "{text.lower()}"')
    host, port = _divided(rest)
    _explain_star(host, port)
    _explain_port(f"{scheme}://{host}", port)
    _explain_host(scheme, host.removeprefix("*."), "" if port is None else f":{port}")


def _explain_surplus(scheme: str, rest: str) -> None:
    surplus = re.search(r"[/\\?#]", rest)
    authority = rest[: surplus.start()] if surplus else rest
    host = authority.rpartition("@")[2]
    remedy = f'write "{as_sent(f"{scheme}://{host}")}"' if host else EXAMPLE
    if "@" in authority:
        raise RuleError("has a user name", remedy)
    if surplus and rest == f"{authority}/":
        raise RuleError("ends in a slash, which an origin never does", remedy)
    if surplus:
        raise RuleError(f"has {_SURPLUS[surplus[0]]}, which an origin never has", remedy)


def _divided(rest: str) -> tuple[str, str | None]:
    """Host and port as written, None where there is no port. The colons of an IPv6 address are not taken for one."""
    if rest.startswith("["):
        host, bracket, after = rest.partition("]")
        return host + bracket, after[1:] if after.startswith(":") else None
    host, colon, port = rest.partition(":")
    return host, port if colon else None


def _explain_star(host: str, port: str | None) -> None:
    if host == "*":
        raise RuleError("has * for the whole host", 'write exactly ["*"] for everyone, or name hosts')
    base = host.removeprefix("*.")
    if "*" in base or (port is not None and port != "*" and "*" in port):
        reason = "has * for something else than the whole first label or the whole port"
        raise RuleError(reason, 'write "https://*.example.org", or "https://portal.example.org:*"')
    if base != host and (base.startswith("[") or cors_host.ends_in_number(base)):
        raise RuleError("has * under an IP address, which has no subdomains", "list each address as an origin")


def _explain_port(without: str, port: str | None) -> None:
    if port is None or port == "*":
        return
    if port == DEFAULT_PORTS[without.partition(":")[0]]:
        raise RuleError("names the default port, which browsers leave out", f'write "{without}"')
    if not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > HIGHEST_PORT:
        raise RuleError("has a bad port", f"use 1 to {HIGHEST_PORT} without leading zeros, or * for any")


def _explain_host(scheme: str, host: str, port: str) -> NoReturn:
    if host.startswith("["):
        form = cors_host.ipv6_form(host) if host.endswith("]") else None
        remedy = f'write "{scheme}://{form}{port}"' if form else 'write it like "http://[2001:db8::1]"'
        raise RuleError("has an IPv6 address that is not in canonical form", remedy)
    if not re.fullmatch(r"[a-z0-9._-]+", host):
        raise RuleError("has an empty host, or a character that no host name has", EXAMPLE)
    if cors_host.ends_in_number(host):
        form = cors_host.ipv4_form(host)
        remedy = f'write "{scheme}://{form}{port}", as browsers do' if form else 'write it like "http://192.0.2.1"'
        raise RuleError("has an IPv4 address that is not in canonical form", remedy)
    labels = host.removesuffix(".").split(".")
    if "" in labels:
        raise RuleError("has an empty label", "write one dot between two labels")
    if max(map(len, labels)) > cors_host.LONGEST_LABEL:
        raise RuleError("has an over-long label", f"use labels of at most {cors_host.LONGEST_LABEL} characters")
    raise RuleError("has an over-long host name", f"use at most {cors_host.LONGEST_NAME} characters")


def as_sent(text: str) -> str:
    """What browsers send for an origin that is well but for its letters: lower case and, where it takes that, punycode.

    URL standard, section 3.3 (domain to ASCII, nontransitional: ß stays ß). Letters that Unicode maps in some other
    way than by its compatibility forms and lower case are not looked after: this is a hint, nothing relies on it.
    """
    mapped = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower()).replace("\u3002", ".")
    labels = re.split(r"([.:/])", mapped)
    return "".join(label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in labels)
