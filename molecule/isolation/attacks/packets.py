"""A TCP conversation made by hand, packet by packet, past what the kernel does for sockets."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import time
from collections.abc import Callable

TIMEOUT = 3.0
SYN, ACK, PSH_ACK = 0x02, 0x10, 0x18
SEQUENCE = 1000
# root's own rule, so that the kernel does not end what it knows nothing of
QUIET = "table ip quiet { chain quiet { type filter hook output priority -200; tcp sport %d tcp flags rst drop; }; }"


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def segment(
    source: tuple[str, int], target: tuple[str, int], flags: int, seq: int, ack: int = 0, data: bytes = b""
) -> bytes:
    """Return an IPv4 packet with one TCP segment (RFC 9293, section 3.1)."""
    ends = socket.inet_aton(source[0]) + socket.inet_aton(target[0])
    head = struct.pack("!HHIIBBHHH", source[1], target[1], seq, ack, 5 << 4, flags, 65535, 0, 0)
    pseudo = ends + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(head) + len(data))
    head = head[:16] + struct.pack("!H", checksum(pseudo + head + data)) + head[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40 + len(data), 1, 0, 64, socket.IPPROTO_TCP, 0) + ends
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + head + data


def converse(send: Callable[[bytes], object], source: tuple[str, int], target: tuple[str, int], request: str) -> str:
    """Shake hands, ask, and return the first line of the answer."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as ear:
        ear.settimeout(0.1)
        send(segment(source, target, SYN, SEQUENCE))
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
                send(segment(source, target, ACK, ack, seq + 1))
                send(segment(source, target, PSH_ACK, ack, seq + 1, request.encode()))
                asked = True
            elif data.startswith(b"HTTP/"):
                return data.decode("latin-1").splitlines()[0]
            elif flags & 0x05:  # RST or FIN
                raise ConnectionResetError("closed without an answer")
    raise TimeoutError("no answer to packets")


def _quietly(port: int, call: Callable[[], str]) -> str:
    subprocess.run(["nft", QUIET % port], check=True)
    try:
        return call()
    finally:
        subprocess.run(["nft", "delete", "table", "ip", "quiet"], check=True)


def _ends(own: str, to: str) -> tuple[tuple[str, int], tuple[str, int]]:
    host, port = to.rsplit(":", 1)
    return (own, 40000 + os.getpid() % 20000), (host, int(port))


def raw(to: str, request: str) -> str:
    """Send packets with headers of one's own through a raw socket."""
    source, target = _ends("127.0.0.78", to)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as wire:

        def send(packet: bytes) -> None:
            wire.sendto(packet, (target[0], 0))

        return _quietly(source[1], lambda: converse(send, source, target, request))


WAYS: dict[str, Callable[..., str]] = {"raw": raw}
