"""Throwaway hosts for benchmarks/deploy and benchmarks/slow."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable

import support

FOLDER = support.ROOT / ".cache/benchmark-deploy"
INVENTORY = FOLDER / "inventory.yml"
OPTIONS = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "LogLevel=ERROR"]


def playbook(*words: str, **env: str) -> str:
    """Run ansible-playbook and return what it prints; end the benchmark with that where it fails."""
    with tempfile.TemporaryFile() as log:
        child = support.start([str(support.ROOT / ".venv/bin/ansible-playbook"), *words], log, **env)
        try:
            code = child.wait()
        except support.Interrupted:
            support.stop(child)
            raise
        log.seek(0)
        text = log.read().decode(errors="replace")
    if code:
        sys.exit(f"{text}\nansible-playbook {' '.join(words)} failed")
    return text


def variables(**values: object) -> list[str]:
    """Return words that give ansible-playbook variables."""
    return [word for name, value in values.items() for word in ("-e", f"{name}={value}")]


def make_hosts(count: int, suite: str) -> None:
    """Make hosts in place of those that are there, host1, host2 and so on; none for 0."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    values = variables(host_count=count, suite=suite, folder=FOLDER)
    playbook("-i", "localhost,", "benchmarks/deploy_hosts.yml", *values)


def on(host: str) -> Callable[[str], str]:
    """Return a function that runs a shell command on a host and returns what it prints. Raises CalledProcessError."""
    found = re.search(rf"\b{host}: {{ansible_port: (\d+)}}", INVENTORY.read_text())
    if not found:
        raise ValueError(f"{INVENTORY} has no {host}")
    options = [word for option in OPTIONS for word in ("-o", option)]
    ssh = ["ssh", "-i", str(FOLDER / "ssh_key"), "-p", found[1], *options, "root@127.0.0.1"]

    def run(command: str) -> str:
        done = subprocess.run([*ssh, command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.strip()

    return run
