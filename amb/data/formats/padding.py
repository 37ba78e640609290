"""Where the real frames of padded sequences are, in layouts that do not say."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def real_frames(values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Find the first frame and the end of the last frame that is not all zeros.

    A sequence that begins or ends with a real frame of zeros loses it: the layout cannot tell it
    from padding. A sequence of zeros only keeps its first frame.

    Args:
        values: Padded sequences (N, T, d).

    Returns:
        The place of the first real frame (N,) and the end of the last (N,).
    """
    first = np.zeros(len(values), dtype=np.int64)
    end = np.ones(len(values), dtype=np.int64)
    for row, sequence in enumerate(values):
        real = np.flatnonzero((sequence != 0).any(axis=1))
        if len(real):
            first[row], end[row] = real[0], real[-1] + 1
    return first, end
