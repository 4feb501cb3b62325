"""JSONP: where it is on, what becomes a script, and who may load it."""

import json
import re
from typing import Any
from urllib.parse import quote
from wsgiref.validate import validator

import pytest
from cors_kit import BASE, PORTAL, granted
from gateway_wsgi import App, Chunks, Exchange, failing, hello
from hypothesis import given, settings
from hypothesis import strategies as st
from webpy_gateway import config, jsonp, jsonp_config, pipeline, requestid
from webpy_gateway.jsonp_config import Jsonp
from webpy_gateway.problem import Problem, SetupError

ROUTE = "/api/status"
JSON = [("Content-Type", "application/json")]
SCRIPT = [("Content-Type", "application/javascript; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]
BODY = b'{"status": "ok"}'


def answering(*chunks: bytes, headers: Any = JSON, status: str = "200 OK") -> App:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, list(headers))
        return list(chunks)

    return app


def ask(
    app: Any, query: str = "callback=cb", path: str = ROUTE, routes: tuple[str, ...] = (ROUTE,), **more: Any
) -> Exchange:
    return Exchange(jsonp.layer(Jsonp(routes=routes))(app), path=path, QUERY_STRING=query, **more)


def test_json_becomes_a_script() -> None:
    exchange = ask(answering(BODY))
    assert (exchange.status, exchange.sent) == (200, b'/**/cb({"status": "ok"});')
    assert exchange.headers == SCRIPT


def test_headers_of_the_json_are_replaced() -> None:
    own = [
        ("X-A", "1"),
        ("CONTENT-LENGTH", "16"),
        ("content-type", "application/json"),
        ("x-content-type-options", "no"),
    ]
    assert ask(answering(BODY, headers=[*own, ("ETag", "x")])).headers == [("X-A", "1"), ("ETag", "x"), *SCRIPT]


@pytest.mark.parametrize("result", [[b"[1", b"]"], (b"[1", b"]")])
def test_whole_answers_stay_whole(result: Any) -> None:
    def app(_environ: Any, start_response: Any) -> Any:
        start_response("200 OK", list(JSON))
        return result

    environ = {"PATH_INFO": ROUTE, "REQUEST_METHOD": "GET", "QUERY_STRING": "callback=cb"}
    assert jsonp.layer(Jsonp(routes=(ROUTE,)))(app)(environ, lambda *_: None) == [b"/**/cb([1]);"]


@pytest.mark.parametrize(
    ("path", "query"), [(ROUTE, {}), (ROUTE, {"QUERY_STRING": "x"}), ("/x", {"QUERY_STRING": "callback=cb"})]
)
def test_other_requests_pass_untouched(path: str, query: dict[str, str]) -> None:
    seen: list[Any] = []
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", **query}
    app = jsonp.layer(Jsonp(routes=(ROUTE,)))(lambda *arguments: seen.extend(arguments) or [])
    app(environ, ask)
    assert seen[0] is environ
    assert seen[1] is ask


def test_off_means_that_callback_is_ignored() -> None:
    app = answering(BODY)
    assert jsonp.layer(Jsonp())(app) is app
    chain = pipeline.build(config.parse(BASE), "abc", "1", app)
    assert Exchange(chain, path=ROUTE, QUERY_STRING="callback=1").sent == BODY


@pytest.mark.parametrize(
    "path", ["/api/other", "/api/status/", "/api/Status", "/api/statusx", "/api", "", "/api/status\n"]
)
def test_listed_paths_only(path: str) -> None:
    assert ask(answering(BODY), path=path).sent == BODY


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "OPTIONS", "get"])
def test_get_only(method: str) -> None:
    exchange = ask(answering(BODY), "callback=(", method=method)
    assert (exchange.sent, exchange.headers) == (BODY, JSON)


@pytest.mark.parametrize("query", ["", "x=1", "callbacks=cb", "Callback=cb", "callback", "xcallback=cb&y"])
def test_without_callback_it_is_json(query: str) -> None:
    exchange = ask(answering(BODY), query)
    if query == "callback":
        assert exchange.status == 400
    else:
        assert (exchange.sent, exchange.headers) == (BODY, JSON)


@pytest.mark.parametrize(
    "callback",
    ["cb", "_", "$", "a1", "jQuery3_1.cb", "a.b.c", "x.delete", "classy", "A" * 64, "a." + "b" * 62, "$.$", "_0"],
)
def test_good_callback(callback: str) -> None:
    """ECMA-262, section 12.7: identifiers, joined by dots."""
    assert ask(answering(b"1"), f"x=1&callback={callback}&y").sent == f"/**/{callback}(1);".encode()


def test_callback_may_be_escaped() -> None:
    assert ask(answering(b"1"), "c%61llback=a%2Eb%24").sent == b"/**/a.b$(1);"


@pytest.mark.parametrize(
    "callback",
    [
        "",
        "1a",
        "a-b",
        "a.",
        ".a",
        "a..b",
        "a.1",
        "a[0]",
        "a()",
        "alert(1)//",
        "a;b",
        "a+b",
        "a%20b",
        "a%0a",
        "%0aa",
        "a%00",
        "<script>",
        "a%ef%bc%a1",
        "%c3%a4",
        "a\xe4",
        "a/**/",
        "a%2Cb",
        "A" * 65,
        "a." * 32 + "b",
        "function",
        "if",
        "while",
        "this.cb",
        "null",
        "eval",
    ],
)
def test_bad_callback(callback: str) -> None:
    """At most 64 ASCII characters, and nothing that could be another piece of script."""

    def unreached(_environ: Any, _start_response: Any) -> list[bytes]:
        raise AssertionError

    exchange = ask(unreached, f"callback={callback}")
    assert (exchange.status, exchange.header("Content-Type")) == (400, "application/json")
    error = "callback must be dotted identifiers of at most 64 ASCII characters"
    assert json.loads(exchange.sent) == {"error": error, "request_id": exchange.environ[requestid.KEY]}


def test_two_callbacks_are_none() -> None:
    assert ask(answering(BODY), "callback=a&callback=a").status == 400


@pytest.mark.parametrize(
    "destination", ["empty", "document", "iframe", "image", "Script", "", "script, script", "worker"]
)
def test_only_script_elements_load_scripts(destination: str) -> None:
    """Fetch Metadata, section 2.1."""
    exchange = ask(answering(BODY), HTTP_SEC_FETCH_DEST=destination)
    assert (exchange.status, exchange.header("Content-Type")) == (403, "application/json")
    assert json.loads(exchange.sent)["error"] == "JSONP is for scripts only"
    assert ask(answering(BODY), "", HTTP_SEC_FETCH_DEST=destination).sent == BODY


def test_script_element_loads_script() -> None:
    assert ask(answering(BODY), HTTP_SEC_FETCH_DEST="script").headers == SCRIPT


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON",
        " application/json ",
        "application/json;charset=utf-8",
        "application/json ; charset=utf-8",
        "text/json",
        "application/problem+json",
        "application/vnd.api+json; x=y",
    ],
)
def test_every_json_is_wrapped(kind: str) -> None:
    """MIME Sniffing, section 4.6: JSON MIME type."""
    assert ask(answering(BODY, headers=[("content-TYPE", kind)])).headers == SCRIPT


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Content-Type", "")],
        [("Content-Type", "text/html")],
        [("Content-Type", "text/html; x=application/json")],
        [("Content-Type", "application/jsonx")],
        [("Content-Type", "application/json, text/html")],
        [("Content-Type", "application/json-seq")],
        [("Content-Type", "+json")],
        [("Content-Type", "a/b/c+json")],
        [("Content-Type", "text/event-stream")],
        [("X-Content-Type", "application/json")],
        [*JSON, ("Content-Encoding", "gzip")],
    ],
)
def test_nothing_but_json_is_wrapped(headers: list[tuple[str, str]]) -> None:
    for app in (answering(BODY, headers=headers), streaming(BODY, headers=headers)):
        exchange = ask(app)
        assert (exchange.sent, exchange.headers) == (BODY, headers)


def test_identity_is_no_coding() -> None:
    assert ask(answering(BODY, headers=[*JSON, ("Content-Encoding", "Identity")])).sent.startswith(b"/**/")


@pytest.mark.parametrize("status", ["204 No Content", "205 Reset Content", "304 Not Modified"])
def test_answers_without_body_stay_so(status: str) -> None:
    """RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5."""
    exchange = ask(answering(status=status))
    assert (exchange.sent, exchange.headers) == (b"", JSON)


@pytest.mark.parametrize("status", ["404 Not Found", "500 Internal Server Error", "201 Created"])
def test_errors_are_wrapped_too(status: str) -> None:
    exchange = ask(answering(BODY, status=status))
    assert (exchange.starts, exchange.sent) == ([status], b"/**/cb(" + BODY + b");")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ('"a\u2028b"', b'"a\\u2028b"'),
        ('"a\u2029b"', b'"a\\u2029b"'),
        ('"\u2028\u2028\u2029"', b'"\\u2028\\u2028\\u2029"'),
        ('"</script>"', b'"<\\/script>"'),
        ('"<</ <!-- </"', b'"<<\\/ <!-- <\\/"'),
        ('"\u2027\u202a\xe2 <"', '"\u2027\u202a\xe2 <"'.encode()),
    ],
)
def test_escapes(text: str, escaped: bytes) -> None:
    """ECMA-262, section 12.3 (line terminators); HTML, section 4.12.1.3 (restrictions of script contents)."""
    expected = b"/**/cb(" + escaped + b");"
    body = text.encode()
    assert ask(answering(body)).sent == expected
    assert json.loads(escaped) == json.loads(text)
    for place in range(len(body)):
        pieces = (body[:place], b"", body[place:])
        assert ask(answering(*pieces)).sent == expected
        assert ask(streaming(*pieces)).sent == expected
    single = [bytes([byte]) for byte in body]
    assert ask(streaming(*single)).sent == ask(writing(*single)).sent == expected


def streaming(*chunks: bytes | BaseException, headers: Any = JSON) -> App:
    def app(_environ: Any, start_response: Any) -> Any:
        start_response("200 OK", list(headers))
        return Chunks(*chunks)

    return app


def writing(*chunks: bytes) -> App:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", list(JSON))
        for chunk in chunks[:-1]:
            write(chunk)
        return [chunks[-1]]

    return app


@pytest.mark.parametrize("tail", [b"<", b"\xe2", b"\xe2\x80"])
def test_half_a_sequence_at_the_end_is_not_lost(tail: bytes) -> None:
    assert ask(streaming(b"1", tail)).sent == b"/**/cb(1" + tail + b");"


@pytest.mark.parametrize("app", [answering(), answering(b""), streaming(), streaming(b"", b"")])
def test_empty_json(app: App) -> None:
    assert ask(app).sent == b"/**/cb();"


def test_stream_goes_out_piece_by_piece() -> None:
    result = jsonp.layer(Jsonp(routes=(ROUTE,)))(streaming(b"[1", b",2]"))(
        {"PATH_INFO": ROUTE, "REQUEST_METHOD": "GET", "QUERY_STRING": "callback=cb"}, lambda *_: lambda _: None
    )
    assert list(result) == [b"/**/cb([1", b",2]", b");"]


def test_iterable_is_closed_once() -> None:
    for chunks in (Chunks(b"1"), Chunks()):
        exchange = ask(chunks.app)
        assert (chunks.closed, exchange.status) == (1, 200)
    chunks = Chunks(b"1", ValueError("late"))
    with pytest.raises(ValueError, match="late"):
        ask(chunks.app)
    assert chunks.closed == 1


def test_tuple_is_a_whole_answer_too() -> None:
    def app(_environ: Any, start_response: Any) -> tuple[bytes, ...]:
        start_response("200 OK", list(JSON))
        return (b"[1,", b"2]")

    assert ask(app).sent == b"/**/cb([1,2]);"


@pytest.mark.parametrize(("second", "sent"), [(JSON, b"/**/cb(2);"), ([("Content-Type", "text/plain")], b"2")])
def test_second_start_decides_anew(second: list[tuple[str, str]], sent: bytes) -> None:
    """PEP 3333: exc_info replaces an answer of which nothing is out."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", list(JSON))
        try:
            raise ValueError
        except ValueError as error:
            start_response("500 Oops", list(second), (ValueError, error, error.__traceback__))
        return [b"2"]

    exchange = ask(app)
    assert (exchange.starts, exchange.sent) == (["200 OK", "500 Oops"], sent)


def test_answer_is_nobodys_own() -> None:
    """A script element sends cookies of its own accord, to anybody's page: what it loads must not depend on them."""
    sent = {
        "HTTP_COOKIE": "session=1",
        "HTTP_AUTHORIZATION": "Bearer x",
        "HTTP_RANGE": "bytes=0-1",
        "HTTP_IF_RANGE": '"x"',
        "HTTP_ACCEPT_ENCODING": "gzip",
    }
    assert not ask(answering(BODY), **sent).environ.keys() & sent.keys()
    assert ask(answering(BODY), "", **sent).environ.keys() >= sent.keys()
    assert ask(answering(BODY), path="/api/other", **sent).environ.keys() >= sent.keys()
    assert ask(answering(BODY), HTTP_IF_NONE_MATCH="x", HTTP_ACCEPT="y").environ.keys() >= {
        "HTTP_IF_NONE_MATCH",
        "HTTP_ACCEPT",
    }


def test_in_the_chain() -> None:
    """Errors of the gateway are wrapped, and carry the grant; refused callbacks too."""
    settings = config.parse({**BASE, "cors": {"allowed_origins": [PORTAL]}, "jsonp": {"routes": [ROUTE]}})
    chain = validator(pipeline.build(settings, "abc", "1", validator(failing(ValueError()))))
    exchange = Exchange(chain, path=ROUTE, QUERY_STRING="callback=cb", HTTP_ORIGIN=PORTAL)
    identity = exchange.environ[requestid.KEY]
    assert exchange.status == 500
    assert exchange.sent.decode() == f'/**/cb({{"error": "internal server error", "request_id": "{identity}"}}\n);'
    assert granted(exchange) == {"Allow-Origin": PORTAL}
    refused = Exchange(chain, path=ROUTE, QUERY_STRING="callback=(", HTTP_ORIGIN=PORTAL)
    assert (refused.status, granted(refused)) == (400, {"Allow-Origin": PORTAL})


def problems(table: Any, **more: Any) -> list[tuple[str, object, str]]:
    with pytest.raises(SetupError) as caught:
        config.parse({**BASE, "jsonp": table, **more})
    found: tuple[Problem, ...] = caught.value.problems
    assert all(str(problem).isprintable() and problem.remedy for problem in found)
    return [(problem.key, problem.value, problem.reason) for problem in found]


def test_routes() -> None:
    for routes in ([], [ROUTE], ["/api/a/B.json", "/api/", "/api/a;b=c:@!$&'()+,~_-/"]):
        assert config.parse({**BASE, "jsonp": {"routes": routes}}).jsonp.routes == tuple(routes)
    assert config.parse({**BASE, "jsonp": {}}).jsonp == config.parse(BASE).jsonp == Jsonp()


@pytest.mark.parametrize(
    ("route", "reason"),
    [
        (5, "is an integer, not a string"),
        ("/api/a b", "is not one path"),
        ("/api/*", "is not one path"),
        ("/api/a?x", "is not one path"),
        ("/api/a#x", "is not one path"),
        ("/api/%61", "is not one path"),
        ("/api/ä", "is not one path"),
        ("/api/a\n", "is not one path"),
        ("/api//a", "has an empty or relative part"),
        ("/api/./a", "has an empty or relative part"),
        ("/api/..", "has an empty or relative part"),
        ("/other/a", "is not below url_prefix, '/api/'"),
        ("/api", "is not below url_prefix, '/api/'"),
    ],
)
def test_bad_route(route: object, reason: str) -> None:
    """RFC 3986, section 3.3."""
    assert problems({"routes": [ROUTE, route]}) == [("jsonp.routes[1]", route, reason)]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            {"routes": ["/a b"]},
            "jsonp.routes[0]: '/a b': is not one path; write all of it without query, like \"/webpy_api/status\"",
        ),
        (
            {"routes": ["//a"]},
            "jsonp.routes[0]: '//a': has an empty or relative part; write names between single slashes",
        ),
        ({"routes": ["/a", "/a"]}, "jsonp.routes[1]: '/a': repeats routes[0]; remove it"),
        (
            {"routes": "/a"},
            "jsonp.routes: '/a': is a string, not a list of strings; write for example [\"/webpy_api/status\"]",
        ),
        ({"route": 5}, "jsonp.route: 5: unknown setting; remove it; known is routes"),
    ],
)
def test_words(table: Any, said: str) -> None:
    with pytest.raises(SetupError) as caught:
        jsonp_config.parse(table)
    assert str(caught.value) == said


def test_words_for_no_table() -> None:
    with pytest.raises(
        SetupError, match=r"^jsonp: 5: is an integer, not a table; write \[jsonp\] and routes below it$"
    ):
        config.parse({**BASE, "jsonp": 5})


def test_route_that_is_bad_in_two_ways() -> None:
    assert [reason for *_, reason in problems({"routes": ["https://a.example/x?"]})] == [
        "is not one path",
        "is not below url_prefix, '/api/'",
    ]


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ([ROUTE], [("jsonp", [ROUTE], "is a list, not a table")]),
        (True, [("jsonp", True, "is a boolean, not a table")]),
        ({"routes": ROUTE}, [("jsonp.routes", ROUTE, "is a string, not a list of strings")]),
        ({"routes": [ROUTE, ROUTE]}, [("jsonp.routes[1]", ROUTE, "repeats routes[0]")]),
        ({"route": [ROUTE], "routes": "x"}, [
            ("jsonp.route", [ROUTE], "unknown setting"),
            ("jsonp.routes", "x", "is a string, not a list of strings"),
        ]),
    ],
)  # fmt: skip
def test_bad_table(table: Any, found: list[tuple[str, object, str]]) -> None:
    assert problems(table) == found


def test_not_together_with_credentials() -> None:
    cors = {"allowed_origins": [PORTAL], "allow_credentials": True}
    with pytest.raises(SetupError, match=r"; remove one of the two$"):
        config.parse({**BASE, "jsonp": {"routes": [ROUTE]}, "cors": cors})
    with pytest.raises(SetupError, match=r"; write the whole path, as a browser sees it$"):
        config.parse({**BASE, "jsonp": {"routes": ["/other"]}})
    ((key, value, reason),) = problems({"routes": [ROUTE]}, cors=cors)
    assert (key, value) == ("jsonp.routes", [ROUTE])
    assert reason.startswith("cannot be together with cors.allow_credentials")
    assert config.parse({**BASE, "jsonp": {"routes": []}, "cors": cors})
    assert config.parse({**BASE, "jsonp": {"routes": [ROUTE]}, "cors": {**cors, "allow_credentials": False}})
    assert len(problems({"routes": [ROUTE]}, cors={**cors, "max_age": -1})) == 2


def test_clashes_are_looked_for_in_any_configuration() -> None:
    assert problems({"routes": [ROUTE, 5]}, cors="x", url_prefix=5) == [
        ("url_prefix", 5, "is an integer, not a string"),
        ("cors", "x", "is a string, not a table"),
        ("jsonp.routes[1]", 5, "is an integer, not a string"),
    ]
    assert [key for key, *_ in problems([ROUTE], cors={"allow_credentials": True})] == ["jsonp"]


@settings(database=None, deadline=None, max_examples=200)
@given(
    st.one_of(st.text(max_size=70), st.text("ab.$_1", max_size=8)),
    st.lists(st.binary(max_size=4), max_size=4),
    st.booleans(),
)
def test_nothing_of_a_callback_but_identifiers_comes_back(callback: str, chunks: list[bytes], stream: bool) -> None:
    app = validator((streaming if stream else answering)(*chunks))
    wrapped = validator(jsonp.layer(Jsonp(routes=(ROUTE,)))(app))
    exchange = Exchange(wrapped, path=ROUTE, QUERY_STRING="callback=" + quote(callback, safe=""))
    if exchange.status == 200:
        assert re.fullmatch(r"(?:[A-Za-z_$][A-Za-z0-9_$]*\.?)+", callback)
        assert exchange.sent.startswith(f"/**/{callback}(".encode())
        assert not any(sequence in exchange.sent for sequence in (b"</", b"\xe2\x80\xa8", b"\xe2\x80\xa9"))
    else:
        assert exchange.status == 400
        assert b"/**/" not in exchange.sent


def test_plain_answers_of_listed_paths_stay_plain() -> None:
    assert ask(hello).sent == b"hello"
