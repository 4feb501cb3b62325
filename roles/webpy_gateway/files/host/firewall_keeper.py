"""Keep the firewall table of an instance for as long as its listener may exist.

The table has "flags owner": it belongs to a netlink socket of this process.  Nobody else can flush or change it, and it
goes when the socket does.  systemd keeps the socket, too (FDSTORE, sd_notify(3)), so that the table outlives this
process until the next one has put its own in its place.  When a check fails the process exits, which closes the
listener: fail closed.

    firewall_keeper.py NAME RULES PORT      SIGHUP loads RULES again, SIGTERM removes the table

Needs libnftables (package python3-nftables) and CAP_NET_ADMIN, and a user of its own: it tries the port as the outsider
that it is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nftables

EVERY = 2.0  # seconds between two checks
TIMEOUT = 2.0  # seconds for the connection of an outsider
NETLINK_NETFILTER = 12
FIRST_PASSED = 3  # descriptor, sd_listen_fds(3)
STORED = "FDNAME=table"


class Table:
    """One nftables table of the family inet, loaded from the rules in one transaction."""

    def __init__(self, nft: nftables.Nftables, name: str, flags: str = "") -> None:
        """Name the table; nothing is loaded yet."""
        self.nft, self.name, self.flags = nft, name, flags
        self.loaded = ""

    def load(self, rules: str) -> None:
        """Replace the table by the rules; exit with nft's own words where it refuses them."""
        flags = f"{{ {self.flags}; }}" if self.flags else ""
        body = f"{{ {self.flags + ';' if self.flags else ''}\n{rules}\n}}"
        code, _, error = self.nft.cmd(
            f"add table inet {self.name} {flags}\ndelete table inet {self.name}\ntable inet {self.name} {body}"
        )
        if code:
            # systemd starts this again at once, for the sake of lighttpd's users; here it would not help them
            time.sleep(EVERY)
            sys.exit(f"nftables refuses the rules for table inet {self.name}: {error}")
        self.loaded = self.listing()

    def delete(self) -> None:
        """Remove the table, if it is there."""
        self.nft.cmd(f"add table inet {self.name}\ndelete table inet {self.name}")

    def listing(self) -> str:
        """Return the table as nft lists it without counters, empty where it does not exist."""
        code, output, _ = self.nft.cmd(f"list table inet {self.name}")
        return "" if code else output

    def intact(self) -> bool:
        """Tell whether the table still is what was loaded."""
        return bool(self.loaded) and self.listing() == self.loaded


def outsider_connects(port: int) -> bool:
    """Tell whether this process, whose user is neither lighttpd's nor the gateway's, reaches the port."""
    with socket.socket() as attempt:
        attempt.settimeout(TIMEOUT)
        try:
            attempt.connect(("127.0.0.1", port))
        except OSError:
            return False
        return True


def notify(message: str, descriptors: Sequence[int] = ()) -> None:
    """Tell systemd (sd_notify(3)); nothing where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect(f"\0{address[1:]}" if address.startswith("@") else address)
            socket.send_fds(channel, [message.encode()], descriptors)


def netlink_sockets() -> list[int]:
    """Return the descriptors of this process that own tables: libnftables has one, and does not tell."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(name))) as candidate:
            if (candidate.family, candidate.proto) == (socket.AF_NETLINK, NETLINK_NETFILTER):
                found.append(int(name))
    return found


def take_over(bridge: Table, owned: Table, rules: str) -> None:
    """Replace the table of the process before, which systemd has kept, without a moment without rules."""
    passed = range(FIRST_PASSED, FIRST_PASSED + int(os.environ.get("LISTEN_FDS", "0")))
    if passed:
        bridge.load(rules)
        notify(f"FDSTOREREMOVE=1\n{STORED}")
        for descriptor in passed:
            os.close(descriptor)
        until = time.monotonic() + TIMEOUT
        while owned.listing() and time.monotonic() < until:
            time.sleep(0.01)  # systemd has not closed its own yet
    owned.load(rules)
    notify(f"FDSTORE=1\nFDPOLL=0\n{STORED}", netlink_sockets())
    bridge.delete()


def main() -> None:
    """Load the table, then check it until something is wrong."""
    name, rules, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    signals = {signal.SIGHUP, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    nft = nftables.Nftables()
    nft.set_stateless_output(True)
    owned = Table(nft, f"{name}-keeper", "flags owner")
    take_over(Table(nft, name), owned, rules.read_text(encoding="utf-8"))
    received: int | None = None
    while received != signal.SIGTERM:
        if received == signal.SIGHUP:
            owned.load(rules.read_text(encoding="utf-8"))
        if not owned.intact():
            sys.exit(f"table inet {owned.name} is missing or changed")
        if outsider_connects(port):
            sys.exit(f"uid {os.getuid()} reaches 127.0.0.1:{port} although the rules are loaded")
        notify(f"READY=1\nWATCHDOG=1\nSTATUS=table inet {owned.name} is in force")
        information = signal.sigtimedwait(signals, EVERY)
        received = information.si_signo if information else None
    # systemd stops the listener first (After= of the socket): from here on there is nothing to guard
    owned.delete()


if __name__ == "__main__":
    main()
