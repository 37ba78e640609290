"""From the last layer to one number an utterance.

``LinearHead``: sentiment ← linear(dropout(h)). ``LateHead``, late fusion:
sentiment ← linear(dropout(ReLU(W·[h; mean(a); mean(v)]))).

Reconstruction: both, and the sizes; late fusion has no single source.

Notation: B batch, T frames, D width of the text vector, W width of an audio or visual state.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from amb.data.batches import Frames
from amb.model.audiovisual import mean_over_frames

DROPOUT = 0.1
JOINT_UNITS = 128


class LinearHead(nn.Module):
    """Dropout and a linear map.

    Args:
        inputs: D.
        dropout: Probability.
    """

    def __init__(self, inputs: int, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(inputs, 1)

    def forward(self, pooled: Tensor) -> Tensor:
        """Predict: (B, D) → (B,)."""
        sentiment: Tensor = self.linear(self.dropout(pooled)).squeeze(-1)
        return sentiment


class LateHead(nn.Module):
    """Joins a text vector with the mean audio and visual states just before the end.

    Args:
        inputs: D; 0 where there is no text.
        widths: W of each modality.
        units: Units of the joint layer.
        dropout: Probability, on the joint layer.
    """

    def __init__(
        self,
        inputs: int,
        widths: Mapping[str, int],
        units: int = JOINT_UNITS,
        dropout: float = DROPOUT,
    ) -> None:
        super().__init__()
        self.joint = nn.Linear(inputs + sum(widths.values()), units)
        self.linear = LinearHead(units, dropout)

    def forward(
        self, pooled: Tensor | None, states: Mapping[str, Tensor], frames: Mapping[str, Frames]
    ) -> Tensor:
        """Predict from text (B, D) and states (B, T_m, W_m) of each modality: (B,)."""
        vectors = [] if pooled is None else [pooled]
        vectors += [mean_over_frames(states[m], frames[m].mask) for m in states]
        sentiment: Tensor = self.linear(torch.relu(self.joint(torch.cat(vectors, dim=-1))))
        return sentiment
