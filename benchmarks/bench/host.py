"""The throwaway host of the benchmark: made, filled and removed by playbooks, used over ssh."""

import hashlib
import json
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import support

from bench.paths import Path
from bench.plan import Plan

STATE = support.ROOT / ".cache" / "benchmarks"
SSH_CONFIG = STATE / "ssh_config"
INVENTORY = STATE / "inventory.json"


def inventory(paths: Sequence[Path], workers: int, suite: str) -> dict[str, object]:
    """The machine under its own name, and under a name for every instance of the role that it gets."""
    instances = {path.role["webpy_gateway_name"]: path for path in paths if path.role}
    if not instances:
        raise SystemExit("benchmarks/run: --paths needs one of ours: the role brings lighttpd")
    everywhere = {
        "ansible_ssh_common_args": f"-F {SSH_CONFIG}",
        "ansible_control_path": "%(directory)s/%%C",
        "bench_folder": str(STATE),
        "bench_ssh_config": str(SSH_CONFIG),
        "bench_host_set": f"webpy-gateway-{hashlib.sha1(str(support.ROOT).encode()).hexdigest()[:8]}-side-by-side",
        "bench_suite": suite,
        "bench_workers": workers,
    }
    common = {
        "webpy_gateway_app_src": str(support.ROOT / "benchmarks" / "app"),
        "webpy_gateway_workers": str(workers),
    }
    groups = {
        "webpy_gateway": {"hosts": {name: path.role for name, path in instances.items()}, "vars": common},
        "unprotected": {"hosts": {name: {} for name, path in instances.items() if path.unprotected}},
        "measured": {"hosts": {"bench": {}}},
    }
    return {"all": {"vars": everywhere, "children": groups}}


def make(paths: Sequence[Path], workers: int, suite: str) -> None:
    """Make the host if need be, and everything that is to be measured on it. Raises SystemExit."""
    STATE.mkdir(parents=True, exist_ok=True)
    INVENTORY.write_text(json.dumps(inventory(paths, workers, suite), indent=2))
    _playbook("benchmark.yml")


def remove() -> None:
    """Remove the host; none is fine."""
    if INVENTORY.exists():
        _playbook("remove.yml")


def _playbook(name: str) -> None:
    words = [support.ROOT / ".venv/bin/ansible-playbook", "-i", INVENTORY, support.ROOT / "benchmarks/playbooks" / name]
    log = STATE / "ansible.log"
    print(f"==> {name} (what it says is in {log.relative_to(support.ROOT)})", flush=True)
    with log.open("wb") as output:
        child = support.start([str(word) for word in words], output, ANSIBLE_NOCOLOR="1")
        try:
            code = child.wait()
        except support.Interrupted:
            support.stop(child)
            raise
    if code:
        print("\n".join(log.read_text(errors="replace").splitlines()[-60:]))
        raise SystemExit(f"benchmarks/run: {name} failed")


def measure(plan: Plan) -> Iterator[dict[str, Any]]:
    """What bench.measure says on the host, line by line. Raises SystemExit when it fails."""
    remote = f"cd /opt/bench && exec python3 -m bench.measure {shlex.quote(json.dumps(asdict(plan)))}"
    words = ["ssh", "-F", str(SSH_CONFIG), "bench", remote]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child:
        try:
            for line in child.stdout or ():
                yield json.loads(line)
        except BaseException:
            child.terminate()
            raise
    if child.returncode:
        raise SystemExit(f"benchmarks/run: measuring failed ({child.returncode})")
