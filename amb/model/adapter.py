"""Bottleneck adapter: h ← h + W_up·ReLU(W_down·h).

Source: Houlsby et al. 2019 (arXiv 1902.00751), section 2; placed once per layer, after the
feed-forward block, as in Pfeiffer et al. 2021 (arXiv 2005.00247).

Reconstruction: adapter type, size and activation. The abstract of AMB says "adapter modules" and
no more. Departure from Pfeiffer's released configuration: the adapter reads and writes the
layer's output, after its LayerNorm, and so needs no norm of its own.

Notation: N word-pieces, D hidden size, R bottleneck size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

REDUCTION_FACTOR = 16  # R = D / 16: 48 for bert-base, 24 for MiniLM
NEAR_IDENTITY_STD = 1e-2  # Houlsby et al. 2019, section 3.6


class Adapter(nn.Module):
    """A bottleneck with a residual connection, near the identity when it is new.

    Args:
        hidden_size: D.
        bottleneck: R; D / 16 when None.
    """

    def __init__(self, hidden_size: int, bottleneck: int | None = None) -> None:
        super().__init__()
        R = bottleneck or max(1, hidden_size // REDUCTION_FACTOR)
        self.down_proj = nn.Linear(hidden_size, R)
        self.up_proj = nn.Linear(R, hidden_size)
        for projection in (self.down_proj, self.up_proj):
            nn.init.normal_(projection.weight, std=NEAR_IDENTITY_STD)
            nn.init.zeros_(projection.bias)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Adapt hidden states: (N, D) → (N, D)."""
        adapted: Tensor = hidden_states + self.up_proj(torch.relu(self.down_proj(hidden_states)))
        return adapted
