"""What a frozen BERT has read once, it need not read again.

A frozen encoder without dropout gives a text the same states in every epoch. They are kept by the
text's word-pieces, so that a row that trains only what stands on top of it encodes each text once,
and a row with adapters runs once what lies below the first of them.
The states are those of the batch in which a text was first seen: up to rounding (1e-6) the same in
any batch.

Notation: B batch, L text length, N word-pieces in the batch, D hidden size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from amb.model.packing import TokenLayout

LIMIT_BYTES = 2 * 2**30  # of one process; texts beyond it are encoded anew each time


class TextMemory:
    """Packed hidden states by text, all after the same layer.

    Args:
        limit_bytes: What is kept at most.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._states: dict[bytes, Tensor] = {}
        self._bytes = 0

    def recall(
        self,
        token_ids: Tensor,
        layout: TokenLayout,
        encode: Callable[[Tensor, TokenLayout], Tensor],
    ) -> Tensor:
        """Return the states of a batch's texts, encoding those that are new.

        Args:
            token_ids: (B, L) int64.
            layout: Where their word-pieces lie.
            encode: The frozen encoder: ids (B', L) and their layout → packed states (N', D).

        Returns:
            Packed states (N, D), without a gradient.
        """
        lengths = layout.lengths.tolist()
        texts = [
            row[:length].tobytes()
            for row, length in zip(token_ids.cpu().numpy(), lengths, strict=True)
        ]
        known = {text: self._states.get(text) for text in texts}
        new = [
            row
            for row, text in enumerate(texts)
            if (kept := known[text]) is None or kept.device != token_ids.device
        ]
        if new:
            rows = torch.tensor(new, device=token_ids.device)
            # Outside inference mode: what is kept in a validation must serve in training too.
            with torch.inference_mode(False), torch.no_grad():
                own = TokenLayout(layout.mask[rows].clone())
                encoded = encode(token_ids[rows].clone(), own)
                for row, states in zip(new, encoded.split(own.lengths.tolist()), strict=True):
                    known[texts[row]] = states
                    self._keep(texts[row], states)
        dense = torch.cat([states for text in texts if (states := known[text]) is not None])
        return layout.from_dense(dense)

    def _keep(self, text: bytes, states: Tensor) -> None:
        size = states.numel() * states.element_size()
        if self._bytes + size <= self.limit_bytes:
            self._states[text] = states.clone()  # a view would keep its whole batch
            self._bytes += size
