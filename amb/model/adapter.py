"""Bottleneck adapters, h ← h + W_up·σ(W_down·h), and where in a BERT layer they stand.

``PfeifferAdapters``: one a layer, after the feed-forward block. ``HoulsbyAdapters``: two a layer,
in the attention block and in the feed-forward block, before the residual connection and the norm.

Source: Houlsby et al. 2019 (arXiv 1902.00751), section 2 and figure 2; Pfeiffer et al. 2021
(arXiv 2005.00247).

Reconstruction: adapter type, size and activation. The abstract of AMB says "adapter modules" and
no more. Departure from Pfeiffer's released configuration: the adapter reads and writes the
layer's output, after its LayerNorm, and so needs no norm of its own. Departure from Houlsby: the
layer norms of BERT stay frozen, so that BERT as a whole does.

Notation: N word-pieces, D hidden size, R bottleneck size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amb.model.bert import BertLayer
from amb.model.packing import TokenLayout

REDUCTION_FACTOR = 16  # R = D / 16: 48 for bert-base, 24 for MiniLM
NEAR_IDENTITY_STD = 1e-2  # Houlsby et al. 2019, section 3.6
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "gelu": F.gelu,
    "tanh": torch.tanh,
    "silu": F.silu,
}


@dataclass(frozen=True)
class AdapterShape:
    """Sizes of an adapter.

    Attributes:
        bottleneck: R; D / 16 when None.
        activation: A key of ``ACTIVATIONS``.
        initial_std: Standard deviation of its initial weights; 0 makes it exactly the identity.
        dropout: Probability, on the bottleneck.
    """

    bottleneck: int | None = None
    activation: str = "relu"
    initial_std: float = NEAR_IDENTITY_STD
    dropout: float = 0.0


class Adapter(nn.Module):
    """A bottleneck with a residual connection, near the identity when it is new.

    Args:
        hidden_size: D.
        shape: Sizes, activation and initialisation.
    """

    def __init__(self, hidden_size: int, shape: AdapterShape | None = None) -> None:
        super().__init__()
        shape = shape or AdapterShape()
        R = shape.bottleneck or max(1, hidden_size // REDUCTION_FACTOR)
        self.activation = ACTIVATIONS[shape.activation]
        self.down_proj = nn.Linear(hidden_size, R)
        self.up_proj = nn.Linear(R, hidden_size)
        self.dropout = nn.Dropout(shape.dropout)
        # With both projections at 0 no gradient would ever reach either: only the second is.
        nn.init.normal_(self.down_proj.weight, std=shape.initial_std or NEAR_IDENTITY_STD)
        nn.init.normal_(self.up_proj.weight, std=shape.initial_std)
        for projection in (self.down_proj, self.up_proj):
            nn.init.zeros_(projection.bias)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Adapt hidden states: (N, D) → (N, D)."""
        inner = self.dropout(self.activation(self.down_proj(hidden_states)))
        adapted: Tensor = hidden_states + self.up_proj(inner)
        return adapted


class PfeifferAdapters(nn.Module):
    """Runs a BERT layer with one adapter, on what the layer returns, whatever that layer is."""

    def __init__(self, hidden_size: int, shape: AdapterShape) -> None:
        super().__init__()
        self.output = Adapter(hidden_size, shape)

    def forward(
        self,
        layer: Callable[[Tensor, TokenLayout], Tensor],
        hidden_states: Tensor,
        layout: TokenLayout,
    ) -> Tensor:
        """Apply layer and adapter: (N, D) → (N, D)."""
        adapted: Tensor = self.output(layer(hidden_states, layout))
        return adapted


class HoulsbyAdapters(nn.Module):
    """Runs a BERT layer with two adapters, one inside each of its blocks."""

    def __init__(self, hidden_size: int, shape: AdapterShape) -> None:
        super().__init__()
        self.attention = Adapter(hidden_size, shape)
        self.feed_forward = Adapter(hidden_size, shape)

    def forward(self, layer: BertLayer, hidden_states: Tensor, layout: TokenLayout) -> Tensor:
        """Apply the layer with both adapters: (N, D) → (N, D)."""
        attended = layer.attend(hidden_states, layout, self.attention)
        return layer.feed_forward(attended, self.feed_forward)


PLACEMENTS: dict[str, type[PfeifferAdapters] | type[HoulsbyAdapters]] = {
    "pfeiffer": PfeifferAdapters,
    "houlsby": HoulsbyAdapters,
}
