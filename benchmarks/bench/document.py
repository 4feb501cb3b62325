"""Keeps results in a file, and puts them into docs/performance.md, between its marks, with a chart beside it."""

import json
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import support

from bench import host, table
from bench.sample import Sample

PAGE = support.ROOT / "docs" / "performance.md"
CHART = support.ROOT / "docs" / "performance.svg"
REQUIREMENTS = support.ROOT / "benchmarks" / "requirements-charts.txt"
BEGIN, END = "<!-- written by benchmarks/run --write-docs -->\n", "<!-- end of what benchmarks/run wrote -->\n"


def save(results: Path, settings: Mapping[str, object], machine: Mapping[str, str], samples: Sequence[Sample]) -> None:
    """Write a results file."""
    content = {"settings": settings, "machine": machine, "samples": [asdict(sample) for sample in samples]}
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(content, indent=1))


def filled(page: str, content: str) -> str:
    """The page with the content between its marks. Raises ValueError where they are missing."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} lacks the marks {BEGIN!r} and {END!r}")
    return head + begin + content + end + tail


def write(results: Path, words: Sequence[str]) -> None:
    """Write the tables and the chart of a results file, and the command that repeats it."""
    found = json.loads(results.read_text())
    tables = table.report(found["machine"], [Sample(**sample) for sample in found["samples"]])
    command = shlex.join(["benchmarks/run", *words])
    settings = found["settings"]
    content = (
        f"![Requests per second of all paths](performance.svg)\n\n{tables}\n"
        f"`{command}`: {settings['rounds']} rounds of {settings['seconds']} s and more, "
        f"{settings['workers']} workers each, wrk with {settings['threads']} threads.\n"
    )
    PAGE.write_text(filled(PAGE.read_text(), content))
    draw(results)


def draw(results: Path) -> None:
    """Draw the chart, in an environment of its own: nothing else needs what that takes."""
    python = host.STATE / "charts" / "bin" / "python"
    if not python.exists():
        subprocess.run(["python3", "-m", "venv", python.parent.parent], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "--requirement", str(REQUIREMENTS)], check=True)
    subprocess.run([python, "-m", "bench.chart", results.resolve(), CHART], cwd=support.ROOT / "benchmarks", check=True)
