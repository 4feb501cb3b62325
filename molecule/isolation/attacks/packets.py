"""A TCP conversation made by hand, packet by packet, past what the kernel does for sockets."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

TIMEOUT = 3.0
SYN, ACK, PSH_ACK = 0x02, 0x10, 0x18
IPV4 = 0x0800
SEQUENCE = 1000
STRANGE = "127.0.0.78"  # an address of this host that no interface has
# root's own rule, so that the kernel does not end what it knows nothing of
QUIET = (
    "table ip quiet{port} {{ chain quiet {{"
    " type filter hook output priority -200; tcp sport {port} tcp flags rst drop; }}; }}"
)
# a copy that the kernel makes has no owner; the packet itself is not to be in its way
COPIED = (
    "table ip copied{port} {{ chain copied {{ type filter hook output priority -150;"
    ' tcp sport {port} meta skuid 0 dup to {host} device "lo" drop; }}; }}'
)

End = tuple[str, int]
Send = Callable[[bytes], object]


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def segment(source: End, target: End, flags: int, seq: int, ack: int = 0, data: bytes = b"", urgent: int = 0) -> bytes:
    """Return an IPv4 packet with one TCP segment (RFC 9293, section 3.1)."""
    ends = socket.inet_aton(source[0]) + socket.inet_aton(target[0])
    head = struct.pack("!HHIIBBHHH", source[1], target[1], seq, ack, 5 << 4, flags, 65535, 0, urgent)
    pseudo = ends + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(head) + len(data))
    head = head[:16] + struct.pack("!H", checksum(pseudo + head + data)) + head[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40 + len(data), 1, 0, 64, socket.IPPROTO_TCP, 0) + ends
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + head + data


def converse(shake: Send, ask: Send, source: End, target: End, request: str, first: int = SYN, mark: int = 0) -> str:
    """Shake hands by one way, ask by the same or another, and return the first line of the answer.

    `first`, `mark`: flags and urgent pointer of the first packet.
    """
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(IPV4)) as ear:
        ear.settimeout(0.1)
        shake(segment(source, target, first, SEQUENCE, urgent=mark))
        end = time.monotonic() + TIMEOUT
        asked = False
        while time.monotonic() < end:
            try:
                packet = ear.recv(65535)
            except TimeoutError:
                continue
            tcp = packet[(packet[0] & 15) * 4 :]
            if packet[9] != socket.IPPROTO_TCP or struct.unpack("!HH", tcp[:4]) != (target[1], source[1]):
                continue
            seq, ack, offset, flags = struct.unpack("!IIBB", tcp[4:14])
            data = packet[(packet[0] & 15) * 4 + (offset >> 4) * 4 : struct.unpack("!H", packet[2:4])[0]]
            if flags & (SYN | ACK) == SYN | ACK and not asked:
                shake(segment(source, target, ACK, ack, seq + 1))
                ask(segment(source, target, PSH_ACK, ack, seq + 1, request.encode()))
                asked = True
            elif data.startswith(b"HTTP/"):
                return data.decode("latin-1").splitlines()[0]
            elif flags & 0x05:  # RST or FIN
                raise ConnectionResetError("closed without an answer")
    raise TimeoutError("no answer to packets")


@contextmanager
def _table(rules: str) -> Iterator[None]:
    subprocess.run(["nft", rules], check=True)
    try:
        yield
    finally:
        subprocess.run(["nft", f"delete {rules.partition('{')[0]}"], check=True)


def _quietly(port: int) -> AbstractContextManager[None]:
    return _table(QUIET.format(port=port))


@contextmanager
def _through_raw_socket(target: End) -> Iterator[Send]:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as wire:
        yield lambda packet: wire.sendto(packet, (target[0], 0))


@contextmanager
def _onto_the_device() -> Iterator[Send]:
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(IPV4)) as wire:
        yield lambda packet: wire.sendto(packet, ("lo", IPV4, 0, 0, bytes(6)))


def _ends(to: str, source: str = STRANGE) -> tuple[End, End]:
    host, port = to.rsplit(":", 1)
    # below the ports that the kernel gives out by itself
    return (source, 10000 + os.getpid() % 20000), (host, int(port))


def raw(to: str, request: str, first: str = "02", source: str = STRANGE, mark: str = "0") -> str:
    """Send packets with headers of one's own through a raw socket; `first`: flags of the first, hexadecimal."""
    begin, target = _ends(to, source)
    with _quietly(begin[1]), _through_raw_socket(target) as send:
        return converse(send, send, begin, target, request, int(first, 16), int(mark))


def wire(to: str, request: str, source: str = STRANGE, mark: str = "0") -> str:
    """Put packets onto the device itself, past all rules about what leaves the host."""
    begin, target = _ends(to, source)
    with _quietly(begin[1]), _onto_the_device() as send:
        return converse(send, send, begin, target, request, mark=int(mark))


def established(to: str, request: str) -> str:
    """Shake hands past the rules, then ask: a connection that stood before the rules were loaded."""
    source, target = _ends(to)
    with _quietly(source[1]), _onto_the_device() as shake, _through_raw_socket(target) as ask:
        return converse(shake, ask, source, target, request)


def copied(to: str, request: str) -> str:
    """Let the kernel send copies of one's packets (nft's dup), which belong to nobody."""
    source, target = _ends(to)
    rules = COPIED.format(port=source[1], host=target[0])
    with _quietly(source[1]), _table(rules), _through_raw_socket(target) as send:

        def pass_on(packet: bytes) -> None:
            with suppress(PermissionError):  # what becomes of the packet itself
                send(packet)

        return converse(pass_on, pass_on, source, target, request)


WAYS: dict[str, Callable[..., str]] = {"raw": raw, "wire": wire, "established": established, "copied": copied}
