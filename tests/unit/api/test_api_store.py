"""The database under several processes and under greenlets, from its first use on."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from api_client import API
from device_inventory import store
from device_inventory.fields import Values

WORKERS = 4
WRITES = 25

# Every worker says it is ready and writes when the go file appears: all make the schema at the same moment.
WORKER = f"""
import sys, time
from pathlib import Path
from device_inventory import store

me, go = sys.argv[1], Path(sys.argv[2])
print("ready", flush=True)
while not go.exists():
    pass
for number in range({WRITES}):
    store.create(dict(name=f"w{{me}}-{{number}}", kind="server", address="", location="", notes=""))
    store.find("w", 10, 0)
"""

# One greenlet waits for a locked database: the clock of another one must go on.
GREENLETS = """
from gevent import monkey; monkey.patch_all()
import os, sqlite3, gevent, time
from device_inventory import store

def add(name):
    store.create(dict(name=name, kind="server", address="", location="", notes=""))

gevent.joinall([gevent.spawn(add, f"g{number}") for number in range(50)], raise_error=True)
assert store.summary()[0] == 50

holder = sqlite3.connect(os.environ["STATE_DIRECTORY"] + "/inventory.sqlite3", isolation_level=None)
holder.execute("BEGIN IMMEDIATE")
waiting = gevent.spawn(add, "late")
ticks = 0
for _ in range(20):
    time.sleep(0.01)
    ticks += 1
assert not waiting.ready()
holder.execute("ROLLBACK")
waiting.get(timeout=2)
assert store.summary()[0] == 51
"""


def environment(state: Path) -> dict[str, str]:
    return {**os.environ, "STATE_DIRECTORY": str(state), "PYTHONPATH": str(API)}


def test_processes_create_the_schema_and_write_at_once(tmp_path: Path) -> None:
    state, go = tmp_path / "state", tmp_path / "go"
    state.mkdir()
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(number), str(go)],
            env=environment(state),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(WORKERS)
    ]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
    assert not list(state.iterdir()), "importing the application touches nothing"
    go.touch()
    for worker in workers:
        _, errors = worker.communicate(timeout=20)
        assert worker.returncode == 0, errors

    database = sqlite3.connect(state / "inventory.sqlite3")
    assert database.execute("SELECT count(*) FROM devices").fetchone() == (WORKERS * WRITES,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_schema_made_twice_keeps_the_data(state: Path) -> None:
    device = store.create(Values(name="x", kind="other", address="", location="", notes=""))
    database = sqlite3.connect(state / "inventory.sqlite3", isolation_level=None)
    store._create_schema(database)
    database.close()
    assert store.get(device["id"]) == device


def test_greenlets_share_a_worker(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GREENLETS], env=environment(tmp_path), capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stderr
