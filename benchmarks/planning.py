"""How long a large study takes to plan (``snakemake -n``), and how many jobs it has, by its size.

    python -m benchmarks.planning --folder FOLDER

Each size is planned as three studies, one a data set, in an empty folder: M methods × 20 seeds
each. Generated data stand for the data sets: a plan reads no data. Times are CPU seconds of
Snakemake, the least of some rounds, since what else a machine does only adds. The last column
compares a size with the one before: 1 is growth in proportion, less is what every plan costs.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import yaml

from amb import provenance
from benchmarks.command import publish, training_parser

ROOT = Path(__file__).resolve().parent.parent
SIZES = (5, 10, 20, 40)
SEEDS = 20
DATASETS = 3


def write_study(file: Path, name: str, methods: int) -> None:
    """Write a study like the demo's with so many rows of AMB's family, each with 20 seeds."""
    content = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))
    content["name"] = name
    content["seeds"]["count"] = SEEDS
    content["methods"] = {
        f"row_{number:02d}": {
            "builder": "amb",
            "label": f"Row {number}",
            "training": {"learning_rate": 1e-4 * (number + 1)},
        }
        for number in range(methods)
    }
    content["statistics"]["reference"] = "row_00"
    content["statistics"]["claims"] = str(ROOT / "config" / "claims.yaml")
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def plan(folder: Path, study: Path) -> tuple[float, int]:
    """Return the CPU seconds that a plan takes, and the number of its jobs."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", "1", "--resources", "gpu=0"]
    command += ["-n", "--quiet", "rules", "--config", f"study={study}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    jobs = int(re.findall(r"^total\s+(\d+)", done.stdout + done.stderr, re.MULTILINE)[0])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, jobs


def main() -> None:
    """Plan studies of growing size and put the table into the README."""
    parser = training_parser(__doc__, "the generated studies", rounds=3)
    args = parser.parse_args()
    rows = ["| methods × seeds × data sets | runs | jobs | CPU, s | × of proportion |"]
    rows += ["|---|---:|---:|---:|---:|"]
    last = None
    for methods in SIZES:
        seconds, jobs = 0.0, 0
        for dataset in range(DATASETS):
            name = f"planned_{methods}_{dataset}"
            folder = args.folder / name
            folder.mkdir(parents=True, exist_ok=True)
            study = folder / "study.yaml"
            write_study(study, name, methods)
            plans = [plan(folder, study) for _ in range(args.rounds)]
            seconds += min(cpu for cpu, _ in plans)
            jobs += plans[0][1]
        growth = f"{seconds / last[0] / (methods / last[1]):.2f}" if last else ""
        runs = methods * SEEDS * DATASETS
        size = f"{methods} × {SEEDS} × {DATASETS}"
        rows.append(f"| {size} | {runs:,} | {jobs} | {seconds:.1f} | {growth} |")
        last = (seconds, methods)
    note = (
        f"Summed over the data sets; rounds: {args.rounds}, of which the least counts."
        f" {provenance.processor()}, load {os.getloadavg()[0]:.1f}."
    )
    publish(args, "planning", "\n".join(rows) + f"\n\n{note}")


if __name__ == "__main__":
    main()
