"""What the figures were measured on, and with which versions."""

import os
import platform
import re
import resource
import subprocess
from pathlib import Path

PEERS = "/opt/bench/venv/bin/python"
VERSIONS = """
from importlib.metadata import version
print(", ".join(f"{name} {version(name)}" for name in ("gunicorn", "uWSGI", "gevent", "web.py")))
"""


def describe() -> dict[str, str]:
    """Names and values, for readers."""
    model = _first("/proc/cpuinfo", r"model name\s*: (.*)")
    kib = int(_first("/proc/meminfo", r"MemTotal: *(\d+)"))
    system = _first("/etc/os-release", r'PRETTY_NAME="(.*)"')
    return {
        "processor": f"{len(os.sched_getaffinity(0))} cores, {model}",
        "memory": f"{kib / 2**20:.0f} GiB",
        "system": f"{system}, Linux {platform.release()}",
        "Debian packages": ", ".join(f"{name} {_package(name)}" for name in ("lighttpd", "nginx", "wrk")),
        "Python packages": f"{_said(PEERS, '-c', VERSIONS)}, on Python {platform.python_version()}",
        "open files": str(resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        "somaxconn": Path("/proc/sys/net/core/somaxconn").read_text().strip(),
        "congestion control": Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
    }


def _first(path: str, pattern: str) -> str:
    found = re.search(pattern, Path(path).read_text())
    return found[1].strip() if found else "unknown"


def _package(name: str) -> str:
    return _said("dpkg-query", "--show", "--showformat=${Version}", name)


def _said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
