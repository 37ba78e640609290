"""Training steps with BERT in bfloat16 beside steps in float32.

    python -m benchmarks.training_precision --folder FOLDER [--backbone NAME …] [--device cuda]

Data are generated in the shape of CMU-MOSI. All variants of a row live in one process on one thread
and take blocks of steps in turn, forwards and backwards, after an epoch in which texts are read for
the first time. On a CPU with AMX there is one more variant: float32 whose factors torch's setting
``medium`` rounds to bfloat16, which our recipes do not use. Written: the table in
``benchmarks/README.md`` of the device.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from amb.model.precision import use_matmul_precision
from amb.timing import steps as steps_module
from amb.timing.steps import TimedRow
from amb.training.record import device_name
from benchmarks.command import publish, training_parser
from benchmarks.mosi_like import job_of, prepare
from benchmarks.readme import machine, spread

ROWS = ("amb", "finetuned_text")
SIZES = {"train": 320, "valid": 64, "test": 64}
MEAN_PIECES, LONGEST = 18, 50
FLOAT32, ROUNDED, BF16 = "float32", "float32, factors rounded", "bf16"

Times = dict[str, list[tuple[float, float]]]  # CPU and wall seconds of a step by round


def variants(device: torch.device) -> list[str]:
    """Return what is compared on a device."""
    before = torch.get_float32_matmul_precision()
    rounds = use_matmul_precision("medium", device) != "medium"
    torch.set_float32_matmul_precision(before)
    return [FLOAT32, ROUNDED, BF16] if rounds else [FLOAT32, BF16]


def methods() -> dict[str, dict]:
    """Return the rows of the study: each in both precisions."""
    return {
        f"{row}_{precision}": {"preset": row, "training": {"precision": precision}}
        for row in ROWS
        for precision in (FLOAT32, BF16)
    }


def step_taker(folder: Path, row: str, variant: str, device: str) -> Callable[[int], None]:
    """Return what takes so many steps of a row in one of the variants."""
    name = f"{row}_{BF16 if variant == BF16 else FLOAT32}"
    timed = TimedRow(job_of(folder, name, device), 1111)

    def as_torch_has_it(wanted: str, _: torch.device) -> str:
        torch.set_float32_matmul_precision(wanted)
        return wanted

    def take(steps: int) -> None:
        if variant != ROUNDED:
            timed.time_block(steps)
            return
        with patch.object(steps_module, "use_matmul_precision", as_torch_has_it):
            timed.time_block(steps)

    return take


def measure(folder: Path, row: str, rounds: int, steps: int, device: str) -> Times:
    """Time the variants of one row in turn."""
    takers = {v: step_taker(folder, row, v, device) for v in variants(torch.device(device))}
    for take in takers.values():
        take(-(-SIZES["train"] // 32))
    found: Times = {variant: [] for variant in takers}
    for number in range(rounds):
        order = list(takers) if number % 2 == 0 else list(reversed(takers))
        for variant in order:
            cpu, wall = time.process_time(), time.perf_counter()
            takers[variant](steps)
            cost = time.process_time() - cpu, time.perf_counter() - wall
            found[variant].append((cost[0] / steps, cost[1] / steps))
    return found


def lines_of(backbone: str, row: str, found: Times) -> list[str]:
    """Return the lines of one row: a variant each, with its gain over float32 round by round."""
    lines = []
    for variant, seconds in found.items():
        cells = [backbone, row, variant]
        for clock in (0, 1):
            ratios = [
                base[clock] / own[clock] for base, own in zip(found[FLOAT32], seconds, strict=True)
            ]
            cells.append(f"{1000 * median(own[clock] for own in seconds):.0f}")
            cells.append(spread(ratios))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Prepare the data, time every row at every size, write the table."""
    parser = training_parser(__doc__, "data and backbones, 1 GB", rounds=6, steps=2)
    parser.add_argument("--backbone", nargs="+", default=["minilm"], help="names or folders")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    args = parser.parse_args()
    lines = [
        "| backbone | row | | CPU, ms a step | × faster | wall, ms a step | × faster |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for backbone in args.backbone:
        name = Path(backbone).name
        folder = args.folder.resolve() / name
        mean = prepare(folder, backbone, methods(), SIZES, MEAN_PIECES, LONGEST)
        for row in ROWS:
            lines += lines_of(name, row, measure(folder, row, args.rounds, args.steps, args.device))
            print(lines[-1], file=sys.stderr)
    where = machine()
    lines += [
        "",
        f"Batches of 32 texts of {mean:.1f} word-pieces in the mean; {args.rounds} rounds of",
        f"{args.steps} steps, medians; ratios round by round, median (lowest–highest). One thread;",
        f"{device_name(torch.device(args.device))}, load {where['load']:.1f}.",
    ]
    text = "\n".join(lines)
    publish(args, f"training_precision_{args.device}", text)


if __name__ == "__main__":
    main()
