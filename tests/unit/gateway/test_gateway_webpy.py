"""What web.py applications may count on, seen from outside: a real server, a real application."""

import importlib.util
import json
from typing import Any

import pytest
import web
from gateway_kit import Gateways, Server, connect, wait_for
from webpy_gateway import webpy


def test_ordinary_answer_has_a_length(served: Server) -> None:
    answer = served.get("/api/echo")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"hello", "5")
    assert "transfer-encoding" not in answer.headers


@pytest.mark.parametrize("size", [0, 1, 65_536, 299_999])
@pytest.mark.parametrize("chunked", [False, True])
def test_body_arrives_intact(shared: Server, size: int, chunked: bool) -> None:
    data = (bytes(range(256)) * 1200)[:size]
    if chunked:
        pieces = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (data[:7], data[7:]) if p) + b"0\r\n\r\n"
        raw = shared.raw(b"POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces)
        assert raw.startswith(b"HTTP/1.1 200 OK\r\n")
        assert raw.partition(b"\r\n\r\n")[2] == data
    else:
        assert shared.request("POST", "/api/echo", data).body == data


def test_debug_is_off_whatever_the_application_says(served: Server) -> None:
    assert served.get("/api/environ").json()["debug"] is False


def test_application_sees_the_truth_only(shared: Server) -> None:
    claims = {
        "Host": "portal.example:8080",
        "X-Forwarded-For": "6.6.6.6, 192.0.2.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil",
        "X-Real-IP": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
        "X-Request-Id": "evil",
    }
    answer = shared.request("GET", "/api/environ", headers=claims)
    seen = answer.json()
    assert (seen["ip"], seen["home"]) == ("192.0.2.7", "https://portal.example:8080")
    assert "6.6.6.6" not in json.dumps(seen)
    assert "evil" not in json.dumps(seen)
    environ = seen["environ"]
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"], environ["HTTPS"]) == ("portal.example", "8080", "on")
    assert environ["HTTP_X_REQUEST_ID"] == answer.headers["x-request-id"]


def test_uncaught_exception_is_json_with_an_id_that_is_in_the_log(served: Server) -> None:
    answer = served.get("/api/boom?token=hidden")
    identity = answer.headers["x-request-id"]
    assert (answer.status, answer.json()) == (500, {"error": "internal server error", "request_id": identity})
    log = served.log()
    assert f"request_id={identity} method=GET path=/api/boom\n" in log
    own = [line for line in log.splitlines() if line.startswith(f"  {identity}| ")]
    assert 'app.py", line' in own[1]  # the traceback begins in the application
    assert own[-2:] == [f"  {identity}| ValueError: secret", f"  {identity}| forged line \\x1b[31m"]
    assert log.count(f"{identity}| Traceback") == 1
    assert "hidden" not in log


def test_exception_before_the_first_chunk_of_a_generator(served: Server) -> None:
    answer = served.get("/api/early")
    assert (answer.status, answer.json()["error"]) == (500, "internal server error")


def test_exit_in_a_handler_does_not_end_the_worker(served: Server) -> None:
    assert served.get("/api/quit").status == 500
    assert served.get("/api/echo").status == 200


@pytest.mark.parametrize(
    ("which", "status", "body"),
    [
        ("notfound", 404, b"no such note"),
        ("redirect", 303, b""),
        ("conflict", 409, b"taken"),
        ("own500", 500, b"own words"),
    ],
)
def test_answers_of_the_application_pass_untouched(served: Server, which: str, status: int, body: bytes) -> None:
    answer = served.get(f"/api/error/{which}")
    assert (answer.status, body in answer.body) == (status, True)
    assert "x-request-id" in answer.headers


def test_unknown_path_and_method_are_answered_by_webpy(served: Server) -> None:
    assert (served.get("/api/nothing").status, served.get("/api/nothing").body) == (404, b"not found")
    answer = served.request("OPTIONS", "/api/echo")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST, PUT")


def test_answer_without_content_has_none(served: Server) -> None:
    answer = served.request("DELETE", "/api/empty")
    assert (answer.status, answer.body) == (204, b"")
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("path", ["/api/echo", "/api/stream", "/api/large"])
def test_head_has_no_body(shared: Server, path: str) -> None:
    raw = shared.raw(f"HEAD {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert raw.startswith(b"HTTP/1.1 200 OK\r\n")
    assert raw.endswith(b"\r\n\r\n")
    assert raw.count(b"\r\n\r\n") == 1


def test_session_is_kept(served: Server) -> None:
    first = served.get("/api/session/visits")
    cookie = first.headers["set-cookie"].partition(";")[0]
    assert (first.body, served.get("/api/session/visits", Cookie=cookie).body) == (b"1", b"2")


def test_stream_that_is_left_is_closed(shared: Server) -> None:
    with connect(shared.address) as connection:
        connection.sendall(b"POST /api/closed HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        assert connection.recv(1000)
    wait_for(lambda: shared.get("/api/closed").body == b"stream")
    assert "Broken" not in shared.log()


OWN_ERROR_PAGE = """
import web

class Fail:
    def GET(self):
        raise ValueError("boom")

class Ask:
    def GET(self):
        try:
            raise ValueError("handled")
        except ValueError:
            raise web.internalerror()

inner = web.application(("/fail", "Fail"), {"Fail": Fail})
urls = ("/api/inner", inner, "/api/fail", "Fail", "/api/ask", "Ask")
application = web.application(urls, globals())
processed = web.application(urls, globals())
processed.add_processor(lambda handler: handler())
by_host = web.subdomain_application((".*", application), globals())
if OWN:
    for each in (application, processed):
        each.internalerror = lambda: web.internalerror("so sorry")
as_wsgi = application.wsgifunc()

fails_by_host = web.subdomain_application((".*", "Fail"), globals())
fails_by_host.internalerror = lambda: web.internalerror("so sorry, host")
"""


def with_error_page(gateways: Gateways, target: str, *, own: bool) -> Server:
    release = gateways.folder / "own"
    (release / "app").mkdir(parents=True)
    (release / "release.json").write_text('{"id": "own"}')
    (release / "app" / "own.py").write_text(OWN_ERROR_PAGE.replace("OWN", str(own)))
    return gateways.serve(application=target, release=release)


@pytest.mark.parametrize("target", ["own:application", "own:as_wsgi", "own:processed", "own:by_host"])
@pytest.mark.parametrize("own", [True, False])
def test_error_page_of_the_operator_wins(gateways: Gateways, target: str, own: bool) -> None:
    server = with_error_page(gateways, target, own=own)
    for path in ("/api/fail", "/api/inner/fail"):
        answer = server.get(path)
        assert answer.status == 500
        assert (answer.body == b"so sorry") is own
        assert (answer.headers["content-type"] == "application/json") is not own
        assert server.log().count(f"{answer.headers['x-request-id']}| ValueError: boom") == 1
    asked = server.get("/api/ask")
    assert asked.status == 500
    assert asked.body == (b"so sorry" if own else b"internal server error")


def test_error_page_of_an_application_with_a_handle_of_its_own(gateways: Gateways) -> None:
    answer = with_error_page(gateways, "own:fails_by_host", own=False).get("/api/fail")
    assert (answer.status, answer.body) == (500, b"so sorry, host")


def test_prefix_is_stripped_for_any_application(gateways: Gateways) -> None:
    server = gateways.serve(application="plain:application", strip_prefix=True)
    assert server.get("/api/a%20b/").body == b"/api|/a b/"
    assert server.get("/elsewhere").status == 404


def original(name: str) -> Any:
    """A method of web.application before anything was replaced in it."""
    spec = importlib.util.find_spec("web.application")
    assert spec
    assert spec.loader
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    return getattr(fresh.application, name)


ENVIRON = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/a/b",
    "SCRIPT_NAME": "",
    "QUERY_STRING": "",
    "SERVER_SOFTWARE": "webpy_gateway",
    "wsgi.url_scheme": "http",
    "HTTP_HOST": "a:80",
    "REMOTE_ADDR": "192.0.2.1",
}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HTTP_HOST": None},
        {"REMOTE_ADDR": None},
        {"QUERY_STRING": "a=b&c=\xe4", "REQUEST_METHOD": "get"},
        {"SCRIPT_NAME": "/script"},
        {"wsgi.url_scheme": "https", "HTTPS": "on"},
        {"PATH_INFO": "/\xc3\xa4"},
        {"PATH_INFO": "/\xe4"},
        {"PATH_INFO": ""},
    ],
)
@pytest.mark.parametrize("real", [None, "/real"])
def test_a_request_is_loaded_as_webpy_itself_would(
    environ: dict[str, str | None], real: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if real is not None:
        monkeypatch.setenv("REAL_SCRIPT_NAME", real)
    webpy._real_script_name.cache_clear()
    whole = {key: value for key, value in {**ENVIRON, **environ}.items() if value is not None}
    seen = []
    for load in (original("load"), webpy._load):
        web.ctx.clear()
        web.ctx.left = "by the request before"
        load(web.application((), {}), whole)
        seen.append(dict(web.ctx))
    assert seen[0] == seen[1]
    web.ctx.clear()
    webpy._real_script_name.cache_clear()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/one", ("One", [])),
        ("/two/x/y", ("Two", ["x", "y"])),
        ("/three/x", ("pages.x", ["x"])),
        ("/function/1", (len, ["1"])),
        ("/one/", (None, None)),
        ("/one\n", (None, None)),
        ("/none", (None, None)),
    ],
)
def test_a_route_is_found_as_webpy_itself_would(path: str, expected: tuple[object, object]) -> None:
    mapping = [("/one", "One"), ("/two/(.*)/(.*)", "Two"), ("/three/(.*)", "pages.\\1"), ("/function/(.)", len)]
    assert webpy._match(web.application((), {}), mapping, path) == expected
    assert original("_match")(web.application((), {}), mapping, path) == expected
