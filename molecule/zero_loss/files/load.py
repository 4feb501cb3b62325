"""Runs on another host: asks for all kinds of answers at fixed rates, checks each of them whole, until told to stop.

    load.py ADDRESS PORT PREFIX STOP RECORD RATE

A request is sent when its time has come, whether or not earlier ones were answered (an open loop), so that a pause of
the server shows as waiting and not as fewer requests. Half of all requests use a new connection, half one that was
kept. RECORD gets a line of JSON for each request: [kind, kept, start, sent, seconds, version, outcome, retries];
`start` is when it was due, `sent` when its turn came, and `outcome` is empty where the answer was complete and right.
A request on a kept connection that the server closed without a byte of an answer is sent once more on a new one, as RFC
9112 section 9.3.1 has clients do with idempotent methods; all are.
RATE is the number of requests a second, of all kinds (KINDS has their shares). Ends when the file STOP is there and
every request has come to its end.
"""

import asyncio
import hashlib
import itertools
import json
import os
import resource
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple, TextIO

PATIENCE = 60.0  # seconds for one request, its waiting included; what takes longer has failed
BODY = os.urandom(1024 * 1024)
DIGEST = hashlib.sha256(BODY).hexdigest()
CHUNKS = 20


class Kind(NamedTuple):
    """A kind of request: what is asked for, and its share of all requests."""

    name: str
    share: float
    path: str
    body: bytes = b""


KINDS = [
    Kind("fast", 0.832, "echo?number={number}"),
    Kind("slow", 0.125, "echo?number={number}&seconds=0.2"),
    Kind("slowest", 0.0125, "echo?number={number}&seconds=5"),
    Kind("upload", 0.0125, "upload?number={number}", BODY),
    Kind("stream", 0.018, f"stream?number={{number}}&chunks={CHUNKS}&seconds=2"),
]

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Request(NamedTuple):
    """One request; `keep`: it uses a kept connection where there is one, and keeps its own."""

    kind: Kind
    number: int
    keep: bool

    def encoded(self, prefix: str) -> bytes:
        """Return what goes over the wire."""
        body = self.kind.body
        path = prefix + self.kind.path.format(number=self.number)
        lines = [f"{'PUT' if body else 'GET'} {path} HTTP/1.1", "Host: localhost"]
        lines += [f"Connection: {'keep-alive' if self.keep else 'close'}"]
        lines += [f"Content-Length: {len(body)}"] if body else []
        return "\r\n".join([*lines, "", ""]).encode() + body


class StaleError(Exception):
    """The server had closed the kept connection before it saw the request."""


class WrongError(Exception):
    """The answer is not the one that was asked for."""


class Client:
    """Asks one server; keeps idle connections for those requests that use kept ones."""

    def __init__(self, address: str, port: int, prefix: str) -> None:
        self._address, self._port, self._prefix = address, port, prefix
        self._idle: list[Connection] = []

    async def ask(self, request: Request) -> tuple[str, int]:
        """Return the version that answered and how often a stale connection made the client ask again."""
        # a connection whose end has arrived is not used; one whose end is still on its way is found out by using it
        while request.keep and self._idle:
            kept = self._idle.pop()
            if kept[0].at_eof():
                kept[1].close()
                continue
            try:
                return await self._exchange(kept, request, kept=True), 0
            except StaleError:
                return await self._exchange(await self._open(), request), 1
        return await self._exchange(await self._open(), request), 0

    async def _open(self) -> Connection:
        return await asyncio.open_connection(self._address, self._port)

    async def _exchange(self, connection: Connection, request: Request, kept: bool = False) -> str:
        try:
            headers = await self._head(connection, request, kept)
            body = b"".join([block async for block in body_of(connection[0], headers)])
            if headers["status"] != "200":
                raise WrongError(f"{headers['status']}: {body[:200]!r}")
            version = version_of(request, body)
        except BaseException:
            connection[1].transport.abort()
            raise
        if request.keep and headers.get("connection", "").lower() != "close":
            self._idle.append(connection)
        else:
            connection[1].close()
        return version

    async def _head(self, connection: Connection, request: Request, kept: bool) -> dict[str, str]:
        reader, writer = connection
        first = b""
        try:
            writer.write(request.encoded(self._prefix))
            await writer.drain()
            first = await reader.readexactly(1)
            lines = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            if kept and not first:
                raise StaleError from error
            raise
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return headers | {"status": lines[0].split(" ")[1]}


async def body_of(reader: asyncio.StreamReader, headers: dict[str, str]) -> AsyncIterator[bytes]:
    """Yield the body; raises IncompleteReadError where it ends too soon."""
    if headers.get("transfer-encoding") != "chunked":
        yield await reader.readexactly(int(headers["content-length"]))
        return
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        yield (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)


def version_of(request: Request, body: bytes) -> str:
    """Return the version that gave the answer; raises WrongError where a byte of it is not as it has to be."""
    number = request.number
    if request.kind.name == "stream":
        version = body.split(b" ")[0].decode()
        wanted = "".join(f"{version} {number} {chunk} of {CHUNKS}\n" for chunk in range(CHUNKS))
        if body.decode() != wanted:
            raise WrongError(f"stream of {len(body)} bytes: {body[-80:]!r}")
        return version
    answer = json.loads(body)
    arrived = {"length": len(BODY), "sha256": DIGEST} if request.kind.body else {}
    if answer != {"number": str(number), "version": answer["version"]} | arrived:
        raise WrongError(f"{answer}")
    return str(answer["version"])


async def one(client: Client, request: Request, due: float, record: TextIO) -> None:
    """Make one request and write down what came of it; its time counts from when it was due."""
    version, outcome, retries, sent = "", "", 0, time.time()
    try:
        async with asyncio.timeout(PATIENCE):
            version, retries = await client.ask(request)
    except (OSError, EOFError, TimeoutError, ValueError, LookupError, WrongError) as error:
        outcome = f"{type(error).__name__}: {error}"
    seconds = time.time() - due
    record.write(json.dumps([request.kind.name, request.keep, due, sent, seconds, version, outcome, retries]) + "\n")


async def send_all(
    client: Client, kind: Kind, rate: float, numbers: "itertools.count[int]", stop: Path, record: TextIO
) -> None:
    """Send requests of one kind at a rate until the file is there; return when all have been answered."""
    running: set[asyncio.Task[None]] = set()
    due = time.time()
    while not stop.exists():
        number = next(numbers)
        task = asyncio.create_task(one(client, Request(kind, number, number % 2 == 1), due, record))
        running.add(task)
        task.add_done_callback(running.discard)
        due += 1 / rate
        await asyncio.sleep(max(0.0, due - time.time()))
    await asyncio.gather(*running)


async def main() -> None:
    """Send all kinds side by side."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # while the server pauses, all that is due waits here
    address, port, prefix, stop, record, rate = sys.argv[1:]
    client = Client(address, int(port), prefix)
    numbers = itertools.count()
    with open(record, "w", encoding="utf-8") as file:
        await asyncio.gather(
            *(send_all(client, kind, kind.share * float(rate), numbers, Path(stop), file) for kind in KINDS)
        )


if __name__ == "__main__":
    asyncio.run(main())
