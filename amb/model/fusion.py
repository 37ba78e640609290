"""Fusion layers: audio-visual information meets the hidden states of BERT after each of its layers.

Every operator computes what fusion adds, Δ = W_up·m, from the hidden state h of a word-piece and
the audio and visual states a, v that belong to it (see ``alignment``):

- ``word``: a, v of the piece's word, or attended from h where the data are not word-aligned;
  m = ReLU(W_down·[h; a; v]);  h ← h + Δ, which feeds the next layer.
- ``attention``: as ``word``, but a, v are attended from h whatever the data.
- ``pooled``: as ``word``, but a, v are the means of the utterance.
- ``cls``: as ``pooled``, but only [CLS] gains Δ.
- ``gated``: as ``word``, with m = g·ReLU(W_t·h) + (1 − g)·ReLU(W_m·[a; v]).
- ``side``: m = ReLU(W_down·[h + s; a; v]);  s ← s + Δ, which joins h after the last layer only.

g = sigmoid(W_g·[h; a; v]), one a unit of the bottleneck (Arevalo et al. 2017, arXiv 1702.01992).
The side path keeps BERT's own states as they are, in the manner of Sung et al. 2022 (arXiv
2206.06522).

Reconstruction: all of it but the idea. The abstract says that "intermediate fusion layers" perform
"layer-wise fusion" of audio-visual information with textual BERT representations.

Notation: B batch, N word-pieces, T frames, D hidden size, W width of a state, R bottleneck size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from amb.data.batches import Batch
from amb.model.alignment import Alignment, CrossAttention, Pooled, WordAligned, join_aligned
from amb.model.packing import TokenLayout

BOTTLENECK = 64


@dataclass(frozen=True)
class FusionShape:
    """What a fusion layer joins.

    Attributes:
        hidden_size: D.
        widths: W of each modality.
        word_aligned: Whether each modality has one frame a word.
        bottleneck: R.
    """

    hidden_size: int
    widths: Mapping[str, int]
    word_aligned: Mapping[str, bool]
    bottleneck: int = BOTTLENECK


class BottleneckMix(nn.Module):
    """m = ReLU(W_down·[h; a; v])."""

    def __init__(self, shape: FusionShape) -> None:
        super().__init__()
        joined = shape.hidden_size + sum(shape.widths.values())
        self.down_proj = nn.Linear(joined, shape.bottleneck)

    def forward(self, hidden_states: Tensor, aligned: Tensor) -> Tensor:
        """Mix (N, D) and (N, ΣW) → (N, R)."""
        return torch.relu(self.down_proj(torch.cat([hidden_states, aligned], dim=-1)))


class GatedMix(nn.Module):
    """m = g·ReLU(W_t·h) + (1 − g)·ReLU(W_m·[a; v]), with g = sigmoid(W_g·[h; a; v])."""

    def __init__(self, shape: FusionShape) -> None:
        super().__init__()
        widths = sum(shape.widths.values())
        self.text = nn.Linear(shape.hidden_size, shape.bottleneck)
        self.audiovisual = nn.Linear(widths, shape.bottleneck)
        self.gate = nn.Linear(shape.hidden_size + widths, shape.bottleneck)

    def forward(self, hidden_states: Tensor, aligned: Tensor) -> Tensor:
        """Mix (N, D) and (N, ΣW) → (N, R)."""
        gate = torch.sigmoid(self.gate(torch.cat([hidden_states, aligned], dim=-1)))
        text, audiovisual = torch.relu(self.text(hidden_states)), self.audiovisual(aligned)
        return gate * text + (1 - gate) * torch.relu(audiovisual)


class FusionLayer(nn.Module):
    """What fusion adds to packed hidden states: nothing at all when it is new.

    Args:
        shape: Sizes.
        alignments: How each modality is brought to the word-pieces.
        mix: (N, D) and (N, ΣW) → (N, R).
        cls_only: Whether only the first token of each text gains anything.
    """

    def __init__(
        self,
        shape: FusionShape,
        alignments: Mapping[str, Alignment],
        mix: nn.Module,
        cls_only: bool = False,
    ) -> None:
        super().__init__()
        self.alignments = nn.ModuleDict(alignments)
        self.mix = mix
        self.cls_only = cls_only
        self.up_proj = nn.Linear(shape.bottleneck, shape.hidden_size)
        nn.init.zeros_(self.up_proj.weight)
        nn.init.zeros_(self.up_proj.bias)

    def forward(
        self, hidden_states: Tensor, states: dict[str, Tensor], batch: Batch, layout: TokenLayout
    ) -> Tensor:
        """Return Δ (N, D) for hidden states (N, D) and states (B, T_m, W_m) of each modality."""
        aligned = join_aligned(self.alignments, hidden_states, states, batch, layout)
        added: Tensor = self.up_proj(self.mix(hidden_states, aligned))
        if not self.cls_only:
            return added
        first = torch.zeros(len(added), 1, device=added.device, dtype=added.dtype)
        return added * first.index_fill(0, layout.first, 1.0)


def own_word(shape: FusionShape) -> dict[str, Alignment]:
    """Take the states of a word-piece's word, or attend where the data are not word-aligned."""
    return {
        m: WordAligned(m) if shape.word_aligned[m] else CrossAttention(m, shape.hidden_size, W)
        for m, W in shape.widths.items()
    }


def attention(shape: FusionShape) -> dict[str, Alignment]:
    """Attend from word-pieces to the states of each modality."""
    return {m: CrossAttention(m, shape.hidden_size, W) for m, W in shape.widths.items()}


def pooled(shape: FusionShape) -> dict[str, Alignment]:
    """Take the mean state of each modality."""
    return {m: Pooled(m) for m in shape.widths}


# ``side`` is the operator ``word``; that its result is not fed back is the model's affair.
OPERATORS: dict[str, Callable[[FusionShape], FusionLayer]] = {
    "word": lambda shape: FusionLayer(shape, own_word(shape), BottleneckMix(shape)),
    "pooled": lambda shape: FusionLayer(shape, pooled(shape), BottleneckMix(shape)),
    "attention": lambda shape: FusionLayer(shape, attention(shape), BottleneckMix(shape)),
    "cls": lambda shape: FusionLayer(shape, pooled(shape), BottleneckMix(shape), cls_only=True),
    "gated": lambda shape: FusionLayer(shape, own_word(shape), GatedMix(shape)),
    "side": lambda shape: FusionLayer(shape, own_word(shape), BottleneckMix(shape)),
}
