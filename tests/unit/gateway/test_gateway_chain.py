"""The whole chain under the eyes of wsgiref.validate."""

from ipaddress import ip_address
from typing import Any
from wsgiref.validate import validator

import pytest
from gateway_wsgi import App, Chunks, Exchange, echo, generator_failing_first, hello, sleeping, started_then_failing
from hypothesis import given, settings
from hypothesis import strategies as st
from webpy_gateway import forwarded, pipeline
from webpy_gateway.config import Config


@pytest.mark.parametrize(
    "app", [hello, started_then_failing, generator_failing_first, sleeping, echo, Chunks(b"a", b"", b"b").app]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/x", "/other", "/api/_health"])
def test_chain_follows_the_rules(app: App, method: str, path: str) -> None:
    config = Config(name="a", application="a:a", url_prefix="/api/", strip_prefix=True, request_timeout=0.02)
    inner: Any = app if app is echo else validator(app)
    chain = validator(pipeline.build(config, "abc", "1", inner))
    data = b"12345" if method == "POST" else b""
    environ = {"HTTP_X_FORWARDED_FOR": "192.0.2.1", "HTTP_HOST": "a:81"}
    if app is echo and method != "POST":
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    Exchange(chain, method=method, path=path, data=data, **environ)


NAMES = {*forwarded.IDENTITY, "HTTP_X_FORWARDED_SERVER", "HTTP_HOST", "HTTPS"}
HEADER = st.sampled_from(sorted(NAMES))
VALUE = st.one_of(
    st.sampled_from(["192.0.2.1", "6.6.6.6, ::1", "https", "a.example:81", "on", "for=1.2.3.4"]),
    st.binary(max_size=20).map(lambda data: data.decode("latin-1")),
)


@settings(database=None, deadline=None)
@given(st.dictionaries(HEADER, VALUE))
def test_no_header_makes_the_application_see_a_lie(headers: dict[str, str]) -> None:
    seen: dict[str, Any] = {}

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.update(environ)
        return hello(environ, start_response)

    config = Config(name="a", application="a:a", url_prefix="/")
    exchange = Exchange(pipeline.build(config, "abc", "1", app), REMOTE_ADDR="127.0.0.1", **headers)
    assert exchange.status in (200, 400)
    if exchange.status == 200:
        assert not seen.keys() & set(forwarded.IDENTITY)
        assert not any(key.startswith("HTTP_X_FORWARDED_") for key in seen)
        assert ip_address(seen["REMOTE_ADDR"])
        assert (seen.get("HTTPS") == "on") is (seen["wsgi.url_scheme"] == "https")
