"""One split of a store as tensors, and the batches drawn from it.

Notation: U utterances of the split, B batch, L longest text of the batch in word-pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from amb.data.dataset import SPLITS
from amb.data.frames import Frames, LazyFrames, ScaledFrames
from amb.data.normalisation import Scaling, scaling_of
from amb.data.ragged import Ragged
from amb.data.ragged_tensor import RaggedTensor
from amb.data.store import Store
from amb.data.token_cache import cached_tokens
from amb.data.tokenisation import SPECIAL, TokenisedTexts


@dataclass(frozen=True)
class Batch:
    """What a model sees of B utterances.

    Attributes:
        token_ids: (B, L) int64.
        token_mask: (B, L) bool, true at word-pieces.
        word_index: (B, L) int64, the word of each piece; -1 at special tokens and padding.
        frames: Sequences by modality, only those that the data have; each is read when it is
            first asked for, so that a method pays for what it uses.
        labels: (B,) float32 in [-3, 3]; None where they are not to be seen.
        rows: (B,) int64, place of each utterance in its split; None outside a split.
        seeds: K, how many runs' utterances stand here one after another, B / K of each: above 1
            only where several seeds train as one model (``amb.training.pack``).
    """

    token_ids: Tensor
    token_mask: Tensor
    word_index: Tensor
    frames: Mapping[str, Frames] = field(default_factory=dict)
    labels: Tensor | None = None
    rows: Tensor | None = None
    seeds: int = 1


@dataclass(frozen=True)
class SplitData:
    """One split, tokenised.

    Attributes:
        utterances: Ids of the U utterances, in the store's order.
        token_ids: Word-pieces.
        word_index: The word of each piece.
        frames: Features by modality.
        labels: (U,) float32; None for the test split, whose labels this code never opens.
    """

    utterances: list[str]
    token_ids: RaggedTensor
    word_index: RaggedTensor
    frames: dict[str, ScaledFrames]
    labels: Tensor | None

    @classmethod
    def select(
        cls,
        ids: Sequence[str],
        tokens: TokenisedTexts,
        features: Mapping[str, tuple[Ragged, Scaling | None]],
        rows: np.ndarray,
        labels: np.ndarray | None = None,
    ) -> SplitData:
        """Choose some of N utterances; nothing is copied.

        Args:
            ids: Of the N utterances.
            tokens: Their word-pieces.
            features: Their sequences by modality, and how these are scaled.
            rows: The utterances (U,).
            labels: Of the N utterances (N,) float32, None where they are not to be seen.

        Returns:
            The chosen utterances, in the order of ``rows``.
        """
        return cls(
            utterances=[ids[row] for row in rows],
            token_ids=RaggedTensor.select(tokens.token_ids, tokens.offsets, rows),
            word_index=RaggedTensor.select(tokens.word_index, tokens.offsets, rows),
            frames={m: ScaledFrames.select(*own, rows) for m, own in features.items()},
            labels=None if labels is None else torch.from_numpy(labels[rows]),
        )

    def __len__(self) -> int:
        return len(self.utterances)

    def batch(self, rows: Tensor, seeds: int = 1) -> Batch:
        """Collect utterances into a batch, padded to its longest.

        Args:
            rows: (B,) int64; one that stands there twice is collected twice.
            seeds: K, how many runs they belong to, B / K to each in turn.

        Returns:
            The batch.
        """
        token_ids, token_mask = self.token_ids.pad(rows)
        word_index, _ = self.word_index.pad(rows, fill=SPECIAL)
        labels = None if self.labels is None else self.labels[rows]
        frames = LazyFrames(self.frames, rows)
        return Batch(token_ids, token_mask, word_index, frames, labels, rows, seeds)

    def batches(self, rows: Tensor, size: int) -> Iterator[tuple[Tensor, Batch]]:
        """Yield ``rows`` and their batch, ``size`` utterances at a time."""
        chunks = rows.split(size)
        with self.ahead(chunks) as data:
            for chunk in chunks:
                yield chunk, data.batch(chunk)

    @contextmanager
    def ahead(self, plan: Iterable[Tensor]) -> Iterator[Self]:
        """Let features that do not lie on the device be collected before they are asked for.

        Args:
            plan: Rows (B,) of the batches that the block will ask for, in order.

        Yields:
            The same split; its batches are the same, whatever was planned.
        """
        if not any(own.stream for own in self.frames.values()):
            yield self
            return
        rows = list(plan)
        with ThreadPoolExecutor(1, "collect") as thread:
            yield replace(
                self, frames={m: own.ahead(rows, thread) for m, own in self.frames.items()}
            )

    def by_length(self) -> Tensor:
        """Return all rows, shortest text first: batches for prediction with little padding."""
        return torch.argsort(self.token_ids.lengths, stable=True)

    def to(self, device: torch.device, features: bool = True) -> SplitData:
        """Return these data on ``device``.

        Args:
            device: Where batches are needed.
            features: Whether the features are to lie there, too; else each batch's are brought.

        Returns:
            The same split.
        """
        return SplitData(
            self.utterances,
            self.token_ids.to(device),
            self.word_index.to(device),
            {
                m: own.to(device) if features else own.streamed_to(device)
                for m, own in self.frames.items()
            },
            None if self.labels is None else self.labels.to(device),
        )


def load_splits(
    store: Store, backbone: Path, max_pieces: int, normalisation: str
) -> dict[str, SplitData]:
    """Open a store's splits as tensors, without the labels of the test split.

    Args:
        store: An open store.
        backbone: A prepared backbone's folder.
        max_pieces: Longest text in word-pieces.
        normalisation: ``none``, ``zscore`` or ``per_video``.

    Returns:
        ``train``, ``valid`` and ``test``.
    """
    tokens = cached_tokens(store, backbone, max_pieces)
    ids = store.utterances["id"].tolist()
    labels = store.labels().set_index("id")["label"].reindex(ids).to_numpy(np.float32)
    features = {
        m: (store.features(m), scaling_of(store, m, normalisation)) for m in store.modalities
    }
    return {
        split: SplitData.select(
            ids,
            tokens,
            features,
            np.flatnonzero(store.utterances["split"] == split),
            None if split == "test" else labels,
        )
        for split in SPLITS
    }
