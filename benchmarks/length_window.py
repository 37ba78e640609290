"""What batches of texts of like length would save: an epoch of them beside one of random batches.

    python -m benchmarks.length_buckets --folder FOLDER

Data are generated in the shape of CMU-MOSI. Three orders of the same utterances take turns in one
process on one thread, a whole epoch each: random, as training has it; random, then sorted by length
within every ``WINDOW`` batches, which is what a bucketed sampler does; and sorted throughout, which
no training could use and no sampler can beat. Also counted: the places that attention and the
audio-visual encoder compute on. Written: the table in ``benchmarks/README.md``.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor

from amb.timing.steps import TimedRow
from amb.training.run import open_context
from amb.training.seeds import epoch_order
from benchmarks.command import publish, training_parser
from benchmarks.mosi_like import job_of, prepare
from benchmarks.readme import machine

ROWS = ("amb", "finetuned_text", "finetuned_fusion")
SIZES = {"train": 320, "valid": 64, "test": 64}
MEAN_PIECES, LONGEST = 18, 50
BATCH_SIZE, WINDOW, SEED = 32, 5, 1111


def orders(lengths: Tensor) -> dict[str, Tensor]:
    """Return the orders of utterances (U,) that are compared, by name."""
    random = epoch_order(SEED, 1, len(lengths))
    windows = random.split(BATCH_SIZE * WINDOW)
    bucketed = [own[torch.argsort(lengths[own], stable=True)] for own in windows]
    return {
        "random": random,
        f"sorted within {WINDOW} batches": torch.cat(bucketed),
        "sorted throughout": torch.argsort(lengths, stable=True),
    }


def places(lengths: Tensor, order: Tensor) -> tuple[float, float]:
    """Return how many places a batch has, padding included, in terms of real ones.

    Args:
        lengths: Of the texts (U,).
        order: Of the utterances (U,).

    Returns:
        Of the rectangle (B, L), and of the scores of attention (B, L, L).
    """
    batches = [lengths[rows] for rows in order.split(BATCH_SIZE)]
    rectangle = sum(len(own) * int(own.max()) for own in batches)
    scores = sum(len(own) * int(own.max()) ** 2 for own in batches)
    return rectangle / int(lengths.sum()), scores / int((lengths**2).sum())


def measure(folder: Path, row: str, rounds: int) -> dict[str, list[float]]:
    """Time epochs in each order in turn: CPU seconds of a step by order, one a round."""
    job = job_of(folder, row)
    timed = TimedRow(job, SEED)
    lengths = open_context(job).splits["train"].token_ids.lengths
    compared = orders(lengths)
    steps = -(-len(lengths) // BATCH_SIZE)
    timed.time_block(steps)  # every text has been read
    found: dict[str, list[float]] = {name: [] for name in compared}
    for number in range(rounds):
        names = list(compared) if number % 2 == 0 else list(reversed(compared))
        for name in names:
            timed._rows = iter(compared[name].split(BATCH_SIZE))
            start = time.process_time()
            timed.time_block(steps)
            found[name].append((time.process_time() - start) / steps)
    print(f"measured {row}", file=sys.stderr)
    return found


def table(found: dict[str, dict[str, list[float]]], lengths: Tensor) -> str:
    """Return the Markdown table: ms of a step, and how many times as fast as in random order."""
    headers = ["order", "places (B, L)", "scores (B, L, L)"]
    headers += [f"{row}, ms | × faster" for row in found]
    lines = [f"| {' | '.join(headers)} |", "|---|" + "---:|" * (2 + 2 * len(found))]
    for name, order in orders(lengths).items():
        rectangle, scores = places(lengths, order)
        cells = [name, f"{rectangle:.2f}", f"{scores:.2f}"]
        for own in found.values():
            ratios = [r / s for r, s in zip(own["random"], own[name], strict=True)]
            cells.append(f"{1000 * median(own[name]):.0f}")
            cells.append(f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})")
        lines.append(f"| {' | '.join(cells)} |")
    where = machine()
    rounds = len(next(iter(found.values()))["random"])
    lines += [
        "",
        "Places and scores with padding, in terms of those without: 1 would be no padding. MiniLM,",
        f"batches of {BATCH_SIZE} of {len(lengths)} texts of {lengths.double().mean():.1f}"
        f" word-pieces in the mean, {LONGEST} at most;",
        f"CPU time, medians of {rounds} epochs; ratios round by round, median (lowest–highest).",
        f"{where['processor']}, one thread, load {where['load']:.1f}.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Prepare the data, time all orders of every row, write the table."""
    parser = training_parser(__doc__, "data and backbone, 200 MB", rounds=6)
    args = parser.parse_args()
    folder = args.folder.resolve()
    prepare(folder, "minilm", {row: {} for row in ROWS}, SIZES, MEAN_PIECES, LONGEST)
    found = {row: measure(folder, row, args.rounds) for row in ROWS}
    text = table(found, open_context(job_of(folder, ROWS[0])).splits["train"].token_ids.lengths)
    publish(args, "length_buckets", text)


if __name__ == "__main__":
    main()
