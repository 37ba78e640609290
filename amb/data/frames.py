"""Sequences of different lengths as tensors: gathered, padded and scaled for each batch.

Features stay in the store's mapped file until then.

Notation: U utterances of a split, B batch, T longest sequence of the batch, F features of a frame,
G groups with statistics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from amb.data.normalisation import Scaling
from amb.data.ragged import Ragged


@dataclass(frozen=True)
class Frames:
    """Audio or visual sequences of a batch: values (B, T, F) and mask (B, T), true at frames."""

    values: Tensor
    mask: Tensor


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
        return _filled(self.values[index], mask, fill), mask

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


@dataclass(frozen=True)
class ScaledFrames:
    """Feature sequences of U utterances, scaled when they are asked for.

    Attributes:
        raw: The sequences as the store has them.
        mean: (G, F), None where nothing is scaled.
        std: (G, F).
        group: Which statistics each utterance has (U,).
    """

    raw: RaggedTensor
    mean: Tensor | None = None
    std: Tensor | None = None
    group: Tensor | None = None

    @classmethod
    def select(cls, features: Ragged, scaling: Scaling | None, rows: np.ndarray) -> ScaledFrames:
        """Choose the utterances ``rows`` of a store's features."""
        raw = RaggedTensor.select(features.values, features.offsets, rows)
        if scaling is None:
            return cls(raw)
        mean, std = torch.from_numpy(scaling.mean), torch.from_numpy(scaling.std)
        return cls(raw, mean, std, torch.from_numpy(scaling.group[rows]))

    def pad(self, rows: Tensor) -> Frames:
        """Return the sequences of ``rows`` (B,), scaled, with zeros as padding."""
        values, mask = self.raw.pad(rows)
        if self.mean is None or self.std is None or self.group is None:
            return Frames(values, mask)
        group = self.group[rows]
        scaled = (values - self.mean[group][:, None]) / self.std[group][:, None]
        return Frames(_filled(scaled, mask, 0), mask)

    def take(self, rows: Tensor) -> ScaledFrames:
        """Return the sequences of ``rows``, each with the statistics that it was scaled by."""
        group = None if self.group is None else self.group[rows]
        return replace(self, raw=self.raw.take(rows), group=group)

    def resampled(self, lengths: Tensor) -> ScaledFrames:
        """Return the sequences at other lengths (U,), their frames repeated or skipped evenly."""
        return replace(self, raw=self.raw.resampled(lengths))

    def to(self, device: torch.device) -> ScaledFrames:
        """Return these sequences on ``device``."""
        if self.mean is None or self.std is None or self.group is None:
            return ScaledFrames(self.raw.to(device))
        return ScaledFrames(
            self.raw.to(device), self.mean.to(device), self.std.to(device), self.group.to(device)
        )


class LazyFrames(Mapping[str, Frames]):
    """The sequences of some utterances by modality, each collected when it is first asked for.

    Args:
        sources: The sequences of the split.
        rows: The utterances (B,).
    """

    def __init__(self, sources: Mapping[str, ScaledFrames], rows: Tensor) -> None:
        self._sources, self._rows = sources, rows
        self._collected: dict[str, Frames] = {}

    def __getitem__(self, modality: str) -> Frames:
        if modality not in self._collected:
            self._collected[modality] = self._sources[modality].pad(self._rows)
        return self._collected[modality]

    @property
    def collected(self) -> frozenset[str]:
        """The modalities that have been asked for."""
        return frozenset(self._collected)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


def _filled(values: Tensor, mask: Tensor, fill: float) -> Tensor:
    """Replace values (B, T, …) outside the mask (B, T)."""
    keep = mask.view(*mask.shape, *[1] * (values.dim() - 2))
    return torch.where(keep, values, fill)
