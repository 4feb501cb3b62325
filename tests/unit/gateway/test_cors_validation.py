"""The [cors] table: what is refused, with which words, and what close to it is not."""

import re
import tomllib
from typing import Any

import pytest
from gateway_kit import toml
from hypothesis import given, settings
from hypothesis import strategies as st
from webpy_gateway import config, cors_origin_rules, public_suffix
from webpy_gateway.cors_config import Cors
from webpy_gateway.problem import Problem, SetupError, bounded

BASE = {"name": "a", "application": "app:application", "url_prefix": "/api/"}
PORTAL = "https://portal.example.org"
WRONG_CASE = "is never sent in this case: methods are case-sensitive"
LABEL64 = "a" * 64


def cors(**table: Any) -> Cors:
    return config.parse({**BASE, "cors": table}).cors


def problems(**table: Any) -> tuple[Problem, ...]:
    with pytest.raises(SetupError) as caught:
        cors(**table)
    for problem in caught.value.problems:
        line = str(problem)
        assert line.startswith(f"{problem.key}: {bounded(problem.value)}: {problem.reason}; ")
        assert problem.remedy
        assert line.isprintable()
    return caught.value.problems


def problem(**table: Any) -> Problem:
    (only,) = problems(**table)
    return only


REFUSED_ORIGINS: list[tuple[Any, str, str]] = [
    (5, "is an integer, not a string", "between quotes"),
    (True, "is a boolean, not a string", "between quotes"),
    ([], "is a list, not a string", "between quotes"),
    ("", "does not begin with http:// or https://", 'write scheme and host, like "https://portal.example.org"'),
    ("portal.example.org", "does not begin with http", "write scheme and host"),
    ("//portal.example.org", "does not begin with http", "write scheme and host"),
    ("https:/portal.example.org", "does not begin with http", "write scheme and host"),
    ("ftp://a.example", "does not begin with http", "write scheme and host"),
    ("file:///", "does not begin with http", "write scheme and host"),
    ("chrome-extension://abcdef", "does not begin with http", "write scheme and host"),
    ("*://a.example", "does not begin with http", "write scheme and host"),
    ("https*://a.example", "does not begin with http", "write scheme and host"),
    ("null", "every sandboxed frame", "serve the page over HTTP"),
    ("https://a.example/", "ends in a slash", 'write "https://a.example"'),
    ("https://*.a.example:81/", "ends in a slash", 'write "https://*.a.example:81"'),
    ("https://A.example/", "ends in a slash", 'write "https://a.example"'),
    ("https://a.example/x/", "has a path", 'write "https://a.example"'),
    ("https://a.example//", "has a path", 'write "https://a.example"'),
    ("https://a.example\\x", "has a path", 'write "https://a.example"'),
    ("https://a.example?x=/", "has a query", 'write "https://a.example"'),
    ("https://a.example#x?", "has a fragment", 'write "https://a.example"'),
    ("https://u@a.example", "has a user name", 'write "https://a.example"'),
    ("https://u:p@v@a.example/x", "has a user name", 'write "https://a.example"'),
    ("https:///x", "has a path", "write scheme and host"),
    ("https://u@", "has a user name", "write scheme and host"),
    ("https://a.example/@", "has a path", 'write "https://a.example"'),
    ("https://a.example,https://b.example", "has a comma", "an entry of its own"),
    (" https://a.example", "white space or a control character", "remove it"),
    ("https://a.example\t", "white space or a control character", "remove it"),
    ("https://a.ex\nample", "white space or a control character", "remove it"),
    ("https://a.example\x7f", "white space or a control character", "remove it"),
    ("https://a.example\xa0", "white space or a control character", "remove it"),
    ("https://a.example\u3000", "white space or a control character", "remove it"),
    ("https://a\u200b.example", "white space or a control character", "remove it"),
    ("https://a.example\u2028", "white space or a control character", "remove it"),
    ("HTTPS://a.example", "has upper-case letters", 'write "https://a.example"'),
    ("https://A.example:81", "has upper-case letters", 'write "https://a.example:81"'),
    ("http://[FE80::1]", "has upper-case letters", 'write "http://[fe80::1]"'),
    ("https://bücher.example", "outside of ASCII", 'write "https://xn--bcher-kva.example", as browsers send it'),
    ("https://*.Bücher.example:81", "outside of ASCII", 'write "https://*.xn--bcher-kva.example:81"'),
    ("https://straße.example", "outside of ASCII", 'write "https://xn--strae-oqa.example"'),
    ("https://ａ。example", "outside of ASCII", 'write "https://a.example"'),
    ("http://127.1", "IPv4 address that is not in canonical form", 'write "http://127.0.0.1", as browsers do'),
    ("http://127.1:81", "IPv4 address that is not in canonical form", 'write "http://127.0.0.1:81"'),
    ("http://1.2.3.4.", "IPv4 address that is not in canonical form", 'write "http://1.2.3.4"'),
    ("http://1.2.3.256", "IPv4 address that is not in canonical form", 'write it like "http://192.0.2.1"'),
    ("http://a.0x1f", "IPv4 address that is not in canonical form", 'write it like "http://192.0.2.1"'),
    ("http://[::01]:81", "IPv6 address that is not in canonical form", 'write "http://[::1]:81"'),
    ("http://[::ffff:1.2.3.4]", "IPv6 address that is not in canonical form", 'write "http://[::ffff:102:304]"'),
    ("http://[::1", "IPv6 address that is not in canonical form", 'write it like "http://[2001:db8::1]"'),
    ("http://[::1%25lo]", "IPv6 address that is not in canonical form", 'write it like "http://[2001:db8::1]"'),
    ("http://[]", "IPv6 address that is not in canonical form", 'write it like "http://[2001:db8::1]"'),
    ("http://[::1]x", "IPv6 address that is not in canonical form", 'write "http://[::1]"'),
    ("https://a.example:443", "default port", 'write "https://a.example"'),
    ("http://*.a.example:80", "default port", 'write "http://*.a.example"'),
    ("http://[::1]:80", "default port", 'write "http://[::1]"'),
    ("https://a.example:", "bad port", "use 1 to 65535 without leading zeros, or * for any"),
    ("https://a.example:0", "bad port", "use 1 to 65535"),
    ("https://a.example:081", "bad port", "use 1 to 65535"),
    ("https://a.example:65536", "bad port", "use 1 to 65535"),
    ("https://a.example:100000", "bad port", "use 1 to 65535"),
    ("https://a.example:x", "bad port", "use 1 to 65535"),
    ("https://a.example:81:82", "bad port", "use 1 to 65535"),
    ("https://", "empty host, or a character", "write scheme and host"),
    ("https://:81", "empty host, or a character", "write scheme and host"),
    ("https://a%2eb.example", "empty host, or a character", "write scheme and host"),
    ("https://a|b.example", "empty host, or a character", "write scheme and host"),
    ("https://a..example", "empty label", "one dot between"),
    ("https://.example", "empty label", "one dot between"),
    (f"https://{LABEL64}.example", "over-long label", "at most 63"),
    (f"https://{'a.' * 126}aa", "over-long host name", "at most 253"),
    ("https://*", "* for the whole host", 'exactly ["*"]'),
    ("https://*:81", "* for the whole host", 'exactly ["*"]'),
    ("https://*:*", "* for the whole host", 'exactly ["*"]'),
    ("https://a*.example.org", "* for something else", 'write "https://*.example.org", or'),
    ("https://*a.example.org", "* for something else", 'write "https://*.example.org", or'),
    ("https://a.*.org", "* for something else", 'write "https://*.example.org", or'),
    ("https://*.*.example.org", "* for something else", 'write "https://*.example.org", or'),
    ("https://**.example.org", "* for something else", 'write "https://*.example.org", or'),
    ("https://example.*", "* for something else", 'write "https://*.example.org", or'),
    ("https://a.example:8*", "* for something else", "portal.example.org:*"),
    ("https://a.example:81:*", "* for something else", "portal.example.org:*"),
    ("https://*.a..example", "empty label", "one dot between"),
    ("https://a..example:*", "empty label", "one dot between"),
    ("https://a..example:65535", "empty label", "one dot between"),
    (f"https://{LABEL64}.", "over-long label", "at most 63"),
    (f"https://{'.'.join([LABEL64[1:]] * 4)}", "over-long host name", "at most 253"),
    ("https://*.1.2.3.4", "* under an IP address", "list each address"),
    ("https://*.127.1", "* under an IP address", "list each address"),
    ("https://*.4", "* under an IP address", "list each address"),
    ("https://*.[::1]", "* under an IP address", "list each address"),
    ("https://*.[::01]", "* under an IP address", "list each address"),
    ("https://*.com", "* over a single label", "below it"),
    ("https://*.com.", "* over a single label", "below it"),
    ("https://*.internal:*", "* over a single label", "below it"),
    ("https://*.co.uk", "* over a public suffix", "all yours"),
    ("https://*.co.uk.", "* over a public suffix", "all yours"),
    ("https://*.github.io:*", "* over a public suffix", "all yours"),
    ("https://*.xn--55qx5d.cn", "* over a public suffix", "all yours"),
    ("https://*.foo.ck", "* over a public suffix", "all yours"),
    ("https://*.kobe.jp", "* over a public suffix", "all yours"),
    ("https://*.amazonaws.com", "* over a public suffix", "all yours"),
]


@pytest.mark.parametrize(("origin", "reason", "remedy"), REFUSED_ORIGINS)
def test_bad_origin(origin: Any, reason: str, remedy: str) -> None:
    """Fetch, section 3.2; URL standard, sections 3.3 to 3.5; RFC 6454, section 6.1; publicsuffix.org."""
    found = problem(allowed_origins=["https://good.example", origin])
    assert (found.key, found.value) == ("cors.allowed_origins[1]", origin)
    assert reason in found.reason
    assert remedy in found.remedy
    assert found.reason in REASONS
    assert re.sub(r'(?<=write )"https?://[^"]*"(?!, or)', '"ORIGIN"', found.remedy) in REMEDIES


REASONS = """
is an integer, not a string
is a boolean, not a string
is a list, not a string
does not begin with http:// or https://
is the origin of every sandboxed frame and local file
ends in a slash, which an origin never does
has a path, which an origin never has
has a query, which an origin never has
has a fragment, which an origin never has
has a user name
has a comma, and an entry is one origin
has white space or a control character
has upper-case letters, which browsers never send
has characters outside of ASCII
has an IPv4 address that is not in canonical form
has an IPv6 address that is not in canonical form
names the default port, which browsers leave out
has a bad port
has an empty host, or a character that no host name has
has an empty label
has an over-long label
has an over-long host name
has * for the whole host
has * for something else than the whole first label or the whole port
has * under an IP address, which has no subdomains
has * over a single label, which is nobody's own
has * over a public suffix, or over one below it: strangers have names there
""".splitlines()
REMEDIES = """
write text between quotes
write scheme and host, like "https://portal.example.org"
serve the page over HTTP and name it
write "ORIGIN"
write "ORIGIN", as browsers send it
write "ORIGIN", as browsers do
write it like "http://192.0.2.1"
write it like "http://[2001:db8::1]"
write each origin as an entry of its own
remove it
use 1 to 65535 without leading zeros, or * for any
write one dot between two labels
use labels of at most 63 characters
use at most 253 characters
write exactly ["*"] for everyone, or name hosts
write "https://*.example.org", or "https://portal.example.org:*"
list each address as an origin
name the domain that is yours below it
name a domain that is all yours, or list the origins one by one
""".splitlines()


ACCEPTED_ORIGINS = [
    "https://portal.example.org",
    "https://portal.example.org.",
    "https://portal.example.org:8443",
    "https://portal.example.org:65535",
    "https://portal.example.org:1",
    "https://portal.example.org:80",
    "http://portal.example.org:443",
    "https://portal.example.org:*",
    "https://intranet",
    "https://my_host.example.org",
    "https://xn--bcher-kva.example",
    f"https://{LABEL64[1:]}.example",
    "https://1a.example",
    "http://192.0.2.1",
    "http://192.0.2.1:*",
    "http://[2001:db8::1]:8080",
    "http://[::ffff:102:304]",
    "https://*.example.org",
    "https://*.example.org:8443",
    "https://*.example.org:*",
    "https://*.example.org.",
    "https://*.example.co.uk",
    "https://*.me.github.io",
    "https://*.www.ck",
    "https://*.city.kobe.jp",
    "https://*.corp.internal",
    "https://*.xn--bcher-kva.example",
    "https://*.localhost",
    "http://*.localhost:*",
    "*",
]


@pytest.mark.parametrize("origin", ACCEPTED_ORIGINS)
def test_good_origin(origin: str) -> None:
    assert cors(allowed_origins=[origin]).allowed_origins == (origin,)


def test_all_problems_come_at_once_with_their_places() -> None:
    found = problems(
        allowed_origins=["https://a.example/", PORTAL, 5, "*"],
        allow_credentials="false",
        allowed_methods=["TRACE", "PUT"],
        allowed_headers="X-A",
        exposed_headers=["Set-Cookie"],
        max_age=True,
        colour="red",
    )
    assert [problem.key for problem in found] == [
        "cors.allowed_origins[0]",
        "cors.allowed_origins[2]",
        "cors.allowed_origins[3]",
        "cors.allow_credentials",
        "cors.allowed_methods[0]",
        "cors.allowed_headers",
        "cors.exposed_headers[0]",
        "cors.max_age",
        "cors.colour",
    ]


def test_unknown_setting() -> None:
    found = problem(allowed_origin=[PORTAL])
    assert str(found) == (
        "cors.allowed_origin: ['https://portal.example.org']: unknown setting; remove it; known are allowed_origins, "
        "allow_credentials, allowed_methods, allowed_headers, exposed_headers, max_age, "
        "allow_insecure_origins_with_credentials"
    )


@pytest.mark.parametrize("key", ["allow_private_network", "private_network", "allow_local_network_access"])
def test_private_network_access_is_no_setting(key: str) -> None:
    """Private Network Access has given way to Local Network Access, a permission without any header."""
    found = problem(allowed_origins=[PORTAL], **{key: True})
    assert (found.key, found.reason) == (f"cors.{key}", "unknown setting")
    assert found.remedy == "remove it; browsers ask their user for this permission and look at no header for it"


@pytest.mark.parametrize("value", ["x", 5, True, [], ["*"]])
def test_no_table(value: object) -> None:
    with pytest.raises(SetupError, match=r"^cors: .*: is .*, not a table; write \[cors\] and its settings below it$"):
        config.parse({**BASE, "cors": value})


@pytest.mark.parametrize("key", ["allowed_origins", "allowed_methods", "allowed_headers", "exposed_headers"])
@pytest.mark.parametrize("value", ["*", PORTAL, 5, True, {"a": 1}])
def test_no_list(key: str, value: object) -> None:
    table = {"allowed_origins": [PORTAL], key: value}
    found = problem(**table)
    assert (found.key, found.value) == (f"cors.{key}", value)
    kinds = {str: "a string", int: "an integer", bool: "a boolean", dict: "a table"}
    assert found.reason == f"is {kinds[type(value)]}, not a list of strings"
    assert found.remedy == 'write for example ["..."]'


@pytest.mark.parametrize("key", ["allow_credentials", "allow_insecure_origins_with_credentials"])
@pytest.mark.parametrize("value", ["false", "true", 0, 1, []])
def test_no_boolean(key: str, value: object) -> None:
    found = problem(allowed_origins=[PORTAL], **{key: value})
    assert found.key == f"cors.{key}"
    assert found.reason.endswith(", not a boolean")


@pytest.mark.parametrize(("value", "reason"), [(True, "a boolean"), ("600", "a string"), (1.5, "a number")])
def test_max_age_of_another_type(value: object, reason: str) -> None:
    found = problem(allowed_origins=[PORTAL], max_age=value)
    assert (found.key, found.reason) == ("cors.max_age", f"is {reason}, not an integer")


@pytest.mark.parametrize("value", [-1, 86_401])
def test_max_age_out_of_range(value: int) -> None:
    """Fetch, section 3.3.3: delta-seconds; browsers cap it themselves."""
    found = problem(allowed_origins=[PORTAL], max_age=value)
    assert (found.reason, found.remedy) == ("out of range", "use 0 to 86400")


@pytest.mark.parametrize("value", [0, 86_400])
def test_max_age_in_range(value: int) -> None:
    assert cors(allowed_origins=[PORTAL], max_age=value).max_age == value


@pytest.mark.parametrize(
    ("key", "entries", "place", "first"),
    [
        ("allowed_origins", [PORTAL, "https://a.example", PORTAL], 2, 0),
        ("allowed_origins", ["*", "*"], 1, 0),
        ("allowed_methods", ["PUT", "PUT"], 1, 0),
        ("allowed_headers", ["X-A", "x-a"], 1, 0),
        ("exposed_headers", ["X-B", "X-A", "x-a"], 2, 1),
    ],
)
def test_duplicate(key: str, entries: list[str], place: int, first: int) -> None:
    found = problem(**{"allowed_origins": [PORTAL], key: entries})
    assert (found.key, found.value) == (f"cors.{key}[{place}]", entries[place])
    assert (found.reason, found.remedy) == (f"repeats {key}[{first}]", "remove it")


def test_methods_that_differ_in_case_are_two() -> None:
    """RFC 9110, section 9.1: methods are case-sensitive; Fetch, section 2.2.1 normalises six of them only."""
    assert cors(allowed_origins=[PORTAL], allowed_methods=["PATCH", "patch"]).allowed_methods == ("PATCH", "patch")


@pytest.mark.parametrize(
    ("key", "entries", "allowed"),
    [
        ("allowed_origins", ["*", PORTAL], 'write exactly ["*"], or no *'),
        ("allowed_methods", ["PUT", "*"], 'write exactly ["*"], or no *'),
        ("allowed_headers", ["*", "X-A"], 'write exactly ["*"] or "Authorization" beside it, or no *'),
        ("allowed_headers", ["*", "Authorization", "X-A"], 'write exactly ["*"] or "Authorization" beside it, or no *'),
        ("exposed_headers", ["*", "ETag"], 'write exactly ["*"], or no *'),
    ],
)
def test_star_beside_others(key: str, entries: list[str], allowed: str) -> None:
    found = problem(**{"allowed_origins": [PORTAL], key: entries})
    assert (found.key, found.value) == (f"cors.{key}[{entries.index('*')}]", "*")
    assert (found.reason, found.remedy) == ("covers all other entries", allowed)


@pytest.mark.parametrize("entries", [["*"], ["*", "Authorization"], ["authorization", "*"]])
def test_star_may_stand_beside_authorization(entries: list[str]) -> None:
    """Fetch, section 2.2.2: Authorization is the CORS non-wildcard request-header name."""
    assert cors(allowed_origins=["*"], allowed_headers=entries).allowed_headers == tuple(entries)


@pytest.mark.parametrize("key", ["allowed_methods", "allowed_headers", "exposed_headers"])
@pytest.mark.parametrize("origins", [{}, {"allowed_origins": []}])
def test_list_without_origins(key: str, origins: dict[str, Any]) -> None:
    found = problem(**origins, **{key: ["X-A"]})
    assert (found.key, found.value) == (f"cors.{key}", ["X-A"])
    assert (found.reason, found.remedy) == ("has no effect without allowed_origins", "name origins, or remove it")


def test_everything_may_be_empty() -> None:
    empty: dict[str, Any] = {"allowed_origins": [], "allowed_methods": [], "allowed_headers": [], "exposed_headers": []}
    assert cors(**empty, max_age=5, allow_credentials=True).allowed_origins == ()
    assert cors() == Cors() == config.parse(BASE).cors


@pytest.mark.parametrize("key", ["allowed_origins", "allowed_methods", "allowed_headers", "exposed_headers"])
def test_star_with_credentials(key: str) -> None:
    """Fetch, section 3.3.5: with credentials browsers take `*` for an ordinary name, and refuse it as an origin."""
    table = {"allowed_origins": [PORTAL], key: ["*"], "allow_credentials": True}
    found = problem(**table)
    assert (found.key, found.value) == (f"cors.{key}[0]", "*")
    assert found.reason == "is not for requests with credentials"
    assert found.remedy == "name each one, or leave allow_credentials false"
    assert cors(**{**table, "allow_credentials": False})


def test_patterns_are_for_credentials_too() -> None:
    assert cors(allowed_origins=["https://*.example.org:*"], allow_credentials=True)


@pytest.mark.parametrize("origin", ["http://portal.example.org", "http://*.example.org:*", "http://192.0.2.1:81"])
def test_unencrypted_origin_with_credentials(origin: str) -> None:
    """Secure Contexts, section 3.1."""
    table = {"allowed_origins": [PORTAL, origin], "allow_credentials": True}
    found = problem(**table)
    assert (found.key, found.value) == ("cors.allowed_origins[1]", origin)
    assert found.reason.startswith("is not encrypted")
    assert found.remedy == "use https, or set allow_insecure_origins_with_credentials = true"
    assert cors(**table, allow_insecure_origins_with_credentials=True)
    assert cors(**{**table, "allow_credentials": False})


def test_loopback_needs_no_encryption() -> None:
    origins = ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:*", "http://*.localhost:*"]
    assert cors(allowed_origins=origins, allow_credentials=True).allowed_origins == tuple(origins)


@pytest.mark.parametrize(
    ("method", "reason", "remedy"),
    [
        ("", "is no method", "write one word, like PUT"),
        ("PUT, DELETE", "is no method", "write one word, like PUT"),
        ("P(T", "is no method", "write one word, like PUT"),
        ("PÜT", "is no method", "write one word, like PUT"),
        ("PUT\n", "is no method", "write one word, like PUT"),
        (5, "is an integer, not a string", "write text between quotes"),
        ("CONNECT", "is a method that no script may use", "remove it"),
        ("TRACE", "is a method that no script may use", "remove it"),
        ("track", "is a method that no script may use", "remove it"),
        ("put", WRONG_CASE, "write PUT"),
        ("Delete", WRONG_CASE, "write DELETE"),
        ("get", WRONG_CASE, "write GET"),
        ("Head", WRONG_CASE, "write HEAD"),
        ("post", WRONG_CASE, "write POST"),
        ("options", WRONG_CASE, "write OPTIONS"),
    ],
)
def test_bad_method(method: object, reason: str, remedy: str) -> None:
    """RFC 9110, section 9.1; Fetch, section 2.2.1: forbidden methods and those that browsers normalise."""
    found = problem(allowed_origins=[PORTAL], allowed_methods=[method])
    assert found == Problem("cors.allowed_methods[0]", method, reason, remedy)


def test_good_methods() -> None:
    methods = (
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "OPTIONS",
        "PATCH",
        "patch",
        "PROPFIND",
        "M-SEARCH",
        "a!#$%&'+.^_`|~",
    )
    assert cors(allowed_origins=[PORTAL], allowed_methods=list(methods)).allowed_methods == methods


FORBIDDEN = (
    "Accept-Charset Accept-Encoding Access-Control-Request-Headers Access-Control-Request-Method Connection "
    "Access-Control-Request-Private-Network Content-Length Cookie Cookie2 Date DNT Expect Host Keep-Alive Origin "
    "Referer Set-Cookie TE Trailer Transfer-Encoding Upgrade Via Proxy-Authorization proxy-x Sec-Fetch-Mode sec-"
)
OF_ANSWERS = (
    "Access-Control-Allow-Origin Access-Control-Max-Age ETag Location Vary WWW-Authenticate Retry-After Server Age "
    "Last-Modified Strict-Transport-Security Content-Security-Policy Cross-Origin-Resource-Policy Server-Timing Expires"
)
OF_REQUESTS = (
    "Authorization Cookie Origin Referer User-Agent Host If-None-Match Range Accept-Language "
    "Access-Control-Request-Method Access-Control-Request-Private-Network Sec-Fetch-Site Forwarded X-Requested-With "
    "Prefer"
)


@pytest.mark.parametrize("change", [str, str.lower, str.upper])
@pytest.mark.parametrize(
    ("key", "names", "reason"),
    [
        ("allowed_headers", FORBIDDEN, "is a request header that no script can set"),
        ("allowed_headers", OF_ANSWERS, "is a header of answers, and scripts send requests"),
        ("exposed_headers", "Set-Cookie Set-Cookie2", "is a header that no script can read"),
        ("exposed_headers", OF_REQUESTS, "is a header of requests, and scripts read answers"),
    ],
)
def test_header_that_makes_no_sense(key: str, names: str, reason: str, change: Any) -> None:
    """Fetch, section 2.2.2: forbidden request-header names, forbidden response-header names; RFC 9110."""
    entries = list(map(change, names.split()))
    found = problems(**{"allowed_origins": [PORTAL], key: entries})
    assert [(one.key, one.value) for one in found] == [(f"cors.{key}[{i}]", name) for i, name in enumerate(entries)]
    assert {one.reason for one in found} == {reason}
    assert all(one.remedy.startswith("remove it") for one in found)


@pytest.mark.parametrize("key", ["allowed_headers", "exposed_headers"])
@pytest.mark.parametrize("name", ["", "X A", "X-A,X-B", "X-A:", "X-Ä", "X-A\n", "(x)"])
def test_header_that_is_no_token(key: str, name: str) -> None:
    """RFC 9110, section 5.6.2."""
    found = problem(**{"allowed_origins": [PORTAL], key: [name]})
    assert (found.key, found.reason) == (f"cors.{key}[0]", "is no name of a header")
    assert found.remedy == "write one name in each entry, like X-Total-Count"


def test_good_headers() -> None:
    sent = ("Authorization", "Content-Type", "Range", "If-Match", "X-Requested-With", "security", "proxied", "Accept")
    read = ("ETag", "Location", "X-Request-Id", "Retry-After", "Content-Length", "Date", "Accept", "Proxy-Status")
    policy = cors(allowed_origins=[PORTAL], allowed_headers=list(sent), exposed_headers=list(read))
    assert (policy.allowed_headers, policy.exposed_headers) == (sent, read)


def test_policy_is_immutable() -> None:
    policy = cors(allowed_origins=[PORTAL])
    with pytest.raises(AttributeError):
        policy.allow_credentials = True  # type: ignore[misc]
    assert isinstance(policy.allowed_origins, tuple)


def test_effective_configuration_is_toml_again() -> None:
    table = {
        "allowed_origins": [PORTAL, "https://*.example.org:*"],
        "allow_credentials": True,
        "exposed_headers": ["ETag"],
    }
    for more in ({}, {"max_age": 0}):
        effective = config.parse({**BASE, "cors": {**table, **more}, "jsonp": {}})
        text = config.to_toml(effective)
        assert ("max_age" in text) is bool(more)
        assert config.parse(tomllib.loads(text)) == effective
    assert text.startswith('name = "a"\n')
    assert '\n\n[cors]\nallowed_origins = ["https://portal.example.org", "https://*.example.org:*"]\n' in text
    assert text.endswith("\n\n[jsonp]\nroutes = []\n")


def test_public_suffixes_are_loaded_for_patterns_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(public_suffix, "is_shared", lambda name: bool(asked.append(name)))
    cors(allowed_origins=[PORTAL, "https://*.localhost", "https://a.example:*"])
    assert asked == []
    cors(allowed_origins=["https://*.example.org."])
    assert asked == ["example.org"]


@pytest.mark.parametrize(
    ("name", "shared"),
    [
        ("example.org", False),
        ("org", True),
        ("co.uk", True),
        ("co.uk.", True),
        ("amazonaws.com", True),
        ("s3.amazonaws.com", True),
        ("mine.s3.amazonaws.com", False),
        ("azonaws.com", False),
        ("amazonaws.com.", True),
        ("city.kobe.jp.", False),
        ("kobe.jp", True),
        ("city.kobe.jp", False),
        ("more-og-romsdal.no", True),
        ("xn--mre-og-romsdal-qqb.no", True),
    ],
)
def test_public_suffix(name: str, shared: bool) -> None:
    public_suffix._above_suffixes.cache_clear()
    public_suffix._is_suffix.cache_clear()
    assert public_suffix.is_shared(name) is shared


def test_rules_of_the_list(tmp_path: Any) -> None:
    """publicsuffix.org/list: a rule ends at the first white space; lines that begin with // are comments."""
    path = tmp_path / "list"
    path.write_text("// a b\n//a.b.c\n\nco.uk // comment\n*.kawasaki.jp\t\nmøre.no\n", encoding="utf-8")
    assert list(public_suffix._rules(path)) == ["co.uk", "*.kawasaki.jp", "xn--mre-0na.no"]


def test_ascii_form() -> None:
    """URL standard, section 3.3: nontransitional, so that ß and final sigma stay what they are."""
    assert cors_origin_rules.as_sent("HTTPS://Faß.ΒΌΛΟς.example:81") == "https://xn--fa-hia.xn--nxasmm1c.example:81"


ENTRY = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["*", "https://", "http://[", "https://*.", ":*", "null", "TRACE", "https://*.x:*"]),
    st.builds("https://{}:{}".format, st.text(max_size=8), st.text(max_size=3)),
    st.integers(),
    st.none(),
)
TABLE = st.dictionaries(
    st.sampled_from([*Cors.__dataclass_fields__, "unknown"]),
    st.one_of(ENTRY, st.booleans(), st.lists(ENTRY, max_size=3)),
)


@settings(database=None, deadline=None, max_examples=300)
@given(TABLE)
def test_no_value_crashes_the_rules(table: dict[str, Any]) -> None:
    found: tuple[Problem, ...] = ()
    try:
        effective = config.parse({**BASE, "cors": table})
        assert config.parse(tomllib.loads(config.to_toml(effective))) == effective
    except SetupError as error:
        found = error.problems
    assert all(str(problem).isprintable() and problem.key.startswith("cors.") for problem in found)


def test_file_with_tables(tmp_path: Any) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(toml(BASE) + f"[cors]\nallowed_origins = ['{PORTAL}']\n")
    assert config.read(path).cors == Cors(allowed_origins=(PORTAL,))
