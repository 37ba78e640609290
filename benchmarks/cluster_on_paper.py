"""A run on many GPUs, on paper: how long it takes, where it is serial, what the GPUs do meanwhile.

    python -m benchmarks.cluster_on_paper

40 methods × 20 seeds × 3 data sets. Nothing runs: jobs of assumed lengths are dealt out to GPUs
one after the other, as a scheduler does. What is assumed and what was measured stands beside each
number below; the point is the ratios. Prints a Markdown table; --docs puts it into docs/cluster.md.
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.readme import replace_section

DOCS = Path(__file__).resolve().parent.parent / "docs" / "cluster.md"
METHODS, SEEDS, DATASETS = 40, 20, 3

# Assumed: GPU minutes of one seed by method, spread by a factor of ten as rows of CMU-MOSI are on a
# CPU (README), and of which the first seed of a job costs all and each further one, packed, this
# share. Nobody has measured either on a GPU yet.
SHORTEST_MIN, LONGEST_MIN = 2.0, 20.0
PACKED_SHARE = 0.4

# Rounded up from what was measured on idle machines, in part elsewhere; the rest is guessed.
JOB_START_S = 20.0  # 5 to 6 s of Slurm and Snakemake, 3 to 5 s for torch, and a status check
SUBMIT_S = 0.5  # guessed: the controller submits one job after the other
PLAN_S = 20.0  # benchmarks/README.md, "Planning"
PREPARE_S = 60.0  # CMU-MOSEI imports in 19 s (benchmarks/README.md); backbone
EVALUATE_S = 20.0  # guessed: a pack's predictions, beside the start of its job
ANALYSE_S = (
    120.0  # statistics of 20 × 20 runs take 17 s of CPU (benchmarks/README.md); page, figures
)


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        jobs: Jobs submitted, of all data sets.
        hours: From start to the last page.
        serial_hours: Of these, without a GPU at work.
        gpu_hours: That GPUs worked, job starts included.
        busy: Share of the GPUs' time until the last training that they worked.
    """

    jobs: int
    hours: float
    serial_hours: float
    gpu_hours: float
    busy: float


def seed_minutes() -> list[float]:
    """Return the assumed minutes of every method, evenly spread on a logarithmic scale."""
    ratio = LONGEST_MIN / SHORTEST_MIN
    minutes = [SHORTEST_MIN * ratio ** (index / (METHODS - 1)) for index in range(METHODS)]
    random.Random(0).shuffle(minutes)
    return minutes


def pack_seconds(minutes: float, seeds: int) -> float:
    """Return how long a job takes that trains so many seeds as one model and predicts them."""
    trains = 60 * minutes * (1 + PACKED_SHARE * (seeds - 1))
    return JOB_START_S + trains + JOB_START_S + EVALUATE_S


def simulate(gpus: int, seeds_per_job: int, minutes: Sequence[float]) -> Outcome:
    """Deal out all packs in the order of the study; each goes to the first GPU that is free."""
    sizes = [seeds_per_job] * (SEEDS // seeds_per_job)
    sizes += [SEEDS % seeds_per_job] if SEEDS % seeds_per_job else []
    jobs = [pack_seconds(m, size) for _ in range(DATASETS) for m in minutes for size in sizes]
    before = PLAN_S + PREPARE_S + JOB_START_S
    free = [before] * gpus
    heapq.heapify(free)
    ends = []
    for number, seconds in enumerate(jobs):
        start = max(heapq.heappop(free), before + SUBMIT_S * number)
        ends.append(start + seconds)
        heapq.heappush(free, start + seconds)
    last, work = max(ends), sum(jobs)
    return Outcome(
        jobs=2 * len(jobs) + DATASETS,
        hours=(last + ANALYSE_S) / 3600,
        serial_hours=(before + ANALYSE_S) / 3600,
        gpu_hours=work / 3600,
        busy=work / (gpus * (last - before)),
    )


def table(minutes: Sequence[float]) -> str:
    """Return outcomes by number of GPUs and seeds in a job as a Markdown table."""
    lines = ["| GPUs | seeds a job | jobs | hours | of these serial | GPU hours | GPUs busy |"]
    lines += ["|---:|---:|---:|---:|---:|---:|---:|"]
    for gpus in (1, 8, 100):
        for seeds_per_job in (1, 2, 5, 10, 20):
            o = simulate(gpus, seeds_per_job, minutes)
            cells = [gpus, seeds_per_job, o.jobs, f"{o.hours:.1f}", f"{o.serial_hours:.2f}"]
            cells += [f"{o.gpu_hours:.0f}", f"{100 * o.busy:.0f} %"]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--docs", action="store_true", help="write into docs/cluster.md")
    args = parser.parse_args()
    text = table(seed_minutes())
    print(text)
    if args.docs:
        replace_section("cluster_on_paper", text, DOCS)


if __name__ == "__main__":
    main()
