"""Runs on the control node: does to a host, one after the other, all that must lose nothing, and writes down when.

    drive.py HOST FOLDER LIFE

HOST is a name in the inventory that Molecule's environment names; FOLDER gets events.json; LIFE is
JSON, {"rate", "events": {name of an event: how often}}. The events are spread evenly over the whole. events.json is
{"wanted": LIFE, "events": [{"event", "start", "end", "version" (which answers from `end` on), "held" (by a killed
worker)}]}.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

SCENARIO = Path(__file__).resolve().parents[1]
PROJECT = SCENARIO.parents[1]
RUNS = PROJECT / ".test-logs/zero_loss-runs.log"
CALM = 2.0  # seconds between events
# stops a worker, counts what it holds, and kills it: nothing is accepted or finished between the count and the kill
KILL = """
pid=$(systemctl show --value --property MainPID {unit}); kill -STOP $pid
ss --no-header --tcp --numeric --processes state established | grep --count "pid=$pid,"; kill -KILL $pid
"""
REINSTALL = "DEBIAN_FRONTEND=noninteractive apt-get -qq install --reinstall --yes lighttpd >/dev/null 2>&1"


class Driver:
    """One host, and the ways to change it."""

    def __init__(self, host: str, folder: Path) -> None:
        self._host, self._folder = host, folder
        self._inventory = os.environ["MOLECULE_INVENTORY_FILE"]
        self._app = folder / "app"
        self._settings: dict[str, object] = {}
        self._kills = 0
        self.version = "one"
        shutil.rmtree(self._app, ignore_errors=True)
        shutil.copytree(SCENARIO / "app", self._app)
        listing = subprocess.run(
            ["ansible-inventory", "--inventory", self._inventory, "--host", host],
            capture_output=True, check=True, text=True,
        )  # fmt: skip
        self._login = json.loads(listing.stdout)

    def deploy(self) -> None:
        """Deploy the other version."""
        self._turn()
        self._play("site.yml")

    def rollback(self) -> None:
        """Go back to the release before, which has the other version."""
        self._play("playbooks/rollback.yml")
        self._turn()

    def configure(self) -> None:
        """Change what workers and lighttpd read."""
        step = 1024 if self._settings.get("webpy_gateway_max_body_bytes") == 2**21 else 0
        self._settings = {
            "webpy_gateway_max_body_bytes": 2**21 + step,
            "webpy_gateway_max_concurrency": 5000 + step,
            "webpy_gateway_security_headers": {"X-Step": str(step)},
        }
        self._play("site.yml")

    def reload(self) -> None:
        """Reload lighttpd."""
        self.run("systemctl reload lighttpd.service")

    def restart(self) -> None:
        """Restart the whole gateway."""
        self.run("systemctl restart webpy-gateway.target")

    def reinstall(self) -> None:
        """Install lighttpd once more, as an upgrade of the package does."""
        self.run(REINSTALL)

    def kill(self) -> dict[str, int]:
        """Kill a worker; return how many requests it held."""
        self._kills += 1
        unit = f"webpy-gateway@{1 + self._kills % 2}.service"
        held = int(self.run(KILL.format(unit=unit)))
        self.run(f"until systemctl is-active --quiet {unit}; do sleep 0.1; done")
        return {"held": held}

    def run(self, command: str) -> str:
        """Run a command on the host; return what it prints."""
        login = self._login
        options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
        words = ["ssh", "-p", str(login["ansible_port"]), "-i", login["ansible_private_key_file"]]
        words += [word for option in options for word in ("-o", option)]
        words += [f"{login['ansible_user']}@{login['ansible_host']}", command]
        return subprocess.run(words, check=True, capture_output=True, text=True, timeout=120).stdout

    def _turn(self) -> None:
        self.version = "two" if self.version == "one" else "one"
        (self._app / "version.py").write_text(f'"""Which release this is."""\n\nVERSION = "{self.version}"\n')

    def _play(self, playbook: str, **more: object) -> None:
        variables = {"webpy_gateway_app_src": str(self._app), **self._settings, **more}
        command = ["ansible-playbook", "--inventory", self._inventory, str(PROJECT / playbook)]
        done = subprocess.run([*command, "--extra-vars", json.dumps(variables)], capture_output=True, text=True)
        with RUNS.open("a") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode:
            sys.exit(f"{playbook} failed: {done.stdout[-3000:]} {done.stderr[-1000:]}")


def spread(life: Mapping[str, int]) -> list[str]:
    """Return the names of all events, those of each kind evenly over the whole."""
    places = [((number + 0.5) / often, name) for name, often in life.items() for number in range(often)]
    return [name for _, name in sorted(places)]


def main() -> None:
    """Go through the life that the arguments describe."""
    host, folder, life = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    driver, events = Driver(host, folder), list[dict[str, Any]]()
    RUNS.parent.mkdir(exist_ok=True)
    RUNS.unlink(missing_ok=True)
    for name in spread(life["events"]):
        event: Callable[[], dict[str, int] | None] = getattr(driver, name)
        time.sleep(CALM)
        start = time.time()
        more = event() or {}
        events.append({"event": name, "start": start, "end": time.time(), "version": driver.version, **more})
        (folder / "events.json").write_text(json.dumps({"wanted": life, "events": events}, indent=1))
    time.sleep(CALM)


if __name__ == "__main__":
    main()
