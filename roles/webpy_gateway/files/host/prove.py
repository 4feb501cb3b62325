"""Prove on the host what the role promises: the right release answers, and only lighttpd reaches it.

Reads one JSON object on the command line and prints {"proof": [{"claim", "held", "detail", "remedy"}, ...]}; changes
nothing.  Runs as root with the system's Python, because it has to become the users who must be refused.

Keys: name, listen ("127.0.0.1:480" or a socket's path), site_port and tls (lighttpd's), host (header), health (path),
release, workers, lighttpd and service (user numbers), portal (whether static pages were deployed).
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import stat
import sys
import time
from collections.abc import Callable
from typing import Any

TIMEOUT = 5.0  # seconds for one connection
PATIENCE = 30.0  # seconds until every worker has to have answered, where the question does not say
NOBODY = 65534


def gateway_connection(listen: str) -> socket.socket:
    """Connect to the gateway itself, past lighttpd."""
    if listen.startswith("/"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(TIMEOUT)
        connection.connect(listen)
        return connection
    host, port = listen.rsplit(":", 1)
    return socket.create_connection((host, int(port)), TIMEOUT)


def ask_gateway(listen: str, path: str) -> str:
    """Return what the gateway answers to a direct request, "refused" and why where it does not answer."""
    try:
        with gateway_connection(listen) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            answer = connection.recv(4096)
    except OSError as error:
        return f"refused: {error.strerror or error}"
    return answer.decode("latin-1").splitlines()[0] if answer else "refused: closed without an answer"


def as_user(uid: int, call: Callable[[], str]) -> str:
    """Run a call in a child process that belongs to the user alone, and return what it returns."""
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid if uid else 0)
            os.setuid(uid)
            os.write(sender, call().encode())
        finally:
            os._exit(0)
    os.close(sender)
    with os.fdopen(receiver, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(child, 0)
    return text or "the attempt itself failed"


def refused_there(question: dict[str, Any]) -> str:
    """Return what makes the host refuse again."""
    name = question["name"]
    if question["listen"].startswith("/"):
        return f"`systemctl restart {name}.socket {name}.target` makes socket and folder anew; then run the role again"
    return f"`systemctl restart {name}-firewall` loads its rules anew; then run the role again, which writes them anew"


def isolation(question: dict[str, Any]) -> list[dict[str, object]]:
    """Try the gateway's own listener as users who must be refused, and as the one who must not."""
    listen, path = question["listen"], question["health"]
    remedy = refused_there(question)
    proof: list[dict[str, object]] = []
    for who, uid in (("an ordinary user", NOBODY), ("root", 0), ("the service's own user", question["service"])):
        answer = as_user(uid, lambda: ask_gateway(listen, path))
        held = answer.startswith("refused")
        proof.append({"claim": f"{who} cannot reach {listen}", "held": held, "detail": answer, "remedy": remedy})
    answer = as_user(question["lighttpd"], lambda: ask_gateway(listen, path))
    held = " 200 " in answer
    proof.append({"claim": f"lighttpd's user reaches {listen}", "held": held, "detail": answer, "remedy": remedy})
    return proof


def take_place(listen: str) -> str:
    """Return what comes of putting a listener in the place of the gateway's; what is made is taken away at once."""
    try:
        if listen.startswith("/"):
            mine = f"{os.path.dirname(listen)}/.proof"
            with socket.socket(socket.AF_UNIX) as place:
                place.bind(mine)
            os.unlink(mine)
            return f"could make sockets in {os.path.dirname(listen)}"
        host, port = listen.rsplit(":", 1)
        with socket.socket() as place:
            place.bind((host, int(port)))
        return f"could listen on {listen}"
    except OSError as error:
        return f"refused: {error.strerror or error}"


def holder(question: dict[str, Any]) -> tuple[bool, str]:
    """Tell whether the listener is root's, as systemd makes it, and for a path who may open and replace it."""
    listen = question["listen"]
    try:
        if listen.startswith("/"):
            mine, folder = os.stat(listen), os.stat(os.path.dirname(listen))
            held = (mine.st_uid, stat.S_IMODE(mine.st_mode) & 0o007) == (0, 0)
            held = held and folder.st_uid == 0 and not stat.S_IMODE(folder.st_mode) & 0o022
            return held, f"socket {stat.filemode(mine.st_mode)}, folder {stat.filemode(folder.st_mode)}"
        host, port = listen.rsplit(":", 1)
        number = int.from_bytes(socket.inet_aton(host), sys.byteorder)
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table]
        owners = [int(row[7]) for row in rows if row[1] == f"{number:08X}:{int(port):04X}" and row[3] == "0A"]
        return owners == [0], f"users that listen: {owners}"
    except OSError as error:
        return False, f"{error.filename}: {error.strerror}"


def impersonation(question: dict[str, Any]) -> list[dict[str, object]]:
    """Try to take the gateway's place, where lighttpd would send what clients confide."""
    listen = question["listen"]
    held, detail = holder(question)
    remedy = f"stop whatever else listens there, then {refused_there(question)}"
    proof: list[dict[str, object]] = [
        {"claim": f"systemd holds {listen}", "held": held, "detail": detail, "remedy": remedy}
    ]
    users = (NOBODY, "an ordinary user"), (question["service"], "the service's own user")
    for uid, who in users:
        answer = as_user(uid, lambda: take_place(listen))
        held = answer.startswith("refused")
        proof.append({"claim": f"{who} cannot take its place", "held": held, "detail": answer, "remedy": remedy})
    return proof


def get(question: dict[str, Any], path: str) -> tuple[int, bytes]:
    """Return status and body that lighttpd answers."""
    connection = http.client.HTTPConnection("127.0.0.1", question["site_port"], timeout=TIMEOUT)
    if question["tls"]:
        # the certificate is for the public name; who answers is told by the release
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", question["site_port"], timeout=TIMEOUT, context=context)
    try:
        connection.request("GET", path, headers={"Host": question["host"], "Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def health(question: dict[str, Any]) -> dict[str, object]:
    """Ask through lighttpd until every worker has answered with the release; its `patience` is in seconds."""
    seen: dict[str, str] = {}
    problem = ""
    wanted = {str(number): question["release"] for number in range(1, question["workers"] + 1)}
    end = time.monotonic() + question.get("patience", PATIENCE)
    while not wanted.items() <= seen.items() and time.monotonic() < end:
        try:
            status, body = get(question, question["health"])
            if status == http.HTTPStatus.OK:
                answer = json.loads(body)
                seen[answer["worker"]] = answer["release"]
                continue
            problem = f"; the last answer was {status}"
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            problem = f"; {error!r}"
        time.sleep(0.1)
    claim = f"all {question['workers']} workers answer through lighttpd with release {question['release']}"
    # more may answer: reliefs that are about to end
    held = wanted.items() <= seen.items()
    return {"claim": claim, "held": held, "detail": f"release by worker: {seen}{'' if held else problem}"}


def portal(question: dict[str, Any]) -> dict[str, object]:
    """Ask lighttpd for the portal's first page."""
    try:
        status, body = get(question, "/")
        detail = f"{status}, {len(body)} bytes"
    except (OSError, http.client.HTTPException) as error:
        status, detail = 0, repr(error)
    return {"claim": "lighttpd serves the portal", "held": status == http.HTTPStatus.OK, "detail": detail}


def main() -> None:
    """Print the proof for the question given as the only argument."""
    question = json.loads(sys.argv[1])
    proof = [health(question), *([portal(question)] if question["portal"] else []), *isolation(question)]
    proof += impersonation(question)
    print(json.dumps({"proof": proof}))


if __name__ == "__main__":
    main()
