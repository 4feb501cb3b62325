"""What the role's variables say of limits, observed at lighttpd."""

import contextlib
import selectors
import time
from collections.abc import Callable

import pytest
from hosttests.gateway import Gateway, names
from hosttests.record import Record
from hosttests.site import Site
from wire_cases import END, GET, POST
from wire_replies import read, receive_all

KEPT_SECONDS, KEPT_REQUESTS = 5, 1000
SLACK = 4  # lighttpd looks once a second, and machines are busy


def seconds_until_closed(site: Site, *sent: bytes) -> list[float]:
    """Send the bytes and nothing more, each on a connection; return how long these stay open."""
    seconds = dict.fromkeys(range(len(sent)), 0.0)
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        began = time.monotonic()
        for number, data in enumerate(sent):
            connection = stack.enter_context(site.connect())
            connection.sendall(data)
            selector.register(connection, selectors.EVENT_READ, number)
        while selector.get_map():
            for key, _ in selector.select():
                if not key.fileobj.recv(65536):  # type: ignore[union-attr]
                    seconds[key.data] = time.monotonic() - began
                    selector.unregister(key.fileobj)
    return list(seconds.values())


def head(size: int) -> bytes:
    """Return a request whose head has so many bytes."""
    begin, end = GET + b"A: ", b"\r\nConnection: close\r\n\r\n"
    return begin + b"x" * (size - len(begin + end)) + end


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 431), (100_000, 431)])
def test_head(gateway: Gateway, site: Site, more: int, status: int) -> None:
    with site.connect() as connection:
        connection.sendall(head(gateway["max_header_bytes"] + more))
        (reply,) = read(receive_all(connection), versions=("HTTP/1.0", "HTTP/1.1"))
    assert reply.status == status


@pytest.mark.parametrize("method", [*names("known_methods"), "TRACE", "CONNECT", "PATCH2", "MKCOL", "get"])
def test_methods(gateway: Gateway, site: Site, record: Record, method: str) -> None:
    record.forget()
    answer = site.request(method, "mirror", body=b"")
    if method in gateway["methods"]:
        assert answer.status == 200
    else:
        assert answer.status in (400, 403, 405, 501)
    assert [one["method"] for one in record.all()] == [method] * (answer.status == 200)


def test_a_silent_client_is_sent_away_and_a_silent_application_is_not(gateway: Gateway, site: Site) -> None:
    body = POST + b"Content-Length: 9\r\n\r\n"
    limit = gateway["client_timeout"]
    with site.connect() as late, site.connect() as halting:
        late.sendall(GET.replace(b"mirror", b"late") + END)
        halting.sendall(GET.replace(b"mirror", b"halting") + END)
        for seconds in seconds_until_closed(site, b"", b"G", GET, GET + b"A: b", body, body + b"hello"):
            assert limit - 1 <= seconds <= limit + SLACK
        bodies = [reply.body for one in (late, halting) for reply in read(receive_all(one))]
    assert bodies == [b"true", b"[true,true]"]


def test_a_connection_is_kept_for_so_long(site: Site) -> None:
    (seconds,) = seconds_until_closed(site, GET.replace(b"mirror", b"fast") + b"\r\n")
    assert KEPT_SECONDS - 1 <= seconds <= KEPT_SECONDS + SLACK


def test_a_connection_is_kept_for_so_many(site: Site) -> None:
    request = GET.replace(b"mirror", b"fast") + b"\r\n"
    with site.connect() as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request * (KEPT_REQUESTS + 50))
        answers = receive_all(connection)
    assert answers.count(b"HTTP/1.1 200 OK") in (KEPT_REQUESTS, KEPT_REQUESTS + 1)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "quoted letters": lambda prefix: prefix + "%6d%69rror",
    "quoted prefix": lambda prefix: "/%61" + prefix[2:] + "mirror",
    "quoted slash": lambda prefix: prefix[:-1] + "%2fmirror",
    "dots": lambda prefix: prefix + "other/../mirror",
    "quoted dots": lambda prefix: prefix + "other/%2e%2e/mirror",
    "half quoted dots": lambda prefix: prefix + "./other/.%2E/mirror",
    "dots from outside": lambda prefix: "/other/.." + prefix + "mirror",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_address_has_one_spelling(gateway: Gateway, site: Site, record: Record, spelling: str) -> None:
    record.forget()
    assert site.get(SPELLINGS[spelling](gateway.prefix)).status == 200
    assert [one["path"] for one in record.all()] == [f"{gateway.prefix}mirror"]


@pytest.mark.parametrize(
    "path", ["/api/../secret", "/api/%2e%2e/secret", "/api/..%2fsecret", "/api/x/..%2f..%2fsecret"]
)
def test_no_dots_lead_out_of_the_prefix(site: Site, record: Record, path: str) -> None:
    record.forget()
    assert site.get(path).status == 404
    assert record.all() == []


@pytest.mark.parametrize("path", ["%00", "%0a", "%0d%0aA:b", "%7f", "%c0%af", "%ff", "\xff"])
def test_doubtful_addresses_are_refused(site: Site, record: Record, path: str) -> None:
    record.forget()
    assert site.get(path).status == 400
    assert record.all() == []
