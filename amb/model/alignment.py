"""Which audio and visual state belongs to a word-piece.

``WordAligned``: that of its word. ``CrossAttention``: what it attends to among all. ``Pooled``: the
mean of all, the same for every word-piece of an utterance.

Notation: B batch, L text length, N word-pieces, T frames, D hidden size, W width of a state.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from amb.data.batches import Batch
from amb.model.audiovisual import mean_over_frames
from amb.model.packing import TokenLayout


class Alignment(nn.Module):
    """Gives every word-piece a state of one modality.

    Args:
        modality: Whose states these are.
    """

    def __init__(self, modality: str) -> None:
        super().__init__()
        self.modality = modality

    def forward(
        self, hidden_states: Tensor, states: Tensor, batch: Batch, layout: TokenLayout
    ) -> Tensor:
        """Pick from states (B, T, W) for packed word-pieces (N, D): (N, W)."""
        raise NotImplementedError


class WordAligned(Alignment):
    """The state of a word-piece's own word; zeros at special tokens."""

    def forward(
        self, hidden_states: Tensor, states: Tensor, batch: Batch, layout: TokenLayout
    ) -> Tensor:
        """Pick states: (B, T, W) → (N, W)."""
        word = layout.pack(batch.word_index)  # (N,), -1 at special tokens
        picked = states[layout.utterance, word.clamp(min=0)]
        return picked * (word >= 0).unsqueeze(-1)


class Pooled(Alignment):
    """The mean state of an utterance, at every word-piece of it."""

    def forward(
        self, hidden_states: Tensor, states: Tensor, batch: Batch, layout: TokenLayout
    ) -> Tensor:
        """Broadcast the mean: (B, T, W) → (N, W)."""
        mean = mean_over_frames(states, batch.frames[self.modality].mask)  # (B, W)
        return mean[layout.utterance]


class CrossAttention(Alignment):
    """What a word-piece attends to among the states of its utterance.

    Args:
        modality: Whose states these are.
        hidden_size: D.
        width: W.
    """

    def __init__(self, modality: str, hidden_size: int, width: int) -> None:
        super().__init__(modality)
        self.query = nn.Linear(hidden_size, width)
        self.key = nn.Linear(width, width)

    def forward(
        self, hidden_states: Tensor, states: Tensor, batch: Batch, layout: TokenLayout
    ) -> Tensor:
        """Attend from text tokens (N, D) to states (B, T, W) → (N, W)."""
        query = layout.pad(self.query(hidden_states))  # (B, L, W)
        scores = query @ self.key(states).transpose(1, 2) / math.sqrt(states.shape[-1])
        padding = ~batch.frames[self.modality].mask[:, None, :]  # (B, 1, T)
        weights = scores.masked_fill(padding, -1e9).softmax(-1)
        return layout.pack(weights @ states)


def join_aligned(
    alignments: nn.ModuleDict,
    hidden_states: Tensor,
    states: dict[str, Tensor],
    batch: Batch,
    layout: TokenLayout,
) -> Tensor:
    """Align every modality and join what comes: (N, ΣW)."""
    aligned = [align(hidden_states, states[m], batch, layout) for m, align in alignments.items()]
    return torch.cat(aligned, dim=-1)
