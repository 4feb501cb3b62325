"""What the process says to systemd and the journal, and what it asks of the kernel."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from gateway_kit import PACKAGES
from webpy_gateway import log
from webpy_gateway.systemd import Notifier


@pytest.mark.parametrize("abstract", [False, True])
def test_notifications(abstract: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"@{tmp_path}/notify" if abstract else f"{tmp_path}/notify"
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address.replace("@", "\0"))
        notifier = Notifier()
        notifier.ready("a")
        notifier.stopping("b")
        assert [systemd.recv(100) for _ in range(2)] == [b"READY=1\nSTATUS=a", b"STOPPING=1\nSTATUS=b"]


def test_systemd_that_does_not_listen_is_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", f"{tmp_path}/nobody")
    Notifier().ready("a")
    assert capfd.readouterr().err.startswith("systemd could not be notified error=")
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Notifier().ready("a")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("soft", "hard", "after", "said"),
    [(300, 1000, 700, ""), (300, 500, 500, "limit=500 wanted=700"), (500, 500, 500, "limit=500 wanted=700")],
)
def test_descriptor_limit_is_raised_as_far_as_it_goes(soft: int, hard: int, after: int, said: str) -> None:
    code = (
        f"import resource as r; r.setrlimit(r.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "from webpy_gateway.server import _raise_fd_limit as f; f(700); print(r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    command = [sys.executable, "-B", "-c", code]
    done = subprocess.run(command, env={"PYTHONPATH": str(PACKAGES)}, capture_output=True, text=True, check=True)
    assert int(done.stdout) == after
    assert said in done.stderr
    assert bool(done.stderr) is bool(said)


def test_values_in_the_log_are_escaped_and_bounded(capfd: pytest.CaptureFixture[str]) -> None:
    log.event("said", plain="a-b.c:1", spaced="a b", newline="a\nb", empty="", long="x" * 5000, number=5)
    line = capfd.readouterr().err
    assert line.startswith("said plain=a-b.c:1 spaced='a b' newline='a\\nb' empty='' long='xxx")
    assert line.endswith("... number=5\n")
    assert len(line) < 400


def test_endless_message_of_an_exception_is_bounded(capfd: pytest.CaptureFixture[str]) -> None:
    log.exception("failed", ValueError("x\n" * 100_000 + "y" * 100_000), {})
    logged = capfd.readouterr().err
    assert logged.count("\n") == log.LONGEST_TRACEBACK + 1
    assert len(logged) < 10_000


def test_repeated_events_are_counted(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    limited = log.Limited(10)
    for _ in range(3):
        limited.event("refused", uid=5)
    now = 110.0
    limited.event("refused", uid=6)
    limited.event("refused", uid=7)
    now = 120.0
    limited.event("refused", uid=8)
    assert capfd.readouterr().err.splitlines() == [
        "refused uid=5", "refused uid=6 left_out=2", "refused uid=8 left_out=1"
    ]  # fmt: skip
