"""Try what may be forbidden to a process (shared/app/attempts.py), from where this runs."""

from __future__ import annotations

from collections.abc import Callable

from attempts import ATTEMPTS


def attempt(name: str, *words: str) -> str:
    """Return what came of it; numbers are numbers."""
    return f"done: {ATTEMPTS[name](*(int(word) if word.isdigit() else word for word in words))}"


WAYS: dict[str, Callable[..., str]] = {"attempt": attempt}
