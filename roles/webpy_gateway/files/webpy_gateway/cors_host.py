"""Hosts in the one form in which a browser writes them into an origin (WHATWG URL, sections 3.1 and 3.5)."""

import re
import socket
import struct

LONGEST_NAME = 253
LONGEST_LABEL = 63

# LDH and the underscore: the characters that both the host parser of the URL standard and name servers take
_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_ZEROS = re.compile(r"\b0(?::0)+\b")


def is_canonical(host: str) -> bool:
    """Whether this is a domain name, an IPv4 address or a bracketed IPv6 address as browsers serialise them.

    A final dot (the root of the DNS) is part of the name: browsers keep it, and so it makes another host.
    """
    if host.startswith("["):
        return host == ipv6_form(host)
    if ends_in_number(host):
        return is_ipv4(host)
    return _NAME.fullmatch(host) is not None and len(host.removesuffix(".")) <= LONGEST_NAME


def ends_in_number(host: str) -> bool:
    """Whether browsers take it for an IPv4 address, however written (URL standard, ends-in-a-number checker)."""
    return _NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]) is not None


def is_ipv4(host: str) -> bool:
    """Four decimal numbers without leading zeros."""
    return _IPV4.fullmatch(host) is not None


def is_address(host: str) -> bool:
    """Whether a canonical host is an IP address and no name."""
    return host.startswith("[") or is_ipv4(host)


def is_loopback(host: str) -> bool:
    """Whether a canonical host is this very machine (Secure Contexts, section 3.1; RFC 6761, section 6.3)."""
    name = host.removesuffix(".")
    return host == "[::1]" or (is_ipv4(host) and host.startswith("127.")) or f".{name}".endswith(".localhost")


def ipv4_form(host: str) -> str | None:
    """The canonical form of an IPv4 address however written, None when it is none (URL standard, IPv4 parser)."""
    try:
        return socket.inet_ntoa(socket.inet_aton(host.removesuffix(".")))
    except OSError:
        return None


def ipv6_form(host: str) -> str | None:
    """The canonical form of a bracketed IPv6 address, None when it is none (URL standard, IPv6 serializer)."""
    try:
        packed = socket.inet_pton(socket.AF_INET6, host.removeprefix("[").removesuffix("]"))
    except (OSError, ValueError):
        return None
    text = ":".join(f"{piece:x}" for piece in struct.unpack("!8H", packed))
    zeros = max(_ZEROS.finditer(text), key=lambda run: len(run[0]), default=None)
    if zeros:
        text = text[: zeros.start()].removesuffix(":") + "::" + text[zeros.end() :].removeprefix(":")
    return f"[{text}]"
