"""HTTP ports of the hosts as sockets on this machine.

A tunnel's requests come from the host at its other end: from the web server's own host, or from another one.  Tests
send real bytes that way without any program on the host, and one SSH connection serves them all.
"""

import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PATIENCE = 20.0  # seconds until the tunnel is open


class Tunnel:
    """`path`: a unix socket here; who connects to it speaks to `target` ("address:port"), as the host `via` would."""

    def __init__(self, via: Mapping[str, Any], target: str) -> None:
        """Open the tunnel; `via` are the connection variables of the inventory."""
        self._folder = tempfile.TemporaryDirectory(prefix="tunnel-")
        self.path = str(Path(self._folder.name, "socket"))
        options = ["BatchMode=yes", "ExitOnForwardFailure=yes", "IdentitiesOnly=yes", "LogLevel=ERROR"]
        options += ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"]
        command = ["ssh", "-N", "-F", "none", *(f"-o{option}" for option in options)]
        command += ["-i", via["ansible_private_key_file"], "-p", str(via["ansible_port"])]
        command += ["-L", f"{self.path}:{target}", f"{via['ansible_user']}@{via['ansible_host']}"]
        self._ssh = subprocess.Popen(command)
        end = time.monotonic() + PATIENCE
        while not self._open():
            if self._ssh.poll() is not None or time.monotonic() > end:
                self.close()
                raise ConnectionError(f"no tunnel to {target} through {via['ansible_host']}:{via['ansible_port']}")
            time.sleep(0.02)

    def _open(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.path) == 0

    def close(self) -> None:
        """End the tunnel."""
        self._ssh.terminate()
        self._ssh.wait()
        self._folder.cleanup()
