"""Sequences of unequal length in one flat array: no padding on disk or in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Offsets = npt.NDArray[np.int64]
CHUNK_VALUES = 1 << 24


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

    def chunks(self) -> Iterator[Array]:
        """Yield all frames in order, float32, about ``CHUNK_VALUES`` values at a time."""
        step = max(1, CHUNK_VALUES // max(1, self.dimension))
        for first in range(0, len(self.values), step):
            yield self.values[first : first + step]

    def rows_of(self, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return which frames (sum_T,) belong to the chosen sequences (N,)."""
        return np.repeat(chosen, self.lengths)


class Sequences(Protocol):
    """N feature sequences of unequal length that can be read once, in order, piece by piece."""

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Frames of each sequence (N,)."""

    @property
    def dimension(self) -> int:
        """Features of a frame, d."""

    def __len__(self) -> int: ...

    def chunks(self) -> Iterator[Array]:
        """Yield all frames in order, float32, some hundred thousand values at a time."""


@dataclass(frozen=True)
class PaddedSequences:
    """N sequences inside a padded block, which may be mapped from a file and stays there.

    Attributes:
        values: (N, T, d), any float or integer type.
        starts: Place of the first real frame of each sequence (N,); padding may stand before it.
        lengths: Real frames of each sequence (N,).
    """

    values: npt.NDArray[Any]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @property
    def dimension(self) -> int:
        """Features of a frame, d."""
        return int(self.values.shape[2])

    def __len__(self) -> int:
        return len(self.lengths)

    def chunks(self) -> Iterator[Array]:
        """Yield the real frames of about ``CHUNK_VALUES`` padded values at a time."""
        N, T, d = self.values.shape
        step = max(1, CHUNK_VALUES // max(1, T * d))
        place = np.arange(T)
        for first in range(0, N, step):
            rows = slice(first, first + step)
            start = self.starts[rows, None]
            real = (place >= start) & (place < start + self.lengths[rows, None])
            yield self.values[rows][real].astype(np.float32, copy=False)
