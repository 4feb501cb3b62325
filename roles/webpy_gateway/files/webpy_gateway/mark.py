"""The mark that the firewall puts on connections of lighttpd's: its word, at a tenth of the price of the kernel's.

The instance's table writes it into the urgent pointer of the SYN (RFC 9293, section 3.1), where it means nothing, after
a look at the user whose socket sends it.  No ordinary socket can write there; what root's raw sockets send meets the
same table; and what is put onto the device lo the kernel drops, where it claims an address of the host's own.
"""

from _socket import IPPROTO_TCP, socket

# linux/tcp.h
TCP_SAVE_SYN, TCP_SAVED_SYN = 27, 28
# an IPv4 header without options, by version and length; the urgent pointer in the TCP header behind it
PLAIN_HEADER = b"\x45"
URGENT_POINTER = slice(38, 40)
LONGEST_HEADERS = 120


def keep(listener: socket) -> None:
    """Lets the kernel keep the first packet of every connection until it is asked for, once."""
    listener.setsockopt(IPPROTO_TCP, TCP_SAVE_SYN, 1)


def read(connection: socket) -> int:
    """The mark of an accepted connection, 0 where there is none or the packet is not to be had. Raises OSError."""
    return parse(connection.getsockopt(IPPROTO_TCP, TCP_SAVED_SYN, LONGEST_HEADERS))


def parse(headers: bytes) -> int:
    """The mark in the headers of a SYN."""
    return int.from_bytes(headers[URGENT_POINTER], "big") if headers[:1] == PLAIN_HEADER else 0
