"""From the last layer to one number an utterance.

``LinearHead``: sentiment ← linear(dropout(h)). ``LateHead``, late fusion:
sentiment ← linear(dropout(ReLU(W·[h; mean(a); mean(v)]))).

Reconstruction: both, and the sizes; late fusion has no single source.

Notation: B batch, D width of the text vector.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

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
    """Joins the vectors of several modalities just before the end.

    Args:
        widths: Width of each vector.
        units: Units of the joint layer.
        dropout: Probability, on the joint layer.
    """

    def __init__(
        self, widths: Sequence[int], units: int = JOINT_UNITS, dropout: float = DROPOUT
    ) -> None:
        super().__init__()
        self.joint = nn.Linear(sum(widths), units)
        self.linear = LinearHead(units, dropout)

    def forward(self, vectors: Sequence[Tensor]) -> Tensor:
        """Predict from one vector a modality, each (B, its width): (B,)."""
        joint = torch.relu(self.joint(torch.cat(list(vectors), dim=-1)))
        sentiment: Tensor = self.linear(joint)
        return sentiment
