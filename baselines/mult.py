"""MulT: every modality is rewritten by each of the others before their last states meet.

Tsai, Bai, Liang, Kolter, Morency, Salakhutdinov 2019, ACL, arXiv 1906.00295, section 3. With M
modalities projected to a common width by convolutions in time::

    Z_{α→β} = crossmodal transformer(β, α)          for each ordered pair
    Z_β = self-attention transformer([Z_{α→β} for α ≠ β])
    z = [last state of Z_β for each β];  sentiment ← linear(z + W₂ ReLU(W₁ z))

It needs no word alignment. Text here is BERT's last hidden states, frozen or not, in place of the
paper's GloVe vectors, as MMSA has it.

Departure: padding is masked throughout, and "last" is the last real state of an utterance. The
authors' code and MMSA pad every sequence to a fixed length and read the last place, mostly padding.
Departure: a sequence shorter than the kernel is one window, completed by zeros.
Departure: the projection is there even where a modality already has the common width.
Departure: positions are added as in the paper; MMSA's ``mult`` leaves them off (``positions``).
Reconstruction: with one modality beside text, M = 2; the memory is M − 1 common widths wide.

Notation: B batch, T frames or word-pieces, F features, W common width, M modalities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amb.data.batches import Batch
from amb.data.frames import Frames
from amb.errors import InputError
from amb.model.backbone import Backbone
from amb.model.bert import BertEncoder
from amb.model.crossmodal import CrossmodalLayer, CrossmodalTransformer
from amb.model.method import FeatureShape, SentimentModel
from amb.model.options import read_options
from amb.model.packing import TokenLayout
from amb.model.recurrent import at_last

MEMORY_LAYERS = 3  # at least; the paper has three


class TemporalProjection(nn.Module):
    """A convolution in time from F features to the common width, over whole windows only.

    Args:
        features: F.
        width: W.
        kernel: Frames of a window.
    """

    def __init__(self, features: int, width: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.convolution = nn.Conv1d(features, width, kernel, bias=False)

    def forward(self, frames: Frames) -> Frames:
        """Project: (B, T, F) → (B, T − kernel + 1, W), at least one state an utterance."""
        values = torch.where(frames.mask.unsqueeze(-1), frames.values, 0.0)
        values = F.pad(values, (0, 0, 0, max(self.kernel - values.shape[1], 0)))
        projected = self.convolution(values.transpose(1, 2)).transpose(1, 2)
        windows = (frames.mask.sum(1, keepdim=True) - self.kernel + 1).clamp(min=1)  # (B, 1)
        place = torch.arange(projected.shape[1], device=projected.device)
        return Frames(projected, place < windows)


class MulT(SentimentModel):
    """Crossmodal transformers for each ordered pair of text, audio and visual.

    Args:
        backbone: The text encoder, frozen or not.
        projections: One a modality.
        crossmodal: One for each ordered pair, named ``<target>_from_<source>``.
        memory: One a modality, over what all sources gave it.
        width: W.
        text_dropout: Probability, on BERT's states.
        output_dropout: Probability, in the last residual block.
    """

    def __init__(
        self,
        backbone: BertEncoder,
        projections: dict[str, TemporalProjection],
        crossmodal: dict[str, CrossmodalTransformer],
        memory: dict[str, CrossmodalTransformer],
        width: int,
        text_dropout: float,
        output_dropout: float,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.projections = nn.ModuleDict(projections)
        self.crossmodal = nn.ModuleDict(crossmodal)
        self.memory = nn.ModuleDict(memory)
        joint = len(projections) * (len(projections) - 1) * width
        self.text_dropout = nn.Dropout(text_dropout)
        self.first = nn.Linear(joint, joint)
        self.second = nn.Linear(joint, joint)
        self.output_dropout = nn.Dropout(output_dropout)
        self.head = nn.Linear(joint, 1)

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,)."""
        projected = {
            m: project(self._text(batch) if m == "text" else batch.frames[m])
            for m, project in self.projections.items()
        }  # each (B, T_m, W)
        joint = torch.cat([self._last_state(m, projected) for m in projected], dim=-1)
        hidden = self.output_dropout(torch.relu(self.first(joint)))  # (B, M(M − 1)W)
        sentiment: Tensor = self.head(joint + self.second(hidden)).squeeze(-1)
        return sentiment

    def _text(self, batch: Batch) -> Frames:
        """Return BERT's last hidden states, padded: (B, L, D)."""
        layout = TokenLayout(batch.token_mask, batch.seeds)
        states = layout.pad(self.backbone(batch.token_ids, layout))
        return Frames(self.text_dropout(states), batch.token_mask)

    def _last_state(self, target: str, projected: dict[str, Frames]) -> Tensor:
        """Rewrite a modality by the others and read its last real state: (B, (M − 1)W)."""
        own = projected[target]
        rewritten = [
            self.crossmodal[f"{target}_from_{source}"](own, projected[source]).values
            for source in projected
            if source != target
        ]
        remembered = self.memory[target](Frames(torch.cat(rewritten, dim=-1), own.mask))
        return at_last(remembered.values, remembered.mask)


@dataclass(frozen=True)
class Options:
    """Options of the row; the defaults are MMSA's for CMU-MOSI, with positions.

    Attributes:
        width: W.
        heads: Heads of attention; they divide W.
        levels: Layers of a crossmodal transformer; a memory has at least three.
        text_kernel: Word-pieces of a window of the text projection.
        audio_kernel: Frames of a window of the audio projection.
        visual_kernel: Frames of a window of the visual projection.
        text_dropout: Probability, on BERT's states.
        attention_dropout: Probability, on attention to text and in the memories.
        audio_attention_dropout: Probability, on attention to audio.
        visual_attention_dropout: Probability, on attention to visual.
        relu_dropout: Probability, inside feed-forward blocks.
        embedding_dropout: Probability, on the inputs of a transformer.
        residual_dropout: Probability, on what is added to a residual.
        output_dropout: Probability, in the last residual block.
        causal: Whether the future is masked in attention.
        positions: Whether sinusoidal positions are added.
        finetune: Whether BERT trains.
    """

    width: int = 50
    heads: int = 10
    levels: int = 4
    text_kernel: int = 5
    audio_kernel: int = 5
    visual_kernel: int = 5
    text_dropout: float = 0.5
    attention_dropout: float = 0.3
    audio_attention_dropout: float = 0.2
    visual_attention_dropout: float = 0.0
    relu_dropout: float = 0.0
    embedding_dropout: float = 0.2
    residual_dropout: float = 0.0
    output_dropout: float = 0.5
    causal: bool = True
    positions: bool = True
    finetune: bool = False

    def __post_init__(self) -> None:
        if self.heads < 1 or self.width % self.heads:
            expected = f"a divisor of the width {self.width}"
            raise InputError("method mult", "options.heads", self.heads, expected)

    def kernel(self, modality: str) -> int:
        """Return the window of a modality's projection."""
        return {
            "text": self.text_kernel,
            "audio": self.audio_kernel,
            "visual": self.visual_kernel,
        }[modality]

    def attention_dropout_from(self, source: str) -> float:
        """Return the dropout of attention to a modality."""
        return {
            "text": self.attention_dropout,
            "audio": self.audio_attention_dropout,
            "visual": self.visual_attention_dropout,
        }[source]


def build(options: Mapping[str, Any], backbone: Backbone, features: FeatureShape) -> MulT:
    """Build MulT on BERT's states and the modalities that the data have."""
    settings = read_options(Options, options, "mult")
    features.require_text("mult")
    features.choose(None, "mult")
    encoder = backbone.load(trainable=settings.finetune)
    return assemble(encoder, {"text": encoder.shape.hidden_size, **features.dimensions}, settings)


def assemble(encoder: BertEncoder, dimensions: dict[str, int], settings: Options) -> MulT:
    """Build the model.

    Args:
        encoder: The text encoder.
        dimensions: F of each modality, that of text first.
        settings: The options.

    Returns:
        The model.
    """
    W = settings.width
    memory_width = (len(dimensions) - 1) * W
    projections = {m: TemporalProjection(F, W, settings.kernel(m)) for m, F in dimensions.items()}
    crossmodal = {
        f"{target}_from_{source}": _transformer(
            W, settings.levels, settings.attention_dropout_from(source), settings
        )
        for target in dimensions
        for source in dimensions
        if source != target
    }
    levels = max(settings.levels, MEMORY_LAYERS)
    memory = {
        m: _transformer(memory_width, levels, settings.attention_dropout, settings)
        for m in dimensions
    }
    return MulT(
        encoder,
        projections,
        crossmodal,
        memory,
        W,
        settings.text_dropout,
        settings.output_dropout,
    )


def _transformer(
    width: int, levels: int, attention_dropout: float, settings: Options
) -> CrossmodalTransformer:
    rates = attention_dropout, settings.relu_dropout, settings.residual_dropout
    layers = [CrossmodalLayer(width, settings.heads, *rates) for _ in range(levels)]
    return CrossmodalTransformer(
        layers, width, settings.embedding_dropout, settings.causal, settings.positions
    )
