"""Sequences of unequal length in one flat array: no padding on disk or in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ragged:
    """N feature sequences, stored end to end.

    Attributes:
        values: All frames (sum_T, d), float32.
        offsets: Where each sequence starts, and the end of the last (N + 1,), int64.
    """

    values: Array
    offsets: Offsets

    @classmethod
    def from_sequences(cls, sequences: Sequence[npt.NDArray[np.floating]]) -> Ragged:
        """Concatenate N sequences of shape (T_i, d), all of the same d."""
        offsets = np.zeros(len(sequences) + 1, dtype=np.int64)
        np.cumsum([len(sequence) for sequence in sequences], out=offsets[1:])
        return cls(np.concatenate(sequences).astype(np.float32, copy=False), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> Array:
        """Return sequence ``index`` (T_i, d), a view; negative indices count from the end."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sequence {index} of {len(self)}")
        index %= len(self)
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Frames of each sequence (N,)."""
        return np.diff(self.offsets)

    @property
    def dimension(self) -> int:
        """Features of a frame, d."""
        return int(self.values.shape[1])

    def rows_of(self, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return which frames (sum_T,) belong to the chosen sequences (N,)."""
        return np.repeat(chosen, self.lengths)
