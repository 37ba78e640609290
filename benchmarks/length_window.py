"""What batches of texts of like length save: an epoch of them beside one of random batches.

    python -m benchmarks.length_window --folder FOLDER [--device cuda] [--backbone NAME]

Data are generated in the shape of CMU-MOSI. A row whose recipe has a length window takes turns with
the same row without one, in one process, a whole epoch each; the widest window is the
epoch, which no narrower one can beat. Also counted: the places that attention and the audio-visual
encoder compute on. Written: the table in ``benchmarks/README.md``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")

from torch import Tensor

from amb.study import TrainingSettings
from amb.timing.steps import TimedRow
from amb.training.epoch_order import epoch_order
from amb.training.run import open_context
from benchmarks.command import add_size_arguments, publish, training_parser
from benchmarks.mosi_like import job_of, prepare
from benchmarks.readme import spread
from benchmarks.step_clock import clock_and_device, step_seconds

ROWS = ("amb", "finetuned_text", "finetuned_fusion")
SIZES = {"train": 640, "valid": 64, "test": 64}
MEAN_PIECES, LONGEST = 18, 50
BATCH_SIZE, SEED = 32, 1111
WINDOWS = (1, 2, 5, SIZES["train"] // BATCH_SIZE)


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


def measure(folder: Path, row: str, device: str, rounds: int) -> dict[int, list[float]]:
    """Time epochs under each window in turn: seconds of a step by window, one a round."""
    steps = -(-SIZES["train"] // BATCH_SIZE)
    jobs = {window: job_of(folder, name_of(row, window), device) for window in WINDOWS}
    timed = {window: TimedRow(job, SEED) for window, job in jobs.items()}
    for own in timed.values():
        own.time_block(steps)  # every text has been read
    found: dict[int, list[float]] = {window: [] for window in WINDOWS}
    for number in range(rounds):
        for window in WINDOWS if number % 2 == 0 else reversed(WINDOWS):
            found[window].append(step_seconds(timed[window], steps))
    print(f"measured {row}", file=sys.stderr)
    return found


def name_of(row: str, window: int) -> str:
    """Return what a row under a window is called in the study."""
    return f"{row}_within_{window}"


def table(
    found: dict[str, dict[int, list[float]]], lengths: Tensor, backbone: str, device: str
) -> str:
    """Return the Markdown table: ms of a step, and how many times as fast as in random batches."""
    headers = ["batches are formed", "places (B, L)", "scores (B, L, L)"]
    headers += [f"{row}, ms | × faster" for row in found]
    lines = [f"| {' | '.join(headers)} |", "|---|" + "---:|" * (2 + 2 * len(found))]
    for window in WINDOWS:
        recipe = TrainingSettings(1, batch_size=BATCH_SIZE, length_window=window)
        rectangle, scores = places(lengths, epoch_order(lengths, recipe, SEED, 1))
        within = {1: "at random", WINDOWS[-1]: "by length, within the epoch"}
        cells = [within.get(window, f"by length, within {window}")]
        cells += [f"{rectangle:.2f}", f"{scores:.2f}"]
        for own in found.values():
            ratios = [r / s for r, s in zip(own[1], own[window], strict=True)]
            cells.append(f"{1000 * median(own[window]):.0f}")
            cells.append(spread(ratios))
        lines.append(f"| {' | '.join(cells)} |")
    rounds = len(next(iter(found.values()))[1])
    lines += [
        "",
        f"Places and scores with padding, in terms of those without: 1 would be no padding."
        f" {backbone},",
        f"batches of {BATCH_SIZE} of {len(lengths)} texts of {lengths.double().mean():.1f}"
        f" word-pieces in the mean, {LONGEST} at most;",
        f"medians of {rounds} epochs; ratios round by round, median (lowest–highest).",
        clock_and_device(device),
    ]
    return "\n".join(lines)


def main() -> None:
    """Prepare the data, time all windows of every row, write the table."""
    parser = training_parser(__doc__, "data and backbone, 200 MB", rounds=6)
    add_size_arguments(parser)
    args = parser.parse_args()
    folder = args.folder.resolve()
    methods = {
        name_of(row, window): {"builder": row, "training": {"length_window": window}}
        for row in ROWS
        for window in WINDOWS
    }
    prepare(folder, args.backbone, methods, SIZES, MEAN_PIECES, LONGEST)
    found = {row: measure(folder, row, args.device, args.rounds) for row in ROWS}
    data = open_context(job_of(folder, next(iter(methods)))).splits["train"]
    text = table(found, data.token_ids.lengths, Path(args.backbone).name, args.device)
    publish(args, f"length_window_{args.device}", text)


if __name__ == "__main__":
    main()
