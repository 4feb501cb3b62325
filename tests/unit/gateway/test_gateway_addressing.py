"""Who asks for what: proxy headers, the health address and the URL prefix."""

import pytest
from gateway_wsgi import Exchange, environ_after, failing, hello
from webpy_gateway import forwarded, health, prefix, steps

FORWARDED = steps.layer(forwarded.step)


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("6.6.6.6, 192.0.2.7", "192.0.2.7"),
        ("6.6.6.6,192.0.2.7 ", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("", "127.0.0.1"),
        ("unknown", "127.0.0.1"),
        ("192.0.2.7,", "127.0.0.1"),
        ("192.0.2.999", "127.0.0.1"),
        ("192.0.2.7\0", "127.0.0.1"),
        ("<script>", "127.0.0.1"),
    ],
)
def test_address_is_what_the_proxy_said_last(header: str, address: str) -> None:
    environ = environ_after(FORWARDED, HTTP_X_FORWARDED_FOR=header, REMOTE_ADDR="127.0.0.1", REMOTE_PORT="5")
    assert environ["REMOTE_ADDR"] == address
    assert "REMOTE_PORT" not in environ


@pytest.mark.parametrize(
    ("header", "scheme"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        ("http", "http"),
        ("", "http"),
        ("https,http", "http"),
        ("javascript", "http"),
    ],
)
def test_scheme(header: str, scheme: str) -> None:
    environ = environ_after(FORWARDED, HTTP_X_FORWARDED_PROTO=header, HTTPS="on", HTTP_HOST="a")
    assert environ["wsgi.url_scheme"] == scheme
    assert environ.get("HTTPS") == ("on" if scheme == "https" else None)
    assert environ["SERVER_PORT"] == {"http": "80", "https": "443"}[scheme]


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [
        ("example.org", "example.org", "80"),
        ("example.org:8080", "example.org", "8080"),
        ("[::1]:81", "[::1]", "81"),
        ("[::1]", "[::1]", "80"),
        ("", "there", "1"),
    ],
)
def test_server_name_comes_from_host(host: str, name: str, port: str) -> None:
    environ = environ_after(FORWARDED, HTTP_HOST=host, SERVER_NAME="there", SERVER_PORT="1")
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == (name, port)


@pytest.mark.parametrize("host", ["a b", "a/b", "a:b", "a@b", "a:123456", "[::1", "ä", "a,b", "a\n"])
def test_bad_host_is_refused(host: str) -> None:
    exchange = Exchange(FORWARDED(hello), HTTP_HOST=host)
    assert (exchange.status, b"bad Host header" in exchange.sent) == (400, True)


def test_nothing_else_speaks_of_address_or_host() -> None:
    names = "X_FORWARDED_HOST X_FORWARDED_SERVER X_FORWARDED_PREFIX X_HOST FORWARDED X_REAL_IP X_CLIENT_IP PROXY"
    environ = environ_after(FORWARDED, **{f"HTTP_{name}": "forged" for name in names.split()})
    assert "forged" not in environ.values()


HEALTH = steps.layer(health.step("/api/", "abc", "2"))


def test_health_never_reaches_the_application() -> None:
    exchange = Exchange(HEALTH(failing(AssertionError())), path="/api/_health")
    assert (exchange.status, exchange.sent) == (200, b'{"status": "ok", "release": "abc", "worker": "2"}\n')
    assert exchange.header("Cache-Control") == "no-store"
    assert exchange.header("Content-Type") == "application/json"


def test_health_head_has_the_length_and_no_body() -> None:
    exchange = Exchange(HEALTH(failing(AssertionError())), method="HEAD", path="/api/_health")
    assert (exchange.status, exchange.sent, exchange.header("Content-Length")) == (200, b"", "50")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
def test_health_with_another_method(method: str) -> None:
    exchange = Exchange(HEALTH(failing(AssertionError())), method=method, path="/api/_health")
    assert (exchange.status, exchange.header("Allow")) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/api/_health/", "/api/_healthy", "/_health", "/api//_health"])
def test_other_paths_are_no_health(path: str) -> None:
    assert Exchange(HEALTH(hello), path=path).sent == b"hello"


@pytest.mark.parametrize(
    ("url_prefix", "strip", "path", "seen"),
    [
        ("/api/", False, "/api/notes", ("", "/api/notes")),
        ("/api/", True, "/api/notes", ("/api", "/notes")),
        ("/api/", True, "/api/", ("/api", "/")),
        ("/a/b/", True, "/a/b/c/d", ("/a/b", "/c/d")),
        ("/", True, "/notes", ("", "/notes")),
        ("/", False, "/notes", ("", "/notes")),
    ],
)
def test_prefix(url_prefix: str, strip: bool, path: str, seen: tuple[str, str]) -> None:
    environ = environ_after(steps.layer(prefix.step(url_prefix, strip=strip)), path=path)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == seen


@pytest.mark.parametrize("path", ["/", "", "/api", "/apix/", "/API/notes", "//api/", "/x/api/"])
def test_outside_of_the_prefix(path: str) -> None:
    exchange = Exchange(steps.layer(prefix.step("/api/", strip=False))(failing(AssertionError())), path=path)
    assert exchange.status == 404
    assert b'"error": "not found"' in exchange.sent
