"""Starts one path at a time: what is not measured must not run, since every firewall table sees every packet."""

import http.client
import pathlib
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from bench import usage
from bench.paths import Path
from bench.workloads import Workload

PATIENCE = 30.0
PAUSE = 0.15
LIGHTTPD = "lighttpd.service"
LIGHTTPD_WORKERS = pathlib.Path("/etc/lighttpd/conf-enabled/99-bench.conf")  # after those of the role: the last counts
# seconds until a process of lighttpd that was refused while the gateway was starting asks it again; another process may
# have given the right answer meanwhile
FORGIVEN = 2.2
CALM = 0.1  # of a processor: the share that an idle gateway may take


class UnfitError(Exception):
    """A path does not do what it should."""


def systemctl(*words: str) -> None:
    """Calls systemctl. Raises CalledProcessError."""
    subprocess.run(["systemctl", *words], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def running(path: Path) -> Iterator[None]:
    """The path's gateway and its web server, from a fresh start: a figure must not be that of one process alone."""
    if path.front == LIGHTTPD:
        LIGHTTPD_WORKERS.write_text(f"server.max-worker := {path.lighttpd_workers}\n")
    systemctl("restart", path.front)
    # not to be counted: systemd refuses the sixth start within ten seconds
    systemctl("reset-failed", path.front)
    if path.starts:
        systemctl("start", path.starts)
    try:
        yield
    finally:
        stop([path])


def stop(paths: Sequence[Path]) -> None:
    """Stops the gateways of the paths, and waits for the last of their processes."""
    starts = [path.starts for path in paths if path.starts]
    if starts:
        systemctl("stop", *starts)
    until(lambda: not usage.processes(unit for path in paths for unit in path.units), "processes are left")


def settle(path: Path) -> None:
    """Waits until the gateway does nothing any more: the first worker may answer before the last one has started."""
    if path.lighttpd_workers > 1:
        time.sleep(FORGIVEN)
    used = [-1.0]

    def calm() -> bool:
        used.append(usage.cpu_seconds(path.units))
        return used[-1] - used[-2] < CALM * PAUSE

    until(calm, "it does not come to rest", PAUSE)


def until(condition: Callable[[], bool], otherwise: str, pause: float = 0.02) -> None:
    """Waits until the condition holds. Raises UnfitError when it does not come to pass."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise UnfitError(otherwise)
        time.sleep(pause)


def address(path: Path, workload: Workload) -> str:
    """The URL that is asked for on this path."""
    target = workload.url if path.starts else f"/{workload.static}"
    return f"http://127.0.0.1:{path.port}{target}"


def expect_answer(path: Path, workload: Workload) -> None:
    """Insists on the right answer, so that wrong ones are never measured. Raises UnfitError."""
    target = address(path, workload).split(str(path.port), 1)[1]
    end = time.monotonic() + PATIENCE
    while said := _ask(path.port, target, workload):
        if time.monotonic() > end:
            raise UnfitError(f"{path.name}, {workload.name}: {said}")
        time.sleep(0.05)


def _ask(port: int, target: str, workload: Workload) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("POST" if workload.body else "GET", target, workload.body or None, dict(workload.headers))
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()
    return "" if (answer.status, body.strip()) == (200, workload.answer) else f"{answer.status} {body[:200]!r}"
