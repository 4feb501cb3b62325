"""Print everything that a removal must leave as it was, in lines "KIND NAME VALUE", sorted.

Files (path, mode, owner, digest or target), accounts, packages, units, nftables rules, sysctls of the network core, and
who listens. What EXCEPT names may differ; docs/releases.md lists the same.
"""

import grp
import hashlib
import os
import pwd
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

ELSEWHERE = ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp")
EXCEPT = re.compile(
    r"""
    /var/cache/.* | /var/lib/apt/.* | /var/lib/dpkg/.* | /var/lib/systemd/.*  # packages' and systemd's own books
    | /var/log/.*
    | /etc/(passwd|group|shadow|gshadow|subuid|subgid)- | /etc/\.pwd\.lock    # copies that the account tools make
    | /etc/ld\.so\.cache
    | /root/\.ansible.*                                                       # Ansible's own folder
    """,
    re.VERBOSE,
)


def output_of(*command: str) -> str:
    """Return what a command prints; nothing where there is no such command."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        return ""


def files() -> Iterator[str]:
    """Yield every path of the host."""
    for parent, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(parent, name) not in ELSEWHERE]
        for name in (*folders, *names):
            path = os.path.join(parent, name)
            info = os.lstat(path)
            content = os.readlink(path) if stat.S_ISLNK(info.st_mode) else ""
            if stat.S_ISREG(info.st_mode):
                content = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            if not EXCEPT.fullmatch(path):
                yield f"file {path} {info.st_mode:o} {info.st_uid}:{info.st_gid} {content}"


def main() -> None:
    """Take the inventory."""
    lines = list(files())
    lines += [f"user {user}" for user in pwd.getpwall()] + [f"group {group}" for group in grp.getgrall()]
    # the session of this very look comes and goes
    passing = re.compile(r"not-found|^user@|^user-runtime-dir@|^user-|^session-")
    status = "package ${Package} ${Version} ${Status}\n"
    lines += output_of("dpkg-query", "--show", f"--showformat={status}").splitlines()
    lines += [f"mark {name}" for name in output_of("apt-mark", "showmanual").split()]
    units = output_of("systemctl", "list-unit-files", "--plain", "--no-legend")
    lines += [f"unit-file {line}" for line in units.splitlines() if not passing.search(line)]
    units = output_of("systemctl", "list-units", "--plain", "--no-legend", "--all", "--type=service,socket,target")
    lines += [f"unit {' '.join(line.split()[:4])}" for line in units.splitlines() if not passing.search(line)]
    lines += [f"rule {line}" for line in output_of("nft", "--stateless", "list", "ruleset").splitlines()]
    lines += [f"port {line.split()[3]}" for line in output_of("ss", "-Hltn").splitlines()]
    lines += [f"somaxconn {Path('/proc/sys/net/core/somaxconn').read_text()}".strip()]
    print("\n".join(sorted(lines)))


if __name__ == "__main__":
    main()
