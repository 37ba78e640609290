"""Numbers about a block of features, in one pass and little memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amb.data.inspection.contents import Block


@dataclass(frozen=True)
class Measures:
    """What is wrong with a block's values.

    Attributes:
        nan: Number of values that are NaN.
        infinite: Number of values that are +inf or −inf.
        constant: Columns with one finite value only; None where rows have no columns in common.
        low: Smallest finite value, None where there is none.
        high: Largest finite value.
    """

    nan: int
    infinite: int
    constant: int | None
    low: float | None
    high: float | None


def measure(block: Block) -> Measures | None:
    """Measure a block; None for text and other things without numbers."""
    nan = infinite = 0
    low = high = None
    for row in block.rows:
        if not row.size:
            continue
        frames = row.reshape(-1, row.shape[-1]) if row.ndim > 1 else row.reshape(-1, 1)
        finite = np.isfinite(frames)
        missing = int(np.isnan(frames).sum())
        nan += missing
        infinite += frames.size - int(finite.sum()) - missing
        own_low = np.where(finite, frames, np.inf).min(axis=0)
        own_high = np.where(finite, frames, -np.inf).max(axis=0)
        if low is None or high is None or low.shape != own_low.shape:
            low, high = own_low, own_high
        else:
            low, high = np.minimum(low, own_low), np.maximum(high, own_high)
    if low is None or high is None:
        return None
    seen = low <= high
    return Measures(
        nan,
        infinite,
        int((low == high).sum()),
        float(low[seen].min()) if seen.any() else None,
        float(high[seen].max()) if seen.any() else None,
    )
