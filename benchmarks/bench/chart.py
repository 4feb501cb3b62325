"""Draws the results.

python3 -m bench.chart RESULTS.json CHART.svg      needs matplotlib (requirements-charts.txt)
"""

import json
import sys
from pathlib import Path

import matplotlib

from bench import ratios
from bench.paths import PATHS
from bench.ratios import Row
from bench.sample import Sample
from bench.workloads import MAIN, WORKLOADS

matplotlib.use("svg")
# the same results give the same file, and its texts stay texts
matplotlib.rcParams |= {"svg.hashsalt": "webpy_gateway", "svg.fonttype": "none", "font.size": 9}

from matplotlib import pyplot  # noqa: E402

OURS, THEIRS = "#2a6fbb", "#b8b8b8"
# the others are there for a ceiling, or for what a layer costs
COMPARED = [name for name, path in PATHS.items() if path.starts and set(MAIN) <= set(path.workloads)]


def draw(samples: list[Sample], target: Path) -> None:
    """One panel a workload: requests per second of every path, and its p99."""
    panels = [rows for name in MAIN if (rows := ratios.rows(samples, name, COMPARED))]
    heights = [len(rows) + 1.5 for rows in panels]
    figure, axes = pyplot.subplots(
        len(panels), 1, figsize=(9, 0.28 * sum(heights)), height_ratios=heights, squeeze=False, layout="constrained"
    )
    for axis, rows in zip(axes.flat, panels, strict=True):
        panel(axis, rows)
    figure.savefig(target, metadata={"Date": None})


def panel(axis: "pyplot.Axes", rows: list[Row]) -> None:
    """Bars of one workload, the first path on top."""
    most = max(row.per_second for row in rows)
    axis.barh(
        [PATHS[row.path].title for row in rows],
        [row.per_second for row in rows],
        color=[OURS if PATHS[row.path].role else THEIRS for row in rows],
    )
    for place, row in enumerate(rows):
        failed = f", {row.failed:,} failed" if row.failed else ""
        text = f" {row.per_second:,.0f}/s, p99 {row.p99:,.1f} ms{failed}"
        axis.text(row.per_second, place, text, va="center", fontsize=8)
    axis.set_title(WORKLOADS[rows[0].workload].title, loc="left", fontweight="bold")
    axis.invert_yaxis()
    axis.set_xlim(0, most * 1.35)
    axis.set_xticks([])
    axis.spines[["top", "right", "bottom"]].set_visible(False)


def main() -> None:
    """Read, draw."""
    results = json.loads(Path(sys.argv[1]).read_text())
    draw([Sample(**sample) for sample in results["samples"]], Path(sys.argv[2]))


if __name__ == "__main__":
    main()
