"""The audio-visual encoder: per modality a BiLSTM, its directions summed, then self-attention.

Source: the group's earlier public code, mmlatch (Paraskevopoulos et al. 2022, arXiv 2201.09828).
Departure: padding is masked in the attention (their public code does not mask it).
Reconstruction: that AMB uses this encoder, its sizes, and the residual connection around the
attention, which keeps what each frame's own state knows.

Notation: B batch, T frames, F features of a frame, W width of the states.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from amb.data.batches import Frames

WIDTH = 100
DROPOUT = 0.2


class ModalityEncoder(nn.Module):
    """Frames of one modality → states of the same length.

    Args:
        features: F.
        width: W.
        dropout: Probability, on the states.
    """

    def __init__(self, features: int, width: int = WIDTH, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.width = width
        self.forwards = nn.LSTM(features, width, batch_first=True)
        self.backwards = nn.LSTM(features, width, batch_first=True)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def forward(self, frames: Frames) -> Tensor:
        """Encode: frames (B, T, F) → states (B, T, W); states at padding are zero."""
        states = self._recur(frames)
        scores = self.query(states) @ self.key(states).transpose(1, 2) / math.sqrt(self.width)
        # A lowest score rather than -inf: an utterance without a single frame stays finite.
        hidden = ~frames.mask[:, None, :]  # (B, 1, T)
        weights = scores.masked_fill(hidden, -1e9).softmax(-1)
        attended = states + weights @ self.value(states)
        encoded: Tensor = self.dropout(attended) * frames.mask.unsqueeze(-1)
        return encoded

    def _recur(self, frames: Frames) -> Tensor:
        """Sum both directions: (B, T, F) → (B, T, W).

        The backward LSTM reads every sequence from its last real frame, so that padding comes
        last in both; faster than packed sequences, on a CPU and without a wait for a GPU.
        """
        values, lengths = frames.values, frames.mask.sum(1, keepdim=True)  # (B, T, F), (B, 1)
        place = torch.arange(values.shape[1], device=values.device)
        mirror = torch.where(place < lengths, lengths - 1 - place, place).unsqueeze(-1)  # (B, T, 1)
        mirrored = values.gather(1, mirror.expand_as(values))
        backward = self.backwards(mirrored)[0]
        summed: Tensor = self.forwards(values)[0] + backward.gather(1, mirror.expand_as(backward))
        return summed


class AudioVisualEncoder(nn.Module):
    """One ``ModalityEncoder`` for each of the audio and visual modalities that the data have.

    Args:
        dimensions: F of each modality.
    """

    def __init__(self, dimensions: dict[str, int]) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict({m: ModalityEncoder(F) for m, F in dimensions.items()})
        self.widths = dict.fromkeys(dimensions, WIDTH)

    def forward(self, frames: Mapping[str, Frames]) -> dict[str, Tensor]:
        """Encode every modality: (B, T_m, F_m) → (B, T_m, W)."""
        return {m: encoder(frames[m]) for m, encoder in self.encoders.items()}
