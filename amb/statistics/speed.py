"""Training steps of two rows, timed in interleaved blocks: is ``a`` faster than ``b``?

Blocks come in pairs, one of each row. With the seconds an utterance of both blocks of pair i:

    d_i = log(seconds of b) − log(seconds of a)

positive where ``a`` is faster. The mean of d has Student's t interval over pairs: drift of the
machine acts on both blocks of a pair and drops out, and a ratio of times is what a reader asks for:
``a`` takes exp(−mean d) of the time of ``b``.

Source: statistics.md of this project ("Verdicts").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from amb.errors import InputError
from amb.files import read_json
from amb.statistics.effect import Effect, SampleSizes, is_rounding, t_effect, untestable

MEANING = "the file that amb speed writes"


@dataclass(frozen=True)
class Timing:
    """What ``amb speed`` measured.

    Attributes:
        a: The row that a claim is about.
        b: The row that it is compared with.
        hardware: Name of the processor or GPU.
        threads: Threads of one training.
        precision: Precision of matrix products, of ``a`` and of ``b``.
        steps: Training steps in a block.
        seconds: (pairs, 2) seconds an utterance, columns ``a`` and ``b``.
    """

    a: str
    b: str
    hardware: str
    threads: int
    precision: tuple[str, str]
    steps: int
    seconds: tuple[tuple[float, float], ...]


def log_ratio_of_gain(share: float) -> float:
    """Return the log ratio of times that saves this share of the counterpart's time."""
    return -math.log1p(-share)


def speed_test(timing: Timing, alpha: float = 0.05) -> Effect:
    """Test the log ratio of times over pairs of blocks.

    Args:
        timing: The timing.
        alpha: Two-sided significance level.

    Returns:
        The mean log ratio, positive where ``a`` is faster.
    """
    logs = np.log(np.array(timing.seconds))
    ratios = logs[:, 1] - logs[:, 0]
    test = f"paired t over {ratios.size} pairs of timing blocks"
    sizes = SampleSizes(1, 1, 0, 0)
    estimate = float(ratios.mean())
    if ratios.size < 2:
        return untestable(estimate, alpha, test, sizes, "there is one pair of blocks")
    variance = float(ratios.var(ddof=1)) / ratios.size
    if is_rounding(variance, float(np.abs(logs).max())):
        return untestable(estimate, alpha, test, sizes, "all pairs of blocks have one ratio")
    return t_effect(estimate, variance, ratios.size - 1, alpha, test, sizes)


def read_timings(files: Sequence[Path]) -> dict[tuple[str, str], Timing]:
    """Read timings.

    Args:
        files: Written by ``amb speed``.

    Returns:
        Rows (a, b) to their timing.

    Raises:
        InputError: A file is missing or is not what ``amb speed`` writes.
    """
    timings = {}
    for file in files:
        timing = _read_timing(Path(file))
        timings[timing.a, timing.b] = timing
    return timings


def _read_timing(file: Path) -> Timing:
    if not file.is_file():
        raise InputError(file, "file", "no such file", MEANING)
    try:
        record: dict[str, Any] = read_json(file)
        return Timing(
            a=str(record["a"]),
            b=str(record["b"]),
            hardware=str(record["hardware"]["name"]),
            threads=int(record["threads"]),
            precision=(str(record["precision"]["a"]), str(record["precision"]["b"])),
            steps=int(record["steps"]),
            seconds=_seconds_by_pair(file, record["blocks"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(file, "content", str(error), MEANING) from error


def _seconds_by_pair(
    file: Path, blocks: Sequence[dict[str, Any]]
) -> tuple[tuple[float, float], ...]:
    """Return seconds an utterance of every pair, whatever the order of its two blocks."""
    pairs: dict[int, dict[str, float]] = {}
    for block in blocks:
        seconds, utterances = float(block["seconds"]), int(block["utterances"])
        if not (0 < seconds < math.inf and utterances > 0):
            where = f"blocks, pair {block['pair']}, side {block['side']}"
            raise InputError(file, where, (seconds, utterances), "positive numbers")
        pairs.setdefault(int(block["pair"]), {})[str(block["side"])] = seconds / utterances
    if not pairs:
        raise InputError(file, "blocks", "none", "at least one pair")
    for pair, sides in pairs.items():
        if set(sides) != {"a", "b"}:
            raise InputError(file, f"blocks, pair {pair}", sorted(sides), "one block of a and of b")
    return tuple((pairs[pair]["a"], pairs[pair]["b"]) for pair in sorted(pairs))
