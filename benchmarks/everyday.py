"""Time what a person does all day: help, status, a dry run, a run that has nothing to do.

    python -m benchmarks.everyday --study config/demo.yaml --directory .

The directory holds ``results/`` of the study, finished with today's source, and the study's path
begins there; an empty one serves for all but the run that has nothing to do. The commands take
turns, in processes of their own, and their first round is not counted. CPU time is that of a
command and its children; on a busy machine wall time says more of the machine. Prints a Markdown
table; --readme puts it into the README here.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from amb.provenance import processor
from benchmarks.readme import replace_section

ROOT = Path(__file__).resolve().parent.parent
NOTHING = "Nothing to be done"


@dataclass(frozen=True)
class Command:
    """A command, what to call it, and the seconds that it is to stay below on an idle core."""

    name: str
    arguments: list[str]
    target_s: float | None


def commands(study: Path, folder: Path) -> list[Command]:
    """Return the commands to time."""
    amb = [sys.executable, "-m", "amb"]
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    snakemake += ["--directory", str(folder), "--cores", "1", "--resources", "gpu=0"]
    config = ["--config", f"study={study}", "finish=none"]
    status = [*amb, "status", str(study), "--results", str(folder / "results")]
    return [
        Command("an empty Python program", [sys.executable, "-c", "pass"], None),
        Command("`amb --help`", [*amb, "--help"], 0.5),
        Command("`amb status`", status, 0.5),
        Command("`snakemake -n`", [*snakemake, "-n", *config], 5.0),
        Command("`snakemake`, nothing to do", [*snakemake, *config], 5.0),
    ]


def measure(command: Command, folder: Path) -> tuple[float, float, str]:
    """Return the CPU and the wall seconds of a command, and what it printed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command.arguments, capture_output=True, text=True, cwd=folder, env=environment
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command.name} failed:\n{done.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, done.stdout + done.stderr


def table(times: dict[str, list[tuple[float, float]]], listed: list[Command]) -> str:
    """Return medians and ranges as a Markdown table."""
    lines = ["| command | CPU, s | wall, s | target, CPU s |", "|---|---:|---:|---:|"]
    for command in listed:
        if not times[command.name]:
            continue
        cells = []
        for values in zip(*times[command.name], strict=True):
            low, high = min(values), max(values)
            cells.append(f"{statistics.median(values):.2f} ({low:.2f}–{high:.2f})")
        target = "" if command.target_s is None else f"{command.target_s:.1f}"
        lines.append(f"| {command.name} | {' | '.join(cells)} | {target} |")
    return "\n".join(lines)


def main() -> None:
    """Time the commands and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, default=Path("config/demo.yaml"))
    parser.add_argument("--directory", type=Path, required=True, help="holds results/")
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds (default 5)")
    parser.add_argument("--readme", action="store_true", help="write into benchmarks/README.md")
    args = parser.parse_args()
    folder = args.directory.resolve()
    listed = commands(args.study, folder)
    if NOTHING not in measure(listed[3], folder)[2]:
        print("These results are not complete: the run that has nothing to do is left out.")
        listed = listed[:-1]
    times: dict[str, list[tuple[float, float]]] = {command.name: [] for command in listed}
    for counted in range(args.rounds + 1):
        for command in listed:
            cpu, wall, _ = measure(command, folder)
            if counted:
                times[command.name].append((cpu, wall))
    text = (
        f"{table(times, listed)}\n\nStudy {args.study.stem}; medians of {args.rounds} rounds"
        f" (lowest–highest). {processor()}, load {os.getloadavg()[0]:.1f}."
    )
    print(text)
    if args.readme:
        replace_section("everyday", text)


if __name__ == "__main__":
    main()
