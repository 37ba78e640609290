"""Sequences of different lengths in one tensor, gathered and padded for each batch.

Notation: U utterances of a split, B batch, T longest sequence of the batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class RaggedTensor:
    """U rows of different lengths somewhere in one tensor.

    Attributes:
        values: (Σ, …); may hold more than these rows, and may be a mapped file.
        starts: Where each row begins (U,).
        lengths: Its length (U,).
        stored: How many values each row has in ``values`` (U,), where that is not its length: they
            are then repeated or skipped evenly. None: as many as its length.
    """

    values: Tensor
    starts: Tensor
    lengths: Tensor
    stored: Tensor | None = None

    @classmethod
    def select(cls, values: np.ndarray, offsets: np.ndarray, rows: np.ndarray) -> RaggedTensor:
        """Choose ``rows`` of a ragged array: values (Σ, …), offsets (N + 1,); nothing is copied."""
        starts, lengths = offsets[rows], np.diff(offsets)[rows]
        return cls(
            torch.from_numpy(values), torch.from_numpy(starts.copy()), torch.from_numpy(lengths)
        )

    def pad(self, rows: Tensor, fill: float = 0) -> tuple[Tensor, Tensor]:
        """Return rows side by side, (B, longest, …), and their mask, (B, longest)."""
        start, length = self.starts[rows], self.lengths[rows]
        place = torch.arange(int(length.max()), device=rows.device)
        mask = place < length[:, None]  # (B, longest)
        index = start[:, None] + self._stored_place(place, rows[:, None])
        index = index.clamp(max=max(self.values.shape[0] - 1, 0))
        return filled(self.values[index], mask, fill), mask

    def own_values(self) -> Tensor:
        """Return the values of these rows only, end to end: (ΣU, …)."""
        first = self.lengths.cumsum(0) - self.lengths
        every = torch.arange(len(self.lengths), device=first.device)
        row = torch.repeat_interleave(every, self.lengths)  # (ΣU,)
        place = torch.arange(len(row), device=row.device) - first[row]
        return self.values[self.starts[row] + self._stored_place(place, row)]

    def take(self, rows: Tensor) -> RaggedTensor:
        """Return ``rows`` (U',) in their order, over the same values."""
        stored = None if self.stored is None else self.stored[rows]
        return RaggedTensor(self.values, self.starts[rows], self.lengths[rows], stored)

    def resampled(self, lengths: Tensor) -> RaggedTensor:
        """Give each row another length: value k of n is the stored one at ⌊k · stored / n⌋.

        Args:
            lengths: The new lengths (U,); above 0 only where a row has a value.

        Returns:
            The same rows, over the same values.
        """
        stored = self.lengths if self.stored is None else self.stored
        assert not bool(((stored == 0) & (lengths > 0)).any()), "nothing to repeat in an empty row"
        return replace(self, lengths=lengths, stored=stored)

    def to(self, device: torch.device) -> RaggedTensor:
        """Return a copy of these rows on another ``device``; on their own, nothing is copied."""
        if device.type == self.values.device.type:
            return self
        starts = self.lengths.cumsum(0) - self.lengths
        return RaggedTensor(
            self.own_values().to(device), starts.to(device), self.lengths.to(device)
        )

    def _stored_place(self, place: Tensor, rows: Tensor) -> Tensor:
        """Return which stored value of its row each ``place`` shows; shapes broadcast."""
        if self.stored is None:
            return place
        shown: Tensor = place * self.stored[rows] // self.lengths[rows].clamp(min=1)
        return shown


def filled(values: Tensor, mask: Tensor, fill: float) -> Tensor:
    """Replace what lies outside a mask.

    Args:
        values: (B, T, …).
        mask: (B, T) bool, true at what stays.
        fill: What comes in its place.

    Returns:
        (B, T, …).
    """
    keep = mask.view(*mask.shape, *[1] * (values.dim() - 2))
    return torch.where(keep, values, fill)
