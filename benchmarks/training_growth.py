"""How an epoch's time and memory grow with the number of utterances and with their length.

    python -m benchmarks.training_growth --folder FOLDER

Data are generated in the shape of CMU-MOSI. Each point is a process of its own on one thread, which
takes training steps of a row as ``amb speed`` does: all steps of the first epoch, or as many as it
may, and then the epoch's time is scaled. Memory is the largest resident set while training, pages
of the mapped store included; on a GPU, what was allocated there. Written: every point
(``training_growth.json``) and the table in ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from amb.files import write_json
from benchmarks.command import add_size_arguments, publish, training_parser
from benchmarks.mosi_like import job_of, prepare
from benchmarks.readme import machine

ROOT = Path(__file__).resolve().parent.parent
METHODS = ("amb", "finetuned_fusion")
UTTERANCES = (500, 1000, 2000, 4000, 8000, 16000)  # at MEAN_PIECES
PIECES = (10, 20, 40, 80)  # mean length, at LENGTH_UTTERANCES
MEAN_PIECES, LENGTH_UTTERANCES = 20, 1000
CUT = 4  # the longest text is so many times the mean
WARMUP_STEPS = 3


def measure_point(folder: Path, method: str, steps: int, device: str) -> dict[str, Any]:
    """Take training steps of one row; runs in a process of its own.

    Args:
        folder: What ``prepare`` made.
        method: Row of its study.
        steps: Most steps to take.
        device: ``cpu`` or ``cuda``.

    Returns:
        Seconds an epoch (wall and CPU), steps, and peak memory in bytes.
    """
    from amb.timing.steps import TimedRow
    from amb.training.record import peak_memory_bytes, reset_peak_memory
    from amb.training.run import open_context

    job = job_of(folder, method, device)
    row = TimedRow(job, 1111)
    in_epoch = math.ceil(len(open_context(job).splits["train"]) / row.settings.batch_size)
    row.time_block(min(WARMUP_STEPS, in_epoch))
    reset_peak_memory(row.device)
    taken = min(steps, in_epoch)
    cpu = time.process_time()
    wall_s, _ = row.time_block(taken)
    cpu_s = time.process_time() - cpu
    scale = in_epoch / taken
    return {
        "epoch_wall_s": wall_s * scale,
        "epoch_cpu_s": cpu_s * scale,
        "steps_in_epoch": in_epoch,
        "steps": taken,
        "peak_memory_bytes": peak_memory_bytes(row.device),
    }


def run_point(folder: Path, method: str, steps: int, device: str) -> dict[str, Any]:
    """Run ``measure_point`` in a new process on one thread."""
    arguments = ["--point", str(folder), method, str(steps), device, "--folder", str(folder)]
    command = [sys.executable, "-m", "benchmarks.training_growth", *arguments]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT, check=True
    )
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def table(points: list[dict[str, Any]], where: dict[str, Any]) -> str:
    """Return one Markdown row a size, with columns for every row of the study."""
    methods = list(dict.fromkeys(point["method"] for point in points))
    headers = ["utterances", "word-pieces"]
    headers += [f"{name}, s an epoch | MB" for name in methods]
    lines = [f"| {' | '.join(headers)} |", f"|{'---:|' * (2 + 2 * len(methods))}"]
    sizes = list(dict.fromkeys((p["utterances"], p["mean_pieces"]) for p in points))
    for size in sizes:
        cells = [str(size[0]), f"{size[1]:.1f}"]
        for method in methods:
            key = (*size, method)
            found = [p for p in points if (p["utterances"], p["mean_pieces"], p["method"]) == key]
            cells += [f"{p['epoch_cpu_s']:.1f} | {p['peak_memory_bytes'] / 1e6:.0f}" for p in found]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        f"{where['backbone']}, batches of 32, one thread, CPU seconds of the process (at most",
        f"{where['steps']} steps of an epoch, scaled); largest resident memory while training.",
        f"{where['processor']}, {where['cores']} cores, load {where['load']:.1f}.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure all points, write JSON and table."""
    parser = training_parser(__doc__, "the data, 2 GB", steps=60)
    add_size_arguments(parser)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), help="rows to train")
    parser.add_argument("--utterances", type=int, nargs="+", default=list(UTTERANCES))
    parser.add_argument("--pieces", type=int, nargs="+", default=list(PIECES))
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "training_growth.json")
    parser.add_argument("--point", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.point:
        folder, method, steps, device = args.point
        print(json.dumps(measure_point(Path(folder), method, int(steps), device)))
        return
    sizes = [(number, MEAN_PIECES) for number in args.utterances]
    sizes += [(LENGTH_UTTERANCES, pieces) for pieces in args.pieces]
    where = {**machine(), "backbone": args.backbone, "steps": args.steps, "device": args.device}
    points = []
    for number, pieces in dict.fromkeys(sizes):
        folder = args.folder.resolve() / f"{number}_{pieces}"
        methods: dict[str, dict] = {name: {} for name in args.methods}
        split = {"train": number, "valid": 32, "test": 32}
        mean = prepare(folder, args.backbone, methods, split, pieces, CUT * pieces)
        for method in args.methods:
            point = run_point(folder, method, args.steps, args.device)
            points.append({"method": method, "utterances": number, "mean_pieces": mean, **point})
            print(points[-1], file=sys.stderr)
    write_json(args.output, {"schema": 1, **where, "points": points})
    text = table(points, where)
    publish(args, "training_growth", text)


if __name__ == "__main__":
    main()
