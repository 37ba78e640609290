"""A horizontal axis in per cent of its width: round ticks, so that a picture fits any screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MARGIN = 6.0  # per cent kept free on both sides
_STEPS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Axis:
    """A linear axis.

    Attributes:
        low: The value at the left margin.
        high: The value at the right margin, above ``low``.
    """

    low: float
    high: float

    def place(self, value: float) -> float:
        """Return where a value stands, in per cent of the width, two decimals."""
        share = (value - self.low) / (self.high - self.low)
        return round(MARGIN + share * (100 - 2 * MARGIN), 2)

    def clipped(self, value: float) -> float:
        """Return where a value stands, at most at the picture's edge."""
        return min(max(self.place(value), 0.0), 100.0)

    def ticks(self, about: int = 5) -> list[float]:
        """Return round values on the axis, about so many."""
        step = _round_up((self.high - self.low) / about)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(k * step, 12) for k in range(first, last + 1)]


def axis_of(values: Sequence[float]) -> Axis:
    """Return an axis on which all values lie.

    Args:
        values: At least one finite number.

    Returns:
        The axis; wider than nothing also where all values are equal.
    """
    low, high = min(values), max(values)
    if high - low <= 1e-12 * max(abs(low), abs(high), 1.0):
        low, high = low - 0.5, high + 0.5
    return Axis(low, high)


def _round_up(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return power * next(s for s in _STEPS if step <= s * power * (1 + 1e-9))
