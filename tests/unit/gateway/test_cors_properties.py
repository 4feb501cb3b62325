"""What holds for every policy, every request and every application."""

import re
from typing import Any
from wsgiref.validate import validator

from cors_kit import BASE, PREFLIGHT_VARY, granted
from gateway_wsgi import Exchange
from hypothesis import given, settings
from hypothesis import strategies as st
from webpy_gateway import config, cors, pipeline
from webpy_gateway.problem import SetupError

BOUNDED = settings(database=None, deadline=None, max_examples=400)

GOOD = ["https://a.example", "http://localhost:8443", "https://*.a.example", "https://a.example:*", "http://[::1]"]
HOSTS = ["a.example", "a.example", "localhost", "[::1]", "example", "evil.test", "127.0.0.1", "a.example."]
PORTS = ["", "", "", ":8443", ":443", ":80", ":*", ":0", ":", "/", "\r\nX: y", ", https://a.example"]
ORIGINS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["https://", "https://", "http://", "HTTPS://", "ftp://", ""]),
    st.sampled_from(["", "", "", "x.", "x.y.", "x", "x..", ".", "*.", "u@", "X."]),
    st.sampled_from(HOSTS),
    st.sampled_from(PORTS),
)
HEADER_TEXT = st.text(st.characters(codec="latin-1"), max_size=30)
SENT_ORIGIN = st.one_of(
    ORIGINS, ORIGINS, st.sampled_from([*GOOD, " https://a.example\t", "null", "*"]), st.none(), HEADER_TEXT
)
NAMES = st.sampled_from(["X-A", "x-b", "Authorization", "Content-Type", "*"])
METHODS = st.sampled_from(["PUT", "PATCH", "patch", "DELETE", "*"])
TABLES = st.fixed_dictionaries(
    {"allowed_origins": st.one_of(st.lists(st.sampled_from(GOOD), min_size=1, unique=True), st.just(["*"]))},
    optional={
        "allow_credentials": st.booleans(),
        "allowed_methods": st.lists(METHODS, max_size=2, unique=True),
        "allowed_headers": st.lists(NAMES, max_size=2, unique=True),
        "exposed_headers": st.lists(st.sampled_from(["ETag", "X-A", "*"]), max_size=2, unique=True),
        "max_age": st.sampled_from([0, 1, 86_400]),
        "allow_insecure_origins_with_credentials": st.booleans(),
    },
)
OWN_HEADERS = st.lists(
    st.sampled_from(
        [
            ("Access-Control-Allow-Origin", "*"),
            ("access-control-allow-ORIGIN", "https://evil.test"),
            ("Access-Control-Allow-Credentials", "true"),
            ("Vary", "Origin"),
            ("vary", "Accept, *"),
            ("Vary", "accept-encoding"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
        ]
    )
)


def is_listed(entries: list[str], origin: str) -> bool:
    """The rule in other words: taken apart with other means."""
    if entries == ["*"]:
        return True
    parts = re.fullmatch(r"(https?)://(\[.*\]|[^:]*)(?::([1-9][0-9]*))?", origin)
    if not parts or re.search(r"\.\.|//\.|[^a-z0-9:/.\[\]-]", origin):
        return False
    scheme, host, port = parts.groups(default="")
    if (scheme, port) in (("https", "443"), ("http", "80")):
        return False
    for entry in entries:
        wanted_scheme, wanted_host, wanted_port = re.fullmatch(r"(.*)://(\[.*\]|[^:]*):?(.*)", entry).groups()  # type: ignore[union-attr]
        base = wanted_host[1:]
        same = host == wanted_host or (wanted_host[0] == "*" and host.endswith(base) and host != base)
        if same and scheme == wanted_scheme and wanted_port in ("*", port):
            return True
    return False


def application(own: list[tuple[str, str]], raises: bool) -> Any:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        if raises:
            raise ValueError
        start_response("200 OK", [("Content-Type", "text/plain"), *own])
        return [b"answer"]

    return app


@BOUNDED
@given(
    TABLES,
    SENT_ORIGIN,
    st.sampled_from(["GET", "POST", "OPTIONS"]),
    st.one_of(st.none(), METHODS, HEADER_TEXT),
    st.one_of(st.none(), st.lists(NAMES, max_size=3).map(",".join), HEADER_TEXT),
    OWN_HEADERS,
    st.booleans(),
)
def test_no_request_gets_more_than_its_policy(
    table: dict[str, Any],
    origin: str | None,
    method: str,
    asked_method: str | None,
    asked_headers: str | None,
    own: list[tuple[str, str]],
    raises: bool,
) -> None:
    sent = {
        "HTTP_ORIGIN": origin,
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": asked_method,
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": asked_headers,
    }
    environ = {name: value for name, value in sent.items() if value is not None}
    trimmed = (origin or "").strip(" \t")
    asks = bool(method == "OPTIONS" and trimmed and (asked_method or "").strip(" \t"))
    try:
        policy = config.parse({**BASE, "cors": table}).cors
    except SetupError:
        return  # no policy, nothing to serve
    app = validator(cors.layer(policy)(validator(application(own, raises))))
    exchange = Exchange(app, method=method, **environ)
    grant = granted(exchange)  # never a header twice
    entries, listed = table["allowed_origins"], is_listed(table["allowed_origins"], trimmed)
    assert grant.get("Allow-Origin") in (None, "*" if entries == ["*"] else trimmed)
    assert listed or not grant
    assert (grant.get("Allow-Credentials") == "true") is bool(grant and table.get("allow_credentials"))
    assert "*" not in grant.values() or not table.get("allow_credentials")
    varies = [value for name, value in exchange.headers if name.lower() == "vary"]
    if asks:
        assert exchange.status in (204, 403)
        assert bool(grant) is (exchange.status == 204)
        assert exchange.sent == b""
        assert varies == ([] if entries == ["*"] else [PREFLIGHT_VARY])
        assert set(grant) <= {"Allow-Origin", "Allow-Credentials", "Allow-Methods", "Allow-Headers", "Max-Age"}
    else:
        assert exchange.status == (500 if raises else 200)
        assert bool(grant) is listed
        assert set(grant) <= {"Allow-Origin", "Allow-Credentials", "Expose-Headers"}
        cookies = [header for header in exchange.headers if header[0] == "Set-Cookie"]
        assert raises or cookies == [header for header in own if header[0] == "Set-Cookie"]
        if entries != ["*"]:
            assert len(varies) == 1
            assert [member.strip().lower() for member in varies[0].split(",")].count("origin") == ("*" not in varies[0])


@BOUNDED
@given(SENT_ORIGIN, st.sampled_from(["GET", "OPTIONS", "HEAD"]), OWN_HEADERS, st.booleans())
def test_nobody_has_access_who_was_given_none(
    origin: str | None, method: str, own: list[tuple[str, str]], raises: bool
) -> None:
    chain = validator(pipeline.build(config.parse(BASE), "abc", "1", validator(application(own, raises))))
    environ = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT", **({} if origin is None else {"HTTP_ORIGIN": origin})}
    exchange = Exchange(chain, method=method, path="/api/x", **environ)
    assert granted(exchange) == {}
    assert exchange.status != 204
