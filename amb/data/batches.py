"""One split of a store as tensors, and the batches drawn from it.

Notation: U utterances of the split, B batch, L longest text of the batch in word-pieces,
T longest sequence of frames of the batch, F features of a frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from amb.data.normalisation import apply_zscore
from amb.data.store import Store
from amb.data.tokenisation import SPECIAL, tokenise


@dataclass(frozen=True)
class Frames:
    """Audio or visual sequences of a batch: values (B, T, F) and mask (B, T), true at frames."""

    values: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Batch:
    """What a model sees of B utterances.

    Attributes:
        token_ids: (B, L) int64.
        token_mask: (B, L) bool, true at word-pieces.
        word_index: (B, L) int64, the word of each piece; -1 at special tokens and padding.
        frames: Audio and visual sequences by modality; only those that the data have.
        labels: (B,) float32 in [-3, 3]; None where they are not to be seen.
    """

    token_ids: Tensor
    token_mask: Tensor
    word_index: Tensor
    frames: dict[str, Frames] = field(default_factory=dict)
    labels: Tensor | None = None


@dataclass(frozen=True)
class RaggedTensor:
    """Rows of different lengths end to end: values (Σ, …) and offsets (U + 1,)."""

    values: Tensor
    offsets: Tensor

    def pad(self, rows: Tensor, fill: float = 0) -> tuple[Tensor, Tensor]:
        """Return rows side by side, (B, longest, …), and their mask, (B, longest)."""
        start, end = self.offsets[rows], self.offsets[rows + 1]
        place = torch.arange(int((end - start).max()), device=rows.device)
        mask = place < (end - start)[:, None]  # (B, longest)
        index = (start[:, None] + place).clamp(max=max(self.values.shape[0] - 1, 0))
        keep = mask.view(*mask.shape, *[1] * (self.values.dim() - 1))
        return torch.where(keep, self.values[index], fill), mask

    def lengths(self) -> Tensor:
        """Return the length of every row, (U,)."""
        return self.offsets[1:] - self.offsets[:-1]

    def to(self, device: torch.device) -> RaggedTensor:
        """Return a copy on ``device``."""
        return RaggedTensor(self.values.to(device), self.offsets.to(device))


@dataclass(frozen=True)
class SplitData:
    """One split, tokenised and normalised.

    Attributes:
        utterances: Ids of the U utterances, in the store's order.
        token_ids: Word-pieces.
        word_index: The word of each piece.
        frames: Normalised features by modality.
        labels: (U,) float32; None for the test split, whose labels this code never opens.
    """

    utterances: list[str]
    token_ids: RaggedTensor
    word_index: RaggedTensor
    frames: dict[str, RaggedTensor]
    labels: Tensor | None

    def __len__(self) -> int:
        return len(self.utterances)

    def batch(self, rows: Tensor) -> Batch:
        """Collect the utterances ``rows`` (B,) into a batch, padded to its longest."""
        token_ids, token_mask = self.token_ids.pad(rows)
        word_index, _ = self.word_index.pad(rows, fill=SPECIAL)
        frames = {m: Frames(*ragged.pad(rows)) for m, ragged in self.frames.items()}
        labels = None if self.labels is None else self.labels[rows]
        return Batch(token_ids, token_mask, word_index, frames, labels)

    def batches(self, rows: Tensor, size: int) -> Iterator[tuple[Tensor, Batch]]:
        """Yield ``rows`` and their batch, ``size`` utterances at a time."""
        for chunk in rows.split(size):
            yield chunk, self.batch(chunk)

    def by_length(self) -> Tensor:
        """Return all rows, shortest text first: batches for prediction with little padding."""
        return torch.argsort(self.token_ids.lengths(), stable=True)

    def to(self, device: torch.device) -> SplitData:
        """Return a copy on ``device``."""
        return SplitData(
            self.utterances,
            self.token_ids.to(device),
            self.word_index.to(device),
            {m: ragged.to(device) for m, ragged in self.frames.items()},
            None if self.labels is None else self.labels.to(device),
        )


def load_splits(
    store: Store, backbone: Path, max_pieces: int, normalisation: str
) -> dict[str, SplitData]:
    """Read a store into tensors, without the labels of the test split.

    Args:
        store: An open store.
        backbone: A prepared backbone's folder.
        max_pieces: Longest text in word-pieces.
        normalisation: ``none`` or ``zscore``.

    Returns:
        ``train``, ``valid`` and ``test``.
    """
    tokens = tokenise(store.utterances["words"].tolist(), backbone, max_pieces)
    ids = store.utterances["id"]
    labels = store.labels().set_index("id")["label"].reindex(ids).to_numpy(np.float32)
    features = {}
    for modality in store.modalities:
        ragged = store.features(modality)
        values = np.asarray(ragged.values)
        if normalisation == "zscore":
            values = apply_zscore(values, store.card["normalisation"][modality])
        features[modality] = (values, np.asarray(ragged.offsets))
    splits = {}
    for split in ("train", "valid", "test"):
        rows = np.flatnonzero(store.utterances["split"] == split)
        splits[split] = SplitData(
            utterances=ids.iloc[rows].tolist(),
            token_ids=_take(tokens.token_ids, tokens.offsets, rows),
            word_index=_take(tokens.word_index, tokens.offsets, rows),
            frames={m: _take(*ragged, rows) for m, ragged in features.items()},
            labels=None if split == "test" else torch.from_numpy(labels[rows]),
        )
    return splits


def _take(values: np.ndarray, offsets: np.ndarray, rows: np.ndarray) -> RaggedTensor:
    """Copy some rows of a ragged array into a ragged tensor."""
    pieces = [values[offsets[row] : offsets[row + 1]] for row in rows]
    lengths = np.array([len(piece) for piece in pieces], dtype=np.int64)
    return RaggedTensor(
        torch.from_numpy(np.concatenate(pieces)),
        torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)),
    )
