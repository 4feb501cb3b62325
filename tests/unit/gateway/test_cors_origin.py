"""Origins: the one text that browsers have for each, and which of them a list of patterns lets in."""

import ipaddress
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from webpy_gateway import cors_host
from webpy_gateway.cors_origin import Origin, Origins, Pattern, parse, pattern

LABEL63 = "a" * 63
NAME253 = ".".join([LABEL63] * 3) + "." + "b" * 61

CANONICAL = [
    "http://a",
    "https://a.example",
    "https://a.example:8443",
    "https://a.example:1",
    "https://a.example:65535",
    "https://a.example:80",
    "http://a.example:443",
    "http://localhost:3000",
    "https://a.example.",
    "https://my_host.example",
    "https://-a-.example",
    "https://xn--bcher-kva.example",
    "https://1a.example",
    "https://0xg.example",
    "https://a.1x",
    f"https://{LABEL63}.example",
    f"https://{NAME253}:65535",
    f"https://{NAME253}.:65535",
    "http://127.0.0.1",
    "http://255.249.199.9:8080",
    "http://[::]",
    "http://[::1]:8080",
    "http://[1::]",
    "http://[2001:db8::1:0:0:1]",
    "http://[2001:0:0:1::1]",
    "http://[1:0:2:3:4:5:6:7]",
    "http://[::ffff:102:304]",
]

NOT_CANONICAL = [
    "",
    "null",
    "*",
    "a.example",
    "//a.example",
    "https:a.example",
    "https:/a.example",
    "https://",
    "https://:8443",
    "https://.",
    "ftp://a.example",
    "file://",
    "chrome-extension://a.example",
    "httpsx://a.example",
    "HTTPS://a.example",
    "https://A.example",
    "https://a.example/",
    "https://a.example/x",
    "https://a.example?x",
    "https://a.example#x",
    "https://u@a.example",
    "https://a.example:443",
    "http://a.example:80",
    "https://a.example:",
    "https://a.example:0",
    "https://a.example:08443",
    "https://a.example:65536",
    "https://a.example:99999",
    "https://a.example:123456",
    "https://a.example:*",
    "https://*.a.example",
    "https://a.example,https://b.example",
    "https://a.example, https://b.example",
    "https://a.example https://b.example",
    "https://a.example\r\nX: y",
    "https://a.example\n",
    "https://a.example\0",
    " https://a.example",
    "https://a.ex\xe4mple",
    "https://a..example",
    "https://.a.example",
    "https://a.example..",
    "https://a%2eexample",
    "https://a.example,b.example",
    f"https://a{LABEL63}.example",
    f"https://b{NAME253}",
    "https://" + "a" * 263,
    "http://127.1",
    "http://1.2.3.4.",
    "http://1.2.3.256",
    "http://01.2.3.4",
    "http://1.2.3.4.5",
    "http://2130706433",
    "http://0x7f.1",
    "http://a.0x",
    "http://a.7",
    "http://a.7.",
    "http://[::1",
    "http://::1",
    "http://[]",
    "http://[:]",
    "http://[::1]x",
    "http://[0:0:0:0:0:0:0:1]",
    "http://[::01]",
    "http://[::A]",
    "http://[2001:db8:0:0:1::1]",
    "http://[1::2:3:4:5:6:7]",
    "http://[::1.2.3.4]",
    "http://[::1%251]",
]


@pytest.mark.parametrize("text", CANONICAL)
def test_what_a_browser_serialises_is_parsed(text: str) -> None:
    """Fetch, section 3.2; URL standard, section 3.5: one text for one origin."""
    origin = parse(text)
    assert origin is not None
    assert str(origin) == text


@pytest.mark.parametrize("text", NOT_CANONICAL)
def test_what_no_browser_serialises_is_not(text: str) -> None:
    """Fetch, section 3.2; URL standard, sections 3.5 and 4.5: default ports, case, numbers, addresses, lengths."""
    assert parse(text) is None


def test_parts() -> None:
    """RFC 6454, section 4: the triple of scheme, host and port."""
    assert parse("https://a.example:8443") == Origin("https", "a.example", "8443")
    assert parse("http://[::1]") == Origin("http", "[::1]", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a.example", Pattern(Origin("https", "a.example", ""), False)),
        ("https://a.example:*", Pattern(Origin("https", "a.example", "*"), False)),
        ("https://*.a.example", Pattern(Origin("https", "a.example", ""), True)),
        ("https://*.a.example:8443", Pattern(Origin("https", "a.example", "8443"), True)),
        ("http://*.localhost:*", Pattern(Origin("http", "localhost", "*"), True)),
        ("http://[::1]:*", Pattern(Origin("http", "[::1]", "*"), False)),
        ("*", None),
        ("https://*", None),
        ("https://*:*", None),
        ("https://a.example:80:*", None),
        ("https://a.example:*:*", None),
        ("https://*.*.example", None),
        ("*://a.example", None),
        ("://*.a.example", None),
        ("https://a*.example", None),
        ("https://a.example:4*", None),
    ],
)
def test_pattern(text: str, expected: Pattern | None) -> None:
    assert pattern(text) == expected


def origins(*texts: str) -> Origins:
    found = [pattern(text) for text in texts]
    assert all(found)
    return Origins(found)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("configured", "text", "granted"),
    [
        ("https://a.example", "https://a.example", True),
        ("https://a.example", "http://a.example", False),
        ("https://a.example", "https://a.example:8443", False),
        ("https://a.example", "https://a.example:443", False),
        ("https://a.example", "https://a.example.", False),
        ("https://a.example", "https://b.a.example", False),
        ("https://a.example", "https://example", False),
        ("https://a.example", "https://a.example.evil.test", False),
        ("https://a.example", "https://evila.example", False),
        ("https://a.example", "HTTPS://A.example", False),
        ("https://a.example:8443", "https://a.example:8443", True),
        ("https://a.example:8443", "https://a.example", False),
        ("https://a.example:8443", "https://a.example:844", False),
        ("https://a.example:*", "https://a.example", True),
        ("https://a.example:*", "https://a.example:1", True),
        ("https://a.example:*", "https://b.example:1", False),
        ("https://a.example:*", "https://b.a.example", False),
        ("https://a.example:*", "http://a.example", False),
        ("https://*.a.example", "https://b.a.example", True),
        ("https://*.a.example", "https://c.b.a.example", True),
        ("https://*.a.example", "https://a.example", False),
        ("https://*.a.example", "https://ba.example", False),
        ("https://*.a.example", "https://b.a.example:8443", False),
        ("https://*.a.example", "http://b.a.example", False),
        ("https://*.a.example", "https://b.a.example.", False),
        ("https://*.a.example", "https://b.a.example.evil.test", False),
        ("https://*.a.example", "https://.a.example", False),
        ("https://*.a.example", "https://*.a.example", False),
        ("https://*.a.example", "https://evil.test,b.a.example", False),
        ("https://*.a.example", "https://evil.test#.a.example", False),
        ("https://*.a.example", "https://evil.test\\.a.example", False),
        ("https://*.a.example:8443", "https://b.a.example:8443", True),
        ("https://*.a.example:8443", "https://b.a.example", False),
        ("https://*.a.example:*", "https://b.a.example", True),
        ("https://*.a.example:*", "https://b.a.example:9", True),
        ("http://*.localhost:*", "http://app.localhost:3000", True),
        ("http://*.localhost:*", "http://localhost:3000", False),
        ("http://[::1]:*", "http://[::1]:3000", True),
        ("http://[::1]", "http://[::1]:3000", False),
    ],
)
def test_match_compares_parts(configured: str, text: str, granted: bool) -> None:
    """RFC 6454, section 5: the same triple; a subdomain pattern covers what is below it."""
    expected = text if granted else None
    assert origins(configured).match(text) == expected
    assert origins("https://other.example", configured, "https://*.other.example").match(text) == expected


def test_several_entries_for_one_host() -> None:
    both = origins("https://a.example", "https://a.example:8443", "https://*.a.example:1", "https://*.a.example:2")
    granted = ["https://a.example", "https://a.example:8443", "https://x.a.example:1", "https://x.a.example:2"]
    assert [both.match(text) for text in granted] == granted
    assert both.match("https://x.a.example") is None


def test_pattern_never_matches_an_address() -> None:
    """An address has no subdomains, even if a pattern over one got past validation."""
    over_addresses = [Pattern(Origin("http", base, ""), True) for base in ("3.4", "0.0.1", "1]")]
    for text in ("http://1.2.3.4", "http://127.0.0.1", "http://[::1]"):
        assert parse(text)
        assert Origins(over_addresses).match(text) is None


@settings(database=None, deadline=None, max_examples=200)
@given(st.ip_addresses(v=6))
@example(ipaddress.ip_address("::"))
@example(ipaddress.ip_address("1:0:0:2:0:0:3:4"))
@example(ipaddress.ip_address("1:0:0:2::4"))
@example(ipaddress.ip_address("0:1::2"))
@example(ipaddress.ip_address("1:2:3:4:5:6::"))
@example(ipaddress.ip_address("10:0:0:a0::100"))
def test_ipv6_is_written_as_the_url_standard_has_it(address: ipaddress.IPv6Address) -> None:
    """URL standard, IPv6 serializer: lower case, the first longest run of zeros compressed, no dots."""
    form = f"[{address.compressed}]"
    if address.ipv4_mapped is None or sys.version_info < (3, 13):
        assert cors_host.ipv6_form(address.exploded) == form
        assert cors_host.is_canonical(form)
    assert cors_host.ipv6_form(f"[{address.exploded.upper()}]") == cors_host.ipv6_form(form)


@pytest.mark.parametrize("text", ["[::g]", "[1:2]", "", "[::\0]", "[1::2::3]"])
def test_no_ipv6_form(text: str) -> None:
    assert cors_host.ipv6_form(text) is None


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("127.1", "127.0.0.1"),
        ("0x7f.1.", "127.0.0.1"),
        ("010.1", "8.0.0.1"),
        ("3232235777", "192.168.1.1"),
        ("1.2.3.256", None),
    ],
)
def test_ipv4_form(text: str, form: str | None) -> None:
    """URL standard, IPv4 parser."""
    assert cors_host.ipv4_form(text) == form


@pytest.mark.parametrize("host", ["localhost", "localhost.", "a.localhost", "127.0.0.1", "127.255.255.254", "[::1]"])
def test_loopback(host: str) -> None:
    """Secure Contexts, section 3.1: potentially trustworthy without encryption."""
    assert cors_host.is_loopback(host)


@pytest.mark.parametrize("host", ["alocalhost", "localhost.example", "127.example", "128.0.0.1", "[::2]", "[::7f00:1]"])
def test_not_loopback(host: str) -> None:
    assert not cors_host.is_loopback(host)
