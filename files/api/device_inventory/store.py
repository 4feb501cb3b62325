"""Devices in SQLite. One connection a transaction: nothing is shared by greenlets, threads or processes."""

import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from .fields import Values

BUSY_SECONDS = 5.0
SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS devices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    location TEXT NOT NULL,
    notes TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL
)
"""
SEARCHED = " || char(10) || ".join(("name", "kind", "address", "location", "notes"))
MATCH = f"instr(casefold({SEARCHED}), ?)"


class Device(Values):
    """A stored device; times are UTC, ISO 8601."""

    id: int
    created: str
    updated: str


class BusyError(Exception):
    """Another process kept the database locked for BUSY_SECONDS."""


class NameTakenError(Exception):
    """Another device has that name; case makes no difference."""


def find(text: str, limit: int, offset: int) -> tuple[list[Device], int]:
    """Return one page of the devices that contain `text` in any field, by name, and the number of all of them."""
    wanted = text.casefold()
    with _transaction("BEGIN") as db:
        # SQLite's own lower() knows ASCII only.
        db.create_function("casefold", 1, str.casefold, deterministic=True)
        total: int = db.execute(f"SELECT count(*) FROM devices WHERE {MATCH}", (wanted,)).fetchone()[0]
        query = f"SELECT * FROM devices WHERE {MATCH} ORDER BY name LIMIT ? OFFSET ?"
        return [_device(row) for row in db.execute(query, (wanted, limit, offset))], total


def get(device_id: int) -> Device | None:
    """Return a device, None if there is none with that id."""
    with _transaction("BEGIN") as db:
        return _first(db.execute("SELECT * FROM devices WHERE id = ?", (device_id,)))


def create(values: Values) -> Device:
    """Store a new device; raise NameTakenError."""
    query = """INSERT INTO devices (name, kind, address, location, notes, created, updated)
               VALUES (:name, :kind, :address, :location, :notes, :now, :now) RETURNING *"""
    with _transaction("BEGIN IMMEDIATE") as db:
        return _device(db.execute(query, {**values, "now": now()}).fetchone())


def replace(device_id: int, values: Values) -> Device | None:
    """Give a device new values; None if there is none with that id; raise NameTakenError."""
    query = """UPDATE devices SET name = :name, kind = :kind, address = :address, location = :location,
               notes = :notes, updated = :now WHERE id = :id RETURNING *"""
    with _transaction("BEGIN IMMEDIATE") as db:
        return _first(db.execute(query, {**values, "now": now(), "id": device_id}))


def delete(device_id: int) -> bool:
    """Delete a device; False if there is none with that id."""
    with _transaction("BEGIN IMMEDIATE") as db:
        return db.execute("DELETE FROM devices WHERE id = ?", (device_id,)).rowcount > 0


def summary() -> tuple[int, str]:
    """Return the number of devices and when the last one was written; empty text: never."""
    with _transaction("BEGIN") as db:
        count, changed = db.execute("SELECT count(*), coalesce(max(updated), '') FROM devices").fetchone()
        return count, changed


@contextmanager
def _transaction(begin: str) -> Iterator[sqlite3.Connection]:
    """Commit at the end of the block, roll back if it raises; raise BusyError before the block begins."""
    connection = _open(begin)
    try:
        yield connection
        connection.execute("COMMIT")
    except sqlite3.IntegrityError:
        raise NameTakenError from None
    finally:
        connection.close()


def _open(begin: str) -> sqlite3.Connection:
    """Return a connection inside a transaction that holds all the locks it needs."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        # SQLite's own waiting would stop every greenlet of this worker; time.sleep lets the others work.
        connection = sqlite3.connect(_path(), timeout=0, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            if _version(connection) < SCHEMA_VERSION:
                _create_schema(connection)
            connection.execute(begin)
            # BEGIN alone reserves nothing: the first read takes the snapshot.
            _version(connection)
            return connection
        except sqlite3.DatabaseError as error:
            connection.close()
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL):
                raise
            if time.monotonic() > deadline:
                raise BusyError from error
        time.sleep(random.uniform(0.002, 0.02))


def _create_schema(connection: sqlite3.Connection) -> None:
    """Several workers may come here at once: every step may be done twice."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(SCHEMA)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _path() -> Path:
    # systemd sets it; in a developer's shell the file lies in the working directory.
    return Path(os.environ.get("STATE_DIRECTORY", "."), "inventory.sqlite3")


def now() -> str:
    """Return the time as it is stored: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _first(rows: sqlite3.Cursor) -> Device | None:
    row = rows.fetchone()
    return _device(row) if row else None


def _device(row: sqlite3.Row) -> Device:
    return cast(Device, dict(row))
