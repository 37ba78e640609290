"""LSTMs over padded sequences, read where each sequence ends.

A forward LSTM has seen all of a sequence at its last real element, a backward LSTM at its first;
padding comes after the one and is never read by the other, because the backward LSTM gets every
sequence mirrored within its own length. No packing: that waits for lengths from the GPU.

Source: Hochreiter and Schmidhuber 1997 (Neural Computation 9:8); the outputs are those of torch's
LSTM on packed sequences, to which a test holds them.

Notation: B batch, T longest sequence, F features of an element, W width of a state.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LastState(nn.Module):
    """A one-layer LSTM that returns its state at the last real element of each sequence.

    Args:
        features: F.
        width: W.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(features, width, batch_first=True)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Read sequences of at least one element.

        Args:
            values: (B, T, F), padded at the end.
            mask: (B, T) bool, true at real elements.

        Returns:
            (B, W).
        """
        return at_last(self.lstm(values)[0], mask)


class BidirectionalLstm(nn.Module):
    """A forward and a backward LSTM side by side.

    Args:
        features: F.
        width: W, of each direction.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.forwards = nn.LSTM(features, width, batch_first=True)
        self.backwards = nn.LSTM(features, width, batch_first=True)

    def forward(self, values: Tensor, mask: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Read sequences of at least one element.

        Args:
            values: (B, T, F), padded at the end.
            mask: (B, T) bool, true at real elements.

        Returns:
            States of both directions (B, T, 2W), arbitrary at padding, and the final state of
            each direction, forwards first, each (B, W).
        """
        forward_states = self.forwards(values)[0]
        mirrored_states = self.backwards(mirrored(values, mask))[0]
        states = torch.cat([forward_states, mirrored(mirrored_states, mask)], dim=-1)
        return states, [at_last(forward_states, mask), at_last(mirrored_states, mask)]


def at_last(states: Tensor, mask: Tensor) -> Tensor:
    """Pick the last real element: states (B, T, W), mask (B, T) → (B, W)."""
    last = (mask.sum(1) - 1).clamp(min=0).view(-1, 1, 1)  # (B, 1, 1)
    return states.gather(1, last.expand(-1, 1, states.shape[2])).squeeze(1)


def mirrored(values: Tensor, mask: Tensor) -> Tensor:
    """Reverse each sequence within its own length: (B, T, F) → (B, T, F); padding stays put."""
    lengths = mask.sum(1, keepdim=True)  # (B, 1)
    place = torch.arange(values.shape[1], device=values.device)
    mirror = torch.where(place < lengths, lengths - 1 - place, place)  # (B, T)
    return values.gather(1, mirror.unsqueeze(-1).expand_as(values))
