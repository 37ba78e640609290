"""MAG-BERT: a gate inside BERT that shifts each word-piece by what is heard and seen with it.

Rahman, Hasan, Lee, Zadeh, Mao, Morency, Hoque 2020, ACL, arXiv 1908.05787. For a
word-piece with state h and the frames a, v of its word::

    g_m = ReLU(W_gm [m ; h] + b_m)          for m in {a, v}
    H = Σ_m g_m · (W_m m) + b
    h ← LayerNorm(h + α H),  α = min(β ‖h‖ / ‖H‖, 1)

One such multimodal adaptation gate stands before a layer of BERT, which is fine-tuned in full.

Departure: as in the authors' code, W_m has a bias inside the gated product (b is gated too),
dropout follows the norm, a small ε stands beside ‖H‖ and ‖H‖ = 0 counts as 1.
Departure: no BERT pooler (a linear map and tanh, pretrained on next sentences) before the head:
our backbone has none, and every row reads its states as ``backbone.pooling`` says.
Departure: trained on the mean absolute error, as every row here and in MMSA; the authors' code
trains on the squared error.
Departure: frames are repeated over the word-pieces of a word, as in the paper; MMSA pairs the i-th
word-piece with the i-th frame.
Reconstruction: where a modality is not word-aligned, each word-piece gets the mean frame. The
paper has aligned data only.
Reconstruction: a modality that the data lack has no term in H.

Notation: B batch, L text length, N word-pieces in the batch, T frames, F features of a frame,
D hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from amb.data.batches import Batch
from amb.data.frames import Frames
from amb.errors import InputError
from amb.model.backbone import Backbone
from amb.model.bert import BertEncoder
from amb.model.method import FeatureShape, SentimentModel
from amb.model.options import read_options
from amb.model.packing import TokenLayout

EPSILON = 1e-6
INITIAL_STD = 0.02  # of BERT's own linear maps


class AdaptationGate(nn.Module):
    """The multimodal adaptation gate (MAG).

    Args:
        hidden_size: D.
        dimensions: F of each modality.
        beta_shift: β, the longest shift as a share of the state's own length.
        dropout: Probability, on the shifted states.
    """

    def __init__(
        self, hidden_size: int, dimensions: dict[str, int], beta_shift: float, dropout: float
    ) -> None:
        super().__init__()
        D = hidden_size
        self.gates = nn.ModuleDict({m: nn.Linear(F + D, D) for m, F in dimensions.items()})
        self.projections = nn.ModuleDict({m: nn.Linear(F, D) for m, F in dimensions.items()})
        self.beta_shift = beta_shift
        self.norm = nn.LayerNorm(D)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden_states: Tensor, frames: Mapping[str, Tensor]) -> Tensor:
        """Shift packed states (N, D) by the frames (N, F_m) of each modality → (N, D)."""
        terms = [self._gated(m, hidden_states, frames[m]) for m in self.gates]
        displacement = torch.stack(terms).sum(0)  # (N, D)
        length = displacement.norm(dim=-1, keepdim=True)
        length = torch.where(length == 0, 1.0, length) + EPSILON
        longest = self.beta_shift * hidden_states.norm(dim=-1, keepdim=True)
        alpha = (longest / length).clamp(max=1)  # (N, 1)
        shifted: Tensor = self.dropout(self.norm(hidden_states + alpha * displacement))
        return shifted

    def _gated(self, modality: str, hidden_states: Tensor, frames: Tensor) -> Tensor:
        gate = torch.relu(self.gates[modality](torch.cat([frames, hidden_states], dim=-1)))
        term: Tensor = gate * self.projections[modality](frames)
        return term


class MagBert(SentimentModel):
    """BERT with one adaptation gate before one of its layers.

    Args:
        backbone: The encoder, fine-tuned.
        pooling: ``cls`` or ``mean``.
        gate: The adaptation gate.
        after_layer: How many layers come before the gate; 0 places it after the embeddings.
        word_aligned: Whether each modality has one frame a word.
    """

    def __init__(
        self,
        backbone: BertEncoder,
        pooling: str,
        gate: AdaptationGate,
        after_layer: int,
        word_aligned: dict[str, bool],
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.gate = gate
        self.after_layer = after_layer
        self.word_aligned = word_aligned
        self.dropout = nn.Dropout(backbone.shape.hidden_dropout_prob)
        self.head = nn.Linear(backbone.shape.hidden_size, 1)
        for module in (*gate.modules(), self.head):
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=INITIAL_STD)
                nn.init.zeros_(module.bias)

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,)."""
        layout = TokenLayout(batch.token_mask, batch.seeds)
        pooled = layout.pool(self.encode(batch, layout), self.pooling)  # (B, D)
        sentiment: Tensor = self.head(self.dropout(pooled)).squeeze(-1)
        return sentiment

    def encode(self, batch: Batch, layout: TokenLayout) -> Tensor:
        """Encode the batch with the shift at its place: packed last hidden states (N, D)."""
        hidden_states: Tensor = self.backbone.embeddings(batch.token_ids, layout)
        for number, layer in enumerate(self.backbone.layers, start=1):
            if number == self.after_layer + 1:
                hidden_states = self.gate(hidden_states, self._frames(batch, layout))
            hidden_states = layer(hidden_states, layout)
        return hidden_states

    def _frames(self, batch: Batch, layout: TokenLayout) -> dict[str, Tensor]:
        """Return each modality's frame for every word-piece: (N, F_m)."""
        word = layout.pack(batch.word_index)  # (N,), -1 at special tokens
        return {
            m: frames_of_words(batch.frames[m], word, layout.utterance, aligned)
            for m, aligned in self.word_aligned.items()
        }


def frames_of_words(frames: Frames, word: Tensor, utterance: Tensor, aligned: bool) -> Tensor:
    """Return the frame that goes with each word-piece; zeros at special tokens.

    Args:
        frames: Sequences (B, T, F) and their mask.
        word: (N,) the word of each piece in its utterance, -1 at special tokens.
        utterance: (N,) the utterance of each piece.
        aligned: Whether there is one frame a word; if not, the mean frame serves for all words.

    Returns:
        (N, F).
    """
    if aligned:
        chosen = frames.values[utterance, word.clamp(min=0)]
    else:
        present = frames.mask.unsqueeze(-1)
        total = torch.where(present, frames.values, 0.0).sum(1)  # (B, F)
        chosen = (total / present.sum(1).clamp(min=1))[utterance]
    return torch.where(word.unsqueeze(-1) >= 0, chosen, 0.0)


@dataclass(frozen=True)
class Options:
    """Options of the row; the defaults are those of the authors' code.

    Attributes:
        after_layer: How many layers come before the gate; 0 places it after the embeddings.
        beta_shift: β, the longest shift as a share of the state's own length.
        dropout: Probability, on the shifted states.
    """

    after_layer: int = 0
    beta_shift: float = 1.0
    dropout: float = 0.5


def build(options: Mapping[str, Any], backbone: Backbone, features: FeatureShape) -> MagBert:
    """Build MAG-BERT on fine-tuned BERT and the modalities that the data have."""
    settings = read_options(Options, options, "mag_bert")
    features.require_text("mag_bert")
    features.choose(None, "mag_bert")
    encoder = backbone.load(trainable=True)
    last = encoder.shape.num_hidden_layers - 1
    if not 0 <= settings.after_layer <= last:
        where = "method mag_bert", "options.after_layer"
        raise InputError(*where, settings.after_layer, f"0 to {last}: a layer follows the gate")
    gate = AdaptationGate(
        encoder.shape.hidden_size, features.dimensions, settings.beta_shift, settings.dropout
    )
    pooling, aligned = backbone.settings.pooling, features.word_aligned
    return MagBert(encoder, pooling, gate, settings.after_layer, aligned)
