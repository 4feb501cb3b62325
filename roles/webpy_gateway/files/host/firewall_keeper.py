"""Keep the firewall table of an instance for as long as its listener may exist.

Two tables hold the same rules.  The one with "flags owner" belongs to this process: nobody else can flush or change it,
and it goes when the process goes.  The plain one bridges the moment between the death of this process and systemd's
stop of the listener (BindsTo=).  When a check fails the process exits, which closes the listener: fail closed.

    firewall_keeper.py NAME RULES PORT      SIGHUP loads RULES again, SIGTERM removes the tables

Needs libnftables (package python3-nftables) and CAP_NET_ADMIN, and a user of its own: it tries the port as the outsider
that it is.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path

import nftables

EVERY = 2.0  # seconds between two checks
TIMEOUT = 2.0  # seconds for the connection of an outsider


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
        """Remove the table."""
        self.nft.cmd(f"delete table inet {self.name}")

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


def notify(message: str) -> None:
    """Tell systemd (sd_notify(3)); nothing where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(message.encode(), f"\0{address[1:]}" if address.startswith("@") else address)


def main() -> None:
    """Load both tables, then check them until something is wrong."""
    name, rules, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    signals = {signal.SIGHUP, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    nft = nftables.Nftables()
    nft.set_stateless_output(True)
    owned, plain = Table(nft, f"{name}-keeper", "flags owner"), Table(nft, name)
    received: int | None = signal.SIGHUP
    while received != signal.SIGTERM:
        if received == signal.SIGHUP:
            for table in (plain, owned):
                table.load(rules.read_text(encoding="utf-8"))
        if not owned.intact():
            sys.exit(f"table inet {owned.name} is missing or changed")
        if outsider_connects(port):
            sys.exit(f"uid {os.getuid()} reaches 127.0.0.1:{port} although the rules are loaded")
        if not plain.intact():
            print(f"table inet {plain.name} was removed or changed by somebody; it is loaded again", flush=True)
            plain.load(rules.read_text(encoding="utf-8"))
        notify(f"READY=1\nWATCHDOG=1\nSTATUS=tables inet {plain.name} and inet {owned.name} are in force")
        information = signal.sigtimedwait(signals, EVERY)
        received = information.si_signo if information else None
    # systemd stops the listener first (After= of the socket): from here on there is nothing to guard
    plain.delete()


if __name__ == "__main__":
    main()
