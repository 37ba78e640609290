"""Mean and standard deviation of groups of frames, one sequence at a time.

Each sequence's mean and sum of squared deviations are computed in float64 around its own mean and
merged into its groups (Chan, Golub and LeVeque 1983, equation 2.1; Welford's update is the case of
one row). Nothing is subtracted that is large against the result, so a far outlier costs no digits,
and nothing depends on how the frames came in pieces.

Notation: G groups, T frames of a sequence, d features of a frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from amb.data.ragged import Array

Float64 = npt.NDArray[np.float64]


class GroupMoments:
    """Moments of G groups of frames with d features.

    Args:
        groups: G.
        dimension: d.
    """

    def __init__(self, groups: int, dimension: int) -> None:
        self.count = np.zeros(groups, dtype=np.int64)
        self.mean: Float64 = np.zeros((groups, dimension))
        self._squares: Float64 = np.zeros((groups, dimension))  # sum of squared deviations
        self._low = np.full((groups, dimension), np.inf, dtype=np.float32)
        self._high = np.full((groups, dimension), -np.inf, dtype=np.float32)

    def add(self, frames: Array, groups: Sequence[int]) -> None:
        """Add a sequence of finite frames (T, d), T of 1 or more, to each of some groups."""
        low, high = frames.min(axis=0), frames.max(axis=0)
        own = frames.astype(np.float64)
        mean = own.mean(axis=0)
        own -= mean
        squares = np.einsum("td,td->d", own, own)
        for group in groups:
            before = self.count[group]
            total = before + len(frames)
            delta = mean - self.mean[group]
            self._squares[group] += squares + delta * delta * (before * len(frames) / total)
            self.mean[group] += delta * (len(frames) / total)
            self.count[group] = total
            np.minimum(self._low[group], low, out=self._low[group])
            np.maximum(self._high[group], high, out=self._high[group])

    def std(self) -> Float64:
        """Return the standard deviation (G, d), of the whole group; constant features have 0."""
        with np.errstate(invalid="ignore"):  # groups without a frame
            std = np.sqrt(self._squares / np.maximum(self.count, 1)[:, None])
        # Exactly 0, which rounding of the mean would otherwise spoil.
        return np.where(self._low == self._high, 0.0, std)
