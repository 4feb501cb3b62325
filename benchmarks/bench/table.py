"""Samples as Markdown."""

from collections.abc import Mapping, Sequence
from statistics import median

from bench import ratios
from bench.paths import BASELINES, PATHS
from bench.ratios import Row
from bench.sample import Sample
from bench.workloads import WORKLOADS


def grid(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table, padded so that it also reads well in a terminal; all but the first column to the right."""
    widths = [max(len(line[column]) for line in (heads, *lines)) for column in range(len(heads))]

    def row(cells: Sequence[str]) -> str:
        padded = [
            cells[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)),
        ]
        return f"| {' | '.join(padded)} |\n"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return row(heads) + row(rule) + "".join(row(line) for line in lines)


def milliseconds(value: float) -> str:
    """A latency with three digits or so."""
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def of_workload(rows: Sequence[Row]) -> str:
    """The table of one workload."""
    workload = WORKLOADS[rows[0].workload]
    baselines = [name for name in BASELINES if any(name in row.ratios for row in rows)]
    heads = ["path", "requests/s", *(BASELINES[name] for name in baselines)]
    heads += ["p50 ms", "p99 ms", "worst ms", "CPU s per 1,000", "MiB"]
    heads += ["held", "KiB each"] if workload.held else []
    lines = []
    for row in rows:
        mark = f" (!) {row.failed:,} of {row.requests + row.failed:,} failed" if row.failed else ""
        cells = [PATHS[row.path].title + mark, f"{row.per_second:,.0f}"]
        cells += ["-" if (ratio := row.ratios.get(name)) is None else f"{ratio:.2f}" for name in baselines]
        cells += [milliseconds(row.p50), milliseconds(row.p99), milliseconds(row.worst)]
        cells += [f"{row.cpu_per_thousand:.3f}", f"{row.mib:,.0f}"]
        cells += [f"{row.held:,}", f"{row.held_kib:.1f}"] if workload.held else []
        lines.append(cells)
    return f"### {workload.title} ({rows[0].connections:,} connections)\n\n{grid(heads, lines)}"


def of_costs(samples: Sequence[Sample]) -> str:
    """What the layers of ours cost; empty where it was not measured."""
    lines = [
        [
            priced.cost.title,
            f"{priced.throughput:.1%}",
            f"{priced.lowest:.1%} to {priced.highest:.1%}",
            f"{priced.processor:+.1%}",
            f"{priced.cost.at_most:.0%}",
        ]
        for priced in ratios.costs(samples)
    ]
    heads = ["what", "requests/s lost", "in single rounds", "CPU a request", "it may be"]
    return f"### What our own layers cost\n\n{grid(heads, lines)}" if lines else ""


def of_machine(machine: Mapping[str, str], samples: Sequence[Sample]) -> str:
    """What it was measured on, and how busy that was with other things."""
    others = median(sample.busy_others for sample in samples)
    client = median(sample.cpu_client / sample.seconds for sample in samples)
    facts = dict(machine) | {
        "wrk itself": f"took {client:.1f} of these cores (the median of all samples)",
        "other work": f"took {others:.1f} of them meanwhile (likewise; the kernel's work for interrupts is in it)",
    }
    return "### The machine\n\n" + "".join(f"- {name}: {value}\n" for name, value in facts.items())


def report(machine: Mapping[str, str], samples: Sequence[Sample]) -> str:
    """Everything, in the order of PATHS and WORKLOADS."""
    tables = [ratios.rows(samples, workload, PATHS) for workload in WORKLOADS]
    parts = [of_workload(rows) for rows in tables if rows]
    return "\n".join(part for part in (*parts, of_costs(samples), of_machine(machine, samples)) if part)
