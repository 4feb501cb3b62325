"""Put to work what is on the disk of the host: switch to the release, and let every unit learn of it that has to.

Reads a JSON object on standard input:

    home, release    HOME/current becomes a link to HOME/releases/RELEASE; "" leaves the link alone
    due              {"files", "backlog", ...: bool}: what has to learn of it, see tasks/compare.yml
    settings         the file with the kernel's settings
    target, socket, firewall     names of units; no target: nothing of the gateway is to run
    site             the unit that holds lighttpd's ports, where that is this instance's
    workers          all that shall run, to be renewed where that is due; none where the gateway does not run yet
    surplus, idle    workers that run and shall not; other units that shall run and do not

Workers are renewed without a moment in which nobody accepts, however few they are and however long they drain.  For
every one a relief (webpy-gateway@1-relief.service) is started with what is live now.  Once all reliefs are ready the
workers stop accepting, finish what they began (all at the same time) and start anew; then the reliefs do the same for
good, and nobody waits for that.  Where a relief does not become ready, the workers are left as they are.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    import nftables
except ImportError:  # there where the gateway listens on a port
    nftables = None

PROXY = "lighttpd.service"
PORTS = re.compile(r'^\s*(?:server\.port\s*=\s*|\$SERVER\["socket"\] == "[^"]*:)(\d+)', re.MULTILINE)
UNHEARD = """\
table inet {table} {{
    flags owner
    set ports {{ type inet_service; flags timeout; timeout 15s; elements = {{ {ports} }}; }}
    chain input {{ type filter hook input priority filter - 10; tcp dport @ports tcp flags & (syn | ack) == syn drop; }}
}}"""


def run(*command: str) -> str:
    """Return what a command prints; end the program with its words where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def switch(home: Path, release: str) -> None:
    """Replace the link, at once."""
    new = home / "current.new"
    new.unlink(missing_ok=True)
    new.symlink_to(f"releases/{release}")
    new.replace(home / "current")


def renew(workers: list[str]) -> None:
    """Replace workers by new ones, also those that are just ending or starting: they may have seen the old link."""
    reliefs = [unit.replace(".service", "-relief.service") for unit in workers]
    try:
        # not start: one that an interrupted run left serves what was live then
        run("systemctl", "restart", *reliefs)
        run("systemctl", "restart", *workers)
    finally:
        run("systemctl", "stop", "--no-block", *reliefs)


@contextlib.contextmanager
def unheard(table: str) -> Iterator[None]:
    """Let who connects to lighttpd's ports wait, not be refused while they are closed: TCP asks again after a second.

    The table goes when this process does ("flags owner"), and forgets the ports after 15 s, should this process hang.
    Without libnftables nothing waits.
    """
    ports = set(PORTS.findall(run("/usr/sbin/lighttpd", "-p", "-f", "/etc/lighttpd/lighttpd.conf")))
    nft = nftables.Nftables() if nftables and ports else None
    if nft:
        nft.cmd(UNHEARD.format(table=table, ports=", ".join(ports)))
    try:
        yield
    finally:
        if nft:
            nft.cmd(f"delete table inet {table}")


def open_site(site: str) -> None:
    """Open lighttpd's ports anew, which systemd does only while lighttpd does not run."""
    with unheard(site.removesuffix(".socket")):
        # first, else who connected before starts lighttpd again; a pattern, since there may be no such unit
        run("systemctl", "stop", f"{site}*")
        run("systemctl", "stop", PROXY)
        if Path("/etc/systemd/system", site).exists():
            run("systemctl", "start", site)
        run("systemctl", "start", PROXY)


def define(wanted: dict[str, Any]) -> None:
    """Bring the target and what belongs to it into the state that their definitions want."""
    due, target = wanted["due"], wanted["target"]
    if wanted["target"] and (due["files"] or due["start"]):
        run("systemctl", "enable", "--quiet", target)
        run("systemctl", "start", target, *wanted["idle"])
    if due["firewall"] and not due["target"]:
        run("systemctl", "reload", wanted["firewall"])


def proxy(due: dict[str, bool], site: str) -> None:
    """Let lighttpd take up its configuration."""
    if due["site"] or due["proxy"] or due["proxy_restart"] or due["start"]:
        run("systemctl", "enable", "--quiet", PROXY)
    if due["site"]:
        open_site(site)
    elif due["proxy_restart"]:
        run("systemctl", "restart", PROXY)
    elif due["proxy"] or due["start"]:
        run("systemctl", "reload-or-restart" if due["proxy"] else "start", PROXY)


def activate(wanted: dict[str, Any]) -> None:
    """Do what is due, the kernel first: it has to know before any listener opens."""
    due = wanted["due"]
    if due["backlog"]:
        run("/usr/lib/systemd/systemd-sysctl", wanted["settings"])
    # by the definitions that are still loaded: a changed listener or guard would otherwise leave its old self behind,
    # and a listener of systemd's is only opened anew while nobody uses it
    if due["target"]:
        # each by its name, since a target's stop waits for no other unit; a pattern, since there may be no firewall
        run("systemctl", "stop", wanted["target"], wanted["socket"], f"{wanted['firewall']}*")
    if due["files"]:
        run("systemctl", "daemon-reload")
    if wanted["release"]:
        switch(Path(wanted["home"]), wanted["release"])
    define(wanted)
    if due["workers"] and not due["target"] and wanted["workers"]:
        renew(wanted["workers"])
    if wanted["surplus"]:
        run("systemctl", "stop", *wanted["surplus"])
    proxy(due, wanted["site"])


def main() -> None:
    """Do what standard input says."""
    try:
        activate(json.load(sys.stdin))
    except OSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
