#!/usr/bin/env python3
"""Take all protections from an instance of the role on a throwaway host, so that a benchmark can tell what they cost.

    unprotect.py NAME

No firewall (keeper and tables), no peer check, no sandbox of the workers; and a second lighttpd without a sandbox,
lighttpd-unprotected.service, that serves all instances on ports that are 1000 higher.
"""

import re
import subprocess
import sys
from pathlib import Path

UNITS = Path("/etc/systemd/system")
# what a service needs to work; all else in it is protection
NEEDED = {
    "Type", "Sockets", "NonBlocking", "User", "Group", "Environment", "EnvironmentFile", "LoadCredential", "ExecStart",
    "Restart", "RestartSec", "KillMode", "TimeoutStopSec", "StateDirectory", "StateDirectoryMode", "LimitNOFILE",
    "CPUSchedulingPolicy",
}  # fmt: skip


def rewrite(path: Path, change: "re.Pattern[str]", by: str) -> None:
    """Replace all that the pattern matches. Raises SystemExit where it matches nothing: the role has changed."""
    text, number = change.subn(by, path.read_text())
    if not number:
        sys.exit(f"{path}: nothing matches {change.pattern}")
    path.write_text(text)


def strip_service(path: Path) -> None:
    """Leave in the section [Service] what the service needs."""
    head, section, service = path.read_text().partition("[Service]\n")
    kept = [line for line in service.splitlines() if line.partition("=")[0] in NEEDED]
    path.write_text(head + section + "\n".join(kept) + "\n")


def main() -> None:
    """Do it."""
    name = sys.argv[1]
    keeper = f"{name}-firewall.service"
    subprocess.run(["systemctl", "stop", f"{name}.target"], check=True)
    subprocess.run(["systemctl", "disable", "--quiet", f"{name}.target"], check=True)
    if (UNITS / keeper).exists():  # a unix socket needs none
        bound = re.compile(rf"^(BindsTo|After)={re.escape(keeper)}\n", re.MULTILINE)
        for unit in (f"{name}.socket", f"{name}@.service"):
            rewrite(UNITS / unit, bound, "")
        rewrite(UNITS / f"{name}.target", re.compile(rf" {re.escape(keeper)}"), "")
    strip_service(UNITS / f"{name}@.service")
    rewrite(Path(f"/etc/{name}/gateway.toml"), re.compile(r"^peer_uids = .*$", re.MULTILINE), "peer_uids = []")

    own = Path("/etc/lighttpd/unprotected.conf")
    own.write_text(Path("/etc/lighttpd/lighttpd.conf").read_text())
    # all sites, 1000 ports above: each costs every request a little, and must do so here as well
    sites = "".join(path.read_text() for path in sorted(Path("/etc/lighttpd/conf-enabled").glob("60-*.conf")))
    Path("/etc/lighttpd/unprotected-site.conf").write_text(
        re.sub(r'(?<=:)[0-9]+(?=" \{)', lambda port: str(int(port[0]) + 1000), sites)
    )
    rewrite(own, re.compile(r"^include .*conf-enabled.*$", re.MULTILINE), 'include "unprotected-site.conf"')
    rewrite(own, re.compile(r"^(server\.port\s*=\s*)80$", re.MULTILINE), r"\g<1>9080")
    rewrite(own, re.compile(r"/run/lighttpd\.pid"), "/run/lighttpd-unprotected.pid")
    rewrite(own, re.compile(r"/var/log/lighttpd/error\.log"), "/var/log/lighttpd/unprotected.log")
    unit = Path("/lib/systemd/system/lighttpd.service").read_text().replace("lighttpd.conf", "unprotected.conf")
    unit = unit.replace("/run/lighttpd.pid", "/run/lighttpd-unprotected.pid")
    (UNITS / "lighttpd-unprotected.service").write_text(
        unit.replace("[Service]\n", "[Service]\nLimitNOFILE=infinity\n")
    )


if __name__ == "__main__":
    main()
