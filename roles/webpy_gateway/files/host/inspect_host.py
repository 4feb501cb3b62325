"""Tell what is on the host, so that the role only touches what differs; changes nothing.

Reads a question on the command line, {"name": ..., "packages": [...], "files": [...], "ports": [...], "units": [...]},
and prints the answer as one JSON object.  Runs with the system's Python, before anything is installed.
"""

from __future__ import annotations

import glob
import grp
import hashlib
import json
import os
import platform
import pwd
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any

ACCOUNT_COMMENT = "web.py gateway"


def distribution() -> dict[str, str]:
    """Return ID and VERSION_ID of os-release(5)."""
    release = platform.freedesktop_os_release()
    keys = {"id": "ID", "version": "VERSION_ID", "name": "PRETTY_NAME"}
    return {name: release.get(key, "") for name, key in keys.items()}


def output_of(*command: str) -> str:
    """Return what a command prints; nothing where the command does not exist."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return ""


def missing(packages: list[str]) -> list[str]:
    """Return the packages that dpkg does not know as installed."""
    lines = output_of("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *packages).splitlines()
    return [package for package in packages if f"{package} installed" not in lines]


def user_id(name: str) -> int | None:
    """Return the number of a user, None where there is no such user."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def is_foreign(name: str) -> bool:
    """Tell whether a user of that name exists that this role did not create."""
    try:
        return pwd.getpwnam(name).pw_gecos != ACCOUNT_COMMENT
    except KeyError:
        return False


def group_members(name: str) -> list[str]:
    """Return the users in a group, but for the one of the same name."""
    try:
        group = grp.getgrnam(name)
    except KeyError:
        return []
    users = {user.pw_name for user in pwd.getpwall() if user.pw_gid == group.gr_gid} | set(group.gr_mem)
    return sorted(users - {name})


def file_state(path: str) -> str | None:
    """Return a file as "path digest mode owner:group", a link as "path -> target", None where there is nothing."""
    if os.path.islink(path):
        return f"{path} -> {os.readlink(path)}"
    try:
        with open(path, "rb") as file:
            info = os.fstat(file.fileno())
            digest = hashlib.sha256(file.read()).hexdigest()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    owner, group = name_of(pwd.getpwuid, info.st_uid), name_of(grp.getgrgid, info.st_gid)
    return f"{path} {digest} {info.st_mode & 0o7777:04o} {owner}:{group}"


def name_of(lookup: Callable[[int], tuple[object, ...]], number: int) -> str:
    """Return the name behind a user or group number, the number itself where it has none."""
    try:
        return str(lookup(number)[0])
    except KeyError:
        return str(number)


def lighttpd_ports() -> set[str]:
    """Return the TCP ports that the configuration of a running lighttpd names."""
    if output_of("systemctl", "is-active", "lighttpd.service").strip() != "active":
        return set()
    configuration = output_of("/usr/sbin/lighttpd", "-p", "-f", "/etc/lighttpd/lighttpd.conf")
    return set(
        re.findall(r'^\s*(?:server\.port\s*=\s*|\$SERVER\["socket"\] == "[^"]*:)(\d+)', configuration, re.MULTILINE)
    )


def listeners(ports: list[int]) -> dict[str, list[str]]:
    """Return, for each of the TCP ports, the names of the processes that listen there.

    Where root may not look into other processes (containers), lighttpd is known by its configuration; others are "?".
    """
    inodes: dict[str, int] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        with open(table, encoding="ascii") as lines:
            for fields in list(map(str.split, lines))[1:]:
                port = int(fields[1].rsplit(":", 1)[1], 16)
                if fields[3] == "0A" and port in ports:
                    inodes[fields[9]] = port
    holders: dict[str, set[str]] = {str(port): set() for port in inodes.values()}
    for link in glob.glob("/proc/[0-9]*/fd/*") if inodes else []:
        try:
            inode = os.readlink(link).removeprefix("socket:[").removesuffix("]")
            if inode in inodes:
                with open(f"/proc/{link.split('/')[2]}/comm", encoding="utf-8") as comm:
                    holders[str(inodes[inode])].add(comm.read().strip())
        except OSError:
            continue
    for unseen in [port for port, names in holders.items() if not names]:
        holders[unseen] = {"lighttpd" if unseen in lighttpd_ports() else "?"}
    return {port: sorted(names) for port, names in holders.items()}


def units(names: list[str], name: str) -> dict[str, dict[str, str]]:
    """Return state, enablement and socket of the units asked for and of every loaded worker of the instance."""
    properties = "Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload,Listen,Triggers,MainPID"
    text = output_of("systemctl", "show", f"--property={properties}", *names, f"{name}@*.service")
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n")]
    return {block["Id"]: block for block in blocks if block.get("Id")}


def sandboxed(pid: str) -> bool:
    """Tell whether a process can never gain privileges again, as the role's drop-in has it; 0: none runs."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as status:
            return "NoNewPrivs:\t1\n" in status.readlines()
    except (FileNotFoundError, ProcessLookupError):
        return False


def built(folder: str) -> list[str]:
    """Return the releases or environments in a folder, newest first; half-built ones lack the mark."""
    found = [path for path in glob.glob(f"{folder}/*") if os.path.exists(f"{path}/.ready")]
    return [os.path.basename(path) for path in sorted(found, key=os.path.getmtime, reverse=True)]


def content_of(path: str) -> Any:
    """Return the JSON in a file, None where there is no such file, or none that was written to its end."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def installed_by_role(name: str) -> list[str]:
    """Return the packages that earlier runs of the role brought."""
    return list(content_of(f"/etc/{name}/installed_packages.json") or [])


def memory() -> int:
    """Return the bytes of memory that the host has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def instances() -> list[dict[str, Any]]:
    """Return what every instance of the role on this host says of itself, and whether lighttpd came with it."""
    found = []
    for path in sorted(glob.glob("/etc/*/instance.json")):
        try:
            with open(path, encoding="utf-8") as file:
                instance = json.load(file)
        except ValueError:
            continue  # somebody else's file
        if "webpy_gateway" in instance:
            found.append(instance | {"brought_lighttpd": "lighttpd" in installed_by_role(instance["name"])})
    return found


def somaxconn() -> dict[str, object]:
    """Return how long the kernel lets a queue of connections be, and whether that can be changed here."""
    path = "/proc/sys/net/core/somaxconn"
    with open(path, encoding="ascii") as file:
        return {"value": int(file.read()), "writable": os.access(path, os.W_OK)}


def accepts_own_addresses() -> bool:
    """Tell whether packets on lo may come from this host's addresses without having been sent by it (accept_local)."""
    accepting = []
    for device in ("all", "lo"):
        with open(f"/proc/sys/net/ipv4/conf/{device}/accept_local", encoding="ascii") as file:
            accepting.append(int(file.read()))
    return any(accepting)


def most_files() -> int:
    """Return how many files a service can be allowed to open: what systemd may, unless it can raise that here."""
    with open("/proc/sys/fs/nr_open", encoding="ascii") as file:
        all_of_them = int(file.read())
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (all_of_them, all_of_them))
    except (OSError, ValueError):
        return resource.prlimit(1, resource.RLIMIT_NOFILE)[1]
    return all_of_them


def is_ours(name: str) -> bool:
    """Tell whether the role has been here: its account, or what it writes down, is there."""
    memories = (f"/etc/{name}/instance.json", f"/etc/{name}/installed_packages.json", f"/opt/{name}/journal.json")
    account = user_id(name) is not None and not is_foreign(name)
    return account or any(map(os.path.exists, memories))


def unreadable(paths: list[str], user: str) -> list[str]:
    """Return the files that a user cannot read: after a reload lighttpd reads keys as its own user, not as root."""
    found = []
    for path in paths:
        command = ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "test", "-r", path)
        if not os.path.isfile(path) or subprocess.run(command, check=False).returncode:
            found.append(path)
    return found


def clashes(site: dict[str, Any], name: str) -> list[str]:
    """Return "NAME (PREFIX)" of other instances whose URLs, or whose portals, overlap with those of a site."""
    found = []
    for other in instances():
        hosts, other_hosts = set(site["server_names"]), set(other["server_names"])
        prefixes = sorted((str(site["url_prefix"]), str(other["url_prefix"])), key=len)
        same_hosts = not hosts or not other_hosts or hosts & other_hosts
        same_port = other["site_port"] == site["site_port"]
        overlap = prefixes[1].startswith(prefixes[0]) or (site["portal"] and other["portal"])
        if other["name"] != name and same_port and same_hosts and overlap:
            found.append(f"{other['name']} ({other['url_prefix']})")
    return found


def main() -> None:
    """Answer the question given as the only argument."""
    if os.geteuid():
        sys.exit("only root sees the whole host")
    question = json.loads(sys.argv[1])
    name = question["name"]
    home = f"/opt/{name}"
    loaded = units(question["units"], name)
    current = os.path.basename(os.path.realpath(f"{home}/current")) if os.path.exists(f"{home}/current") else ""
    answer = {
        "distribution": distribution(),
        "systemd": os.path.isdir("/run/systemd/system"),
        "python": os.path.realpath(sys.executable),
        "interpreter": f"{sys.implementation.cache_tag}-{platform.machine()}",
        "ipv6": os.path.exists("/proc/net/if_inet6"),
        "hugepages": os.path.exists("/sys/kernel/mm/transparent_hugepage"),
        "cores": len(os.sched_getaffinity(0)),
        "missing_packages": missing(question["packages"]),
        "installed_packages": installed_by_role(name),
        "users": {user: user_id(user) for user in (name, "www-data")},
        "foreign_account": is_foreign(name),
        "group_members": group_members(name),
        "ours": is_ours(name),
        "files": list(filter(None, map(file_state, question["files"]))),
        "missing_folders": [path for path in question["folders"] if not os.path.isdir(path)],
        "secrets": sorted(glob.glob(f"/etc/{name}/secrets/*")),
        "listeners": listeners(question["ports"]),
        "units": loaded,
        "proxy_sandboxed": sandboxed(loaded.get("lighttpd.service", {}).get("MainPID", "0")),
        "releases": built(f"{home}/releases"),
        "history": content_of(f"{home}/history.json") or {"previous": "", "releases": []},
        # of an interrupted run
        "journal": content_of(f"{home}/journal.json"),
        "lock": content_of(f"{question['lock_folder']}/lock"),
        "generation": content_of(f"{question['lock_folder']}/generation") or "",
        "places": [path for path in question["places"] if os.path.lexists(path)],
        "memory": memory(),
        "venvs": built(f"{home}/venvs"),
        "current": current,
        "somaxconn": somaxconn(),
        "accepts_own_addresses": accepts_own_addresses(),
        "most_files": most_files(),
        "instances": instances(),
        "unreadable": unreadable(question["proxy_reads"], "www-data"),
        "clashes": clashes(question["site"], name),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
