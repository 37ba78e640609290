"""Token packing: hidden states without padding, padded only where attention needs a rectangle.

A batch of texts has B·L places of which few hold a word-piece. Everything that works token by token
(linear maps, norms, adapters, fusion) runs on (N, D); attention pads to (B, L, D) and packs again.
Both directions are gathers, forwards and backwards, so that no gradient is summed by atomics.

Where K seeds train as one model (``amb.training.pack``) their utterances stand one seed after
another, and each seed's word-pieces are made as many as the longest's by fillers: copies of its
first word-piece, which nothing reads and which get no gradient. So every tensor of such a batch
falls into K equal parts.

Notation: B batch, L longest text of the batch in word-pieces, K seeds, N packed places (K equal
parts; the word-pieces of the batch where K is 1), D hidden size.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class TokenLayout:
    """Where the word-pieces of a batch lie, padded and packed.

    Args:
        token_mask: (B, L) bool, true at word-pieces, which come first in every row.
        seeds: K; B is a multiple of it.
    """

    def __init__(self, token_mask: Tensor, seeds: int = 1) -> None:
        self.mask = token_mask
        self.batch_size, self.length = token_mask.shape
        self.lengths = token_mask.sum(1)  # (B,)
        pieces = token_mask.flatten().nonzero().squeeze(1)  # places of word-pieces, in order
        self._filled = seeds > 1
        order = token_mask.view(seeds, -1).cumsum(1) - 1  # (K, B·L / K)
        if self._filled:
            part = int(order[:, -1].max()) + 1  # N / K
            start = part * torch.arange(seeds, device=token_mask.device)
            order = order + start[:, None]
            places = torch.arange(seeds, device=token_mask.device) * order.shape[1]
            self.packed_to_padded = places.repeat_interleave(part)  # (N,)
            self.packed_to_padded[order.flatten()[pieces]] = pieces
            self._dense = (token_mask.flatten().cumsum(0) - 1)[self.packed_to_padded]  # (N,)
        else:
            self.packed_to_padded = pieces
        # Padding repeats a real token: its keys are masked and its queries are thrown away.
        self.padded_to_packed = order.flatten().clamp(min=0)  # (B·L,)
        self.utterance = self.packed_to_padded // self.length  # (N,)
        rows = torch.arange(self.batch_size, device=token_mask.device)
        self.first = self.padded_to_packed[rows * self.length]  # (B,) place of [CLS], packed

    def pack(self, padded: Tensor) -> Tensor:
        """Drop padding: (B, L, …) → (N, …)."""
        flat = padded.reshape(self.batch_size * self.length, *padded.shape[2:])
        return _gather(flat, self.packed_to_padded, self.padded_to_packed, self.mask.flatten())

    def pad(self, packed: Tensor) -> Tensor:
        """Restore the rectangle: (N, …) → (B, L, …); places of padding repeat a real token."""
        flat = _gather(packed, self.padded_to_packed, self.packed_to_padded, self._real())
        return flat.reshape(self.batch_size, self.length, *packed.shape[1:])

    def mean(self, packed: Tensor) -> Tensor:
        """Average over the tokens of each text: (N, D) → (B, D)."""
        padded = self.pad(packed) * self.mask.unsqueeze(-1)
        return padded.sum(1) / self.lengths.unsqueeze(-1)

    def pool(self, packed: Tensor, pooling: str) -> Tensor:
        """Reduce each text to one vector: (N, D) → (B, D); ``cls`` or ``mean``."""
        return self.mean(packed) if pooling == "mean" else packed.index_select(0, self.first)

    def from_dense(self, dense: Tensor) -> Tensor:
        """Pack states that have no fillers: all word-pieces of the batch, end to end → (N, …)."""
        return dense[self._dense] if self._filled else dense

    def _real(self) -> Tensor | None:
        """Return which packed places hold a word-piece (N,), None where all do."""
        if not self._filled:
            return None
        place = torch.arange(len(self.packed_to_padded), device=self.mask.device)
        return self.padded_to_packed[self.packed_to_padded] == place


class _Gather(torch.autograd.Function):
    """``rows[forward_index]`` whose gradient is again a gather.

    Exact where each input row is used once apart from padding and fillers, and the gradient of
    these is zero (masked keys, dropped queries): true of ``pack`` and ``pad`` as attention uses
    them. The gradient of an input row outside ``kept`` is zero.
    """

    @staticmethod
    def forward(
        context: Any,
        rows: Tensor,
        forward_index: Tensor,
        backward_index: Tensor,
        kept: Tensor | None,
    ) -> Tensor:
        context.save_for_backward(backward_index, kept)
        return rows.index_select(0, forward_index)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        backward_index, kept = context.saved_tensors
        rows = gradient.index_select(0, backward_index)
        if kept is not None:
            rows = rows * kept.view(-1, *[1] * (rows.dim() - 1))
        return rows, None, None, None


def _gather(
    rows: Tensor, forward_index: Tensor, backward_index: Tensor, kept: Tensor | None
) -> Tensor:
    gathered: Tensor = _Gather.apply(rows, forward_index, backward_index, kept)  # type: ignore[no-untyped-call]
    return gathered
