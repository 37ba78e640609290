"""A split whose batches are corrupted when they are made.

Notation: B batch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from amb.data.batches import Batch, SplitData
from amb.data.frames import Frames


@dataclass(frozen=True)
class CorruptedSplit(SplitData):
    """A split seen through a corruption.

    Attributes:
        corrupt: Turns a batch and the ids of its utterances into the batch that a model sees.
    """

    corrupt: Callable[[Batch, Sequence[str]], Batch]

    @classmethod
    def of(
        cls, data: SplitData, corrupt: Callable[[Batch, Sequence[str]], Batch]
    ) -> CorruptedSplit:
        """Look at a split through a corruption; nothing is copied."""
        own = {field.name: getattr(data, field.name) for field in dataclasses.fields(SplitData)}
        return cls(**own, corrupt=corrupt)

    def batch(self, rows: Tensor, seeds: int = 1) -> Batch:
        """Collect the utterances ``rows`` (B,) and corrupt them."""
        utterances = [self.utterances[row] for row in rows.tolist()]
        return self.corrupt(super().batch(rows, seeds), utterances)


class CorruptedFrames(Mapping[str, Frames]):
    """The frames of a batch by modality, corrupted when they are first asked for.

    Args:
        clean: The frames as they are.
        corrupt: Takes the frames of a modality and its name.
    """

    def __init__(
        self, clean: Mapping[str, Frames], corrupt: Callable[[Frames, str], Frames]
    ) -> None:
        self._clean, self._corrupt = clean, corrupt
        self._done: dict[str, Frames] = {}

    def __getitem__(self, modality: str) -> Frames:
        if modality not in self._done:
            self._done[modality] = self._corrupt(self._clean[modality], modality)
        return self._done[modality]

    def __iter__(self) -> Iterator[str]:
        return iter(self._clean)

    def __len__(self) -> int:
        return len(self._clean)
