"""Slow clients on one host, and how long ordinary requests from another take: for test_slow.py and benchmarks/slow."""

import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

FILES = Path(__file__).with_name("files")
KINDS = ("heads", "bodies", "readers")
UNIT = "slow-clients"
REPORT = f"/run/{UNIT}.json"
READY = 30  # seconds

# who waits for whom: sockets of lighttpd and of the gateway, where their processes stand, and what the machine lacks
WAITING = """ss -Htanpo '( sport = :{web} or sport = :{own} or dport = :{own} )' | grep -v ^TIME-WAIT | head -200
ps -eo pid,stat,wchan:24,time,maj_flt,args | grep -E '[l]ighttpd|[w]ebpy_gateway'; uptime; head /proc/pressure/*"""

# runs a shell command on a host and returns what it prints; raises where that fails
Run = Callable[[str], str]


def python(script: str, *words: object) -> str:
    """Return the command that runs one of the files."""
    return shlex.join(["python3", "-I", "-c", (FILES / script).read_text(), *map(str, words)])


def until(condition: str) -> str:
    """Return a command that waits for what a shell can tell."""
    return f"timeout {READY} sh -c {shlex.quote(f'until {condition}; do sleep 0.1; done')}"


def established(port: int) -> str:
    """Return a command that counts the connections to a port of the host."""
    return f"ss -Htn state established '( sport = :{port} )' | wc -l"


@contextmanager
def slow_clients(run: Run, to: tuple[str, int], count: int, kinds: Sequence[str] = KINDS) -> Iterator[None]:
    """Hold slow connections, as many of each kind. Raises RuntimeError where not all of them are open at the end."""
    start = f"systemd-run --quiet --collect --unit={UNIT} --property=LimitNOFILE=20000 "
    run(f"rm -f {REPORT}")
    run(start + python("slow.py", *to, count, ",".join(kinds), REPORT))
    try:
        run(until(f"[ -e {REPORT} ]"))
        yield
    finally:
        run(f"systemctl stop {UNIT}")
    if (report := json.loads(run(f"cat {REPORT}"))) != {"held": count, "lost": 0}:
        raise RuntimeError(f"of {count} slow connections: {report}")


def settle(run: Run, web: int, gateway: int, count: int) -> None:
    """Wait until all of them have come to lighttpd, and what the workers had to say is with it."""
    run(until(f"[ $({established(web)}) -ge {count} ]"))
    unread = f"ss -Htn state established '( sport = :{web} )' | awk '$1 {{ unread++ }} END {{ exit unread > 20 }}'"
    run(until(unread))  # every moment a few send a byte
    run(until(f"[ $({established(gateway)}) = 0 ]"))


@contextmanager
def explained(run: Run, web: int, own: int) -> Iterator[None]:
    """Tell with a failure of an ordinary client what its host looks like right after it."""
    try:
        yield
    except AssertionError as error:
        error.add_note(run(WAITING.format(web=web, own=own)))
        raise


def p99(run: Run, to: tuple[str, int], path: str, seconds: float) -> float:
    """Return the seconds that 99 % of ordinary requests stay below, one made after the other."""
    took: list[float] = json.loads(run(python("ordinary.py", *to, path, seconds)))
    return quantiles(took, n=100)[98]
