"""What each of the engine's savings is worth: a training step without it, beside one with all.

    python -m benchmarks.training_options --folder FOLDER [--device cuda] [--backbone NAME]

Data are generated in the shape of CMU-MOSI. All variants live in one process and take
blocks of steps in turn, forwards and backwards. Texts have been read once before timing begins, as
they have from the second epoch on, and what compiles has compiled. ``torch.compile``, which the
engine does not use, stands last. Written: the table in ``benchmarks/README.md``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amb.model import amb as amb_module
from amb.model.bert import BertAttention
from amb.model.packing import TokenLayout
from amb.timing import steps as steps_module
from amb.timing.steps import TimedRow
from amb.training import seed_training as seed_training_module
from amb.training.dropout import SeededDropout
from amb.training.optimiser import build_optimiser
from benchmarks.command import add_size_arguments, publish, training_parser
from benchmarks.mosi_like import job_of, prepare
from benchmarks.readme import spread
from benchmarks.step_clock import clock_and_device, step_seconds

ROWS = ("amb", "finetuned_text")
SIZES = {"train": 640, "valid": 64, "test": 64}
MEAN_PIECES, LONGEST = 18, 50

Patches = Callable[[ExitStack], object]


class PaddedLayout(TokenLayout):
    """Every place of the rectangle as if it held a word-piece; attention still masks padding."""

    def __init__(self, token_mask: Tensor, seeds: int = 1) -> None:
        super().__init__(torch.ones_like(token_mask), seeds)
        self.mask, self.lengths = token_mask, token_mask.sum(1)


def _fused_attention(self: BertAttention, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    dropout = self.dropout.p if self.training else 0.0
    return F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask[:, None, None, :], dropout_p=dropout
    )


def _unfused(*arguments: object) -> torch.optim.AdamW:
    optimiser = build_optimiser(*arguments)  # type: ignore[arg-type]
    groups = [{k: g[k] for k in ("params", "lr", "weight_decay")} for g in optimiser.param_groups]
    return torch.optim.AdamW(groups, fused=False)


def _pad_everywhere(stack: ExitStack) -> None:
    stack.enter_context(patch.object(amb_module, "TokenLayout", PaddedLayout))


def _do_not_fuse_adamw(stack: ExitStack) -> None:
    stack.enter_context(patch.object(seed_training_module, "build_optimiser", _unfused))


def _train_all_embeddings(stack: ExitStack) -> None:
    stack.enter_context(patch.object(steps_module, "train_seen_rows_only", lambda *_: {}))


def _all_off(stack: ExitStack) -> None:
    for off in (_pad_everywhere, _do_not_fuse_adamw, _train_all_embeddings):
        off(stack)


FORGETFUL = "the first frozen layer every time"
HIGHEST = "float32 products by torch's default kernels"
PLAIN = "all that pays: the plain loop"
COMPILED = "*added:* `torch.compile`"
# What is off, and the one row that has it to lose; "": both.
VARIANTS: dict[str, tuple[str, Patches]] = {
    "all savings": ("", lambda stack: None),
    "padding in every layer, not in attention alone": ("finetuned_text", _pad_everywhere),
    "torch's dropout": (
        "",
        lambda stack: stack.enter_context(
            patch.object(SeededDropout, "forward", nn.Dropout.forward)
        ),
    ),
    "torch's fused attention": (
        "",
        lambda stack: stack.enter_context(patch.object(BertAttention, "_mix", _fused_attention)),
    ),
    "AdamW not fused": ("", _do_not_fuse_adamw),
    "all 30,522 word embeddings train": ("finetuned_text", _train_all_embeddings),
    FORGETFUL: ("amb", lambda stack: None),
    HIGHEST: ("", lambda stack: None),
    PLAIN: ("", _all_off),
    COMPILED: ("", lambda stack: None),
}


class Variant:
    """A row with one saving off.

    Args:
        folder: What ``prepare`` made.
        row: The row.
        name: Of ``VARIANTS``.
        device: Where it trains.
    """

    def __init__(self, folder: Path, row: str, name: str, device: str) -> None:
        self.name, self.row = name, row
        with self._off():
            self._timed = TimedRow(job_of(folder, row, device), 1111)
        if name in (FORGETFUL, PLAIN) and row == "amb":
            self._timed._pack.model.backbone.memory = None  # type: ignore[union-attr]
        if name == COMPILED:  # lengths differ from batch to batch, so shapes are left open
            self._timed._pack.model.compile(dynamic=True)

    def block(self, steps: int) -> float:
        """Take steps; return the seconds of one."""
        precision = "highest" if self.name in (HIGHEST, PLAIN) else "medium"
        # A timed row sets its recipe's precision before every block.
        self._timed.settings = replace(self._timed.settings, matmul_precision=precision)
        with self._off():
            return step_seconds(self._timed, steps)

    @contextmanager
    def _off(self) -> Iterator[None]:
        with ExitStack() as stack:
            VARIANTS[self.name][1](stack)
            yield


def measure(
    folder: Path, device: str, rounds: int, steps: int
) -> dict[tuple[str, str], list[float]]:
    """Time all variants in turn: seconds a step by row and variant, one a round."""
    variants = [
        Variant(folder, row, name, device)
        for row in ROWS
        for name, (only, _) in VARIANTS.items()
        if only in ("", row)
    ]
    in_epoch = -(-SIZES["train"] // 32)
    for variant in variants:
        variant.block(in_epoch)
        print(f"read once: {variant.row}, {variant.name}", file=sys.stderr)
    found: dict[tuple[str, str], list[float]] = {(v.row, v.name): [] for v in variants}
    for number in range(rounds):
        for variant in variants if number % 2 == 0 else reversed(variants):
            found[variant.row, variant.name].append(variant.block(steps))
    return found


def table(
    found: dict[tuple[str, str], list[float]], backbone: str, device: str, mean_pieces: float
) -> str:
    """Return the Markdown table: ms of a step, and how many times as long as with all savings."""
    lines = ["| without | " + " | ".join(f"{row}, ms | ×" for row in ROWS) + " |"]
    lines.append("|---|" + "---:|" * 2 * len(ROWS))
    everything = next(iter(VARIANTS))
    for name in VARIANTS:
        cells = [name if name != everything else "*nothing: all savings on*"]
        for row in ROWS:
            seconds = found.get((row, name))
            if seconds is None:
                cells += ["–", "–"]
                continue
            ratios = [s / b for s, b in zip(seconds, found[row, everything], strict=True)]
            cells += [f"{1000 * median(seconds):.0f}"]
            cells += [spread(ratios)]
        lines.append("| " + " | ".join(cells) + " |")
    rounds = len(next(iter(found.values())))
    lines += [
        "",
        f"{backbone}, batches of 32 texts of {mean_pieces:.1f} word-pieces in the mean,"
        f" {LONGEST} at most;",
        f"medians of {rounds} rounds; ratios round by round, median (lowest–highest).",
        clock_and_device(device),
    ]
    return "\n".join(lines)


def main() -> None:
    """Prepare the data, time all variants, write the table."""
    parser = training_parser(__doc__, "data and backbone, 200 MB", rounds=8, steps=4)
    add_size_arguments(parser)
    args = parser.parse_args()
    folder = args.folder.resolve()
    mean = prepare(folder, args.backbone, {row: {} for row in ROWS}, SIZES, MEAN_PIECES, LONGEST)
    found = measure(folder, args.device, args.rounds, args.steps)
    text = table(found, Path(args.backbone).name, args.device, mean)
    publish(args, f"training_options_{args.device}", text)


if __name__ == "__main__":
    main()
