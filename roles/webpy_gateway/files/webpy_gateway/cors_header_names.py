"""Which names of headers and methods mean something in a policy (Fetch, sections 2.2.1 and 2.2.2; RFC 9110)."""

import re


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# RFC 9110, section 5.6.2
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

# Fetch, section 2.2.1: safelisted, forbidden, and those that browsers write in upper case themselves
SAFELISTED_METHODS = ("GET", "HEAD", "POST")
FORBIDDEN_METHODS = ("CONNECT", "TRACE", "TRACK")
NORMALIZED_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT")

# Fetch, section 2.2.2, and of Private Network Access: no script can set them, so nobody can ask for them
FORBIDDEN_REQUEST_HEADERS = _names(
    "accept-charset accept-encoding access-control-request-headers access-control-request-method "
    "access-control-request-private-network connection content-length cookie cookie2 date dnt expect host keep-alive "
    "origin referer set-cookie te trailer transfer-encoding upgrade via"
)
FORBIDDEN_REQUEST_PREFIXES = ("proxy-", "sec-")

# Fetch, section 2.2.2: no script can read them
FORBIDDEN_RESPONSE_HEADERS = frozenset(("set-cookie", "set-cookie2"))

# Headers that only answers have: RFC 9110 (sections 8.8, 10.2, 11.6, 12.5.5, 14.3), RFC 9111, RFC 9211, RFC 6265,
# Fetch, HTML, CSP, HSTS, Server Timing, Resource Timing, Reporting, and RFC 5789, 7240, 7615, 7838, 9745, 8594
RESPONSE_HEADERS = _names(
    "accept-patch accept-post accept-ranges age allow alt-svc authentication-info cache-status "
    "clear-site-data content-security-policy content-security-policy-report-only cross-origin-embedder-policy "
    "cross-origin-embedder-policy-report-only cross-origin-opener-policy cross-origin-opener-policy-report-only "
    "cross-origin-resource-policy deprecation etag expires last-modified location nel origin-agent-cluster "
    "permissions-policy preference-applied refresh report-to reporting-endpoints retry-after server server-timing "
    "sourcemap strict-transport-security sunset timing-allow-origin vary www-authenticate x-content-type-options "
    "x-frame-options set-cookie set-cookie2"
)
RESPONSE_PREFIXES = ("access-control-",)

# Headers that only requests have: RFC 9110 (sections 7.2, 7.6.2, 10.1, 11.6.2, 12.5, 13.1, 14.2), RFC 6265, 6454,
# 7239, 7240, 4918, Fetch, HTML; X-Requested-With by custom. Answers may have Accept and Accept-Encoding (9110, 12.5)
REQUEST_HEADERS = _names(
    "accept-charset accept-language access-control-request-headers access-control-request-method "
    "access-control-request-private-network authorization cookie cookie2 depth destination dnt expect forwarded from "
    "host if if-match if-modified-since if-none-match if-range if-unmodified-since last-event-id max-forwards origin "
    "overwrite prefer proxy-authorization range referer te upgrade-insecure-requests user-agent x-requested-with"
)
REQUEST_PREFIXES = ("sec-",)


def is_token(text: str) -> bool:
    """Whether this can be a method or the name of a header (RFC 9110, sections 9.1 and 5.1)."""
    return TOKEN.fullmatch(text) is not None


def is_forbidden_request_header(name: str) -> bool:
    """Whether no script can set it, whatever a server allows; in any case of letters."""
    return name.lower() in FORBIDDEN_REQUEST_HEADERS or name.lower().startswith(FORBIDDEN_REQUEST_PREFIXES)


def is_response_header(name: str) -> bool:
    """Whether it is defined for answers only; in any case of letters."""
    return name.lower() in RESPONSE_HEADERS or name.lower().startswith(RESPONSE_PREFIXES)


def is_request_header(name: str) -> bool:
    """Whether it is defined for requests only; in any case of letters."""
    return name.lower() in REQUEST_HEADERS or name.lower().startswith(REQUEST_PREFIXES)
