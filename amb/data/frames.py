"""Feature sequences of different lengths as tensors: gathered, padded and scaled for each batch.

On a CPU features stay in the store's mapped file until then; so they do where a GPU's memory does
not hold them (``streaming``).

Notation: U utterances of a split, B batch, T longest sequence of the batch, F features of a frame,
G groups with statistics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from amb.data.normalisation import Scaling
from amb.data.ragged import Ragged
from amb.data.ragged_tensor import RaggedTensor, filled
from amb.data.streaming import Stream


@dataclass(frozen=True)
class Frames:
    """Audio or visual sequences of a batch: values (B, T, F) and mask (B, T), true at frames."""

    values: Tensor
    mask: Tensor


@dataclass(frozen=True)
class ScaledFrames:
    """Feature sequences of U utterances, scaled when they are asked for.

    Attributes:
        raw: The sequences as the store has them.
        mean: (G, F), None where nothing is scaled.
        std: (G, F).
        group: Which statistics each utterance has (U,).
        stream: Brings batches of ``raw`` from where they lie to where they are needed; None: that
            is the same place.
    """

    raw: RaggedTensor
    mean: Tensor | None = None
    std: Tensor | None = None
    group: Tensor | None = None
    stream: Stream | None = None

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
        values, mask = (self.stream or self.raw).pad(rows)
        if self.mean is None or self.std is None or self.group is None:
            return Frames(values, mask)
        group = self.group[rows]
        scaled = (values - self.mean[group][:, None]) / self.std[group][:, None]
        return Frames(filled(scaled, mask, 0), mask)

    def take(self, rows: Tensor) -> ScaledFrames:
        """Return the sequences of ``rows``, each with the statistics that it was scaled by."""
        group = None if self.group is None else self.group[rows]
        return replace(self, raw=self.raw.take(rows), group=group)

    def resampled(self, lengths: Tensor) -> ScaledFrames:
        """Return the sequences at other lengths (U,), their frames repeated or skipped evenly."""
        return replace(self, raw=self.raw.resampled(lengths))

    def to(self, device: torch.device) -> ScaledFrames:
        """Return these sequences on ``device``."""
        return replace(self._scaled_on(device), raw=self.raw.to(device))

    def streamed_to(self, device: torch.device) -> ScaledFrames:
        """Return these sequences for batches on ``device``; they stay where they lie."""
        return replace(self._scaled_on(device), stream=Stream(self.raw, device))

    def ahead(self, plan: Iterable[Tensor], thread: ThreadPoolExecutor) -> ScaledFrames:
        """Return these sequences with a thread that collects the batches of ``plan`` ahead.

        Args:
            plan: Rows (B,) of the batches, in order.
            thread: The thread.

        Returns:
            The same sequences; those that are not streamed need no thread.
        """
        return (
            self if self.stream is None else replace(self, stream=self.stream.planned(plan, thread))
        )

    @property
    def nbytes(self) -> int:
        """Bytes of these sequences."""
        values = self.raw.values
        return int(self.raw.lengths.sum()) * values.shape[1] * values.element_size()

    def _scaled_on(self, device: torch.device) -> ScaledFrames:
        """Return these sequences with their statistics on ``device``."""
        if self.mean is None or self.std is None or self.group is None:
            return self
        mean, std, group = (own.to(device) for own in (self.mean, self.std, self.group))
        return replace(self, mean=mean, std=std, group=group)


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
