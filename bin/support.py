"""What bin/run and bin/test share: where things are, and children that end when their parent is told to."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import IO

ROOT = Path(__file__).resolve().parent.parent


class Interrupted(BaseException):
    """The user, or the machine, wants this run to end; `number` is the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def _interrupt(number: int, _frame: FrameType | None) -> None:
    # Cleaning up must not be interrupted by a second, impatient Ctrl-C.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted(number)


def raise_on_signals() -> None:
    """Turn the first SIGINT, SIGTERM or SIGHUP into Interrupted, and ignore the ones after it."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _interrupt)


def setup(*words: str) -> None:
    """Install what is missing; end this program where that fails."""
    code = subprocess.run([ROOT / "bin/setup", *words], cwd=ROOT).returncode
    if code:
        sys.exit(code)


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment with the project's tools and configuration first."""
    path = f"{ROOT}/.venv/bin:{os.environ.get('PATH', os.defpath)}"
    return os.environ | {"PATH": path, "ANSIBLE_CONFIG": f"{ROOT}/ansible.cfg"} | more


def start(
    command: Sequence[str], log: IO[bytes] | None = None, pass_fds: Sequence[int] = (), **env: str
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, so that only `stop` tells it (and its children) to end."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT if log else None,
        start_new_session=True,
        pass_fds=pass_fds,
    )


def stop(child: subprocess.Popen[bytes], patience: float = 30.0) -> None:
    """Ask a command of `start` to end as Ctrl-C would; kill it after `patience` seconds."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:
            return
        os.killpg(child.pid, number)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            continue
