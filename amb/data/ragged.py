"""Feature sequences of unequal length, as they lie in a store or in a user's file.

``Ragged`` is the store's form, one flat array without padding. The others read the layouts that
users hold without copying them: a list of arrays, a padded block, several of these in a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Offsets = npt.NDArray[np.int64]
Lengths = npt.NDArray[np.int64]
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
    def lengths(self) -> Lengths:
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


class Sequences(Protocol):
    """N feature sequences of unequal length, which may lie in a mapped file and be gigabytes."""

    @property
    def lengths(self) -> Lengths:
        """Frames of each sequence (N,)."""

    @property
    def dimension(self) -> int:
        """Features of a frame, d."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Array:
        """Return one sequence (T, d) float32; negative indices count from the end."""

    def chunks(self) -> Iterator[Array]:
        """Yield all frames in order, float32, about ``CHUNK_VALUES`` values at a time."""


@dataclass(frozen=True)
class ListedSequences:
    """N sequences (T_i, d) as a list of arrays of numbers, views of a mapped file or not."""

    arrays: Sequence[npt.NDArray[Any]]

    @property
    def lengths(self) -> Lengths:
        """Frames of each sequence (N,)."""
        return np.array([len(array) for array in self.arrays], dtype=np.int64)

    @property
    def dimension(self) -> int:
        """Features of a frame, d: that of the first sequence."""
        return int(self.arrays[0].shape[1]) if self.arrays else 0

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int) -> Array:
        """Return one sequence (T, d) float32."""
        return _float32(self.arrays[index])

    def chunks(self) -> Iterator[Array]:
        """Yield the sequences one by one."""
        for index in range(len(self)):
            yield self[index]


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

    def __getitem__(self, index: int) -> Array:
        """Return the real frames of one sequence (T, d) float32."""
        start = self.starts[index]
        return _float32(self.values[index, start : start + self.lengths[index]])

    def chunks(self) -> Iterator[Array]:
        """Yield the real frames of one sequence after the other."""
        for index in range(len(self)):
            yield self[index]


@dataclass(frozen=True)
class JoinedSequences:
    """The sequences of several parts, one part after the other: the splits of a file."""

    parts: Sequence[Sequences]

    @property
    def lengths(self) -> Lengths:
        """Frames of each sequence (N,)."""
        return np.concatenate([part.lengths for part in self.parts])

    @property
    def dimension(self) -> int:
        """Features of a frame, d: that of the first part."""
        return self.parts[0].dimension

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def __getitem__(self, index: int) -> Array:
        """Return one sequence (T, d) float32."""
        index = range(len(self))[index]
        for part in self.parts:
            if index < len(part):
                return part[index]
            index -= len(part)
        raise IndexError(index)

    def chunks(self) -> Iterator[Array]:
        """Yield the chunks of each part in turn."""
        for part in self.parts:
            yield from part.chunks()


def each_sequence(sequences: Sequences) -> Iterator[Array]:
    """Yield the frames (T, d) of each sequence in turn, however they are cut into chunks."""
    chunks = sequences.chunks()
    rest: Array = np.empty((0, sequences.dimension), dtype=np.float32)
    for length in sequences.lengths:
        while len(rest) < length:
            following = next(chunks)
            rest = np.concatenate([rest, following]) if len(rest) else following
        yield rest[:length]
        rest = rest[length:]


def _float32(values: npt.NDArray[Any]) -> Array:
    """Return numbers as float32; those beyond its range become infinite, and are mended later."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)
