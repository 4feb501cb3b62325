"""What lighttpd keeps for slow readers: in memory while there is room, so that nobody waits for a disk; else on it."""

import contextlib
from collections.abc import Iterator

import pytest
import slowness
from hosttests.gateway import Gateway
from lighttpd import main_process
from testinfra.host import Host

READERS = 100
MEMORY, DISK = "/run/lighttpd-spool", "/var/cache/lighttpd/uploads"


def in_its_view(gateway: Gateway, command: str) -> str:
    """Run a command where lighttpd's own mounts are."""
    return gateway.output(f"nsenter --target {main_process(gateway)} --mount {command}")


def files(gateway: Gateway, folder: str) -> int:
    """Count those that lighttpd has there."""
    return len(in_its_view(gateway, f"find {folder} -type f").split())


@contextlib.contextmanager
def size(gateway: Gateway, words: str) -> Iterator[None]:
    """Give the memory another size."""
    before = in_its_view(gateway, f"findmnt --noheadings --output=SIZE --bytes {MEMORY}")
    in_its_view(gateway, f"mount -o remount,size={words} {MEMORY}")
    try:
        yield
    finally:
        in_its_view(gateway, f"mount -o remount,size={before} {MEMORY}")


@contextlib.contextmanager
def readers(gateway: Gateway, stranger: Host) -> Iterator[None]:
    """Hold answers that nobody reads."""
    to = gateway.address, int(gateway["http_port"])
    with slowness.slow_clients(stranger.check_output, to, READERS, ["readers"]):
        slowness.settle(gateway.output, to[1], int(gateway["port"]), READERS)
        yield


def test_it_is_kept_in_memory(gateway: Gateway, stranger: Host) -> None:
    with readers(gateway, stranger):
        assert (files(gateway, MEMORY), files(gateway, DISK)) == (READERS, 0)
    gateway.wait_for(f"! ls {DISK} | grep .")


def test_the_disk_takes_what_memory_has_no_room_for(gateway: Gateway, stranger: Host) -> None:
    with size(gateway, "1M"), readers(gateway, stranger):
        assert 0 < files(gateway, MEMORY) < READERS
        assert files(gateway, DISK) > 0
        whole = gateway.site().get("large")
        assert (whole.status, len(whole.body)) == (200, 128 * 1024)


@pytest.mark.parametrize("option", ["nosuid", "nodev"])
def test_nobody_else_sees_it(gateway: Gateway, option: str) -> None:
    assert option in in_its_view(gateway, f"findmnt --noheadings --output=OPTIONS {MEMORY}")
    assert gateway.host.run(f"mountpoint {MEMORY}").rc
