"""The application sees the same request, whether lighttpd speaks HTTP or FastCGI, and nobody's word but lighttpd's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastcgi_kit import begin, params, replies, request, stdin, variables
from gateway_kit import Gateways, Server, connect, read_all
from hypothesis import given, settings
from hypothesis import strategies as st
from webpy_gateway import requestid
from webpy_gateway.forwarded import IDENTITY

ROLE = Path(__file__).resolve().parents[3] / "roles/webpy_gateway"
CLIENT = "192.0.2.7"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Gateways(tmp_path_factory.mktemp("shared"))
    yield made.serve()
    made.stop()


def by_http(server: Server, target: str, headers: dict[str, str], scheme: str = "http") -> dict[str, Any]:
    """What the application sees, and the gateway's id, of a request as mod_proxy passes it on."""
    lines = {"Host": "portal.example:8080", **headers}
    lines |= {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": scheme, "X-Forwarded-Host": "portal.example:8080"}
    lines |= {"X-Host": "portal.example:8080", "Connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    raw = server.raw(f"GET {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
    assert raw.startswith(b"HTTP/1.1 200 "), raw
    seen: dict[str, Any] = json.loads(raw.partition(b"\r\n\r\n")[2])
    return seen


def by_fastcgi(
    server: Server, target: str, headers: dict[str, str], scheme: str = "http", **more: str
) -> dict[str, Any]:
    """The same of a request as mod_fastcgi passes it on."""
    said = {"REMOTE_ADDR": CLIENT, "REQUEST_SCHEME": scheme, "HTTP_HOST": "portal.example:8080", **more}
    with connect(server.address) as connection:
        connection.sendall(request("GET", target, headers=headers, **said))
        (reply,) = replies(read_all(connection)).values()
    seen: dict[str, Any] = reply.answer().json()
    return seen


def same(seen: dict[str, Any], other: dict[str, Any]) -> None:
    for each in (seen, other):
        assert each["environ"].pop("HTTP_X_REQUEST_ID") == each["environ"].pop(requestid.KEY)
    differing = set(seen.pop("environ").items()) ^ set(other.pop("environ").items())
    assert differing == set()
    assert seen == other


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "target",
    ["/api/environ", "/api/environ?", "/api/environ?a=1&b=%20+%2F&&", "/api/%65nviron?x", "/api/environ??a=/../"],
)
def test_same_environ(server: Server, target: str, scheme: str) -> None:
    headers = {
        "Accept": "*/*, text/html;q=0.5",
        "Accept-Language": "de",
        "Cookie": "a=1; b=2",
        "X-Joined": "1, 2",
        "Authorization": "Basic eDp5",
        "Content-Type": "text/plain; charset=utf-8",
        "X-Latin": "Gr\xf6\xdfe",
        "Origin": "https://portal.example",
    }
    same(by_http(server, target, headers, scheme), by_fastcgi(server, target, headers, scheme))


TOKEN = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}(-[A-Za-z0-9]{1,8}){0,3}", fullmatch=True)
VALUE = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"), min_size=1, max_size=60
)
QUERY = st.text("abz019/?&=+%~", max_size=40)
OWN = {"host", "connection", "content-length", "transfer-encoding", "expect", "upgrade", "cookie", "x-request-id"}


@given(headers=st.dictionaries(TOKEN, VALUE, max_size=8), query=QUERY)
@settings(max_examples=200, deadline=None)
def test_same_environ_of_any_request(server: Server, headers: dict[str, str], query: str) -> None:
    once = {name.lower(): value for name, value in headers.items() if name.lower() not in OWN}
    target = f"/api/environ?{query}"
    same(by_http(server, target, once), by_fastcgi(server, target, once))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("length", [None, 0])
def test_same_length_of_no_body(server: Server, method: str, length: int | None) -> None:
    """lighttpd tells FastCGI a length of 0 where there is none; mod_proxy tells it for methods that may have bodies."""
    told = length is not None or method not in ("GET", "HEAD")
    line = "Content-Length: 0" if told else "X-None: 0"
    raw = server.raw(f"{method} /api/length HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{line}\r\n\r\n".encode())
    headers = {} if length is None else {"Content-Length": "0"}
    with connect(server.address) as connection:
        connection.sendall(request(method, "/api/length", headers=headers))
        (reply,) = replies(read_all(connection)).values()
    seen = {line for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n") if line.lower().startswith(b"x-length")}
    assert seen == {f"X-Length: {'0' if told else 'none'}".encode()}
    assert reply.answer().headers["x-length"] == ("0" if told else "none")


def test_normalised_target_counts(server: Server) -> None:
    """lighttpd's conditions look at the normalised URL, and mod_proxy passes that on."""
    seen = by_fastcgi(server, "/api/x/%2e%2e/environ?a=%41", {}, REDIRECT_URI="/api/environ?a=A")
    same(seen, by_http(server, "/api/environ?a=A", {}))


IDENTITIES = yaml.safe_load((ROLE / "vars/main/names.yml").read_text())["__webpy_gateway_identity_headers"]


def test_the_role_and_the_gateway_drop_the_same_headers() -> None:
    assert {"HTTP_" + name.upper().replace("-", "_") for name in IDENTITIES} == IDENTITY


@pytest.mark.parametrize("name", IDENTITIES)
def test_client_cannot_claim_an_identity(server: Server, name: str) -> None:
    for spelling in (name, name.replace("-", "_"), name.lower(), name.replace("-", ".")):
        seen = by_fastcgi(server, "/api/environ", {spelling: "6.6.6.6"})
        assert seen["ip"] == CLIENT
        assert "6.6.6.6" not in str(seen)


def test_forged_address_is_dropped_twice_over(server: Server) -> None:
    claims = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "X_Forwarded_Any": "6.6.6.6"}
    seen = by_fastcgi(server, "/api/environ", claims)
    assert (seen["ip"], seen["home"]) == (CLIENT, "http://portal.example:8080")
    assert "6.6.6.6" not in str(seen)


def test_what_the_web_server_says_of_its_files_is_left_out(server: Server) -> None:
    more = {"PATH_TRANSLATED": "/secret", "REMOTE_USER": "root", "SSL_CLIENT_S_DN": "x", "AUTH_TYPE": "Basic"}
    seen = by_fastcgi(server, "/api/environ", {}, **more, PATH_INFO="/evil", SCRIPT_NAME="/evil")
    same(seen, by_http(server, "/api/environ", {}))


def test_names_that_cgi_cannot_tell_apart_are_refused(server: Server) -> None:
    said = [*variables("GET", "/api/environ", {}, 0), ("HTTP_X_FOO", "dash"), ("HTTP_X_FOO", "underscore")]
    with connect(server.address) as connection:
        connection.sendall(begin() + params(said) + stdin())
        (reply,) = replies(read_all(connection)).values()
    assert reply.answer().status == 400
    assert "refused a malformed request reason=" in server.log()


@pytest.mark.parametrize("name", ["REQUEST_METHOD", "REQUEST_URI", "CONTENT_LENGTH", "REMOTE_ADDR", "HTTP_HOST"])
def test_nothing_is_said_twice(server: Server, name: str) -> None:
    said = variables("GET", "/api/environ", {}, 0)
    with connect(server.address) as connection:
        connection.sendall(begin() + params([*said, (name, dict(said)[name])]) + stdin())
        (reply,) = replies(read_all(connection)).values()
    assert reply.answer().status == 400


def test_host_is_checked(server: Server) -> None:
    with connect(server.address) as connection:
        connection.sendall(request("GET", "/api/environ", HTTP_HOST="a b"))
        (reply,) = replies(read_all(connection)).values()
    assert reply.answer().status == 400
