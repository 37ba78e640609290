"""Token packing: hidden states without padding, padded only where attention needs a rectangle.

A batch of texts has B·L places of which N hold a word-piece. Everything that works token by token
(linear maps, norms, adapters, fusion) runs on (N, D); attention pads to (B, L, D) and packs again.
Both directions are gathers, forwards and backwards, so that no gradient is summed by atomics.

Notation: B batch, L longest text of the batch in word-pieces, N word-pieces in the batch,
D hidden size.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class TokenLayout:
    """Where the word-pieces of a batch lie, padded and packed.

    Args:
        token_mask: (B, L) bool, true at word-pieces, which come first in every row.
    """

    def __init__(self, token_mask: Tensor) -> None:
        self.mask = token_mask
        self.batch_size, self.length = token_mask.shape
        self.packed_to_padded = token_mask.flatten().nonzero().squeeze(1)  # (N,)
        order = token_mask.flatten().cumsum(0) - 1
        # Padding repeats a real token: its keys are masked and its queries are thrown away.
        self.padded_to_packed = order.clamp(min=0)  # (B·L,)
        self.utterance = self.packed_to_padded // self.length  # (N,)
        lengths = token_mask.sum(1)
        self.first = lengths.cumsum(0) - lengths  # (B,) place of [CLS] in the packed states
        self.lengths = lengths  # (B,)

    def pack(self, padded: Tensor) -> Tensor:
        """Drop padding: (B, L, …) → (N, …)."""
        flat = padded.reshape(self.batch_size * self.length, *padded.shape[2:])
        return _gather(flat, self.packed_to_padded, self.padded_to_packed)

    def pad(self, packed: Tensor) -> Tensor:
        """Restore the rectangle: (N, …) → (B, L, …); places of padding repeat a real token."""
        flat = _gather(packed, self.padded_to_packed, self.packed_to_padded)
        return flat.reshape(self.batch_size, self.length, *packed.shape[1:])

    def mean(self, packed: Tensor) -> Tensor:
        """Average over the tokens of each text: (N, D) → (B, D)."""
        padded = self.pad(packed) * self.mask.unsqueeze(-1)
        return padded.sum(1) / self.lengths.unsqueeze(-1)

    def pool(self, packed: Tensor, pooling: str) -> Tensor:
        """Reduce each text to one vector: (N, D) → (B, D); ``cls`` or ``mean``."""
        return self.mean(packed) if pooling == "mean" else packed.index_select(0, self.first)


class _Gather(torch.autograd.Function):
    """``rows[forward_index]`` whose gradient is again a gather.

    Exact where each input row is used once apart from padding, and padding's gradient is zero
    (masked keys, dropped queries): true of ``pack`` and ``pad`` as attention uses them. For
    ``pack`` the gradient at padding is set to zero.
    """

    @staticmethod
    def forward(
        context: Any, rows: Tensor, forward_index: Tensor, backward_index: Tensor
    ) -> Tensor:
        context.save_for_backward(forward_index, backward_index)
        context.packs = forward_index.shape[0] < backward_index.shape[0]
        return rows.index_select(0, forward_index)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        forward_index, backward_index = context.saved_tensors
        rows = gradient.index_select(0, backward_index)
        if context.packs:
            keep = torch.zeros(rows.shape[0], dtype=torch.bool, device=rows.device)
            keep[forward_index] = True
            rows = rows * keep.view(-1, *[1] * (rows.dim() - 1))
        return rows, None, None


def _gather(rows: Tensor, forward_index: Tensor, backward_index: Tensor) -> Tensor:
    gathered: Tensor = _Gather.apply(rows, forward_index, backward_index)  # type: ignore[no-untyped-call]
    return gathered
