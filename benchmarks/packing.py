"""K seeds as one model beside K seeds in turn: time of a seed's step, and memory, for each K.

    python -m benchmarks.packing --folder FOLDER [--device cuda] [--backbone bert-base-uncased]

Data are generated in the shape of CMU-MOSI. For each row and K both ways live in one process (one
thread on a CPU) and take blocks of steps in turn, forwards and backwards, on the same utterances.
On a GPU, peak memory is that of a block. Written: the table in ``benchmarks/README.md`` of the
device.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from amb.training.epoch_order import epoch_order
from amb.training.job import Job
from amb.training.loop import Position, backward
from amb.training.memory import MemoryEstimate, estimate_memory
from amb.training.pack import Pack
from amb.training.record import device_name, peak_memory_bytes, reset_peak_memory
from amb.training.run import build_model, open_context
from amb.training.seed_training import SeedTraining
from amb.training.seen_embedding import train_seen_rows_only
from benchmarks.command import add_size_arguments, publish, training_parser
from benchmarks.mosi_like import job_of, prepare
from benchmarks.readme import machine, spread

ROWS = ("amb", "finetuned_fusion")
SIZES = {"train": 320, "valid": 64, "test": 64}
MEAN_PIECES, LONGEST = 18, 50


class Way:
    """K seeds that take steps, as one model or in turn.

    Args:
        job: The row and its files.
        seeds: The seeds.
        packed: Whether as one model.
    """

    def __init__(self, job: Job, seeds: Sequence[int], packed: bool) -> None:
        context = open_context(job)
        self.data = context.splits["train"]
        settings = context.study.methods[job.method].training
        self.trainings = []
        for seed in seeds:
            model = build_model(job, seed)
            train_seen_rows_only(model, self.data.token_ids.own_values())
            model.begin_epoch(1)
            self.trainings.append(SeedTraining(model, seed, settings))
        models = [training.model for training in self.trainings]
        groups = [range(len(seeds))] if packed else [[k] for k in range(len(seeds))]
        self.packs = [([*own], Pack([models[k] for k in own], [seeds[k] for k in own]))
                      for own in groups]  # fmt: skip
        for _, pack in self.packs:
            pack.model.train()
        orders = [epoch_order(self.data.token_ids.lengths, settings, seed, 1) for seed in seeds]
        self.rows = torch.stack(orders).to(context.device).split(settings.batch_size, dim=1)
        self.device, self.step = context.device, 0

    def block(self, steps: int) -> float:
        """Take steps of every seed; return the seconds of one step of one seed.

        CPU time of the process on a CPU, else wall time until the GPU has finished.
        """
        clock = time.process_time if self.device.type == "cpu" else time.perf_counter
        self._wait()
        start = clock()
        for _ in range(steps):
            rows = self.rows[self.step % len(self.rows)]
            for own, pack in self.packs:
                backward(pack, self.data, rows[own], Position(1, self.step))
                pack.hand_back_gradients()
                for k in own:
                    self.trainings[k].step()
            self.step += 1
        self._wait()
        return (clock() - start) / steps / len(self.trainings)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


@dataclass(frozen=True)
class Measured:
    """One row at one K: seconds of a seed's step by round, and peak memory of a GPU."""

    row: str
    K: int
    packed: list[float]
    in_turn: list[float]
    peak_packed: int
    peak_in_turn: int
    estimate: MemoryEstimate


def measure(job: Job, K: int, rounds: int, steps: int) -> Measured:
    """Time K seeds of one row both ways."""
    seeds = list(range(1111, 1111 + K))
    ways = [Way(job, seeds, packed) for packed in (True, False)]
    seconds: list[list[float]] = [[], []]
    peaks = [0, 0]
    for way in ways:
        way.block(len(way.rows))  # every text has been read
    for number in range(rounds):
        for place in (0, 1) if number % 2 == 0 else (1, 0):
            reset_peak_memory(ways[place].device)
            seconds[place].append(ways[place].block(steps))
            peaks[place] = max(peaks[place], peak_memory_bytes(ways[place].device))
    context = open_context(job)
    batch_size = context.study.methods[job.method].training.batch_size
    estimate = estimate_memory(build_model(job, 1), context.splits["train"], batch_size)
    return Measured(job.method, K, *seconds, *peaks, estimate)


def table(found: Sequence[Measured], backbone: str, device: torch.device, mean: float) -> str:
    """Return the Markdown table."""
    lines = [
        "| row | K | as one model, ms | in turn, ms | × faster | estimated memory, MiB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for own in found:
        ratios = [t / p for t, p in zip(own.in_turn, own.packed, strict=True)]
        each = own.estimate
        mib = (each.shared + own.K * (each.trained + each.activations)) / 2**20
        cells = [own.row, str(own.K), f"{1000 * median(own.packed):.1f}"]
        cells += [f"{1000 * median(own.in_turn):.1f}", spread(ratios), f"{mib:.0f}"]
        if device.type == "cuda":
            cells[-1] += f" (peak of both ways: {own.peak_packed / 2**20:.0f})"
        lines.append("| " + " | ".join(cells) + " |")
    where = machine()
    kind = "CPU time, one thread" if device.type == "cpu" else "wall time"
    lines += [
        "",
        f"{backbone}, batches of 32 texts of {mean:.1f} word-pieces in the mean; {kind} of one",
        f"seed's step, medians of {len(found[0].packed)} rounds; ratios round by round, median",
        f"(lowest–highest). {device_name(device)}, load {where['load']:.1f}.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Prepare the data, time both ways for each row and K, write the table."""
    parser = training_parser(__doc__, "data and backbone, 200 MB", rounds=6, steps=2)
    add_size_arguments(parser)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 5, 10], metavar="K")
    parser.add_argument("--rows", nargs="+", default=ROWS, choices=ROWS)
    args = parser.parse_args()
    folder = args.folder.resolve()
    mean = prepare(folder, args.backbone, {r: {} for r in ROWS}, SIZES, MEAN_PIECES, LONGEST)
    found = []
    for row in args.rows:
        for K in args.seeds:
            found.append(measure(job_of(folder, row, args.device), K, args.rounds, args.steps))
            print(f"measured {row}, K = {K}", file=sys.stderr)
    text = table(found, args.backbone, torch.device(args.device), mean)
    publish(args, f"packing_{args.device}", text)


if __name__ == "__main__":
    main()
