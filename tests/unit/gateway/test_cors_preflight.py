"""Preflights: what is one, what is granted, and what a refusal looks like."""

import itertools
import time

import pytest
from cors_kit import ORIGIN, PORTAL, PREFLIGHT_VARY, ask, granted, layered, policy, preflight, unreached
from gateway_wsgi import hello
from webpy_gateway import log
from webpy_gateway.cors_policy import Policy, RefusedError

EVERYTHING = {
    "allowed_origins": [PORTAL, "https://*.example.net", "http://localhost:*"],
    "allow_credentials": True,
    "allowed_methods": ["PUT", "DELETE", "patch"],
    "allowed_headers": ["Content-Type", "X-CSRF-Token", "Authorization"],
    "exposed_headers": ["ETag"],
    "max_age": 600,
}


def test_granted() -> None:
    """Fetch, sections 3.3.3 and 4.8: 204, nothing else in it than what was asked for."""
    exchange = preflight(layered(unreached, **EVERYTHING), method="PUT", headers="content-type,x-csrf-token")
    assert (exchange.starts, exchange.sent) == (["204 No Content"], b"")
    assert exchange.headers == [
        (ORIGIN, PORTAL),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Methods", "PUT"),
        ("Access-Control-Allow-Headers", "content-type, x-csrf-token"),
        ("Access-Control-Max-Age", "600"),
        ("Vary", PREFLIGHT_VARY),
    ]


def test_least_that_is_granted() -> None:
    """Fetch, section 3.3.3: headers without meaning are not sent."""
    exchange = preflight(layered(unreached, allowed_origins=[PORTAL]))
    assert exchange.headers == [(ORIGIN, PORTAL), ("Access-Control-Allow-Methods", "GET"), ("Vary", PREFLIGHT_VARY)]


def test_granted_to_everyone() -> None:
    """Fetch, section 3.3.5: `*`; an answer that is the same for all origins varies with none."""
    everyone = layered(
        unreached, allowed_origins=["*"], allowed_methods=["*"], allowed_headers=["*"], exposed_headers=["*"], max_age=0
    )
    for origin in (PORTAL, "null", "https://a.example, https://b.example"):
        exchange = preflight(everyone, origin, "MKCOL", "x-a")
        assert exchange.status == 204
        assert exchange.headers == [
            (ORIGIN, "*"),
            ("Access-Control-Allow-Methods", "*"),
            ("Access-Control-Allow-Headers", "*"),
            ("Access-Control-Max-Age", "0"),
        ]


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (PORTAL, PORTAL),
        (f" \t{PORTAL}\t ", PORTAL),
        ("https://a.b.example.net", "https://a.b.example.net"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://example.net", None),
        ("https://portal.example.org:8443", None),
        ("https://portal.example.org.", None),
        ("https://PORTAL.example.org", None),
        ("https://*.example.net", None),
        ("http://localhost:*", None),
        ("null", None),
        ("*", None),
        (f"{PORTAL}, {PORTAL}", None),
        (f"{PORTAL} {PORTAL}", None),
        (f"{PORTAL}\r\nX: y", None),
        (f"\x0b{PORTAL}", None),
        (f"\xa0{PORTAL}", None),
        ("https://" + "a" * 100_000, None),
    ],
)
def test_origin_decides_first(origin: str, expected: str | None) -> None:
    """Fetch, section 3.2; RFC 6454, section 5: the parsed origin, or none."""
    exchange = preflight(layered(unreached, **EVERYTHING), origin)
    assert exchange.status == (204 if expected else 403)
    assert exchange.header(ORIGIN) == expected


@pytest.mark.parametrize(
    ("method", "allowed"),
    [
        ("GET", True),
        ("HEAD", True),
        ("POST", True),
        ("PUT", True),
        (" \tDELETE\t ", True),
        ("patch", True),
        ("PATCH", False),
        ("put", False),
        ("get", False),
        ("OPTIONS", False),
        ("PUT, DELETE", False),
        ("PUT DELETE", False),
        ("*", False),
        ("PU\xdcT", False),
        ("PUT\r\nX: y", False),
        ("\x0bPUT", False),
        ("\x0b", False),
    ],
)
def test_method_decides_next(method: str, allowed: bool) -> None:
    """Fetch, sections 2.2.1 and 4.8: safelisted methods need no entry, and case matters."""
    exchange = preflight(layered(unreached, **EVERYTHING), method=method)
    assert exchange.status == (204 if allowed else 403)
    assert exchange.header("Access-Control-Allow-Methods") == (method.strip(" \t") if allowed else None)


@pytest.mark.parametrize(("method", "allowed"), [("MKCOL", True), ("*", True), ("A B", False), ("A,B", False)])
def test_star_covers_every_method_that_is_one(method: str, allowed: bool) -> None:
    """Fetch, section 3.3.3; RFC 9110, section 5.6.2."""
    exchange = preflight(layered(unreached, allowed_origins=[PORTAL], allowed_methods=["*"]), method=method)
    assert exchange.status == (204 if allowed else 403)
    assert exchange.header("Access-Control-Allow-Methods") == ("*" if allowed else None)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (None, None),
        ("", None),
        (" ,\t, ", None),
        ("content-type", "content-type"),
        ("Content-TYPE", "Content-TYPE"),
        (" \tcontent-type , ,\tauthorization,", "content-type, authorization"),
        ("content-type,content-type", "content-type, content-type"),
        ("x-other", 403),
        ("content-type,x-other", 403),
        ("*", 403),
        ("accept", 403),
        ("content-type x-csrf-token", 403),
        ("content-type\r\nx: y", 403),
        ("content-type,\x0bauthorization", 403),
        ("content-type;authorization", 403),
    ],
)
def test_headers_decide_last(headers: str | None, expected: str | int | None) -> None:
    """Fetch, section 4.8: each name by itself, in any case; RFC 9110, section 5.6.1.2: empty members mean nothing."""
    exchange = preflight(layered(unreached, **EVERYTHING), headers=headers)
    assert exchange.status == (403 if expected == 403 else 204)
    assert exchange.header("Access-Control-Allow-Headers") == (None if expected == 403 else expected)


@pytest.mark.parametrize(
    ("configured", "headers", "expected"),
    [
        (["*"], "x-a,x-b", "*"),
        (["*"], None, None),
        (["*"], " , ", None),
        (["*"], "x-a,authorization", 403),
        (["*"], "Authorization", 403),
        (["*"], "x a", 403),
        (["*"], "x-a,\xe4", 403),
        (["*", "Authorization"], "x-a,AUTHORIZATION", "*, Authorization"),
        (["authorization", "*"], "x-a", "*, Authorization"),
        (["*", "Authorization"], "x a", 403),
        (["*", "Authorization"], None, None),
    ],
)
def test_star_never_covers_authorization(configured: list[str], headers: str | None, expected: str | int) -> None:
    """Fetch, section 2.2.2: CORS non-wildcard request-header name."""
    exchange = preflight(layered(unreached, allowed_origins=[PORTAL], allowed_headers=configured), headers=headers)
    assert exchange.status == (403 if expected == 403 else 204)
    assert exchange.header("Access-Control-Allow-Headers") == (None if expected == 403 else expected)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (",".join(["x-a"] * 64), 204),
        (",".join(["x-a"] * 64) + ",,,", 204),
        (",".join(["x-a"] * 65), 403),
        ("x-a" + "," * 2045, 204),
        ("x-a" + "," * 2046, 403),
        ("y" * 2048, 204),
        ("y" * 2049, 403),
    ],
)
def test_header_list_is_bounded(headers: str, status: int) -> None:
    exchange = preflight(
        layered(unreached, allowed_origins=[PORTAL], allowed_headers=["X-A", "y" * 2048]), headers=headers
    )
    assert exchange.status == status


def reason(**asked: str) -> tuple[str, str]:
    made = Policy(policy(allowed_origins=[PORTAL], allowed_headers=["X-A"]))
    environ = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET", **asked}
    with pytest.raises(RefusedError) as caught:
        made.preflight(environ, environ.pop("origin", PORTAL))
    assert str(caught.value) == caught.value.reason
    return caught.value.reason, caught.value.value


def test_reasons_come_in_order() -> None:
    """Origin, then method, then headers: the first that is wrong is the one that is told."""
    method = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
    headers = {"HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "x-b"}
    assert reason(origin="null", **method, **headers) == ("the origin is not allowed", "null")
    assert reason(**method, **headers) == ("the method is not allowed", "PUT")
    assert reason(HTTP_ACCESS_CONTROL_REQUEST_METHOD="P T", **headers) == ("the method is malformed", "P T")
    assert reason(**headers) == ("the header is not allowed", "x-b")
    assert reason(HTTP_ACCESS_CONTROL_REQUEST_HEADERS="x-a, x b") == ("a header's name is malformed", "x b")
    many = ",".join(["x-a"] * 65)
    assert reason(HTTP_ACCESS_CONTROL_REQUEST_HEADERS=many) == ("too many headers", many)
    long = "," * 2049
    assert reason(HTTP_ACCESS_CONTROL_REQUEST_HEADERS=long) == ("the list of headers is too long", long)


@pytest.mark.parametrize("table", [{}, EVERYTHING])
@pytest.mark.parametrize("origin", ["https://other.example", "null"])
def test_refusal_says_nothing(table: dict[str, object], origin: str) -> None:
    """403 without a body and without any Access-Control header; RFC 9110, section 12.5.5 for Vary."""
    exchange = preflight(layered(unreached, **table), origin, "PUT", "x-a")
    assert (exchange.starts, exchange.sent) == (["403 Forbidden"], b"")
    assert exchange.headers == [("Content-Type", "text/plain"), ("Content-Length", "0"), ("Vary", PREFLIGHT_VARY)]


def test_refusal_to_everyone_varies_with_nothing() -> None:
    exchange = preflight(layered(unreached, allowed_origins=["*"]), method="PUT")
    assert exchange.status == 403
    assert [name for name, _ in exchange.headers] == ["Content-Type", "Content-Length"]


def test_off_means_no_access() -> None:
    assert preflight(layered(unreached)).status == 403
    assert preflight(layered(unreached, allow_credentials=True, max_age=5)).status == 403


@pytest.mark.parametrize(
    ("origin", "method"), [(None, "PUT"), ("", "PUT"), (" \t", "PUT"), (PORTAL, None), (PORTAL, ""), (PORTAL, " \t ")]
)
def test_options_that_is_no_preflight_reaches_the_application(origin: str | None, method: str | None) -> None:
    """Fetch, section 3.3.2: a CORS-preflight request has both headers."""
    assert preflight(layered(**EVERYTHING), origin, method).sent == b"hello"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "options", "Options", "X"])
def test_other_methods_are_no_preflight(method: str) -> None:
    """RFC 9110, section 9.1: methods are case-sensitive."""
    exchange = ask(layered(**EVERYTHING), "https://other.example", method, HTTP_ACCESS_CONTROL_REQUEST_METHOD="PUT")
    assert exchange.sent == b"hello"


def test_private_network_is_ignored() -> None:
    """Private Network Access was given up; browsers ask their user instead."""
    exchange = preflight(layered(unreached, **EVERYTHING), HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK="true")
    assert set(granted(exchange)) == {"Allow-Origin", "Allow-Credentials", "Allow-Methods", "Max-Age"}


def test_no_other_header_is_consulted() -> None:
    """Fetch, section 3.2: the origin is in Origin."""
    names = ("HTTP_REFERER", "HTTP_HOST", "HTTP_X_ORIGIN", "HTTP_X_FORWARDED_HOST", "HTTP_ACCESS_CONTROL_ORIGIN")
    exchange = preflight(layered(unreached, **EVERYTHING), "https://other.example", **dict.fromkeys(names, PORTAL))
    assert exchange.status == 403
    assert not granted(ask(layered(**EVERYTHING), None, **dict.fromkeys(names, PORTAL)))


def test_refusals_are_logged_escaped_and_rarely(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.chain([100.0, 101.0, 109.9, 110.0], itertools.repeat(110.1))
    monkeypatch.setattr(log.time, "monotonic", lambda: next(clock))
    app = layered(unreached, **EVERYTHING)
    for _ in range(6):
        preflight(app, "https://evil.example\nready: forged\x1b[31m", headers="x" * 5000)
    preflight(layered(unreached, **EVERYTHING), method="PUT", headers="x-\x1b" + "y" * 5000)
    first, second, other = capfd.readouterr().err.splitlines()
    value = r"'https://evil.example\nready: forged\x1b[31m'"
    assert first == f"preflight refused: the origin is not allowed value={value} origin={value}"
    assert second == first + " left_out=2"
    assert other.startswith("preflight refused: the list of headers is too long value='x-\\x1by")
    assert other.endswith(f" origin={PORTAL}")
    assert len(other) < 400


def test_granted_preflights_are_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    preflight(layered(unreached, **EVERYTHING))
    ask(layered(hello, **EVERYTHING), "https://other.example")
    assert capfd.readouterr().err == ""


def test_cost_stays_flat_under_abuse() -> None:
    """Ten thousand origins, and the longest headers that get through, cost about as much as an ordinary preflight."""
    many = [f"https://{i}.example" for i in range(0x10000, 0x10000 + 10_000)]
    large, small = layered(unreached, allowed_origins=many), layered(unreached, allowed_origins=[PORTAL])
    deep = "https://" + "a." * 120 + "example"

    def seconds(app: object, origin: str, headers: str) -> float:
        began = time.process_time()
        for _ in range(50):
            assert preflight(app, origin, "GET", headers).status == 403
        return time.process_time() - began

    ordinary = min(seconds(small, PORTAL, "x-a") for _ in range(3))
    for origin, headers in (
        (deep, "x"),
        (many[0][:-1], "x"),
        ("https://" + "a" * 60_000, "x"),
        (many[-1], "," * 60_000),
    ):
        assert min(seconds(large, origin, headers) for _ in range(3)) < 5 * ordinary + 0.05


def test_what_is_remembered_is_bounded() -> None:
    """A stranger can neither fill the memory with origins nor with one of them."""
    made = Policy(policy(allowed_origins=["https://*.example.org"]))

    def remembered(origin: str) -> int:
        made.grant(origin)
        return int(made._remembered.cache_info().currsize)

    assert [remembered(text) for text in ("", "x" * 271, "x", "x" * 270)] == [0, 0, 1, 2]
    for number in range(2000):
        assert made.grant(f"https://a{number}.example.org")
    assert remembered("x") == 1024
