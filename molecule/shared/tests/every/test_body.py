"""Request bodies arrive whole, and no larger than allowed."""

import hashlib

import pytest
from hosttests.gateway import Gateway
from hosttests.site import Site

MIB = 1024 * 1024
EVERY_BYTE = bytes(range(256))


def large(gateway: Gateway, size: int) -> bytes:
    """Return `size` bytes that do not repeat soon, at most what the scenario allows."""
    size = min(size, gateway["max_body_bytes"])
    return (hashlib.shake_256(b"seed").digest(min(size, MIB)) * (size // MIB + 1))[:size]


def check(site: Site, method: str, body: bytes, chunks: list[bytes] | None = None) -> None:
    """Send a body and compare what the application got."""
    type_ = [("Content-Type", "application/octet-stream")]
    answer = site.request(method, "echo", type_, body if chunks is None else None, chunks)
    assert answer.status == 200, answer
    got = answer.json()
    assert got["method"] == method
    assert (got["body"]["length"], got["body"]["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("body", [b"", b"\0", EVERY_BYTE * 3, b"\r\n\r\n0\r\n\r\n"], ids=["0", "1", "binary", "crlf"])
def test_body_is_intact(site: Site, method: str, body: bytes) -> None:
    check(site, method, body)


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("size", [65535, MIB, 16 * MIB])
def test_large_body_is_intact(gateway: Gateway, site: Site, method: str, size: int) -> None:
    check(site, method, large(gateway, size))


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("sizes", [[], [1], [1, 2, 3, 4096, 1], [40000, 1, 20000]], ids=str)
def test_chunked_body_is_intact(gateway: Gateway, site: Site, method: str, sizes: list[int]) -> None:
    body = large(gateway, sum(sizes))
    chunks = [body[sum(sizes[:number]) : sum(sizes[: number + 1])] for number in range(len(sizes))]
    check(site, method, body, chunks)


def test_largest_body_is_accepted(gateway: Gateway, site: Site) -> None:
    body = b"x" * gateway["max_body_bytes"]
    check(site, "POST", body)
    check(site, "POST", body, [body])


@pytest.mark.parametrize("more", [1, 1024, 100 * 1024])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_larger_body_is_refused(gateway: Gateway, site: Site, more: int, chunked: bool) -> None:
    body = b"x" * (gateway["max_body_bytes"] + more)
    answer = site.request("POST", "echo", body=None if chunked else body, chunks=[body] if chunked else None)
    assert answer.status == 413
