"""The whole demo, from nothing to the page, beside that of another checkout of the project.

    python -m benchmarks.whole_demo --beside CHECKOUT

Both run their own workflow on their own demo study in the active environment, in turn, each in an
empty folder and on the CPU. Seconds of training are the wall times that runs record, summed: what
the engine is answerable for. Wall and CPU time are of everything, and a later checkout makes more
of the same runs. Prints a Markdown table; --readme puts it into the README here.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

from amb.files import read_json
from benchmarks.everyday import PR_SET_CHILD_SUBREAPER, ROOT, Command, commit_of, measure
from benchmarks.readme import machine, replace_section, spread

Seconds = dict[str, list[float]]


def run_demo(checkout: Path) -> dict[str, float]:
    """Run a checkout's demo in an empty folder; return its seconds and counts by name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(checkout / "Snakefile")]
        snakemake += ["--directory", name, "--cores", "all", "--resources", "gpu=0"]
        snakemake += ["--config", f"study={checkout / 'config' / 'demo.yaml'}", "finish=none"]
        cpu, wall, _ = measure(
            Command(f"the demo of {checkout}", snakemake, None), folder, checkout
        )
        results = folder / "results" / "demo"
        records = [read_json(file) for file in sorted(results.glob("runs/*/*/run.json"))]
        return {
            "runs": len(records),
            "epochs": sum(_epochs(record) for record in records),
            "training, s": sum(record["wall_time_s"] for record in records),
            "all, CPU s": cpu,
            "all, wall s": wall,
            "files made": sum(path.is_file() for path in results.rglob("*")),
        }


def _epochs(record: dict[str, object]) -> int:
    value = record["epochs"]
    return len(value) if isinstance(value, list) else int(str(value))


def table(found: dict[str, Seconds]) -> str:
    """Return the Markdown table: medians by checkout, and how many times as much the other took."""
    here, there = found.values()
    lines = [f"| | {' | '.join(found)} | × |", "|---|---:|---:|---:|"]
    for name in here:
        ratios = [b / a for a, b in zip(here[name], there[name], strict=True)]
        cells = [f"{median(own[name]):.0f}" for own in (here, there)]
        lines.append(f"| {name} | {' | '.join(cells)} | {spread(ratios)} |")
    return "\n".join(lines)


def main() -> None:
    """Run both demos in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beside", type=Path, required=True, help="another checkout")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each (default 2)")
    parser.add_argument("--readme", action="store_true", help="write into benchmarks/README.md")
    args = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    checkouts = {f"commit {commit_of(own)}": own for own in (ROOT, args.beside.resolve())}
    found: dict[str, Seconds] = {name: defaultdict(list) for name in checkouts}
    for number in range(args.rounds):
        for name in checkouts if number % 2 == 0 else reversed(checkouts):
            for what, value in run_demo(checkouts[name]).items():
                found[name][what].append(value)
            print(f"round {number + 1}: {name}", file=sys.stderr)
    where = machine()
    text = (
        f"{table(found)}\n\nRounds: {args.rounds}; medians, ratios round by round (lowest–highest)."
        f" {where['processor']}, {where['cores']} cores, load {where['load']:.1f}."
    )
    print(text)
    if args.readme:
        replace_section("whole_demo", text)


if __name__ == "__main__":
    main()
