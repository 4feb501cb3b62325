"""The mark that the firewall puts on connections of lighttpd's: its word, at a tenth of the price of the kernel's.

The instance's table writes it into the urgent pointer of the SYN (RFC 9293, section 3.1), where it means nothing, after
a look at the user whose socket sends it.  No ordinary socket can write there; what root's raw sockets send meets the
same table; and what is put onto the device lo the kernel drops, where it claims an address of the host's own.
"""

from _socket import IPPROTO_TCP, socket
from ipaddress import ip_address

# linux/tcp.h
TCP_SAVE_SYN, TCP_SAVED_SYN = 27, 28
# an IPv4 header without options, by version and length; its source; the urgent pointer in the TCP header behind it
PLAIN_HEADER = 0x45
SOURCE = slice(12, 16)
URGENT_POINTER = slice(38, 40)
LONGEST_HEADERS = 120


def keep(listener: socket) -> None:
    """Lets the kernel keep the first packet of every connection until it is asked for, once."""
    listener.setsockopt(IPPROTO_TCP, TCP_SAVE_SYN, 1)


class Mark:
    """A number, and the address that it counts from: the listener's, where the kernel lets nothing in from outside."""

    __slots__ = ("_number", "_source")

    def __init__(self, number: int, source: str) -> None:
        self._number = number.to_bytes(2, "big")
        self._source = ip_address(source).packed

    def on(self, connection: socket) -> bool:
        """Whether an accepted connection bears it; not where its first packet is not to be had. Raises OSError."""
        return self.within(connection.getsockopt(IPPROTO_TCP, TCP_SAVED_SYN, LONGEST_HEADERS))

    def within(self, headers: bytes) -> bool:
        """Whether the headers of a SYN bear it."""
        return (
            headers[URGENT_POINTER] == self._number and headers[SOURCE] == self._source and headers[0] == PLAIN_HEADER
        )
