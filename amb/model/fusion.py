"""Layer-wise fusion: h ← h + W_up·ReLU(W_down·[h ; a ; v]) at every word-piece.

``a`` and ``v`` are the audio and visual states that belong to the word-piece: those of its word
where the data are word-aligned (repeated over its word-pieces, zeros at special tokens), else what
the word-piece attends to. The result feeds the next BERT layer.

Reconstruction: all of it but the idea. The abstract says that "intermediate fusion layers" perform
"layer-wise fusion" of audio-visual information with textual BERT representations.

Notation: B batch, L text length, N word-pieces, T frames, D hidden size, W width of a state,
R bottleneck size.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from amb.data.batches import Batch
from amb.model.packing import TokenLayout

BOTTLENECK = 64


class WordAligned(nn.Module):
    """The state of a word-piece's own word; zeros at special tokens."""

    def forward(
        self,
        hidden_states: Tensor,
        states: Tensor,
        batch: Batch,
        modality: str,
        layout: TokenLayout,
    ) -> Tensor:
        """Pick states: (B, T, W) → (N, W)."""
        word = layout.pack(batch.word_index)  # (N,), -1 at special tokens
        picked = states[layout.utterance, word.clamp(min=0)]
        return picked * (word >= 0).unsqueeze(-1)


class CrossAttention(nn.Module):
    """What a word-piece attends to among the states of its utterance; for unaligned data.

    Args:
        hidden_size: D.
        width: W.
    """

    def __init__(self, hidden_size: int, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(hidden_size, width)
        self.key = nn.Linear(width, width)

    def forward(
        self,
        hidden_states: Tensor,
        states: Tensor,
        batch: Batch,
        modality: str,
        layout: TokenLayout,
    ) -> Tensor:
        """Attend from text tokens (N, D) to states (B, T, W) → (N, W)."""
        query = layout.pad(self.query(hidden_states))  # (B, L, W)
        scores = query @ self.key(states).transpose(1, 2) / math.sqrt(states.shape[-1])
        padding = ~batch.frames[modality].mask[:, None, :]  # (B, 1, T)
        weights = scores.masked_fill(padding, -1e9).softmax(-1)
        return layout.pack(weights @ states)


class FusionLayer(nn.Module):
    """Adds audio-visual information to packed hidden states; the identity when it is new.

    Args:
        hidden_size: D.
        widths: W of each modality.
        word_aligned: Whether each modality has one frame a word.
        bottleneck: R.
    """

    def __init__(
        self,
        hidden_size: int,
        widths: dict[str, int],
        word_aligned: dict[str, bool],
        bottleneck: int = BOTTLENECK,
    ) -> None:
        super().__init__()
        self.alignment = nn.ModuleDict(
            {
                m: WordAligned() if word_aligned[m] else CrossAttention(hidden_size, W)
                for m, W in widths.items()
            }
        )
        self.down_proj = nn.Linear(hidden_size + sum(widths.values()), bottleneck)
        self.up_proj = nn.Linear(bottleneck, hidden_size)
        nn.init.zeros_(self.up_proj.weight)
        nn.init.zeros_(self.up_proj.bias)

    def forward(
        self, hidden_states: Tensor, states: dict[str, Tensor], batch: Batch, layout: TokenLayout
    ) -> Tensor:
        """Fuse: (N, D) and states (B, T_m, W_m) of each modality → (N, D)."""
        aligned = [
            align(hidden_states, states[m], batch, m, layout) for m, align in self.alignment.items()
        ]
        joined = torch.cat([hidden_states, *aligned], dim=-1)  # (N, D + ΣW)
        fused: Tensor = hidden_states + self.up_proj(torch.relu(self.down_proj(joined)))
        return fused
