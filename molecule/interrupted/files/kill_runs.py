#!/usr/bin/env python3
"""Let two runs begin at once, take the host from one; then kill runs at random moments, and try what is left.

    kill_runs.py INVENTORY PLAYBOOK APPLICATION ROUNDS [SEED]

Round by round, with a seed of its own: a changed application, or that and a changed configuration (in turn), is
deployed, and the process group of that run is killed (SIGKILL) after a part of the time that such a run takes when
nobody kills it. Then, through lighttpd, the release of before or the new one must answer; a second run must succeed and
the new release answer, with its own configuration; a third one must find nothing to do. Prints a line a round, and in
the end at which tasks runs were killed; exits with 1 where anything else happened.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

LOCK = "/run/webpy_gateway/lock"
LONGEST = 600.0  # seconds for a run that nobody kills
ASK = """python3 -c 'import urllib.request as u
print(u.urlopen("http://127.0.0.1/webpy_api/%s", timeout=15).read().decode())'"""


@dataclass
class Result:
    """How a run ended."""

    code: int
    output: str
    seconds: float

    @property
    def moment(self) -> str:
        """What it was doing when it ended."""
        tasks = re.findall(r"TASK \[(?:webpy_gateway : )?(.*?)\]", self.output)
        return "its end" if self.code == 0 else tasks[-1] if tasks else "its beginning"

    @property
    def changed(self) -> int:
        """Number of changes; -1 where the run did not come to its end."""
        found = re.search(r"changed=(\d+)", self.output)
        return int(found[1]) if found else -1


class Control:
    """The control node: it deploys to the one host of an inventory, and asks what answers there."""

    def __init__(self, inventory: str, playbook: str, application: str) -> None:
        """Take paths; the application is copied and changed there."""
        self.inventory, self.playbook = inventory, playbook
        self.folder = Path(tempfile.mkdtemp(prefix="webpy_gateway-"))
        self.app = self.folder / "app"
        subprocess.run(["cp", "-r", application, self.app], check=True)

    def deploy(self, version: int, timeout: int, kill_after: float = LONGEST, **more: object) -> Result:
        """Deploy a version with a request timeout and more variables; kill the run after so many seconds."""
        text = (self.app / "app.py").read_text()
        (self.app / "app.py").write_text(re.sub(r'VERSION = ".*"', f'VERSION = "{version}"', text))
        settings = {"webpy_gateway_app_src": str(self.app), "webpy_gateway_request_timeout": timeout} | more
        command = [
            "ansible-playbook",
            "--inventory",
            self.inventory,
            "--extra-vars",
            json.dumps(settings),
            self.playbook,
        ]
        began = time.monotonic()
        with tempfile.TemporaryFile("w+") as log:
            run = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, text=True
            )
            try:
                run.wait(kill_after)
            except subprocess.TimeoutExpired:
                self.kill(run.pid)
                run.wait()
            log.seek(0)
            return Result(run.returncode, log.read(), time.monotonic() - began)

    def kill(self, pid: int) -> None:
        """Kill a playbook with everything that it started, at once: workers have sessions of their own."""
        os.kill(pid, signal.SIGSTOP)
        for child in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split():
            self.kill(int(child))
        os.kill(pid, signal.SIGKILL)

    def ask(self, what: str) -> str:
        """Return what the host answers itself through lighttpd, or on the command line after "!"."""
        command = what[1:] if what.startswith("!") else ASK % what
        shell = ["ansible", "--inventory", self.inventory, "webpy_gateway", "--module-name", "ansible.builtin.raw"]
        # no pipe: ssh's master process would keep it open
        with tempfile.TemporaryFile("w+") as answer:
            subprocess.run([*shell, "--args", command], stdout=answer, stderr=answer, stdin=subprocess.DEVNULL)
            answer.seek(0)
            return answer.read().split(">>\n", 1)[-1].replace("\r", "").strip()

    def release(self) -> str:
        """Return the release that answers."""
        answer = self.ask("_health")
        found = re.search(r'"release": *"(\w+)"', answer)
        return found[1] if found else answer


def at_once(controls: list[Control]) -> list[str]:
    """Deploy another version from each control node at the same time; return what was not as it has to be."""
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda number: controls[number].deploy(number + 1, 60 + number), range(len(controls))))
    found = [f"one of several runs failed: {result.output[-3000:]}" for result in results if result.code]
    says = int(controls[0].ask("version"))
    again = controls[says - 1].deploy(says, 59 + says)
    if again.code or again.changed:
        found.append(f"version {says} was not whole: {again.output[-3000:]}")
    print(
        f"{len(controls)} runs at once took {[round(result.seconds, 1) for result in results]} s, {says} was the last"
    )
    return found


def held(control: Control) -> list[str]:
    """Try to deploy while somebody elsewhere holds the host."""
    now = time.time()
    lock = {"control": "elsewhere", "pid": 1, "started": "1", "who": "ada@elsewhere", "what": "release 0123456789ab"}
    lock |= {"since": now, "lease": 600, "token": "0"}
    control.ask(f"!mkdir -p /run/webpy_gateway; echo '{json.dumps(lock)}' >{LOCK}")
    before = control.ask("version")
    refused = control.deploy(50, 70, __webpy_gateway_patience=2)
    words = ["ada@elsewhere", "release 0123456789ab", LOCK, "nothing was changed"]
    missing = [word for word in words if word not in " ".join(refused.output.split())]
    control.ask(f"!rm {LOCK}")
    if not refused.code or missing or control.ask("version") != before:
        return [f"a host that is held was changed, or {missing} not said: {refused.output[-3000:]}"]
    return []


def robbed(control: Control) -> list[str]:
    """Deploy while somebody takes the host from that run, and expect it to go no further; then deploy once more."""
    before = control.release()
    lock = json.dumps({"who": "bob@elsewhere", "pid": 2, "since": 0, "lease": 600, "token": "1", "what": "another run"})
    take = f"until test -e {LOCK}; do sleep 0.02; done; mv /run/robber {LOCK}"
    control.ask(f"!echo '{lock}' >/run/robber; systemd-run --quiet --collect sh -c '{take}'")
    refused = control.deploy(51, 70)
    found = []
    if not refused.code or f"{LOCK} is no longer" not in " ".join(refused.output.split()):
        found.append(f"a run that was robbed of the host did not say so: {refused.output[-3000:]}")
    if control.release() != before or "another run" not in control.ask(f"!cat {LOCK}"):
        found.append("a run that was robbed of the host went on")
    control.ask(f"!rm {LOCK}")
    again = control.deploy(51, 70)
    if again.code or control.ask("version") != "51":
        found.append(f"the run after that did not complete: {again.output[-3000:]}")
    return found


def problems(control: Control, before: str, version: int, timeout: int, killed: Result) -> list[str]:
    """Try what a killed run left; return what was not as it has to be."""
    found = []
    left, says = control.release(), control.ask("version")
    if says not in (str(version), str(version - 1)):
        found.append(f"version {says!r} answered after the kill")
    again = control.deploy(version, timeout)
    if again.code or control.ask("version") != str(version):
        found.append(f"the next run did not complete: {again.output[-3000:]}")
    new = control.release()
    if left not in (before, new):
        found.append(f"{left!r} answered after the kill, neither {before} nor {new}")
    if f"request_timeout = {timeout}" not in control.ask("!cat /etc/webpy-gateway/gateway.toml"):
        found.append("the new configuration is not there")
    # a worker that was not restarted would still have the old one
    if control.ask("!systemctl --no-pager show --value --property NeedDaemonReload webpy-gateway@1.service") != "no":
        found.append("systemd has not read the units again")
    leftovers = control.ask(f"!ls -d /opt/*/journal.json /opt/*/last-good* {LOCK} /etc/*/*.new 2>/dev/null; true")
    if leftovers:
        found.append(f"left behind: {leftovers}")
    third = control.deploy(version, timeout)
    if third.code or third.changed:
        found.append(f"the run after that found something to do: {third.output[-3000:]}")
    print(f"  after {killed.seconds:.1f} s, at {killed.moment!r}: {left} answered, then {new}", flush=True)
    return found


def main() -> int:
    """Play all rounds."""
    inventory, playbook, application, rounds, *seed = sys.argv[1:]
    control, other = (Control(inventory, playbook, application) for _ in range(2))
    version, timeout, bad = 100, 60, 0
    for problem in at_once([control, other]) + held(control) + robbed(control):
        bad += 1
        print(f"PROBLEM: {problem}", flush=True)
    control.deploy(version, timeout)
    # how long runs take that nobody kills: one of the application only, and one that changes the configuration, too
    whole = [control.deploy(version + 1, timeout).seconds, control.deploy(version + 2, timeout + 1).seconds]
    version, timeout, moments = version + 2, timeout + 1, Counter[str]()
    first = int(seed[0]) if seed else int(time.time())
    for number in range(first, first + int(rounds)):
        random.seed(number)
        before, kind = control.release(), number % 2
        version, timeout = version + 1, timeout + kind
        print(f"seed {number}, version {version}, timeout {timeout}, of {whole[kind]:.1f} s", flush=True)
        killed = control.deploy(version, timeout, kill_after=random.uniform(0, whole[kind]))
        if killed.code == 0:
            whole[kind] = killed.seconds
        moments[killed.moment] += 1
        for problem in problems(control, before, version, timeout, killed):
            bad += 1
            print(f"  PROBLEM: {problem}", flush=True)
    print(f"killed at {dict(moments.most_common())}")
    print(f"{rounds} rounds, {bad} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
